"""Beginnings that lead to rare worlds of the model: the same on every machine, and followed by a system."""

from __future__ import annotations

import pytest

from shardproof.adapter import Topology, capabilities
from shardproof.adapters.reference import variant
from shardproof.engines.fuzz import RESERVE, Plan, fuzz, search
from shardproof.moves import Move
from shardproof.oracle import Oracle
from shardproof.readings.native import compiler
from shardproof.runs import Bench
from shardproof.tours.rare import KEPT, RareWorlds
from shardproof.verdict import Report, Verdict
from shardproof_models.stacks import composed, layers_for, visible


def still() -> float:
    """A clock that stands still."""
    return 0.0


def bench_of(name: str) -> Bench:
    """A reference that follows a stack, as fuzz has it."""
    adapter = variant(name)()
    able = capabilities(adapter)
    protocol = composed(layers_for(able, adapter.stack))
    reserve = RESERVE if able & {"split", "merge"} else 0
    oracle = Oracle.for_run(protocol, 3 + reserve, 100, 0, reserve)
    return Bench(adapter, oracle, Topology(Topology.of(3 + reserve).shards, reserve))


def rare_worlds(bench: Bench, seed: int = 1) -> RareWorlds:
    """The rare worlds of its model."""
    seen = composed(visible(bench.oracle.protocol.layers))
    return RareWorlds(seen, bench.lock.able, seed, bench.topology)


def followed(bench: Bench, rare: RareWorlds, number: int) -> list[Move]:
    """The moves of a beginning that the system was asked for."""
    lock, moves = bench.fresh(), []
    for move in rare.moves(rare.beginning(number), lock):
        assert lock.run(move) is None
        moves.append(move)
    return moves


@pytest.mark.parametrize("name", ["", "bridge", "near", "ibc-ordered", "everything"])
def test_a_system_follows_a_beginning(name: str) -> None:
    """Most of its steps are moves that are possible, and nothing that is right is flagged."""
    bench = bench_of(name)
    rare = rare_worlds(bench)

    made = [len(followed(bench, rare, number)) for number in range(6)]

    wanted = [len(rare.beginning(number)) for number in range(6)]
    assert sum(made) >= 0.7 * sum(wanted)
    assert max(made) > 5


def test_beginnings_are_functions_of_the_seed_and_their_number() -> None:
    """Whichever is asked for first."""
    bench = bench_of("")
    one, other = rare_worlds(bench), rare_worlds(bench)

    late = other.beginning(7)

    assert [str(x) for x in one.beginning(3)] == [str(x) for x in other.beginning(3)]
    assert [str(x) for x in one.beginning(7)] == [str(x) for x in late]
    assert one.beginning(7 + KEPT) is one.beginning(7)
    assert [str(x) for x in rare_worlds(bench, 2).beginning(7)] != [str(x) for x in late]


def test_what_is_met_often_is_not_where_a_beginning_ends() -> None:
    """The kinds of worlds at the ends of sixteen beginnings are rarer than those of all steps."""
    rare = rare_worlds(bench_of("ibc-ordered"))
    rare.beginning(15)

    once = sum(1 for n in rare.met.values() if n == 1)

    assert once > 40
    assert sum(rare.met.values()) > len(rare.met)


def of_core(seed: int, *, rare: bool) -> Report:
    return fuzz(variant(""), "reference", Plan(seed, steps=3_000, rare=rare), clock=still)


@pytest.mark.heavy
def test_a_seed_repeats_runs_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is compiled for it, so a machine without a compiler has the same runs."""
    expected = of_core(5, rare=True)

    def refuse(*_: object) -> None:
        raise AssertionError("compiled")

    monkeypatch.setattr(compiler, "library", refuse)
    monkeypatch.setenv("CC", "no-such-compiler")

    assert of_core(5, rare=True) == expected
    assert expected.verdict is Verdict.HOLDS


@pytest.mark.heavy
def test_who_does_not_ask_for_it_has_other_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, no walk is ever taken, and no number of a run is spent on it."""
    with_it = of_core(5, rare=True)

    def refuse(*_: object) -> None:
        raise AssertionError("walked")

    monkeypatch.setattr(search, "RareWorlds", refuse)

    assert of_core(5, rare=False) != with_it
