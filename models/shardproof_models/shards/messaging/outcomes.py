"""
A sender learns what became of its receipt: success, failure, or expiry: `layers/outcomes.py`.

What a header attests of a receipt is one byte under its key. That the byte is there proves
that the receipt was received, and its value what came of it; that nothing is there proves
that it was not received. A refund asks for more than that: a clock past the deadline in the
same header.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from hashlib import sha256

from ..encoding import MalformedError
from .attesting_header import AttestingHeader
from .deadlines import Deadlines
from .facts import FactProof
from .message import FullReceipt, Sending
from .refusals import Refusal
from .tables import Table


class Fact(Enum):
    """What a shard has recorded of a receipt."""

    #: It was received, and what comes of it is not known yet.
    RECEIVED = b"r"
    SUCCEEDED = b"s"
    FAILED = b"f"


class Ending(Enum):
    """What a sender is told."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    EXPIRED = "expired"


class Outcomes(Deadlines):
    """A shard that answers, and that waits for answers."""

    #: What the sending application does when it is told. It may call this shard again.
    sender_callback: Callable[[FullReceipt], object] | None = None

    def name_tables(self) -> None:
        super().name_tables()
        #: The receipts that wait for an outcome: what was committed to under their keys.
        self.pending: Table[bytes, bytes] = self.tables.table("pending")
        self.ended: Table[int, tuple[bytes, str]] = self.tables.table("ended")

    # ---- at the receiver ------------------------------------------------------------------

    def conclude(self, receipt: FullReceipt, *, succeeded: bool) -> None:
        super().conclude(receipt, succeeded=succeeded)
        self.attest(receipt.key, self.outcome(receipt, succeeded=succeeded).value)

    def outcome(self, receipt: FullReceipt, *, succeeded: bool) -> Fact:
        """What is written down of a receipt whose callback has returned, or failed."""
        return Fact.SUCCEEDED if succeeded else Fact.FAILED

    def prove_outcome(self, receipt: bytes, header: bytes) -> bytes | None:
        """Evidence of the outcome of `receipt` in a block of the branch; None if there is none."""
        read, facts = self.read_receipt(receipt), self.facts_of(header)
        if read is None or facts is None:
            return None
        proof = facts.prove(read.key)
        return proof.encode() if self.attested_outcome(proof, read) is not None else None

    def prove_absence(self, receipt: bytes, header: bytes) -> bytes | None:
        """Evidence that a block of the branch attests that `receipt` was not received; None if it was."""
        read, facts = self.read_receipt(receipt), self.facts_of(header)
        if read is None or facts is None:
            return None
        proof = facts.prove(read.key)
        return proof.encode() if proof.value(read.key) is None else None

    # ---- at the sender --------------------------------------------------------------------

    def post(self, receipt: FullReceipt, sending: Sending) -> bytes:
        data = super().post(receipt, sending)
        self.pending[receipt.key] = sha256(data).digest()
        return data

    def acknowledge(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        """A relayer shows the outcome that the receiver has written down; a failure is refunded."""
        report = self.reported(receipt, header)
        if isinstance(report, Refusal):
            return report
        read, trusted = report
        outcome = self.shown_outcome(read, trusted, evidence)
        if outcome is None:
            return Refusal.NO_ACKNOWLEDGEMENT
        return self.settle(read, receipt, Ending.SUCCEEDED if outcome is Fact.SUCCEEDED else Ending.FAILED)

    def time_out(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        """A relayer shows that the deadline passed on the receiver's clock without delivery."""
        report = self.reported(receipt, header)
        if isinstance(report, Refusal):
            return report
        read, trusted = report
        if not self.has_elapsed(read, trusted):
            return Refusal.NOT_ELAPSED
        present = self.doubts_absence(read, trusted, evidence)
        return present if present is not None else self.settle(read, receipt, Ending.EXPIRED)

    def reported(self, receipt: bytes, header: bytes) -> tuple[FullReceipt, AttestingHeader] | Refusal:
        """A receipt, and a trusted header of the shard that it was sent to."""
        trusted = self.trusted(header)
        if trusted is None:
            return Refusal.UNTRUSTED_HEADER
        read = self.read_receipt(receipt)
        if read is None:
            return Refusal.MALFORMED
        return (read, trusted) if self.is_of_receiver(trusted, read) else Refusal.WRONG_SOURCE

    def is_of_receiver(self, header: AttestingHeader, receipt: FullReceipt) -> bool:
        """Whether `header` belongs to the one shard that knows what became of `receipt`."""
        return header.shard == receipt.destination

    def shown_outcome(self, receipt: FullReceipt, header: AttestingHeader, evidence: bytes) -> Fact | None:
        """The outcome that the evidence shows; None if it shows none."""
        try:
            proof = FactProof.decode(evidence)
        except MalformedError:
            return None
        return self.attested_outcome(proof, receipt) if self.shows(proof, header, receipt.key) else None

    def attested_outcome(self, proof: FactProof, receipt: FullReceipt) -> Fact | None:
        """The outcome that a proof speaks of: that a receipt was received is none."""
        value = proof.value(receipt.key)
        return Fact(value) if value in (Fact.SUCCEEDED.value, Fact.FAILED.value) else None

    def has_elapsed(self, receipt: FullReceipt, header: AttestingHeader) -> bool:
        """Whether it is too late for delivery: by the clock that the receiver's header attests."""
        return receipt.deadline <= header.time

    def doubts_absence(
        self, receipt: FullReceipt, header: AttestingHeader, evidence: bytes
    ) -> Refusal | None:
        """What speaks against the receipt's not having been received."""
        try:
            proof = FactProof.decode(evidence)
        except MalformedError:
            return Refusal.UNPROVEN
        return self.doubts_proof_of_absence(proof, receipt, header)

    def doubts_proof_of_absence(
        self, proof: FactProof, receipt: FullReceipt, header: AttestingHeader
    ) -> Refusal | None:
        """What a proof says against it."""
        if not self.shows(proof, header, receipt.key):
            return Refusal.UNPROVEN
        return None if proof.value(receipt.key) is None else Refusal.RECEIVED

    def shows(self, proof: FactProof, header: AttestingHeader, key: bytes) -> bool:
        """Whether a proof shows what is under `key` in a header."""
        return proof.shows(header.facts_root, key)

    def settle(self, receipt: FullReceipt, data: bytes, ending: Ending) -> Refusal | None:
        """A receipt of this shard has its outcome, if it waits for one."""
        if receipt.source != self.name:
            return Refusal.WRONG_DESTINATION
        if not self.is_pending(receipt, data):
            return Refusal.NOT_PENDING
        self.close_and_tell(receipt, ending)
        return None

    def is_pending(self, receipt: FullReceipt, data: bytes) -> bool:
        """Whether exactly this receipt was sent, and has had no outcome."""
        return self.pending.get(receipt.key) == sha256(data).digest()

    def close_and_tell(self, receipt: FullReceipt, ending: Ending) -> None:
        """Mark first: whatever the sender's callback does, this receipt has had its outcome."""
        del self.pending[receipt.key]
        self.tell(receipt, ending)

    def tell(self, receipt: FullReceipt, ending: Ending) -> None:
        """The sending application is told."""
        self.ended.append((receipt.payload, ending.value))
        if self.sender_callback is not None:
            self.sender_callback(receipt)
