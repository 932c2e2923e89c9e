"""
Your system as a process that shardproof asks, in lines of JSON on stdin and stdout.

It runs as it is: behind each verb stands `Stub`, a small correct system in memory. Put your own
in its place, verb by verb from the top, and run the test after each:

    python -m pytest test_my_shard.py

It needs nothing of shardproof, so it can as well be written in another language: what has to be
there is the seven verbs, the answer to "hello", and the loop at the end. harness/PROTOCOL.md of
shardproof has all messages. Three rules hold for all verbs:

* an answer is a function of the requests since `open`: no clock, no randomness;
* what your system rejects is answered with "refused" and the reason, and is no error;
* nothing but answers goes to stdout: log to stderr.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any


class MyShard:
    """All shards of one system under test. A verb is given the fields of its request; bytes are hex."""

    def open(self, topology: Mapping[str, Any]) -> None:
        """1. Set up a new, empty shard for each name in `topology["shards"]`, thousands of times."""
        self._system = Stub(topology["shards"])

    def close(self) -> None:
        """2. Release what `open` took. It may be asked for twice."""
        self._system = Stub(())

    def emit(self, source: str, destination: str, payload: str) -> str:
        """3. As a user of `source`, send `payload` as it is; answer with the receipt a relayer would read."""
        return self._system.send(source, destination, bytes.fromhex(payload)).hex()

    def produce(self, shard: str) -> str:
        """4. Seal a block over all that `shard` has emitted; answer with its header, no two the same."""
        return self._system.seal(shard).hex()

    def prove(self, receipt: str, header: str) -> str:
        """5. Ask your nodes for the proof that `header` commits to `receipt`; refuse where it does not."""
        evidence = self._system.evidence(bytes.fromhex(receipt), bytes.fromhex(header))
        if evidence is None:
            raise RejectedError("not in that block")
        return evidence.hex()

    def deliver(self, delivery: Mapping[str, str]) -> None:
        """6. Present it by the way that is open to everybody: whatever the bytes are, your system decides."""
        receipt, header, evidence = (bytes.fromhex(delivery[x]) for x in ("receipt", "header", "evidence"))
        self._system.receive(delivery["destination"], receipt, header, evidence)

    def executed(self, shard: str, since: int) -> list[dict[str, str | None]]:
        """7. What took effect at `shard` after the first `since` effects: look at the application itself."""
        return [{"payload": x.hex(), "source": None} for x in self._system.effects[shard][since:]]

    # And then what your system has besides: a method more, and its name in VERBS, is a capability.
    # `shardproof doctor --adapter 'cmd:python my_shard.py'` says which would open most.


#: What the greeting says: the verbs that are there.
VERBS = ("open", "close", "emit", "produce", "prove", "deliver", "executed")


def answer(shard: MyShard, request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request."""
    number, verb = request["id"], request["verb"]
    if verb == "hello":
        return {"id": number, "ok": {"protocol": 1, "name": "my-shard", "verbs": VERBS}}
    if verb not in VERBS:
        return {"id": number, "error": "unknown-verb", "message": verb}
    given = {name: value for name, value in request.items() if name not in ("id", "verb")}
    try:
        return {"id": number, "ok": getattr(shard, verb)(**given)}
    except RejectedError as rejection:
        return {"id": number, "refused": str(rejection)}


def main() -> None:
    """Answer line by line, each at once, until stdin is closed."""
    shard, answers = MyShard(), sys.stdout.buffer
    for line in sys.stdin:
        answers.write(json.dumps(answer(shard, json.loads(line))).encode() + b"\n")
        answers.flush()


# ---- the stub: delete it when no verb uses it any more -------------------------------------------


class RejectedError(Exception):
    """The system does not take what it was shown."""


class Stub:
    """Shards in memory that know of each other's blocks, and execute each receipt once."""

    def __init__(self, shards: Sequence[str]) -> None:
        self.outgoing: dict[str, list[bytes]] = {shard: [] for shard in shards}
        #: Header -> the receipts that it commits to.
        self.blocks: dict[bytes, tuple[bytes, ...]] = {}
        self.consumed: dict[str, set[bytes]] = {shard: set() for shard in shards}
        self.effects: dict[str, list[bytes]] = {shard: [] for shard in shards}

    def send(self, source: str, destination: str, payload: bytes) -> bytes:
        """The receipt of a message, of which there is only one: it is numbered."""
        number = len(self.outgoing[source])
        receipt = json.dumps([source, number, destination, payload.hex()]).encode()
        self.outgoing[source].append(receipt)
        return receipt

    def seal(self, shard: str) -> bytes:
        """The header of a block over all that `shard` has sent."""
        receipts = tuple(self.outgoing[shard])
        digest = hashlib.sha256(b"\n".join(receipts)).hexdigest()
        header = f"{shard} {len(self.blocks)} {digest}".encode()
        self.blocks[header] = receipts
        return header

    def evidence(self, receipt: bytes, header: bytes) -> bytes | None:
        """Where in its block a receipt stands, if it does."""
        receipts = self.blocks.get(header, ())
        return str(receipts.index(receipt)).encode() if receipt in receipts else None

    def receive(self, shard: str, receipt: bytes, header: bytes, evidence: bytes) -> None:
        """Execute a receipt that is for `shard`, committed to, and new. Raises `RejectedError`."""
        position = self.evidence(receipt, header)
        if position is None or position != evidence:
            raise RejectedError("not proved")
        # Whatever is in a block is what `send` wrote.
        _, _, destination, payload = json.loads(receipt)
        if destination != shard:
            raise RejectedError("for another shard")
        if receipt in self.consumed[shard]:
            raise RejectedError("executed before")
        self.consumed[shard].add(receipt)
        self.effects[shard].append(bytes.fromhex(payload))


if __name__ == "__main__":
    main()
