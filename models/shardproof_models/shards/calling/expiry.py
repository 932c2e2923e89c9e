"""
Calls that expire need not be remembered: once nothing can be delivered, no record is needed.

The clock is that of the receiver, and decides alone. What has expired is not executed, whether
or not it was before, so its record may go; and that is all that an absent record means here:
who refunds because of it, refunds what was executed.

Source: Internet Computer, best-effort calls; Ethereum research, expiring bitfields.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..encoding import NUMBER_BYTES, number
from .call import NEVER, Call
from .call_shard import CallShard
from .memory import listed, unlisted
from .node import replayed


class ExpiringShard(CallShard):
    """Has a clock, and forgets what is over."""

    @replayed
    def tick(self) -> None:
        """One unit of time passes."""
        self.clock += 1

    def is_recorded(self, call: Call, key: bytes) -> bool:
        return super().is_recorded(call, key) or self.is_over(call.deadline)

    def is_over(self, deadline: int) -> bool:
        """Whether what has this deadline can no longer be delivered."""
        return deadline <= self.clock and deadline != NEVER

    def record(self, call: Call, key: bytes) -> None:
        super().record(call, key)
        self.deadlines[key] = call.deadline

    @replayed
    def prune(self) -> None:
        """Forget every record of which the deadline is over."""
        for key in [key for key, deadline in self.deadlines.items() if self.is_forgettable(deadline)]:
            self.forget(key)

    def forget(self, key: bytes) -> None:
        """The record of a call is gone."""
        self.deadlines.pop(key)
        self.consumed.pop(key, None)

    def is_forgettable(self, deadline: int) -> bool:
        """Whether the record of what has this deadline is no longer needed."""
        return self.is_over(deadline)

    def parts(self) -> dict[str, bytes]:
        return super().parts() | {
            "clock": number(self.clock),
            "deadlines": listed(number(deadline) + key for key, deadline in sorted(self.deadlines.items())),
        }

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        self.clock = int.from_bytes(parts.get("clock", b""), "big")
        self.deadlines = {
            entry[NUMBER_BYTES:]: int.from_bytes(entry[:NUMBER_BYTES], "big")
            for entry in unlisted(parts.get("deadlines"))
        }
