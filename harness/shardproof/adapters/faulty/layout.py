"""Which shard answers for what, once shards split and merge: receipts that two heirs see to, or none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import sha256

from attrs import evolve

from shardproof_models.shards.calling.call import Call
from shardproof_models.shards.calling.call_shard import Estate
from shardproof_models.shards.calling.systems import NearShard
from shardproof_models.shards.durable import DurableState
from shardproof_models.shards.shard import Claim

from ..promises import NearAdapter
from .registry import control, fault


class WholeListShard(NearShard):
    """Every heir gets all that its parents had to send, and what two of them had once."""

    def inherited(self, estate: Estate, chain: DurableState) -> Iterator[bytes]:
        return iter(chain.outgoing)

    def load(self, state: DurableState) -> None:
        super().load(evolve(state, outgoing=tuple(dict.fromkeys(state.outgoing))))


@fault(
    "every-child-claims-it",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=10,
    source="near/nearcore PRs 9362 and 4869; NEP-568",
    corpus=("B42",),
    recorded=6,
    differs="longer: that both children see to it shows when both deliver it, from blocks that are final",
    adapter=NearAdapter,
)
class _EveryChildClaimsIt(WholeListShard):
    """Each child of a split sends all that its parent had to send, and says that it is its own."""

    def spoken_for(self) -> tuple[str, ...]:
        senders = (Call.decode(data).source for data in self.outgoing.encoded)
        return tuple(dict.fromkeys((*self.addresses, *senders)))

    def key(self, claim: Claim) -> bytes:
        return sha256(super().key(claim) + claim.header.shard.encode()).digest()


@control(
    "skipped-by-the-sibling",
    source="near/nearcore PR 12619: a checker that counted what was skipped",
    corpus=("B45",),
    adapter=NearAdapter,
)
class _SkippedByTheSibling(WholeListShard):
    """Each heir gets a copy of every queue, and skips what waits there for addresses of its sibling."""

    def take_over(self, estates: Sequence[Estate]) -> None:
        super().take_over(estates)
        for estate in estates:
            self._put(estate.parts, [a for a in estate.held if a not in self.addresses])
