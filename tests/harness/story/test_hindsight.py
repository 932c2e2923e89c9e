"""What damage came to: the first that it may have been by which the model answers as was recorded."""

from __future__ import annotations

import pytest

from shardproof.adapter import Topology
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adversary import SPLICE, Damage
from shardproof.lockstep import Lockstep
from shardproof.moves import Deliver, Emit, Finalise, Learn, Move, Produce, Proof
from shardproof.oracle import Oracle
from shardproof.story.hindsight import HARMLESS, as_it_was
from shardproof.trace import Step
from shardproof_models.stacks import stack

FLIPPED, LONGER = Damage("header", "flip", 9), Damage("evidence", "extend", 0)
UNTRUSTED, UNPROVEN = "refused, untrusted header", "refused, unproven"
CONSUMED, WRONG = "refused, consumed", "refused, wrong source"


@pytest.fixture
def lock() -> Lockstep:
    """A run in which B has executed r1 and may execute r0, which C has sent, and A is yet to send r2."""
    found = Lockstep(ReferenceAdapter(), Oracle.for_run(stack("core"), 3, 10), Topology.of(3))
    found.reset()
    done = (Emit(0, 0, 1), Emit(1, 0, 1), Produce(0, 0), Finalise(0), Learn(1, 0))
    for move in (*done, Deliver(1, 1, 0, Proof(1, 0))):
        assert found.run(move) is None
    return found


def shown(damage: Damage) -> Deliver:
    """r0 with something of it damaged."""
    return Deliver(1, 0, 0, Proof(0, 0), damage)


@pytest.mark.parametrize(
    "damage, expected, came_to",
    [
        (FLIPPED, UNTRUSTED, Damage("header", "flip", 0)),
        (FLIPPED, "either", HARMLESS),
        (Damage("receipt", "flip", 9), UNPROVEN, Damage("receipt", "flip", 0)),
        (Damage("receipt", "malleate", 9), "either", HARMLESS),
        (Damage("path", "inner-node"), UNPROVEN, Damage("receipt", "flip", 0)),
        (Damage("evidence", "cut", 9), "either", LONGER),
        # What nothing explains is what it most likely was.
        (Damage("receipt", "flip", 9), WRONG, Damage("receipt", "flip", 0)),
    ],
)
def test_the_model_answers_as_was_recorded(
    lock: Lockstep, damage: Damage, expected: str, came_to: Damage
) -> None:
    """Bytes that were damaged are other bytes, or the same in spite of it."""
    step = Step("deliver", "B", {}, expected, "refused")

    assert as_it_was(lock, shown(damage), step) == shown(came_to)


def test_a_receipt_with_a_field_of_another_may_be_that_other(lock: Lockstep) -> None:
    """It was consumed already, which the one that is named was not."""
    step = Step("deliver", "B", {}, CONSUMED, "refused")

    took = as_it_was(lock, shown(Damage("receipt", SPLICE, 1)), step)

    assert took == shown(HARMLESS)._replace(receipt=1)


def test_a_callback_that_failed_had_honest_evidence(lock: Lockstep) -> None:
    """Of damaged evidence nobody would believe it."""
    step = Step("deliver_failing", "B", {}, "either", "accepted", ("B dealt with r0, which failed",))

    assert as_it_was(lock, shown(Damage("evidence", "cut", 9)), step) == shown(HARMLESS)


@pytest.mark.parametrize(
    "expected, came_to", [("accepted", None), ("refused, not final", Damage("header", "flip", 0))]
)
def test_a_header_that_was_learned_was_none_the_worse(
    lock: Lockstep, expected: str, came_to: Damage | None
) -> None:
    """A light client takes it as it is, or takes it for another."""
    assert as_it_was(lock, Learn(2, 0, FLIPPED), Step("learn", "C", {}, expected)) == Learn(2, 0, came_to)


@pytest.mark.parametrize("move", [Emit(2, 0, 1), shown(LONGER)._replace(damage=None)])
def test_without_damage_a_move_is_what_it_is(lock: Lockstep, move: Move) -> None:
    """Whatever was recorded of it."""
    assert as_it_was(lock, move, Step("emit", "A", {}, "refused, by somebody")) == move
