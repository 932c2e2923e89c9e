"""
All that a shard keeps, as named parts in bytes: what survives a restart, and what a digest covers.

Each layer of a shard adds its part, so what is left out here is lost, and seen to be lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Self

from attrs import frozen

from ..encoding import NUMBER_BYTES, Reader, blob, blobs, number, text

_KIND = b"M"
_LIST_KIND = b"L"


@frozen
class Memory:
    """The parts of a shard, by name."""

    parts: Mapping[str, bytes]

    def encode(self) -> bytes:
        """The one encoding of these parts, in order of their names."""
        written = (text(name) + blob(data) for name, data in sorted(self.parts.items()))
        return b"".join((_KIND, number(len(self.parts)), *written))

    def digest(self) -> bytes:
        """32 bytes that stand for all of it."""
        return sha256(self.encode()).digest()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The parts that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        parts = {}
        for _ in range(reader.number()):
            name = reader.text()
            parts[name] = reader.blob()
        reader.end()
        return cls(parts)


def signed(value: int) -> bytes:
    """A number that ought not to be negative, and can be where somebody has counted wrongly."""
    return value.to_bytes(NUMBER_BYTES, "big", signed=True)


def read_signed(reader: Reader) -> int:
    """The next number of this kind."""
    return int.from_bytes(reader.fixed(NUMBER_BYTES), "big", signed=True)


def listed(values: Iterable[bytes]) -> bytes:
    """A part that is a list."""
    return _LIST_KIND + blobs(tuple(values))


def unlisted(data: bytes | None) -> tuple[bytes, ...]:
    """The list that a part is, empty where nothing was written. Raises `MalformedError`."""
    if data is None:
        return ()
    reader = Reader(data, _LIST_KIND)
    values = reader.blobs()
    reader.end()
    return values
