"""
A channel may be closed at its receiving end, for good, and then nothing more is delivered on it (L2).

What was under way when it closed is refunded on proof of two things by one header: that the
end is closed, and that the receipt was not received. Closing is irreversible, or the proof
would say nothing of the time after it. An ordered channel is over at its sending end, too,
once one of its receipts has timed out: nothing that comes after it can be delivered.

Source: ICS-04, "timeoutOnClose" and "timeoutPacket" on ordered channels.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, each, insert, remove, require
from ..language.protocol import Layer
from ..language.terms import FALSE, PUBLIC, Bool, implies
from .exactly_once import (
    UNTRUSTED_HEADER,
    WRONG_DESTINATION,
    WRONG_SOURCE,
    Header,
    Receipt,
    Shard,
    answers,
    deliver,
    destination,
    emit,
    issued,
    origin,
    produce,
    source,
    trusted,
)
from .outcomes import (
    NOT_PENDING,
    RECEIVED,
    outcomes,
    pending,
    received_in,
    refunds,
    time_out,
    timed_out,
    timed_out_by,
)
from .sequencing import Channel, channel, receiver, sender, sequencing

closing = Layer(
    "closing",
    needs=(sequencing, outcomes),
    touches=(pending, refunds, timed_out, timed_out_by),
    doc="a channel may be closed; what was under way is refunded",
)

CLOSED = Refusal("closed")
NOT_CLOSED = Refusal("not closed")
ENDED = Refusal("ended")


@closing.state(home=receiver)
def closed(c: Channel) -> Bool:
    """Nothing more is delivered on the channel."""
    return FALSE


@closing.state(home=PUBLIC)
def closed_in(h: Header, c: Channel) -> Bool:
    """`h` proves that the channel was closed."""
    return FALSE


@closing.action
def close(d: Shard, c: Channel) -> Parts:
    """The receiving end of a channel is closed."""
    yield at(d)
    yield require(answers(d, receiver(c)), WRONG_DESTINATION)
    yield require(~closed(c), CLOSED)
    yield insert(closed(c))


@closing.extends(produce)
def attest_closing(h: Header) -> Parts:
    """A header attests which channels are closed."""
    # Of ends that are not its own it can write what it likes, as of receipts: assume the worst.
    yield each(
        Channel, lambda c: assign(closed_in(h, c), implies(answers(origin(h), receiver(c)), closed(c)))
    )


@closing.extends(deliver)
def on_an_open_channel(m: Receipt) -> Parts:
    """Nothing is delivered on a closed channel."""
    yield require(~closed(channel(m)), CLOSED)


@closing.action
def time_out_on_close(s: Shard, m: Receipt, h: Header) -> Parts:
    """A relayer shows the sender that the channel is closed and the receipt was not received."""
    yield at(s)
    yield require(trusted(s, h), UNTRUSTED_HEADER)
    yield require(issued(h, destination(m)), WRONG_SOURCE)
    yield require(closed_in(h, channel(m)), NOT_CLOSED)
    yield require(~received_in(h, m), RECEIVED)
    yield require(answers(s, source(m)), WRONG_DESTINATION)
    yield require(pending(m), NOT_PENDING)
    yield remove(pending(m))
    yield add(refunds(m), 1)
    yield insert(timed_out(m))
    yield assign(timed_out_by(m), h)


ending = Layer(
    "ending",
    needs=(closing,),
    doc="an ordered channel is over once a receipt on it has timed out",
)


@ending.state(home=sender)
def ended(c: Channel) -> Bool:
    """Nothing more is sent on the channel."""
    return FALSE


@ending.extends(emit)
def while_it_lasts(m: Receipt) -> Parts:
    """Nothing is sent on a channel that is over."""
    yield require(~ended(channel(m)), ENDED)


@ending.extends(time_out)
def end_it(m: Receipt) -> Parts:
    """The receipt that timed out was next, and never comes: so does nothing after it."""
    yield insert(ended(channel(m)))


@ending.extends(time_out_on_close)
def end_it_closed(m: Receipt) -> Parts:
    """The other end is closed."""
    yield insert(ended(channel(m)))
