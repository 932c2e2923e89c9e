"""Decision diagrams: the same one exactly where two expressions mean the same."""

from __future__ import annotations

import random
from itertools import product

import pytest

from shardproof.readings.native import diagram
from shardproof.readings.native.diagram import AS_IT_IS, Diagrams, Reading, TooLargeError
from shardproof.readings.native.expression import (
    Beyond,
    Cell,
    Compound,
    Expression,
    Then,
    among,
    calculated,
    choice,
    computed,
    conjunction,
    disjunction,
    negation,
)
from shardproof_models.language.terms import Op

CELLS = tuple(Cell(k, frozenset(range(3))) for k in range(3))
BEYOND = Beyond("count", "Ticks")


def worth(e: Expression, world: tuple[int, ...]) -> int | Beyond:
    """What an expression is, by its definition: in order, up to the first number out of range."""
    if isinstance(e, int | Beyond):
        return e
    if isinstance(e, Cell):
        return world[e.index]
    if not isinstance(e, Compound | Then):
        return int(world[e.cell.index] in e.values)
    if isinstance(e, Then):
        firsts = [worth(f, world) for f in e.first]
        return next((f for f in firsts if isinstance(f, Beyond)), None) or worth(e.result, world)
    if e.op is Op.ITE:
        condition = worth(e.args[0], world)
        return condition if isinstance(condition, Beyond) else worth(e.args[1 if condition else 2], world)
    if e.op in (Op.AND, Op.OR):
        for arg in e.args:
            value = worth(arg, world)
            if isinstance(value, Beyond) or bool(value) is (e.op is Op.OR):
                return value
        return int(e.op is Op.AND)
    args = [worth(a, world) for a in e.args]
    if (out := next((a for a in args if isinstance(a, Beyond)), None)) is not None:
        return out
    return 1 - args[0] if e.op is Op.NOT else calculated(e.op, *args)  # type: ignore[operator, arg-type]  # none is out of range


def formula(rng: random.Random, depth: int) -> Expression:
    cell = rng.choice(CELLS)
    if depth == 0:
        return among(cell, rng.sample(range(3), rng.randint(1, 2)))
    parts = [formula(rng, depth - 1) for _ in range(2)]
    others: tuple[Expression, ...] = (*CELLS, 1, BEYOND)
    numbers = [choice(parts[0], rng.randrange(3), cell), rng.choice(others)]
    return rng.choice(
        (
            conjunction(parts),
            disjunction(parts),
            negation(parts[0]),
            computed(rng.choice((Op.EQ, Op.LT, Op.LE)), *numbers),
            Then((numbers[1],), parts[0]),
        )
    )


def test_one_diagram_for_one_meaning() -> None:
    """Of many pairs by chance, those are equal that are equal in every world, and no others."""
    rng, diagrams, equal = random.Random(1), Diagrams(), 0
    worlds = tuple(product(range(3), repeat=3))
    made = [formula(rng, depth) for depth in (1, 2, 3) for _ in range(60)]
    meanings = [tuple(worth(e, w) for w in worlds) for e in made]
    nodes = [diagrams.of(e) for e in made]

    for i, j in product(range(len(made)), repeat=2):
        assert (nodes[i] == nodes[j]) == (meanings[i] == meanings[j]), (made[i], made[j])
        equal += i < j and made[i] != made[j] and nodes[i] == nodes[j]
    assert equal, "no two of these were written differently and meant the same"


def test_what_comes_first_counts_where_a_number_may_be_out_of_range() -> None:
    """`and` stops at what is false, so its sides do not change places."""
    diagrams, atom = Diagrams(), among(CELLS[0], (1,))

    one, other = Compound(Op.AND, (atom, BEYOND)), Compound(Op.AND, (BEYOND, atom))

    assert diagrams.of(one) != diagrams.of(other)


def test_a_cell_is_read_in_place_of_another() -> None:
    """With values that stand for others."""
    diagrams = Diagrams()
    swapped = Reading(lambda c: CELLS[1 - c.index], lambda _, value: (1, 0, 2)[value])

    assert diagrams.of(among(CELLS[0], (0,)), swapped) == diagrams.of(among(CELLS[1], (1,)), AS_IT_IS)


def test_what_is_too_large_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody takes it for an answer."""
    monkeypatch.setattr(diagram, "NODES_MAX", 3)

    with pytest.raises(TooLargeError):
        Diagrams().of(computed(Op.ADD, CELLS[0], CELLS[1]))
