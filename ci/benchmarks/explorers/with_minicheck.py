"""The benchmark protocol checked by minicheck, as a program with the sizes; prints the worlds."""

from __future__ import annotations

import sys

from explorers.plain import protocol
from minicheck import Protocol, check_safety

if __name__ == "__main__":
    first, after, keeps = protocol(*map(int, sys.argv[1:4]))
    cells = tuple(f"c{i}" for i in range(len(first)))
    model = Protocol(
        name="receipts",
        candidate=False,
        fields=cells,
        initial=first,
        transitions=lambda world: [("step", successor) for successor in after(world)],
        invariants={"kept": lambda world: keeps(tuple(world[c] for c in cells))},
    )
    answer = check_safety(model, max_states=100_000_000)
    assert all(each["holds"] for each in answer["properties"].values()), answer
    print(answer["reachable_states"])
