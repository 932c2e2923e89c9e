"""
Reference shards that answer and refund, driven as systems under test: bridges, and IBC.

One adapter for each stack. A verb is in the class of its layer, so that each adapter has
exactly the verbs of the layers of its stack; besides, every one can be restarted, and compared
with another node that has executed the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import ClassVar, Concatenate, ParamSpec, Self, TypeVar

from shardproof_models.shards.encoding import NUMBER_LIMIT, MalformedError
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.channels import Skipping
from shardproof_models.shards.messaging.closing import Closing
from shardproof_models.shards.messaging.deadlines import Deadlines
from shardproof_models.shards.messaging.durability import Durability
from shardproof_models.shards.messaging.environment import Environment
from shardproof_models.shards.messaging.families import (
    Bridge,
    Everything,
    IbcAllowTimeout,
    IbcOrdered,
    IbcUnordered,
    OptimisticBridge,
)
from shardproof_models.shards.messaging.forgery import TAKEOVER, Signer, forged_header, forged_receipt
from shardproof_models.shards.messaging.forwarding import Forwarding
from shardproof_models.shards.messaging.ledger import Value
from shardproof_models.shards.messaging.message import NEVER, FullReceipt, Sending
from shardproof_models.shards.messaging.messenger import Messenger
from shardproof_models.shards.messaging.optimistic import Optimistic
from shardproof_models.shards.messaging.outcomes import Outcomes
from shardproof_models.shards.messaging.pruning import Pruning
from shardproof_models.shards.messaging.refusals import Refusal
from shardproof_models.shards.messaging.sum_tree import NODE_BYTES, SumProof
from shardproof_models.shards.messaging.trust import Trust
from shardproof_models.shards.messaging.validators import ValidatorSet

from ..adapter import (
    ACCEPTED,
    Adapter,
    Delivery,
    Ended,
    Ending,
    Execution,
    Message,
    Outcome,
    Path,
    Refused,
    Response,
    Topology,
)

# Values, so made once: a run refuses far more often than it accepts.
_REFUSED = {refusal: Refused(refusal.value) for refusal in Refusal}
_NOTHING_TO_PROVE = Refused("nothing to prove")

A = TypeVar("A", bound="MessagingAdapter")
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=Messenger)


def _input(verb: Callable[Concatenate[A, P], R]) -> Callable[Concatenate[A, P], R]:
    """A verb that changes something: written down, so that another node can do the same."""

    @wraps(verb)
    def written_down(self: A, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.inputs.append((verb.__name__, args))
        return verb(self, *args, **kwargs)

    return written_down


class MessagingAdapter(Adapter):
    """Shards that send and execute, all in this process."""

    shard_type: ClassVar[type[Messenger]]

    def __init__(self, node: int = 0) -> None:
        self._node = node

    def open(self, topology: Topology) -> None:
        self._topology = topology
        self.inputs: list[tuple[str, tuple[object, ...]]] = []
        self._twin: Self | None = None
        self._environment = Environment(topology.shards, self._node)
        self._shards = {name: self.shard_type(name, self._environment) for name in topology.shards}

    def close(self) -> None:
        self._shards = {}

    def at(self, name: str, layer: type[S]) -> S:
        """The shard `name`, as one that has this layer."""
        shard = self._shards[name]
        assert isinstance(shard, layer), "an adapter has the verbs of its shards' layers only"
        return shard

    def _of(self, header: bytes) -> Messenger | None:
        """The shard that a header says it is of."""
        try:
            return self._shards.get(AttestingHeader.decode(header).shard)
        except MalformedError:
            return None

    # ---- as a source ----------------------------------------------------------------------

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self.send(Message(source, destination, payload))

    @_input
    def send(self, message: Message) -> bytes | Refused:
        return _data(
            self._shards[message.source].send(
                Sending(
                    message.destination,
                    message.payload,
                    message.channel,
                    NEVER if message.deadline is None else message.deadline,
                    message.amount,
                    message.claimed,
                    message.asset,
                    message.entrance,
                    message.onward or "",
                )
            )
        )

    @_input
    def produce(self, shard: str) -> bytes | Refused:
        return self._shards[shard].produce()

    @_input
    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        return _data(self._shards[shard].finalise(header))

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        source = self._of(header)
        return _evidence(None if source is None else source.prove(receipt, header))

    # ---- as a destination -----------------------------------------------------------------

    @_input
    def learn(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self._shards[shard].learn(header))

    @_input
    def deliver(self, delivery: Delivery) -> Outcome:
        return self._deliver(delivery, None)

    @_input
    def reenter(self, delivery: Delivery) -> Outcome:
        def once_more(_: FullReceipt) -> bool:
            self._deliver(delivery, None)
            return True

        return self._deliver(delivery, once_more)

    @_input
    def deliver_failing(self, delivery: Delivery) -> Outcome:
        return self._deliver(delivery, lambda _: False)

    def _deliver(self, delivery: Delivery, callback: Callable[[FullReceipt], bool] | None) -> Outcome:
        shard = self._shards[delivery.destination]

        def once(receipt: FullReceipt) -> bool:
            shard.callback = None
            return callback is None or callback(receipt)

        shard.callback = once if callback else None
        try:
            return _outcome(shard.deliver(delivery.receipt, delivery.header, delivery.evidence))
        finally:
            shard.callback = None

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [Execution(payload, sender) for payload, sender in self._shards[shard].executed.since(since)]

    def announced(self, shard: str, since: int) -> Sequence[bytes]:
        return self._shards[shard].announced.since(since)

    # ---- what a shard keeps ---------------------------------------------------------------

    @_input
    def restart(self, shard: str) -> None:
        self._shards[shard].restart()

    def state_root(self, shard: str) -> bytes:
        return self._shards[shard].state_root()

    def replicate(self, shard: str) -> bytes:
        return self.catch_up().state_root(shard)

    def catch_up(self) -> Self:
        """The other node, which has done what this one did; no input has to be kept after that."""
        if self._twin is None:
            self._twin = type(self)(node=1)
            self._twin.open(self._topology)
        for verb, args in self.inputs:
            getattr(self._twin, verb)(*args)
        self.inputs.clear()
        self._twin.inputs.clear()
        return self._twin

    # ---- what anybody can write -----------------------------------------------------------

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        return forged_receipt(source, destination, payload)

    def dissect(self, evidence: bytes) -> Path:
        proof = SumProof.decode(evidence)
        return Path(proof.index, proof.leaf_count, proof.siblings)

    def assemble(self, path: Path) -> bytes:
        # A number that has no encoding wraps around, as it would for a relayer who writes raw words;
        # what is too short for a node is one without value.
        index, count = path.index % NUMBER_LIMIT, (path.count or 0) % NUMBER_LIMIT
        siblings = tuple(node[-NODE_BYTES:].rjust(NODE_BYTES, b"\x00") for node in path.siblings)
        return SumProof(index, count, siblings).encode()

    def leaf(self, receipt: bytes) -> bytes:
        return self.shard_type.tree_type.leaf(receipt)


# ---- the verbs of each layer -------------------------------------------------------------------


class _ValueVerbs(MessagingAdapter):
    def balance(self, shard: str) -> int:
        return sum(self.at(shard, Value).balances.values())


class _ClockVerbs(MessagingAdapter):
    @_input
    def advance_clock(self, shard: str) -> None:
        self.at(shard, Deadlines).advance_clock()


class _OutcomeVerbs(_ClockVerbs):
    def prove_outcome(self, receipt: bytes, header: bytes) -> bytes | Refused:
        shard = self._of(header)
        return _evidence(shard.prove_outcome(receipt, header) if isinstance(shard, Outcomes) else None)

    def prove_absence(self, receipt: bytes, header: bytes) -> bytes | Refused:
        shard = self._of(header)
        return _evidence(shard.prove_absence(receipt, header) if isinstance(shard, Outcomes) else None)

    @_input
    def acknowledge(self, delivery: Delivery) -> Outcome:
        source = self.at(delivery.destination, Outcomes)
        return _outcome(source.acknowledge(delivery.receipt, delivery.header, delivery.evidence))

    @_input
    def time_out(self, delivery: Delivery) -> Outcome:
        source = self.at(delivery.destination, Outcomes)
        return _outcome(source.time_out(delivery.receipt, delivery.header, delivery.evidence))

    @_input
    def time_out_again(self, delivery: Delivery) -> Outcome:
        source = self.at(delivery.destination, Outcomes)
        shown = (delivery.receipt, delivery.header, delivery.evidence)

        def once_more(_: FullReceipt) -> None:
            source.sender_callback = None
            source.time_out(*shown)

        source.sender_callback = once_more
        try:
            return _outcome(source.time_out(*shown))
        finally:
            source.sender_callback = None

    def ended(self, shard: str, since: int) -> Sequence[Ended]:
        told = self.at(shard, Outcomes).ended.since(since)
        return [Ended(payload, Ending(ending)) for payload, ending in told]


class _SkippingVerbs(MessagingAdapter):
    @_input
    def skip(self, delivery: Delivery) -> Outcome:
        shard = self.at(delivery.destination, Skipping)
        return _outcome(shard.skip(delivery.receipt, delivery.header, delivery.evidence))


class _ClosingVerbs(MessagingAdapter):
    @_input
    def close_channel(self, shard: str, source: str, channel: int) -> Outcome:
        return _outcome(self.at(shard, Closing).close_channel(source, channel))

    @_input
    def time_out_on_close(self, delivery: Delivery) -> Outcome:
        source = self.at(delivery.destination, Closing)
        return _outcome(source.time_out_on_close(delivery.receipt, delivery.header, delivery.evidence))


class _ForwardingVerbs(MessagingAdapter):
    def responses(self, shard: str, since: int) -> Sequence[Response]:
        return [Response(*response) for response in self.at(shard, Forwarding).responses.since(since)]


class _NestingVerbs(MessagingAdapter):
    @_input
    def nest(self, outer: Delivery, inner: Delivery) -> Outcome:
        def present_inner(_: FullReceipt) -> bool:
            self._deliver(inner, None)
            return True

        return self._deliver(outer, present_inner)


class _ForgingVerbs(MessagingAdapter):
    def forge_header(self, shard: str, receipt: bytes, how: int) -> tuple[bytes, bytes]:
        header, evidence = forged_header(self._environment, shard, receipt, Signer(how))
        return header.encode(), evidence.encode()


class _TrustVerbs(_ForgingVerbs):
    @_input
    def rotate(self, shard: str) -> None:
        self._environment.epochs[shard] += 1

    @_input
    def learn_validators(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self.at(shard, Trust).learn_validators(header))

    @_input
    def initialise(self, shard: str, of: str) -> Outcome:
        epoch = self._environment.epochs[of]
        return _outcome(self.at(shard, Trust).initialise(of, epoch, ValidatorSet.made_up(of)))

    @_input
    def upgrade(self, shard: str) -> None:
        self.at(shard, Trust).upgrade()

    def takeover(self) -> bytes:
        return TAKEOVER


class _OptimisticVerbs(_ForgingVerbs):
    @_input
    def claim(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self.at(shard, Optimistic).make_claim(header))

    @_input
    def challenge(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self.at(shard, Optimistic).challenge(header))


class _KeepingVerbs(MessagingAdapter):
    @_input
    def revert(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self._shards[shard].revert(header))

    @_input
    def prune(self, shard: str) -> None:
        self.at(shard, Pruning).prune()

    @_input
    def crash(self, shard: str, writes: int) -> None:
        self.at(shard, Durability).lose_power_after(writes)


# ---- the adapters ------------------------------------------------------------------------------


class BridgeAdapter(_TrustVerbs, _ValueVerbs):
    """A lock-and-mint bridge that believes validators."""

    name: ClassVar[str] = "reference:bridge"
    stack: ClassVar[str] = "bridge"
    shard_type: ClassVar[type[Messenger]] = Bridge


class OptimisticBridgeAdapter(_OptimisticVerbs, _ValueVerbs, _ClockVerbs):
    """A lock-and-mint bridge that believes what nobody has challenged."""

    name: ClassVar[str] = "reference:optimistic-bridge"
    stack: ClassVar[str] = "optimistic-bridge"
    shard_type: ClassVar[type[Messenger]] = OptimisticBridge


class IbcUnorderedAdapter(
    _NestingVerbs, _TrustVerbs, _ForwardingVerbs, _ValueVerbs, _ClosingVerbs, _OutcomeVerbs
):
    """IBC on unordered channels, with transfers and packet forwarding."""

    name: ClassVar[str] = "reference:ibc-unordered"
    stack: ClassVar[str] = "ibc-unordered"
    shard_type: ClassVar[type[Messenger]] = IbcUnordered


class IbcOrderedAdapter(_TrustVerbs, _ValueVerbs, _ClosingVerbs, _OutcomeVerbs):
    """IBC on ordered channels: the first timeout ends the channel."""

    name: ClassVar[str] = "reference:ibc-ordered"
    stack: ClassVar[str] = "ibc-ordered"
    shard_type: ClassVar[type[Messenger]] = IbcOrdered


class IbcAllowTimeoutAdapter(_TrustVerbs, _ValueVerbs, _SkippingVerbs, _OutcomeVerbs):
    """IBC on ordered channels that go on past what has expired."""

    name: ClassVar[str] = "reference:ibc-allow-timeout"
    stack: ClassVar[str] = "ibc-allow-timeout"
    shard_type: ClassVar[type[Messenger]] = IbcAllowTimeout


class EverythingAdapter(
    _KeepingVerbs,
    _NestingVerbs,
    _TrustVerbs,
    _ForwardingVerbs,
    _ValueVerbs,
    _ClosingVerbs,
    _OutcomeVerbs,
):
    """All layers that one process in memory gives a meaning to."""

    name: ClassVar[str] = "reference:everything"
    stack: ClassVar[str] = "everything"
    shard_type: ClassVar[type[Messenger]] = Everything


#: The adapters of this module, by the stack that each follows.
VARIANTS: Mapping[str, type[MessagingAdapter]] = {
    adapter.stack: adapter
    for adapter in (
        BridgeAdapter,
        OptimisticBridgeAdapter,
        IbcUnorderedAdapter,
        IbcOrderedAdapter,
        IbcAllowTimeoutAdapter,
        EverythingAdapter,
    )
}


def _outcome(refusal: Refusal | None) -> Outcome:
    return ACCEPTED if refusal is None else _REFUSED[refusal]


def _data(answer: bytes | Refusal) -> bytes | Refused:
    return _REFUSED[answer] if isinstance(answer, Refusal) else answer


def _evidence(evidence: bytes | None) -> bytes | Refused:
    return _NOTHING_TO_PROVE if evidence is None else evidence
