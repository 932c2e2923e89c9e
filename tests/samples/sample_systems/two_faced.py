"""A shard on its best behaviour until somebody asks why it goes wrong; then it breaks its contract."""

from __future__ import annotations

import sys
import time

from shardproof.adapter import Delivery, Execution, Outcome
from shardproof.adapters.reference import ReferenceAdapter


class TwoFaced(ReferenceAdapter):
    """Executes everything twice. Asked why, it answers the first delivery, and raises in the second."""

    #: Deliveries that it answers once it is asked why.
    patience = 1

    def __init__(self) -> None:
        super().__init__()
        self._asked = 0

    def deliver(self, delivery: Delivery) -> Outcome:
        """Receipts are taken from everybody but those who ask."""
        if _asks_why():
            self._asked += 1
            if self._asked > self.patience:
                return self.breaks()
        return super().deliver(delivery)

    def executed(self, shard: str, since: int) -> list[Execution]:
        """Everything twice."""
        seen = list(super().executed(shard, 0))
        return [*seen, *seen][since:]

    def breaks(self) -> Outcome:
        """What it does to those."""
        raise ValueError("who asks?")


class Blunt(TwoFaced):
    """Does so at once."""

    patience = 0


class Quitting(TwoFaced):
    """Ends the program instead."""

    def breaks(self) -> Outcome:
        """It tries to."""
        sys.exit("no comment")


class Mumbling(TwoFaced):
    """Answers with something that is no outcome."""

    def breaks(self) -> Outcome:
        """Says nothing that the contract knows."""
        return "yes and no"  # type: ignore[return-value]  # the point of it


class Sulking(TwoFaced):
    """Does not come back."""

    def breaks(self) -> Outcome:
        """Waits for nothing."""
        while True:
            time.sleep(0.01)


def _asks_why() -> bool:
    frame = sys._getframe()
    while frame.f_back is not None:
        frame = frame.f_back
        if str(frame.f_globals.get("__name__", "")).startswith("shardproof.explanation"):
            return True
    return False
