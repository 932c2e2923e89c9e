"""
The order in which things are looked at, where it can be seen: at numbers that leave their range.

The plain reading stops at the first of them, and never comes to what stands behind a false operand.
Each action here is one way to get that wrong in C, where conjuncts are put together and operands are
evaluated in any order.
"""

from __future__ import annotations

import pytest
from attrs import evolve

from shardproof.engines.explore import Way, explore
from shardproof.readings.evaluate import Evaluator
from shardproof.readings.native.kernel import compiled
from shardproof.readings.native.program import Sentences
from shardproof.readings.scope import OutOfScope, Scope
from shardproof_models.language.actions import Action, Parts, Refusal, add, assign, each, insert, require
from shardproof_models.language.protocol import Layer, Protocol, compose
from shardproof_models.language.terms import FALSE, Bool, Entity, Number, exists, forall, implies, ite, number
from shardproof_properties.property import Catalogue


class Lamp(Entity):
    """Something that is lit or not."""


class Tick(Number):
    """From 0 to 2."""


class Tock(Number):
    """From 0 to 1."""


NO = Refusal("no")
layer = Layer("order")


@layer.rigid
def never() -> Bool: ...


@layer.state
def on() -> Bool:
    return FALSE


@layer.state
def n() -> Tick:
    return number(0, Tick)


@layer.state
def m() -> Tock:
    return number(0, Tock)


@layer.state
def lit(k: Tick) -> Bool:
    return FALSE


@layer.state
def loud(k: Tock) -> Tick:
    return number(0, Tick)


@layer.state
def both(k: Tick, j: Tick) -> Bool:
    return FALSE


@layer.action
def tick() -> Parts:
    yield require(n() < 2, NO)
    yield add(n(), 1)


@layer.action
def tock() -> Parts:
    yield require(m() < 1, NO)
    yield add(m(), 1)


@layer.action
def switch() -> Parts:
    yield assign(on(), ~on())


@layer.action
def behind_an_atom() -> Parts:
    yield require(on() & lit(n() + 1), NO)


@layer.action
def before_an_atom() -> Parts:
    yield require(lit(n() + 1) & on(), NO)


@layer.action
def between_atoms() -> Parts:
    yield require(on() & lit(n() + 1) & (m() == 0), NO)


@layer.action
def behind_what_is_enough() -> Parts:
    yield require(on() | lit(n() + 1), NO)


@layer.action
def before_what_is_never() -> Parts:
    yield require(lit(n() + 1) & never(), NO)


@layer.action
def before_its_opposite() -> Parts:
    yield require(on() & lit(n() + 1) & ~on(), NO)


@layer.action
def behind_a_premise() -> Parts:
    yield require(implies(on(), lit(n() + 1)), NO)


@layer.action
def chosen_or_not() -> Parts:
    yield require(ite(on(), loud(m() + 1), number(0, Tick)) == 0, NO)


@layer.action
def of_every_one() -> Parts:
    yield require(forall(Tick, lambda k: ~lit(k + 1)), NO)


@layer.action
def of_some_one() -> Parts:
    yield require(exists(Tick, lambda k: lit(k + 1)), NO)


@layer.action
def an_argument_of_an_argument() -> Parts:
    yield require(both(n() + 1, loud(m() + 1)), NO)


@layer.action
def written_where_there_is_nothing() -> Parts:
    yield insert(lit(n() + 1), where=on())


@layer.action
def read_by_one_and_written_by_another() -> Parts:
    yield assign(n(), loud(m() + 1))
    yield add(loud(m()), 3)


@layer.action
def taken_back_before_it_counts() -> Parts:
    yield add(n(), 5)
    yield add(n(), -5)


@layer.action
def reset_or_not_and_counted() -> Parts:
    yield assign(n(), 0, where=on())
    yield add(n(), 1)


@layer.action
def counted_everywhere() -> Parts:
    yield each(Tock, lambda k: add(loud(k), 1, where=on()))


ORDER = compose("order", layer)
SCOPE = Scope({Tick: 3, Tock: 2, Lamp: 1}, {"never": lambda: 0}, "3 ticks and 2 tocks")

