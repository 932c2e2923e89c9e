"""
Adapter for Connext NXTP: a user locks tokens here, a router locks its own there, and both move or neither.

One chain per shard, each with a manager of transactions. A receipt is a transfer that its user has
prepared at the source. The router answers by preparing it at the destination, before the next
header of the source; then the user signs that it may be fulfilled there, and that it may be
cancelled there, and until it expires whoever has these signatures decides which of the two
happens. Afterwards the router claims at the source, or else cancels there. A cancellation is what
the model calls a callback that fails: the receipt is spent, and its sender is given back what he paid.

There are no headers and no proofs in this system: what travels are signatures. So a header is
the signatures that are out, each in a slot, and evidence is the number of a slot:

* of what its shard sends, the user's signatures, one of which fulfils it at the destination, one cancels;
* of what was fulfilled at its shard, the router's claim, a transaction for the source;
* of what was cancelled or expired at its shard, the router's cancellation, a transaction for the source.

A signed transaction is sent by whoever its signature says, as on any chain, and the manager
decides whether he may. Validators there are none: the user and the router sign for themselves.

The router here is honest and awake. After the source's own expiry, thirty days after the transfer
was prepared, its user could take back what he paid whatever happened elsewhere; that the router
has claimed by then is its own affair, and no run here waits for so long. Every transfer expires,
so one that never does is declined, and so is one that would be too late from the beginning, for which
no router bids. A fee would be the router's; here it asks for none.

Source: `@connext/nxtp-contracts`, contract `TransactionManager`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import ClassVar, Final

from attrs import frozen

from ..adapter import Delivery, Ended, Ending, Execution, Message, Outcome, Refused
from ..parts import PARTS, read
from .evm.artefacts import Artefact, from_json
from .evm.chain import Chain
from .evm.engine import GENESIS_TIME, Log
from .evm.extras import keccak
from .evm.interface import Event, Function, Interface, encoded
from .evm.shards import EvmAdapter, EvmShard
from .evm.signer import Signer, recovered

#: One unit of time. The manager wants at least a day until a transfer expires.
TICK_S: Final = 36 * 3_600

#: What the manager allows at most, and what a user gives the router to claim.
SOURCE_EXPIRY_S: Final = 30 * 24 * 3_600

#: What a user holds on each chain at first, and what the router has locked on each.
ENDOWMENT: Final = 1_000
LIQUIDITY: Final = 1_000_000

_NOBODY: Final = "0x" + "00" * 20

#: A slot holds two signatures: of the user, or of the user and the router, or of the router alone.
_PLACE, _SIGNATURE = 8, 65
_SLOT: Final = 2 * _SIGNATURE

#: What users sign, as the manager encodes it.
_SIGNED: Final = "(bytes32,uint256,string,uint256,address)"
_SIGNED_CANCEL: Final = "(bytes32,string,uint256,address)"

#: Transfers are counted from zero, so none of a run has a number in the upper half.
_FORGED_NUMBER: Final = 1 << 63

_FILE: Final = "artifacts/contracts/{}.sol/{}.json"
_CONTRACTS: Final = {"TransactionManager": "TransactionManager", "TestERC20": "test/TestERC20"}


@frozen
class Transfer:
    """A receipt taken apart: transfer number `number` of a chain, until a moment on another's clock."""

    source: int
    number: int
    destination: int
    amount: int
    deadline: int
    payload: bytes

    @classmethod
    def of(cls, receipt: bytes) -> Transfer:
        """Cut any bytes into fields."""
        cuts = ((0, 4), (4, 12), (12, 16), (16, 32), (32, 36))
        source, number, destination, amount, deadline = (int.from_bytes(receipt[i:j]) for i, j in cuts)
        return cls(source, number, destination, amount, deadline, receipt[36:])

    def encoded(self) -> bytes:
        """As a receipt."""
        ends = self.source.to_bytes(4) + self.number.to_bytes(8) + self.destination.to_bytes(4)
        return ends + self.amount.to_bytes(16) + self.deadline.to_bytes(4) + self.payload

    @property
    def id(self) -> bytes:
        """How managers call it."""
        return keccak(b"%d:%d" % (self.source, self.number))

    @property
    def expiry(self) -> int:
        """Its deadline as the clock of the destination's chain has it."""
        return GENESIS_TIME + self.deadline * TICK_S


