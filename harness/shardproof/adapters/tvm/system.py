"""
Adapter for shards on the TVM: a contract of ours on the machine of TON, as its node runs it.

A receipt is a cell, a header the signature of a shard's validators over the root of its
dictionary of outgoing receipts, and evidence a Merkle-proof cell of that dictionary. Signatures and
proofs are checked by instructions of the machine; what was executed is a dictionary too. A header
certifies itself: there is no light client to teach, and nothing to finalise.

`tvm:forgetful` has the same contract, told not to remember what it has executed. `tvm:sandbox` and
`tvm:sandbox-forgetful` are these two on another machine, that of npm's `@ton/sandbox`: see `sandbox.py`.

Source: PyPI `pytvm` and `pytoniq-core`; TVM whitepaper, sections 3.1 and A.7; `shard.fc`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Final

from attrs import field, frozen

from ...adapter import ACCEPTED, Adapter, AdapterFactory, Delivery, Execution, Outcome, Refused, Topology
from ...errors import AdapterError, MissingPartError, UsageError, nearest

if TYPE_CHECKING:
    from .contract import Cell, Shard

#: The exit codes of `shard.fc`, and those of the machine that a relayer can cause.
REASONS: Final[Mapping[int, str]] = {
    5: "integer out of range",
    8: "cell overflow",
    9: "cell underflow",
    10: "dictionary damaged or pruned",
    101: "unknown source",
    102: "not signed by its validators",
    103: "not a Merkle proof",
    104: "proof of another root",
    105: "receipt of another source",
    106: "not in the dictionary",
    107: "wrong destination",
    108: "executed before",
}

_SOURCE, _ROOT, _SIGNATURE = 4, 12, 44
_HEADER_BYTES: Final = _SIGNATURE + 64
_RECEIPT_BYTES: Final = 16

#: How far the number of a forged receipt is ahead: no run sends as many.
_FORGED_AHEAD: Final = 1 << 40

_NOT_IN_IT: Final = Refused("this header does not commit to this receipt")


@frozen(eq=False)
class _State:
    """All shards at one instant, the roots that their headers name, and how many headers there were."""

    shards: Mapping[str, Shard]
    roots: Mapping[bytes, Cell] = field(factory=dict, repr=False)


class TvmAdapter(Adapter):
    """Contracts that remember what they have executed."""

    name: ClassVar[str] = "tvm"
    remembers: ClassVar[bool] = True

    def __init__(self) -> None:
        self._library = _library()
        self._names: tuple[str, ...] = ()
        self._state = _State({})

    # ---- required ---------------------------------------------------------------------------

    def open(self, topology: Topology) -> None:
        self._names = topology.shards
        keys = tuple((i, bytes(self._library.signing_key(n).verify_key)) for i, n in enumerate(self._names))
        self._state = _State(
            {name: self._library.Shard(i, self.remembers, keys) for i, name in enumerate(self._names)}
        )

    def close(self) -> None:
        self._state = _State({})

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        if len(payload) > self._library.PAYLOAD_BYTES_MAX:
            return Refused("the payload does not fit into a cell")
        shard, to = self._state.shards[source], self._names.index(destination)
        self._put(source, shard.sent(to, payload))
        return _receipt(shard.number, to, shard.count, payload)

    def produce(self, shard: str) -> bytes | Refused:
        at, roots = self._state.shards[shard], self._state.roots
        outgoing = at.outgoing
        if outgoing is None:
            return Refused("nothing was ever sent")
        height = len(roots)
        signed = self._library.header_hash(at.number, height, outgoing.hash)
        signature = self._library.signing_key(shard).sign(signed).signature
        header: bytes = at.number.to_bytes(4) + height.to_bytes(8) + outgoing.hash + signature
        self._state = _State(self._state.shards, {**roots, header: outgoing})
        return header

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        root = self._state.roots.get(header)
        if root is None or len(receipt) < _RECEIPT_BYTES:
            return _NOT_IN_IT
        wanted = self._cell(receipt).hash
        proof = self._library.merkle_proof(root, wanted)
        if proof.refs[0].is_exotic:
            return _NOT_IN_IT
        evidence: bytes = proof.to_boc()
        return evidence

    def deliver(self, delivery: Delivery) -> Outcome:
        if len(delivery.header) != _HEADER_BYTES:
            return Refused("no header has this length")
        try:
            receipt = self._cell(delivery.receipt)
            proof = self._library.Cell.one_from_boc(delivery.evidence)
        except Exception as error:
            # Bytes that are no cells cannot be sent to a contract at all.
            return Refused(f"no cell: {type(error).__name__}")
        try:
            shard = self._state.shards[delivery.destination].delivered(delivery.header, receipt, proof)
        except self._library.Rejected as rejected:
            return Refused(REASONS.get(rejected.code, str(rejected)))
        self._put(delivery.destination, shard)
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [
            Execution(payload, self._names[source])
            for source, payload in self._state.shards[shard].effects(since)
        ]

    # ---- capabilities -----------------------------------------------------------------------

    def restart(self, shard: str) -> None:
        self._put(shard, self._state.shards[shard].restarted())

    def state_root(self, shard: str) -> bytes:
        digest: bytes = self._state.shards[shard].data.hash
        return digest

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        number = _FORGED_AHEAD + int.from_bytes(sha256(payload).digest()[:4])
        return _receipt(self._names.index(source), self._names.index(destination), number, payload)

    def snapshot(self) -> object:
        # Nothing in it is ever changed.
        return self._state

    def restore(self, token: object) -> None:
        if not isinstance(token, _State) or tuple(token.shards) != self._names:
            raise AdapterError("this snapshot belongs to other shards", got=type(token).__name__)
        self._state = token

    # ---- bytes and cells ----------------------------------------------------------------------

    def _put(self, name: str, shard: Shard) -> None:
        self._state = _State({**self._state.shards, name: shard}, self._state.roots)

    def _cell(self, receipt: bytes) -> Cell:
        """A receipt as the contract commits to it. Raises whatever is wrong with its bytes."""
        source, destination = int.from_bytes(receipt[:4]), int.from_bytes(receipt[4:8])
        number, payload = int.from_bytes(receipt[8:_RECEIPT_BYTES]), receipt[_RECEIPT_BYTES:]
        if len(receipt) < _RECEIPT_BYTES:
            raise ValueError
        return self._library.receipt_cell(source, destination, number, payload)


def _receipt(source: int, destination: int, number: int, payload: bytes) -> bytes:
    return source.to_bytes(4) + destination.to_bytes(4) + number.to_bytes(8) + payload


class ForgetfulAdapter(TvmAdapter):
    """Contracts that do not remember what they have executed."""

    name: ClassVar[str] = "tvm:forgetful"
    remembers: ClassVar[bool] = False


VARIANTS: Final[Mapping[str, type[TvmAdapter]]] = {"": TvmAdapter, "forgetful": ForgetfulAdapter}

#: Variants that are a process, and whether their contracts remember.
SANDBOXED: Final[Mapping[str, bool]] = {"sandbox": True, "sandbox-forgetful": False}


def variant(name: str) -> AdapterFactory:
    """The adapter for `tvm`, or for `tvm:name`. Raises `UsageError`, or `MissingPartError`."""
    if name in SANDBOXED:
        # Not everywhere can a process be an adapter, and importing it says so.
        from .sandbox import sandboxed

        return sandboxed(f"tvm:{name}", remembers=SANDBOXED[name])
    try:
        found = VARIANTS[name]
    except KeyError:
        known = [variant for variant in (*VARIANTS, *SANDBOXED) if variant]
        raise UsageError(f"adapter 'tvm' has no variant {name!r}", help=nearest(name, known)) from None
    # Whoever lacks it is told so before anything begins.
    _library()
    return found


def _library() -> Any:
    """The half of this adapter that cannot be imported without the libraries."""
    try:
        from . import contract
    except ImportError as error:
        raise MissingPartError(
            "contracts cannot run on the TVM: its libraries are not installed",
            got=str(error),
            help="run, with Python 3.11 on Linux (x86-64): pip install 'shardproof[tvm]'",
        ) from error
    return contract
