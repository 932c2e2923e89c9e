"""
The benchmark protocol in plain Python: worlds are tuples, and so it is for any checker written in it.

Run as a program with the sizes, it searches breadth first, and prints the worlds and transitions.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from itertools import permutations

World = tuple[int, ...]
After = Callable[[World], Iterator[World]]
Keeps = Callable[[World], bool]


def protocol(shards: int, receipts: int, copies_max: int) -> tuple[World, After, Keeps]:
    """The first world, the worlds after one, and whether one keeps the invariants."""
    links = list(permutations(range(shards), 2))
    emitted, included, copies, forged, applied = (range(k * receipts, (k + 1) * receipts) for k in range(5))
    height = range(5 * receipts, 5 * receipts + shards)
    imported = range(height.stop, height.stop + len(links))
    ways = [links.index((r % shards, (r + 1) % shards)) for r in range(receipts)]
    sent_by = [range(s, receipts, shards) for s in range(shards)]

    def after(world: World) -> Iterator[World]:
        for r in range(receipts):
            if not world[emitted[r]]:
                yield put(world, (emitted[r], 1))
                if not world[forged[r]]:
                    yield put(world, (forged[r], 1))
            if world[included[r]] and world[copies[r]] < copies_max:
                yield put(world, (copies[r], world[copies[r]] + 1))
            if world[copies[r]]:
                yield (lost := put(world, (copies[r], world[copies[r]] - 1)))
                known = world[imported[ways[r]]] >= world[included[r]]
                yield put(lost, (applied[r], 1)) if known and not world[applied[r]] else lost
            if world[forged[r]]:
                yield (refused := put(world, (forged[r], 0)))
                yield refused
        for s in range(shards):
            new = [r for r in sent_by[s] if world[emitted[r]] and not world[included[r]]]
            if new:
                top = world[height[s]] + 1
                yield put(world, (height[s], top), *((included[r], top) for r in new))
        for i, (s, _) in enumerate(links):
            for h in range(world[imported[i]] + 1, world[height[s]] + 1):
                yield put(world, (imported[i], h))

    def keeps(world: World) -> bool:
        return all(
            world[applied[r]] <= 1 and (not world[applied[r]] or world[emitted[r]]) for r in range(receipts)
        )

    return (0,) * imported.stop, after, keeps


def put(world: World, *cells: tuple[int, int]) -> World:
    """The world with other values in some cells."""
    changed = list(world)
    for cell, value in cells:
        changed[cell] = value
    return tuple(changed)


def search(shards: int, receipts: int, copies_max: int) -> tuple[int, int]:
    """Breadth first: worlds and transitions."""
    first, after, keeps = protocol(shards, receipts, copies_max)
    seen, level, transitions = {first}, [first], 0
    while level:
        following = []
        for world in level:
            for successor in after(world):
                transitions += 1
                if successor not in seen:
                    assert keeps(successor), "the invariants hold"
                    seen.add(successor)
                    following.append(successor)
        level = following
    return len(seen), transitions


if __name__ == "__main__":
    print(*search(*map(int, sys.argv[1:4])))
