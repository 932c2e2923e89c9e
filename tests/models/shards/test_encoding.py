from __future__ import annotations

from typing import Protocol, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shardproof_models.shards.commitment import InclusionProof
from shardproof_models.shards.durable import DurableState, Extent
from shardproof_models.shards.encoding import MalformedError
from shardproof_models.shards.header import Header
from shardproof_models.shards.receipt import Receipt


class Encoded(Protocol):
    def encode(self) -> bytes: ...

    @classmethod
    def decode(cls, data: bytes) -> Self: ...


names = st.text(max_size=4)
numbers = st.integers(0, 2**64 - 1)
hashes = st.binary(min_size=32, max_size=32)
payloads = st.binary(max_size=8)

receipts = st.builds(Receipt, names, names, numbers, payloads)
headers = st.builds(
    Header, names, st.integers(1, 2**64 - 1), numbers, hashes, numbers, hashes, st.just(b"") | hashes
)
proofs = st.builds(InclusionProof, numbers, numbers, st.lists(hashes, max_size=3).map(tuple))
states = st.builds(
    DurableState,
    numbers,
    st.lists(hashes, max_size=2).map(tuple),
    st.lists(st.builds(Extent, numbers, numbers, numbers, numbers), max_size=2).map(tuple),
    *(st.lists(payloads, max_size=2).map(tuple) for _ in range(4)),
)
values = st.one_of(receipts, headers, proofs, states)


@st.composite
def damaged(draw: st.DrawFn) -> tuple[type[Encoded], bytes]:
    """The kind of a value, and its encoding after a few edits."""
    value = draw(values)
    data = bytearray(value.encode())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(data)))
        # Small numbers, because that is what lengths are made of.
        new = draw(st.binary(max_size=2) | st.sampled_from([b"\x00", b"\x01", b"\x02", b"\xff"]))
        data[at : at + draw(st.integers(0, 2))] = new
    return type(value), bytes(data)


@given(values)
def test_what_is_written_is_what_is_read(value: Encoded) -> None:
    """
    Decoding is the inverse of encoding.
    """
    assert type(value).decode(value.encode()) == value


@given(damaged())
def test_no_value_has_two_encodings(case: tuple[type[Encoded], bytes]) -> None:
    """
    Whatever is done to an encoding: it is refused, or it is the encoding of what it decodes to.
    """
    kind, data = case

    try:
        value = kind.decode(data)
    except MalformedError:
        return

    assert value.encode() == data


@given(values, st.binary(min_size=1, max_size=40))
def test_nothing_may_follow_the_end(value: Encoded, more: bytes) -> None:
    """
    No encoding is the beginning of another one: an accepted suffix would be a second encoding.
    """
    with pytest.raises(MalformedError):
        type(value).decode(value.encode() + more)


@given(values, st.data())
def test_nothing_may_be_missing(value: Encoded, data: st.DataObject) -> None:
    """
    No beginning of an encoding is an encoding.
    """
    encoded = value.encode()
    end = data.draw(st.integers(0, len(encoded) - 1))

    with pytest.raises(MalformedError):
        type(value).decode(encoded[:end])


@given(values)
def test_bytes_are_of_one_kind(value: Encoded) -> None:
    """
    What is a receipt is no header, no proof and no state, and so for the others.
    """
    kinds: tuple[type[Encoded], ...] = (Receipt, Header, InclusionProof, DurableState)

    for other in kinds:
        if isinstance(value, other):
            continue
        with pytest.raises(MalformedError):
            other.decode(value.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"R" + bytes(4) + b"\x00\x00\x00\x01\xff" + bytes(12),
        b"R" + b"\xff" * 40,
        b"P" + bytes(16) + b"\xff" * 8,
        Header("A", 0, 0, bytes(32), 0, bytes(32)).encode(),
        Header("A", 1, 0, bytes(32), 0, bytes(32), b"short").encode(),
    ],
    ids=["not-utf-8", "endless-name", "endless-path", "genesis", "short-certificate"],
)
def test_refuses_what_no_honest_shard_writes(data: bytes) -> None:
    """
    Names are UTF-8, lengths are true, genesis has no header, a certificate has the length of one.
    """
    kinds: dict[bytes, type[Encoded]] = {b"R": Receipt, b"P": InclusionProof, b"H": Header}

    with pytest.raises(MalformedError):
        kinds[data[:1]].decode(data)
