"""
What a tour walks on: every reachable world of a model at a scope, and every transition between them.

A transition is a world and an instance, which is an action with its arguments. Only instances
that can be cast as moves take part; why the others cannot is said by `cast.py`. What a shard does of
its own accord (it writes an acknowledgement, it answers a failure) follows at once, as it does in an
implementation, so it is part of the transition that it follows.

Blocks of one shard differ in nothing but their names, so they are taken in the order of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.actions import Action

from ..readings.generated import Generated
from ..readings.rows import World
from ..readings.scope import OutOfScope, Value

#: Worlds that are expanded between two looks at the clock.
LOOK_EVERY = 1_000

#: A world, as `Rows.key` tells worlds apart.
Key = tuple[Any, ...]


@frozen
class Instance:
    """An action with its arguments, at a scope."""

    action: Action
    args: tuple[Value, ...]

    @property
    def name(self) -> str:
        """The name of the action."""
        return self.action.name

    def __str__(self) -> str:
        told = ", ".join(
            f"{p.head.name}={value}" for p, value in zip(self.action.parameters, self.args, strict=True)
        )
        return f"{self.name}({told})"


@frozen
class Edge:
    """A transition: the number of its instance, and of the world that it leads to."""

    instance: int
    target: int


@define(eq=False)
class Graph:
    """Worlds by number, the initial one first, in the order in which a breadth-first search meets them."""

    instances: tuple[Instance, ...]
    worlds: list[Key] = field(factory=list)
    edges: list[tuple[Edge, ...]] = field(factory=list)
    #: For each world what a relayer may try in vain: the instance, and the clause that refuses it.
    refusals: list[tuple[tuple[int, int], ...]] = field(factory=list)
    #: Whether every world was expanded.
    complete: bool = True
    #: Steps beyond the range of some number of the scope.
    cut: int = 0

    @property
    def transitions(self) -> int:
        """How many there are."""
        return sum(map(len, self.edges))


def reachable(
    generated: Generated,
    instances: Sequence[Instance],
    *,
    prompt: Sequence[Instance] = (),
    tried: Callable[[str], bool] = lambda _: True,
    follows: Callable[[Instance, World], bool] = lambda _i, _w: True,
    worlds_max: int,
    late: Callable[[], bool] = lambda: False,
) -> Graph:
    """
    Breadth first, up to `worlds_max` worlds, or until it is `late`.

    `prompt` are instances that a shard takes of its own accord as soon as it may. Of an action that
    is `tried` by relayers, refusals are kept as well. What does not `follow` in a world is left out.
    """
    search = _Search(generated, Graph(tuple(instances)), prompt, tried, follows, worlds_max, late)
    search.run()
    return search.graph


@define(eq=False)
class _Search:
    generated: Generated
    graph: Graph
    prompt: Sequence[Instance]
    tried: Callable[[str], bool]
    follows: Callable[[Instance, World], bool]
    worlds_max: int
    late: Callable[[], bool]
    numbers: dict[Key, int] = field(factory=dict)

    def run(self) -> None:
        graph, generated = self.graph, self.generated
        initial = generated.initial()
        self._follow_up(initial)
        graph.worlds.append(generated.key(initial))
        self.numbers[graph.worlds[0]] = 0
        while len(graph.edges) < len(graph.worlds):
            if len(graph.edges) % LOOK_EVERY == 0 and self.late():
                graph.complete = False
                break
            edges, refusals = self._expanded(_unpacked(graph.worlds[len(graph.edges)]))
            graph.edges.append(edges)
            graph.refusals.append(refusals)
        # Of worlds that were only seen, nothing is known.
        missing = len(graph.worlds) - len(graph.edges)
        graph.edges += [()] * missing
        graph.refusals += [()] * missing

    def _expanded(self, world: World) -> tuple[tuple[Edge, ...], tuple[tuple[int, int], ...]]:
        generated, edges, refusals = self.generated, [], []
        for number, instance in enumerate(self.graph.instances):
            try:
                if clause := generated.refusal[instance.name](world, *instance.args):
                    if self.tried(instance.name):
                        refusals.append((number, clause))
                    continue
                if not self.follows(instance, world):
                    continue
                after = generated.copy(world)
                generated.apply[instance.name](after, *instance.args)
                self._follow_up(after)
            except OutOfScope:
                self.graph.cut += 1
                continue
            target = self._number(generated.key(after))
            if target is not None:
                edges.append(Edge(number, target))
        return tuple(edges), tuple(refusals)

    def _follow_up(self, world: World) -> None:
        while (due := next(self._due(world), None)) is not None:
            self.generated.apply[due.name](world, *due.args)

    def _due(self, world: World) -> Iterator[Instance]:
        return (p for p in self.prompt if not self.generated.refusal[p.name](world, *p.args))

    def _number(self, key: Key) -> int | None:
        number = self.numbers.get(key)
        if number is None:
            if len(self.numbers) >= self.worlds_max:
                self.graph.complete = False
                return None
            number = self.numbers[key] = len(self.graph.worlds)
            self.graph.worlds.append(key)
        return number


def _unpacked(key: Key) -> World:
    return [list(rows) for rows in key]
