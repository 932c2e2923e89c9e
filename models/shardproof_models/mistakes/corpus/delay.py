"""What is not in the record, and the oldest of all: waiting for everybody, and forgetting nothing."""

from __future__ import annotations

from ...language.actions import Action, Refusal, require
from ...language.protocol import Protocol
from ...language.terms import Bool, exists, forall
from ...layers.deadlines import clock, deadlines
from ...layers.exactly_once import Header, Key, Shard, consumed, exactly_once, learned
from ...layers.expiring import STILL_DELIVERABLE, expiring, key_deadline
from ...layers.pruning import NOT_NEXT, pruning
from ...layers.sequencing import sequencing
from ..named import named
from .changing import also, checking, parameter

UNHEARD = Refusal("not every shard has been heard of")


@named(
    "barrier",
    exactly_once,
    source="K. M. Chandy and J. Misra, Distributed Simulation, 1979: waiting for every input",
    violates=("P27", "Q4"),
)
def waits_for_every_shard(protocol: Protocol) -> Protocol:
    """Nothing is executed before every shard has learned something: a global barrier."""
    heard = forall(Shard, lambda e: exists(Header, lambda g: learned(e, g)))
    return also(protocol, "deliver", clauses=(require(heard, UNHEARD),))


@named(
    "hoarding",
    exactly_once,
    sequencing,
    pruning,
    source="harmony-one/harmony, spent markers of cross-shard receipts, which are never deleted",
    violates=("Q8",),
)
def records_are_kept_for_ever(protocol: Protocol) -> Protocol:
    """Nothing is forgotten while anything at all is recorded."""

    def alone(action: Action, was: Bool) -> Bool:
        d = parameter(action, Shard, "d")
        return was & forall(Key, lambda k: ~consumed(d, k))

    return checking(protocol, "prune", NOT_NEXT, alone)


@named(
    "late-collection",
    exactly_once,
    deadlines,
    expiring,
    source="ethresear.ch 6382: the lifetime of an expiring bitfield",
    violates=("Q8",),
)
def records_outlive_what_they_record(protocol: Protocol) -> Protocol:
    """A record is kept for twice the lifetime of its receipt, and then some."""

    def later(action: Action, was: Bool) -> Bool:
        d, k = parameter(action, Shard, "d"), parameter(action, Key, "k")
        return was & (key_deadline(k) + key_deadline(k) + 1 <= clock(d))

    return checking(protocol, "forget", STILL_DELIVERABLE, later)
