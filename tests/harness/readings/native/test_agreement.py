"""
The compiled search finds what Python finds: the same worlds in the same order, counted alike.

The layers do not exercise the language, so it is compared on the artificial protocol with random
actions and sentences as well. The comparison is made here and not by the engine, whose own check
must not be what these tests rely on.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import evolve

from sample_protocols.random_terms import TermMaker, random_action
from sample_protocols.worlds import protocol_named
from shardproof.engines.explore.answer import Answer
from shardproof.engines.explore.kernel import KernelSearch
from shardproof.engines.explore.python import PythonSearch
from shardproof.engines.explore.question import Question
from shardproof.readings.asked import LOOKED_AT
from shardproof.readings.evaluate import Evaluator, Stepped
from shardproof.readings.native import reach, steps
from shardproof.readings.native.kernel import Kernel, compiled
from shardproof.readings.native.packing import TooWideError
from shardproof.readings.native.program import Sentences
from shardproof.readings.scope import OutOfScope, Scope
from shardproof.readings.scopes import scope_of
from shardproof_models.language.actions import Write
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool
from shardproof_models.mistakes import dropped_clauses
from shardproof_models.stacks import STACKS, stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

pytestmark = pytest.mark.heavy

MEMORY = 1 << 28

#: One world of this does not fit into the words that there are.
TOO_WIDE = "everything"


def question(protocol: Protocol, scope: Scope, chosen: tuple[Property, ...], worlds: int) -> Question:
    return Question(protocol, scope, chosen, worlds, None, MEMORY, 1, lambda _: None)


def kernel_for(asked: Question) -> Kernel:
    """The kernel that the engine would have made, unchecked."""
    sentences = (tuple(p.formula for p in of) for of in (asked.invariants, asked.steps, asked.witnesses))
    return compiled(asked.protocol, asked.scope, Sentences(*sentences))


#: What is compared of two answers; of what was cut, only how much: see `test_what_is_cut_first...` below.
COMPARED = ("worlds", "transitions", "depth", "limit", "unread", "violated", "path", "unreached")


def differences(asked: Question) -> Iterator[tuple[str, Any, Any]]:
    """What Python and the kernel answer differently."""
    python, kernel = PythonSearch(asked), kernel_for(asked)
    python.run(None)
    expected: Answer = python.answer()
    got = KernelSearch(asked, kernel).answer()
    for name in COMPARED:
        if getattr(expected, name) != getattr(got, name):
            yield name, getattr(expected, name), getattr(got, name)
    if expected.work() != got.work():
        yield "work", expected.work(), got.work()
    if expected.guards.rows != got.guards.rows:
        yield "guards", expected.guards.rows, got.guards.rows
    with kernel.search(worlds_max=asked.worlds_max, memory_max=MEMORY) as found:
        worlds = [found.world(position) for position in range(found.counts.worlds)]
    if worlds != [python.stepping.plain(world) for world in python.came_from]:
        yield "order", len(python.came_from), len(worlds)


@pytest.mark.parametrize("name", [n for n in STACKS if n != TOO_WIDE])
def test_every_stack_is_searched_alike(name: str) -> None:
    """All that is asked of a stack, on its first thousand worlds: both end in the middle of one."""
    protocol = stack(name)
    chosen = properties_of(protocol, *LOOKED_AT, Role.LEMMA)

    asked = question(protocol, scope_of(protocol, receipts=1), chosen, 1_000)

    assert list(differences(asked)) == []


@pytest.mark.parametrize("name", ["exactly-once", "final", "self-certified"])
def test_small_stacks_are_searched_alike_to_the_end(name: str) -> None:
    """Every world, every transition, every clause, every witness."""
    protocol = stack(name)

    asked = question(protocol, scope_of(protocol, receipts=1), properties_of(protocol, *LOOKED_AT), 10_000)

    assert list(differences(asked)) == []


@pytest.mark.deep
@pytest.mark.parametrize("name", ["core", "core-durable", "actors", "exactly-once-inbox"])
def test_larger_stacks_are_searched_alike_to_the_end(name: str) -> None:
    """Tens of thousands of worlds."""
    protocol = stack(name)

    asked = question(protocol, scope_of(protocol, receipts=1), properties_of(protocol, *LOOKED_AT), 100_000)

    assert list(differences(asked)) == []


@pytest.mark.parametrize(
    "mutant", ["deliver without 'consumed'", "deliver without 'unproven'", "emit without 'already emitted'"]
)
def test_a_violation_is_found_alike(mutant: str) -> None:
    """The same first violation, by the same steps, and the same counts up to there."""
    protocol = dict(dropped_clauses(stack("final")))[mutant]
    asked = question(protocol, scope_of(protocol, receipts=1), properties_of(protocol, *LOOKED_AT), 20_000)

    assert list(differences(asked)) == []


# ---- the language -----------------------------------------------------------------------------------


def by_chance(seed: int, actions: int = 6) -> Question:
    """The artificial protocol with random actions; about half of the time, with random sentences too."""
    rng = random.Random(seed)
    protocol, scope = protocol_named("exercise")
    changed = evolve(
        protocol,
        actions=tuple(evolve(random_action(protocol, rng), name=f"chance{n}") for n in range(actions)),
    )
    now = TermMaker(rng, protocol.symbols, (*protocol.sorts, Bool))
    next_ = TermMaker(rng, protocol.symbols, (*protocol.sorts, Bool), next=True)
    chosen = [Property("R", f"w{n}", Role.WITNESS, (), now.bool(3, ()), "it may happen") for n in range(4)]
    if rng.random() < 0.5:
        chosen += [
            Property("R", f"i{n}", Role.SAFETY, (), now.bool(3, ()) | next_.bool(0, ()), "it may be false")
            for n in range(2)
        ]
        chosen += [Property("R", f"s{n}", Role.STEP, (), next_.bool(3, ()), "so may this") for n in range(2)]
    return question(changed, scope, tuple(chosen), 400)


def searched_alike(seeds: range) -> list[tuple[int, Any]]:
    """The seeds whose protocols are not."""
    return [(seed, found) for seed in seeds if (found := list(differences(by_chance(seed))))]


def test_random_terms_are_searched_alike() -> None:
    """Guards, effects and sentences of whatever terms the sorts allow."""
    assert searched_alike(range(12)) == []


@pytest.mark.deep
def test_many_random_terms_are_searched_alike() -> None:
    """The same, for longer."""
    assert searched_alike(range(1_000, 1_200)) == []


def test_what_is_cut_first_is_what_the_plain_reading_meets_first() -> None:
    """Where several numbers leave their range in one step, the first in the plain reading is named."""
    met = 0
    for seed in range(30, 38):
        asked = evolve(by_chance(seed), chosen=())
        plain, kernel = Evaluator(asked.protocol, asked.scope), kernel_for(asked)
        with kernel.search(worlds_max=100, memory_max=MEMORY) as found:
            worlds = [found.world(position) for position in range(found.expanded)]
            cuts = {(b.symbol, b.sort): n for b, n in found.coverage().cuts.items()}
        expected: dict[tuple[str, str], int] = {}
        for world in worlds:
            for action, args in plain.instances():
                try:
                    plain.step(world, action, args)
                except OutOfScope as cut:
                    expected[cut.symbol, cut.sort] = expected.get((cut.symbol, cut.sort), 0) + 1
        assert cuts == expected
        met += len(expected) > 1
    assert met, "no step of these left its range in two ways"


# ---- the comparison can fail --------------------------------------------------------------------------


def test_an_effect_that_is_forgotten_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is added any more."""
    protocol = stack("exactly-once")
    effects = steps.Steps.effects

    def forgetful(self: steps.Steps, instance: Any) -> Any:
        kept = tuple(e for e in instance.effects if getattr(e, "write", None) is not Write.ADD)
        return effects(self, evolve(instance, effects=kept))

    monkeypatch.setattr(steps.Steps, "effects", forgetful)
    asked = question(protocol, scope_of(protocol, receipts=1), (), 1_000)

    assert "order" in {what for what, _, _ in differences(asked)}


