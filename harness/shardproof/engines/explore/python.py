"""The search in Python: for few worlds, and for machines without a compiler."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field, frozen

from shardproof_properties.property import Property

from .answer import Answer, memory_reached, worlds_reached
from .question import Question
from .stepping import Check, Instance, Packed, Stepping

#: Measured: what a world takes in Python for each symbol of the protocol. It cannot be told exactly.
BYTES_A_SYMBOL = 32

#: How many worlds are expanded between two reports of progress.
PROGRESS_EVERY = 500


@frozen(eq=False)
class Level:
    """What was counted when a level of worlds was complete."""

    depth: int
    #: Whether no level comes after it.
    last: bool
    worlds: int
    transitions: int
    cut: int
    decided: dict[str, tuple[int, ...]]


@define(eq=False)
class PythonSearch:
    """A breadth-first search: its frontier, what it has seen, and what it has counted."""

    question: Question
    stepping: Stepping = field(init=False)
    invariants: list[Check] = field(init=False)
    steps: list[Check] = field(init=False)
    unreached: list[Check] = field(init=False)
    #: World -> the world before it and the attempt that led here; None for the initial one.
    came_from: dict[Packed, tuple[Packed, Instance] | None] = field(factory=dict, init=False)
    transitions: int = 0
    depth: int = 0
    violated: tuple[Property, ...] = ()
    path: tuple[Instance, ...] = ()
    #: What is left to expand: the next level, as far as it is known.
    frontier: list[Packed] = field(factory=list, init=False)
    full: bool = False
    #: Worlds of which every step was taken.
    expanded: int = 0
    #: Whether it may go on.
    paused: bool = False
    #: The last level that was complete.
    level: Level | None = None
    #: Depth -> worlds by then, of all of these.
    levels: dict[int, int] = field(factory=lambda: {0: 1}, init=False)
    _left: Iterator[Packed] = field(init=False)

    def __attrs_post_init__(self) -> None:
        stepping = self.stepping = Stepping(self.question)
        self.invariants = [stepping.check(p) for p in self.question.invariants]
        self.steps = [stepping.check(p) for p in self.question.steps]
        self.unreached = [stepping.check(p) for p in self.question.witnesses]
        self._left = iter(())
        first = stepping.initial()
        self.came_from[first] = None
        self.frontier = [first]
        self._violates(first, None, ())

    @property
    def worlds_max(self) -> int:
        """How many worlds may be kept: so many, or what the memory is enough for."""
        return max(1, min(self.question.worlds_max, self.question.memory_max // self._world_bytes))

    @property
    def _world_bytes(self) -> int:
        return BYTES_A_SYMBOL * len(self.question.protocol.state)

    def run(self, worlds: int | None) -> None:
        """Go on until nothing is left, a limit is reached or something is violated; or pause at so many."""
        self.paused = False
        number = 0
        while not self.violated and not self.full:
            world = next(self._left, None)
            if world is None:
                self._end_level()
                if not self.frontier or self.depth == self.question.depth_max:
                    break
                level, self.frontier = self.frontier, []
                self._left = iter(level)
                continue
            if number % PROGRESS_EVERY == 0:
                frontier = len(self.came_from) - self.expanded
                self.question.progress({**self.answer().work(), "frontier": frontier})
            number += 1
            self._expand(world)
            self.expanded += 1
            if worlds is not None and len(self.came_from) >= worlds and not self.violated and not self.full:
                self.paused = True
                return
        self.question.progress(self.answer().work())

    def _end_level(self) -> None:
        # The initial world is a level that took no steps.
        self.depth += bool(self.frontier) and self.level is not None
        self.level = Level(
            self.depth,
            not self.frontier,
            len(self.came_from),
            self.transitions,
            sum(self.stepping.cut.values()),
            {name: (row[1], *row[2::2]) for name, row in self.stepping.guards.rows.items()},
        )
        self.levels[self.depth] = len(self.came_from)

    def _expand(self, world: Packed) -> None:
        """Take every step from `world`, up to one that violates something."""
        for instance, after in self.stepping.successors(world):
            self.transitions += 1
            broken = [c.property for c in self.steps if not self.stepping.holds(c, world, after)]
            new = after not in self.came_from
            if new:
                if len(self.came_from) >= self.worlds_max:
                    self.full = True
                else:
                    self.came_from[after] = (world, instance)
                    self.frontier.append(after)
            if new or broken:
                self._violates(after, (world, instance), broken)
            if self.violated or self.full:
                return

    def _violates(
        self, world: Packed, last: tuple[Packed, Instance] | None, broken: list[Property] | tuple[()]
    ) -> None:
        holds = self.stepping.holds
        self.unreached = [c for c in self.unreached if not holds(c, world)]
        self.violated = (*broken, *(c.property for c in self.invariants if not holds(c, world)))
        if self.violated:
            self.path = () if last is None else (*self._path(last[0]), last[1])

    def _path(self, world: Packed) -> tuple[Instance, ...]:
        steps: list[Instance] = []
        while (origin := self.came_from[world]) is not None:
            world, instance = origin
            steps.append(instance)
        return tuple(reversed(steps))

    @property
    def _limit(self) -> str:
        if not self.full:
            return ""
        return (
            worlds_reached(self.question)
            if self.worlds_max == self.question.worlds_max
            else memory_reached(self.question)
        )

    def answer(self) -> Answer:
        """What has been found so far."""
        return Answer(
            len(self.came_from),
            self.transitions,
            self.depth,
            self.stepping.guards,
            unfinished=bool(self.frontier),
            limit=self._limit,
            cut=dict(self.stepping.cut),
            unread=frozenset(self.stepping.unread),
            violated=self.violated,
            path=tuple((i.action, i.args) for i in self.path),
            levels=tuple(self.levels.items()),
            unreached=tuple(c.property for c in self.unreached),
        )
