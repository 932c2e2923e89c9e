"""
A second correct system, built the other way round, so that the specification fits more than one.

It remembers a mark below which every receipt of a source was executed, and the few that
came early (TON's `ProcessedUpto` is such a mark, per source; IBC's ordered channels have
one without exceptions). It writes numbers where the reference writes names, in layouts
of fixed width. Blocks keep whole immutable states. Nothing is shared with the reference,
also not the Merkle tree: this one is the recursive definition of RFC 9162, section 2.1,
read aloud. It has no restart, no callbacks, and shows nobody how its proofs are made.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import ClassVar

from attrs import evolve, field, frozen

from ..adapter import ACCEPTED, Adapter, Delivery, Execution, Outcome, Refused, Topology

_RECEIPT = struct.Struct(">4sHHQ")  # magic, source, destination, nonce; the payload is the rest
_BLOCK = struct.Struct(">4sHQQ32sQ32s")  # magic, shard, height, attempt, parent, receipts, root
_SEAL_BYTES = 32
_POSITION = struct.Struct(">4sQ")  # magic, index; the siblings are the rest
_UNSEALED = bytes(_SEAL_BYTES)

_UNTRUSTED = Refused("untrusted header")
_WRONG_SOURCE = Refused("wrong source")
_UNPROVEN = Refused("unproven")
_WRONG_DESTINATION = Refused("wrong destination")
_CONSUMED = Refused("consumed")
_NOT_PRODUCED = Refused("not produced")
_ALREADY_FINAL = Refused("already final")
_PARENT_NOT_FINAL = Refused("parent not final")


# ---- the tree of RFC 9162, section 2.1, as it is defined there -----------------------------


def _root(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return _leaf(leaves[0])
    k = _split(len(leaves))
    return _node(_root(leaves[:k]), _root(leaves[k:]))


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = _split(len(leaves))
    if index < k:
        return [*_path(index, leaves[:k]), _root(leaves[k:])]
    return [*_path(index - k, leaves[k:]), _root(leaves[:k])]


def _climb(leaf: bytes, index: int, count: int, siblings: Sequence[bytes]) -> bytes | None:
    """The root of `count` leaves above `leaf`; None if these cannot be its siblings."""
    if count == 1:
        return None if siblings else leaf
    if not siblings:
        return None
    k = _split(count)
    if index < k:
        below = _climb(leaf, index, k, siblings[:-1])
        return below and _node(below, siblings[-1])
    below = _climb(leaf, index - k, count - k, siblings[:-1])
    return below and _node(siblings[-1], below)


def _split(count: int) -> int:
    """The largest power of two that is smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


# ---- one shard -----------------------------------------------------------------------------


@frozen
class _Mark:
    """All nonces below `low` were executed, and those in `early`."""

    low: int = 0
    early: frozenset[int] = frozenset()

    def has(self, nonce: int) -> bool:
        return nonce < self.low or nonce in self.early

    def add(self, nonce: int) -> _Mark:
        low, early = self.low, self.early | {nonce}
        while low in early:
            early -= {low}
            low += 1
        return _Mark(low, early)


@frozen
class _State:
    """What a shard is at one instant. Never changed, so that a block may keep it without a copy."""

    emitted: tuple[bytes, ...] = ()
    next_nonce: Mapping[int, int] = field(factory=dict)
    trusted: frozenset[bytes] = frozenset()
    marks: Mapping[int, _Mark] = field(factory=dict)
    executed: tuple[Execution, ...] = ()


@frozen
class _Block:
    """A header without its seal, and the state that it closed."""

    header: bytes
    state: _State


