"""
Every faulty shard, several seeds: is it violated as it says, as shortly as it can be, and how soon?

Exits with 1 unless each is caught for all seeds but one in five, at least once in as few steps as
it says, and no control is flagged. Nothing is explored and nothing is hinted at: the search knows
neither the mistake nor the property. The seconds are those of the whole search, which goes on
after the first finding; the steps are those until the shortest one was found. Arguments that are
numbers are seeds; others are names of faults, or entries of the record, to run only these.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from shardproof.adapters.faulty import CONTROLS, FAULTS, Fault, found
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.verdict import Report

SECONDS_MAX = 20.0
SEEDS = (1, 2, 3, 4, 5)
#: A mistake may go unnoticed with one seed in so many.
MISSED = 5


def searched(fault: Fault, seed: int) -> Report:
    """One search, for as long as anybody would wait."""
    name = f"faulty:{fault.name}"
    return fuzz(load(name), name, Plan(seed, seconds=SECONDS_MAX), clock=time.perf_counter)


def is_caught(fault: Fault, seeds: Sequence[int]) -> bool:
    """Search with every seed, and print the line of this fault."""
    caught, lengths, steps, slowest = 0, [], 0, 0.0
    for seed in seeds:
        report = searched(fault, seed)
        slowest = max(slowest, report.seconds)
        for finding in report.findings:
            if finding.property == fault.violates:
                caught += 1
                lengths.append(len(finding.trace.steps))
                steps = max(steps, finding.trace.search.steps)
    shortest = min(lengths, default=0)
    recorded = "" if fault.recorded is None else f"{fault.recorded}"
    line = (
        f"{fault.name:<31}{','.join(fault.corpus):<5}{fault.stack:<20}{fault.violates:<35}"
        f"{shortest:>5}{recorded:>8}{f'{caught} of {len(seeds)}':>10}{steps:>9,}{slowest:>11.1f}"
    )
    good = caught >= len(seeds) - len(seeds) // MISSED and shortest == fault.shortest
    print(line if good else f"{line}   <-- says {fault.shortest} steps", flush=True)
    return good


def is_let_pass(control: Fault, seeds: Sequence[int]) -> bool:
    """Search with every seed, and print the line of this control."""
    flagged = sorted({f.property for seed in seeds for f in searched(control, seed).findings})
    print(f"{control.name:<31}{','.join(control.corpus):<5}{control.stack:<20}", end="")
    print(f"flagged: {', '.join(flagged)}" if flagged else "not flagged", flush=True)
    return not flagged


def main(arguments: Sequence[str]) -> int:
    """The number of faults and controls that went otherwise than they should."""
    seeds = [int(a) for a in arguments if a.isdecimal()] or SEEDS
    chosen = [found(a) for a in arguments if not a.isdecimal()] or [*FAULTS.values(), *CONTROLS.values()]
    print(f"{'fault':<31}{'':<5}{'stack':<20}{'violates':<35}{'steps':>5}", end="")
    print(f"{'record':>8}{'caught':>10}{'until':>9}{'slowest, s':>11}")
    return sum(not (is_caught(f, seeds) if f.violates else is_let_pass(f, seeds)) for f in chosen)


if __name__ == "__main__":
    sys.exit(bool(main(sys.argv[1:])))
