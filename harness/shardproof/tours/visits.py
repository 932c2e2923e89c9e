"""
What is tried in vain at each world of a tour, and what is done when it is not in vain.

What the model refuses is tried once at every world. What only bytes tell apart is tried once for each
sort of place; see `variants.py`. A receipt that is committed may be executed although its evidence was
damaged, once; then the model goes where an honest delivery would have led, and somebody comes back for
what was not tried yet.
"""

from __future__ import annotations

from attrs import define, field

from ..moves import Act, Deliver, Move
from .graph import Instance
from .run import ENVIRONMENT, Run, WalkOver


@define(eq=False)
class Visits(Run):
    """A run, and what an adversary does with it at each world."""

    #: How many of the attempts that the model refuses were made at a world.
    refused: dict[int, int] = field(init=False, factory=dict)
    #: Worlds at which there is nothing more to try.
    settled: set[int] = field(init=False, factory=set)
    #: Sorts of places, and what was tried there.
    sorts: set[tuple[object, ...]] = field(init=False, factory=set)

    def visit(self) -> None:
        """All that an adversary tries where the run is."""
        while True:
            node = self.node
            if node not in self.settled:
                self.planner.wanted.add(node)
                self._refusals(node)
                self._variants(node)
            if self.node == node:
                self.settled.add(node)
                self.planner.wanted.discard(node)
                self._stir(node)
                return

    def _refusals(self, node: int) -> None:
        refusals = self.graph.refusals[node]
        for place in range(self.refused.get(node, 0), len(refusals)):
            number, clause = refusals[place]
            self.refused[node] = place + 1
            instance = self.graph.instances[number]
            if not self.cast.presents(instance):
                continue
            move = self.cast.move(instance)
            if not self.lock.possible(move):
                continue
            self.step(move)
            self.tally.work["refusals"] += 1
            self.tally.refused[f"{instance.name}: {instance.action.clauses[clause - 1].refusal}"] += 1
            if not self.still(node):
                raise WalkOver

    def _variants(self, node: int) -> None:
        graph = self.graph
        attempts = [(e.instance, e.target, 0) for e in graph.edges[node]]
        attempts += [(number, node, clause) for number, clause in graph.refusals[node]]
        for number, target, clause in attempts:
            instance = graph.instances[number]
            if instance.name in ENVIRONMENT or not self.cast.presents(instance):
                continue
            move = self.cast.move(instance)
            if self.lock.possible(move):
                place = (number, clause, *self._sort_of(node, instance))
                if not self._damaged(node, move, place):
                    self._follow(target)
                    return

    def _damaged(self, node: int, move: Move, place: tuple[object, ...]) -> bool:
        """Try all that can be done to a move. False as soon as something came of it."""
        others = self._others(move)
        for kind in self.adversary.kinds(move, others):
            if (key := (*place, kind)) in self.sorts:
                continue
            self.sorts.add(key)
            for moves in self.adversary.made(kind, move, self.lock, others):
                if all(map(self.lock.possible, moves)):
                    self._try(kind, moves)
                    if not self.still(node):
                        return False
        return True

    def _follow(self, target: int) -> None:
        """What was damaged was accepted: it led where what is honest would have led, or who knows where."""
        if self.lock.doubtful or not self.agreement.holds(self.lock, target):
            raise WalkOver
        self.node = target

    def _stir(self, node: int) -> None:
        """What nobody may notice, and what no shard may take part in: once for all that is consumed."""
        for kind, deed in self.adversary.stirs(self.lock):
            told = (deed.deed, deed.shard, deed.other, deed.number)
            sort = ("stir", *told, self.guise, self._consumed(node))
            if sort in self.sorts or not self.lock.possible(deed):
                continue
            self.sorts.add(sort)
            self._try(kind, (deed,))
            if not self.still(node):
                raise WalkOver

    @property
    def guise(self) -> int:
        """The way in which users ask for emissions: another one in the next walk, and on the next branch."""
        return (self.resets + self.branches) % len(self.cast.guises())

    def _try(self, kind: str, moves: tuple[Move, ...]) -> None:
        for move in moves:
            self.step(move)
        self.tally.work["variants"] += 1
        self.tally.tried[kind] += 1

    def _others(self, move: Move) -> tuple[int, ...]:
        own = move.receipt if isinstance(move, Deliver | Act) else None
        return tuple(n[-1] for _, n in sorted(self.cast.numbers.items()) if n and n[-1] != own)

    def _sort_of(self, node: int, instance: Instance) -> tuple[object, ...]:
        """What decides of an attempt: what its header commits to, and what is consumed."""
        given, index = self.cast.given(instance), self.cast.generated.index
        committed = [
            self.graph.worlds[node][i][given["header"]]
            for s, i in index.items()
            if s.name == "commits" and "header" in given
        ]
        return (*committed, self._consumed(node))

    def _consumed(self, node: int) -> tuple[object, ...]:
        index = self.cast.generated.index
        return tuple(self.graph.worlds[node][i] for s, i in index.items() if s.name == "consumed")
