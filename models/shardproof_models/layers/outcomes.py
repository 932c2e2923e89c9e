"""
A sender learns what became of its receipt: acknowledgement, timeout and refund (L2).

The sender knows the receiver only through headers. That a receipt was not delivered in time
is proved by a header of the receiver that attests a late clock and an absent record; never by
the sender's own clock, and never by silence.

Source: ICS-04, "acknowledgements" and "timeouts".
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, each, insert, remove, require
from ..language.protocol import Layer
from ..language.terms import FALSE, PUBLIC, Bool, forall, implies, number
from .deadlines import Time, clock, deadline, deadlines
from .exactly_once import (
    UNTRUSTED_HEADER,
    WRONG_DESTINATION,
    WRONG_SOURCE,
    Count,
    Header,
    Key,
    Receipt,
    Shard,
    answers,
    consumed,
    destination,
    emit,
    excused,
    issued,
    key,
    origin,
    produce,
    recorded,
    source,
    trusted,
)
from .failures import failures, succeeded
from .pruning import prune
from .resharding import carried_over

outcomes = Layer(
    "outcomes",
    needs=(failures, deadlines),
    doc="the sender learns of success, failure or expiry, and is refunded unless it was success",
)

NOT_EXECUTED = Refusal("not executed")
ALREADY_ACKNOWLEDGED = Refusal("already acknowledged")
NOT_ACKNOWLEDGED = Refusal("not acknowledged")
NOT_PENDING = Refusal("not pending")
NOT_ELAPSED = Refusal("not elapsed")
RECEIVED = Refusal("received")
NO_ACKNOWLEDGEMENT = Refusal("no acknowledgement")


@outcomes.state(home=PUBLIC)
def time(h: Header) -> Time:
    """The clock of its shard that `h` attests."""
    return number(0, Time)


@outcomes.state(home=PUBLIC)
def received_in(h: Header, m: Receipt) -> Bool:
    """`h` proves that `m` was received, or else that it was not."""
    return FALSE


@outcomes.state(home=PUBLIC)
def acknowledged_in(h: Header, m: Receipt) -> Bool:
    """`h` proves that the outcome of `m` was written down."""
    return FALSE


@outcomes.state(home=PUBLIC)
def succeeded_in(h: Header, m: Receipt) -> Bool:
    """The outcome of `m` that `h` proves."""
    return FALSE


@outcomes.state(home=lambda d: d)
def acknowledgement(d: Shard, m: Receipt) -> Bool:
    """Shard `d` has written down the outcome of `m`, for good."""
    return FALSE


@outcomes.state(home=source)
def pending(m: Receipt) -> Bool:
    """The sender waits for the outcome of `m`."""
    return FALSE


@outcomes.ghost(home=source)
def acknowledged(m: Receipt) -> Count:
    """How often the sender was told that `m` succeeded."""
    return number(0, Count)


@outcomes.ghost(home=source)
def refunds(m: Receipt) -> Count:
    """How often the sender was given back what `m` carried."""
    return number(0, Count)


@outcomes.ghost(home=source)
def timed_out(m: Receipt) -> Bool:
    """The refund of `m` was for want of delivery."""
    return FALSE


@outcomes.ghost(home=source)
def timed_out_by(m: Receipt) -> Header:
    """The header that proved the expiry of `m`: a Skolem function for 'some header'."""
    ...


@outcomes.extends(emit)
def await_outcome(m: Receipt) -> Parts:
    """The sender waits."""
    yield insert(pending(m))


@outcomes.extends(produce)
def attest(h: Header) -> Parts:
    """A header attests the clock of its shard, what it has recorded, and the outcomes that it has written."""
    yield assign(time(h), clock(origin(h)))
    # What was recorded without being executed was not received: as if there were no record of it.
    yield each(
        Receipt,
        lambda m: assign(received_in(h, m), recorded(origin(h), m) & ~excused(origin(h), m)),
    )
    yield each(Receipt, lambda m: assign(acknowledged_in(h, m), acknowledgement(origin(h), m)))
    yield each(Receipt, lambda m: assign(succeeded_in(h, m), succeeded(origin(h), m)))


@outcomes.action
def write_acknowledgement(d: Shard, m: Receipt) -> Parts:
    """The receiver, perhaps later than execution, makes the outcome provable."""
    yield at(d)
    yield require(answers(d, destination(m)), WRONG_DESTINATION)
    yield require(consumed(d, key(m)) & ~excused(d, m), NOT_EXECUTED)
    yield require(~acknowledgement(d, m), ALREADY_ACKNOWLEDGED)
    yield insert(acknowledgement(d, m))


@outcomes.extends(prune)
def after_the_outcome(d: Shard, k: Key) -> Parts:
    """What is forgotten before its outcome is written down leaves its sender waiting for ever."""
    written = forall(Receipt, lambda m: implies(key(m) == k, acknowledgement(d, m)))
    yield require(written, NOT_ACKNOWLEDGED)


@outcomes.action
def acknowledge(s: Shard, m: Receipt, h: Header) -> Parts:
    """A relayer shows the sender the outcome that the receiver has written; a failure is refunded."""
    yield at(s)
    yield require(trusted(s, h), UNTRUSTED_HEADER)
    yield require(issued(h, destination(m)), WRONG_SOURCE)
    yield require(acknowledged_in(h, m), NO_ACKNOWLEDGEMENT)
    yield require(answers(s, source(m)), WRONG_DESTINATION)
    yield require(pending(m), NOT_PENDING)
    # Mark first: whatever the callback of the sender does, this receipt has had its outcome.
    yield remove(pending(m))
    yield add(acknowledged(m), 1, where=succeeded_in(h, m))
    yield add(refunds(m), 1, where=~succeeded_in(h, m))


@outcomes.action
def time_out(s: Shard, m: Receipt, h: Header) -> Parts:
    """A relayer shows the sender that the deadline passed on the receiver's clock without delivery."""
    yield at(s)
    yield require(trusted(s, h), UNTRUSTED_HEADER)
    yield require(issued(h, destination(m)), WRONG_SOURCE)
    yield require(deadline(m) <= time(h), NOT_ELAPSED)
    yield require(~received_in(h, m), RECEIVED)
    yield require(answers(s, source(m)), WRONG_DESTINATION)
    yield require(pending(m), NOT_PENDING)
    yield remove(pending(m))
    yield add(refunds(m), 1)
    yield insert(timed_out(m))
    yield assign(timed_out_by(m), h)


carried_over(outcomes, acknowledgement)
