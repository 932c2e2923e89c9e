"""
Deciding an obligation for worlds of any size.

Most obligations follow from the few hypotheses that speak of what the goal speaks of, by
matching alone, which is fast and the same whatever the seed. Only where that is not enough
is everything assumed, and only the engine decides when to let the solver build models of
its own, which may take for ever. What cannot be decided is unknown, which is not refuted.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Any

import z3
from attrs import define, evolve, field

from shardproof_models.language.terms import Bool, Symbol, symbols_of

from ...readings.smt import Unbounded, assume
from .obligations import Obligation
from .triggers import triggered

#: How much the solver may do by matching, in its own unit: not seconds, so that a slow machine proves the
#: same. No proof of the core takes more than 15,000; an attempt that fails can go on for ever, so the
#: selections get little, and all hypotheses together get enough.
SELECTED_EFFORT, WHOLE_EFFORT = 60_000, 2_000_000


class Decision(enum.Enum):
    """What the solver says of an obligation."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


@define
class Prover:
    """One solver's answers; what several obligations assume is translated once."""

    seed: int = 0
    timeout_ms: int = 10_000
    _say: Unbounded = field(factory=Unbounded, init=False)
    #: By identity, as in `Unbounded`.
    _reads: dict[int, tuple[Bool, frozenset[Symbol[Any, Any]]]] = field(factory=dict, init=False)

    def matched(self, obligation: Obligation) -> bool:
        """Whether it is proved by matching alone; if not, nothing is known."""
        return self.reduced(obligation) is not None

    def reduced(self, obligation: Obligation) -> Obligation | None:
        """It, with no more hypotheses than it was proved from by matching alone; None if it was not."""
        *selections, everything = self._selections(obligation)
        for chosen in selections:
            if self._matches(chosen, obligation, SELECTED_EFFORT):
                return evolve(obligation, hypotheses=chosen[:-1])
        whole = self._matches(everything, obligation, WHOLE_EFFORT) or self._matches(
            everything, obligation, WHOLE_EFFORT, self._triggered
        )
        return obligation if whole else None

    def decide(self, obligation: Obligation) -> Decision:
        """What the solver says with all that it can do, within its time."""
        solver = self._solver((*obligation.hypotheses, obligation.guard), obligation.goal)
        solver.set("timeout", self.timeout_ms)
        answer = solver.check()
        return (
            Decision.PROVED
            if answer == z3.unsat
            else Decision.REFUTED
            if answer == z3.sat
            else Decision.UNKNOWN
        )

    def _matches(
        self,
        hypotheses: tuple[Bool, ...],
        obligation: Obligation,
        effort: int,
        say: Callable[[Bool], Any] | None = None,
    ) -> bool:
        solver = self._solver(hypotheses, obligation.goal, say)
        solver.add(*self._seeds(obligation))
        solver.set("smt.mbqi", False)
        solver.set("rlimit", effort)
        return bool(solver.check() == z3.unsat)

    def _triggered(self, hypothesis: Bool) -> Any:
        return triggered(self._say, hypothesis)

    def _solver(
        self, hypotheses: tuple[Bool, ...], goal: Bool, say: Callable[[Bool], Any] | None = None
    ) -> Any:
        # Not `z3.Solver`, which preprocesses for hard problems: these are many and small.
        solver = z3.SimpleSolver()
        solver.set("random_seed", self.seed)
        assume(solver, map(say or self._say, hypotheses))
        solver.add(z3.Not(self._say(goal)))
        return solver

    def _seeds(self, obligation: Obligation) -> Iterator[Any]:
        """
        The cells that the step writes, as facts that say nothing of them.

        That some shard has executed a receipt is shown by the one that does so in this step: it has
        to be there to be matched.
        """
        for effect in obligation.action.effects if obligation.action is not None else ():
            if not effect.each:
                cell = self._say(effect.cell)
                yield z3.Function(f"written!{cell.sort()}", cell.sort(), z3.BoolSort())(cell)

    def _selections(self, obligation: Obligation) -> Iterator[tuple[Bool, ...]]:
        """Hypotheses that speak of what the goal speaks of; or the guard too; or of anything."""
        tried = -1
        read = self._state(obligation.goal)
        for scope in (read, read | self._state(obligation.guard), None):
            chosen = [h for h in obligation.hypotheses if scope is None or self._state(h) <= scope]
            if len(chosen) > tried:
                tried = len(chosen)
                yield (*chosen, obligation.guard)

    def _state(self, term: Bool) -> frozenset[Symbol[Any, Any]]:
        if id(term) not in self._reads:
            self._reads[id(term)] = term, frozenset(s for s in symbols_of(term) if s.is_state)
        return self._reads[id(term)][1]
