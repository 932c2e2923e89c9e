"""
How 32 bytes commit to what a shard has recorded, so that also what is absent can be proved.

Keys are hashes, so they say by their bits where in a binary tree they belong. A subtree with
one key in it is that leaf, and an empty one is nothing, so a tree of n keys has paths of
about log n nodes. To prove a key absent is to show what is in its place: nothing, or another
leaf. Leaves, nodes and nothing are hashed apart, and the whole path is bound to the key, or a
proof of one absence would pass for that of another (Dragonberry, GHSA-j92c-mmf7-j5x5).

Nodes never change: a later tree shares with an earlier one what they have in common. So every
header can be proved against for as long as somebody keeps its root.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Self

from attrs import field, frozen

from ..encoding import HASH_BYTES, MalformedError, Reader, blob, number

_KIND = b"F"
_LEAF, _FORK = b"\x10", b"\x11"
_NOTHING_THERE, _LEAF_THERE = b"\x00", b"\x01"
_BITS = 8 * HASH_BYTES

#: The hash of a tree without a key.
NOTHING = bytes(HASH_BYTES)


@frozen
class Leaf:
    """One key, and what is recorded under it."""

    key: bytes
    value: bytes

    def hash(self) -> bytes:
        """The hash that stands for this leaf."""
        return sha256(_LEAF + self.key + self.value).digest()


def fork(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return sha256(_FORK + left + right).digest()


@frozen
class FactProof:
    """The siblings on the way to the place of a key, from the root down, and the leaf there, if any."""

    siblings: tuple[bytes, ...]
    found: Leaf | None

    def shows(self, root: bytes, key: bytes) -> bool:
        """Whether this is what is in the place of `key` in the tree under `root`."""
        depth = len(self.siblings)
        if depth > _BITS:
            return False
        place = int.from_bytes(key, "big")
        node = NOTHING
        if self.found is not None:
            if (int.from_bytes(self.found.key, "big") ^ place) >> (_BITS - depth):
                return False
            node = self.found.hash()
        bits = place >> (_BITS - depth)
        for sibling in reversed(self.siblings):
            node = fork(sibling, node) if bits & 1 else fork(node, sibling)
            bits >>= 1
        return node == root

    def value(self, key: bytes) -> bytes | None:
        """What is recorded under `key`, if this shows its place; None if nothing is."""
        return self.found.value if self.found is not None and self.found.key == key else None

    def encode(self) -> bytes:
        """The one encoding of this proof."""
        leaf = self.found
        end = (_NOTHING_THERE,) if leaf is None else (_LEAF_THERE, leaf.key, blob(leaf.value))
        return b"".join((_KIND, number(len(self.siblings)), *self.siblings, *end))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The proof that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, b"")
        proof = cls.read(reader)
        reader.end()
        return proof

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The proof that comes next; says nothing about what follows it. Raises `MalformedError`."""
        if reader.fixed(len(_KIND)) != _KIND:
            raise MalformedError("not a proof about what is recorded")
        length = reader.number()
        nodes = reader.fixed(length * HASH_BYTES)
        siblings = tuple(nodes[i : i + HASH_BYTES] for i in range(0, len(nodes), HASH_BYTES))
        end = reader.fixed(1)
        if end == _NOTHING_THERE:
            return cls(siblings, None)
        if end == _LEAF_THERE:
            return cls(siblings, Leaf(reader.fixed(HASH_BYTES), reader.blob()))
        raise MalformedError("neither a leaf nor nothing")


@frozen
class _Leaf:
    key: bytes
    place: int
    value: bytes
    hash: bytes


@frozen
class _Fork:
    left: _Node
    right: _Node
    hash: bytes


_Node = _Leaf | _Fork | None


def _hash(node: _Node) -> bytes:
    return NOTHING if node is None else node.hash


def _forked(left: _Node, right: _Node) -> _Fork:
    return _Fork(left, right, fork(_hash(left), _hash(right)))


def _with(node: _Node, leaf: _Leaf, depth: int) -> _Node:
    if node is None or (isinstance(node, _Leaf) and node.key == leaf.key):
        return leaf
    shift = _BITS - 1 - depth
    right = leaf.place >> shift & 1
    if isinstance(node, _Leaf):
        # A leaf stands for its whole subtree, until another one has to share that.
        node = _Fork(None, node, NOTHING) if node.place >> shift & 1 else _Fork(node, None, NOTHING)
    if right:
        return _forked(node.left, _with(node.right, leaf, depth + 1))
    return _forked(_with(node.left, leaf, depth + 1), node.right)


@frozen
class Facts:
    """What is recorded under which key. A value: recording one more gives another."""

    _root: _Node = field(default=None, alias="root")

    @property
    def root(self) -> bytes:
        """The commitment to all of it."""
        return _hash(self._root)

    def recording(self, key: bytes, value: bytes) -> Facts:
        """The same, and `value` under `key`."""
        leaf = _Leaf(key, int.from_bytes(key, "big"), value, Leaf(key, value).hash())
        return Facts(_with(self._root, leaf, 0))

    def prove(self, key: bytes) -> FactProof:
        """Evidence of what is recorded under `key`, or that nothing is."""
        place, depth, node = int.from_bytes(key, "big"), _BITS - 1, self._root
        siblings = []
        while isinstance(node, _Fork):
            near, far = (node.right, node.left) if place >> depth & 1 else (node.left, node.right)
            siblings.append(_hash(far))
            node, depth = near, depth - 1
        return FactProof(tuple(siblings), None if node is None else Leaf(node.key, node.value))
