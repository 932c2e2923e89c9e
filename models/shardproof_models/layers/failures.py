"""
A callback may fail: then the receipt is spent all the same, and has no effect (L10, the outcome alone).

Whether it fails is the receiving application's business, so it is a free choice of the step.
What becomes of a failure, a negative acknowledgement or a receipt that goes back, other
layers say; without one of them a failure is final, and what the receipt carried stays where
it is.
"""

from __future__ import annotations

from ..language.actions import Parts, assign, insert
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool
from .exactly_once import Receipt, Shard, deliver, exactly_once, executions
from .resharding import carried_over

failures = Layer(
    "failures", needs=(exactly_once,), doc="a callback may fail; the receipt is spent all the same"
)


@failures.state(home=lambda d: d)
def succeeded(d: Shard, m: Receipt) -> Bool:
    """The callback of `m` at `d` returned without an error."""
    return FALSE


@failures.state(home=lambda d: d)
def announced(d: Shard, m: Receipt) -> Bool:
    """The log of `d` says that `m` took effect: what observers outside the shard act on."""
    return FALSE


@failures.defined
def responds(m: Receipt) -> Bool:
    """`m` answers another receipt, and takes with it what that one carried: no user sends it."""
    return FALSE


@failures.defined
def brings_back(b: Receipt, m: Receipt) -> Bool:
    """`b` is the answer to `m`, and gives back what `m` took."""
    return FALSE


@failures.extends(deliver)
def call_back(d: Shard, m: Receipt, ok: Bool) -> Parts:
    """The receiving application runs, and returns or fails."""
    yield assign(succeeded(d, m), ok)
    # An event of a callback that was rolled back tells of something that never happened.
    yield insert(announced(d, m), where=ok)


@failures.defined
def took_effect(d: Shard, m: Receipt) -> Bool:
    """`m` was executed at `d`, and its callback succeeded."""
    return (executions(d, m) >= 1) & succeeded(d, m)


carried_over(failures, succeeded)
carried_over(failures, announced)
