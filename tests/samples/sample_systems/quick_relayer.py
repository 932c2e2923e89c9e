"""
The reference shards that answer and refund, and an honest relayer who is quick.

What is final it carries at once to whoever has to know it. What a test does by itself is what
an adversary, or somebody in a hurry, would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve

from shardproof.adapter import ACCEPTED, Delivery, Execution, Message, Refused, Topology
from shardproof.adapters.messaging import VARIANTS
from shardproof_models.shards.messaging.ledger import ENDOWMENT, Escrow
from shardproof_models.shards.messaging.message import FullReceipt
from shardproof_models.shards.messaging.optimistic import WINDOW

CORE = {
    *("announced", "assemble", "balance", "deliver_failing", "dissect", "finalise", "forge"),
    *("forge_header", "leaf", "learn", "reenter", "replicate", "restart", "send", "state_root"),
}
TRUST = {"initialise", "learn_validators", "rotate", "takeover", "upgrade"}
OUTCOMES = {
    *("acknowledge", "advance_clock", "ended", "prove_absence", "prove_outcome", "time_out"),
    "time_out_again",
}
CLOSING = {"close_channel", "time_out_on_close"}
#: What each stack can be asked.
VERBS: Mapping[str, set[str]] = {
    "bridge": CORE | TRUST,
    "optimistic-bridge": CORE | {"advance_clock", "claim", "challenge"},
    "ibc-unordered": CORE | TRUST | OUTCOMES | CLOSING | {"responses", "nest"},
    "ibc-ordered": CORE | TRUST | OUTCOMES | CLOSING,
    "ibc-allow-timeout": CORE | TRUST | OUTCOMES | {"skip"},
    "everything": CORE | TRUST | OUTCOMES | CLOSING | {"responses", "nest", "revert", "prune", "crash"},
}
ANSWERING = [stack for stack, verbs in VERBS.items() if verbs >= OUTCOMES]
CLOSABLE = [stack for stack, verbs in VERBS.items() if verbs >= CLOSING]
TRUSTING = [stack for stack, verbs in VERBS.items() if verbs >= TRUST]
ORDERED = ["ibc-ordered", "ibc-allow-timeout", "everything"]
JOURNEYS = ["ibc-unordered", "everything"]


every_stack = pytest.mark.parametrize("stack", [*VERBS])
answering = pytest.mark.parametrize("stack", ANSWERING)
closable = pytest.mark.parametrize("stack", CLOSABLE)
trusting = pytest.mark.parametrize("stack", TRUSTING)
ordered = pytest.mark.parametrize("stack", ORDERED)
journeys = pytest.mark.parametrize("stack", JOURNEYS)


def given_bytes(answer: bytes | Refused) -> bytes:
    assert isinstance(answer, bytes), answer
    return answer


class World:
    """Three shards of a stack, and a relayer that is honest and quick."""

    def __init__(self, stack: str) -> None:
        self.system = VARIANTS[stack]()
        self.system.open(Topology.of(3))

    def send(self, source: str, destination: str, payload: bytes, **terms: Any) -> bytes:
        message = evolve(Message(source, destination, payload), **terms)
        return given_bytes(self.system.send(message))

    def final(self, shard: str) -> bytes:
        """A new final block of `shard`, that everybody has learned."""
        header = given_bytes(self.system.finalise(shard, given_bytes(self.system.produce(shard))))
        self.spread(header)
        return header

    def spread(self, header: bytes) -> None:
        for other in "ABC":
            if isinstance(self.system, VARIANTS["optimistic-bridge"]):
                self.system.claim(other, header)
                self.wait(other, WINDOW)
            assert self.system.learn(other, header) == ACCEPTED

    def wait(self, shard: str, moments: int) -> None:
        for _ in range(moments):
            self.system.advance_clock(shard)

    def delivery(self, receipt: bytes, header: bytes | None = None) -> Delivery:
        read = FullReceipt.decode(receipt)
        header = header or self.final(read.source)
        return Delivery(read.destination, receipt, header, given_bytes(self.system.prove(receipt, header)))

    def outcome(self, receipt: bytes) -> Delivery:
        read = FullReceipt.decode(receipt)
        header = self.final(read.destination)
        return Delivery(read.source, receipt, header, given_bytes(self.system.prove_outcome(receipt, header)))

    def absence(self, receipt: bytes) -> Delivery:
        read = FullReceipt.decode(receipt)
        header = self.final(read.destination)
        return Delivery(read.source, receipt, header, given_bytes(self.system.prove_absence(receipt, header)))

    def effects(self, shard: str) -> list[tuple[bytes, str | None]]:
        executions = self.system.executed(shard, 0)
        assert all(isinstance(x, Execution) for x in executions)
        return [(x.payload, x.source) for x in executions if isinstance(x, Execution)]

    def balances(self) -> list[int]:
        return [self.system.balance(shard) - ENDOWMENT for shard in "ABC"]

    def told(self, shard: str) -> list[tuple[bytes, str]]:
        return [(x.payload, x.ending.value) for x in self.system.ended(shard, 0)]

    def books(self, name: str) -> tuple[dict[str, int], dict[str, int]]:
        """What is locked at a shard, and what was minted there."""
        shard = self.system.at(name, Escrow)
        return dict(shard.locked), dict(shard.minted)
