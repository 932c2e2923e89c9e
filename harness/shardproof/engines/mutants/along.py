"""
A mistake along random walks of the protocol: the first look, and for most of them the last.

Most mistakes are noticed at once, or soon, wherever what is mistaken is done at all; and walks do
all that can be done. In every world that a walk comes through, the mistaken action is attempted in
every way. Where the mistake does otherwise and nothing is wrong with that yet, it goes on for a
while: as the walk did, and then in ways of its own.

Walks of one protocol are the same for all mistakes in it. That nothing was noticed means nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from random import Random
from typing import Any

from attrs import define, field

from shardproof_models.language.actions import Action
from shardproof_models.language.terms import Symbol, symbols_of

from ...readings.scope import OutOfScope
from ...readings.walks import walk
from .beside import FOLLOWS, REASONS, Beside, How, Noticed, idle
from .worlds import UNKNOWN, Packed, Taken, Worlds

#: How many walks, and of how many steps each.
WALKS, LENGTH = 120, 60

#: How many more begin where one of those did something.
BRANCHES = 180

#: In how many worlds an attempt is made that differs in the same way in each.
ALIKE = 6

#: How often the mistake goes on after it has parted from the protocol, and for how many steps.
GOES_ON, FURTHER = 60, 40


#: A world, as its rows.
Rows = list[list[Any]]


@define(eq=False)
class Trodden:
    """The worlds that random walks of a protocol come through."""

    worlds: Worlds
    seed: int
    #: Each walk: a world, and the attempt that was taken there, in their order.
    walks: list[list[tuple[int, int]]] = field(factory=list, init=False)
    #: Every walk and place in it, the nearest to the start first.
    places: list[tuple[int, int]] = field(init=False)
    #: By action and by what its guard reads: the answers to all attempts.
    _answers: dict[tuple[str, Packed], bytes] = field(factory=dict, init=False)
    _reads: dict[str, Packed] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        dice = Random(self.seed)
        self.walks = [list(self._walk(dice, 0)) for _ in range(WALKS)]
        done = self._done()
        for _ in range(BRANCHES):
            # Of each action as often as of any other, and of each attempt of it.
            number, place = dice.choice(dice.choice(dice.choice(done)))
            before = self.walks[number][: place + 1]
            world, i = before[-1]
            self.walks.append([*before, *self._walk(dice, self.worlds.go(world, i))])
        places = ((number, place) for number, steps in enumerate(self.walks) for place in range(len(steps)))
        self.places = sorted(places, key=lambda where: where[1])

    def _done(self) -> list[list[list[tuple[int, int]]]]:
        """By action and by attempt, where it was taken."""
        done: dict[str, dict[int, list[tuple[int, int]]]] = {}
        for number, steps in enumerate(self.walks):
            for place, (_, i) in enumerate(steps):
                attempts = done.setdefault(self.worlds.attempts[i].action.name, {})
                attempts.setdefault(i, []).append((number, place))
        return [list(attempts.values()) for attempts in done.values()]

    def _walk(self, dice: Random, start: int) -> Iterator[tuple[int, int]]:
        worlds, here, after = self.worlds, start, start
        rows = worlds.rows(worlds.found[here])

        def accepts(i: int) -> bool:
            nonlocal after
            attempt = worlds.attempts[i]
            try:
                if attempt.refuse(rows, *attempt.args):
                    return False
                after = worlds.go(here, i)
            except OutOfScope:
                return False
            return True

        for i in walk(worlds.places, accepts, LENGTH, dice):
            yield here, i
            here = after
            rows = worlds.rows(worlds.found[here])

    def changes(self, action: Action) -> bool:
        """Whether an attempt of `action` was seen to lead to another world."""
        place = self.worlds.places[action.name]
        return any(i in place and self.worlds.go(w, i) != w for steps in self.walks for w, i in steps)

    def answers(self, world: int, action: Action) -> bytes:
        """What the protocol answers in a world to every attempt of an action."""
        if (reads := self._reads.get(action.name)) is None:
            index = self.worlds.generated.index
            symbols = symbols_of(*(c.condition for c in action.clauses))
            reads = self._reads[action.name] = tuple(sorted(index[s] for s in symbols if s.is_state))
        packed = self.worlds.found[world]
        key = action.name, tuple(packed[i] for i in reads)
        if (known := self._answers.get(key)) is None:
            rows = self.worlds.rows(packed)
            known = self._answers[key] = bytes(self._answer(i, rows) for i in self.worlds.places[action.name])
        return known

    def _answer(self, i: int, rows: Rows) -> int:
        attempt = self.worlds.attempts[i]
        try:
            return attempt.refuse(rows, *attempt.args)
        except OutOfScope:
            return UNKNOWN


@define(eq=False)
class Along:
    """The search for one mistake along known walks."""

    trodden: Trodden
    beside: Beside
    seed: int
    _worlds: Worlds = field(init=False)
    #: Of each changed action, the rows that decide whether the two differ in a world.
    _matter: dict[str, Packed] = field(init=False)
    #: Where the two have parted: walk, place in it, attempt, and the world of the mistake after it.
    _parted: list[tuple[int, int, int, Packed]] = field(factory=list, init=False)
    _fallback: Noticed | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._worlds = self.trodden.worlds
        index = self._worlds.generated.index
        self._matter = {
            a.name: tuple(sorted(index[s] for s in _read(a, b) if s.is_state)) for a, b in self.beside.changed
        }

    def look(self) -> Noticed | None:
        """What is noticed; nothing, if nothing is."""
        found = next(self._at_once(), None) or next(self._later(), None) or self._fallback
        return self.beside.shown(found)

    # ---- in the worlds of the walks -----------------------------------------------------------------

    def _at_once(self) -> Iterator[Noticed]:
        tried: Counter[tuple[int, Packed]] = Counter()
        seen: set[int] = set()
        together = [self._together(number) for number in range(len(self.trodden.walks))]
        for number, place in self.trodden.places:
            world = self.trodden.walks[number][place][0]
            if place > together[number] or world in seen:
                continue
            seen.add(world)
            if broken := self.beside.due.broken_in(self._worlds.found[world]):
                yield Noticed(How.VIOLATION, broken, broken.name, self._path(number, place))
            for right, wrong in self.beside.changed:
                yield from self._in_one(number, place, right, wrong, tried)

    def _together(self, number: int) -> int:
        """The place up to which the mistake goes with a walk."""
        steps = self.trodden.walks[number]
        for place, (world, i) in enumerate(steps):
            if i in self.beside.attempts:
                packed = self._worlds.found[world]
                if self._after(packed, i) != self.follow(packed, i):
                    return place
        return len(steps)

    def _after(self, world: Packed, i: int) -> Packed | None:
        attempt, rows = self.beside.attempt(i), self._worlds.rows(world)
        try:
            return None if attempt.refuse(rows, *attempt.args) else self._worlds.after(world, rows, attempt)
        except OutOfScope:
            return None

    def _in_one(
        self, number: int, place: int, right: Action, wrong: Action, tried: Counter[tuple[int, Packed]]
    ) -> Iterator[Noticed]:
        world = self.trodden.walks[number][place][0]
        packed = self._worlds.found[world]
        answers = self.trodden.answers(world, right)
        same, moves = self.beside.same[right.name], right.name in self.beside.moves
        asks = same < max(len(right.clauses), len(wrong.clauses))
        matter = tuple(packed[k] for k in self._matter[right.name])
        rows = self._worlds.rows(packed)
        for i, answer in zip(self._worlds.places[right.name], answers, strict=True):
            # The clauses that they have in common refuse the same, and some mistakes are in effects only.
            asked = answer > same or (not answer and (moves or asks))
            if answer == UNKNOWN or not asked or tried[i, matter] >= ALIKE:
                continue
            noticed, differs = self._attempted(number, place, i, answer, rows)
            yield from noticed
            # Whether they differ depends on these rows only; what is wrong with it, on others too.
            tried[i, matter] += 1 if differs else ALIKE

    def _attempted(
        self, number: int, place: int, i: int, answer: int, rows: Rows
    ) -> tuple[Sequence[Noticed], bool]:
        """What is noticed of attempt number `i`, which the protocol gives `answer`; do the two differ?"""
        wrong, right = self.beside.attempt(i), self._worlds.attempts[i]
        packed = self._worlds.found[self.trodden.walks[number][place][0]]
        try:
            refused = wrong.refuse(rows, *wrong.args)
            if refused:
                return self._refused(number, place, i, answer, refused), True
            after = self._worlds.after(packed, rows, wrong)
            if not answer and after == self._worlds.after(packed, rows, right):
                return (), False
        except OutOfScope:
            return (), True
        self._parted.append((number, place, i, after))
        return self.wrong(packed, after, wrong.action, lambda: self._path(number, place, i)), True

    def _refused(self, number: int, place: int, i: int, answer: int, refused: int) -> Sequence[Noticed]:
        if not answer:
            self.fall_back(self._path(number, place, i))
        elif self.beside.only_order and self.beside.counts(REASONS):
            clauses = self._worlds.attempts[i].action.clauses, self.beside.attempt(i).action.clauses
            if clauses[0][answer - 1].refusal != clauses[1][refused - 1].refusal:
                return (Noticed(How.REASON, None, REASONS, self._path(number, place, i)),)
        return ()

    @property
    def fallen_back(self) -> bool:
        """Whether it is known that the model is not followed; nobody needs to know it twice."""
        return self._fallback is not None

    def fall_back(self, steps: tuple[Taken, ...]) -> None:
        """That the model is not followed is said where nothing better is found."""
        if self._fallback is None and self.beside.counts(FOLLOWS):
            self._fallback = Noticed(How.REFUSED, None, FOLLOWS, steps)

    def wrong(
        self, before: Packed, after: Packed, action: Action, steps: Callable[[], tuple[Taken, ...]]
    ) -> Sequence[Noticed]:
        """What is violated by a step, or in the world after it."""
        if broken := self.beside.checks.broken(before, after):
            return (Noticed(How.VIOLATION, broken, broken.name, steps()),)
        if self.beside.checks.idle(action, before, after) and self.beside.counts(idle(action)):
            return (Noticed(How.IDLE, None, idle(action), steps()),)
        return ()

    def _path(self, number: int, place: int, *last: int) -> tuple[Taken, ...]:
        steps = (*(i for _, i in self.trodden.walks[number][:place]), *last)
        return tuple(map(self._taken, steps))

    def _taken(self, i: int) -> Taken:
        attempt = self._worlds.attempts[i]
        return attempt.action.name, attempt.args

    # ---- after they have parted ---------------------------------------------------------------------

    def _later(self) -> Iterator[Noticed]:
        dice = Random(self.seed)
        for _ in range(GOES_ON if self._parted else 0):
            number, place, i, after = dice.choice(self._parted)
            world = self._worlds.found[self.trodden.walks[number][place][0]]
            further = _Further(self, after, self.follow(world, i), [*self._path(number, place, i)])
            if dice.randrange(2):
                further.as_before([i for _, i in self.trodden.walks[number][place:]])
            else:
                further.its_own_way(dice)
            yield from further.noticed

    def follow(self, model: Packed | None, i: int) -> Packed | None:
        """The world of the protocol after an attempt, if it still takes part."""
        if model is None:
            return None
        attempt, rows = self._worlds.attempts[i], self._worlds.rows(model)
        try:
            return None if attempt.refuse(rows, *attempt.args) else self._worlds.after(model, rows, attempt)
        except OutOfScope:
            return None


@define(eq=False)
class _Further:
    """The mistake, and the protocol beside it, after they have parted."""

    along: Along
    world: Packed
    model: Packed | None
    steps: list[Taken]
    noticed: list[Noticed] = field(factory=list, init=False)
    _rows: Rows = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._rows = self.along.trodden.worlds.rows(self.world)

    def as_before(self, attempts: Iterable[int]) -> None:
        """Go on as the walk did, leaving out what is refused."""
        for i in attempts:
            if self.noticed:
                break
            self._take(i)

    def its_own_way(self, dice: Random) -> None:
        """Go on with a walk of its own."""
        for _ in walk(self.along.trodden.worlds.places, self._take, FURTHER, dice):
            if self.noticed:
                break

    def _take(self, i: int) -> bool:
        worlds, attempt = self.along.trodden.worlds, self.along.beside.attempt(i)
        taken = attempt.action.name, attempt.args
        try:
            if attempt.refuse(self._rows, *attempt.args):
                if not self.along.fallen_back and self.along.follow(self.model, i) is not None:
                    self.along.fall_back((*self.steps, taken))
                return False
            after = worlds.after(self.world, self._rows, attempt)
        except OutOfScope:
            return False
        self.model = self.along.follow(self.model, i)
        self.steps.append(taken)
        self.noticed += self.along.wrong(self.world, after, attempt.action, lambda: tuple(self.steps))
        self.world, self._rows = after, worlds.rows(after)
        return True


def _read(right: Action, wrong: Action) -> set[Symbol[Any, Any]]:
    """What decides what the two answer and do."""
    effects = (*right.effects, *wrong.effects)
    return {
        *symbols_of(*(c.condition for c in (*right.clauses, *wrong.clauses))),
        *symbols_of(*(t for e in effects for t in (e.value, e.where, e.cell))),
    }
