"""
A system that does what the model says: the other half of a lockstep that only the model is in.

Its bytes are digests of names, so damage to them is damage, and nothing else is hidden in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..adapter import ACCEPTED, REQUIRED, Adapter, Delivery, Outcome, Path, Refused, Topology

#: How many hashes evidence has: enough for every kind of damage to find something.
_SIBLINGS = 3


def _digest(*words: object) -> bytes:
    return hashlib.sha256(repr(words).encode()).digest()


class Player(Adapter):
    """Answers what it is told to answer."""

    #: Whether what is asked at this moment is to be accepted.
    may: Callable[[], bool]

    def open(self, topology: Topology) -> None:
        self._payloads: dict[bytes, bytes] = {}
        self._blocks = 0
        self._parents: dict[bytes, tuple[str, int]] = {}
        self._executed: dict[str, list[bytes]] = {name: [] for name in topology.shards}

    def close(self) -> None:
        pass

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self._receipt(source, destination, payload)

    def _receipt(self, *said: Any) -> bytes:
        receipt = _digest("receipt", *said)
        self._payloads[receipt] = said[-1]
        return receipt

    def produce(self, shard: str) -> bytes | Refused:
        self._blocks += 1
        header = _digest("header", shard, self._blocks)
        self._parents[header] = (shard, len(self._executed[shard]))
        return header

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return b"".join(_digest("sibling", receipt, header, i) for i in range(_SIBLINGS))

    def deliver(self, delivery: Delivery) -> Outcome:
        if not self.may():
            return Refused("as the model")
        self._executed[delivery.destination].append(self._payloads.get(delivery.receipt, b""))
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[bytes]:
        return self._executed[shard][since:]

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        return header

    def learn(self, shard: str, header: bytes) -> Outcome:
        return ACCEPTED if self.may() else Refused("as the model")

    def revert(self, shard: str, header: bytes) -> Outcome:
        chain = [h for h, (s, _) in self._parents.items() if s == shard]
        at = chain.index(header)
        kept = self._parents[chain[at - 1]][1] if at else 0
        del self._executed[shard][kept:]
        for dropped in chain[at:]:
            del self._parents[dropped]
        return ACCEPTED

    def restart(self, shard: str) -> None:
        pass

    def reenter(self, delivery: Delivery) -> Outcome:
        return self.deliver(delivery)

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        return self._receipt("forged", source, destination, payload)

    def dissect(self, evidence: bytes) -> Path:
        return Path(0, None, tuple(evidence[i : i + 32] for i in range(0, len(evidence), 32)))

    def assemble(self, path: Path) -> bytes:
        return b"".join(path.siblings) + (b"" if path.index == 0 else path.index.to_bytes(16, "big"))

    def leaf(self, receipt: bytes) -> bytes:
        return _digest("leaf", receipt)


def player(verbs: Collection[str]) -> Player:
    """One that can do `verbs` besides what is required, and no more."""
    put_away = {
        verb: getattr(Adapter, verb)
        for verb in vars(Player)
        if not verb.startswith("_") and verb not in (*REQUIRED, *verbs)
    }
    kind = type("Player", (Player,), put_away)
    one: Player = kind()
    return one
