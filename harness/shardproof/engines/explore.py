"""
Every trace of a protocol within a scope, breadth first.

Every world is checked against every invariant, every step against every step property, and a
violation found this way has no shorter one. What comes out as "holds" was complete: no limit was
reached, no number was cut off that could matter, and what the witnesses name did happen.

A world is kept as one small number for each symbol, its rows being shared between worlds: most
steps change little. See `readings/generated.py` for rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Kind, Op, Symbol, Term, subterms, symbols_of
from shardproof_models.layers.deadlines import Time
from shardproof_models.layers.finality import Height
from shardproof_models.layers.trust import Epoch
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from ..coverage import GuardCoverage
from ..errors import UsageError
from ..model_trace import trace_of
from ..readings.evaluate import Evaluator
from ..readings.generated import Apply, Generated, Refuse
from ..readings.scope import OutOfScope, Scope, Value
from ..trace import Search
from ..verdict import Finding, Report, Verdict
from ..verdict import Kind as FindingKind

Progress = Callable[[Mapping[str, int]], None]

#: Numbers that only the environment moves. A step that would move one out of its range is a step
#: beyond the scope, as a further block is, so the search leaves it out and counts it. Any other
#: number that leaves its range might have been the violation.
ENVIRONMENT: tuple[type[Term], ...] = (Height, Time, Epoch)

#: Lemmas are invariants too: a false one is found here before the prover trips over it.
INVARIANTS = (Role.SAFETY, Role.LEMMA, Role.ENABLED)

#: What is looked at unless somebody asks for something else.
EXPLORED = (Role.SAFETY, Role.ENABLED, Role.STEP, Role.WITNESS)

#: How many worlds are expanded between two reports of progress.
PROGRESS_EVERY = 2_000


def explore(
    protocol: Protocol,
    scope: Scope,
    *,
    properties: tuple[Property, ...] | None = None,
    worlds_max: int = 200_000,
    depth_max: int | None = None,
    progress: Progress | None = None,
) -> Report:
    """
    What every trace of `protocol` within `scope` says about `properties`, by default all that apply.

    Stops at the first violation, whose trace is a shortest one; after `worlds_max` worlds, which
    makes the answer inconclusive; or after `depth_max` steps, which the answer then says.
    Raises `UsageError` where the scope is not one that the protocol speaks of.
    """
    if worlds_max < 1 or (depth_max is not None and depth_max < 0):
        raise UsageError(
            "a search needs at least one world and no negative depth", got=f"{worlds_max}, {depth_max}"
        )
    if not Evaluator(protocol, scope).axioms_hold():
        raise UsageError(
            f"{protocol.name} does not speak of this scope: what it assumes is false there",
            expected="; ".join(map(str, protocol.axioms)),
            got=scope.said or None,
        )
    chosen = properties_of(protocol, *EXPLORED) if properties is None else properties
    search = _Search(
        protocol, Generated(protocol, scope), chosen, worlds_max, depth_max, progress or (lambda _: None)
    )
    search.run()
    return search.report()


#: For each symbol, the number of its rows among all rows that were seen of it.
Packed = tuple[int, ...]


@frozen(eq=False)
class _Instance:
    """One attempt: an action with its arguments."""

    action: Action
    args: tuple[Value, ...]
    refuse: Refuse
    apply: Apply
    #: The symbols that the effects write, by index.
    written: tuple[int, ...]
    #: Where its attempts are counted: see `GuardCoverage.rows`.
    row: list[int]


@frozen(eq=False)
class _Check:
    """
    A closed formula, remembered by the rows that it reads.

    `before` and `after` are the symbols that it reads in the world and in the next one. Most steps
    leave them alone, so most questions have been answered before.
    """

    property: Property
    holds: Callable[..., bool]
    before: Callable[[Packed], Any]
    after: Callable[[Packed], Any]
    known: dict[Any, bool] = field(factory=dict, init=False)


@define(eq=False)
class _Search:
    """A breadth-first search: its frontier, what it has seen, and what it has counted."""

    protocol: Protocol
    generated: Generated
    chosen: tuple[Property, ...]
    worlds_max: int
    depth_max: int | None
    progress: Progress
    guards: GuardCoverage = field(init=False)
    instances: list[_Instance] = field(init=False)
    invariants: list[_Check] = field(init=False)
    steps: list[_Check] = field(init=False)
    unreached: list[_Check] = field(init=False)
    #: World -> the world before it and the attempt that led here; None for the initial one.
    came_from: dict[Packed, tuple[Packed, _Instance] | None] = field(factory=dict, init=False)
    rows: list[list[list[Any]]] = field(init=False)
    numbers: list[dict[tuple[Any, ...], int]] = field(init=False)
    transitions: int = 0
    depth: int = 0
    #: Symbol and sort of numbers that left their range -> how many steps were cut.
    cut: dict[tuple[str, str], int] = field(factory=dict, init=False)
    #: As `cut`, where a property could not be evaluated.
    unread: set[tuple[str, str]] = field(factory=set, init=False)
    violated: tuple[Property, ...] = ()
    path: tuple[_Instance, ...] = ()
    #: What is left to expand when the search ends.
    frontier: list[Packed] = field(factory=list, init=False)
    full: bool = False

    def __attrs_post_init__(self) -> None:
        generated = self.generated
        self.guards = GuardCoverage(self.protocol.actions)
        self.instances = [
            _Instance(
                action,
                args,
                generated.refusal[action.name],
                generated.apply[action.name],
                tuple(sorted({generated.index[e.symbol] for e in action.effects})),
                self.guards.rows[action.name],
            )
            for action, args in generated.instances
        ]
        self.rows = [[] for _ in generated.index]
        self.numbers = [{} for _ in generated.index]
        self.invariants = [self._check(p) for p in self.chosen if p.role in INVARIANTS]
        self.steps = [self._check(p) for p in self.chosen if p.role is Role.STEP]
        self.unreached = [self._check(p) for p in self.chosen if p.role is Role.WITNESS]

    def _check(self, property: Property) -> _Check:
        formula = self.protocol.expand(property.formula)
        later = [t for t in subterms(formula) if t.head is Op.NEXT]
        before, after = (self._indices(symbols_of(*terms)) for terms in ([formula], later))
        return _Check(property, self.generated.check((), formula), _getter(before), _getter(after))

    def _indices(self, symbols: set[Symbol[Any, Any]]) -> tuple[int, ...]:
        return tuple(sorted(self.generated.index[s] for s in symbols if s.kind in (Kind.STATE, Kind.GHOST)))

    # ---- worlds -----------------------------------------------------------------------------------

    def _number(self, index: int, rows: list[Any]) -> int:
        key = tuple(rows)
        known = self.numbers[index]
        if (number := known.get(key)) is None:
            number = known[key] = len(known)
            self.rows[index].append(rows)
        return number

    def _unpacked(self, world: Packed) -> list[list[Any]]:
        """The rows of a world. They are shared: copy those that you change."""
        return [rows[number] for rows, number in zip(self.rows, world, strict=True)]

    def _successors(self, world: Packed) -> Iterator[tuple[_Instance, Packed]]:
        unpacked = self._unpacked(world)
        for instance in self.instances:
            try:
                if number := instance.refuse(unpacked, *instance.args):
                    instance.row[number << 1] += 1
                    continue
                changed = list(unpacked)
                for index in instance.written:
                    changed[index] = changed[index].copy()
                instance.apply(changed, *instance.args)
            except OutOfScope as cut:
                self.cut[cut.symbol, cut.sort] = self.cut.get((cut.symbol, cut.sort), 0) + 1
                # Neither enabled nor refused: it is beyond the scope.
                continue
            instance.row[1] += 1
            after = list(world)
            for index in instance.written:
                after[index] = self._number(index, changed[index])
            yield instance, tuple(after)

    def _holds(self, check: _Check, world: Packed, after: Packed | None = None) -> bool:
        key = (check.before(world), None if after is None else check.after(after))
        if (known := check.known.get(key)) is None:
            try:
                known = check.holds(self._unpacked(world), None if after is None else self._unpacked(after))
            except OutOfScope as cut:
                self.unread.add((cut.symbol, cut.sort))
                known = check.property.role is not Role.WITNESS
            check.known[key] = known
        return known

    # ---- the search -------------------------------------------------------------------------------

    def run(self) -> None:
        """Expand level after level, until nothing is left, a limit is reached or something is violated."""
        first = tuple(self._number(i, rows) for i, rows in enumerate(self.generated.initial()))
        self.came_from[first] = None
        self.frontier = [first]
        if self._violates(first, None, ()):
            return
        while self.frontier and not self.full and (self.depth_max is None or self.depth < self.depth_max):
            level, self.frontier = self.frontier, []
            for number, world in enumerate(level):
                if number % PROGRESS_EVERY == 0:
                    self.progress(self.work())
                if self._expand(world):
                    return
                if self.full:
                    return
            self.depth += bool(self.frontier)
        self.progress(self.work())

    def _expand(self, world: Packed) -> bool:
        """Take every step from `world`. True if one of them violates something."""
        for instance, after in self._successors(world):
            self.transitions += 1
            broken = [c.property for c in self.steps if not self._holds(c, world, after)]
            new = after not in self.came_from
            if new:
                if len(self.came_from) >= self.worlds_max:
                    self.full = True
                else:
                    self.came_from[after] = (world, instance)
                    self.frontier.append(after)
            if (new or broken) and self._violates(after, (world, instance), broken):
                return True
            if self.full:
                return False
        return False

    def _violates(
        self, world: Packed, last: tuple[Packed, _Instance] | None, broken: list[Property] | tuple[()]
    ) -> bool:
        self.unreached = [c for c in self.unreached if not self._holds(c, world)]
        self.violated = (*broken, *(c.property for c in self.invariants if not self._holds(c, world)))
        if self.violated:
            self.path = () if last is None else (*self._path(last[0]), last[1])
        return bool(self.violated)

    def _path(self, world: Packed) -> tuple[_Instance, ...]:
        steps: list[_Instance] = []
        while (origin := self.came_from[world]) is not None:
            world, instance = origin
            steps.append(instance)
        return tuple(reversed(steps))

    # ---- the answer -------------------------------------------------------------------------------

    def work(self) -> dict[str, int]:
        """What has been done so far."""
        return {
            "worlds": len(self.came_from),
            "transitions": self.transitions,
            "depth": self.depth,
            "cut": sum(self.cut.values()),
        }

    def report(self) -> Report:
        """The answer, and exactly what it is an answer to."""
        reasons = () if self.violated else tuple(self._reasons())
        verdict = Verdict.VIOLATED if self.violated else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS
        return Report(
            "explore",
            verdict,
            self._checked(),
            self._findings(),
            reasons=reasons,
            work=self.work(),
            properties=tuple(p.name for p in self.chosen),
            tables={
                "steps that the scope cut": tuple((f"{s}, {n}", f"{k:,}") for (s, n), k in self.cut.items()),
                **self.guards.tables(),
            },
            never_exercised=self.guards.never_exercised(),
        )

    def _findings(self) -> tuple[Finding, ...]:
        if not self.violated:
            return ()
        first, *more = self.violated
        trace = trace_of(
            self.protocol,
            self.generated.scope,
            [(i.action, i.args) for i in self.path],
            first,
            Search("explore", None, len(self.came_from), self.transitions),
            shortest="proved",
        )
        also = tuple(dict.fromkeys(p.name for p in more))
        return (Finding(first.id, first.name, first.because, FindingKind.SAFETY, trace, also),)

    @property
    def _complete(self) -> bool:
        return not self.frontier and not self.full

    def _checked(self) -> str:
        where = f"{self.protocol.name} with {self.generated.scope.said or 'this scope'}"
        counts = f"({len(self.came_from):,} worlds, {self.transitions:,} transitions, depth {self.depth})"
        if self.violated:
            shorter = _steps(max(len(self.path) - 1, 0))
            return f"every trace of up to {shorter} of {where}, and some longer ones {counts}"
        if self.full:
            return f"every trace of up to {_steps(self.depth)} of {where}, and some longer ones {counts}"
        length = "" if self._complete else f" of up to {_steps(self.depth)}"
        return f"every trace{length} of {where} {counts}"

    def _reasons(self) -> Iterator[str]:
        if not self.invariants and not self.steps:
            yield "there was no property to check"
        if self.full:
            yield f"the limit of {self.worlds_max:,} worlds was reached"
        if not self.transitions:
            yield "no step was taken, so nothing was checked"
        environment = {sort.__name__ for sort in ENVIRONMENT}
        for (symbol, sort), count in self.cut.items():
            if sort not in environment:
                yield f"{count:,} steps were cut off because {symbol} needs more {sort} than the scope has"
        for symbol, sort in sorted(self.unread):
            yield f"a property could not be evaluated because {symbol} needs more {sort} than the scope has"
        for check in self.unreached:
            more = "a larger scope" if self._complete else "more steps or a larger scope"
            yield f"the witness {check.property.name} was not reached: it needs {more}"


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"


def _getter(indices: tuple[int, ...]) -> Callable[[Packed], Any]:
    return itemgetter(*indices) if indices else _nothing


def _nothing(world: Packed) -> None:
    """What a formula without state reads of a world."""