#: What leads to every world of the three that decide: all others are looked at together with these.
MOVES = ("tick", "tock", "switch")


def only(*names: str) -> Protocol:
    return evolve(ORDER, actions=tuple(a for a in ORDER.actions if a.name in (*MOVES, *names)))


def cuts(protocol: Protocol) -> tuple[dict[tuple[str, str], int], dict[tuple[str, str], int]]:
    """What left its range first, and how often: by the plain reading and by the kernel."""
    plain, made = Evaluator(protocol, SCOPE), compiled(protocol, SCOPE, Sentences())
    with made.search(worlds_max=10_000, memory_max=1 << 28) as found:
        worlds = [found.world(position) for position in range(found.expanded)]
        got = {(beyond.symbol, beyond.sort): count for beyond, count in found.coverage().cuts.items()}
    expected: dict[tuple[str, str], int] = {}
    for world in worlds:
        for action, args in plain.instances():
            try:
                plain.step(world, action, args)
            except OutOfScope as cut:
                expected[cut.symbol, cut.sort] = expected.get((cut.symbol, cut.sort), 0) + 1
    return expected, got


def answers(protocol: Protocol) -> list[tuple[object, ...]]:
    """Of the kernel and of Python: what was counted, and what each clause did."""
    reports = [explore(protocol, SCOPE, properties=(), way=way) for way in (Way.KERNEL, Way.PYTHON)]
    return [(r.work, r.tables["actions"], r.tables["clauses"]) for r in reports]


@pytest.mark.parametrize("action", [a for a in ORDER.actions if a.name not in MOVES], ids=lambda a: a.name)
def test_each_is_cut_or_refused_where_python_does(action: Action) -> None:
    """The same worlds, the same clauses, and the same symbol named for what was cut."""
    kernel, python = answers(only(action.name))
    expected, got = cuts(only(action.name))

    assert kernel == python
    assert got == expected
    assert expected or action.name in ("behind_what_is_enough", "taken_back_before_it_counts")


def test_an_addition_meets_what_was_assigned_and_what_was_not() -> None:
    """Nothing else counts, so the values of a number are known by this one action alone."""
    names = ("switch", "reset_or_not_and_counted")
    protocol = evolve(ORDER, actions=tuple(a for a in ORDER.actions if a.name in names))

    kernel, python = answers(protocol)

    assert kernel == python
    assert kernel[0] == {"worlds": 6, "transitions": 11, "depth": 3, "cut": 1}


def test_all_together_are_cut_where_python_does() -> None:
    """More worlds, in which every cell has been written."""
    kernel, python = answers(ORDER)
    expected, got = cuts(ORDER)

    assert kernel == python
    assert got == expected
    assert len(expected) > 3


def test_a_sentence_that_leaves_the_scope_is_told_alike() -> None:
    """An invariant, a step property and a witness, each of which speaks of what does not exist."""
    catalogue = Catalogue()

    @catalogue.invariant("O1", because="it speaks of a lamp beyond the last")
    def the_next_is_not_lit() -> Bool:
        return implies(on(), ~lit(n() + 1))

    @catalogue.step("O2", because="so does this, of a tock")
    def loudness_stays() -> Bool:
        return loud(m() + 1) <= 2

    @catalogue.sometimes("O1")
    def the_next_is_lit() -> Bool:
        return lit(n() + 1)

    protocol = only("counted_everywhere")
    reports = [
        explore(protocol, SCOPE, properties=catalogue.of(protocol), way=way)
        for way in (Way.KERNEL, Way.PYTHON)
    ]

    assert reports[0] == reports[1]
    assert [r for r in reports[0].reasons if "could not be evaluated" in r] == [
        "a property could not be evaluated because lit needs more Tick than the scope has",
        "a property could not be evaluated because loud needs more Tock than the scope has",
    ]


def test_what_never_changes_takes_no_room() -> None:
    """Two numbers and a switch: 2 bits, 1 bit, 1 bit; of the lamps, none is ever lit."""
    made = compiled(only(), SCOPE, Sentences())

    assert made.program.packing.bits == 4
