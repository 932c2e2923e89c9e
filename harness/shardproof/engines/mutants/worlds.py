"""
What the right protocol does, kept for all the wrong ones to be compared with.

A mistake changes one action. So a search for what comes of it need not take the steps again that
are as they were: the worlds of the right protocol, what it answers in each of them to every
attempt and where that leads are worked out once.

The worlds nearest to the start come first, all of them, so that what is found there is found in
the fewest steps. Where there are too many to go on like that, the rest of the search is spread
over the attempts: what can be done only after many steps is followed as often as what can be done
at once. Traces that come of that may be longer than they have to be; `lockstep` makes them shorter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from heapq import heappop, heappush
from random import Random
from typing import Any

from attrs import define, evolve, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Kind, Op, Symbol, subterms, symbols_of
from shardproof_properties.at_home import at_home
from shardproof_properties.enabled import enabled
from shardproof_properties.property import Property, Role
from shardproof_properties.safety import REPEATABLE

from ...readings.generated import Apply, Generated, Refuse
from ...readings.scope import OutOfScope, Scope, Value

#: An action, by name, and the elements that it is taken with.
Taken = tuple[str, tuple[Value, ...]]

#: For each symbol, the number of its rows among all rows that were seen of it.
Packed = tuple[int, ...]

#: An answer is 0 for accepted, the number of the clause that refuses, or this: the scope cannot say.
UNKNOWN = 255


@frozen(eq=False)
class Attempt:
    """An action with its arguments."""

    action: Action
    args: tuple[Value, ...]
    refuse: Refuse
    apply: Apply
    #: The symbols that the effects write, by index.
    written: tuple[int, ...]

    @classmethod
    def of(cls, generated: Generated, action: Action, args: tuple[Value, ...]) -> Attempt:
        """The attempt, as `generated` takes it."""
        written = tuple(sorted({generated.index[e.symbol] for e in action.effects}))
        return cls(action, args, generated.refusal[action.name], generated.apply[action.name], written)


@define(eq=False)
class Worlds:
    """
    The reachable worlds of a protocol at a scope.

    Half of `attempts_max` goes to the worlds nearest to the start, if so many are needed, and the
    rest to those that are reached by what is seldom possible. With none at all only the first world
    is there, for `expand` to go on from.
    """

    protocol: Protocol
    scope: Scope
    attempts_max: int
    seed: int = 0
    generated: Generated = field(init=False)
    attempts: tuple[Attempt, ...] = field(init=False)
    #: Name and arguments -> attempt.
    index: dict[tuple[str, tuple[Value, ...]], int] = field(init=False)
    #: The attempts of an action, by its name.
    places: dict[str, range] = field(factory=dict, init=False)
    found: list[Packed] = field(factory=list, init=False)
    number: dict[Packed, int] = field(factory=dict, init=False)
    depth: list[int] = field(factory=list, init=False)
    #: World -> the one before it and the attempt that led here.
    came_from: list[tuple[int, int] | None] = field(factory=list, init=False)
    #: Of each world that was expanded: the answer to every attempt, and where the accepted ones lead.
    answers: dict[int, bytes] = field(factory=dict, init=False)
    successors: dict[int, dict[int, int]] = field(factory=dict, init=False)
    #: Expanded worlds, by their number of steps.
    levels: list[list[int]] = field(factory=list, init=False)
    #: Whether every world of the scope was found and expanded.
    complete: bool = field(default=False, init=False)
    #: All worlds that take so many steps or fewer were expanded.
    known_depth: int = field(default=-1, init=False)
    _rows: list[list[list[Any]]] = field(init=False)
    _numbers: list[dict[tuple[Any, ...], int]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.generated = Generated(self.protocol, self.scope)
        self.attempts = tuple(Attempt.of(self.generated, a, args) for a, args in self.generated.instances)
        self.index = {(a.action.name, a.args): i for i, a in enumerate(self.attempts)}
        for i, attempt in enumerate(self.attempts):
            place = self.places.get(attempt.action.name)
            self.places[attempt.action.name] = range(place.start if place else i, i + 1)
        self._rows = [[] for _ in self.generated.index]
        self._numbers = [{} for _ in self.generated.index]
        self._enter(self.packed(self.generated.initial()), None)
        self._grow()

    # ---- one world ------------------------------------------------------------------------------

    def packed(self, rows: Sequence[list[Any]]) -> Packed:
        """A world, as numbers of its rows."""
        return tuple(self._number(i, r) for i, r in enumerate(rows))

    def _number(self, index: int, rows: list[Any]) -> int:
        key = tuple(rows)
        known = self._numbers[index]
        if (number := known.get(key)) is None:
            number = known[key] = len(known)
            self._rows[index].append(rows)
        return number

    def rows(self, world: Packed) -> list[list[Any]]:
        """The rows of a world. They are shared: copy those that you change."""
        return [rows[number] for rows, number in zip(self._rows, world, strict=True)]

    def after(self, world: Packed, rows: list[list[Any]], attempt: Attempt) -> Packed:
        """The world after `attempt`, whether or not it is accepted. Raises `OutOfScope`."""
        changed = list(rows)
        for index in attempt.written:
            changed[index] = changed[index].copy()
        attempt.apply(changed, *attempt.args)
        after = list(world)
        for index in attempt.written:
            after[index] = self._number(index, changed[index])
        return tuple(after)

    # ---- all of them ----------------------------------------------------------------------------

    def go(self, world: int, i: int) -> int:
        """The world after attempt number `i`, which is accepted in `world`. Raises `OutOfScope`."""
        after = self.after(self.found[world], self.rows(self.found[world]), self.attempts[i])
        number = self.number.get(after)
        return self._enter(after, (world, i)) if number is None else number

    def level(self, depth: int) -> Sequence[int]:
        """The worlds that take `depth` steps to reach, as far as they are known; empty after the last one."""
        return self.levels[depth] if depth < len(self.levels) else ()

    def path(self, world: int, last: int) -> tuple[Taken, ...]:
        """The steps to a world, and one more."""
        steps = [last]
        while (origin := self.came_from[world]) is not None:
            world = origin[0]
            steps.append(origin[1])
        return tuple((self.attempts[i].action.name, self.attempts[i].args) for i in reversed(steps))

    def _grow(self) -> None:
        worlds_max = self.attempts_max // max(len(self.attempts), 1)
        nearest = 0
        while nearest < len(self.found) and nearest < worlds_max // 2:
            self.expand(nearest)
            nearest += 1
        if nearest == len(self.found):
            self.complete, self.known_depth = True, max(self.depth)
            return
        self.known_depth = self.depth[nearest] - 1
        self._spread(worlds_max)

    def _spread(self, worlds_max: int) -> None:
        """
        Go on with what is seldom possible.

        Each world is known by the rarest attempt on the way to it. Of these, each is followed as
        often as any other, and after it, each attempt as often as any other.
        """
        chance = Random(self.seed)
        followed: Counter[int | None] = Counter()
        next_after: Counter[tuple[int, int]] = Counter()
        rarest: dict[int, int] = {}
        waiting: dict[int, dict[int, list[tuple[int, float, int]]]] = {}

        def wait(worlds: Iterable[int]) -> None:
            for world in worlds:
                if (origin := self.came_from[world]) is not None:
                    before, i = rarest.get(origin[0], origin[1]), origin[1]
                    rare = rarest[world] = min(before, i, key=lambda a: followed[a])
                    if world not in self.answers:
                        heap = waiting.setdefault(rare, {}).setdefault(i, [])
                        heappush(heap, (self.depth[world], chance.random(), world))

        wait(range(len(self.found)))
        while waiting and len(self.answers) < worlds_max:
            rare = min(waiting, key=lambda i: (followed[i], i))
            i = min(waiting[rare], key=lambda i: (next_after[rare, i], i))
            followed[rare] += 1
            next_after[rare, i] += 1
            # The nearest: a longer way has used up more of what there is only a few of.
            _, _, world = heappop(waiting[rare][i])
            if not waiting[rare][i]:
                del waiting[rare][i]
            if not waiting[rare]:
                del waiting[rare]
            known = len(self.found)
            self.expand(world)
            wait(range(known, len(self.found)))

    def expand(self, world: int) -> None:
        """Find out what `world` answers and where it leads, if that is not known."""
        if world in self.answers:
            return
        answers = bytearray(len(self.attempts))
        successors: dict[int, int] = {}
        packed = self.found[world]
        rows = self.rows(packed)
        for i, attempt in enumerate(self.attempts):
            try:
                answers[i] = attempt.refuse(rows, *attempt.args)
                if answers[i]:
                    continue
                after = self.after(packed, rows, attempt)
            except OutOfScope:
                answers[i] = UNKNOWN
                continue
            number = self.number.get(after)
            successors[i] = self._enter(after, (world, i)) if number is None else number
        self.answers[world] = bytes(answers)
        self.successors[world] = successors
        depth = self.depth[world]
        while len(self.levels) <= depth:
            self.levels.append([])
        self.levels[depth].append(world)

    def _enter(self, world: Packed, origin: tuple[int, int] | None) -> int:
        number = self.number[world] = len(self.found)
        self.found.append(world)
        self.depth.append(0 if origin is None else self.depth[origin[0]] + 1)
        self.came_from.append(origin)
        return number


# ---- what is asked of worlds and steps -------------------------------------------------------------


@frozen(eq=False)
class _Check:
    """A closed formula, remembered by the rows that it reads in a world and in the next one."""

    property: Property
    holds: Callable[..., bool]
    before: tuple[int, ...]
    after: tuple[int, ...]
    known: dict[Any, bool] = field(factory=dict, init=False)


#: What is true of worlds, one by one.
INVARIANTS = (Role.SAFETY, Role.ENABLED)


def is_about(p: Property, action: Action) -> bool:
    """Whether `p` is made from the action: it has its parameters, the very same."""
    return (
        p.role is Role.ENABLED
        and len(p.variables) == len(action.parameters)
        and all(v is q for v, q in zip(p.variables, action.parameters, strict=True))
    )


def of_guards(protocol: Protocol) -> tuple[Property, ...]:
    """What is said of the actions of a protocol: of other actions, these are other sentences."""
    return (*enabled.of(protocol), *at_home.of(protocol))


@define(eq=False)
class Checks:
    """Properties of worlds and of steps, at a scope; what was asked once is not worked out again."""

    worlds: Worlds
    properties: tuple[Property, ...]
    #: Closed formulas about one world.
    invariants: list[_Check] = field(init=False)
    _steps: list[_Check] = field(init=False)
    #: What an implementation has, by index.
    _visible: tuple[int, ...] = field(init=False)
    #: Whether some property could not be evaluated because a number left its range.
    unread: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.invariants = [self._check(p) for p in self.properties if p.role in INVARIANTS]
        self._steps = [self._check(p) for p in self.properties if p.role is Role.STEP]
        index = self.worlds.generated.index
        self._visible = tuple(i for s, i in index.items() if s.kind is Kind.STATE)

    def about(self, changed: Sequence[Action], counts: Callable[[str], bool]) -> tuple[Checks, Checks]:
        """
        The same for a protocol in which these guards are others; and apart, what is to be said of those.

        That an action is accepted where it must be is a sentence about its guard.
        """
        protocol = self.worlds.protocol
        wrong = evolve(
            protocol,
            actions=tuple(next((b for b in changed if b.name == a.name), a) for a in protocol.actions),
        )
        theirs = tuple(
            p
            for p in of_guards(wrong)
            if any(is_about(p, b) for b in changed) and (counts(p.name) or counts(p.id))
        )
        apart = Checks(self.worlds, theirs)
        return self._with(apart, changed), apart

    def _with(self, apart: Checks, changed: Sequence[Action]) -> Checks:
        others = copy(self)
        stale = [c for c in self.invariants if any(is_about(c.property, b) for b in changed)]
        others.invariants = [*(c for c in self.invariants if c not in stale), *apart.invariants]
        return others

    def _check(self, property: Property) -> _Check:
        formula = self.worlds.protocol.expand(property.formula)
        later = [t for t in subterms(formula) if t.head is Op.NEXT]
        before, after = (self._indices(symbols_of(*terms)) for terms in ([formula], later))
        return _Check(property, self.worlds.generated.check((), formula), before, after)

    def _indices(self, symbols: set[Symbol[Any, Any]]) -> tuple[int, ...]:
        return tuple(sorted(self.worlds.generated.index[s] for s in symbols if s.is_state))

    def broken(self, before: Packed, after: Packed) -> Property | None:
        """The first property that the step violates, or the world after it."""
        return self.broken_by(before, after) or self.broken_in(after)

    def broken_by(self, before: Packed, after: Packed) -> Property | None:
        """The first property that a step violates."""
        return next((c.property for c in self._steps if not self._holds(c, before, after)), None)

    def broken_in(self, world: Packed) -> Property | None:
        """The first property that a world violates."""
        return next((c.property for c in self.invariants if not self._holds(c, world, None)), None)

    def idle(self, action: Action, before: Packed, after: Packed) -> bool:
        """Whether an accepted step changed nothing that an implementation has, and should have."""
        return action.name not in REPEATABLE and all(before[i] == after[i] for i in self._visible)

    def _holds(self, check: _Check, world: Packed, after: Packed | None) -> bool:
        key = tuple([world[i] for i in check.before] + ([after[i] for i in check.after] if after else []))
        if (known := check.known.get(key)) is None:
            rows = self.worlds.rows
            try:
                known = check.holds(rows(world), rows(after) if after else None)
            except OutOfScope:
                self.unread = known = True
            check.known[key] = known
        return known
