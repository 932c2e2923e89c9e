"""What is taken back, and what is not: by a reorganisation, or when a callback fails."""

from __future__ import annotations

from attrs import evolve

from shardproof_models.shards.durable import Extent
from shardproof_models.shards.shard import Shard

from .registry import fault


@fault(
    "effects-survive-revert",
    violates="reverts-atomically",
    shortest=7,
    source="multiversx/mx-chain-go PR 3637",
    corpus=("B31",),
    recorded=7,
)
class _EffectsSurviveRevert(Shard):
    """A revert takes back what was recorded, and leaves what was executed."""

    def rewind(self, extent: Extent) -> None:
        super().rewind(evolve(extent, executed=len(self.executed)))


@fault(
    "records-survive-revert",
    violates="delivers-what-is-due",
    shortest=9,
    source="multiversx/mx-chain-go PR 3637",
)
class _RecordsSurviveRevert(Shard):
    """A revert takes back what was executed, and leaves what was recorded."""

    def rewind(self, extent: Extent) -> None:
        super().rewind(evolve(extent, consumed=len(self.consumed)))
