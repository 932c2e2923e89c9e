"""
The contract of `shard.fc` on the machine of the libraries `pytvm` and `pytoniq-core`, one account a shard.

The account is a value: a message to it gives another one, and the old one is still there. Time
stands still, and logical time counts messages, so an account is a function of what it was sent.

Importing this needs the libraries; `system.py` beside it says so to those who lack them.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import pytvm
from attrs import field, frozen
from nacl.signing import SigningKey
from pytoniq_core import Address, Cell, HashMap, begin_cell
from pytoniq_core.tlb.account import ShardAccount, StateInit
from pytoniq_core.tlb.block import CurrencyCollection
from pytoniq_core.tlb.transaction import InternalMsgInfo, MessageAny, Transaction
from pytvm.engine.engine_c import EmulatorEngineC
from pytvm.transaction_emulator import TransactionEmulator

__all__ = ["Cell", "Rejected", "Shard", "merkle_proof", "signing_key"]

SEND, DELIVER = 1, 2

#: Kinds of special cells (TVM whitepaper, section 3.1).
_PRUNED, _MERKLE_PROOF = 1, 3

#: What a cell can hold besides other fields.
PAYLOAD_BYTES_MAX: Final = 127

#: Paid with each message; nothing here depends on it, as long as it is enough.
_VALUE: Final = 10**9
_MOMENT: Final = 1_700_000_000
#: Any account may send and deliver.
_ANYBODY: Final = Address((0, b"\x11" * 32))

#: No transaction yet has touched the account.
_NOTHING: Final = (
    begin_cell()
    .store_ref(begin_cell().store_bit_int(0).end_cell())
    .store_uint(0, 256)
    .store_uint(0, 64)
    .end_cell()
)


class Rejected(Exception):  # noqa: N818 - it is an outcome, and not an error of ours
    """The contract, or the machine before it, refused a message."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@frozen(slots=False)
class Shard:
    """One shard at one instant."""

    number: int
    remembers: bool
    #: The public key of the validators of each shard, by its number.
    keys: tuple[tuple[int, bytes], ...] = field(repr=False)
    #: Its account as the machine takes it, and how many messages it has had.
    account: bytes = field(default=b64encode(_NOTHING.to_boc()), repr=False)
    messages: int = 0

    def sent(self, destination: int, payload: bytes) -> Shard:
        """As it is after a user has sent something. Raises `Rejected`."""
        carried = begin_cell().store_bytes(payload).end_cell()
        return self._after(
            begin_cell().store_uint(SEND, 32).store_uint(destination, 32).store_ref(carried).end_cell()
        )

    def delivered(self, header: bytes, receipt: Cell, proof: Cell) -> Shard:
        """As it is after a relayer has delivered a receipt. Raises `Rejected`."""
        return self._after(
            begin_cell()
            .store_uint(DELIVER, 32)
            .store_bytes(header)
            .store_ref(receipt)
            .store_ref(proof)
            .end_cell()
        )

    def _after(self, body: Cell) -> Shard:
        messages = self.messages + 1
        machine = _machine()
        # The library passes it on in 32 bits, and it must never go back.
        machine.set_lt(1_000 + 10 * messages)
        machine.set_unixtime(_MOMENT)
        beginning, address = _beginning(self.number, self.remembers, self.keys)
        info = InternalMsgInfo(
            ihr_disabled=True,
            bounce=True,
            bounced=False,
            src=_ANYBODY,
            dest=address,
            value=CurrencyCollection(_VALUE),
            ihr_fee=0,
            fwd_fee=0,
            created_lt=0,
            created_at=_MOMENT,
        )
        message = MessageAny(info=info, init=beginning, body=body).serialize()
        # Not by way of cells: to take an account apart costs more than all that the machine does.
        result = machine.engine.transaction_emulator_emulate_transaction(
            machine.emulator, self.account, b64encode(message.to_boc())
        )
        if not result["success"]:
            raise Rejected(0, str(result.get("error", "the machine does not take it")))
        transaction = Transaction.deserialize(_cell(result["transaction"]).begin_parse())
        computed = transaction.description.compute_ph
        code = getattr(computed, "exit_code", None)
        if code != 0:
            raise Rejected(code or 0, f"exit code {code}" if code is not None else "not computed")
        return Shard(self.number, self.remembers, self.keys, result["shard_account"].encode(), messages)

    # ---- what it keeps --------------------------------------------------------------------

    @cached_property
    def data(self) -> Cell:
        """All that the contract remembers."""
        if not self.messages:
            return _beginning(self.number, self.remembers, self.keys)[0].data
        return ShardAccount.deserialize(
            _cell(self.account).begin_parse()
        ).account.storage.state.state_init.data

    @property
    def outgoing(self) -> Cell | None:
        """The dictionary of its outgoing receipts; none while it is empty."""
        data = self.data.begin_parse()
        data.skip_bits(32 + 1 + 64 + 64)
        return data.load_maybe_ref()

    @property
    def count(self) -> int:
        """How many receipts it has sent."""
        data = self.data.begin_parse()
        data.skip_bits(32 + 1)
        return int(data.load_uint(64))

    def effects(self, since: int) -> list[tuple[int, bytes]]:
        """Number of the source, and payload, of what took effect after the first `since`."""
        data = self.data.begin_parse()
        data.skip_bits(32 + 1 + 64)
        total = data.load_uint(64)
        if total <= since:
            return []
        data.load_maybe_ref()
        data.load_maybe_ref()
        more = data.load_ref().begin_parse()
        more.load_maybe_ref()
        found = HashMap.parse(more.load_maybe_ref().begin_parse(), 64)
        values = (found[number] for number in range(since, total))
        return [(value.load_uint(32), _bytes(value.load_ref())) for value in values]

    def restarted(self) -> Shard:
        """As it is after its account was written to bytes, and read from them."""
        account = b64encode(_cell(self.account).to_boc())
        return Shard(self.number, self.remembers, self.keys, account, self.messages)


