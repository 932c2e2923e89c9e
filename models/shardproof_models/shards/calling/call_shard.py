"""
A shard whose receipts are calls between addresses, and whose callbacks may fail.

Read `present` first: it is the core's `deliver`, with a place for the clauses of further layers
and for what a callback does. Each layer is a class in a file of its own that extends some of the
small methods here; which of them make one system is said in `systems.py`.

There are no reorganisations: what is said to a shard stays said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import NoReturn, Self

from attrs import evolve, frozen

from ..durable import DurableState
from ..encoding import MalformedError
from ..header import Header
from ..receipt import Receipt
from ..shard import Claim, Refusal, Shard
from .call import Call, Channel, Request
from .memory import Memory, listed, unlisted
from .node import Node, replayed
from .positions import Positions
from .presentation import Presentation


class Objection(Enum):
    """Why a shard did not do what it was asked to, in words that the core does not need."""

    NOT_AN_ADDRESS = "not an address of this shard"
    NOT_A_NUMBER = "not a number"
    NOT_OWED = "not owed"
    MUST_SUCCEED = "a response cannot fail"
    INSUFFICIENT = "insufficient balance"
    OUT_OF_ORDER = "out of order"
    FULL = "queue full"
    SUSPENDED = "suspended"
    NOT_QUEUED = "not queued"
    RUNNING = "running"
    NOT_LIVE = "not live"
    NOT_FRESH = "not fresh"
    SAME_SHARD = "same shard"
    FRAMES_OPEN = "frames are open"


Answer = Refusal | Objection | None


@frozen
class CallClaim(Claim):
    """What a relayer presents, once it could be read."""

    receipt: Call


@frozen
class Estate:
    """What a shard that retires leaves to one heir: a copy of everything, and some of its addresses."""

    held: tuple[str, ...]
    given: tuple[str, ...]
    parts: Mapping[str, bytes]


class CallShard(Node, Shard):
    """A chain of blocks that answers for addresses, and for what is sent from and to them."""

    def __init__(self, name: str, keys: Mapping[str, bytes]) -> None:
        Node.__init__(self)
        Shard.__init__(self, name, keys)
        self.read({})

    def another(self) -> Self:
        return type(self)(self.name, self._keys)

    @replayed
    def found(self, addresses: tuple[str, ...]) -> None:
        """The shard takes part from the beginning, and answers for `addresses`."""
        self.addresses = addresses

    def speaks_for(self, address: str) -> bool:
        """Whether this shard answers for what is sent from, and to, an address."""
        return address in self.addresses

    # ---- as a source ----------------------------------------------------------------------

    def emit(self, destination: str, payload: bytes) -> NoReturn:
        """A shard has several addresses, so that the sender has to be named."""
        raise TypeError("a shard of calls is asked to `send`")

    @replayed
    def send(self, request: Request) -> bytes | Objection:
        """A user of an address sends a call; returns the receipt."""
        if not self.speaks_for(request.source):
            return Objection.NOT_AN_ADDRESS
        if not request.has_an_encoding():
            return Objection.NOT_A_NUMBER
        call = self.compose(request)
        return self.unsendable(call) or self.post(call)

    def compose(self, request: Request) -> Call:
        """The call that a user asks for, next on its channel."""
        channel = Channel(request.source, request.destination, request.channel)
        return Call(
            request.source,
            request.destination,
            self.sent[channel],
            request.payload,
            request.channel,
            request.deadline,
            request.amount,
        )

    def unsendable(self, call: Call) -> Objection | None:
        """What speaks against sending the call; each layer asks those below it first."""
        return None

    def post(self, call: Call) -> bytes:
        """Commit to the call from the next block on."""
        self.sent[call.channel] = call.nonce + 1
        return self.outgoing.append(call)

    @replayed
    def produce(self) -> bytes:
        return super().produce()

    @replayed
    def finalise(self, header: bytes) -> bytes | Refusal:
        return super().finalise(header)

    # ---- as a destination -----------------------------------------------------------------

    @replayed
    def learn(self, header: bytes) -> Refusal | None:
        return super().learn(header)

    def deliver(self, receipt: bytes, header: bytes, evidence: bytes) -> NoReturn:
        """The core has no place for further clauses."""
        raise TypeError("a shard of calls is asked to `receive`")

    @replayed
    def receive(
        self, shown: Presentation, *, fails: bool = False, inner: Presentation | None = None
    ) -> Answer:
        """A relayer presents a call. Its callback presents `inner`, if there is one, and then may fail."""
        return self.present(shown, fails=fails, inner=inner)

    def present(self, shown: Presentation, *, fails: bool, inner: Presentation | None) -> Answer:
        """Like `receive`, also from inside a callback."""
        # The order is observable: see `Shard.deliver`.
        trusted = self.trusted(shown.header)
        if trusted is None:
            return Refusal.UNTRUSTED_HEADER
        claim = self.claim(shown.receipt, trusted, shown.evidence)
        if claim is None:
            return Refusal.UNPROVEN
        if (doubt := self.doubt(claim)) is not None:
            return doubt
        call = claim.receipt
        if not self.is_addressee(call):
            return Refusal.WRONG_DESTINATION
        key = self.key(claim)
        if self.is_recorded(call, key):
            return Refusal.CONSUMED
        if (objection := self.objection(call, key, fails=fails)) is not None:
            return objection
        self.accept(call, key, fails=fails, inner=inner)
        return None

    def claim(self, receipt: bytes, header: Header, evidence: bytes) -> CallClaim | None:
        try:
            return CallClaim(receipt=Call.decode(receipt), leaf=receipt, header=header, evidence=evidence)
        except MalformedError:
            return None

    def doubt(self, claim: Claim) -> Refusal | None:
        if not self.is_issued(claim.header, claim.receipt.source):
            return Refusal.WRONG_SOURCE
        return None if self.proves(claim) else Refusal.UNPROVEN

    def is_issued(self, header: Header, address: str) -> bool:
        """Whether the shard of the header answered for the address when it sealed that block."""
        return header.shard == address

    def is_addressee(self, receipt: Receipt) -> bool:
        return self.speaks_for(receipt.destination)

    def is_recorded(self, call: Call, key: bytes) -> bool:
        """Whether the call was dealt with; layers that forget records say what stands for them."""
        return self.is_consumed(key)

    def objection(self, call: Call, key: bytes, *, fails: bool) -> Objection | None:
        """What speaks against executing what is proved, here, and new; lower layers first."""
        return None

    def accept(self, call: Call, key: bytes, *, fails: bool, inner: Presentation | None) -> None:
        """Record, then execute: whatever the callback does, this call is spent (GHSA-j496-crgh-34mx)."""
        self.record(call, key)
        self.run(call, key, fails=fails, inner=inner)

    def record(self, call: Call, key: bytes) -> None:
        """From now on the call is spent."""
        self.consumed[key] = None

    def run(self, call: Call, key: bytes, *, fails: bool, inner: Presentation | None) -> None:
        """The receiving application runs, and returns or fails."""
        if inner is not None:
            self.present(inner, fails=False, inner=None)
        if fails:
            self.fail(call, key)
        else:
            self.succeed(call)

    def succeed(self, call: Call) -> None:
        """The callback has returned: let the call take effect, and say so."""
        self.executed.append(self.seen(call))
        self.announce(call)

    def fail(self, call: Call, key: bytes) -> None:
        """The callback has failed: all that it did is undone, and its events with it (GO-2024-2874)."""

    def announce(self, call: Call) -> None:
        """Write to the log, on which observers act, that the call took effect."""
        self.announced.append(call.payload)

    def seen(self, call: Call) -> Call:
        """The call as the application sees it, who asks who sent it."""
        return call

    def is_running(self) -> bool:
        """Whether a callback has begun and not returned."""
        return False

    # ---- stopping and starting ------------------------------------------------------------

    def restart(self) -> None:
        self.read(Memory.decode(Memory(self.parts()).encode()).parts)

    def parts(self) -> dict[str, bytes]:
        """All that has to survive a restart; each layer adds its own."""
        return {
            "chain": self.durable().encode(),
            "addresses": listed(a.encode() for a in self.addresses),
            "sent": self.sent.encode(),
            "announced": listed(self.announced),
        }

    def read(self, parts: Mapping[str, bytes]) -> None:
        """Become the shard that wrote `parts` down; what is missing is as it was at the beginning."""
        self.load(_chain(parts))
        self.addresses = tuple(a.decode() for a in unlisted(parts.get("addresses")))
        self.sent = Positions.decode(parts.get("sent"))
        self.announced = [*unlisted(parts.get("announced"))]

    def load(self, state: DurableState) -> None:
        super().load(evolve(state, outgoing=(), executed=()))
        for data in state.outgoing:
            self.outgoing.append(Call.decode(data))
        self.executed.extend(Call.decode(data) for data in state.executed)

    # ---- succession -----------------------------------------------------------------------

    def take_over(self, estates: Sequence[Estate]) -> None:
        """Become the heir of others: of their records all, of what belongs to an address what is given."""
        chains = [_chain(estate.parts) for estate in estates]
        given = {address for estate in estates for address in estate.given}
        self.addresses = tuple(name for name in self._keys if name in given)
        calls = (c for e, chain in zip(estates, chains, strict=True) for c in self.inherited(e, chain))
        self.load(
            evolve(
                self.durable(),
                outgoing=tuple(calls),
                learned=_union(chain.learned for chain in chains),
                consumed=_union(chain.consumed for chain in chains),
            )
        )
        for estate in estates:
            self.sent.update(Positions.decode(estate.parts.get("sent")).sent_from(estate.given))

    def inherited(self, estate: Estate, chain: DurableState) -> Iterator[bytes]:
        """The calls to which this heir commits: each goes to one child, or both would (nearcore PR 9362)."""
        return (data for data in chain.outgoing if Call.decode(data).source in estate.given)


def _chain(parts: Mapping[str, bytes]) -> DurableState:
    data = parts.get("chain")
    return DurableState() if data is None else DurableState.decode(data)


def _union(lists: Iterable[tuple[bytes, ...]]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(data for each in lists for data in each))
