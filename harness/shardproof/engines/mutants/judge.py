"""
What becomes of one mistake: the cheap questions first, and no answer that was not checked.

Three things are told apart that are easily taken for one: a mistake that was noticed, one that is
none, and one of which the search knows nothing yet.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any
from typing import Protocol as Interface

from attrs import define, evolve, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool
from shardproof_models.mistakes import Kind, Mistake
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from ...errors import UsageError
from ...readings.evaluate import Evaluator
from ...readings.scope import Scope
from .alone import first_violation
from .along import Along, Trodden
from .beside import FOLLOWS, REASONS, Beside, How, Noticed, idle
from .cone import unseen
from .equivalence import (
    Claim,
    accepts_no_less,
    always,
    hypotheses,
    same_acceptance,
    same_answers,
    same_effects,
)
from .lockstep import Lockstep, Looked
from .promises import ProgressOf
from .row import Fate, Row
from .worlds import Checks, Taken, Worlds, of_guards


@frozen
class Bounded:
    """What bounded model checking found: the first sentence that is violated, and after which steps."""

    property: Property | None
    steps: tuple[Taken, ...] = ()
    #: What was searched, as a sentence, and the number of steps up to which it was.
    scope: str = ""
    depth: int = 0


class Solver(Interface):
    """What is asked of engines with a solver."""

    def proves(self, claim: Claim) -> bool:
        """Whether the claim holds in worlds of any size; False if that is not known."""

    def refutes(self, claim: Claim) -> bool:
        """Whether there is a world in which the claim is false; False if that is not known."""

    def violation(
        self, protocol: Protocol, properties: tuple[Property, ...], depth: int, scope: Scope | None = None
    ) -> Bounded:
        """A shortest trace of up to `depth` steps to a violation, in every topology or in one."""

    def claims(self, protocol: Protocol, properties: tuple[Property, ...]) -> Sequence[Claim]:
        """What has to be shown for `properties` to hold."""


class Effort(enum.Enum):
    """How thoroughly to look."""

    #: Along random walks; what was not noticed there may be proved to be none.
    GLANCE = "glance"
    #: Breadth first, in every scope, and at last by bounded model checking.
    SEARCH = "search"


@frozen
class Budget:
    """How far to look."""

    #: Attempts in worlds of the right protocol, in each scope, at the first look and at the last: a large
    #: protocol has many in each world.
    attempts: int = 400_000
    attempts_most: int = 1_500_000
    #: Attempts in worlds of a mistake that is looked at by itself, in each scope.
    attempts_alone: int = 200_000
    #: Attempts in pairs of worlds, of a mistake and of the protocol, at the first look and at the last.
    pairs: int = 30_000
    pairs_most: int = 500_000
    #: Steps of bounded model checking in every topology, and in the one of a scope.
    depth: int = 6
    depth_in_scope: int = 13
    #: The size of a protocol, in clauses and effects, above which a mistake that nobody has made is not worth
    #: bounded model checking in every topology; and in the one of a scope, how many attempts it may have.
    bounded_max: int = 40
    bounded_attempts_max: int = 200


#: The property of two worlds, which no trace shows.
ISOLATION = "isolates-shards"

#: How many worlds of the right protocol are looked at for a violation: a glance, because whether it holds is
#: the question of other engines, and here it only has to make sense to ask for mistakes.
GLANCE = 4_000

#: How many scopes, of the last ones, are searched to more steps than can be explored.
DEEP = 5

#: What a trace can violate.
VIOLABLE = (Role.SAFETY, Role.STEP, Role.ENABLED)


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
    budget: Budget = Budget()
    seed: int = 0
    #: How many mistakes bounded model checking has found in a scope.
    _found_in: Counter[Scope | None] = field(factory=Counter, init=False)
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

    @cached_property
    def _known(self) -> tuple[Bool, ...]:
        return hypotheses(self.protocol, self.properties)

    # ---- one mistake ----------------------------------------------------------------------------

    def _row(self, mistake: Mistake) -> Row:
        # First, because a clause may be implied by the invariants and still be none of a shard's business.
        for claim in self._two_worlds(mistake):
            if self.solver.refutes(claim):
                seen = {"property": ISOLATION, "property_id": "P27", "reason": claim.name}
                return self._of(mistake, Fate.KILLED, engine="prove", **seen)
        if row := self._harmless(mistake):
            return row
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
            if first.reason is not None and (first.complete or self._accepts_the_same(mistake)):
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
        """What is noticed along walks; or, of what is not, that it is none."""
        for trodden, checks, progress in self._walks:
            beside = Beside(trodden.worlds, checks, progress, mistake.protocol, _counting(mistake))
            if noticed := Along(trodden, beside, self.seed).look():
                return self._killed(mistake, noticed, "walks", shortest=False)
        return (
            self._unobserved(mistake)
            or self._the_same(mistake)
            or self._without_effect(mistake)
            or self._of(mistake, Fate.UNDECIDED, reason="nothing was noticed along random walks")
        )

    def _without_effect(self, mistake: Mistake) -> Row | None:
        """What may be repeated must be able to change something, if it was seen to in the protocol."""
        for right, wrong in self._changed(mistake):
            if not wrong.effects and any(trodden.changes(right) for trodden, _, _ in self._walks):
                said = f"{wrong.name} can change something"
                named = {"property": said, "reason": "it has no effects (read off)"}
                return self._of(mistake, Fate.KILLED, engine="cone", **named)
        return None

    @cached_property
    def _walks(self) -> Sequence[tuple[Trodden, Checks, ProgressOf]]:
        walked = (Trodden(Worlds(self.protocol, s, 0), self.seed) for s in self.walked(self.protocol))
        return [(t, self._checks(t.worlds), ProgressOf(t.worlds, self.properties)) for t in walked]

    def _checks(self, worlds: Worlds) -> Checks:
        return Checks(worlds, tuple(p for p in self.properties if p.role in VIOLABLE))

    def _the_same(self, mistake: Mistake) -> Row | None:
        if not self.is_equivalent(mistake):
            return None
        said = "in every world that the invariants allow, it answers and acts as it should (proved)"
        return self._of(mistake, Fate.EQUIVALENT, engine="prove", reason=said)

    def _unobserved(self, mistake: Mistake) -> Row | None:
        """If nobody can tell what it does: also not by nothing else being done."""
        symbols = (
            () if mistake.kind is Kind.NAMED else unseen(self.protocol, mistake.protocol, self.properties)
        )
        for _, b in self._changed(mistake) if symbols else ():
            only = evolve(mistake.protocol, actions=(b,))
            claims = self.solver.claims(only, self.properties)
            if not all(self.solver.proves(c) for c in claims if c.name == idle(b)):
                return None
        if not symbols:
            return None
        said = f"no guard and no property depends on {', '.join(s.name for s in symbols)} (read off)"
        return self._of(mistake, Fate.EQUIVALENT, engine="cone", reason=said)

    def _look(self, mistake: Mistake, known: tuple[Worlds, Checks, ProgressOf], attempts: int) -> Looked:
        worlds, checks, progress = known
        if mistake.kind is Kind.NAMED:
            checks = Checks(worlds, self._violable(mistake))
        pairs_max = attempts // len(worlds.attempts)
        beside = Beside(worlds, checks, progress, mistake.protocol, _counting(mistake))
        return Lockstep(beside, pairs_max).look()

    def _changed(self, mistake: Mistake) -> Iterator[tuple[Action, Action]]:
        pairs = zip(self.protocol.actions, mistake.protocol.actions, strict=True)
        return ((a, b) for a, b in pairs if a is not b)

    def _accepts_the_same(self, mistake: Mistake) -> bool:
        return all(
            a.effects == b.effects
            and (
                {*a.clauses} == {*b.clauses}
                or all(map(self.solver.proves, same_acceptance(self._known, a, b)))
            )
            for a, b in self._changed(mistake)
        )

    def is_equivalent(self, mistake: Mistake) -> bool:
        """Whether the solver proves that it makes no difference."""
        return all(
            self.solver.proves(claim)
            for a, b in self._changed(mistake)
            for claim in (*same_answers(self._known, a, b), *same_effects(self._known, a, b))
        )

    def _alone(self, mistake: Mistake) -> Row | None:
        """What it violates, breadth first by itself: in the fewest steps that it takes in any scope."""
        found: Noticed | None = None
        for scope in self.scopes_of(mistake.protocol):
            worlds = Worlds(mistake.protocol, scope, 0)
            checks = Checks(worlds, self._violable(mistake))
            worlds_max = self.budget.attempts_alone // len(worlds.attempts)
            steps_max = len(found.steps) - 1 if found is not None else None
            found = first_violation(worlds, checks, worlds_max, steps_max).found or found
        return self._killed(mistake, found, "explore", shortest=True) if found is not None else None

    def _harmless(self, mistake: Mistake) -> Row | None:
        """A negative control is let pass for a reason, if all that is said of the protocol is true of it."""
        if not mistake.harmless or not all(p.first_order for p in self._violable(mistake)):
            return None
        claims = self.solver.claims(mistake.protocol, properties_of(mistake.protocol))
        if not all(map(self.solver.proves, claims)):
            return None
        said = "no violation in worlds of any size (proved)"
        return self._of(mistake, Fate.PASSED, engine="prove", reason=said)

    def _at_last(self, mistake: Mistake, looked: Sequence[Looked]) -> Row:
        """Bounded model checking covers every topology; what it does not find, nobody found."""
        said: list[str] = []
        for how, name, protocol, asked in self._bounded(mistake):
            for scope in self._places(mistake):
                depth = self.budget.depth if scope is None else self.budget.depth_in_scope
                searched = self.solver.violation(protocol, asked, depth, scope)
                said.append(searched.scope)
                if searched.property is not None:
                    own = searched.property if how is How.VIOLATION else None
                    found = Noticed(how, own, own.name if own else name, searched.steps)
                    self._found_in[scope] += 1
                    return self._killed(mistake, found, "prove", shortest=True)
        nothing = "".join(f"; nothing in {each}" for each in dict.fromkeys(said))
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

    def _places(self, mistake: Mistake) -> Iterator[Scope | None]:
        """Where bounded model checking is worth it: first where it was before, for others like this one."""
        named = mistake.kind is Kind.NAMED
        size = sum(len(a.clauses) + len(a.effects) for a in mistake.protocol.actions)
        if named or size <= self.budget.bounded_max:
            yield None
        for scope in sorted(self.scopes[-DEEP:], key=lambda scope: -self._found_in[scope]):
            attempts = sum(1 for a in mistake.protocol.actions for _ in scope.tuples(a.parameters))
            if named or attempts <= self.budget.bounded_attempts_max:
                yield scope

    def _bounded(self, mistake: Mistake) -> Iterator[tuple[How, str, Protocol, tuple[Property, ...]]]:
        """What is asked of bounded model checking: how it would be noticed, of which protocol, and what."""
        wanted = _counting(mistake)
        changed = tuple(self._changed(mistake)) if comparable(self.protocol, mistake.protocol) else ()
        if mistake.kind is not Kind.ORDER:
            yield How.VIOLATION, "", mistake.protocol, self._violable(mistake)
        if wanted(FOLLOWS):
            stricter = [always(accepts_no_less(a, b), a) for a, b in changed if a.clauses != b.clauses]
            if stricter and mistake.kind is not Kind.ORDER:
                yield How.REFUSED, FOLLOWS, self.protocol, tuple(stricter)
        if wanted(REASONS) and changed and self._accepts_the_same(mistake):
            answers = [always(c, a) for a, b in changed for c in same_answers((), a, b)]
            yield How.REASON, REASONS, self.protocol, tuple(answers)

    def _violable(self, mistake: Mistake) -> tuple[Property, ...]:
        """What a trace can violate and that counts."""
        wanted = _counting(mistake)
        if not comparable(self.protocol, mistake.protocol):
            known = properties_of(mistake.protocol, *VIOLABLE)
        else:
            always = (p for p in self.properties if p.role in VIOLABLE and p.role is not Role.ENABLED)
            known = (*always, *of_guards(mistake.protocol))
        return tuple(p for p in known if wanted(p.name) or wanted(p.id))

    def _two_worlds(self, mistake: Mistake) -> Sequence[Claim]:
        wanted = _counting(mistake)
        isolation = tuple(
            p
            for p in properties_of(mistake.protocol, Role.ISOLATION)
            if mistake.violates and (wanted(p.name) or wanted(p.id))
        )
        return self.solver.claims(mistake.protocol, isolation) if isolation else ()

    # ---- as a row -------------------------------------------------------------------------------

    def _noticed(self, mistake: Mistake, found: Noticed, worlds: Worlds) -> Row:
        shortest = len(found.steps) <= worlds.known_depth + 1
        if not shortest and mistake.kind is Kind.NAMED and found.how is How.VIOLATION:
            fewer = self.solver.violation(
                mistake.protocol, self._violable(mistake), len(found.steps) - 1, worlds.scope
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


def comparable(right: Protocol, wrong: Protocol) -> bool:
    """Whether both have the same worlds and attempts, and differ in what they answer and do."""
    return _made_of(right) == _made_of(wrong)


def _made_of(protocol: Protocol) -> object:
    # By identity: between terms, equality is a term.
    return (
        protocol.symbols,
        [*map(id, protocol.axioms)],
        {symbol: id(body) for symbol, body in protocol.definitions.items()},
        [(a.name, *map(id, a.parameters)) for a in protocol.actions],
    )


def _counting(mistake: Mistake) -> Callable[[str], bool]:
    """Which names of properties count as noticing it."""
    if mistake.kind is not Kind.NAMED:
        return lambda _: True
    if mistake.harmless:
        # Of a negative control no property of safety may say a word; it may well delay something.
        violable = {p.name for p in properties_of(mistake.protocol, *VIOLABLE)}
        return lambda name: name in violable
    return lambda name: name in mistake.violates or name.partition("[")[0] in mistake.violates


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
