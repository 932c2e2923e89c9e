"""
What becomes of one mistake: the cheap questions first, and no answer that was not checked.

Three things are told apart that are easily taken for one: a mistake that was noticed, one that is
none, and one of which the search knows nothing yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from attrs import define, evolve, field

from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import Kind, Mistake
from shardproof_properties.property import Property

from ...errors import UsageError
from ...readings.evaluate import Evaluator
from ...readings.scope import Scope
from .alone import first_violation
from .along import Along, Trodden
from .beside import Beside, How, Noticed
from .claims import Claims
from .last import Last
from .lockstep import Lockstep, Looked
from .promises import ProgressOf
from .row import Fate, Row
from .solver import Budget, Effort, Solver
from .watched import VIOLABLE, changed, comparable, counting, violable
from .worlds import Checks, Taken, Worlds

#: The property of two worlds, which no trace shows.
ISOLATION = "isolates-shards"

#: How many worlds of the right protocol are looked at for a violation: a glance, because whether it holds is
#: the question of other engines, and here it only has to make sense to ask for mistakes.
GLANCE = 4_000


@define(eq=False)
class Judge:
    """Judges the mistakes in one protocol. What they have in common is worked out once."""

    protocol: Protocol
    properties: tuple[Property, ...]
    #: Where to look in a protocol, the smallest scope first. May raise `UsageError`.
    scopes_of: Callable[[Protocol], Sequence[Scope]]
    #: Where to take random walks.
    walked: Callable[[Protocol], Sequence[Scope]]
    solver: Solver
    clock: Callable[[], float]
    budget: Budget = field(factory=Budget)
    seed: int = 0
    _trodden: list[tuple[Trodden, Checks, ProgressOf]] = field(factory=list, init=False)
    _known_at: dict[tuple[Scope, int], tuple[Worlds, Checks, ProgressOf]] = field(factory=dict, init=False)

    def rows(self, mistakes: Iterable[Mistake], effort: Effort = Effort.SEARCH) -> Iterator[Row]:
        """A row for each mistake."""
        for mistake in mistakes:
            started = self.clock()
            try:
                if effort is Effort.GLANCE:
                    row = self._glance(mistake)
                elif self.violated is None:
                    row = self._row(mistake)
                else:
                    said = f"the protocol without the mistake violates {self.violated.name}"
                    row = self._of(mistake, Fate.UNDECIDED, reason=said)
            except UsageError as error:
                row = self._of(mistake, Fate.UNDECIDED, reason=error.summary)
            yield evolve(row, seconds=self.clock() - started)

    @cached_property
    def claims(self) -> Claims:
        """What the solver can say of mistakes in the protocol."""
        return Claims(self.protocol, self.properties, self.solver)

    @cached_property
    def _last(self) -> Last:
        return Last(self.claims, self.scopes, self.budget)

    @cached_property
    def scopes(self) -> Sequence[Scope]:
        """Where to look in the protocol."""
        return self.scopes_of(self.protocol)

    @cached_property
    def violated(self) -> Property | None:
        """A property that the right protocol violates: then nothing can be said of wrong ones."""
        for scope in self.scopes:
            if not Evaluator(self.protocol, scope).axioms_hold():
                raise UsageError(f"{self.protocol.name} does not speak of {scope.said or 'this scope'}")
        worlds, checks, _ = self._at(self.scopes[0], self.budget.attempts)
        # Of those that are there: the first half of them are the nearest.
        found = first_violation(worlds, checks, min(GLANCE, len(worlds.answers) // 2)).found
        return found.broken if found else None

    def _at(self, scope: Scope, attempts: int) -> tuple[Worlds, Checks, ProgressOf]:
        """The worlds at a scope, after so many attempts, and what is asked of them."""
        if (scope, attempts) not in self._known_at:
            fewer = self._known_at.get((scope, self.budget.attempts))
            if fewer is not None and fewer[0].complete:
                return fewer
            worlds = Worlds(self.protocol, scope, attempts, self.seed)
            self._known_at[scope, attempts] = (
                worlds,
                self._checks(worlds),
                ProgressOf(worlds, self.properties),
            )
        return self._known_at[scope, attempts]

    # ---- one mistake ----------------------------------------------------------------------------

    def _row(self, mistake: Mistake) -> Row:
        # First, because a clause may be implied by the invariants and still be none of a shard's business.
        if leak := self.claims.leak(mistake):
            seen = {"property": ISOLATION, "property_id": "P27", "reason": leak.name}
            return self._of(mistake, Fate.KILLED, engine="prove", **seen)
        # A negative control is let pass for a reason.
        if self.claims.is_let_pass(mistake):
            said = "no violation in worlds of any size (proved)"
            return self._of(mistake, Fate.PASSED, engine="prove", reason=said)
        apart = not comparable(self.protocol, mistake.protocol)
        # What happened to somebody is a few steps away: what it does to the protocol need not be known.
        if (apart or mistake.kind is Kind.NAMED) and (row := self._alone(mistake)):
            return row
        if apart:
            return self._at_last(mistake, ())
        if row := self._unobserved(mistake):
            return row
        looked: list[Looked] = []
        for scope in self.scopes:
            known = self._at(scope, self.budget.attempts)
            looked.append(first := self._look(mistake, known, self.budget.pairs))
            if first.noticed is not None:
                return self._noticed(mistake, first.noticed, known[0])
            if first.reason is not None and (first.complete or self.claims.accepts_the_same(mistake)):
                return self._noticed(mistake, first.reason, known[0])
        if not any(each.differs for each in looked) and (row := self._the_same(mistake)):
            return row
        for i, scope in enumerate(self.scopes):
            if not looked[i].complete:
                known = self._at(scope, self.budget.attempts_most)
                looked[i] = self._look(mistake, known, self.budget.pairs_most)
                if (noticed := looked[i].noticed) is not None:
                    return self._noticed(mistake, noticed, known[0])
        reason = next(
            ((r, scope) for scope, each in zip(self.scopes, looked, strict=True) if (r := each.reason)), None
        )
        if reason is not None and not any(each.parted for each in looked):
            return self._noticed(mistake, reason[0], self._at(reason[1], self.budget.attempts_most)[0])
        return self._at_last(mistake, looked)

    def _glance(self, mistake: Mistake) -> Row:
        """That it is none, if that is quickly proved; else what is noticed along walks."""
        if row := self._unobserved(mistake) or self._the_same(mistake):
            return row
        for trodden, checks, progress in self._walks():
            beside = Beside(trodden.worlds, checks, progress, mistake.protocol, counting(mistake))
            if noticed := Along(trodden, beside, self.seed).look():
                return self._killed(mistake, noticed, "walks", shortest=False)
        return self._without_effect(mistake) or self._of(
            mistake, Fate.UNDECIDED, reason="nothing was noticed along random walks"
        )

    def _without_effect(self, mistake: Mistake) -> Row | None:
        """What may be repeated must be able to change something, if it was seen to in the protocol."""
        for right, wrong in changed(self.protocol, mistake):
            if not wrong.effects and any(trodden.changes(right) for trodden, _, _ in self._walks()):
                said = f"{wrong.name} can change something"
                named = {"property": said, "reason": "it has no effects (read off)"}
                return self._of(mistake, Fate.KILLED, engine="cone", **named)
        return None

    def _walks(self) -> Iterator[tuple[Trodden, Checks, ProgressOf]]:
        """Walks in one scope after another: most mistakes are noticed in the first, so the rest wait."""
        for number, scope in enumerate(self._walked_scopes):
            if number == len(self._trodden):
                trodden = Trodden(Worlds(self.protocol, scope, 0), self.seed)
                of = self._checks(trodden.worlds), ProgressOf(trodden.worlds, self.properties)
                self._trodden.append((trodden, *of))
            yield self._trodden[number]

    @cached_property
    def _walked_scopes(self) -> Sequence[Scope]:
        return self.walked(self.protocol)

    def _checks(self, worlds: Worlds) -> Checks:
        return Checks(worlds, tuple(p for p in self.properties if p.role in VIOLABLE))

    def _the_same(self, mistake: Mistake) -> Row | None:
        if not self.claims.is_equivalent(mistake):
            return None
        said = "in every world that the invariants allow, it answers and acts as it should (proved)"
        return self._of(mistake, Fate.EQUIVALENT, engine="prove", reason=said)

    def _unobserved(self, mistake: Mistake) -> Row | None:
        symbols = self.claims.unobserved(mistake)
        if not symbols:
            return None
        said = f"no guard and no property depends on {', '.join(symbols)} (read off)"
        return self._of(mistake, Fate.EQUIVALENT, engine="cone", reason=said)

    def _look(self, mistake: Mistake, known: tuple[Worlds, Checks, ProgressOf], attempts: int) -> Looked:
        worlds, checks, progress = known
        if mistake.kind is Kind.NAMED:
            checks = Checks(worlds, violable(self.protocol, self.properties, mistake))
        pairs_max = attempts // len(worlds.attempts)
        beside = Beside(worlds, checks, progress, mistake.protocol, counting(mistake))
        return Lockstep(beside, pairs_max).look()

    def _alone(self, mistake: Mistake) -> Row | None:
        """What it violates, breadth first by itself: in the fewest steps that it takes in any scope."""
        found: Noticed | None = None
        for scope in self.scopes_of(mistake.protocol):
            worlds = Worlds(mistake.protocol, scope, 0)
            checks = Checks(worlds, violable(self.protocol, self.properties, mistake))
            worlds_max = self.budget.attempts_alone // len(worlds.attempts)
            steps_max = len(found.steps) - 1 if found is not None else None
            found = first_violation(worlds, checks, worlds_max, steps_max).found or found
        return self._killed(mistake, found, "explore", shortest=True) if found is not None else None

    def _at_last(self, mistake: Mistake, looked: Sequence[Looked]) -> Row:
        found = self._last.look(mistake)
        if isinstance(found, Noticed):
            return self._killed(mistake, found, "prove", shortest=True)
        nothing = "".join(f"; nothing in {each}" for each in found)
        if mistake.harmless:
            return self._of(mistake, Fate.PASSED, reason=f"no violation{nothing}")
        if not any(each.complete for each in looked):
            return self._of(mistake, Fate.UNDECIDED, reason=f"the search ended early{nothing}")
        parted = min((each.parted for each in looked if each.parted is not None), key=len, default=None)
        if parted is None:
            why = f"it was seen to differ nowhere, and that it never does is not proved{nothing}"
            return self._of(mistake, Fate.UNDECIDED, reason=why)
        told = tuple(_told(mistake.protocol, step) for step in parted)
        more = any(each.accepts_more for each in looked)
        return self._of(mistake, Fate.SURVIVED, reason=_why(len(parted), more=more), trace=told)

    # ---- as a row -------------------------------------------------------------------------------

    def _noticed(self, mistake: Mistake, found: Noticed, worlds: Worlds) -> Row:
        shortest = len(found.steps) <= worlds.known_depth + 1
        if not shortest and mistake.kind is Kind.NAMED and found.how is How.VIOLATION:
            fewer = self.solver.violation(
                mistake.protocol,
                violable(self.protocol, self.properties, mistake),
                len(found.steps) - 1,
                worlds.scope,
            )
            if fewer.property is not None:
                found = Noticed(How.VIOLATION, fewer.property, fewer.property.name, fewer.steps)
            shortest = fewer.property is not None or fewer.depth == len(found.steps) - 1
        return self._killed(mistake, found, "explore", shortest=shortest)

    def _killed(self, mistake: Mistake, found: Noticed, engine: str, *, shortest: bool) -> Row:
        return self._of(
            mistake,
            Fate.FLAGGED if mistake.harmless else Fate.KILLED,
            engine=engine,
            property=found.name,
            property_id=found.id,
            steps=len(found.steps),
            shortest=shortest,
            trace=tuple(_told(mistake.protocol, step) for step in found.steps),
            reason=_against_the_record(mistake, len(found.steps)),
        )

    def _of(self, mistake: Mistake, fate: Fate, **more: Any) -> Row:
        return Row(mistake.name, mistake.stack, mistake.kind, mistake.source, fate, **more)


def _told(protocol: Protocol, step: Taken) -> str:
    name, args = step
    parameters = protocol.action(name).parameters
    return f"{name}({', '.join(f'{p.head.name}={a}' for p, a in zip(parameters, args, strict=True))})"


def _against_the_record(mistake: Mistake, steps: int) -> str:
    known = mistake.shortest
    if known is None or known == steps:
        return ""
    return f"{_steps(known)} on record{f': {mistake.differs}' if mistake.differs else ''}"


def _why(steps: int, *, more: bool) -> str:
    what = "accepts what the protocol refuses" if more else "leaves another world behind"
    return f"it {what}, after {_steps(steps)} for the first time, and no property says that this matters"


def _steps(steps: int) -> str:
    return f"{steps} step{'' if steps == 1 else 's'}"
