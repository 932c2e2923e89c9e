"""Who objects to a claim has something to object to, and it is false (L4, optimistic)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, implies, next_
from shardproof_models.layers.exactly_once import Header, Shard
from shardproof_models.layers.finality import final
from shardproof_models.layers.optimistic import challenged, claimed

from .losses import TAKEN_BACK
from .property import Catalogue

claims = Catalogue()


@claims.invariant(
    "P10", because="a header that can be challenged before it is claimed can be kept out for good"
)
def only_what_is_claimed_is_challenged(d: Shard, h: Header) -> Bool:
    """A challenge is to a claim that somebody made."""
    return implies(challenged(d, h), claimed(d, h))


@claims.step(
    "P10",
    because="whoever can challenge the truth can keep a light client in the dark",
    # A shard that loses state has its challenges as they were then.
    outside=TAKEN_BACK,
)
def only_what_is_false_is_challenged(d: Shard, h: Header) -> Bool:
    """What is final cannot be shown to be false."""
    return implies(~challenged(d, h) & next_(challenged(d, h)), ~final(h))
