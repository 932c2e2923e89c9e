"""
Everything that a shard keeps, in tables that note what each write replaced.

Because no write goes past the note, three things hold for every table at once, also for one
that somebody adds later: a callback that fails, or a block that is dropped, takes back all
that it wrote; a restart reads all that was there; two nodes can be compared by one digest.
Each has gone wrong where it was left to the parts (multiversx/mx-chain-go PR 3637;
cosmos/ibc-go issue 199).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Generic, Self, TypeAlias, TypeVar

from attrs import frozen

from ..encoding import Reader, number, text
from .plain import Plain, read, written

K = TypeVar("K", bound=Plain)
V = TypeVar("V", bound=Plain)

_KIND = b"T"


class _Absent:
    """In place of what a write replaced, where there was nothing."""


_ABSENT = _Absent()

#: Which table, which key, and what was there before.
_Note: TypeAlias = "tuple[Table[Any, Any], Plain, Plain | _Absent]"


class PowerLossError(Exception):
    """The power failed between two writes: whoever writes is no more."""


class Table(dict[K, V], Generic[K, V]):
    """A dictionary that is written by `[]`, `del` and `append` only."""

    __slots__ = ("name", "note")

    def __init__(self, name: str, note: Callable[[_Note], None]) -> None:
        super().__init__()
        self.name = name
        #: Called before each write.
        self.note = note

    def __setitem__(self, key: K, value: V) -> None:
        self.note((self, key, self.get(key, _ABSENT)))
        super().__setitem__(key, value)

    def __delitem__(self, key: K) -> None:
        self.note((self, key, self[key]))
        super().__delitem__(key)

    def append(self: Table[int, V], value: V) -> None:
        """Write `value` at the next position, in a table whose keys are positions."""
        self[len(self)] = value

    def since(self: Table[int, V], position: int) -> list[V]:
        """What is at `position` and after it, in a table whose keys are positions."""
        return [self[i] for i in range(position, len(self))]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its entries as they are: to write them one by one would be noted."""
        return _unpickled, (), (self.name, self.note, dict(self))

    def __setstate__(self, state: tuple[str, Callable[[_Note], None], dict[K, V]]) -> None:
        self.name, self.note, entries = state
        self.update(entries)

    def put_back(self, key: K, value: V | _Absent) -> None:
        """Undo a write."""
        if isinstance(value, _Absent):
            self.pop(key, None)
        else:
            super().__setitem__(key, value)


def _unpickled() -> Table[Any, Any]:
    return Table.__new__(Table)


@frozen
class _PowerFailure:
    """Notes what is written, until the power fails."""

    tables: Tables
    last: int
    note: Callable[[_Note], None]

    def __call__(self, note: _Note) -> None:
        if self.tables.written >= self.last:
            raise PowerLossError
        self.note(note)


class Tables:
    """All tables of a shard, and what has been written to them, in order."""

    def __init__(self) -> None:
        self._tables: dict[str, Table[Any, Any]] = {}
        self._notes: deque[_Note] = deque()
        #: How many of the oldest notes are gone.
        self._forgotten = 0

    def table(self, name: str) -> Table[Any, Any]:
        """The table of this name; a new one is empty."""
        if name not in self._tables:
            self._tables[name] = Table(name, self._notes.append)
        return self._tables[name]

    def all(self) -> tuple[Table[Any, Any], ...]:
        """Every table."""
        return tuple(self._tables.values())

    @property
    def written(self) -> int:
        """How many writes there were: a moment to which `undo` can go back."""
        return self._forgotten + len(self._notes)

    def undo(self, moment: int) -> None:
        """Take back every write since `moment`."""
        while self.written > moment:
            table, key, value = self._notes.pop()
            table.put_back(key, value)

    def forget(self, moment: int) -> None:
        """Nobody will go back to before `moment`."""
        while self._forgotten < moment:
            self._notes.popleft()
            self._forgotten += 1

    def fail_after(self, writes: int) -> None:
        """Power fails after so many more writes: what is written then raises `PowerLossError`."""
        failing = _PowerFailure(self, self.written + writes, self._notes.append)
        for table in self.all():
            table.note = failing

    def encode(self, tables: Iterable[Table[Any, Any]]) -> bytes:
        """What is in `tables`, in one order whatever the order of writing, and how to go back."""
        kept = sorted(tables, key=lambda table: table.name)
        parts = [_KIND, number(len(kept))]
        for table in kept:
            parts += (text(table.name), number(len(table)))
            parts += sorted(written(key) + written(value) for key, value in table.items())
        parts += (number(self._forgotten), number(len(self._notes)))
        for table, key, old in self._notes:
            before = (written(True),) if isinstance(old, _Absent) else (written(False), written(old))
            parts += (text(table.name), written(key), *before)
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The tables that `data` encodes. Raises `MalformedError`."""
        tables, reader = cls(), Reader(data, _KIND)
        for _ in range(reader.number()):
            table = tables.table(reader.text())
            for _ in range(reader.number()):
                table.put_back(read(reader), read(reader))
        tables._forgotten = reader.number()
        for _ in range(reader.number()):
            table, key = tables.table(reader.text()), read(reader)
            tables._notes.append((table, key, _ABSENT if read(reader) else read(reader)))
        reader.end()
        return tables
