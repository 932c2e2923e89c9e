"""
How a number grew over a search: points of (steps, number), few enough to be drawn and kept.

Counted by steps and never by a clock, so that a seed draws the same line on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

#: More points than this nobody can tell apart in a drawing as wide as a page.
POINTS_MAX = 200

#: Points of a line: steps that were taken, and the number by then. Steps only grow.
Points = tuple[tuple[int, int], ...]


@define
class Series:
    """A line while it is drawn: it takes any number of points, and keeps a bounded number of them."""

    _kept: list[tuple[int, int]] = field(factory=list)
    #: Steps that must lie between two points that are kept.
    _apart: int = 1
    _last: tuple[int, int] | None = None

    def note(self, steps: int, number: int) -> None:
        """The number after so many steps, which are no fewer than before."""
        self._last = (steps, number)
        if self._kept and steps - self._kept[-1][0] < self._apart:
            return
        self._kept.append(self._last)
        if len(self._kept) > 2 * POINTS_MAX:
            # Every second goes, and from now on points are as far apart as those that stay.
            self._kept = self._kept[::2]
            self._apart = max(self._apart * 2, (steps - self._kept[0][0]) // POINTS_MAX)

    @property
    def points(self) -> Points:
        """The line so far, the first and the last point included."""
        last = () if self._last is None else (self._last,)
        return thinned(tuple(dict((*self._kept, *last)).items()))


def thinned(points: Sequence[tuple[int, int]], most: int = POINTS_MAX) -> Points:
    """At most so many of the points, the first and the last among them, evenly by their position."""
    if len(points) <= most:
        return tuple(points)
    end = len(points) - 1
    return tuple(points[i * end // (most - 1)] for i in range(most))
