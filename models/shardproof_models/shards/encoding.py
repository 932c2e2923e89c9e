"""
Bytes that can be read in one way only.

Every value has exactly one encoding, and every byte string is the encoding of at most one
value: lengths come first, numbers have a fixed width, nothing may follow the end, and a
first byte says what kind of thing it is, so that a receipt never reads as a header. That
is what makes a key that is computed from bytes a key of the value (RFC 8949, section 4.2,
states the same aim for CBOR; many encodings of one proof were Polygon's double spend of 2021).
"""

from __future__ import annotations

HASH_BYTES = 32
NUMBER_BYTES = 8
#: One more than the largest number that has an encoding.
NUMBER_LIMIT = 1 << (8 * NUMBER_BYTES)
_LENGTH_BYTES = 4


class MalformedError(ValueError):
    """These bytes are not the encoding of any value of the kind that was asked for."""


def number(value: int) -> bytes:
    """The encoding of a number from 0 up to `NUMBER_LIMIT`."""
    return value.to_bytes(NUMBER_BYTES, "big")


def blob(value: bytes) -> bytes:
    """The encoding of bytes of any length."""
    return len(value).to_bytes(_LENGTH_BYTES, "big") + value


def blobs(values: tuple[bytes, ...]) -> bytes:
    """The encoding of a list of bytes."""
    return number(len(values)) + b"".join(map(blob, values))


def text(value: str) -> bytes:
    """The encoding of a text, in UTF-8."""
    return blob(value.encode())


class Reader:
    """Takes an encoding apart from left to right; raises `MalformedError` at the first surprise."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes, kind: bytes) -> None:
        if data[: len(kind)] != kind:
            raise MalformedError(f"no encoding of kind {kind!r}")
        self._data = data
        self._at = len(kind)

    def fixed(self, length: int) -> bytes:
        """The next `length` bytes."""
        end = self._at + length
        if end > len(self._data):
            raise MalformedError("ends too early")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def number(self) -> int:
        """The next number."""
        return int.from_bytes(self.fixed(NUMBER_BYTES), "big")

    def blob(self) -> bytes:
        """The next bytes that say their length."""
        return self.fixed(int.from_bytes(self.fixed(_LENGTH_BYTES), "big"))

    def blobs(self) -> tuple[bytes, ...]:
        """The next list of bytes. A claimed length costs nothing until the bytes are really there."""
        return tuple(self.blob() for _ in range(self.number()))

    def text(self) -> str:
        """The next text."""
        try:
            return self.blob().decode()
        except UnicodeDecodeError as error:
            raise MalformedError("not UTF-8") from error

    def end(self) -> None:
        """Insist that nothing follows."""
        if self._at != len(self._data):
            raise MalformedError("bytes follow the end")
