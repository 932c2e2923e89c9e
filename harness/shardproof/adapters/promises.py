"""
Reference shards whose failures are answered by a receipt of their own, driven as systems under test.

One adapter for each stack that has no timeouts: `near`, `ton` and `actors` share what calls are;
the `exactly-once-inbox` believes its transport, and is driven here because it fails like them.
Each has exactly the verbs of the layers of its stack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

from shardproof_models.shards.calling.call import NEVER, Call, Request
from shardproof_models.shards.calling.call_shard import Answer, Objection
from shardproof_models.shards.calling.durable_log import PowerLossError
from shardproof_models.shards.calling.inbox import InboxShard, Transport
from shardproof_models.shards.calling.layout import merge, split
from shardproof_models.shards.calling.presentation import Presentation
from shardproof_models.shards.calling.promises import AnsweringShard
from shardproof_models.shards.calling.queues import Link
from shardproof_models.shards.calling.systems import ActorsShard, NearShard, TonShard
from shardproof_models.shards.commitment import InclusionProof
from shardproof_models.shards.encoding import NUMBER_LIMIT
from shardproof_models.shards.header import consensus_key
from shardproof_models.shards.receipt import Receipt
from shardproof_models.shards.shard import Refusal

from ..adapter import (
    ACCEPTED,
    Adapter,
    Delivery,
    Execution,
    Message,
    Outcome,
    Path,
    Refused,
    Response,
    Topology,
)

# Values, so made once: a run refuses far more often than it accepts.
_REFUSED: Mapping[Refusal | Objection, Refused] = {
    refusal: Refused(refusal.value) for refusal in (*Refusal, *Objection)
}
_NOTHING_TO_PROVE = Refused("not committed to")
_NO_ADDRESS = Refused("no such address")
_LOST_POWER = Refused("lost power")

#: How far the position of a forged call is ahead: no run emits as many.
_FORGED_AHEAD = 1 << 32

A = TypeVar("A", bound=AnsweringShard)
T = TypeVar("T")


class _CallAdapter(Adapter, Generic[A]):
    """Shards of calls, all in this process."""

    shard_type: type[A]

    def open(self, topology: Topology) -> None:
        keys = {name: consensus_key(name) for name in topology.shards}
        self._shards = {name: self.shard_type(name, keys) for name in topology.shards}
        for name in topology.shards[: len(topology.shards) - topology.reserve]:
            self._shards[name].found((name,))

    def close(self) -> None:
        self._shards = {}

    def _answering(self, address: str) -> A | None:
        return next((shard for shard in self._shards.values() if shard.speaks_for(address)), None)

    # ---- as a source ----------------------------------------------------------------------

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self.send(Message(source, destination, payload))

    def send(self, message: Message) -> bytes | Refused:
        shard = self._answering(message.source)
        if shard is None:
            return _NO_ADDRESS
        deadline = NEVER if message.deadline is None else message.deadline
        return _data(
            shard.send(
                Request(
                    message.source,
                    message.destination,
                    message.payload,
                    message.channel,
                    deadline,
                    message.amount,
                )
            )
        )

    def produce(self, shard: str) -> bytes | Refused:
        return self._shards[shard].produce()

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        return _data(self._shards[shard].finalise(header))

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        found = (shard.prove(receipt, header) for shard in self._shards.values())
        return next((evidence for evidence in found if evidence is not None), _NOTHING_TO_PROVE)

    def responses(self, shard: str, since: int) -> Sequence[Response]:
        return [
            Response(
                each.response.encode(),
                each.response.destination,
                each.response.payload,
                each.payload,
                each.response.amount,
            )
            for each in self._shards[shard].responses[since:]
        ]

    # ---- as a destination -----------------------------------------------------------------

    def learn(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self._shards[shard].learn(header))

    def deliver(self, delivery: Delivery) -> Outcome:
        return _outcome(self._shards[delivery.destination].receive(_shown(delivery)))

    def deliver_failing(self, delivery: Delivery) -> Outcome:
        return _outcome(self._shards[delivery.destination].receive(_shown(delivery), fails=True))

    def reenter(self, delivery: Delivery) -> Outcome:
        shown = _shown(delivery)
        return _outcome(self._shards[delivery.destination].receive(shown, inner=shown))

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [Execution(call.payload, call.source) for call in self._shards[shard].executed[since:]]

    def announced(self, shard: str, since: int) -> Sequence[bytes]:
        return self._shards[shard].announced[since:]

    # ---- what a shard keeps -----------------------------------------------------------------

    def restart(self, shard: str) -> None:
        self._shards[shard].restart()

    def state_root(self, shard: str) -> bytes:
        return self._shards[shard].state_root()

    def replicate(self, shard: str) -> bytes:
        return self._shards[shard].twin().state_root()

    def catch_up(self) -> None:
        """Other nodes do now what they would do when they are asked for."""
        for shard in self._shards.values():
            shard.catch_up()

    # ---- what an adversary can write --------------------------------------------------------

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        return Call(source, destination, _FORGED_AHEAD, payload).encode()

    def dissect(self, evidence: bytes) -> Path:
        proof = InclusionProof.decode(evidence)
        return Path(proof.index, proof.leaf_count, proof.siblings)

    def assemble(self, path: Path) -> bytes:
        # A number that has no encoding wraps around, as it would for a relayer who writes raw words.
        index, count = path.index % NUMBER_LIMIT, (path.count or 0) % NUMBER_LIMIT
        return InclusionProof(index, count, path.siblings).encode()

    def leaf(self, receipt: bytes) -> bytes:
        return self.shard_type.tree_type.leaf(receipt)


class NearAdapter(_CallAdapter[NearShard]):
    """Refund receipts, bounded queues, nested callbacks, resharding."""

    name: ClassVar[str] = "reference:near"
    stack: ClassVar[str] = "near"
    shard_type = NearShard

    def nest(self, outer: Delivery, inner: Delivery) -> Outcome:
        return _outcome(self._shards[outer.destination].receive(_shown(outer), inner=_shown(inner)))

    def balance(self, shard: str) -> int:
        return self._shards[shard].total()

    def drain(self, source: str, destination: str) -> Outcome:
        shard = self._answering(source)
        return _NO_ADDRESS if shard is None else _outcome(shard.drain(Link(source, destination)))

    def split(self, shard: str, into: tuple[str, str]) -> Outcome:
        return _outcome(split(self._shards[shard], (self._shards[into[0]], self._shards[into[1]])))

    def merge(self, shards: tuple[str, str], into: str) -> Outcome:
        return _outcome(merge((self._shards[shards[0]], self._shards[shards[1]]), self._shards[into]))


class TonAdapter(_CallAdapter[TonShard]):
    """Bounces, order between two accounts, watermarks, bounded queues, resharding."""

    name: ClassVar[str] = "reference:ton"
    stack: ClassVar[str] = "ton"
    shard_type = TonShard

    def balance(self, shard: str) -> int:
        return self._shards[shard].total()

    def drain(self, source: str, destination: str) -> Outcome:
        shard = self._answering(source)
        return _NO_ADDRESS if shard is None else _outcome(shard.drain(Link(source, destination)))

    def prune(self, shard: str) -> None:
        self._shards[shard].prune()

    def split(self, shard: str, into: tuple[str, str]) -> Outcome:
        return _outcome(split(self._shards[shard], (self._shards[into[0]], self._shards[into[1]])))

    def merge(self, shards: tuple[str, str], into: str) -> Outcome:
        return _outcome(merge((self._shards[shards[0]], self._shards[shards[1]]), self._shards[into]))


class ActorsAdapter(_CallAdapter[ActorsShard]):
    """Calls answered by responses, bounded queues with suspension, deadlines, nested callbacks."""

    name: ClassVar[str] = "reference:actors"
    stack: ClassVar[str] = "actors"
    shard_type = ActorsShard

    def nest(self, outer: Delivery, inner: Delivery) -> Outcome:
        return _outcome(self._shards[outer.destination].receive(_shown(outer), inner=_shown(inner)))

    def drain(self, source: str, destination: str) -> Outcome:
        shard = self._answering(source)
        return _NO_ADDRESS if shard is None else _outcome(shard.drain(Link(source, destination)))

    def advance_clock(self, shard: str) -> None:
        self._shards[shard].tick()

    def prune(self, shard: str) -> None:
        self._shards[shard].prune()


class InboxAdapter(Adapter):
    """Services on a transport that is trusted, each with a log that may lose power between two writes."""

    name: ClassVar[str] = "reference:exactly-once-inbox"
    stack: ClassVar[str] = "exactly-once-inbox"
    shard_type: ClassVar[type[InboxShard]] = InboxShard

    def open(self, topology: Topology) -> None:
        keys = {name: consensus_key(name) for name in topology.shards}
        transport = Transport()
        self._shards = {name: self.shard_type(name, keys, transport) for name in topology.shards}

    def close(self) -> None:
        self._shards = {}

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        shard = self._shards[source]
        return _powered(shard, lambda: shard.emit(destination, payload))

    def produce(self, shard: str) -> bytes | Refused:
        return _powered(self._shards[shard], self._shards[shard].produce)

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        shown = (shard.prove(receipt, header) for shard in self._shards.values())
        # That a batch contains a receipt needs no evidence: the transport is believed.
        return b"" if any(evidence is not None for evidence in shown) else _NOTHING_TO_PROVE

    def deliver(self, delivery: Delivery) -> Outcome:
        return self._receive(delivery)

    def deliver_failing(self, delivery: Delivery) -> Outcome:
        return self._receive(delivery, fails=True)

    def reenter(self, delivery: Delivery) -> Outcome:
        return self._receive(delivery, inner=_shown(delivery))

    def _receive(
        self, delivery: Delivery, *, fails: bool = False, inner: Presentation | None = None
    ) -> Outcome:
        shard = self._shards[delivery.destination]
        return _powered(shard, lambda: _outcome(shard.receive(_shown(delivery), fails=fails, inner=inner)))

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [
            Execution(receipt.payload, receipt.source) for receipt in self._shards[shard].executed[since:]
        ]

    def announced(self, shard: str, since: int) -> Sequence[bytes]:
        return self._shards[shard].announced[since:]

    def crash(self, shard: str, writes: int) -> None:
        self._shards[shard].log.cut_after(writes)

    def restart(self, shard: str) -> None:
        self._shards[shard].restart()

    def state_root(self, shard: str) -> bytes:
        return self._shards[shard].state_root()

    def replicate(self, shard: str) -> bytes:
        return self._shards[shard].twin().state_root()

    def catch_up(self) -> None:
        """Other nodes do now what they would do when they are asked for."""
        for shard in self._shards.values():
            shard.catch_up()

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        return Receipt(source, destination, _FORGED_AHEAD, payload).encode()


#: The adapters of this file, by the stack that each follows.
VARIANTS: Mapping[str, type[Adapter]] = {
    adapter.stack: adapter for adapter in (NearAdapter, TonAdapter, ActorsAdapter, InboxAdapter)
}


def _powered(shard: InboxShard, operation: Callable[[], T]) -> T | Refused:
    """The answer of an operation; if power fails in it, the machine is started again and has none."""
    answer: T | Refused
    try:
        answer = operation()
    except PowerLossError:
        answer = _LOST_POWER
    if shard.log.is_threatened:
        shard.recover()
    return answer


def _shown(delivery: Delivery) -> Presentation:
    return Presentation(delivery.receipt, delivery.header, delivery.evidence)


def _data(answer: bytes | Refusal | Objection) -> bytes | Refused:
    return answer if isinstance(answer, bytes) else _REFUSED[answer]


def _outcome(answer: Answer) -> Outcome:
    return ACCEPTED if answer is None else _REFUSED[answer]
