"""A receipt has a deadline, on the clock of its receiver, which its headers attest: `layers/deadlines.py`."""

from __future__ import annotations

from .message import FullReceipt
from .messenger import Messenger
from .refusals import Refusal


class Deadlines(Messenger):
    """A shard with a clock."""

    @property
    def clock(self) -> int:
        """The time here, which is nobody else's."""
        return self.registers.get("clock", 0)

    def advance_clock(self) -> None:
        """One unit of time passes."""
        self.registers["clock"] = self.clock + 1

    def attested_time(self) -> int:
        return self.clock

    def forbids_delivery(self, receipt: FullReceipt) -> Refusal | None:
        return super().forbids_delivery(receipt) or (Refusal.EXPIRED if self.is_expired(receipt) else None)

    def is_expired(self, receipt: FullReceipt) -> bool:
        """Whether it is too late: by the clock of the receiver, and no other."""
        return receipt.deadline <= self.clock
