"""
What every row of a world was before each step, without keeping a copy of the world for each step.

A step writes few rows. So what is kept is, of each row that was ever written, when it was and what
it was before; a world of the past is a view that looks there first.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from operator import itemgetter
from typing import Any, SupportsIndex

from attrs import define, field

from ..readings.generated import Check
from ..readings.rows import World

#: A row of a world: its symbol, and its place among the rows of that.
Place = tuple[int, int]

_STEP = itemgetter(0)


class _Rows(list[Any]):
    """The rows of one symbol, which say so when one is written."""

    __slots__ = ("_chronicle", "_symbol")

    def __init__(self, rows: list[Any], chronicle: Chronicle, symbol: int) -> None:
        super().__init__(rows)
        self._chronicle, self._symbol = chronicle, symbol

    def __setitem__(self, row: Any, value: Any) -> None:
        self._chronicle.written((self._symbol, row), self[row])
        super().__setitem__(row, value)


@define(eq=False)
class Chronicle:
    """A world that is written to, and its past."""

    #: As it is now; whoever writes to it in place is noticed.
    world: World
    #: The step at hand, from 0.
    step: int = field(init=False, default=0)
    #: What rows were before the step at hand.
    _before: dict[Place, Any] = field(init=False, factory=dict)
    #: For each row that was written: in which steps, and what it was before.
    _past: dict[Place, list[tuple[int, Any]]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.world = [_Rows(rows, self, symbol) for symbol, rows in enumerate(self.world)]

    def begin(self, step: int) -> None:
        """From now on, what is written is written by this step."""
        self.step = step
        self._before.clear()

    def written(self, place: Place, old: Any) -> None:
        """A row is about to be written."""
        if place not in self._before:
            self._before[place] = old
            self._past.setdefault(place, []).append((self.step, old))

    def changed(self) -> Iterator[tuple[int, int, Any, Any]]:
        """What the step at hand has changed: symbol, row, before and now, in the order of the world."""
        for symbol, row in sorted(self._before):
            old, new = self._before[symbol, row], self.world[symbol][row]
            if old != new:
                yield symbol, row, old, new

    def row(self, place: Place, step: int) -> Any:
        """What a row was before a step."""
        past = self._past.get(place, ())
        at = bisect_left(past, step, key=_STEP)
        return past[at][1] if at < len(past) else self.world[place[0]][place[1]]

    def last_written(self, places: set[Place], before: int) -> int | None:
        """The last step before `before` that wrote any of these rows."""
        found = -1
        for place in places:
            past = self._past.get(place, ())
            at = bisect_left(past, before, key=_STEP)
            if at:
                found = max(found, past[at - 1][0])
        return found if found >= 0 else None

    def at(self, step: int) -> Past:
        """The world before a step."""
        return Past(self, step)

    def since(self, check: Check, args: tuple[int, ...], step: int) -> int | None:
        """The step that made a condition false, which is false before `step`; `None` if it never was true."""
        at: int | None = step
        while at is not None:
            past = self.at(at)
            if check(past, *args):
                return at
            # Only a row that it has read can make a difference.
            at = self.last_written(past.read, at)
        return None

    def since_cell(self, place: Place, column: int, step: int) -> int | None:
        """The same of a relation that holds for one thing: the step that changed it last before `step`."""
        past = self._past.get(place, ())
        now = self.row(place, step) >> column & 1
        for at in range(bisect_left(past, step, key=_STEP) - 1, -1, -1):
            changed_by, before = past[at]
            if before >> column & 1 != now:
                return changed_by
        return None


class Past(list[Any]):
    """A world before a step, to be read only; it knows what was read."""

    def __init__(self, chronicle: Chronicle, step: int) -> None:
        super().__init__()
        self.read: set[Place] = set()
        self._chronicle = chronicle
        self._step = step

    def __getitem__(self, symbol: Any) -> Any:
        return _PastRows(self._chronicle, self._step, symbol, self.read)


class _PastRows:
    __slots__ = ("_chronicle", "_read", "_step", "_symbol")

    def __init__(self, chronicle: Chronicle, step: int, symbol: int, read: set[Place]) -> None:
        self._chronicle, self._step, self._symbol, self._read = chronicle, step, symbol, read

    def __getitem__(self, row: SupportsIndex) -> Any:
        place = (self._symbol, row.__index__())
        self._read.add(place)
        return self._chronicle.row(place, self._step)

    def __len__(self) -> int:
        return len(self._chronicle.world[self._symbol])

    def __iter__(self) -> Iterator[Any]:
        return (self[row] for row in range(len(self)))
