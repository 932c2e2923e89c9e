"""The past of a world, against copies of every world."""

from __future__ import annotations

import random

import pytest

from shardproof.oracle import Oracle
from shardproof.readings.rows import World
from shardproof.story.chronicle import Chronicle
from shardproof_models.stacks import stack

CORE = Oracle(stack("core"), 2, 4, 8)


def written_at_random(seed: int, steps: int) -> tuple[Chronicle, list[World]]:
    """A chronicle of attempts that are made whatever the guards say, and a copy of the world before each."""
    dice, generated = random.Random(seed), CORE.generated
    chronicle = Chronicle(generated.copy(CORE.start))
    copies = []
    for step in range(steps):
        copies.append(generated.copy(chronicle.world))
        chronicle.begin(step)
        action, args = dice.choice(generated.instances)
        generated.apply[action.name](chronicle.world, *args)
    copies.append(generated.copy(chronicle.world))
    return chronicle, copies


@pytest.mark.parametrize("seed", range(4))
def test_a_world_of_the_past_is_the_copy_that_was_made_of_it(seed: int) -> None:
    """Row by row, for every step; the last one is the world as it is now."""
    chronicle, copies = written_at_random(seed, 25)

    for step, copy in enumerate(copies):
        past = chronicle.at(step)
        assert [list(past[symbol]) for symbol in range(len(copy))] == copy


@pytest.mark.parametrize("seed", range(4))
def test_since_when_a_clause_is_false(seed: int) -> None:
    """The step after the last world in which it was true, for every clause, in every world."""
    chronicle, copies = written_at_random(seed, 25)
    dice = random.Random(seed)

    for action, args in dice.sample(CORE.generated.instances, 12):
        for clause in action.clauses:
            check = CORE.generated.check(action.parameters, clause.condition)
            for step, copy in enumerate(copies):
                if not check(copy, *args):
                    true = [i for i in range(step) if check(copies[i], *args)]
                    assert chronicle.since(check, args, step) == (true[-1] if true else None)


@pytest.mark.parametrize("seed", range(4))
def test_since_when_a_relation_is_as_it_is(seed: int) -> None:
    """The same of one cell: the step that changed it last."""
    chronicle, copies = written_at_random(seed, 25)

    for symbol, place in CORE.generated.index.items():
        for row in range(len(copies[0][place])):
            if not isinstance(copies[0][place][row], int):
                continue
            values = [copy[place][row] >> 1 & 1 for copy in copies]
            for step in range(len(copies)):
                other = [i for i in range(step) if values[i] != values[step]]
                found = chronicle.since_cell((place, row), 1, step)
                assert found == (other[-1] if other else None), symbol.name


def test_what_a_step_has_changed_is_what_differs() -> None:
    """What is written and stays as it was is no change."""
    chronicle, copies = written_at_random(1, 25)

    changed = {(symbol, row): (old, new) for symbol, row, old, new in chronicle.changed()}

    assert changed == {
        (symbol, row): (old, new)
        for symbol, (before, after) in enumerate(zip(*copies[-2:], strict=True))
        for row, (old, new) in enumerate(zip(before, after, strict=True))
        if old != new
    }


def test_what_is_written_as_it_was_is_no_change() -> None:
    """An equal row is the same row, whether or not it is the same object."""
    chronicle = Chronicle([[[1_000, 2], 5]])

    chronicle.begin(0)
    chronicle.world[0][0] = [1_000, 2]
    chronicle.world[0][1] = 6

    assert [*chronicle.changed()] == [(0, 1, 5, 6)]


def test_the_last_step_that_wrote_any_of_some_rows() -> None:
    """The latest of all of them, and only before the step that is asked about."""
    chronicle = Chronicle([[0, 0, 0]])
    for step, row in enumerate((2, 0, 1, 0)):
        chronicle.begin(step)
        chronicle.world[0][row] = step + 1

    rows = {(0, 0), (0, 1), (0, 2)}
    assert [chronicle.last_written(rows, step) for step in range(5)] == [None, 0, 1, 2, 3]
    assert chronicle.last_written({(0, 0), (0, 2)}, 3) == 1
