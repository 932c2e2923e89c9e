"""
What values each cell can have, found without a search.

A cell that no accepted step writes keeps its first value, so it needs no room, what reads it is known,
and what that makes impossible writes nothing either. The values of all cells grow together, from the
initial world, until no step adds one: more than can be reached, and never less. (It is an abstract
interpretation over sets of values: Cousot and Cousot, POPL 1977.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

from attrs import frozen

from shardproof_models.language.actions import Write

from ..evaluate import World
from ..scope import Layout
from .expression import Cell, implied, possible
from .ground import Grounder, Instance, Written


@frozen(eq=False)
class Reach:
    """Every attempt over cells, and what each cell can be."""

    grounder: Grounder
    instances: tuple[Instance, ...]


def reach(layout: Layout, initial: World, watch: Callable[[list[frozenset[int]]], None]) -> Reach:
    """What `layout` leads to from `initial`. `watch` is shown the values as they grow; it may raise."""
    values = [frozenset((v,)) for v in initial]
    grounder = Grounder(layout, values)
    attempts = [(a, args) for a in layout.protocol.actions for args in layout.scope.tuples(a.parameters)]
    found: dict[int, Instance] = {}
    readers: dict[int, set[int]] = {}
    pending: Iterable[int] = range(len(attempts))
    while pending:
        grounder.forget()
        grown: set[int] = set()
        made = []
        for number in pending:
            grounder.read.clear()
            made.append(grounder.instance(number, *attempts[number]))
            for cell in grounder.read:
                readers.setdefault(cell, set()).add(number)
        for instance in made:
            found[instance.number] = instance
            for cell, new in _written(layout, values, instance).items():
                readers.setdefault(cell, set()).add(instance.number)
                if not new <= values[cell]:
                    values[cell] |= new
                    grown.add(cell)
        watch(values)
        pending = sorted(set().union(*(readers.get(cell, ()) for cell in grown)))
    grounder.forget()
    return Reach(grounder, tuple(found[number] for number in range(len(attempts))))


def _written(layout: Layout, values: list[frozenset[int]], instance: Instance) -> dict[int, frozenset[int]]:
    """The values that an accepted attempt may leave in the cells that it writes."""
    accepted = implied(instance.guard)
    new: dict[int, frozenset[int]] = {}
    for effect in instance.effects:
        if not isinstance(effect, Written):
            continue
        domain = layout.scope.domain(layout.cells[effect.cell][0].sort)
        known = narrowed(accepted, implied(effect.condition))
        old = new.get(effect.cell, known.get(Cell(effect.cell, values[effect.cell]), values[effect.cell]))
        amounts = possible(effect.value, known)
        if amounts is None:
            made = frozenset(domain)
        elif effect.write is Write.ASSIGN:
            made = amounts
        else:
            made = frozenset(a + b for a, b in product(old, amounts))
        # In between, a number may be out of range: what is taken back may be added first.
        new[effect.cell] = made if effect.condition == 1 else made | old
    return {
        cell: made.intersection(layout.scope.domain(layout.cells[cell][0].sort)) for cell, made in new.items()
    }


def narrowed(
    some: dict[Cell, frozenset[int]], more: dict[Cell, frozenset[int]]
) -> dict[Cell, frozenset[int]]:
    """What is known of cells where both hold."""
    return {**some, **{cell: some.get(cell, values) & values for cell, values in more.items()}}
