from __future__ import annotations

from typing import Any

import pytest
from eth_abi import abi as eth_abi
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shardproof.adapters.evm.abi import row_of

NUMBERS = st.sampled_from([8, 24, 128, 256])

#: A type, and values of it.
Typed = tuple[str, st.SearchStrategy[Any]]


def unsigned(bits: int) -> Typed:
    return f"uint{bits}", st.integers(0, (1 << bits) - 1)


def signed(bits: int) -> Typed:
    return f"int{bits}", st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)


def fixed(length: int) -> Typed:
    return f"bytes{length}", st.binary(min_size=length, max_size=length)


SINGLE: st.SearchStrategy[Typed] = st.one_of(
    NUMBERS.map(unsigned),
    NUMBERS.map(signed),
    st.sampled_from([1, 4, 20, 32]).map(fixed),
    st.sampled_from(
        [
            ("bool", st.booleans()),
            ("address", st.binary(min_size=20, max_size=20).map(lambda x: "0x" + x.hex())),
            ("bytes", st.binary(max_size=70)),
            ("string", st.text(max_size=40)),
        ]
    ),
)


def longer(of: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    """Lists, arrays and tuples."""

    def array(element: Typed, length: int) -> Typed:
        name, values = element
        return f"{name}[{length}]", st.tuples(*[values] * length)

    def listed(element: Typed) -> Typed:
        name, values = element
        return f"{name}[]", st.lists(values, max_size=3).map(tuple)

    def together(parts: list[Typed]) -> Typed:
        return f"({','.join(name for name, _ in parts)})", st.tuples(*(values for _, values in parts))

    parts = st.lists(of, min_size=1, max_size=3)
    return of.map(listed) | st.builds(array, of, st.integers(1, 3)) | parts.map(together)


@st.composite
def typed_values(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    """Some types, and a value of each."""
    chosen = draw(st.lists(st.recursive(SINGLE, longer, max_leaves=5), max_size=3))
    return tuple(name for name, _ in chosen), tuple(draw(values) for _, values in chosen)


class TestRow:
    @settings(deadline=None, max_examples=50, derandomize=True, database=None)
    @given(typed_values())
    def test_is_written_and_read_as_by_another_library(
        self, given: tuple[tuple[str, ...], tuple[Any, ...]]
    ) -> None:
        """
        Values of any types become the bytes that `eth_abi` makes of them, and the values again.
        """
        types, values = given

        data = row_of(types).write(values)

        assert data == eth_abi.encode(types, values)
        assert row_of(types).read(data, 0) == values

    @settings(deadline=None, max_examples=50, derandomize=True, database=None)
    @given(typed_values(), st.randoms(use_true_random=False))
    def test_refuses_bytes_as_another_library_does(
        self, given: tuple[tuple[str, ...], tuple[Any, ...]], random: Any
    ) -> None:
        """
        Bytes with one bit turned, or cut short, are the same values to `eth_abi`, or none to both.
        """
        types, values = given
        data = bytearray(row_of(types).write(values))
        assume(data)
        if random.random() < 0.2:
            del data[random.randrange(len(data)) :]
        else:
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)

        assert read(types, bytes(data)) == read_by_eth_abi(types, bytes(data))

    @pytest.mark.parametrize(
        "kind,words",
        [
            ("address", [1 << 160]),
            ("bool", [2]),
            ("uint8", [256]),
            ("int8", [128]),
            ("bytes4", [1]),
            ("bytes", [32, 1, 1]),
            ("bytes", [32, 1]),
            ("bytes", [32, 1 << 255]),
            ("bytes", [1 << 255, 0]),
            ("uint8[2]", [1]),
            ("uint8[]", [32, 2, 1]),
        ],
    )
    def test_is_read_strictly(self, kind: str, words: list[int]) -> None:
        """
        What a contract's compiler would not write is no value, as `eth_abi` finds too.
        """
        data = b"".join(word.to_bytes(32) for word in words)

        assert read_by_eth_abi((kind,), data) is None
        with pytest.raises(ValueError):
            row_of((kind,)).read(data, 0)

    @pytest.mark.parametrize(
        "kind,value",
        [
            ("uint8", 256),
            ("uint8", -1),
            ("uint256", True),
            ("int8", 128),
            ("bool", 1),
            ("address", "0x12"),
            ("bytes4", b"12345"),
            ("bytes", "text"),
            ("string", b"bytes"),
            ("uint8[2]", (1,)),
            ("(uint8,bool)", (1,)),
        ],
    )
    def test_is_not_made_of_other_values(self, kind: str, value: object) -> None:
        """
        What a type has no room for is an error, and never cut to fit.
        """
        with pytest.raises((TypeError, ValueError)):
            row_of((kind,)).write((value,))

    def test_is_not_as_long_as_it_says(self) -> None:
        """
        A list that claims more values than there are bytes is refused before any is read.
        """
        claimed = (32).to_bytes(32) + (1 << 255).to_bytes(32)

        with pytest.raises(ValueError, match="a list of"):
            row_of(("uint8[]",)).read(claimed, 0)

    def test_has_only_types_that_are_known(self) -> None:
        with pytest.raises(ValueError, match="no type 'fixed128x18'"):
            row_of(("fixed128x18",))


def read(types: tuple[str, ...], data: bytes) -> object:
    """The values, or nothing where there are none."""
    try:
        return row_of(types).read(data, 0)
    except ValueError:
        return None


def read_by_eth_abi(types: tuple[str, ...], data: bytes) -> object:
    try:
        return eth_abi.decode(types, data)
    except Exception:
        # Its errors have no class in common besides this one.
        return None
