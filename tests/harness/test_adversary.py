"""Damage is a function of the bytes: it changes them, stays in bounds, and says what it was."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from shardproof.adapter import Delivery, Refused, Topology
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adversary import (
    BLIND,
    INFORMED,
    INNER_NODE,
    MULTIPROOF,
    SECP256K1_ORDER,
    Damage,
    Presented,
    damaged,
)
from shardproof.moves import damage_of
from shardproof.multiproofs import REBUILT
from shardproof.system import System

NUMBERS = st.integers(0, 10**9 - 1)


def given_out(answer: bytes | Refused) -> bytes:
    assert isinstance(answer, bytes), f"nothing is wrong yet, and all the same {answer}"
    return answer


@given(st.sampled_from(sorted(BLIND)), st.binary(max_size=200), NUMBERS)
def test_blind_damage_never_fails_and_is_repeatable(kind: str, data: bytes, number: int) -> None:
    """Foreign bytes may have any length: an adversary that raises tries nothing."""
    first = BLIND[kind](data, number)

    assert first == BLIND[kind](data, number)
    assert isinstance(first, bytes)


@given(st.binary(min_size=1, max_size=200), NUMBERS)
def test_flip_changes_exactly_one_bit(data: bytes, number: int) -> None:
    """A flip that flips nothing would count as an attack that was tried."""
    changed = BLIND["flip"](data, number)

    assert sum((a ^ b).bit_count() for a, b in zip(data, changed, strict=True)) == 1


@given(st.binary(min_size=33, max_size=100), NUMBERS)
def test_malleated_signature_is_the_other_root(data: bytes, number: int) -> None:
    """Applied twice to a number below the order of the group it gives the number back."""
    start = number % (len(data) - 32)
    s = int.from_bytes(data[start : start + 32], "big")

    twice = BLIND["malleate"](BLIND["malleate"](data, number), number)

    assert (twice == data) == (0 < s < SECP256K1_ORDER or s == 0)


@given(
    st.sampled_from(
        [
            *((p, k) for p in ("receipt", "header", "evidence") for k in BLIND),
            *(("path", k) for k in (*INFORMED, INNER_NODE)),
            *((MULTIPROOF, k) for k in REBUILT),
        ]
    ),
    NUMBERS,
)
def test_text_of_a_damage_says_all_of_it(what: tuple[str, str], number: int) -> None:
    """A trace stores the text, and replays what it reads from it."""
    damage = Damage(*what, number)

    assert damage_of(str(damage)) == damage


@given(st.sampled_from([*INFORMED, INNER_NODE]), NUMBERS)
def test_informed_damage_is_refused_by_the_reference(kind: str, number: int) -> None:
    """Whatever is done to a path, the reference executes only what was emitted."""
    adapter = ReferenceAdapter()
    adapter.open(Topology.of(2))
    receipts = [given_out(adapter.emit("A", "B", b"r%d" % i)) for i in range(3)]
    header = given_out(adapter.finalise("A", given_out(adapter.produce("A"))))
    adapter.learn("B", header)
    honest = Presented(receipts[1], header, given_out(adapter.prove(receipts[1], header)))

    shown = damaged(System(adapter), honest, Damage("path", kind, number))
    adapter.deliver(Delivery("B", *shown))

    assert [x.payload for x in adapter.executed("B", 0)] in ([], [b"r1"])
