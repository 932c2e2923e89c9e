"""Shrinking: each way in which a trace becomes shorter or simpler, on a trace that needs just that."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from shardproof.adapter import Adapter, Delivery, Execution, Outcome, Topology
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adversary import SPLICE, Damage
from shardproof.loading import load
from shardproof.moves import NULL, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Proof, Restart
from shardproof.oracle import Oracle
from shardproof.runs import Bench
from shardproof.shrink import Shrinker
from shardproof_models.stacks import stack

EXECUTED = (Emit(0, 0, 1), Produce(0, 0), Finalise(0), Learn(1, 0), Deliver(1, 0, 0, Proof(0, 0)))
AGAIN = Deliver(1, 0, 0, Proof(0, 0))


def shrunk(make: Callable[[], Adapter], moves: Sequence[Move]) -> tuple[Move, ...]:
    """The smallest trace that the shrinker makes of `moves`, which must violate something."""
    bench = Bench(make(), Oracle.for_run(stack("core-restarts"), 3, 60), Topology.of(3))
    found = bench.first(moves)
    assert found is not None
    small = Shrinker(bench).shrink(found)
    assert small.wrong.property == found.wrong.property
    return small.moves


def test_what_does_not_matter_goes() -> None:
    """Other receipts, other blocks, attempts in vain, and what came after."""
    noise = [Emit(n, 2, 1) for n in range(10, 30)] + [Produce(n, 2) for n in range(10, 30)]
    moves = (
        *noise[:25],
        *EXECUTED[:3],
        *noise[25:],
        *EXECUTED[3:],
        Learn(2, 0),
        Restart(2),
        AGAIN,
        Restart(0),
    )

    assert shrunk(load("faulty:no-deduplication"), moves) == (*EXECUTED, AGAIN)


def test_what_matters_only_together_goes_together() -> None:
    """Taking away one of two may hide a fault that shows without either."""

    class EvenlyForgetful(ReferenceAdapter):
        """Shows each effect twice after a second attempt, unless it was restarted an odd number of times."""

        def open(self, topology: Topology) -> None:
            super().open(topology)
            self.restarts = self.attempts = 0

        def restart(self, shard: str) -> None:
            super().restart(shard)
            self.restarts += 1

        def deliver(self, delivery: Delivery) -> Outcome:
            self.attempts += 1
            return super().deliver(delivery)

        def executed(self, shard: str, since: int) -> Sequence[Execution]:
            seen = super().executed(shard, 0)
            twice = self.attempts > len(seen) > 0 and self.restarts % 2 == 0
            return [*seen, *(seen if twice else [])][since:]

    moves = (*EXECUTED[:2], Restart(0), *EXECUTED[2:], Restart(0), AGAIN)

    assert len(shrunk(EvenlyForgetful, moves)) == 6


def test_a_receipt_whose_emission_does_not_matter_is_a_forged_one() -> None:
    """Nomad needed no receipt at all: anybody can write one."""
    moves = (Emit(0, 0, 1), Deliver(1, 0, NULL, None))

    assert shrunk(load("faulty:null-root"), moves) == (Deliver(1, Forged(0, 0, 1), NULL, None),)


def test_another_encoding_does_as_well_as_a_later_header() -> None:
    """A key made of what surrounds a receipt: the second block was not needed."""
    later = (Produce(1, 0), Finalise(1), Learn(1, 1), Deliver(1, 0, 1, Proof(0, 1)))

    small = shrunk(load("faulty:key-is-signature"), (*EXECUTED, *later))

    assert len(small) == 6
    last = small[-1]
    assert isinstance(last, Deliver)
    assert last.header == 0
    assert last.damage is not None


def test_one_bit_does_as_well_as_a_field_of_another_receipt() -> None:
    """The name of a source that nobody checks may be any name."""
    moves = (Emit(1, 2, 1), *EXECUTED[:4], AGAIN._replace(damage=Damage("receipt", SPLICE, 1)))

    small = shrunk(load("faulty:wrong-source"), moves)

    assert small[:-1] == EXECUTED[:4]
    assert isinstance(small[-1], Deliver)
    assert small[-1].damage is not None
    assert small[-1].damage.kind == "flip"


def test_two_attempts_are_easier_to_read_than_one_inside_the_other() -> None:
    """A callback is only told of where it is needed."""
    inside = AGAIN._replace(again=True)

    assert shrunk(load("faulty:no-deduplication"), (*EXECUTED[:4], inside)) == (*EXECUTED, AGAIN)
    assert shrunk(load("faulty:marked-after-callback"), (*EXECUTED[:4], inside)) == (*EXECUTED[:4], inside)


@pytest.mark.parametrize("source, destination", [(2, 0), (1, 2), (2, 1)])
def test_shards_are_named_in_order_of_appearance(source: int, destination: int) -> None:
    """The same fault between other shards is the same story."""
    moves = (
        Emit(0, source, destination),
        Produce(0, source),
        Finalise(0),
        Learn(destination, 0),
        Deliver(destination, 0, 0, Proof(0, 0)),
        Deliver(destination, 0, 0, Proof(0, 0)),
    )

    assert shrunk(load("faulty:no-deduplication"), moves) == (*EXECUTED, AGAIN)


def test_a_bound_on_the_candidates_is_kept() -> None:
    """A slow system must not hold up a verdict: what was found is told as short as time allowed."""
    bench = Bench(
        load("faulty:no-deduplication")(), Oracle.for_run(stack("core-restarts"), 3, 60), Topology.of(3)
    )
    noise = [Emit(n, 2, 1) for n in range(10, 30)]
    found = bench.first((*noise, *EXECUTED, AGAIN))
    assert found is not None

    shrinker = Shrinker(bench, runs_max=3)
    small = shrinker.shrink(found)

    assert shrinker.runs <= 3
    assert small.wrong.property == "executes-at-most-once"

    # What is long is run less often: by its moves.
    whole = Shrinker(bench)
    whole.shrink(found)
    shrinker = Shrinker(bench, moves_max=len(found.moves))
    small = shrinker.shrink(found)

    assert 0 < shrinker.runs <= 5 < whole.runs
    assert small.wrong.property == "executes-at-most-once"
