"""
That sentences of several themes are not true of nothing: what has to happen at least once.

A witness that belongs to one theme stands with it; these are for sentences about steps, copies
and pairs of worlds, which have none of their own to stand with.
"""

from __future__ import annotations

from shardproof_models.language.terms import Bool, durable
from shardproof_models.layers.durability import durability
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    commits,
    executions,
    issued,
    learned,
    produced,
    source,
)
from shardproof_models.layers.value import credited, sent

from .property import Catalogue

witnesses = Catalogue()


@witnesses.sometimes("P12")
def commits_to_something(h: Header, m: Receipt) -> Bool:
    """A header on its chain commits to a receipt of its own."""
    return produced(h) & commits(h, m) & issued(h, source(m))


@witnesses.sometimes("P27")
def shards_know_different_things(d: Shard, e: Shard, h: Header) -> Bool:
    """One shard has learned what another has not."""
    return learned(d, h) & ~learned(e, h)


@witnesses.sometimes("P09")
def value_is_on_its_way(s: Shard) -> Bool:
    """Something was debited and not credited yet, where it came from."""
    return (sent(s) >= 1) & (credited(s) == 0)


@witnesses.sometimes("P18", durability)
def an_execution_is_not_durable_yet(d: Shard, m: Receipt) -> Bool:
    """There is something for a crash to take."""
    return (executions(d, m) >= 1) & (durable(executions(d, m)) == 0)


@witnesses.sometimes("P28")
def acts_for_another_shard(d: Shard, m: Receipt) -> Bool:
    """Something is executed in the name of another shard."""
    return (executions(d, m) >= 1) & (source(m) != d)
