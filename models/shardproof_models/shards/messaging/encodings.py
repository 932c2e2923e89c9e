"""
Bytes, not receipts, are what a shard is shown: `layers/encodings.py`.

A receipt has one encoding, so what cannot be read is not one, and what can be read must be
the one. The second question looks idle as long as the first is asked with care. It is asked
because the reader is the part of a bridge that is rewritten most often (Polygon Plasma, 2021).
"""

from __future__ import annotations

from .messenger import Claim, Messenger
from .refusals import Refusal


class Encodings(Messenger):
    """A shard that tells an unreadable receipt from an unproven one."""

    def admitted(self, receipt: bytes, header: bytes, evidence: bytes) -> Claim | Refusal:
        if self.trusted(header) is not None and self.read_receipt(receipt) is None:
            return Refusal.MALFORMED
        return super().admitted(receipt, header, evidence)

    def doubt(self, claim: Claim) -> Refusal | None:
        doubt = super().doubt(claim)
        if doubt is Refusal.UNPROVEN and not self.is_canonical(claim):
            return Refusal.NOT_CANONICAL
        return doubt

    def is_canonical(self, claim: Claim) -> bool:
        """Whether these are the bytes that an honest sender would write."""
        return claim.leaf == claim.receipt.encode()
