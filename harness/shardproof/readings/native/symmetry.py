"""
Symmetry: which renamings of entities leave a protocol as it is, established and not assumed.

A renaming belongs to the group if it takes the initial world to itself, every attempt to an attempt with
the same guard and the same effects, and every sentence to itself; which is compared as `diagram`s
of expressions over cells, so by what they mean and not by how they are written, numbers out of
range included. Then it takes traces to traces, and what is violated to what is violated. So of
worlds that are renamings of each other it is enough to go on from one, and levels stay what they
are: if a world is reached in n steps, so is each of its images, and only in n.
(Ip and Dill 1993, Clarke, Enders, Filkorn and Jha 1996; there the language or the user vouches for it.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.actions import Write
from shardproof_models.language.terms import Op, Symbol

from ..evaluate import World
from ..scope import Layout, Value
from .diagram import AS_IT_IS, Diagrams, Node, Reading, TooLargeError, conjuncts
from .expression import Cell, Expression, is_partial
from .ground import Instance, Written
from .renaming import Renaming, candidates
from .slicing import Cone

#: Renamings that are tried: for each, all of a protocol is compared.
TRIED = 200

#: Renamings that a group may have: each is applied to every world that is made.
GROUP_MAX = 64

_Meaning = tuple[object, ...]


@frozen(eq=False)
class Symmetry:
    """The renamings that leave a protocol as it is, without the one that changes nothing."""

    group: tuple[Renaming, ...] = ()
    #: Why there might be more.
    because: str = ""


def symmetry_of(
    layout: Layout,
    initial: World,
    values: Sequence[frozenset[int]],
    cone: Cone,
    sentences: tuple[tuple[Expression, ...], ...],
    rigid: Iterable[Symbol[Any, Any]],
) -> Symmetry:
    """
    What of `cone` is symmetric.

    `sentences` are conjunctions of kinds: each kind must be kept as a whole, in any order of its sentences.
    """
    compared = _Compared(layout, initial, values, cone, sentences)
    group: dict[Renaming, None] = {}
    because = ""
    tried = 0
    try:
        compared.prepare()
        for renaming in islice(candidates(layout, rigid), TRIED):
            tried += 1
            if renaming.changes_nothing or renaming in group or not compared.keeps(renaming):
                continue
            larger = _closed((*group, renaming))
            if larger is None:
                because = f"groups of more than {GROUP_MAX} renamings are not used as a whole"
            else:
                group = dict.fromkeys(larger)
    except TooLargeError:
        because = "what was left is too large to be compared"
    if tried == TRIED:
        because = because or f"only {TRIED} renamings were tried"
    return Symmetry(tuple(group), because)


def _closed(generators: tuple[Renaming, ...]) -> tuple[Renaming, ...] | None:
    """All that come of some renamings, one after the other; none if they are too many."""
    known = dict.fromkeys(generators)
    pending = list(generators)
    while pending:
        one = pending.pop()
        for other in generators:
            made = other.after(one)
            if not made.changes_nothing and made not in known:
                if len(known) + 2 > GROUP_MAX:
                    return None
                known[made] = None
                pending.append(made)
    return tuple(known)


@define(eq=False)
class _Compared:
    """What a protocol means, to compare it with what its image under a renaming means."""

    layout: Layout
    initial: World
    values: Sequence[frozenset[int]]
    cone: Cone
    sentences: tuple[tuple[Expression, ...], ...]
    diagrams: Diagrams = field(factory=Diagrams)
    _attempts: dict[tuple[str, tuple[Value, ...]], _Meaning] = field(factory=dict)
    _said: tuple[object, ...] = ()

    def prepare(self) -> None:
        """What it means as it is. Raises `TooLargeError`, as `keeps`."""
        nothing = Renaming(())
        self._attempts = {
            (i.action.name, i.args): self._meaning(i, AS_IT_IS, nothing, range(len(self.layout.cells)))
            for i in self.cone.instances
        }
        self._said = tuple(self._said_by(kind, AS_IT_IS) for kind in self.sentences)

    def keeps(self, renaming: Renaming) -> bool:
        """Whether a renaming leaves all of it as it is."""
        cells = renaming.cells(self.layout)
        if not all(self._keeps_cell(renaming, cell, cells[cell]) for cell in self.cone.cells):
            return False
        back = renaming.inverse
        reading = Reading(
            lambda cell: Cell(cells[cell.index], self.values[cells[cell.index]], cell.after),
            lambda cell, value: back.of(self.layout.cells[cell.index][0].sort, value),
        )
        if self._said != tuple(self._said_by(kind, reading) for kind in self.sentences):
            return False
        return all(
            self._attempts.get((i.action.name, renaming.args(i.action.parameters, i.args)))
            == self._meaning(i, reading, renaming, cells)
            for i in self.cone.instances
        )

    def _keeps_cell(self, renaming: Renaming, cell: int, image: int) -> bool:
        sort = self.layout.cells[cell][0].sort
        return (
            image in self.cone.cells
            and {renaming.of(sort, v) for v in self.values[cell]} == self.values[image]
            and renaming.of(sort, self.initial[cell]) == self.initial[image]
        )

    def _said_by(self, kind: tuple[Expression, ...], reading: Reading) -> object:
        return frozenset(self._holds(e, reading) for e in kind)

    def _holds(self, e: Expression, reading: Reading) -> object:
        """What a formula means: part by part, unless it is of importance which part comes first."""
        if is_partial(e):
            return self.diagrams.of(e, reading)
        return frozenset(self.diagrams.of(part, reading) for part in conjuncts(e))

    def _meaning(
        self, instance: Instance, reading: Reading, renaming: Renaming, cells: Sequence[int]
    ) -> _Meaning:
        """When an attempt is accepted, what it looks at, and what each cell that it writes becomes."""
        diagrams = self.diagrams
        looked: set[Node] = set()
        new: dict[int, Node] = {}
        for effect in instance.effects:
            if not isinstance(effect, Written):
                looked.add(diagrams.of(effect.expression, reading))
                continue
            cell = effect.cell
            old = new[cell] if cell in new else self._old(cell, reading)
            value = diagrams.of(effect.value, reading)
            if effect.write is Write.ADD:
                value = diagrams.computed(Op.ADD, old, value)
            new[cell] = diagrams.choice(diagrams.of(effect.condition, reading), value, old)
        after = frozenset((cells[c], self._renamed(c, node, renaming)) for c, node in new.items())
        return self._holds(instance.guard, reading), frozenset(looked), after

    def _old(self, cell: int, reading: Reading) -> Node:
        values = self.values[cell]
        e = next(iter(values)) if len(values) == 1 else Cell(cell, values)
        return self.diagrams.of(e, reading)

    def _renamed(self, cell: int, node: Node, renaming: Renaming) -> Node:
        sort = self.layout.cells[cell][0].sort
        return self.diagrams.relabelled(node, lambda value: renaming.of(sort, value))
