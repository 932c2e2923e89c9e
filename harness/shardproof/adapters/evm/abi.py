"""
The contract ABI: values as the bytes that calls carry, and such bytes as values.

A type is taken apart once, and what comes of it writes and reads without looking at its name
again. Reading is strict: a number that its type has no room for, an offset beyond the end, or
padding that is not zero is an error and no value. Addresses are `0x` and 40 lower-case digits,
sequences of any kind are read as tuples.

Source: "Contract ABI Specification" of the Solidity documentation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import repeat
from typing import Any, Final

from attrs import frozen

_WORD: Final = 32
_ADDRESS: Final = 20
_WORDS: Final = 1 << 256

_NUMBER: Final = re.compile(r"(u?)int(\d+)")
_FIXED_BYTES: Final = re.compile(r"bytes(\d+)")
_DIGITS: Final = re.compile(r"0x[0-9a-fA-F]{40}")


@frozen(eq=False)
class Kind:
    """A type, taken apart. Writing and reading raise `ValueError`, or `TypeError`, where they cannot."""

    #: Bytes that it takes among its neighbours: of what has no fixed length, only an offset stands there.
    size: int
    dynamic: bool
    write: Callable[[Any], bytes]
    #: The value that begins at a place in some data.
    read: Callable[[bytes, int], Any]


@cache
def row_of(types: tuple[str, ...]) -> Kind:
    """Values side by side: the arguments of a call, or what a tuple holds."""
    parts = [_kind(name) for name in types]
    heads = sum(part.size for part in parts)
    dynamic = any(part.dynamic for part in parts)

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        return _read_all(parts, data, at)

    return Kind(_WORD if dynamic else heads, dynamic, lambda values: _written(parts, heads, values), read)


@cache
def _kind(name: str) -> Kind:
    if name.endswith("]"):
        element, _, count = name[:-1].rpartition("[")
        return _array(_kind(element), int(count)) if count else _list(_kind(element))
    if name.startswith("(") and name.endswith(")"):
        return row_of(tuple(_split(name[1:-1])))
    if found := _NUMBER.fullmatch(name):
        return _number(name, int(found[2]), signed=not found[1])
    if found := _FIXED_BYTES.fullmatch(name):
        return _fixed_bytes(name, int(found[1]))
    match name:
        case "bool":
            return Kind(_WORD, False, _write_bool, _read_bool)
        case "address":
            return Kind(_WORD, False, _write_address, _read_address)
        case "bytes":
            return Kind(_WORD, True, _write_bytes, _read_bytes)
        case "string":
            return Kind(_WORD, True, _write_string, lambda data, at: _read_bytes(data, at).decode())
    raise ValueError(f"the contract ABI has no type {name!r} that is known here")


def _split(names: str) -> Iterator[str]:
    """The parts of a tuple, some of which may be tuples."""
    depth, begin = 0, 0
    for place, letter in enumerate(names):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            yield names[begin:place]
            begin = place + 1
    if names:
        yield names[begin:]


# ---- several values ---------------------------------------------------------------------------


def _written(parts: Iterable[Kind], heads: int, values: Iterable[Any]) -> bytes:
    """First what has a fixed length, and of the rest where it begins; then the rest."""
    front: list[bytes] = []
    back: list[bytes] = []
    place = heads
    for part, value in zip(parts, values, strict=True):
        data = part.write(value)
        if part.dynamic:
            front.append(place.to_bytes(_WORD))
            back.append(data)
            place += len(data)
        else:
            front.append(data)
    return b"".join(front + back)


def _read_all(parts: Iterable[Kind], data: bytes, at: int) -> tuple[Any, ...]:
    values = []
    place = at
    for part in parts:
        # Offsets are counted from where the first of these values stands.
        begin = at + int.from_bytes(_word(data, place)) if part.dynamic else place
        values.append(part.read(data, begin))
        place += part.size
    return tuple(values)


def _array(element: Kind, count: int) -> Kind:
    heads = count * element.size

    def write(values: Sequence[Any]) -> bytes:
        if len(values) != count:
            raise ValueError(f"{len(values)} values where there have to be {count}")
        return _written(repeat(element, count), heads, values)

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        return _read_all(repeat(element, count), data, at)

    return Kind(_WORD if element.dynamic else heads, element.dynamic, write, read)


def _list(element: Kind) -> Kind:
    def write(values: Sequence[Any]) -> bytes:
        count = len(values)
        return count.to_bytes(_WORD) + _written(repeat(element, count), count * element.size, values)

    def read(data: bytes, at: int) -> tuple[Any, ...]:
        count = int.from_bytes(_word(data, at))
        if count * max(1, element.size) > len(data):
            raise ValueError(f"a list of {count} values in {len(data)} bytes")
        return _read_all(repeat(element, count), data, at + _WORD)

    return Kind(_WORD, True, write, read)


# ---- one value --------------------------------------------------------------------------------


def _word(data: bytes, at: int) -> bytes:
    word = data[at : at + _WORD]
    if len(word) != _WORD:
        raise ValueError(f"{len(data)} bytes, and a value begins at byte {at}")
    return word


def _number(name: str, bits: int, *, signed: bool) -> Kind:
    least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)

    def write(value: int) -> bytes:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{name} cannot be {value!r}")
        return (value % _WORDS).to_bytes(_WORD)

    def read(data: bytes, at: int) -> int:
        value = int.from_bytes(_word(data, at), signed=signed)
        if not least <= value <= most:
            raise ValueError(f"{name} cannot be {value}")
        return value

    return Kind(_WORD, False, write, read)


def _write_bool(value: bool) -> bytes:
    if not isinstance(value, bool):
        raise TypeError(f"bool cannot be {value!r}")
    return value.to_bytes(_WORD)


def _read_bool(data: bytes, at: int) -> bool:
    number = int.from_bytes(_word(data, at))
    if number > 1:
        raise ValueError(f"bool cannot be {number}")
    return number == 1


def _write_address(value: str) -> bytes:
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ValueError(f"address cannot be {value!r}")
    return bytes.fromhex(value[2:]).rjust(_WORD, b"\0")


def _read_address(data: bytes, at: int) -> str:
    word = _word(data, at)
    if any(word[:-_ADDRESS]):
        raise ValueError(f"address cannot be 0x{word.hex()}")
    return "0x" + word[-_ADDRESS:].hex()


def _fixed_bytes(name: str, length: int) -> Kind:
    padding = bytes(_WORD - length)

    def write(value: bytes) -> bytes:
        if not isinstance(value, bytes | bytearray) or len(value) > length:
            raise ValueError(f"{name} cannot be {value!r}")
        return bytes(value.ljust(_WORD, b"\0"))

    def read(data: bytes, at: int) -> bytes:
        word = _word(data, at)
        if word[length:] != padding:
            raise ValueError(f"{name} cannot be 0x{word.hex()}")
        return word[:length]

    return Kind(_WORD, False, write, read)


def _write_bytes(value: bytes) -> bytes:
    if not isinstance(value, bytes | bytearray):
        raise TypeError(f"bytes cannot be {value!r}")
    return len(value).to_bytes(_WORD) + value + bytes(-len(value) % _WORD)


def _read_bytes(data: bytes, at: int) -> bytes:
    length = int.from_bytes(_word(data, at))
    begin = at + _WORD
    end = begin + length
    padding = data[end : end + -length % _WORD]
    if end + -length % _WORD > len(data) or any(padding):
        raise ValueError(f"{length} bytes and their padding do not stand at byte {begin}")
    return data[begin:end]


def _write_string(value: str) -> bytes:
    if not isinstance(value, str):
        raise TypeError(f"string cannot be {value!r}")
    return _write_bytes(value.encode())
