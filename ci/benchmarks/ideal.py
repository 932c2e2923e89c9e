"""
The cheapest right answer to every verb: what is left of a step's time is the harness.

Receipts, headers and evidence are short tokens, and a table knows which token proves what.
It is an adapter like any other, and the harness finds nothing wrong with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from shardproof.adapter import ACCEPTED, Adapter, Delivery, Outcome, Refused, Topology

NO = Refused("no")


def token(kind: bytes, number: int) -> bytes:
    """Bytes that nobody comes upon by changing others."""
    return hashlib.blake2b(b"%s %d" % (kind, number), digest_size=16).digest()


class IdealAdapter(Adapter):
    """Shards without bytes."""

    name = "ideal"

    def open(self, topology: Topology) -> None:
        self.sent: dict[bytes, tuple[str, str, bytes]] = {}
        self.outgoing: dict[str, list[bytes]] = {s: [] for s in topology.shards}
        self.covers: dict[bytes, tuple[str, int]] = {}
        self.place: dict[bytes, int] = {}
        self.final: set[bytes] = set()
        self.learned: set[tuple[str, bytes]] = set()
        self.done: dict[str, list[bytes]] = {s: [] for s in topology.shards}
        self.spent: set[bytes] = set()

    def close(self) -> None:
        pass

    def emit(self, source: str, destination: str, payload: bytes) -> bytes:
        receipt = token(b"receipt", len(self.sent))
        self.sent[receipt] = (source, destination, payload)
        self.place[receipt] = len(self.outgoing[source])
        self.outgoing[source].append(receipt)
        return receipt

    def produce(self, shard: str) -> bytes:
        header = token(b"header", len(self.covers))
        self.covers[header] = (shard, len(self.outgoing[shard]))
        return header

    def finalise(self, shard: str, header: bytes) -> bytes:
        self.final.add(header)
        return header

    def learn(self, shard: str, header: bytes) -> Outcome:
        if header not in self.final:
            return NO
        self.learned.add((shard, header))
        return ACCEPTED

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return receipt + header if self._committed(receipt, header) else NO

    def _committed(self, receipt: bytes, header: bytes) -> bool:
        shard, count = self.covers[header]
        return receipt in self.sent and self.sent[receipt][0] == shard and self.place[receipt] < count

    def deliver(self, delivery: Delivery) -> Outcome:
        d, receipt, header = delivery.destination, delivery.receipt, delivery.header
        if (d, header) not in self.learned or delivery.evidence != receipt + header or receipt in self.spent:
            return NO
        if not self._committed(receipt, header) or self.sent[receipt][1] != d:
            return NO
        self.spent.add(receipt)
        self.done[d].append(self.sent[receipt][2])
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[bytes]:
        return self.done[shard][since:]