def test_values_that_are_thought_impossible_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of what is written is not believed, so what reads it is thought to be known."""
    protocol = stack("exactly-once")
    written = reach._written

    def narrow(*args: Any) -> Any:
        return {cell: values for cell, values in written(*args).items() if cell % 2}

    monkeypatch.setattr(reach, "_written", narrow)
    asked = question(protocol, scope_of(protocol, receipts=1), (), 1_000)

    assert "order" in {what for what, _, _ in differences(asked)}


def test_what_takes_a_world_out_of_its_words_is_an_error() -> None:
    """The largest composition does not fit, and what takes the room is named."""
    protocol = stack(TOO_WIDE)

    with pytest.raises(TooWideError) as error:
        kernel_for(question(protocol, scope_of(protocol, receipts=1), (), 1))

    assert str(error.value).startswith(
        "a world of everything with 2 shards, 1 receipt and 1 block a shard, 2 shards in reserve "
        "does not fit into 4 words\n  expected  at most 256 bits\n  got       at least "
    )
    assert ", of which " in str(error.value)


def test_successors_are_those_of_the_plain_reading() -> None:
    """One by one, in the order of the attempts."""
    protocol = stack("final")
    asked = question(protocol, scope_of(protocol, receipts=1), (), 200)
    plain, kernel = Evaluator(protocol, asked.scope), kernel_for(asked)

    with kernel.search(worlds_max=200, memory_max=MEMORY) as found:
        worlds = [found.world(position) for position in range(found.counts.worlds)]

    assert len(worlds) == 200
    for world in worlds:
        steps_ = (plain.step(world, action, args) for action, args in plain.instances())
        assert kernel.successors(world) == [s.world for s in steps_ if isinstance(s, Stepped)]
