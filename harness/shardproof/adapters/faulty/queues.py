"""What waits, for whom, and who holds it up: barriers, jams, and queues that are miscounted."""

from __future__ import annotations

from typing import ClassVar

from shardproof_models.shards.calling.queues import Link
from shardproof_models.shards.calling.systems import ActorsShard
from shardproof_models.shards.durable import DurableState
from shardproof_models.shards.header import Header
from shardproof_models.shards.messaging.families import Bridge
from shardproof_models.shards.messaging.message import FullReceipt
from shardproof_models.shards.messaging.refusals import Refusal as BridgeRefusal
from shardproof_models.shards.messaging.tables import Table
from shardproof_models.shards.shard import Claim, Refusal, Shard

from ..messaging import BridgeAdapter
from ..promises import ActorsAdapter
from .registry import fault


@fault(
    "waits-for-every-shard",
    violates="waits-for-no-other-shard",
    shortest=5,
    source="Chandy and Misra 1979: waiting for every input",
)
class _WaitsForEveryShard(Shard):
    """Nothing is believed before a header of every other shard was learned."""

    def trusted(self, header: bytes) -> Header | None:
        heard = {learned.shard for learned in self.light_client.learned}
        return super().trusted(header) if heard >= self._keys.keys() - {self.name} else None


@fault(
    "jams-after-bad-evidence",
    violates="is-not-jammed-by-another-receipt",
    shortest=6,
    source="CVE-2023-33964",
    corpus=("B51",),
    recorded=5,
    differs="longer: a block has to be final and learned before anything of it is due",
)
class _JamsAfterBadEvidence(Shard):
    """After one receipt without a proof, everything in the name of its source is refused."""

    def doubt(self, claim: Claim) -> Refusal | None:
        doubt = Refusal.UNPROVEN if claim.receipt.source in self._jammed else super().doubt(claim)
        if doubt is Refusal.UNPROVEN:
            self._jammed.add(claim.receipt.source)
        return doubt

    def load(self, state: DurableState) -> None:
        super().load(state)
        self._jammed: set[str] = set()


@fault(
    "dropped-when-early",
    violates="delivers-what-is-due",
    shortest=6,
    source="harmony-one/harmony issue 3620",
    corpus=("B54",),
    recorded=4,
    differs="longer: that a receipt was dropped shows when it is presented again, with what it lacked",
)
class _DroppedWhenEarly(Shard):
    """A receipt that comes before its header is known is dropped, and never looked at again."""

    def deliver(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        if self.trusted(header) is None:
            self._dropped.add(receipt)
        if receipt in self._dropped:
            return Refusal.UNTRUSTED_HEADER
        return super().deliver(receipt, header, evidence)

    def load(self, state: DurableState) -> None:
        super().load(state)
        self._dropped: set[bytes] = set()


@fault(
    "resume-waits-behind-the-data",
    violates="resumes-when-drained",
    shortest=3,
    source="paritytech/polkadot-sdk issues 1777 and 1431; cumulus PR 2157",
    corpus=("B48",),
    recorded=3,
    adapter=ActorsAdapter,
)
class _ResumeWaitsBehindTheData(ActorsShard):
    """The signal to resume travels in the queue that is suspended, so it never arrives."""

    capacity: ClassVar[int] = 1

    def resume(self, link: Link) -> None:
        pass


@fault(
    "stored-payload-blocks",
    violates="delivers-what-is-due",
    shortest=7,
    source="LayerZero v1, stored payloads; CodeHawks Morpheus, finding 281",
    corpus=("B50",),
    recorded=4,
    differs="longer: a block has to be final and learned before it is due (Q1)",
    adapter=BridgeAdapter,
)
class _StoredPayloadBlocks(Bridge):
    """After one failure nothing more from its source is delivered to anybody there."""

    def name_tables(self) -> None:
        super().name_tables()
        self._stored: Table[str, bool] = self.tables.table("stored payloads")

    def forbids_delivery(self, receipt: FullReceipt) -> BridgeRefusal | None:
        blocked = BridgeRefusal.OUT_OF_ORDER if receipt.source in self._stored else None
        return super().forbids_delivery(receipt) or blocked

    def conclude(self, receipt: FullReceipt, *, succeeded: bool) -> None:
        super().conclude(receipt, succeeded=succeeded)
        if not succeeded:
            self._stored[receipt.source] = True
