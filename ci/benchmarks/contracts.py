"""
Every third-party contract, several seeds: is the verdict the expected one, and how fast is it reached?

Exits with 1 unless each holds or is violated as it should for every seed. Of the seconds it says how
many were spent inside the virtual machine: what is left is encoding, the model, and the search.
Arguments that are numbers are seeds; others are names of adapters, to run only these.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shardproof.adapters.evm.anvil import AnvilEngine
from shardproof.adapters.evm.engine import PyrevmEngine
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.verdict import Verdict

SECONDS = 10.0
SEEDS = (1, 2, 3, 4, 5)

EXPECTED: Mapping[str, Verdict] = {
    "hyperlane": Verdict.HOLDS,
    "hyperlane:noop-ism": Verdict.VIOLATED,
    "hyperlane:anvil": Verdict.HOLDS,
    "axelar": Verdict.HOLDS,
    "nxtp": Verdict.HOLDS,
    "openzeppelin:4.9.1": Verdict.VIOLATED,
    "openzeppelin:4.9.2": Verdict.HOLDS,
}

VERBS = ("deploy", "call", "logs", "begin", "checkpoint", "undo", "release")


@contextmanager
def timed(spent: list[float]) -> Iterator[None]:
    """Adds up the time that calls of either engine take."""
    kept = {(engine, verb): getattr(engine, verb) for engine in (PyrevmEngine, AnvilEngine) for verb in VERBS}

    def wrapped(do: Any) -> Any:
        def timing(*args: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return do(*args, **named)
            finally:
                spent[0] += time.perf_counter() - begun

        return timing

    for (engine, verb), do in kept.items():
        setattr(engine, verb, wrapped(do))
    try:
        yield
    finally:
        for (engine, verb), do in kept.items():
            setattr(engine, verb, do)


def is_as_expected(name: str, seed: int) -> bool:
    """Search once, and print the line of this seed."""
    spent, begun = [0.0], time.perf_counter()
    with timed(spent):
        report = fuzz(load(name), name, Plan(seed, seconds=SECONDS), clock=time.perf_counter)
    seconds = time.perf_counter() - begun
    shortest = min((len(f.trace.steps) for f in report.findings), default=0)
    print(
        f"{name:20} seed {seed}  {report.verdict.value:9} {report.work['steps'] / seconds:6,.0f} steps/s"
        f"  {report.work['executed']:6,} executed  {spent[0] / seconds:4.0%} in the machine"
        + (f"  {shortest} steps" if shortest else ""),
        flush=True,
    )
    return report.verdict is EXPECTED[name]


def main(arguments: list[str]) -> int:
    """Run all, or what is named."""
    seeds = [int(x) for x in arguments if x.isdigit()] or SEEDS
    names = [x for x in arguments if not x.isdigit()] or EXPECTED
    # All of them, also after one was not.
    outcomes = [is_as_expected(name, seed) for name in names for seed in seeds]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
