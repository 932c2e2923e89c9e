"""
Old records are forgotten when the deadline takes over from them (L7, by time).

A receipt that is past its deadline is not executed again whether or not it was before, so
its record may go. That is sound only where nobody reads an absent record as "not received":
a refund by timeout does, and the two do not compose (`expiring` and `outcomes`).

Source: Internet Computer, best-effort messages; Ethereum research, expiring bitfields.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, at, remove, require
from ..language.protocol import Layer
from ..language.terms import Bool
from .deadlines import Time, clock, deadline, deadlines
from .exactly_once import Key, Receipt, Shard, consumed, key, recorded

expiring = Layer(
    "expiring",
    needs=(deadlines,),
    touches=(consumed,),
    doc="old records are forgotten when the deadline takes over from them",
)

NOT_RECORDED = Refusal("not recorded")
STILL_DELIVERABLE = Refusal("still deliverable")


@expiring.rigid
def key_deadline(k: Key) -> Time:
    """The deadline that a key names."""
    ...


@expiring.axiom
def a_key_names_its_deadline(m: Receipt) -> Bool:
    """Who has only the key knows when the receipt expires."""
    return key_deadline(key(m)) == deadline(m)


@expiring.widens(recorded)
def past_its_deadline(d: Shard, m: Receipt) -> Bool:
    """Nothing that has expired is executed, so nobody need know whether it was."""
    return deadline(m) <= clock(d)


@expiring.action
def forget(d: Shard, k: Key) -> Parts:
    """Shard `d` forgets the record of what has expired."""
    yield at(d)
    yield require(consumed(d, k), NOT_RECORDED)
    yield require(key_deadline(k) <= clock(d), STILL_DELIVERABLE)
    yield remove(consumed(d, k))
