from __future__ import annotations

from typing import Protocol, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardproof_models.shards.encoding import MalformedError
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.facts import FactProof, Leaf
from shardproof_models.shards.messaging.message import FullReceipt
from shardproof_models.shards.messaging.messenger import Kept
from shardproof_models.shards.messaging.sum_tree import NODE_BYTES, SumProof
from shardproof_models.shards.messaging.validators import Certificate, ValidatorSet


class Encoded(Protocol):
    def encode(self) -> bytes: ...

    @classmethod
    def decode(cls, data: bytes) -> Self: ...


names = st.text(max_size=4)
numbers = st.integers(0, 2**64 - 1)
hashes = st.binary(min_size=32, max_size=32)
nodes = st.binary(min_size=NODE_BYTES, max_size=NODE_BYTES)
payloads = st.binary(max_size=8)


def tuples(each: st.SearchStrategy[bytes]) -> st.SearchStrategy[tuple[bytes, ...]]:
    return st.lists(each, max_size=3).map(tuple)


receipts = st.builds(
    FullReceipt, names, names, numbers, numbers, payloads, numbers, numbers, numbers, st.booleans(), names
)
headers = st.builds(
    AttestingHeader,
    names,
    st.integers(1, 2**64 - 1),
    numbers,
    hashes,
    numbers,
    nodes,
    numbers,
    hashes,
    numbers,
    hashes,
    payloads,
)
sum_proofs = st.builds(SumProof, numbers, numbers, tuples(nodes))
fact_proofs = st.builds(FactProof, tuples(hashes), st.none() | st.builds(Leaf, hashes, payloads))
certificates = st.builds(
    Certificate,
    st.builds(ValidatorSet, tuples(hashes)),
    st.lists(st.tuples(numbers, hashes), max_size=2).map(tuple),
)
kept = st.integers(0, 2).flatmap(
    lambda height: st.builds(
        Kept,
        numbers,
        st.tuples(*[hashes] * height),
        st.tuples(*[numbers] * height),
        st.lists(numbers, max_size=2).map(tuple),
        payloads,
    )
)
values = st.one_of(receipts, headers, sum_proofs, fact_proofs, certificates, kept)


@given(values)
def test_what_is_written_is_what_is_read(value: Encoded) -> None:
    """
    Decoding is the inverse of encoding.
    """
    assert type(value).decode(value.encode()) == value


@given(values, st.data())
def test_no_value_has_two_encodings(value: Encoded, data: st.DataObject) -> None:
    """
    Whatever is done to an encoding: it is refused, or it is the encoding of what it decodes to.
    """
    damaged = bytearray(value.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(damaged)))
        new = data.draw(st.binary(max_size=2) | st.sampled_from([b"\x00", b"\x01", b"\x02", b"\xff"]))
        damaged[at : at + data.draw(st.integers(0, 2))] = new

    try:
        again = type(value).decode(bytes(damaged))
    except MalformedError:
        return

    assert again.encode() == bytes(damaged)


@given(values, st.binary(min_size=1, max_size=40))
def test_nothing_may_follow_the_end(value: Encoded, more: bytes) -> None:
    """
    No encoding is the beginning of another one: an accepted suffix would be a second encoding.
    """
    with pytest.raises(MalformedError):
        type(value).decode(value.encode() + more)


@given(values)
def test_bytes_are_of_one_kind(value: Encoded) -> None:
    """
    What is a receipt is no header, no proof, no certificate and no state, and so for the others.
    """
    kinds: tuple[type[Encoded], ...] = (FullReceipt, AttestingHeader, SumProof, FactProof, Certificate, Kept)

    for other in kinds:
        if isinstance(value, other):
            continue
        with pytest.raises(MalformedError):
            other.decode(value.encode())
