"""
How a proof went on: how many obligations were proved by what the solver had done until then.

That is counted in the solver's own unit and not in seconds, so that it is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import z3
from attrs import define, field

from ...series import Points, Series
from .obligations import Demand, Obligation

#: The lines. What is counted across is told by the last words of a name.
PROVED_BY_EFFORT = "obligations proved by effort"
EFFORT_BY_DEPTH = "effort by depth"

#: Obligations that are told apart: those that took most.
HARDEST_MAX = 10


def effort() -> int:
    """What the solver has done in this process, all questions together, in its own unit."""
    statistics = z3.SimpleSolver().statistics()
    return int(statistics.get_key_value("rlimit count"))


@define(eq=False)
class Course:
    """What each obligation of a proof took, one after the other."""

    _begin: int = field(factory=effort)
    _end: int = 0
    _taken: list[tuple[Obligation, int]] = field(factory=list)
    _growth: Series = field(factory=Series)
    _proved: int = 0

    def note(self, obligation: Obligation, *, proved: bool) -> None:
        """The solver has tried this one, since the one before it."""
        before, self._end = self._end, effort() - self._begin
        self._taken.append((obligation, self._end - before))
        self._proved += proved
        self._growth.note(self._end, self._proved)

    def series(self, proved: int) -> Mapping[str, Points]:
        """The line, to what was `proved` in the end; nothing where there was no obligation."""
        if not self._taken:
            return {}
        self._growth.note(max(self._end, effort() - self._begin), proved)
        return {PROVED_BY_EFFORT: self._growth.points}

    def tables(self, missing: Collection[Obligation]) -> Mapping[str, tuple[tuple[str, str], ...]]:
        """Obligations by demand, of which these are `missing`, and those that took the solver most."""
        hardest = sorted(self._taken, key=lambda one: -one[1])[:HARDEST_MAX]
        return {
            "obligations by what they ask for, and the effort of the solver in its own unit": tuple(
                (demand.value, self._asked(demand, missing))
                for demand in Demand
                if any(obligation.demand is demand for obligation, _ in self._taken)
            ),
            "obligations that took the solver most, in its own unit": tuple(
                (obligation.name, f"{took:,}") for obligation, took in hardest
            ),
        }

    def _asked(self, demand: Demand, missing: Collection[Obligation]) -> str:
        these = [(obligation, took) for obligation, took in self._taken if obligation.demand is demand]
        proved = sum(obligation not in missing for obligation, _ in these)
        return f"asked {len(these):,}, proved {proved:,}, effort {sum(took for _, took in these):,}"
