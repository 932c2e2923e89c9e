"""
What a user asks a shard to send, and the receipt that comes of it.

Everything that anybody acts on is in the receipt itself: the channel and the position on it,
the deadline, the value that was really moved. What the user merely says of it is not.
"""

from __future__ import annotations

import struct
from functools import cached_property
from hashlib import sha256
from typing import Self

from attrs import frozen

from ..encoding import NUMBER_LIMIT, MalformedError, Reader, blob, number, text

_KIND = b"M"
#: The amount comes first: there the sum tree looks for it.
_FIXED = struct.Struct(">QQQQQB")

#: The deadline of a receipt that does not expire.
NEVER = NUMBER_LIMIT - 1


@frozen
class Sending:
    """What a user asks for; `claimed` is the value that he says he pays, `entrance` the way he comes."""

    destination: str
    payload: bytes
    channel: int = 0
    deadline: int = NEVER
    amount: int = 0
    claimed: int | None = None
    asset: int = 0
    entrance: int = 0
    #: The shard to which the destination shall send it on; empty if it shall stay.
    onward: str = ""

    def is_writable(self) -> bool:
        """Whether its numbers have an encoding."""
        return all(0 <= n < NUMBER_LIMIT for n in (self.channel, self.deadline, self.amount, self.asset))


@frozen(slots=False)
class FullReceipt:
    """One message: `sequence` counts the receipts on its channel from `source` to `destination`, from 0."""

    source: str
    destination: str
    channel: int
    sequence: int
    payload: bytes
    deadline: int = NEVER
    amount: int = 0
    asset: int = 0
    #: Whether the value comes back to where it is from.
    homeward: bool = False
    onward: str = ""

    @cached_property
    def key(self) -> bytes:
        """
        The name under which both ends keep records of this receipt: a position on a channel.

        A source uses no position twice, so it determines all the rest (ICS-24 paths).
        """
        return receipt_key(self.source, self.destination, self.channel, self.sequence)

    @cached_property
    def closing_key(self) -> bytes:
        """The name under which its destination records that the channel is closed."""
        return closing_key(self.source, self.destination, self.channel)

    def encode(self) -> bytes:
        """The one encoding of this receipt."""
        numbers = (self.amount, self.channel, self.sequence, self.deadline, self.asset, self.homeward)
        names = text(self.source) + text(self.destination) + text(self.onward)
        return _KIND + _FIXED.pack(*numbers) + names + blob(self.payload)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The receipt that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        amount, channel, sequence, deadline, asset, homeward = _FIXED.unpack(reader.fixed(_FIXED.size))
        if homeward > 1:
            raise MalformedError("neither outward nor homeward")
        source, destination, onward = reader.text(), reader.text(), reader.text()
        payload = reader.blob()
        reader.end()
        return cls(
            source,
            destination,
            channel,
            sequence,
            payload,
            deadline,
            amount,
            asset,
            bool(homeward),
            onward,
        )


def receipt_key(source: str, destination: str, channel: int, sequence: int) -> bytes:
    """The name of the receipt at a position of a channel."""
    ends = text(source) + text(destination)
    return sha256(b"receipt" + ends + number(channel) + number(sequence)).digest()


def closing_key(source: str, destination: str, channel: int) -> bytes:
    """The name under which `destination` records that a channel from `source` is closed."""
    return sha256(b"closed" + text(source) + text(destination) + number(channel)).digest()
