"""
What was executed must not be executed again: the record of it, its key, and what is lost of it.
"""

from __future__ import annotations

from hashlib import sha256

from attrs import evolve

from shardproof_models.shards.calling.systems import ActorsShard
from shardproof_models.shards.commitment import InclusionProof
from shardproof_models.shards.durable import DurableState
from shardproof_models.shards.encoding import number
from shardproof_models.shards.messaging.families import IbcUnordered
from shardproof_models.shards.receipt import Receipt
from shardproof_models.shards.shard import Claim, Refusal, Shard

from ..messaging import IbcUnorderedAdapter
from ..promises import ActorsAdapter
from .registry import fault


@fault(
    "no-deduplication",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=6,
    source="Zilliqa/zq1 PR 1176",
)
class _NoDeduplication(Shard):
    """A receipt is executed whenever it is proved, however often that was before."""

    def is_consumed(self, key: bytes) -> bool:
        return False


@fault(
    "key-is-proof",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=6,
    source="Polygon Plasma bridge, 2021",
    corpus=("B10",),
    recorded=6,
)
class _KeyIsProof(Shard):
    """A receipt is recorded under its proof, and the parser of proofs ignores what follows the end."""

    def read_proof(self, evidence: bytes) -> InclusionProof:
        return InclusionProof.read(InclusionProof.reader(evidence))

    def key(self, claim: Claim) -> bytes:
        return sha256(claim.evidence).digest()


@fault(
    "key-is-signature",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=6,
    source="harmony-one/harmony PR 5039",
    corpus=("B11",),
    recorded=6,
)
class _KeyIsSignature(Shard):
    """A receipt is recorded under the certificate of its header, which is no part of what was trusted."""

    def key(self, claim: Claim) -> bytes:
        return claim.header.certificate


@fault(
    "key-is-header",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=9,
    source="harmony-one/harmony PR 5039",
)
class _KeyIsHeader(Shard):
    """A receipt is recorded under its header and itself, so each later header makes it new."""

    def key(self, claim: Claim) -> bytes:
        return claim.header.hash() + claim.leaf


@fault(
    "nonce-without-source",
    violates="delivers-what-is-due",
    shortest=10,
    source="ICS-04: a sequence counts within its channel",
)
class _NonceWithoutSource(Shard):
    """A receipt is recorded under its nonce, whichever source counted it."""

    def key(self, claim: Claim) -> bytes:
        return number(claim.receipt.nonce)


@fault(
    "batch-counted-again",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=7,
    source="Zilliqa/zq1 PR 1176",
    corpus=("B14",),
    recorded=3,
    differs="longer: on record the batch is made, sealed and final already, and executed by that",
)
class _BatchCountedAgain(Shard):
    """What was executed is recorded with its block, and a block that is shown again is a new one."""

    def learn(self, header: bytes) -> Refusal | None:
        refusal = super().learn(header)
        if refusal is None:
            self._shown[header] = self._shown.get(header, 0) + 1
        return refusal

    def key(self, claim: Claim) -> bytes:
        return super().key(claim) + number(self._shown.get(claim.header.encode(), 1))

    def load(self, state: DurableState) -> None:
        super().load(state)
        self._shown: dict[bytes, int] = {}


@fault(
    "record-lost-at-restart",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=7,
    source="cosmos/ibc-go issue 199",
)
class _RecordLostAtRestart(Shard):
    """The record of what was executed is not written down, so a restart forgets it."""

    def durable(self) -> DurableState:
        return evolve(super().durable(), consumed=())


@fault(
    "marked-after-callback",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=5,
    source="GHSA-j496-crgh-34mx",
)
class _MarkedAfterCallback(Shard):
    """A receipt is recorded after its callback has returned, and the callback presents it again."""

    def consume(self, key: bytes, receipt: Receipt) -> None:
        self.execute(receipt)
        self.consumed[key] = None


@fault(
    "twice-under-reordering",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=7,
    source="ICS-04: ordered channels",
)
class _TwiceUnderReordering(Shard):
    """A receipt that comes before its predecessors is executed, kept, and executed again in its turn."""

    def consume(self, key: bytes, receipt: Receipt) -> None:
        super().consume(key, receipt)
        due = self._due.get(receipt.source, 0)
        if receipt.nonce != due:
            self._early[receipt.source, receipt.nonce] = receipt
            return
        due += 1
        while (receipt.source, due) in self._early:
            self.execute(self._early.pop((receipt.source, due)))
            due += 1
        self._due[receipt.source] = due

    def load(self, state: DurableState) -> None:
        super().load(state)
        self._due: dict[str, int] = {}
        self._early: dict[tuple[str, int], Receipt] = {}


@fault(
    "swallows-receipts",
    violates="delivers-what-is-due",
    shortest=5,
    source="properties/README.md, P21: marked, and without effect",
)
class _SwallowsReceipts(Shard):
    """A receipt is accepted and recorded, and has no effect."""

    def execute(self, receipt: Receipt) -> None:
        pass


@fault(
    "pruned-without-a-bound",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=7,
    source="cosmos/ibc-go PRs 5651 and 5646; cosmos/ibc PR 1075",
    corpus=("B16",),
    recorded=7,
    adapter=ActorsAdapter,
)
class _PrunedWithoutABound(ActorsShard):
    """Records are forgotten that nothing stands for yet, because they are old."""

    def is_forgettable(self, deadline: int) -> bool:
        return True


@fault(
    "counters-not-imported",
    violates="restarts-as-it-was",
    shortest=2,
    source="cosmos/ibc-go issue 199, PR 200",
    corpus=("B18",),
    recorded=3,
    differs="shorter: the digest is another one before an identifier is used twice",
    adapter=IbcUnorderedAdapter,
)
class _CountersNotImported(IbcUnordered):
    """After a restart the source counts from 0 again, and new receipts take the places of old ones."""

    def restart(self) -> None:
        super().restart()
        for channel in list(self.next_send):
            del self.next_send[channel]
