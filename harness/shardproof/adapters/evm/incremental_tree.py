"""
The append-only Merkle tree of depth 32 that deposit contracts and bridges keep on chain.

Leaves fill it from the left, and what is missing counts as zero. A contract keeps only
one branch; a prover needs any path under any earlier count. Complete subtrees never
change again, so each is hashed once. Under a given count, at most one subtree of each
height is partly filled; with those 32 hashes, which follow from the complete
subtrees and are the same for every proof under that count, a path is a list of look-ups.

Source: the Ethereum 2.0 deposit contract, whose formal verification (Park, Zhang and
Rosu, 2020) describes the algorithm. Neither leaves nor the count are marked as such.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Final

from .extras import hashed, keccak

DEPTH: Final = 32

#: Of how many trees the partly filled subtrees are remembered, two kilobytes each: proofs ask for recent
#: ones, and runs that begin alike grow the same.
_EDGES_MAX: Final = 1 << 12


class IncrementalTree:
    """The leaves so far, with paths and roots under this count and every earlier one."""

    def __init__(self) -> None:
        #: For each height, the complete subtrees from the left.
        self._levels: list[list[bytes]] = [[] for _ in range(DEPTH + 1)]
        self._positions: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._levels[0])

    def __getitem__(self, position: int) -> bytes:
        return self._levels[0][position]

    def position(self, leaf: bytes) -> int | None:
        """Where that leaf is, if it is there."""
        return self._positions.get(leaf)

    def add(self, leaf: bytes) -> None:
        """Append a leaf; each leaf once."""
        self._positions[leaf] = len(self)
        node = leaf
        for level in self._levels:
            level.append(node)
            if len(level) % 2:
                return
            node = keccak(level[-2] + level[-1])

    def truncate(self, count: int) -> None:
        """Forget all leaves but the first `count`."""
        for leaf in self._levels[0][count:]:
            del self._positions[leaf]
        for height, level in enumerate(self._levels):
            if not level:
                # Nor is there anything above it.
                break
            del level[count >> height :]

    def root(self, count: int) -> bytes:
        """The root over the first `count` leaves."""
        return self._edge(count)[DEPTH]

    def path(self, position: int, count: int) -> tuple[bytes, ...]:
        """The siblings from the leaf at `position` up to the root over the first `count` leaves."""
        edge = self._edge(count)
        siblings = []
        # Above the height of all that is filled, there is nothing on the other side.
        top = count.bit_length()
        for height in range(top):
            sibling = (position >> height) ^ 1
            complete = count >> height
            if sibling < complete:
                siblings.append(self._levels[height][sibling])
            else:
                siblings.append(edge[height] if sibling == complete else _empty()[height])
        return (*siblings, *_empty()[top:DEPTH])

    def _edge(self, count: int) -> tuple[bytes, ...]:
        """For each height, the first subtree that `count` leaves do not fill."""
        full = [self._levels[h][(count >> h) - 1] for h in range(count.bit_length()) if count >> h & 1]
        return _edge_over(count, tuple(full))


@lru_cache(maxsize=_EDGES_MAX)
def _edge_over(count: int, full: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The same, from the complete subtrees that no larger one contains, lowest first."""
    empty, lowest, edge = _empty(), iter(full), [bytes(32)]
    for height in range(DEPTH):
        # These are hashed once: their roots are remembered here.
        left, right = (next(lowest), edge[-1]) if count >> height & 1 else (edge[-1], empty[height])
        edge.append(hashed(left + right))
    return tuple(edge)


@cache
def _empty() -> tuple[bytes, ...]:
    """For each height, a subtree without leaves."""
    roots = [bytes(32)]
    for _ in range(DEPTH):
        roots.append(keccak(roots[-1] * 2))
    return tuple(roots)
