"""What waits, for whom, and who holds it up: barriers, jams, and queues that are miscounted."""

from __future__ import annotations

from shardproof_models.shards.durable import DurableState
from shardproof_models.shards.header import Header
from shardproof_models.shards.shard import Claim, Refusal, Shard

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
