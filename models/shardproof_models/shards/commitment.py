"""
How 32 bytes commit to a list of receipts: the Merkle trees of RFC 9162, section 2.1.

Leaves and inner nodes are hashed under different prefixes, so that neither passes for the
other, and a proof is checked against a number of leaves that the header commits to, so
that nobody chooses the depth or the position. Leave out the first and one has the 64-byte
transactions of Bitcoin (2018); fill up odd levels by repeating the last node, without the
second, and one has CVE-2012-2459.

A tree only grows, and keeps the hash of every perfect subtree. A tree of any older size
consists of such subtrees and of one ragged right edge, so its root and its paths cost a
logarithm, and going back to it is cutting lists short.
"""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar, Self

from attrs import frozen

from .encoding import HASH_BYTES, Reader, number

_LEAF, _NODE = b"\x00", b"\x01"


@frozen
class InclusionProof:
    """The siblings of leaf `index`, from the leaf up, in a tree of `leaf_count` leaves."""

    kind: ClassVar[bytes] = b"P"
    #: How many bytes stand for a node of the tree.
    width: ClassVar[int] = HASH_BYTES

    index: int
    leaf_count: int
    siblings: tuple[bytes, ...]

    def encode(self) -> bytes:
        """The one encoding of this proof."""
        return b"".join(
            (
                self.kind,
                number(self.index),
                number(self.leaf_count),
                number(len(self.siblings)),
                *self.siblings,
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The proof that `data` encodes. Raises `MalformedError`."""
        reader = cls.reader(data)
        proof = cls.read(reader)
        reader.end()
        return proof

    @classmethod
    def reader(cls, data: bytes) -> Reader:
        """A reader of `data`, if it begins as a proof does. Raises `MalformedError`."""
        return Reader(data, cls.kind)

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The proof that comes next; says nothing about what follows it."""
        index, leaf_count, length = reader.number(), reader.number(), reader.number()
        nodes = reader.fixed(length * cls.width)
        siblings = tuple(nodes[i : i + cls.width] for i in range(0, len(nodes), cls.width))
        return cls(index, leaf_count, siblings)


class Tree:
    """A list of leaves that grows at the end, and the commitment to each of its beginnings."""

    __slots__ = ("_levels",)

    def __init__(self) -> None:
        # _levels[k][i] is the root of the leaves from i * 2**k up to (i + 1) * 2**k.
        self._levels: list[list[bytes]] = [[]]

    @staticmethod
    def leaf(data: bytes) -> bytes:
        """The hash that stands for `data` at the bottom."""
        return sha256(_LEAF + data).digest()

    @staticmethod
    def node(left: bytes, right: bytes) -> bytes:
        """The hash over two neighbours."""
        return sha256(_NODE + left + right).digest()

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, data: bytes) -> None:
        """Add a leaf, and every perfect subtree that it completes."""
        levels, node = self._levels, self.node
        level = levels[0]
        level.append(self.leaf(data))
        height = 0
        while not len(level) & 1:
            height += 1
            if height == len(levels):
                levels.append([])
            parent = node(level[-2], level[-1])
            level = levels[height]
            level.append(parent)

    def truncate(self, size: int) -> None:
        """Forget all leaves after the first `size`."""
        for height, level in enumerate(self._levels):
            del level[size >> height :]

    def root(self, size: int) -> bytes:
        """The commitment to the first `size` leaves."""
        if not 0 <= size <= len(self):
            raise IndexError(f"no {size} leaves among {len(self)}")
        edge = self._edge(size, size.bit_length())
        return sha256(b"").digest() if edge is None else edge

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        """The siblings of leaf `index` among the first `size`, from the leaf up."""
        if not 0 <= index < size <= len(self):
            raise IndexError(f"no leaf {index} of {size} among {len(self)}")
        siblings = []
        last = size - 1
        height = 0
        while last:
            if index & 1:
                siblings.append(self._levels[height][index - 1])
            elif index < last:
                siblings.append(self._node_at(index + 1, height, size))
            index >>= 1
            last >>= 1
            height += 1
        return tuple(siblings)

    def _node_at(self, index: int, height: int, size: int) -> bytes:
        """Node `index` of level `height`, which in a tree of `size` leaves may be ragged."""
        if index < size >> height:
            return self._levels[height][index]
        edge = self._edge(size, height)
        assert edge is not None, "a node covers at least one leaf"
        return edge

    def _edge(self, size: int, height: int) -> bytes | None:
        """The root of what is right of the perfect subtrees of level `height`; None if nothing is."""
        edge = None
        for k in range(height):
            count = size >> k
            if count & 1:
                perfect = self._levels[k][count - 1]
                edge = perfect if edge is None else self.node(perfect, edge)
        return edge

    @classmethod
    def verify(cls, data: bytes, proof: InclusionProof, leaf_count: int, root: bytes) -> bool:
        """
        Whether `proof` shows that `data` is a leaf under `root`, which commits to `leaf_count` leaves.

        The algorithm of RFC 9162, section 2.1.3.2. The number of leaves must come from
        whom the root comes from; what the proof says of it has to agree.
        """
        if proof.leaf_count != leaf_count or proof.index >= leaf_count:
            return False
        index, last, node = proof.index, leaf_count - 1, cls.leaf(data)
        for sibling in proof.siblings:
            if not last:
                return False
            if index & 1 or index == last:
                node = cls.node(sibling, node)
                while not index & 1 and index:  # the levels at which a last node had no sibling
                    index >>= 1
                    last >>= 1
            else:
                node = cls.node(node, sibling)
            index >>= 1
            last >>= 1
        return not last and node == root
