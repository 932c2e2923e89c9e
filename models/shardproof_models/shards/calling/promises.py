"""
A call that fails is answered: what it carried goes back with a call of its own.

The shard where it failed emits the response of its own accord, at once, and nobody else can.
Only failures are answered, each once; a response is never itself answered, or value would
bounce for ever. What a response gives back it carries, so it must not be able to fail.

Source: NEAR, refund receipts; TON, `tr_phase_bounce_ok`; Internet Computer, reject responses.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from .call import NEVER, Call, Channel
from .call_shard import CallShard, Objection
from .memory import listed, unlisted

_PAYLOAD = b"failed: "


@frozen
class Answered:
    """A response, and what the call carried that it answers."""

    response: Call
    payload: bytes


class AnsweringShard(CallShard):
    """Answers each call that fails."""

    def unsendable(self, call: Call) -> Objection | None:
        below = super().unsendable(call)
        if below is None and call.is_response and call.answers not in self.owed:
            return Objection.NOT_OWED
        return below

    def post(self, call: Call) -> bytes:
        self.owed.discard(call.answers)
        return super().post(call)

    def objection(self, call: Call, key: bytes, *, fails: bool) -> Objection | None:
        below = super().objection(call, key, fails=fails)
        # What a response brings back is credited without a callback: nothing in it can fail.
        return Objection.MUST_SUCCEED if below is None and fails and call.is_response else below

    def fail(self, call: Call, key: bytes) -> None:
        super().fail(call, key)
        self.owed.add(key)
        self.answer(call, key)

    def answer(self, call: Call, key: bytes) -> None:
        """Emit the response that is owed for a call."""
        response = self.response(call, key)
        # Nothing is in the way of what is owed: it needs no balance, and no room in a queue.
        if self.unsendable(response) is None:
            self.post(response)
            self.responses.append(Answered(response, call.payload))

    def response(self, call: Call, key: bytes) -> Call:
        """What goes back: from where the call failed to where it came from, with what it carried."""
        back = Channel(call.destination, call.source, call.channel_number)
        return Call(
            back.source,
            back.destination,
            self.sent[back],
            self.reason(call, key),
            back.number,
            NEVER,
            self.returned(call),
            key,
        )

    def reason(self, call: Call, key: bytes) -> bytes:
        """The payload of a response. Bytes of the call alone, the same on each node (GHSA-4wf3-5qj9-368v)."""
        return _PAYLOAD + key.hex().encode()

    def returned(self, call: Call) -> int:
        """How much goes back: all of it, however little that is (ton-docs issue 1346)."""
        return call.amount

    def parts(self) -> dict[str, bytes]:
        return super().parts() | {
            "responses": listed(x for each in self.responses for x in (each.response.encode(), each.payload)),
        }

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        #: Keys of calls that have failed and were not answered yet: between two inputs there are none.
        self.owed: set[bytes] = set()
        pairs = unlisted(parts.get("responses"))
        self.responses = [
            Answered(Call.decode(response), payload)
            for response, payload in zip(pairs[::2], pairs[1::2], strict=True)
        ]