@cache
def user() -> Signer:
    """Who sends and receives, on every chain."""
    return Signer.named(b"shardproof user")


@cache
def router() -> Signer:
    """Who carries, and has liquidity on every chain."""
    return Signer.named(b"shardproof router")


PREPARED, FULFILLED, CANCELLED = "TransactionPrepared", "TransactionFulfilled", "TransactionCancelled"


@frozen
class Logged:
    """What a manager has logged of a transfer: prepared, fulfilled or cancelled, and on what terms."""

    kind: str
    transfer: Transfer
    expiry: int
    block: int
    #: Of a cancellation, why.
    ending: Ending


class _Transactions:
    """A view: what a manager has logged, in order and by transfer."""

    def __init__(self, interface: Interface) -> None:
        self._events = {
            interface.event(kind).topic: (kind, _numbered(interface.event(kind))) for kind in KINDS
        }
        self._log: list[Logged] = []
        self._known: dict[tuple[str, bytes], Logged] = {}

    def __len__(self) -> int:
        return len(self._log)

    def append(self, log: Log) -> None:
        """Take in one more."""
        kind, event = self._events[log.topics[0]]
        values = event.decoded(log)
        if kind == PREPARED:
            # What the contract hands through to whoever reads its log: the payload, and our own terms.
            described = (values["txData"], values["args"][6], values["args"][3])
        elif kind == FULFILLED:
            described = (values["args"][0], values["args"][4], values["args"][3])
        else:
            described = (values["args"][0], values["args"][2], b"")
        known, terms, payload = described
        source, destination, amount, expiry, block = known[11:16]
        number, deadline = int.from_bytes(terms[:8]), int.from_bytes(terms[8:12])
        transfer = Transfer(source, number, destination, amount, deadline, payload)
        entry = Logged(kind, transfer, expiry, block, Ending(terms[12:].decode()))
        self._log.append(entry)
        self._known[kind, values["transactionId"]] = entry

    def truncate(self, length: int) -> None:
        """Forget all but the first `length`."""
        del self._log[length:]
        self._known = {(x.kind, x.transfer.id): x for x in self._log}

    def of(self, kind: str, transfer: Transfer) -> Logged | None:
        """What was logged of a transfer, if it was."""
        return self._known.get((kind, transfer.id))

    def here(self, kinds: Sequence[str], *, source: int | None = None, to: int | None = None) -> list[Logged]:
        """What was logged of these kinds, of transfers from a chain or to one, in order."""
        return [
            x
            for x in self._log
            if x.kind in kinds
            and source in (None, x.transfer.source)
            and to in (None, x.transfer.destination)
        ]


def _numbered(event: Event) -> Event:
    """The same event with addresses read as numbers: nobody asks for them, and it takes half the time."""
    values = tuple((name, kind.replace("address", "uint160"), topic) for name, kind, topic in event.values)
    return Event(event.topic, values)


KINDS: Final = (PREPARED, FULFILLED, CANCELLED)


class ManagerShard(EvmShard):
    """One chain with a manager and a token; its notes are the slots of each header."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain)
        known = _artefacts()
        self.manager = self.deployed(known["TransactionManager"], self.number)
        self.token = self.deployed(known["TestERC20"])
        self.manager.send("addRouter", router().address)
        self.manager.send("addAssetId", self.token.address)
        self.token.send("transfer", user().address, ENDOWMENT)
        self.token.send("approve", self.manager.address, LIQUIDITY)
        self.manager.send("addLiquidityFor", LIQUIDITY, self.token.address, router().address)
        self.log = _Transactions(self.manager.interface)
        for kind in KINDS:
            chain.watch(self.manager.address, self.manager.topic(kind), self.log)

    @property
    def clock(self) -> int:
        """How many units of time have passed."""
        return (self.chain.now - GENESIS_TIME) // TICK_S

    def signed_call(self, name: str, *arguments: object) -> bytes:
        """The router's signature under a transaction for the manager of this chain and no other."""
        return router().sign(self.digest(name, arguments))

    def send_signed(self, signature: bytes, name: str, *arguments: object) -> Outcome:
        """A transaction by whoever has signed it."""
        sender = recovered(self.digest(name, arguments), signature)
        if sender is None:
            return Refused("a transaction without a signature")
        return self.manager.attempt(name, *arguments, sender=sender)

    def digest(self, name: str, arguments: tuple[object, ...]) -> bytes:
        """What is signed of a transaction for the manager of this chain."""
        return _digest(self.number, self.manager.address, self.manager.interface.function(name), arguments)


