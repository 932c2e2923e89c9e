"""
A shard whose headers commit to the receipts of their own block, and to no earlier one.

The root of each block is over a tree of its own, so a receipt has one header that proves it. Where
that block begins among all receipts of the branch is written down nowhere: it is the place at which
its receipts have its root.
"""

from __future__ import annotations

from itertools import islice

from .commitment import InclusionProof, Tree
from .durable import Extent
from .header import GENESIS, Header
from .shard import Shard


class OwnBlocksShard(Shard):
    """A shard that begins a new tree with each block."""

    def produce(self) -> bytes:
        """Seal a block on the head of the branch, over the receipts since its parent; returns its header."""
        count = len(self.outgoing) - self._extents[-1].outgoing
        block = self._tree(self._extents[-1].outgoing, count)
        header = Header(
            self.name,
            len(self._branch) + 1,
            self._view,
            self._branch[-1] if self._branch else GENESIS,
            count,
            block.root(count),
        )
        self._branch.append(header.hash())
        self._extents.append(
            Extent(len(self.outgoing), len(self.light_client), len(self.consumed), len(self.executed))
        )
        return header.encode()

    def prove(self, receipt: bytes, header: bytes) -> bytes | None:
        """Evidence that this very block of the branch commits to `receipt`; None if it does not."""
        block = self._on_branch(header)
        place = None if block is None else self.outgoing.position(receipt)
        if block is None or place is None:
            return None
        count = block.leaf_count
        for start in range(max(0, place - count + 1), place + 1):
            tree = self._tree(start, count)
            if len(tree) == count and tree.root(count) == block.receipts_root:
                index = place - start
                return InclusionProof(index, count, tree.path(index, count)).encode()
        return None

    def _tree(self, start: int, count: int) -> Tree:
        """The tree over so many receipts of the branch, from `start` on."""
        tree = self.tree_type()
        for data in islice(self.outgoing.encoded, start, start + count):
            tree.append(data)
        return tree
