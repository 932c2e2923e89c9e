"""
A link that is full is suspended, and resumed once it is empty (L9, suspend and resume).

The signal to resume does not wait in the queue that it is about. Between the two thresholds
nothing flaps; that there is always a way from "suspended" back is a property, not a hope.

Source: Polkadot, XCMP queue suspension; polkadot-sdk issues 1777 and 1431.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, at, insert, remove, require
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool
from .exactly_once import Receipt, Shard, address, answers, destination, emit, source
from .failures import responds
from .queues import capacity, queued, queues

suspension = Layer(
    "suspension", needs=(queues,), doc="a full link is suspended, and resumed once it is empty"
)

SUSPENDED = Refusal("suspended")
NOT_FULL = Refusal("not full")
NOT_SUSPENDED = Refusal("not suspended")
NOT_DRAINED = Refusal("not drained")


@suspension.state(home=address)
def suspended(s: Shard, d: Shard) -> Bool:
    """Users may send nothing on the link."""
    return FALSE


@suspension.extends(emit)
def while_not_suspended(m: Receipt) -> Parts:
    """A suspended link takes responses only."""
    yield require(responds(m) | ~suspended(source(m), destination(m)), SUSPENDED)


@suspension.action
def suspend(w: Shard, s: Shard, d: Shard) -> Parts:
    """A link that is full is suspended by whoever answers for its sender."""
    yield at(w)
    yield require(answers(w, s) & (capacity(s, d) <= queued(s, d)), NOT_FULL)
    yield require(~suspended(s, d), SUSPENDED)
    yield insert(suspended(s, d))


@suspension.action
def resume(w: Shard, s: Shard, d: Shard) -> Parts:
    """A link that is empty again is resumed."""
    yield at(w)
    yield require(answers(w, s) & suspended(s, d), NOT_SUSPENDED)
    yield require(queued(s, d) <= 0, NOT_DRAINED)
    yield remove(suspended(s, d))
