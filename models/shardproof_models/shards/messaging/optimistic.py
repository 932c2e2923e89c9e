"""
A header is believed unless somebody objects in time: `layers/optimistic.py`.

Whether a claim was ever made is asked first. A table without an entry reads as 0, which is
before every moment (Nomad, August 2022).
"""

from __future__ import annotations

from typing import ClassVar

from .attesting_header import AttestingHeader
from .deadlines import Deadlines
from .refusals import Refusal
from .tables import Table

#: How long a claim may be challenged, on the clock of who is asked to believe it.
WINDOW = 2


class Optimistic(Deadlines):
    """A shard that believes what nobody has challenged."""

    window: ClassVar[int] = WINDOW

    def name_tables(self) -> None:
        super().name_tables()
        #: What was claimed -> when it may be believed.
        self.confirm_at: Table[bytes, int] = self.tables.table("claims")
        self.challenged: Table[bytes, bool] = self.tables.table("challenged")

    def make_claim(self, header: bytes) -> Refusal | None:
        """Anyone claims that a header is final."""
        claimed = self.read_header(header)
        if claimed is None:
            return Refusal.MALFORMED
        if claimed.hash in self.confirm_at:
            return Refusal.ALREADY_CLAIMED
        self.confirm_at[claimed.hash] = self.clock + self.window
        return None

    def challenge(self, header: bytes) -> Refusal | None:
        """A watcher shows that a claim is false; a true one cannot be shown to be."""
        claimed = self.read_header(header)
        if claimed is None:
            return Refusal.MALFORMED
        if claimed.hash not in self.confirm_at:
            return Refusal.NOT_CLAIMED
        if claimed.hash in self.challenged:
            return Refusal.CHALLENGED
        if self.is_true(claimed):
            return Refusal.IS_FINAL
        self.challenged[claimed.hash] = True
        return None

    def is_true(self, claimed: AttestingHeader) -> bool:
        """Whether the watcher loses the dispute."""
        return claimed.hash in self.environment.decided

    def doubts_header(self, header: AttestingHeader) -> Refusal | None:
        if header.hash not in self.confirm_at:
            return Refusal.NOT_CLAIMED
        if header.hash in self.challenged:
            return Refusal.CHALLENGED
        return None if self.is_over(header) else Refusal.UNDER_CHALLENGE

    def is_over(self, header: AttestingHeader) -> bool:
        """Whether there was time enough to object."""
        return self.confirm_at[header.hash] <= self.clock
