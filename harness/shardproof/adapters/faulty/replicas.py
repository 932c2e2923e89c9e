"""What two nodes of one shard make of the same inputs, where one of them catches up: another state."""

from __future__ import annotations

from collections.abc import Iterator

from shardproof_models.shards.calling.call import Call
from shardproof_models.shards.calling.call_shard import Estate
from shardproof_models.shards.calling.queues import Link
from shardproof_models.shards.calling.systems import NearShard
from shardproof_models.shards.durable import DurableState

from ..promises import NearAdapter
from .layout import WholeListShard
from .registry import fault


@fault(
    "filter-missing-in-validation",
    violates="replicas-agree",
    shortest=3,
    source="near/nearcore PR 12598",
    corpus=("B44",),
    recorded=3,
    adapter=NearAdapter,
)
class _FilterMissingInValidation(WholeListShard):
    """A node that produces blocks filters what an heir inherits, and one that catches up does not."""

    def inherited(self, estate: Estate, chain: DurableState) -> Iterator[bytes]:
        whole = super().inherited(estate, chain)
        return whole if self.catching_up else NearShard.inherited(self, estate, chain)


@fault(
    "counter-from-the-wrong-block",
    violates="replicas-agree",
    shortest=2,
    source="near/nearcore PRs 11381 and 11712",
    corpus=("B47",),
    recorded=4,
    differs="shorter: another counter is the violation already",
    adapter=NearAdapter,
)
class _CounterFromTheWrongBlock(NearShard):
    """A node that catches up counts from a block in which the call was not in its queue yet."""

    def count(self, link: Link, change: int) -> None:
        if change < 0 or not self.catching_up:
            super().count(link, change)


@fault(
    "reason-of-this-node",
    violates="replicas-agree",
    shortest=6,
    source="ISA-2025-001, GHSA-4wf3-5qj9-368v; GHSA-w6rp-vxj2-fjhr",
    corpus=("B52",),
    recorded=2,
    differs="longer: a call has to be proved before it can fail",
    adapter=NearAdapter,
)
class _ReasonOfThisNode(NearShard):
    """Why a call failed is told in the words of the node that runs it."""

    def reason(self, call: Call, key: bytes) -> bytes:
        said = b"failed again: " if self.catching_up else b"failed: "
        return said + key
