"""
Channels are executed in the order in which they were sent.

The order is that of one channel: a call that fails is dealt with like any other, and what is
sent to other addresses does not wait for it (LayerZero v1: one stored payload blocked a path).

Source: TON, the order of messages between two accounts; ICS-04, ordered channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .call import Call, Channel
from .call_shard import CallShard, Estate, Objection
from .positions import Positions
from .presentation import Presentation


class OrderedShard(CallShard):
    """Executes only what is next on its channel."""

    def objection(self, call: Call, key: bytes, *, fails: bool) -> Objection | None:
        below = super().objection(call, key, fails=fails)
        return Objection.OUT_OF_ORDER if below is None and not self.is_next(call) else below

    def is_next(self, call: Call) -> bool:
        """Whether everything before the call was dealt with."""
        return call.nonce == self.received[self.order_of(call)]

    def order_of(self, call: Call) -> Channel:
        """What is in order with the call."""
        return call.channel

    def accept(self, call: Call, key: bytes, *, fails: bool, inner: Presentation | None) -> None:
        self.advance(call, fails=fails)
        super().accept(call, key, fails=fails, inner=inner)

    def advance(self, call: Call, *, fails: bool) -> None:
        """What comes after the call is next, whether or not it fails."""
        self.received[self.order_of(call)] = call.nonce + 1

    def parts(self) -> dict[str, bytes]:
        return super().parts() | {"received": self.received.encode()}

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        self.received = Positions.decode(parts.get("received"))

    def take_over(self, estates: Sequence[Estate]) -> None:
        super().take_over(estates)
        for estate in estates:
            self.received.update(Positions.decode(estate.parts.get("received")).sent_to(estate.given))
