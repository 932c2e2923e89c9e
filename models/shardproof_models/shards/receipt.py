"""What one shard says to another."""

from __future__ import annotations

from typing import Self

from attrs import frozen

from .encoding import Reader, blob, number, text

_KIND = b"R"


@frozen
class Receipt:
    """One message: `nonce` counts the receipts of the channel from `source` to `destination`, from 0."""

    source: str
    destination: str
    nonce: int
    payload: bytes

    def encode(self) -> bytes:
        """The one encoding of this receipt."""
        return _KIND + text(self.source) + text(self.destination) + number(self.nonce) + blob(self.payload)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The receipt that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        receipt = cls(reader.text(), reader.text(), reader.number(), reader.blob())
        reader.end()
        return receipt
