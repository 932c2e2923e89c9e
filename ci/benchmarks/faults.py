"""
Every faulty shard, several seeds: is it violated as it says, as shortly as it can be, and how soon?

Exits with 1 if one is not. The seconds are those of the whole search, which goes on after the
first finding; they are shown and not judged.
"""

from __future__ import annotations

import sys
import time

from shardproof.adapter import load
from shardproof.adapters.faulty import FAULTS
from shardproof.engines.fuzz import Plan, fuzz

SECONDS_MAX = 5.0


def main(seeds: list[int]) -> int:
    """The number of faults and seeds that went otherwise than they should."""
    wrong = 0
    print(f"{'fault':<26}{'violates':<34}{'steps':>5}   {'seeds found':>11}   {'slowest, s':>10}")
    for name, fault in FAULTS.items():
        found, slowest = 0, 0.0
        for seed in seeds:
            adapter = f"faulty:{name}"
            plan = Plan(seed, seconds=SECONDS_MAX)
            report = fuzz(load(adapter), adapter, plan, clock=time.perf_counter)
            lengths = {f.property: len(f.trace.steps) for f in report.findings}
            found += lengths.get(fault.violates) == fault.shortest
            slowest = max(slowest, report.seconds)
        wrong += len(seeds) - found
        seen = f"{found} of {len(seeds)}"
        print(f"{name:<26}{fault.violates:<34}{fault.shortest:>5}   {seen:>11}   {slowest:>10.1f}")
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main([int(seed) for seed in sys.argv[1:]] or [1, 2, 3, 4, 5])))
