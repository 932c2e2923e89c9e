"""What an adversary makes of a move: every kind that the adapter can make, and each at another place."""

from __future__ import annotations

import pytest

from shardproof.adapter import Topology, capabilities
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adversary import BLIND, INFORMED
from shardproof.lockstep import Lockstep
from shardproof.moves import Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Proof
from shardproof.oracle import Oracle
from shardproof.tours.variants import Adversary
from shardproof_models.stacks import composed, layers_for

HONEST = Deliver(1, 0, 0, Proof(0, 0))


@pytest.fixture
def lock() -> Lockstep:
    """Two receipts are in a final block that their destination has learned."""
    adapter = ReferenceAdapter()
    lock = Lockstep(adapter, Oracle(composed(layers_for(capabilities(adapter))), 2), Topology.of(2))
    for move in (Emit(0, 0, 1), Emit(1, 0, 1), Produce(0, 0), Finalise(0), Learn(1, 0)):
        assert lock.run(move) is None
    return lock


def made(lock: Lockstep, move: Move, kind: str) -> list[tuple[Move, ...]]:
    """All variants of a kind, by a new adversary."""
    return list(Adversary(lock.able).made(kind, move, lock, (1,)))


def test_every_kind_that_there_is_makes_something(lock: Lockstep) -> None:
    """Of a delivery: each damage to each part, each forgery, evidence of others, and inside a callback."""
    kinds = Adversary(lock.able).kinds(HONEST, (1,))

    assert {f"{part} {kind}" for part in ("receipt", "header", "evidence") for kind in BLIND} <= {*kinds}
    assert {f"path {kind}" for kind in INFORMED if kind != "reweighted"} <= {*kinds}
    assert len(kinds) == len({*kinds})
    for kind in kinds:
        variants = made(lock, HONEST, kind)
        # There is one header only, so none to show it under instead.
        assert bool(variants) == (kind != "another header"), kind
        assert all(moves != (HONEST,) for moves in variants), kind


def test_what_the_adapter_cannot_make_is_not_tried(lock: Lockstep) -> None:
    """Without `forge` nothing is forged, without `dissect` nothing is damaged with understanding."""
    kinds = Adversary(lock.able - {"forge", "dissect", "reenter"}).kinds(HONEST, ())

    assert not [
        k
        for k in kinds
        if k.startswith(("forged", "path", "from inside")) or "another" in k[:8] != "another "
    ]


def test_bits_are_flipped_at_another_place_each_time(lock: Lockstep) -> None:
    """A tour that meets many places damages many bits."""
    adversary = Adversary(lock.able)

    flipped = [
        moves[0].damage.number  # type: ignore[union-attr]
        for _ in range(3)
        for moves in adversary.made("evidence flip", HONEST, lock, ())
    ]

    assert len(flipped) == len({*flipped}) == 18


def test_what_is_forged_has_a_number_of_its_own(lock: Lockstep) -> None:
    """So that its execution is told from that of another forgery; a new run begins at 0, to be repeatable."""
    adversary = Adversary(lock.able)
    [[first]] = adversary.made("forged", HONEST, lock, ())
    [[second]] = adversary.made("forged", HONEST, lock, ())
    adversary.clear()
    [[again]] = adversary.made("forged", HONEST, lock, ())

    assert first == again == HONEST._replace(receipt=Forged(0, 0, 1))
    assert second == HONEST._replace(receipt=Forged(1, 0, 1))


def test_what_fails_is_not_damaged_too(lock: Lockstep) -> None:
    """Nothing would show whether it had failed: so nobody could say what is due afterwards."""
    assert Adversary(lock.able).kinds(HONEST._replace(fails=True), (1,)) == []
