"""
A system that does what it is told to: the other half of a lockstep that only the model is in.

What a verb answers and what comes of it is in the script of the step. Where a step was recorded,
the script is what the recorded system did, as long as the model allows it; where the recorded
system went wrong, or nothing was recorded, it is what the model says.

It keeps no history of its own: what the lockstep has seen already is as the lockstep has seen it,
so a shard that goes back to an older block shows just what the model has left of it. Its bytes are
digests of names, so damage to them is damage, and nothing else is hidden in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from typing import Any

from attrs import define, field

from ..adapter import (
    ACCEPTED,
    REQUIRED,
    Adapter,
    Delivery,
    Ended,
    Execution,
    Message,
    Multiproof,
    Outcome,
    Path,
    Refused,
    Response,
    Topology,
)

#: How many hashes evidence has: enough for every kind of damage to find something.
_SIBLINGS = 3

_AS_TOLD = Refused("as it is told")


@define(eq=False)
class News:
    """What a shard has to show that nobody has looked at yet."""

    executed: list[Execution] = field(factory=list)
    ended: list[Ended] = field(factory=list)
    responses: list[Response] = field(factory=list)


@define(eq=False)
class Script:
    """What is to become of the step at hand."""

    #: Whether what is asked is accepted; asked once the model has been.
    accepts: Callable[[], bool]
    #: Makes the news that come of it, if it was accepted or was recorded all the same.
    happens: Callable[[bool], None]
    #: Whether light clients take part in what an adversary asks for.
    deaf: bool = False


class Player(Adapter):
    """Answers what its script says."""

    #: The step at hand.
    script: Script
    #: How many effects the lockstep has seen of a shard, and the payloads of the last ones.
    seen: Callable[[str], tuple[int, Sequence[bytes]]]

    #: How many receipts that ask for keys there are.
    takeovers: Callable[[], int]

    def open(self, topology: Topology) -> None:
        self.news = {name: News() for name in topology.shards}
        self._blocks = 0

    def close(self) -> None:
        pass

    def _outcome(self) -> Outcome:
        accepted = self.script.accepts()
        self.script.happens(accepted)
        return ACCEPTED if accepted else _AS_TOLD

    # ---- the main road

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self._receipt("receipt", source, destination, payload)

    def send(self, message: Message) -> bytes | Refused:
        return self._receipt("receipt", message.source, message.destination, message.payload)

    def _receipt(self, *said: Any) -> bytes | Refused:
        return _digest(*said) if self.script.accepts() else _AS_TOLD

    def produce(self, shard: str) -> bytes | Refused:
        if not self.script.accepts():
            return _AS_TOLD
        self._blocks += 1
        return _digest("header", shard, self._blocks)

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return b"".join(_digest("sibling", receipt, header, i) for i in range(_SIBLINGS))

    def prove_outcome(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return self.prove(receipt, header)

    def prove_absence(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return self.prove(receipt, header)

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        return header if self.script.accepts() else _AS_TOLD

    def revert(self, shard: str, header: bytes) -> Outcome:
        return self._outcome()

    def restart(self, shard: str) -> None:
        self.script.happens(True)

    # ---- what relayers ask for

    def deliver(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def reenter(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def deliver_failing(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def nest(self, outer: Delivery, inner: Delivery) -> Outcome:
        return self._outcome()

    def acknowledge(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def time_out(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def time_out_again(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def time_out_on_close(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def skip(self, delivery: Delivery) -> Outcome:
        return self._outcome()

    def learn(self, shard: str, header: bytes) -> Outcome:
        return _AS_TOLD if self.script.deaf else self._outcome()

    def learn_validators(self, shard: str, header: bytes) -> Outcome:
        return self._outcome()

    def claim(self, shard: str, header: bytes) -> Outcome:
        return _AS_TOLD if self.script.deaf else self._outcome()

    def challenge(self, shard: str, header: bytes) -> Outcome:
        return _AS_TOLD if self.script.deaf else self._outcome()

    def initialise(self, shard: str, of: str) -> Outcome:
        return _AS_TOLD

    # ---- what users, operators and consensus do

    def close_channel(self, shard: str, source: str, channel: int) -> Outcome:
        return self._outcome()

    def split(self, shard: str, into: tuple[str, str]) -> Outcome:
        return self._outcome()

    def merge(self, shards: tuple[str, str], into: str) -> Outcome:
        return self._outcome()

    def drain(self, source: str, destination: str) -> Outcome:
        return self._outcome()

    def advance_clock(self, shard: str) -> None:
        self.script.happens(True)

    def rotate(self, shard: str) -> None:
        self.script.happens(True)

    def upgrade(self, shard: str) -> None:
        self.script.happens(True)

    def prune(self, shard: str) -> None:
        self.script.happens(True)

    def crash(self, shard: str, writes: int) -> None:
        pass

    def replicate(self, shard: str) -> bytes:
        return b""

    # ---- what it shows

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        count, recent = self.seen(shard)
        fresh, self.news[shard].executed = self.news[shard].executed, []
        return [*(Execution(p) for p in recent[len(recent) - (count - since) :]), *fresh]

    def ended(self, shard: str, since: int) -> Sequence[Ended]:
        fresh, self.news[shard].ended = self.news[shard].ended, []
        return fresh

    def responses(self, shard: str, since: int) -> Sequence[Response]:
        fresh, self.news[shard].responses = self.news[shard].responses, []
        return fresh

    # ---- what an adversary makes use of

    def takeover(self) -> bytes:
        # One that is under way is never written again, and here none is ever forgotten.
        return b"takeover %d" % self.takeovers()

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        return _digest("forged", source, destination, payload)

    def forge_header(self, shard: str, receipt: bytes, how: int) -> tuple[bytes, bytes]:
        return _digest("forged header", shard, receipt, how), _digest("forged evidence", receipt)

    def dissect(self, evidence: bytes) -> Path:
        return Path(0, None, tuple(evidence[i : i + 32] for i in range(0, len(evidence), 32)))

    def assemble(self, path: Path) -> bytes:
        said = b"" if path.index == 0 else repr(path.index).encode()
        return b"".join(path.siblings) + said

    def assemble_multiproof(self, proof: Multiproof) -> bytes:
        return _digest("multiproof", proof.leaves, proof.position, proof.siblings, proof.merges)

    def leaf(self, receipt: bytes) -> bytes:
        return _digest("leaf", receipt)


def _digest(*words: object) -> bytes:
    return hashlib.sha256(repr(words).encode()).digest()


#: What relayers and adversaries do to bytes before anything is asked of a shard.
_WITH_BYTES = ("forge", "dissect", "assemble", "assemble_multiproof", "leaf")


def player(verbs: Collection[str]) -> Player:
    """One that can do `verbs` besides what is required, and no more."""
    able = (*REQUIRED, *_WITH_BYTES, *verbs)
    put_away = {
        verb: getattr(Adapter, verb)
        for verb in vars(Player)
        if not verb.startswith("_") and hasattr(Adapter, verb) and verb not in able
    }
    kind = type("Player", (Player,), put_away)
    one: Player = kind()
    return one
