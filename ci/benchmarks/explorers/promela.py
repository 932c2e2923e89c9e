"""
The benchmark protocol for SPIN: the model in Promela, its verifier built and run.

Each attempt is one `d_step` with the invariant after it, so states and transitions are those of the
protocol, and partial orders are left alone (`NOREDUCE`), because every world is to be counted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

from explorers.golden import Size

#: How the verifier is built: the fastest that counts every world.
BUILT = ("-O3", "-DSAFETY", "-DNOREDUCE")
SEARCHES = {"depth first": (), "breadth first": ("-DBFS",)}


def installed() -> bool:
    """Whether SPIN and a C compiler are there."""
    return shutil.which("spin") is not None and shutil.which("cc") is not None


def build(size: Size, search: str, folder: Path) -> list[str]:
    """Builds the verifier of a size, and returns the command that runs it."""
    (folder / "receipts.pml").write_text(model(size), "ascii")
    built = folder / search.replace(" ", "_")
    for command in (
        ("spin", "-a", "receipts.pml"),
        ("cc", *BUILT, *SEARCHES[search], "-o", str(built), "pan.c"),
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    # The table has a few more slots than there are worlds, so that it is not the table that is timed.
    return [str(built), "-m1000000", f"-w{size.worlds.bit_length() + 1}"]


def counted(output: str) -> tuple[int, int]:
    """States and transitions, as the verifier tells them; it counts the beginning as a transition."""
    stored = re.search(r"(\d+) states, stored", output)
    taken = re.search(r"(\d+) transitions \(", output)
    if stored is None or taken is None or "errors: 0" not in output:
        raise ValueError(f"SPIN did not finish:\n{output}")
    return int(stored[1]), int(taken[1]) - 1


def model(size: Size) -> str:
    """The protocol in Promela."""
    lines = [
        *(f"bit emitted[{size.receipts}], forged[{size.receipts}];",),
        *(f"byte included[{size.receipts}], copies[{size.receipts}], applied[{size.receipts}];",),
        f"byte height[{size.shards}], imported[{size.shards * size.shards}];",
    ]
    invariant = " && ".join(
        f"applied[{r}] <= 1 && (applied[{r}] == 0 || emitted[{r}])" for r in range(size.receipts)
    )
    lines += ["active proctype protocol() {", "  do"]
    lines += [
        f"  :: d_step {{ ({guard}) -> {effect}; assert({invariant}) }}" for guard, effect in attempts(size)
    ]
    return "\n".join([*lines, "  od", "}", ""])


def attempts(size: Size) -> Iterator[tuple[str, str]]:
    """Guard and effect of each attempt."""
    for r in range(size.receipts):
        source, destination = r % size.shards, (r + 1) % size.shards
        known = f"imported[{source * size.shards + destination}] >= included[{r}]"
        apply = f"if :: ({known} && applied[{r}] == 0) -> applied[{r}]++ :: else fi"
        yield f"!emitted[{r}]", f"emitted[{r}] = 1"
        yield f"included[{r}] > 0 && copies[{r}] < {size.copies}", f"copies[{r}]++"
        yield f"!emitted[{r}] && !forged[{r}]", f"forged[{r}] = 1"
        yield f"copies[{r}] > 0", f"copies[{r}]--"
        yield f"copies[{r}] > 0", f"copies[{r}]--; {apply}"
        # Lost, or delivered and refused, because a forged copy has no proof.
        yield f"forged[{r}]", f"forged[{r}] = 0"
        yield f"forged[{r}]", f"forged[{r}] = 0"
    for s in range(size.shards):
        own = range(s, size.receipts, size.shards)
        if waiting := [f"(emitted[{r}] && included[{r}] == 0)" for r in own]:
            seals = [
                f"if :: {w} -> included[{r}] = height[{s}] :: else fi"
                for r, w in zip(own, waiting, strict=True)
            ]
            yield " || ".join(waiting), "; ".join((f"height[{s}]++", *seals))
    for s, d in permutations(range(size.shards), 2):
        link = f"imported[{s * size.shards + d}]"
        for h in range(1, len(range(s, size.receipts, size.shards)) + 1):
            yield f"{link} < {h} && {h} <= height[{s}]", f"{link} = {h}"
