"""How far channels have come: counters that are written down, so that no position is used twice."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from ..encoding import Reader, number, text
from .call import Channel

_KIND = b"N"


class Positions(dict[Channel, int]):
    """For each channel the next position; 0 for one that was never used."""

    def __missing__(self, channel: Channel) -> int:
        return 0

    def sent_from(self, addresses: Collection[str]) -> Positions:
        """Those of the channels that begin at one of these addresses."""
        return Positions({c: position for c, position in self.items() if c.source in addresses})

    def sent_to(self, addresses: Collection[str]) -> Positions:
        """Those of the channels that end at one of these addresses."""
        return Positions({c: position for c, position in self.items() if c.destination in addresses})

    def encode(self) -> bytes:
        """The one encoding of these counters, whatever happened first."""
        parts = [_KIND, number(len(self))]
        for channel, position in sorted(self.items()):
            parts += text(channel.source), text(channel.destination), number(channel.number), number(position)
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes | None) -> Self:
        """The counters that `data` encodes, none where nothing was written. Raises `MalformedError`."""
        found = cls()
        if data is not None:
            reader = Reader(data, _KIND)
            for _ in range(reader.number()):
                channel = Channel(reader.text(), reader.text(), reader.number())
                found[channel] = reader.number()
            reader.end()
        return found
