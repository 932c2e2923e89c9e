"""
Receipts are numbered on channels by their source; ordered channels execute in that order (L1).

A channel joins two addresses, in one direction. Its source counts what it sends on it; on
an ordered channel its destination counts what it has executed, and takes only what is next.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, require
from ..language.protocol import Layer
from ..language.terms import Bool, Entity, Number, number
from .exactly_once import Receipt, Shard, deliver, destination, emit, exactly_once, source


class Channel(Entity):
    """A stream of receipts from one address to another."""


class Sequence(Number):
    """A position on a channel."""


OUT_OF_SEQUENCE = Refusal("out of sequence")
OUT_OF_ORDER = Refusal("out of order")

sequencing = Layer(
    "sequencing", needs=(exactly_once,), doc="receipts are numbered on channels by their source"
)


@sequencing.rigid
def channel(m: Receipt) -> Channel:
    """The channel on which `m` is sent."""
    ...


@sequencing.rigid
def sequence(m: Receipt) -> Sequence:
    """The position of `m` on its channel."""
    ...


@sequencing.rigid
def sender(c: Channel) -> Shard:
    """The address at which a channel begins."""
    ...


@sequencing.rigid
def receiver(c: Channel) -> Shard:
    """The address at which a channel ends."""
    ...


@sequencing.axiom
def a_channel_joins_two_addresses(m: Receipt) -> Bool:
    """All receipts of a channel have the ends of the channel."""
    return (source(m) == sender(channel(m))) & (destination(m) == receiver(channel(m)))


@sequencing.state(home=sender)
def next_send(c: Channel) -> Sequence:
    """How many receipts were sent on a channel."""
    return number(0, Sequence)


@sequencing.extends(emit)
def number_it(m: Receipt) -> Parts:
    """A receipt takes the next position of its channel."""
    yield require(sequence(m) == next_send(channel(m)), OUT_OF_SEQUENCE)
    yield add(next_send(channel(m)), 1)


ordering = Layer(
    "ordering", needs=(sequencing,), doc="a channel is executed in the order in which it was sent"
)


@ordering.state(home=receiver)
def next_receive(c: Channel) -> Sequence:
    """How many receipts of a channel its destination has dealt with."""
    return number(0, Sequence)


@ordering.extends(deliver)
def in_order(m: Receipt) -> Parts:
    """Only what is next on its channel is executed."""
    yield require(sequence(m) == next_receive(channel(m)), OUT_OF_ORDER)
    yield add(next_receive(channel(m)), 1)
