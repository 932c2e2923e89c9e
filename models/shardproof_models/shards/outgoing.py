"""What a shard has emitted on its branch, and the tree that its headers commit to."""

from __future__ import annotations

from collections.abc import Iterable

from .commitment import InclusionProof, Tree
from .receipt import Receipt


class OutgoingReceipts:
    """
    All receipts of the branch, for all destinations, in one tree that never starts again.

    So every later header proves every earlier receipt, and a receipt whose header was
    never learned is not lost. The price is that one receipt has many proofs, and that no
    key may depend on which one is shown.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._receipts: list[Receipt] = []
        self._index: dict[bytes, int] = {}
        self._nonces: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._receipts)

    @property
    def encoded(self) -> Iterable[bytes]:
        """The encodings of all receipts, in order."""
        return self._index

    def next_nonce(self, destination: str) -> int:
        """The nonce of the next receipt to `destination`."""
        return self._nonces.get(destination, 0)

    def position(self, receipt: bytes) -> int | None:
        """How many were emitted before `receipt`; None if it was not."""
        return self._index.get(receipt)

    def append(self, receipt: Receipt) -> bytes:
        """Add the next receipt of its channel; returns its encoding."""
        data = receipt.encode()
        self._nonces[receipt.destination] = receipt.nonce + 1
        self._index[data] = len(self._receipts)
        self._receipts.append(receipt)
        self._tree.append(data)
        return data

    def root(self) -> bytes:
        """The commitment to all receipts so far."""
        return self._tree.root(len(self))

    def prove(self, receipt: bytes, leaf_count: int) -> InclusionProof | None:
        """Evidence that `receipt` is among the first `leaf_count`; None if it is not."""
        index = self._index.get(receipt)
        if index is None or index >= leaf_count:
            return None
        return InclusionProof(index, leaf_count, self._tree.path(index, leaf_count))

    def truncate(self, size: int) -> None:
        """Forget all receipts after the first `size`; their nonces are free again."""
        while len(self._receipts) > size:
            receipt = self._receipts.pop()
            self._nonces[receipt.destination] = receipt.nonce
            self._index.popitem()
        self._tree.truncate(size)
