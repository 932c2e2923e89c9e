"""What is a world in the two Python readings, besides that they agree on steps."""

from __future__ import annotations

import random

import pytest
from attrs import evolve

from sample_protocols.exercise import EXERCISE, Amount, Place, held, scope
from sample_protocols.worlds import PROTOCOLS, protocol_named, random_world
from shardproof.readings.evaluate import Evaluator, Stepped, digest
from shardproof.readings.generated import Generated
from shardproof.readings.scope import OutOfScope
from shardproof.readings.scopes import scope_of
from shardproof_models.language.terms import Variable, next_
from shardproof_models.layers.exactly_once import destination, source
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Role


@pytest.mark.heavy
@pytest.mark.parametrize("name", PROTOCOLS)
def test_rows_and_the_canonical_form_say_the_same(name: str) -> None:
    """A world goes there and back without a change, and equal worlds have equal keys."""
    protocol, size = protocol_named(name)
    plain, fast, rng = Evaluator(protocol, size), Generated(protocol, size), random.Random(name)
    worlds = [random_world(plain.layout, rng) for _ in range(30)]

    rows = [fast.from_plain(w) for w in worlds]

    assert [fast.plain(r) for r in rows] == worlds
    assert len({fast.key(r) for r in rows}) == len(set(worlds))
    assert all(
        fast.cell(r, symbol, *args) == value
        for r, w in zip(rows, worlds, strict=True)
        for (symbol, args), value in zip(plain.layout.cells, w, strict=True)
    )


def test_a_copy_is_independent() -> None:
    """A step on the copy leaves the world alone."""
    core = stack("core")
    fast = Generated(core, scope_of(core))
    world = fast.initial()

    fast.apply["emit"](fast.copy(world), 0)

    assert fast.plain(world) == fast.plain(fast.initial())


def test_a_digest_is_the_same_everywhere() -> None:
    """A name for a world that does not depend on the process or the machine."""
    core = stack("core")

    assert digest((0, 1, 2)) == "83341505f293b77d"
    assert digest((1, 23)) != digest((12, 3))
    assert digest(Evaluator(core, scope_of(core)).initial()) == digest(
        Evaluator(core, scope_of(core)).initial()
    )


def test_what_was_never_written_starts_at_the_last_value() -> None:
    """So an effect that is forgotten is seen: the first header would look right by chance."""
    core = stack("core")
    plain = Evaluator(core, scope_of(core))
    values = dict(zip(((s.name, args) for s, args in plain.layout.cells), plain.initial(), strict=True))

    assert values["witness", (0, 0)] == 3
    assert values["produced", (0,)] == 1
    assert values["produced", (2,)] == 0


def test_a_world_is_shown_by_what_has_changed() -> None:
    """Only the cells that differ from the initial world."""
    core = stack("core")
    plain = Evaluator(core, scope_of(core))

    steps = {(a.name, args): w for a, args, w in plain.enabled(plain.initial())}

    assert plain.show(plain.initial()) == ""
    assert plain.show(steps["emit", (0,)]) == "emitted(receipt0)=1"


def test_enabled_leaves_out_what_is_refused_and_what_is_out_of_scope() -> None:
    """A number that leaves its range is not a refusal, and not a step either."""
    plain = Evaluator(EXERCISE, scope())
    outcome = plain.step(plain.initial(), EXERCISE.action("transfer"), (0, 1, -2, 0))
    assert isinstance(outcome, Stepped)
    world = outcome.world

    enabled = [(a.name, args) for a, args, _ in plain.enabled(world)]

    assert ("transfer", (0, 1, 3, 0)) not in enabled
    with pytest.raises(OutOfScope):
        plain.step(world, EXERCISE.action("transfer"), (0, 2, -2, 0))
    assert ("transfer", (0, 2, -2, 0)) not in enabled
    assert ("transfer", (0, 2, 2, 0)) in enabled


def test_only_a_step_property_looks_ahead() -> None:
    """In a single world there is no next one."""
    plain = Evaluator(EXERCISE, scope())
    p = Place(Variable("p"))

    with pytest.raises(ValueError, match=r"only a step property looks ahead: next\(held\(p\)\)"):
        plain.value(next_(held(p)), plain.initial(), {p.head: 0})


@pytest.mark.parametrize("name", ["core", "self-certified"])
def test_every_property_is_read_alike(name: str) -> None:
    """On any two worlds, reachable or not, and for each value of its variables."""
    protocol, size = protocol_named(name)
    plain, fast, rng = Evaluator(protocol, size), Generated(protocol, size), random.Random(name)
    worlds = [(random_world(plain.layout, rng), random_world(plain.layout, rng)) for _ in range(10)]

    for p in properties_of(protocol, Role.SAFETY, Role.STEP, Role.LEMMA, Role.WITNESS, Role.PROGRESS):
        body, closed = protocol.expand(p.body), fast.check((), p.formula)
        opened = fast.check(p.variables, p.body)
        for before, after in worlds:
            rows = fast.from_plain(before), fast.from_plain(after)
            values = list(size.tuples(p.variables))
            read = [
                bool(
                    plain.value(
                        body, before, {v.head: x for v, x in zip(p.variables, xs, strict=True)}, after
                    )
                )
                for xs in values
            ]
            assert [opened(rows[0], *xs, after=rows[1]) for xs in values] == read
            assert closed(*rows) is (any(read) if p.role is Role.WITNESS else all(read))


def test_without_bounds_numbers_may_grow() -> None:
    """A fuzzing run counts as far as it likes."""
    tight = evolve(scope(), sizes={**scope().sizes, Amount: range(-2, 2)})
    bounded, unbounded = Generated(EXERCISE, tight), Generated(EXERCISE, tight, bounded=False)
    world = unbounded.initial()

    unbounded.apply["swap"](world, 0, 1)
    unbounded.apply["swap"](world, 0, 1)

    assert unbounded.cell(world, held, 0) == 3
    with pytest.raises(OutOfScope):
        bounded.apply["swap"](bounded.from_plain(Evaluator(EXERCISE, tight).initial()), 0, 1)


def test_a_topology_may_grow_as_it_goes() -> None:
    """A receipt gets its source and destination when it is emitted."""
    core = stack("core")
    fast = Generated(core, scope_of(core))
    world = fast.initial()

    fast.set_rigid(source, 0, 1)
    fast.set_rigid(destination, 0, 0)
    fast.apply["emit"](world, 0)
    fast.apply["produce"](world, 3)

    names = {s.name: s for s in core.state}
    assert fast.cell(world, names["commits"], 3, 0) == 1
    assert fast.cell(world, names["emitted_sealed"], 3, 0) == 1
    assert fast.refusal["deliver"](world, 1, 0, 3) == 1
