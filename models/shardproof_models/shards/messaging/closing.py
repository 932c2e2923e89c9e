"""
A channel may be closed at its receiving end, for good: `layers/closing.py`.

Evidence of absence says two things here, of one header: what is under the key of the
receipt, and whether its channel is closed. Both are checked whichever is asked for, so that
no part of the evidence is left to the relayer.
"""

from __future__ import annotations

from ..encoding import MalformedError, Reader
from .attesting_header import AttestingHeader
from .facts import FactProof
from .message import FullReceipt, Sending, closing_key
from .outcomes import Ending, Outcomes
from .refusals import Refusal
from .tables import Table

_CLOSED = b"c"


class Closing(Outcomes):
    """A shard whose channels may be closed."""

    def name_tables(self) -> None:
        super().name_tables()
        self.closed: Table[tuple[str, int], bool] = self.tables.table("closed")

    def close_channel(self, source: str, channel: int) -> Refusal | None:
        """Nothing more is delivered on a channel from `source`."""
        if (source, channel) in self.closed:
            return Refusal.CLOSED
        self.closed[source, channel] = True
        self.attest(closing_key(source, self.name, channel), _CLOSED)
        return None

    def forbids_delivery(self, receipt: FullReceipt) -> Refusal | None:
        return super().forbids_delivery(receipt) or (Refusal.CLOSED if self.is_closed(receipt) else None)

    def is_closed(self, receipt: FullReceipt) -> bool:
        """Whether the channel of `receipt` is closed."""
        return (receipt.source, receipt.channel) in self.closed

    def prove_absence(self, receipt: bytes, header: bytes) -> bytes | None:
        absent = super().prove_absence(receipt, header)
        read, facts = self.read_receipt(receipt), self.facts_of(header)
        if absent is None or read is None or facts is None:
            return None
        return absent + facts.prove(read.closing_key).encode()

    def time_out_on_close(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        """A relayer shows that the channel is closed and the receipt was not received."""
        report = self.reported(receipt, header)
        if isinstance(report, Refusal):
            return report
        read, trusted = report
        if not self.shows_closed(read, evidence):
            return Refusal.NOT_CLOSED
        present = self.doubts_absence(read, trusted, evidence)
        return present if present is not None else self.settle(read, receipt, Ending.EXPIRED)

    def shows_closed(self, receipt: FullReceipt, evidence: bytes) -> bool:
        """Whether the evidence says that the channel is closed; whether it is true, `doubts_absence` sees."""
        try:
            _, closing = read_absence(evidence)
        except MalformedError:
            return False
        return closing.value(receipt.closing_key) == _CLOSED

    def doubts_absence(
        self, receipt: FullReceipt, header: AttestingHeader, evidence: bytes
    ) -> Refusal | None:
        try:
            absent, closing = read_absence(evidence)
        except MalformedError:
            return Refusal.UNPROVEN
        if not self.shows(closing, header, receipt.closing_key):
            return Refusal.UNPROVEN
        return self.doubts_proof_of_absence(absent, receipt, header)


def read_absence(evidence: bytes) -> tuple[FactProof, FactProof]:
    """What is under the key of a receipt, and under that of its channel. Raises `MalformedError`."""
    reader = Reader(evidence, b"")
    proofs = FactProof.read(reader), FactProof.read(reader)
    reader.end()
    return proofs


class EndingOnExpiry(Closing):
    """A shard on whose ordered channels nothing is sent any more once a receipt has expired there."""

    def name_tables(self) -> None:
        super().name_tables()
        self.over: Table[tuple[str, int], bool] = self.tables.table("over")

    def forbids_sending(self, sending: Sending) -> Refusal | None:
        over = (sending.destination, sending.channel) in self.over
        return super().forbids_sending(sending) or (Refusal.ENDED if over else None)

    def close_and_tell(self, receipt: FullReceipt, ending: Ending) -> None:
        # It was next in order and never comes: so does nothing after it.
        if ending is Ending.EXPIRED:
            self.over[receipt.destination, receipt.channel] = True
        super().close_and_tell(receipt, ending)
