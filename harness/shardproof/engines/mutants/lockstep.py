"""
A mistake beside the protocol that it is a mistake in, step by step, breadth first.

As long as the two do the same they are in the same world, and those worlds are known. Here are
the others: the first step at which they part, and what can come of it. They part where

* the mistake accepts what the protocol refuses. Then it goes on alone: only a property can say
  that this matters, because refusing is for the sake of the properties;
* both accept, and the worlds after it differ. Both go on, with the same attempts;
* the mistake refuses what the protocol accepts. If a property says when the attempt must be
  accepted, the world in which it is not is a violation, without the attempt being made. Else an
  honest attempt fails, after a trace that the protocol accepts step by step: that is seen from
  outside, under the name of the progress property that promises it to succeed, if there is one;
* both refuse, by different clauses. A relayer is told something else, and nothing is different
  otherwise. This is said only of a mistake that accepts exactly what it should.

The search is breadth first, so the first violation has the fewest steps that any has in its scope.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define, field, frozen

from ...readings.scope import OutOfScope
from .beside import FOLLOWS, REASONS, Beside, How, Noticed, idle
from .worlds import UNKNOWN, Packed, Taken, Worlds

#: How many steps a trace to a property of the catalogue may be longer than one to the first wrong refusal.
FURTHER = 4


@frozen(eq=False)
class Looked:
    """What a search found, and whether it saw everything there is at its scope."""

    noticed: Noticed | None
    #: A refusal for another reason, if nothing else was seen to differ.
    reason: Noticed | None
    complete: bool
    #: A shortest trace after which the two are in different worlds, or one has accepted what it must not.
    parted: tuple[Taken, ...] | None
    #: Whether the mistake was seen to accept what the protocol refuses.
    accepts_more: bool

    @property
    def differs(self) -> bool:
        """Whether the two were seen to differ in any way."""
        return self.noticed is not None or self.reason is not None or self.parted is not None


#: A pair of worlds: the protocol's, if it still takes part, and the mistake's.
Pair = tuple[int | None, Packed]


@define(eq=False)
class Lockstep:
    """The search for one mistake: `mistaken` has the symbols of the protocol, and other actions."""

    beside: Beside
    pairs_max: int
    #: The worlds of the protocol.
    worlds: Worlds = field(init=False)
    _came_from: dict[Pair, tuple[Pair, int]] = field(factory=dict, init=False)
    #: The pairs of one level that are not the same world twice, and of the next.
    _frontier: list[Pair] = field(factory=list, init=False)
    _next: list[Pair] = field(factory=list, init=False)
    #: Common worlds that the mistake reaches, of this level, of the next, and of all: if it `loses` some.
    _common: list[int] = field(factory=list, init=False)
    _rejoined: list[int] = field(factory=list, init=False)
    _reached: set[int] = field(factory=set, init=False)
    _fallback: Noticed | None = field(default=None, init=False)
    _reason: Noticed | None = field(default=None, init=False)
    _found: Noticed | None = field(default=None, init=False)
    _parted: tuple[Taken, ...] | None = field(default=None, init=False)
    _accepts_more: bool = field(default=False, init=False)
    _cut: bool = field(default=False, init=False)
    _level: int = field(default=0, init=False)
    _pairs: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.worlds = self.beside.worlds

    # ---- the search -----------------------------------------------------------------------------

    def look(self) -> Looked:
        """Search level by level, until something is noticed, nothing is left, or there are too many pairs."""
        self._common, self._reached = [0], {0}
        exhausted = False
        while not self._too_many:
            level = self._of_level()
            if not level and not self._frontier:
                exhausted = True
                break
            self._next, self._rejoined = [], []
            if (
                any(map(self._is_wrong, level))
                or any(map(self._from_common, level))
                or any(map(self._from_pair, self._frontier))
            ):
                break
            self._advance(level)
        noticed = self._found or self._fallback
        reason = None if self._accepts_more or self._parted or noticed else self._reason
        noticed, reason = map(self.beside.shown, (noticed, reason))
        unread = self.beside.checks.unread or self.beside.due.unread
        complete = exhausted and self.worlds.complete and not self._cut and not unread
        return Looked(noticed, reason, complete, self._parted, self._accepts_more)

    @property
    def _too_many(self) -> bool:
        # That the model is not followed is a last resort: look a little further for a better name.
        further = self._fallback is not None and self._level > len(self._fallback.steps) + FURTHER
        return self._pairs > self.pairs_max or further

    def _of_level(self) -> Sequence[int]:
        known = self.worlds.level(self._level)
        if not self.beside.loses:
            return known
        return [w for w in self._common if w in self.worlds.answers]

    def _advance(self, level: Sequence[int]) -> None:
        self._frontier = self._next
        self._level += 1
        if self.beside.loses:
            after = dict.fromkeys(self._rejoined)
            for world in level:
                for i, successor in self.worlds.successors[world].items():
                    if successor in self._reached or i in self.beside.attempts:
                        continue
                    self._reached.add(successor)
                    self._came_from[successor, self.worlds.found[successor]] = (
                        (world, self.worlds.found[world]),
                        i,
                    )
                    after[successor] = None
            self._common = list(after)

    def _is_wrong(self, world: int) -> bool:
        """Whether what is said of the changed actions is false in a world where the two are together."""
        packed = self.worlds.found[world]
        if broken := self.beside.due.broken_in(packed):
            self._found = Noticed(How.VIOLATION, broken, broken.name, self._path((world, packed)))
        return self._found is not None

    def _from_common(self, world: int) -> bool:
        """What the mistake does in a world where it is with the protocol. True if that ends the search."""
        answers = self.worlds.answers[world]
        packed = self.worlds.found[world]
        rows: list[list[Any]] | None = None
        for name, same in self.beside.same.items():
            place = self.worlds.places[name]
            part = answers[place.start : place.stop]
            if name not in self.beside.moves and max(part) <= same and min(part) > 0:
                continue
            for k, answer in enumerate(part):
                if answer == UNKNOWN or 0 < answer <= same:
                    continue
                i = place.start + k
                rows = rows or self.worlds.rows(packed)
                if self._step((world, packed), i, answer, rows):
                    return True
        return False

    def _from_pair(self, pair: Pair) -> bool:
        world, packed = pair
        answers = None if world is None else self.worlds.answers.get(world)
        rows = self.worlds.rows(packed)
        if self._too_many:
            return True
        for i in range(len(self.worlds.attempts)):
            answer = UNKNOWN if answers is None else answers[i]
            if self._step(pair, i, answer, rows):
                return True
        return False

    def _step(self, pair: Pair, i: int, answer: int, rows: list[list[Any]]) -> bool:
        """Attempt number `i` in a pair of worlds, where the protocol gives `answer`."""
        world, packed = pair
        attempt = self.beside.attempt(i)
        together = world is not None and self.worlds.found[world] == packed
        try:
            mistaken = attempt.refuse(rows, *attempt.args)
            if mistaken:
                return self._refused(pair, i, answer, mistaken, together=together)
            after = self.worlds.after(packed, rows, attempt)
        except OutOfScope:
            self._cut = True
            return False
        model = self.worlds.successors[world].get(i) if world is not None and answer == 0 else None
        if together and model is not None and self.worlds.found[model] == after:
            if self.beside.loses and model not in self._reached:
                self._reached.add(model)
                self._came_from[model, after] = (pair, i)
                self._rejoined.append(model)
            return False
        if together and answer == 0 and model is None and self._beyond(i, packed, rows) == after:
            return False
        if broken := self.beside.checks.broken(packed, after):
            self._found = Noticed(How.VIOLATION, broken, broken.name, self._path(pair, i))
            return True
        if self.beside.checks.idle(attempt.action, packed, after):
            name = idle(attempt.action)
            if self.beside.counts(name):
                self._found = Noticed(How.IDLE, None, name, self._path(pair, i))
                return True
        if together and (answer != 0 or model is None):
            self._accepts_more = self._accepts_more or answer not in (0, UNKNOWN)
        if self._parted is None:
            self._parted = self._path(pair, i)
        self._enter((model, after), pair, i)
        return False

    def _beyond(self, i: int, packed: Packed, rows: list[list[Any]]) -> Packed:
        """Where the protocol goes, if that is further than its worlds were followed."""
        return self.worlds.after(packed, rows, self.worlds.attempts[i])

    def _enter(self, new: Pair, pair: Pair, i: int) -> None:
        world, packed = new
        known = self.worlds.number.get(packed)
        if known is not None and (world is None or world == known):
            # The mistake is in a world where it was, or will be, with the protocol.
            if self.beside.loses and world == known and known not in self._reached:
                self._reached.add(known)
                self._came_from[new] = (pair, i)
                self._rejoined.append(known)
                return
            seen = (
                known in self._reached if self.beside.loses else self.worlds.depth[known] <= self._level + 1
            )
            if seen:
                return
        if new not in self._came_from:
            self._came_from[new] = (pair, i)
            self._next.append(new)
            self._pairs += 1

    def _refused(self, pair: Pair, i: int, answer: int, mistaken: int, *, together: bool) -> bool:
        attempt = self.beside.attempt(i)
        if answer == UNKNOWN:
            return False
        if answer == 0:
            world = pair[0]
            assert world is not None
            promise = self.beside.progress.of(world, attempt.action.name, attempt.args, self.beside.counts)
            if promise is not None:
                self._found = Noticed(How.PROGRESS, promise, promise.name, self._path(pair, i))
                return True
            if self._fallback is None and self.beside.counts(FOLLOWS):
                self._fallback = Noticed(How.REFUSED, None, FOLLOWS, self._path(pair, i))
            return False
        original = self.worlds.attempts[i].action.clauses[answer - 1].refusal
        other = attempt.action.clauses[mistaken - 1].refusal != original
        if other and together and self._reason is None and self.beside.counts(REASONS):
            self._reason = Noticed(How.REASON, None, REASONS, self._path(pair, i))
            # Where nothing else can differ, nothing else has to be looked for.
            return self.beside.only_order
        return False

    def _path(self, pair: Pair, *last: int) -> tuple[Taken, ...]:
        steps = [*map(self._taken, last)]
        while True:
            if (before := self._came_from.get(pair)) is not None:
                pair, i = before
            elif (origin := self.worlds.came_from[pair[0]] if pair[0] is not None else None) is not None:
                pair, i = (origin[0], self.worlds.found[origin[0]]), origin[1]
            else:
                return tuple(reversed(steps))
            steps.append(self._taken(i))

    def _taken(self, i: int) -> Taken:
        attempt = self.worlds.attempts[i]
        return attempt.action.name, attempt.args
