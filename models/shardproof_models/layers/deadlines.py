"""
A receipt has a deadline, on the clock of its receiver (L2, the clock alone).

Three clocks are easily confused: the sender's, the receiver's, and the one that a header
attests. Here is the receiver's, which alone decides whether a receipt is still deliverable.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, require
from ..language.protocol import Layer
from ..language.terms import Bool, Number, ite, number
from .exactly_once import Receipt, Shard, deliver, exactly_once
from .resharding import merge, split


class Time(Number):
    """A moment on the clock of a shard."""


deadlines = Layer(
    "deadlines", needs=(exactly_once,), doc="a receipt is deliverable until its receiver's clock says no"
)

EXPIRED = Refusal("expired")


@deadlines.rigid
def deadline(m: Receipt) -> Time:
    """The moment on the clock of its receiver from which `m` can no longer be delivered."""
    ...


@deadlines.axiom
def a_deadline_is_in_the_future(m: Receipt) -> Bool:
    """Clocks begin at 0; what can never be delivered nobody sends."""
    return deadline(m) >= 1


@deadlines.state(home=lambda s: s)
def clock(s: Shard) -> Time:
    """The clock of `s`, as its blocks attest it."""
    return number(0, Time)


@deadlines.action
def tick(s: Shard) -> Parts:
    """Time passes at one shard."""
    yield at(s)
    yield add(clock(s), 1)


@deadlines.extends(deliver)
def before_the_deadline(d: Shard, m: Receipt) -> Parts:
    """Late receipts are not executed."""
    yield require(clock(d) < deadline(m), EXPIRED)


@deadlines.extends(split)
def children_keep_the_time(p: Shard, a: Shard, b: Shard) -> Parts:
    """A clock that went back would make deliverable again what its sender was refunded for."""
    yield assign(clock(a), clock(p))
    yield assign(clock(b), clock(p))


@deadlines.extends(merge)
def the_later_clock_counts(a: Shard, b: Shard, p: Shard) -> Parts:
    """As the children, so the merged: neither clock may go back."""
    yield assign(clock(p), ite(clock(a) <= clock(b), clock(b), clock(a)))
