"""
What a shard writes down before it stops, and reads when it starts again.

The encoding must be the identity on every part: a record that is not written is a receipt
that can be executed again, a counter that is not written is an identifier that is used
twice (cosmos/ibc-go issue 199).
"""

from __future__ import annotations

from typing import Self

from attrs import frozen

from .encoding import HASH_BYTES, Reader, blobs, number

_KIND = b"D"


@frozen
class Extent:
    """How much there was of everything that only grows, at the moment a block was produced."""

    outgoing: int
    learned: int
    consumed: int
    executed: int


EMPTY = Extent(0, 0, 0, 0)


@frozen
class DurableState:
    """All of a shard, in the encodings that it shows to others."""

    view: int = 0
    branch: tuple[bytes, ...] = ()
    extents: tuple[Extent, ...] = (EMPTY,)
    outgoing: tuple[bytes, ...] = ()
    learned: tuple[bytes, ...] = ()
    consumed: tuple[bytes, ...] = ()
    executed: tuple[bytes, ...] = ()

    def encode(self) -> bytes:
        """The one encoding of this state."""
        return b"".join(
            (
                _KIND,
                number(self.view),
                number(len(self.branch)),
                *self.branch,
                number(len(self.extents)),
                *(
                    number(count)
                    for extent in self.extents
                    for count in (extent.outgoing, extent.learned, extent.consumed, extent.executed)
                ),
                blobs(self.outgoing),
                blobs(self.learned),
                blobs(self.consumed),
                blobs(self.executed),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The state that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        state = cls(
            reader.number(),
            tuple(reader.fixed(HASH_BYTES) for _ in range(reader.number())),
            tuple(
                Extent(reader.number(), reader.number(), reader.number(), reader.number())
                for _ in range(reader.number())
            ),
            reader.blobs(),
            reader.blobs(),
            reader.blobs(),
            reader.blobs(),
        )
        reader.end()
        return state
