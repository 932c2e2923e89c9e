"""
Old records are replaced by a watermark on each channel: `layers/pruning.py`.

What is below the watermark reads as recorded, so a record is forgotten only when everything
up to it is recorded, and the watermark moves with it. What a header attests stays: a sender
that was not told yet must be able to learn the outcome of what was forgotten, and must not
find it absent (ibc-go PR 5651).
"""

from __future__ import annotations

from .message import FullReceipt, receipt_key
from .messenger import Messenger
from .tables import Table


class Pruning(Messenger):
    """A shard that forgets."""

    def name_tables(self) -> None:
        super().name_tables()
        #: For each channel on which something was received: below here, everything was.
        self.watermark: Table[tuple[str, int], int] = self.tables.table("watermarks")

    def record(self, key: bytes, receipt: FullReceipt) -> None:
        super().record(key, receipt)
        channel = receipt.source, receipt.channel
        if channel not in self.watermark:
            self.watermark[channel] = 0

    def is_consumed(self, key: bytes, receipt: FullReceipt) -> bool:
        return self.is_below(receipt) or super().is_consumed(key, receipt)

    def is_below(self, receipt: FullReceipt) -> bool:
        """Whether `receipt` is among what was forgotten."""
        return receipt.sequence < self.watermark.get((receipt.source, receipt.channel), 0)

    def prune(self) -> None:
        """Forget every record that a watermark can stand for."""
        for channel in self.watermark:
            self.prune_channel(*channel)

    def prune_channel(self, source: str, channel: int) -> None:
        """Forget records of one channel, one after the other, for as long as there is a next one."""
        while (
            key := receipt_key(source, self.name, channel, self.watermark[source, channel])
        ) in self.consumed:
            self.forget(key, source, channel)

    def forget(self, key: bytes, source: str, channel: int) -> None:
        """Forget the record at the watermark, which moves past it."""
        self.watermark[source, channel] += 1
        del self.consumed[key]
