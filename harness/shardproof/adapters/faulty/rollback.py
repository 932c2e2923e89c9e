"""What is taken back, and what is given back: by a reorganisation, when a callback fails, or returns."""

from __future__ import annotations

from attrs import evolve

from shardproof_models.shards.calling.inbox import InboxShard
from shardproof_models.shards.calling.systems import NearShard
from shardproof_models.shards.durable import Extent
from shardproof_models.shards.messaging.families import IbcUnordered
from shardproof_models.shards.messaging.messenger import Savepoint
from shardproof_models.shards.shard import Shard

from ..messaging import IbcUnorderedAdapter
from ..promises import InboxAdapter, NearAdapter
from .registry import fault


@fault(
    "effects-survive-revert",
    violates="reverts-atomically",
    shortest=7,
    source="multiversx/mx-chain-go PR 3637",
    corpus=("B31",),
    recorded=2,
    differs="longer: on record the receipt is proved and the block made already",
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


@fault(
    "context-not-given-back",
    violates="callbacks-know-who-called",
    shortest=6,
    source="ethereum-optimism/optimism PR 5444",
    corpus=("B29",),
    recorded=3,
    differs="longer: on record both receipts are sent and proved already",
    adapter=NearAdapter,
)
class _ContextNotGivenBack(NearShard):
    """When an inner callback returns, who called the outer one is forgotten."""

    def interrupted(self) -> None:
        return None


@fault(
    "events-of-a-failure",
    violates="announces-only-effects",
    shortest=5,
    source="Huckleberry, IBC event hallucinations; GO-2024-2874",
    corpus=("B30",),
    recorded=6,
    differs="shorter: the event is the violation already",
    adapter=IbcUnorderedAdapter,
)
class _EventsOfAFailure(IbcUnordered):
    """The state of a callback that failed is rolled back, and its events stay in the log."""

    def roll_back(self, before: Savepoint) -> None:
        events = self.announced.since(0)
        super().roll_back(before)
        for event in events[len(self.announced) :]:
            self.announced.append(event)


@fault(
    "effect-before-record",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=5,
    source="C. Richardson, Microservices Patterns, 2018, chapter 3: idempotent consumer",
    adapter=InboxAdapter,
)
class _EffectBeforeRecord(InboxShard):
    """An effect becomes durable in one write, its record in the next; power fails in between."""

    def write(self, *changes: bytes) -> None:
        record, *effect = changes
        for change in (*effect, record):
            super().write(change)


@fault(
    "record-before-effect",
    violates="delivers-what-is-due",
    shortest=5,
    source="C. Richardson, Microservices Patterns, 2018, chapter 3: idempotent consumer",
    adapter=InboxAdapter,
)
class _RecordBeforeEffect(InboxShard):
    """A record becomes durable in one write, its effect in the next; power fails in between."""

    def write(self, *changes: bytes) -> None:
        for change in changes:
            super().write(change)
