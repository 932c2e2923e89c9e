"""
A log on a disk: each write is durable as a whole or not at all, and between two writes power may fail.

What a shard has not written it does not know after a power loss, and what it has written it knows
for good. So whatever must be durable together has to be one write.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..encoding import Reader, blobs

_KIND = b"W"


class PowerLossError(Exception):
    """The power failed: what was being done ends here, and the machine has to be started again."""


class DurableLog:
    """Entries, each a list of changes that became durable together."""

    def __init__(self) -> None:
        self._entries: list[bytes] = []
        self._writes_left: int | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def cut_after(self, writes: int) -> None:
        """Power will fail after so many more writes, or before the first one."""
        self._writes_left = writes

    @property
    def is_threatened(self) -> bool:
        """Whether power is about to fail, or has failed."""
        return self._writes_left is not None

    def power_on(self) -> None:
        """The machine is started again, and nothing threatens it."""
        self._writes_left = None

    def write(self, *changes: bytes) -> None:
        """Make changes durable. Raises `PowerLossError` where the power fails, before or just after."""
        if self._writes_left == 0:
            raise PowerLossError
        self._entries.append(_KIND + blobs(changes))
        if self._writes_left is not None:
            self._writes_left -= 1
            if self._writes_left == 0:
                raise PowerLossError

    def changes(self) -> Iterator[bytes]:
        """Every durable change, in order."""
        for entry in self._entries:
            reader = Reader(entry, _KIND)
            yield from reader.blobs()
            reader.end()
