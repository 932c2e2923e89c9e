"""
An ordered channel takes only what is next: `layers/sequencing.py` and `layers/skipping.py`.

That a source counts what it sends is said in `messenger.py`, because receipts have their
names from it.
"""

from __future__ import annotations

from .deadlines import Deadlines
from .message import FullReceipt
from .messenger import Messenger
from .refusals import Refusal
from .tables import Table


class Ordered(Messenger):
    """A shard that executes the receipts of a channel in the order in which they were sent."""

    def name_tables(self) -> None:
        super().name_tables()
        self.next_receive: Table[tuple[str, int], int] = self.tables.table("next receive")

    def due(self, receipt: FullReceipt) -> int:
        """The position on the channel of `receipt` that is dealt with next."""
        return self.next_receive.get((receipt.source, receipt.channel), 0)

    def forbids_delivery(self, receipt: FullReceipt) -> Refusal | None:
        refusal = super().forbids_delivery(receipt)
        return refusal or (None if self.is_in_order(receipt) else Refusal.OUT_OF_ORDER)

    def is_in_order(self, receipt: FullReceipt) -> bool:
        """Whether `receipt` is next on its channel."""
        return receipt.sequence == self.due(receipt)

    def record(self, key: bytes, receipt: FullReceipt) -> None:
        super().record(key, receipt)
        self.next_receive[receipt.source, receipt.channel] = receipt.sequence + 1


class Skipping(Ordered, Deadlines):
    """An ordered channel that goes on past what has expired (ICS-04, ORDERED_ALLOW_TIMEOUT)."""

    def skip(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        """A relayer shows a receipt whose deadline is over, in its turn."""
        claim = self.admitted(receipt, header, evidence)
        if isinstance(claim, Refusal):
            return claim
        if not self.is_expired(claim.receipt):
            return Refusal.NOT_EXPIRED
        if not self.is_in_order(claim.receipt):
            return Refusal.OUT_OF_ORDER
        # Nothing is attested: that it was not received stays provable, and so its sender is told that it
        # expired. ICS-04 writes no acknowledgement of it either.
        self.record(self.key(claim), claim.receipt)
        return None