class _WatermarkShard:
    """A shard that is a number, with a chain of blocks that each keep all of its state."""

    def __init__(self, number: int, names: Sequence[str]) -> None:
        self.number = number
        self.names = names
        self.state = _State()
        self.chain: list[_Block] = [_Block(bytes(_BLOCK.size), _State())]
        self.final = 0
        self.attempt = 0

    def emit(self, destination: int, payload: bytes) -> bytes:
        nonce = self.state.next_nonce.get(destination, 0)
        receipt = _RECEIPT.pack(b"rcpt", self.number, destination, nonce) + payload
        self.state = evolve(
            self.state,
            emitted=(*self.state.emitted, receipt),
            next_nonce={**self.state.next_nonce, destination: nonce + 1},
        )
        return receipt

    def produce(self) -> bytes:
        emitted = self.state.emitted
        parent = sha256(self.chain[-1].header).digest()
        header = _BLOCK.pack(
            b"blck", self.number, len(self.chain), self.attempt, parent, len(emitted), _root(emitted)
        )
        self.chain.append(_Block(header, self.state))
        return header + _UNSEALED

    def finalise(self, header: bytes) -> bytes | Refused:
        height = self.height_of(header)
        if height is None:
            return _NOT_PRODUCED
        if height <= self.final:
            return _ALREADY_FINAL
        if height > self.final + 1:
            return _PARENT_NOT_FINAL
        self.final = height
        unsealed = self.chain[height].header
        return unsealed + _seal(self.number, unsealed)

    def revert(self, header: bytes) -> Outcome:
        height = self.height_of(header)
        if height is None:
            return _NOT_PRODUCED
        if height <= self.final:
            return _ALREADY_FINAL
        del self.chain[height:]
        self.state = self.chain[-1].state
        # A block that comes back with the same receipts is still another block.
        self.attempt += 1
        return ACCEPTED

    def height_of(self, header: bytes) -> int | None:
        """Where `header` is on the chain, which begins with a block that nobody is shown."""
        if len(header) != _BLOCK.size + _SEAL_BYTES:
            return None
        unsealed = header[: _BLOCK.size]
        _, _, height, *_ = _BLOCK.unpack(unsealed)
        return height if 0 < height < len(self.chain) and self.chain[height].header == unsealed else None

    def prove(self, receipt: bytes, header: bytes) -> bytes | None:
        height = self.height_of(header)
        if height is None:
            return None
        committed = self.chain[height].state.emitted
        if receipt not in committed:
            return None
        index = committed.index(receipt)
        return _POSITION.pack(b"path", index) + b"".join(_path(index, committed))

    def learn(self, header: bytes) -> Outcome:
        unsealed, seal = header[: _BLOCK.size], header[_BLOCK.size :]
        if len(unsealed) != _BLOCK.size:
            return _UNTRUSTED
        magic, shard, *_ = _BLOCK.unpack(unsealed)
        if magic != b"blck" or shard >= len(self.names):
            return _UNTRUSTED
        if not hmac.compare_digest(seal, _seal(shard, unsealed)):
            return _UNTRUSTED
        self.state = evolve(self.state, trusted=self.state.trusted | {unsealed})
        return ACCEPTED

    def deliver(self, receipt: bytes, header: bytes, evidence: bytes) -> Outcome:
        unsealed = header[: _BLOCK.size]
        if len(header) != _BLOCK.size + _SEAL_BYTES or unsealed not in self.state.trusted:
            return _UNTRUSTED
        _, shard, _, _, _, count, root = _BLOCK.unpack(unsealed)
        if len(receipt) < _RECEIPT.size:
            return _UNPROVEN
        magic, source, destination, nonce = _RECEIPT.unpack_from(receipt)
        if magic != b"rcpt":
            return _UNPROVEN
        if source != shard:
            return _WRONG_SOURCE
        if not _proves(receipt, evidence, count, root):
            return _UNPROVEN
        if destination != self.number:
            return _WRONG_DESTINATION
        mark = self.state.marks.get(source, _Mark())
        if mark.has(nonce):
            return _CONSUMED
        effect = Execution(receipt[_RECEIPT.size :], self.names[source])
        self.state = evolve(
            self.state,
            marks={**self.state.marks, source: mark.add(nonce)},
            executed=(*self.state.executed, effect),
        )
        return ACCEPTED


def _proves(receipt: bytes, evidence: bytes, count: int, root: bytes) -> bool:
    if len(evidence) < _POSITION.size or (len(evidence) - _POSITION.size) % 32:
        return False
    magic, index = _POSITION.unpack_from(evidence)
    siblings = [evidence[i : i + 32] for i in range(_POSITION.size, len(evidence), 32)]
    return bool(magic == b"path" and index < count and _climb(_leaf(receipt), index, count, siblings) == root)


def _seal(shard: int, unsealed: bytes) -> bytes:
    """Stands for the signatures of a quorum: only consensus, which is `finalise`, makes one."""
    return hmac.digest(b"validators of shard %d" % shard, unsealed, "sha256")


# ---- the seam ------------------------------------------------------------------------------


class WatermarkAdapter(Adapter):
    """Shards that keep a mark per source instead of a record per receipt."""

    name: ClassVar[str] = "watermark"

    def open(self, topology: Topology) -> None:
        self._number = {name: number for number, name in enumerate(topology.shards)}
        self._shards = [_WatermarkShard(number, topology.shards) for number in range(len(topology.shards))]

    def close(self) -> None:
        self._shards = []

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self._of(source).emit(self._number[destination], payload)

    def produce(self, shard: str) -> bytes | Refused:
        return self._of(shard).produce()

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        return self._of(shard).finalise(header)

    def revert(self, shard: str, header: bytes) -> Outcome:
        return self._of(shard).revert(header)

    def learn(self, shard: str, header: bytes) -> Outcome:
        return self._of(shard).learn(header)

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        evidence = (shard.prove(receipt, header) for shard in self._shards)
        return next((found for found in evidence if found is not None), Refused("not committed to"))

    def deliver(self, delivery: Delivery) -> Outcome:
        return self._of(delivery.destination).deliver(delivery.receipt, delivery.header, delivery.evidence)

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return self._of(shard).state.executed[since:]

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        number = self._number[destination]
        nonce = self._of(source).state.next_nonce.get(number, 0) + (1 << 40)
        return _RECEIPT.pack(b"rcpt", self._number[source], number, nonce) + payload

    def _of(self, shard: str) -> _WatermarkShard:
        return self._shards[self._number[shard]]
