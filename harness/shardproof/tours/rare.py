"""
Beginnings of runs that lead a system to rare worlds of its model.

Random walks of the model at a small scope, as in `wandering.py`; of each is kept what leads to the
world that was met least, where worlds are told apart by what is accepted there, and by which clause
refuses the rest. They are taken in Python, with or without a compiler, so a seed means the same on
every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator

from attrs import define, field

from shardproof_models.language.protocol import Protocol

from ..adapter import Topology
from ..lockstep import Lockstep
from ..moves import Move
from ..readings.generated import Generated
from ..readings.rows import World
from ..readings.scope import OutOfScope
from ..readings.wandering import begun, chosen, following, likes, likings
from .cast import Cast
from .course import plain
from .graph import Instance
from .run import takes_part

#: The scope of the walks: small enough for all that happens to have to do with each other.
RECEIPTS, HEADERS = 3, 2

#: Steps of a walk, at most, and how many walks are taken before beginnings are used again.
LENGTH = 40
KEPT = 64

#: What tells worlds apart: of each action, which clauses decide, and 0 where it is accepted.
Situation = frozenset[tuple[str, int]]


@define(eq=False)
class RareWorlds:
    """Beginnings, made when they are asked for."""

    protocol: Protocol
    able: Collection[str]
    seed: int
    topology: Topology
    cast: Cast = field(init=False)
    kept: list[tuple[Instance, ...]] = field(init=False, factory=list)
    met: Counter[Situation] = field(init=False, factory=Counter)
    _generated: Generated = field(init=False)
    _instances: list[Instance] = field(init=False)
    _prompt: list[Instance] = field(init=False)
    _follows: Callable[[Instance, World], bool] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Two are enough to send to each other; but those in reserve come after all that there are.
        reserve = self.topology.reserve
        shards = len(self.topology.shards) - reserve if reserve else 2
        sizes = {"shards": shards, "receipts": RECEIPTS, "headers": HEADERS}
        self._generated = Generated(self.protocol, plain(self.protocol, sizes).scope)
        self.cast = Cast(self._generated, self.able)
        self._follows = takes_part(self.cast)
        instances = [Instance(a, args) for a, args in self._generated.instances]
        self._prompt = [x for x in instances if self.cast.prompt(x)]
        self._instances = [x for x in instances if self._is_asked_for(x)]

    def _is_asked_for(self, instance: Instance) -> bool:
        """Whether it can be a move, and all shards that it is about are there."""
        told, shards = self.cast.given(instance), len(self.topology.shards)
        about = [told.get("shard", 0), self.cast.rigid("origin", told["header"]) if "header" in told else 0]
        return max(about) < shards and not self.cast.prompt(instance) and not self.cast.why_not(instance)

    def beginning(self, number: int) -> tuple[Instance, ...]:
        """The beginning of this number; of many numbers it is the same."""
        while len(self.kept) <= number % KEPT:
            self.kept.append(self._rarest(len(self.kept) + 1))
        return self.kept[number % KEPT]

    def moves(self, beginning: tuple[Instance, ...], lock: Lockstep) -> Iterator[Move]:
        """The moves of a beginning, each as it is possible once the one before was made."""
        self.cast.clear()
        for instance in beginning:
            self.cast.answered(lock)
            if not self.cast.presents(instance):
                continue
            move = self.cast.move(instance)
            if lock.possible(move):
                yield move
                self.cast.note(instance)

    def _rarest(self, number: int) -> tuple[Instance, ...]:
        """Of a walk, what leads to the last of the worlds that were met least."""
        path: list[Instance] = []
        situations: list[Situation] = []
        for instance, situation in self._walk(number):
            path.append(instance)
            situations.append(situation)
        for situation in situations:
            self.met[situation] += 1
        rarest = min(range(len(path)), key=lambda at: (self.met[situations[at]], -at), default=-1)
        return tuple(path[: rarest + 1])

    def _walk(self, number: int) -> Iterator[tuple[Instance, Situation]]:
        """The steps of a walk, and what kind of world each leads to."""
        state, names = begun(self.seed, number), [a.name for a in self.protocol.actions]
        liking = dict(zip(names, likings(number, state, len(names)), strict=True))
        world = self._generated.initial()
        self._follow_up(world)
        accepted, _ = self._accepted(world)
        for _ in range(LENGTH):
            taken: Instance | None = None
            while accepted:
                state = following(state)
                at = chosen(state, len(accepted))
                if not likes(state, liking[accepted[at].name]):
                    continue
                after = Generated.copy(world)
                try:
                    self._generated.apply[accepted[at].name](after, *accepted[at].args)
                    self._follow_up(after)
                except OutOfScope:
                    after = world
                if after != world:
                    taken, world = accepted[at], after
                    break
                accepted[at] = accepted[-1]
                accepted.pop()
            if taken is None:
                return
            accepted, situation = self._accepted(world)
            yield taken, situation

    def _accepted(self, world: World) -> tuple[list[Instance], Situation]:
        accepted: list[Instance] = []
        decided: set[tuple[str, int]] = set()
        for instance in self._instances:
            try:
                clause = self._generated.refusal[instance.name](world, *instance.args)
            except OutOfScope:
                continue
            decided.add((instance.name, clause))
            if not clause and self._follows(instance, world):
                accepted.append(instance)
        return accepted, frozenset(decided)

    def _follow_up(self, world: World) -> None:
        while (due := next(self._due(world), None)) is not None:
            self._generated.apply[due.name](world, *due.args)

    def _due(self, world: World) -> Iterator[Instance]:
        return (p for p in self._prompt if not self._generated.refusal[p.name](world, *p.args))
