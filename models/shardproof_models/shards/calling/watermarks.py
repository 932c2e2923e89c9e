"""
Old records are replaced by a watermark on each channel: what is below it was dealt with.

A mark is moved past one record at a time and only past the next one, so it never passes a call
that is still under way. Heirs get every mark; where two shards become one, that of the parent
which answered for the end of the channel counts: the lower of the two would repeat what the
other parent has executed, the higher would lose what it has not.

Source: TON, `ProcessedInfo`, which is keyed by shard for that reason; ibc-go PR 5651.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..encoding import Reader, blob, number, text
from .call import Call, Channel
from .call_shard import CallShard, Estate
from .memory import listed, unlisted
from .node import replayed
from .positions import Positions

_KIND = b"W"


class PruningShard(CallShard):
    """Forgets records that its watermarks stand for."""

    #: Records that no watermark stands for yet: channel -> position -> key.
    kept: dict[Channel, dict[int, bytes]]

    def is_recorded(self, call: Call, key: bytes) -> bool:
        return super().is_recorded(call, key) or self.is_below(call)

    def is_below(self, call: Call) -> bool:
        """Whether the watermark of its channel says that the call was dealt with."""
        return call.nonce < self.watermarks[call.channel]

    def record(self, call: Call, key: bytes) -> None:
        super().record(call, key)
        self.kept.setdefault(call.channel, {})[call.nonce] = key

    @replayed
    def prune(self) -> None:
        """Forget every record up to the first gap on its channel."""
        for channel, keys in self.kept.items():
            for position in sorted(keys):
                mark = self.watermarks[channel]
                if position > mark:
                    break
                self.forget(keys.pop(position))
                # Of two parents, one may have been past what the other still kept a record of.
                if position == mark:
                    self.raise_mark(channel)
        self.kept = {channel: keys for channel, keys in self.kept.items() if keys}

    def forget(self, key: bytes) -> None:
        """The record of a call is gone."""
        self.consumed.pop(key, None)

    def raise_mark(self, channel: Channel) -> None:
        """The watermark stands for one record more."""
        self.watermarks[channel] += 1

    def parts(self) -> dict[str, bytes]:
        return super().parts() | {
            "watermarks": self.watermarks.encode(),
            "kept": listed(
                _KIND + text(c.source) + text(c.destination) + number(c.number) + number(position) + blob(key)
                for c, keys in sorted(self.kept.items())
                for position, key in sorted(keys.items())
            ),
        }

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        self.watermarks = Positions.decode(parts.get("watermarks"))
        self.kept = {}
        self._keep(parts.get("kept"))

    def take_over(self, estates: Sequence[Estate]) -> None:
        super().take_over(estates)
        for estate in estates:
            self.inherit_marks(estate, Positions.decode(estate.parts.get("watermarks")))
            self._keep(estate.parts.get("kept"))

    def inherit_marks(self, estate: Estate, marks: Positions) -> None:
        """Take over the marks of a parent: it knows of the channels that ended at its addresses."""
        self.watermarks.update(marks.sent_to(estate.held))

    def _keep(self, data: bytes | None) -> None:
        for entry in unlisted(data):
            reader = Reader(entry, _KIND)
            channel, position = Channel(reader.text(), reader.text(), reader.number()), reader.number()
            self.kept.setdefault(channel, {})[position] = reader.blob()
