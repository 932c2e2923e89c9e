"""What else could have been shown in the last step, as whole runs: each another one, the smallest first."""

from __future__ import annotations

import itertools

import pytest

from shardproof.adapter import Topology, capabilities
from shardproof.adapters.reference import ReferenceAdapter, variant
from shardproof.adversary import Damage
from shardproof.explanation.variations import (
    ANOTHER_HEADER,
    ANOTHER_SHARD,
    BIT,
    BITS,
    FORGED,
    KNOWN_HEADER,
    NO_HEADER,
    NO_PROOF,
    PROOF_OF_ANOTHER,
    UNDAMAGED,
    UNEMITTED,
    Variation,
    variations,
)
from shardproof.lockstep import Lockstep
from shardproof.moves import NULL, Act, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Proof
from shardproof.oracle import Oracle
from shardproof_models.stacks import composed, layers_for

SENT = (Emit(0, 0, 1), Emit(1, 0, 1), Produce(0, 0), Finalise(0), Learn(1, 0))
SHOWN = Deliver(1, 0, 0, Proof(0, 0))


def found(*moves: Move, stack: str = "core") -> dict[str, Variation]:
    """Every variation of the last of `moves`, in order; of each kind the first."""
    adapter = ReferenceAdapter() if stack == "core" else variant(stack)()
    protocol = composed(layers_for(capabilities(adapter), adapter.stack))
    lock = Lockstep(adapter, Oracle.for_run(protocol, 3, 12), Topology.of(3))
    lock.reset()
    for move in moves[:-1]:
        lock.run(move)
    told: dict[str, Variation] = {}
    for one in variations(lock, moves):
        told.setdefault(one.kind, one)
    return told


def last(variation: Variation) -> list[Move]:
    """What is done instead, in each of its runs."""
    return [run[-1] for run in variation.runs]


def test_the_smallest_come_first_and_each_is_a_whole_run() -> None:
    """A bit, then something else, then nothing, then what nobody emitted."""
    told = found(*SENT, SHOWN)

    kinds = (*BIT.values(), PROOF_OF_ANOTHER, ANOTHER_HEADER, NO_PROOF, NO_HEADER, ANOTHER_SHARD, UNEMITTED)
    assert [*told] == [kind for kind in kinds if kind != ANOTHER_HEADER]
    assert {run[:-1] for one in told.values() for run in one.runs} == {SENT}
    assert last(told[PROOF_OF_ANOTHER]) == [SHOWN._replace(evidence=Proof(1, 0))]
    assert last(told[NO_HEADER]) == [SHOWN._replace(header=NULL, evidence=None)]
    assert last(told[ANOTHER_SHARD]) == [SHOWN._replace(shard=0), SHOWN._replace(shard=2)]
    assert last(told[UNEMITTED]) == [SHOWN._replace(receipt=Forged(0, 0, 1))]


def test_bits_are_all_over_what_is_shown() -> None:
    """Each in another place of its byte, the last one near the end."""
    moves = last(found(*SENT, SHOWN)[BIT["evidence"]])
    bits = [m.damage.number for m in moves if isinstance(m, Deliver) and m.damage is not None]

    assert len(bits) == BITS
    assert [bit % 8 for bit in bits] == [*range(BITS)]
    assert len({b - a for a, b in itertools.pairwise(bits)}) <= 2
    assert bits[1] - bits[0] > 8


@pytest.mark.parametrize(
    "damage, is_one", [(Damage("evidence", "extend"), True), (Damage("path", "reweighted"), False)]
)
def test_what_leaves_the_bytes_as_they_were_is_no_change(damage: Damage, is_one: bool) -> None:
    """A tree without sums has none to shift, so without that damage the very same is shown."""
    told = found(*SENT, SHOWN._replace(damage=damage))

    assert (UNDAMAGED in told) is is_one
    assert last(told[ANOTHER_SHARD]) == [SHOWN._replace(shard=0), SHOWN._replace(shard=2)]


def test_a_receipt_of_another_number_is_emitted_before_its_header() -> None:
    """So that there is a proof under the same header, of something else."""
    forged = Deliver(1, Forged(0, 0, 1), 0, None)

    (run,) = found(*SENT, forged)[PROOF_OF_ANOTHER].runs

    assert run == (*SENT[:2], Emit(2, 0, 1), *SENT[2:], forged._replace(evidence=Proof(2, 0)))


def test_under_the_header_of_another_shard_nothing_is_proved_of_it() -> None:
    """A receipt that is said to be of C, under a header of A: none of C could be in it."""
    forged = Deliver(1, Forged(0, 2, 1), 0, None)

    assert all(Emit(2, 2, 1) not in run for one in found(*SENT, forged).values() for run in one.runs)


def test_instead_of_no_header_one_that_is_known() -> None:
    """With something in it, for systems that seal no empty block."""
    nowhere = SHOWN._replace(header=NULL, evidence=None)

    told = found(*SENT, nowhere)
    (run,) = told[KNOWN_HEADER].runs

    assert [*told].index(BIT["receipt"]) < [*told].index(KNOWN_HEADER) < [*told].index(ANOTHER_SHARD)
    made = (Emit(2, 0, 1), Produce(1, 0), Finalise(1), Learn(1, 1))
    assert run == (*made, *SENT, nowhere._replace(header=1))


def test_a_forged_header_is_signed_in_the_other_ways() -> None:
    """By nobody, by who was made up, or with keys that have leaked; not as it was."""
    forged = Act("forge_header", 1, Forged(0, 0, 1), number=1)

    told = found(forged, stack="bridge")

    assert [*told] == [FORGED[0], FORGED[2]]
    assert last(told[FORGED[2]]) == [forged._replace(number=2)]
