"""
Bounded queues between addresses, and back-pressure on the sender (L9).

A request waits for room, and then in line. A response, which gives back what a failure took,
has a lane of its own, reserved when its request was let in: or two full queues that wait for
each other's responses would wait for ever. What waits is not committed to.

Source: NEAR NEP-539; Internet Computer, guaranteed responses; Polkadot HRMP, channel capacity.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, insert, remove, require
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool, Number, number
from .exactly_once import (
    Receipt,
    Shard,
    address,
    answers,
    destination,
    emit,
    emitted,
    exactly_once,
    outgoing,
    source,
)
from .failures import failures, responds


class Length(Number):
    """How many receipts a queue holds."""


queues = Layer(
    "queues",
    needs=(exactly_once, failures),
    doc="queues between addresses are bounded; responses have a lane of their own",
)

FULL = Refusal("queue full")
NOT_QUEUED = Refusal("not queued")
NOT_FIRST = Refusal("not first in its queue")


@queues.rigid
def capacity(s: Shard, d: Shard) -> Length:
    """How many requests may wait on the link from `s` to `d`."""
    ...


@queues.axiom
def no_link_is_closed(s: Shard, d: Shard) -> Bool:
    """A link without room is none."""
    return capacity(s, d) >= 1


@queues.state(home=address)
def queued(s: Shard, d: Shard) -> Length:
    """How many requests wait on the link, as the sender counts."""
    return number(0, Length)


@queues.state(home=address)
def drained(s: Shard, d: Shard) -> Length:
    """How many requests have left the queue of the link: the place of the one that is next."""
    return number(0, Length)


@queues.state(home=source)
def place(m: Receipt) -> Length:
    """The place of a request in its queue, counted from the first that ever waited there."""
    ...


@queues.state(home=source)
def waits(m: Receipt) -> Bool:
    """`m` is in its queue, and not on its way yet."""
    return FALSE


@queues.redefines(outgoing)
def has_left(m: Receipt) -> Bool:
    """What waits is not on its way."""
    return emitted(m) & ~waits(m)


@queues.extends(emit)
def enqueue(m: Receipt) -> Parts:
    """A request takes the last place; a response has a lane of its own."""
    s, d = source(m), destination(m)
    yield require(responds(m) | (queued(s, d) < capacity(s, d)), FULL)
    yield assign(place(m), drained(s, d) + queued(s, d), where=~responds(m))
    yield add(queued(s, d), 1, where=~responds(m))
    yield insert(waits(m))


@queues.action
def drain(s: Shard, m: Receipt) -> Parts:
    """The link carries one receipt away: of requests, the first."""
    a, d = source(m), destination(m)
    yield at(s)
    yield require(answers(s, a) & waits(m), NOT_QUEUED)
    yield require(responds(m) | (place(m) == drained(a, d)), NOT_FIRST)
    yield remove(waits(m))
    yield add(queued(a, d), -1, where=~responds(m))
    yield add(drained(a, d), 1, where=~responds(m))
