"""
The translator between shardproof and your system.

It runs as it is: behind each verb stands `Stub`, a small correct system in memory. Put your own
in its place, verb by verb from the top, and run the test after each:

    python -m pytest test_my_adapter.py

An adapter translates and decides nothing. Receipts, headers and evidence are bytes of yours, in
your encoding: shardproof only passes them around, and its adversary changes them. The contract of
a verb is the docstring that it has in `shardproof.adapter.Adapter`. Three rules hold for all:

* an answer is a function of the calls since `open`: no clock, no randomness;
* what your system rejects is `Refused(reason)`, never an exception;
* nothing is printed to stdout: log to stderr.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import ClassVar

from shardproof.adapter import ACCEPTED, Adapter, Delivery, Outcome, Refused, Topology


class MyAdapter(Adapter):
    """All shards of one system under test."""

    #: How reports and traces call your system.
    name: ClassVar[str] = "my_adapter"

    # ---- the seven verbs that every system has ------------------------------------------------

    def open(self, topology: Topology) -> None:
        # 1. Set up a new, empty shard (chain, node, service) for each name in `topology.shards`, and
        #    let them know of each other. Called again for every run, thousands of times: build in
        #    memory what you can, and leave nothing of the run before.
        self._system = Stub(topology.shards)

    def close(self) -> None:
        # 2. Release what `open` took: stop nodes, delete files. It may be called twice.
        self._system = Stub(())

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        # 3. As a user of `source`, send `payload` to `destination`. Return the receipt, in the bytes
        #    that a relayer would read from your chain. Carry the payload as it is: by it, shardproof
        #    knows the effect when it sees it.
        return self._system.send(source, destination, payload)

    def produce(self, shard: str) -> bytes | Refused:
        # 4. Let `shard` seal a block that commits to all that it has emitted, also before the block
        #    before; where a block of yours commits to what is new in it alone, say so, by
        #    `stack = "own-blocks"` beside `name`. Return the header, as a light client of yours would
        #    read it; no two are the same, also where nothing was sent in between. Where another shard
        #    believes whatever `shard` has sealed, there is nothing more to do; where it has to be shown
        #    each header first, override `learn` too.
        return self._system.seal(shard)

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        # 5. Do what an honest relayer does: ask your nodes for the proof that `header` commits to
        #    `receipt`. Refuse where it does not.
        evidence = self._system.evidence(receipt, header)
        return Refused("not in that block") if evidence is None else evidence

    def deliver(self, delivery: Delivery) -> Outcome:
        # 6. Present it to your system by the way that is open to everybody, and let that decide. The
        #    bytes may be anything, so whatever your system raises for bad input becomes Refused. If it
        #    only takes the message and executes it later, answer PENDING and override `settle`.
        try:
            self._system.receive(delivery.destination, delivery.receipt, delivery.header, delivery.evidence)
        except RejectedError as rejection:
            return Refused(str(rejection))
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[bytes]:
        # 7. Look at the receiving application, not at the answer of `deliver`: which payloads took
        #    effect at `shard`, in order, after the first `since` ones? An effect that happened twice
        #    is there twice. This is what a verdict rests on.
        return self._system.effects[shard][since:]

    # ---- and then what your system has besides ------------------------------------------------
    #
    # Each verb of `shardproof.adapter.Adapter` that you override is a capability, and opens more
    # properties and attacks. `shardproof doctor --adapter my_adapter:MyAdapter` says which of them
    # would open most. Good ones to begin with:
    #
    #   learn(shard, header)        light clients have to be shown a header
    #   finalise(shard, header)     a block is not final at once
    #   revert(shard, header)       a block that is not final may be dropped
    #   restart(shard)              nodes stop and start from what they have stored
    #   forge(source, destination, payload)   a receipt as anybody could write one
    #   snapshot() and restore(token)         nothing new, and faster


# ---- the stub: delete it when no verb uses it any more -------------------------------------------


class RejectedError(Exception):
    """The stub does not take what it was shown."""


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