@cache
def _beginning(number: int, remembers: bool, keys: tuple[tuple[int, bytes], ...]) -> tuple[Any, Address]:
    """What a shard begins with, and where it lives, which is the hash of that."""
    known = HashMap(32)
    for source, key in keys:
        known.set(source, begin_cell().store_bytes(key).end_cell())
    data = (
        begin_cell()
        .store_uint(number, 32)
        .store_bit_int(int(remembers))
        .store_uint(0, 64)
        .store_uint(0, 64)
        .store_bit_int(0)
        .store_dict(known.serialize())
        .store_ref(begin_cell().store_bit_int(0).store_bit_int(0).end_cell())
        .end_cell()
    )
    beginning = StateInit(code=_code(), data=data)
    return beginning, Address((0, beginning.serialize().hash))


# ---- cells -------------------------------------------------------------------------------------


def receipt_cell(source: int, destination: int, number: int, payload: bytes) -> Cell:
    """A receipt as the contract commits to it."""
    carried = begin_cell().store_bytes(payload).end_cell()
    return (
        begin_cell()
        .store_uint(source, 32)
        .store_uint(destination, 32)
        .store_uint(number, 64)
        .store_ref(carried)
        .end_cell()
    )


def header_hash(source: int, height: int, root: bytes) -> bytes:
    """What the validators of a shard sign."""
    digest: bytes = (
        begin_cell().store_uint(source, 32).store_uint(height, 64).store_bytes(root).end_cell().hash
    )
    return digest


def merkle_proof(root: Cell, wanted: bytes) -> Cell:
    """A Merkle-proof cell of `root`; pruned is what the cell with the hash `wanted` does not need."""
    content = begin_cell().store_uint(_MERKLE_PROOF, 8).store_bytes(root.hash)
    content.store_uint(root.get_depth(0), 16)
    return Cell(content.end_cell().bits, [_thinned(root, wanted)], _MERKLE_PROOF)


def _thinned(cell: Cell, wanted: bytes) -> Cell:
    if cell.hash == wanted:
        return cell
    if not _contains(cell, wanted):
        # Its level mask says that it has lost its content at the first level.
        content = begin_cell().store_uint(_PRUNED, 8).store_uint(1, 8).store_bytes(cell.hash)
        return Cell(content.store_uint(cell.get_depth(0), 16).end_cell().bits, [], _PRUNED)
    return Cell(cell.bits, [_thinned(ref, wanted) for ref in cell.refs], cell.type_)


def _contains(cell: Cell, wanted: bytes) -> bool:
    return cell.hash == wanted or any(_contains(ref, wanted) for ref in cell.refs)


def signing_key(name: str) -> SigningKey:
    """The key of the validators of a shard; its signatures are deterministic."""
    return SigningKey(name.encode().rjust(32, b"\0")[-32:])


def _bytes(cell: Cell) -> bytes:
    content = cell.begin_parse()
    return bytes(content.load_bytes(content.remaining_bits // 8))


def _cell(text: str | bytes) -> Cell:
    return Cell.one_from_boc(b64decode(text))


@cache
def _machine() -> Any:
    # Its own way of finding its library needs a module that packaging tools no longer bring along.
    (library, *_) = sorted((Path(pytvm.__file__).parent / "engine").glob("libemulator*"))
    machine = TransactionEmulator(engine=EmulatorEngineC(str(library)))
    machine.engine.emulator_set_verbosity_level(0)
    return machine


@cache
def _code() -> Cell:
    compiled = json.loads((Path(__file__).parent / "shard.json").read_text())
    return _cell(compiled["code"])
