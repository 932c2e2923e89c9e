"""
A shard may lose power between any two writes, and starts again from what was written: `layers/durability.py`.

Each operation is one transaction: its writes count once all of them are made, and until then
a restart takes them back. So a record without its effect, or an effect without its record,
is never what a shard wakes up with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from .closing import Closing
from .messenger import Savepoint
from .refusals import Refusal
from .tables import PowerLossError

P = ParamSpec("P")
R = TypeVar("R")


class Durability(Closing):
    """A shard whose power may fail."""

    #: After how many writes, of which nothing was noticed yet.
    fails_after: int | None = None

    def lose_power_after(self, writes: int) -> None:
        """In the next operation power fails after so many writes, or once it is done."""
        self.fails_after = writes

    def powered(self, operation: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R | Refusal:
        """What the operation answers; if power fails before it is done, it was never begun."""
        if self.fails_after is None:
            return operation(*args, **kwargs)
        before = self.savepoint()
        self.tables.fail_after(self.fails_after)
        self.fails_after = None
        try:
            answer: R | Refusal = operation(*args, **kwargs)
        except PowerLossError:
            answer = Refusal.LOST_POWER
            self.recover(before)
        self.restart()
        return answer

    def recover(self, before: Savepoint) -> None:
        """Take back a transaction that was not finished."""
        self.rewind(before)

    def learn(self, header: bytes) -> Refusal | None:
        return self.powered(super().learn, header)

    def deliver(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        return self.powered(super().deliver, receipt, header, evidence)

    def acknowledge(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        return self.powered(super().acknowledge, receipt, header, evidence)

    def time_out(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        return self.powered(super().time_out, receipt, header, evidence)

    def time_out_on_close(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        return self.powered(super().time_out_on_close, receipt, header, evidence)
