"""
A shard that believes its transport, and has to get one thing right: what is durable, and when.

There is no light client and no proof: the transport carries only what was published. What is
left is to record what was executed, and to make the record durable together with the effect, in
one write. A record without its effect is a lost receipt, an effect without its record is a
second execution. And nothing is published before it is durable.

Everything that this shard knows is a fold over its log, so a restart reads the log again.

Source: C. Richardson, Microservices Patterns, 2018, chapter 3: transactional outbox, idempotent consumer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from ..durable import DurableState
from ..encoding import MalformedError
from ..header import GENESIS, Header
from ..receipt import Receipt
from ..shard import Claim, Refusal, Shard
from .durable_log import DurableLog
from .memory import listed
from .node import Input, Node, replayed
from .presentation import Presentation

# What can become durable; the first byte says what it is.
_EMITTED, _SEALED, _RECORDED, _EFFECT, _ANNOUNCED = b"E", b"S", b"K", b"X", b"A"


class CallbackError(Exception):
    """The receiving application failed."""


class Transport:
    """Carries what was published, and nothing else."""

    def __init__(self) -> None:
        self._positions: dict[bytes, int] = {}
        self._counts: dict[bytes, int] = {}

    def publish(self, header: Header, receipts: Iterable[bytes]) -> None:
        """The first receipts of a shard, as many as its header says; to publish again changes nothing."""
        for position, receipt in enumerate(receipts):
            self._positions.setdefault(receipt, position)
        self._counts[header.encode()] = header.leaf_count

    def carries(self, header: bytes) -> bool:
        """Whether a batch with this header was published."""
        return header in self._counts

    def carries_in(self, receipt: bytes, header: bytes) -> bool:
        """Whether the batch with this header contains a receipt of its shard."""
        position = self._positions.get(receipt)
        return position is not None and position < self._counts.get(header, 0)


class Listener(Transport):
    """Hears what another transport carries, and cannot speak."""

    def __init__(self, heard: Transport) -> None:
        super().__init__()
        self._heard = heard

    def publish(self, header: Header, receipts: Iterable[bytes]) -> None:
        pass

    def carries(self, header: bytes) -> bool:
        return self._heard.carries(header)

    def carries_in(self, receipt: bytes, header: bytes) -> bool:
        return self._heard.carries_in(receipt, header)


class InboxShard(Node, Shard):
    """A service with an outbox, an inbox, and a log of both."""

    def __init__(self, name: str, keys: Mapping[str, bytes], transport: Transport) -> None:
        Node.__init__(self)
        self.transport = transport
        self.log = DurableLog()
        self._written_before = 0
        Shard.__init__(self, name, keys)

    def another(self) -> Self:
        return type(self)(self.name, self._keys, Listener(self.transport))

    # ---- as a source ----------------------------------------------------------------------

    @replayed
    def emit(self, destination: str, payload: bytes) -> bytes:
        receipt = Receipt(self.name, destination, self.outgoing.next_nonce(destination), payload).encode()
        self.write(_EMITTED + receipt)
        return receipt

    @replayed
    def produce(self) -> bytes:
        parent = self._branch[-1] if self._branch else GENESIS
        count, root = len(self.outgoing), self.outgoing.root()
        header = Header(self.name, len(self._branch) + 1, self._view, parent, count, root)
        self.write(_SEALED + header.encode())
        self.transport.publish(header, self.outgoing.encoded)
        return header.encode()

    # ---- as a destination -----------------------------------------------------------------

    @replayed
    def receive(
        self, shown: Presentation, *, fails: bool = False, inner: Presentation | None = None
    ) -> Refusal | None:
        """The transport hands over a receipt. Its callback presents `inner`, if any, and then may fail."""

        def application(_: Receipt) -> None:
            self.callback = None
            if inner is not None:
                self.deliver(inner.receipt, inner.header, inner.evidence)
            if fails:
                raise CallbackError

        self.callback = application
        try:
            return self.deliver(shown.receipt, shown.header, shown.evidence)
        finally:
            self.callback = None

    def trusted(self, header: bytes) -> Header | None:
        try:
            claimed = Header.decode(header)
        except MalformedError:
            return None
        return claimed if self.transport.carries(header) else None

    def proves(self, claim: Claim) -> bool:
        return self.transport.carries_in(claim.leaf, claim.header.encode())

    def is_consumed(self, key: bytes) -> bool:
        return key in self._begun or super().is_consumed(key)

    def consume(self, key: bytes, receipt: Receipt) -> None:
        # Marked first, though not durably: a callback that presents its own receipt finds it spent.
        self._begun.add(key)
        self.commit(key, receipt, succeeds=self.runs(receipt))
        self._begun.discard(key)

    def runs(self, receipt: Receipt) -> bool:
        """Let the receiving application run; says whether it succeeded."""
        try:
            if self.callback is not None:
                self.callback(receipt)
        except CallbackError:
            return False
        return True

    def commit(self, key: bytes, receipt: Receipt, *, succeeds: bool) -> None:
        """Record, effect and event become durable together."""
        effect = (_EFFECT + receipt.encode(), _ANNOUNCED + receipt.payload) if succeeds else ()
        self.write(_RECORDED + key, *effect)

    # ---- what is durable --------------------------------------------------------------------

    def write(self, *changes: bytes) -> None:
        """Make changes durable, and only then believe them. Raises `PowerLossError`."""
        self.log.write(*changes)
        for change in changes:
            self.apply(change)

    def apply(self, change: bytes) -> None:
        """Know what is durable."""
        kind, data = change[:1], change[1:]
        if kind == _EMITTED:
            self.outgoing.append(Receipt.decode(data))
        elif kind == _SEALED:
            self._branch.append(Header.decode(data).hash())
        elif kind == _RECORDED:
            self.consumed[data] = None
        elif kind == _EFFECT:
            self.executed.append(Receipt.decode(data))
        elif kind == _ANNOUNCED:
            self.announced.append(data)

    def note(self, step: Input) -> None:
        super().note(step)
        self._written_before = len(self.log)

    def recover(self) -> None:
        """Start again after a power loss. What had written nothing has not happened."""
        self.log.power_on()
        if len(self.log) == self._written_before:
            self.inputs.pop()
        self.restart()

    def restart(self) -> None:
        self.load(DurableState())
        for change in self.log.changes():
            self.apply(change)
            # Power may have failed between the seal and the publication.
            if change[:1] == _SEALED:
                self.transport.publish(Header.decode(change[1:]), self.outgoing.encoded)

    def load(self, state: DurableState) -> None:
        super().load(state)
        self.announced: list[bytes] = []
        #: Receipts whose callback has begun, in this process.
        self._begun: set[bytes] = set()

    def parts(self) -> dict[str, bytes]:
        return {"chain": self.durable().encode(), "announced": listed(self.announced)}