# Every header has again what the router has signed before.
@lru_cache(maxsize=1 << 12)
def _digest(chain: int, manager: str, function: Function, arguments: tuple[object, ...]) -> bytes:
    data = function.selector + encoded(function.inputs, arguments)
    return keccak(chain.to_bytes(32) + _raw(manager) + data)


class NxtpAdapter(EvmAdapter[ManagerShard]):
    """Managers of transactions, a user, and a router who is honest and awake."""

    name: ClassVar[str] = "nxtp"

    def build(self, chain: Chain) -> ManagerShard:
        return ManagerShard(chain)

    # ---- required ---------------------------------------------------------------------------

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self.send(Message(source, destination, payload))

    def produce(self, shard: str) -> bytes | Refused:
        at = self.shards[shard]
        slots: dict[tuple[str, bytes], bytes] = {}
        for sent in at.log.here([PREPARED], source=at.number):
            if self._is_prepared(sent.transfer):
                slots["deliver", sent.transfer.id] = self._agreed(sent.transfer) + self._renounced(
                    sent.transfer
                )
        for other in self.shards.values():
            for sent in other.log.here([PREPARED], source=other.number, to=at.number):
                slots |= self._outcome(sent.transfer)
        at.notes.append(tuple(slots))
        place = at.number.to_bytes(4) + (len(at.notes) - 1).to_bytes(4)
        return place + b"".join(slots.values())

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return self._slot("deliver", receipt, header)

    def deliver(self, delivery: Delivery) -> Outcome:
        to, transfer = self.shards[delivery.destination], Transfer.of(delivery.receipt)
        return to.manager.attempt("fulfill", self._fulfilment(to, transfer, _filled(delivery)[:_SIGNATURE]))

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        at = self.shards[shard]
        return [
            Execution(x.transfer.payload, self.names.get(x.transfer.source, f"chain {x.transfer.source}"))
            for x in at.log.here([FULFILLED], to=at.number)[since:]
        ]

    # ---- capabilities -----------------------------------------------------------------------

    def send(self, message: Message) -> bytes | Refused:
        at, to = self.shards[message.source], self.shards[message.destination]
        if message.deadline is None or message.entrance:
            return Refused("a transfer expires, and there is no other way in")
        if message.deadline <= to.clock:
            return Refused("no router bids for what has expired already")
        amount = message.amount if message.claimed is None else message.claimed
        number = len(at.log.here([PREPARED], source=at.number))
        transfer = Transfer(at.number, number, to.number, amount, message.deadline, message.payload)
        asset = at.token.address if not message.asset else f"0x{message.asset:040x}"
        # What the user pays is what he lets the manager take, whatever he says.
        at.token.send("approve", at.manager.address, message.amount, sender=user().address)
        expiry = at.chain.now + SOURCE_EXPIRY_S
        prepared = self._preparation(transfer, asset, expiry)
        outcome = at.manager.attempt("prepare", prepared, sender=user().address)
        return outcome if isinstance(outcome, Refused) else transfer.encoded()

    def deliver_failing(self, delivery: Delivery) -> Outcome:
        to, transfer = self.shards[delivery.destination], Transfer.of(delivery.receipt)
        # Whoever cancels says why, for those who read the log; too late, it is not what he wants any more.
        why = Ending.FAILED if to.clock < transfer.deadline else Ending.EXPIRED
        renounced = _filled(delivery)[_SIGNATURE:]
        return to.manager.attempt("cancel", self._cancellation(to, transfer, why, renounced))

    def advance_clock(self, shard: str) -> None:
        self.shards[shard].chain.wait(TICK_S)

    def balance(self, shard: str) -> int:
        at = self.shards[shard]
        held: int = at.token.call("balanceOf", user().address)
        return held

    def prove_outcome(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return self._slot("acknowledge", receipt, header)

    def prove_absence(self, receipt: bytes, header: bytes) -> bytes | Refused:
        return self._slot("time out", receipt, header)

    def acknowledge(self, delivery: Delivery) -> Outcome:
        at, transfer, slot = (
            self.shards[delivery.destination],
            Transfer.of(delivery.receipt),
            _filled(delivery),
        )
        agreed, signed = slot[:_SIGNATURE], slot[_SIGNATURE:]
        if not any(agreed):
            # Without the signature of the user it is a cancellation that the router has signed.
            return at.send_signed(signed, "cancel", self._cancellation(at, transfer, Ending.FAILED))
        return at.send_signed(signed, "fulfill", self._fulfilment(at, transfer, agreed))

    def time_out(self, delivery: Delivery) -> Outcome:
        at, transfer, slot = (
            self.shards[delivery.destination],
            Transfer.of(delivery.receipt),
            _filled(delivery),
        )
        expired = self._cancellation(at, transfer, Ending.EXPIRED)
        return at.send_signed(slot[_SIGNATURE:], "cancel", expired)

    def ended(self, shard: str, since: int) -> Sequence[Ended]:
        at = self.shards[shard]
        told = []
        for x in at.log.here([FULFILLED, CANCELLED], source=at.number)[since:]:
            sent = at.log.of(PREPARED, x.transfer)
            assert sent is not None, "what has ended was prepared"
            told.append(Ended(sent.transfer.payload, x.ending))
        return told

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        ends = self.shards[source].number, self.shards[destination].number
        number = _FORGED_NUMBER | int.from_bytes(keccak(payload)[:4])
        return Transfer(ends[0], number, ends[1], 1, 1 << 16, payload).encoded()

    # ---- the router and the user --------------------------------------------------------------

    def _is_prepared(self, transfer: Transfer) -> bool:
        """Whether the router has prepared a transfer at its destination, as it does unless it is too late."""
        to = self._at(transfer.destination)
        if to.log.of(PREPARED, transfer) is None:
            prepared = self._preparation(transfer, self._at(transfer.source).token.address, transfer.expiry)
            to.manager.attempt("prepare", prepared, sender=router().address)
        return to.log.of(PREPARED, transfer) is not None

    def _outcome(self, transfer: Transfer) -> dict[tuple[str, bytes], bytes]:
        """What the router has signed for the source, by what it sees of a transfer at the destination."""
        at, to = self._at(transfer.source), self._at(transfer.destination)
        if to.log.of(FULFILLED, transfer) is not None:
            agreed = self._agreed(transfer)
            claim = at.signed_call("fulfill", self._fulfilment(at, transfer, agreed))
            return {("acknowledge", transfer.id): agreed + claim}
        cancelled = to.log.of(CANCELLED, transfer)
        if cancelled is not None and cancelled.ending is Ending.FAILED:
            given_up = at.signed_call("cancel", self._cancellation(at, transfer, Ending.FAILED))
            return {("acknowledge", transfer.id): bytes(_SIGNATURE) + given_up}
        if to.clock < transfer.deadline:
            return {}
        if to.log.of(PREPARED, transfer) is not None and cancelled is None:
            # What the router has locked is its own again.
            back = self._cancellation(to, transfer, Ending.EXPIRED)
            to.manager.attempt("cancel", back, sender=router().address)
        given_up = at.signed_call("cancel", self._cancellation(at, transfer, Ending.EXPIRED))
        return {("time out", transfer.id): bytes(_SIGNATURE) + given_up}

    def _agreed(self, transfer: Transfer) -> bytes:
        """The signature of the user under a transfer, by which it may be fulfilled."""
        to = self._at(transfer.destination)
        return _signed_by_user(_SIGNED, (transfer.id, 0, "fulfill", to.number, to.manager.address))

    def _renounced(self, transfer: Transfer) -> bytes:
        """The signature of the user under a transfer, by which it may be cancelled at its destination."""
        to = self._at(transfer.destination)
        return _signed_by_user(_SIGNED_CANCEL, (transfer.id, "cancel", to.number, to.manager.address))

    # ---- what managers are told -----------------------------------------------------------------

    def _at(self, number: int) -> ManagerShard:
        return self.shards[self.names[number]]

    def _slot(self, kind: str, receipt: bytes, header: bytes) -> bytes | Refused:
        at = self._at(int.from_bytes(header[:4]))
        slots = at.notes[int.from_bytes(header[4:_PLACE])]
        wanted = (kind, Transfer.of(receipt).id)
        assert isinstance(slots, tuple), "what was noted are the slots of a header"
        return slots.index(wanted).to_bytes(4) if wanted in slots else Refused("nobody has signed that")

    def _fulfilment(self, at: ManagerShard, transfer: Transfer, signature: bytes) -> tuple[object, ...]:
        return (self._described(at, transfer), 0, signature, transfer.payload, _terms(transfer))

    def _cancellation(
        self, at: ManagerShard, transfer: Transfer, why: Ending, signature: bytes = b""
    ) -> tuple[object, ...]:
        return (self._described(at, transfer), signature, _terms(transfer, why))

    def _preparation(self, transfer: Transfer, asset: str, expiry: int) -> tuple[object, ...]:
        chains, hashes = (transfer.source, transfer.destination), (keccak(transfer.payload), transfer.id)
        fixed = (*self._parties(transfer, asset), *chains, *hashes)
        return (fixed, transfer.amount, expiry, transfer.payload, b"", b"", _terms(transfer))

    def _described(self, at: ManagerShard, transfer: Transfer) -> tuple[object, ...]:
        """A transfer as the manager of one of its chains knows it: what is variable it has logged itself."""
        logged = at.log.of(PREPARED, transfer)
        # What was never prepared is described like what was, and the manager does not know it.
        asset = (self._at(logged.transfer.source) if logged else at).token.address
        expiry, block = (logged.expiry, logged.block) if logged else (transfer.expiry, 1)
        chains, hashes = (transfer.source, transfer.destination), (keccak(transfer.payload), transfer.id)
        return (*self._parties(transfer, asset), *hashes, *chains, transfer.amount, expiry, block)

    def _parties(self, transfer: Transfer, asset: str) -> tuple[bytes, ...]:
        to = self.names.get(transfer.destination)
        manager = self.shards[to].manager.address if to else _NOBODY
        return _parties(manager, asset)


@lru_cache(maxsize=1 << 8)
def _parties(manager: str, asset: str) -> tuple[bytes, ...]:
    """The nine addresses of a transfer, as their bytes: the library encodes these in half the time."""
    people = (user().address, router().address, user().address)
    everybody = (manager, *people, asset, asset, user().address, user().address, _NOBODY)
    return tuple(_raw(address) for address in everybody)


def _raw(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x"))


# Every header has again what the user has signed before.
@lru_cache(maxsize=1 << 12)
def _signed_by_user(kind: str, said: tuple[object, ...]) -> bytes:
    return user().sign_personally(keccak(encoded((kind,), (said,))))


def _terms(transfer: Transfer, why: Ending = Ending.SUCCEEDED) -> bytes:
    """What the manager hands through to whoever reads its log."""
    return transfer.number.to_bytes(8) + transfer.deadline.to_bytes(4) + why.value.encode()


def _filled(delivery: Delivery) -> bytes:
    """The slot of a header that evidence names, as far as there is one."""
    place = _PLACE + _SLOT * int.from_bytes(delivery.evidence[:8])
    return delivery.header[place : place + _SLOT]


@cache
def _artefacts() -> dict[str, Artefact]:
    paths = {name: _FILE.format(path, name) for name, path in _CONTRACTS.items()}
    files = read(PARTS["nxtp"], paths.values())
    return {name: from_json(files[path].decode(), path) for name, path in paths.items()}
