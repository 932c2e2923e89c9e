"""
What a block shows to other shards: what its shard has sent, what it has recorded, when, and who says so.

A header attests the clock of its shard and a commitment to what it has received, because
that is what a sender needs who was told nothing: that a receipt was not delivered in time is
proved by a late clock and an absent record in one header, or not at all (ICS-04, ICS-07).
"""

from __future__ import annotations

import struct
from functools import cached_property
from hashlib import sha256
from typing import Self

from attrs import evolve, frozen

from ..encoding import HASH_BYTES, MalformedError, Reader, blob, text
from .sum_tree import NODE_BYTES

_KIND = b"A"
_FIXED = struct.Struct(f">QQQQQ{HASH_BYTES}s{NODE_BYTES}s{HASH_BYTES}s{HASH_BYTES}s")


@frozen(slots=False)
class AttestingHeader:
    """A block of `shard`."""

    shard: str
    height: int
    #: How many times the shard had reverted before, as in `header.py`.
    view: int
    parent: bytes
    #: The number of receipts of the branch, and the root over them with the value that they carry.
    leaf_count: int
    receipts_root: bytes
    #: The clock of the shard, and the root over what it has recorded.
    time: int
    facts_root: bytes
    #: The validators in office, and the next ones.
    epoch: int
    next_validators: bytes
    #: Not part of the hash, as in `header.py`; empty while the block is not final.
    certificate: bytes = b""

    @cached_property
    def hash(self) -> bytes:
        """The identity of this header, certified or not."""
        return sha256(self._core).digest()

    def certified(self, certificate: bytes) -> Self:
        """The same header, with a certificate."""
        return evolve(self, certificate=certificate)

    def encode(self) -> bytes:
        """The one encoding of this header."""
        return self._core + blob(self.certificate)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The header that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        shard = reader.text()
        height, view, leaf_count, time, epoch, parent, receipts, facts, validators = _FIXED.unpack(
            reader.fixed(_FIXED.size)
        )
        certificate = reader.blob()
        reader.end()
        if height == 0:
            raise MalformedError("the block of height 0 has no header")
        return cls(
            shard,
            height,
            view,
            parent,
            leaf_count,
            receipts,
            time,
            facts,
            epoch,
            validators,
            certificate,
        )

    @cached_property
    def _core(self) -> bytes:
        numbers = (self.height, self.view, self.leaf_count, self.time, self.epoch)
        hashes = (self.parent, self.receipts_root, self.facts_root, self.next_validators)
        return _KIND + text(self.shard) + _FIXED.pack(*numbers, *hashes)
