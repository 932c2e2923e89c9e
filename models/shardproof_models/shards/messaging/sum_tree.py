"""
How a commitment to receipts also commits to the value that they carry: a Merkle sum tree.

A node is a sum and a hash, and the hash covers the sums of both children, not only their
total: otherwise value can be moved from one child to the other under the same root (IACR
ePrint 2018/1139 on the sum trees of the Maxwell protocol). Sums are of fixed width and never
negative, so no part is larger than the whole.
"""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

from ..commitment import InclusionProof, Tree
from ..encoding import HASH_BYTES, NUMBER_BYTES, NUMBER_LIMIT, number

#: How many bytes stand for a node: its sum, and its hash.
NODE_BYTES = NUMBER_BYTES + HASH_BYTES
_LEAF, _NODE = b"\x00", b"\x01"


class SumProof(InclusionProof):
    """An inclusion proof whose siblings say what they sum up to."""

    kind: ClassVar[bytes] = b"S"
    width: ClassVar[int] = NODE_BYTES


class SumTree(Tree):
    """A tree of receipts that begin, after a byte for their kind, with the value that they carry."""

    __slots__ = ()

    @staticmethod
    def leaf(data: bytes) -> bytes:
        carried = data[1 : 1 + NUMBER_BYTES].rjust(NUMBER_BYTES, b"\x00")
        return carried + sha256(_LEAF + data).digest()

    @staticmethod
    def node(left: bytes, right: bytes) -> bytes:
        return total(left, right) + sha256(_NODE + left + right).digest()


def total(left: bytes, right: bytes) -> bytes:
    """The sum of two nodes; it stays at the largest number, which no shard has to give away."""
    both = int.from_bytes(left[:NUMBER_BYTES], "big") + int.from_bytes(right[:NUMBER_BYTES], "big")
    return number(min(both, NUMBER_LIMIT - 1))
