"""
What one address asks of another, and how that is answered: one encoding for requests and responses.

A response is a call of its own, which names the call that it answers. It is emitted, proved,
delivered and recorded like any other, so nothing else has to be secured.
"""

from __future__ import annotations

from typing import NamedTuple, Self

from attrs import frozen

from ..encoding import HASH_BYTES, NUMBER_LIMIT, MalformedError, Reader, blob, number, text
from ..receipt import Receipt

_KIND = b"C"

#: The deadline of what does not expire.
NEVER = NUMBER_LIMIT - 1


class Channel(NamedTuple):
    """One of the streams from one address to another; each counts its calls from 0."""

    source: str
    destination: str
    number: int


@frozen
class Request:
    """What a user of an address asks for."""

    source: str
    destination: str
    payload: bytes
    channel: int = 0
    deadline: int = NEVER
    amount: int = 0

    def has_an_encoding(self) -> bool:
        """Whether every number in it can be written down."""
        return all(0 <= n < NUMBER_LIMIT for n in (self.channel, self.deadline, self.amount))


@frozen
class Call(Receipt):
    """A receipt between two addresses; `nonce` is its position on its channel."""

    channel_number: int = 0
    #: The moment on the clock of its receiver from which it can no longer be delivered.
    deadline: int = NEVER
    amount: int = 0
    #: The key of the call that failed, if this is the response to it; else empty.
    answers: bytes = b""

    @property
    def channel(self) -> Channel:
        """The stream on which this call has its position."""
        return Channel(self.source, self.destination, self.channel_number)

    @property
    def is_response(self) -> bool:
        """Whether this answers another call, and takes back what that one carried."""
        return bool(self.answers)

    def encode(self) -> bytes:
        """The one encoding of this call."""
        return b"".join(
            (
                _KIND,
                text(self.source),
                text(self.destination),
                number(self.channel_number),
                number(self.nonce),
                number(self.deadline),
                number(self.amount),
                blob(self.answers),
                blob(self.payload),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The call that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        source, destination, channel_number = reader.text(), reader.text(), reader.number()
        nonce, deadline, amount, answers = reader.number(), reader.number(), reader.number(), reader.blob()
        call = cls(source, destination, nonce, reader.blob(), channel_number, deadline, amount, answers)
        reader.end()
        if len(answers) not in (0, HASH_BYTES):
            raise MalformedError("no key has this length")
        return call
