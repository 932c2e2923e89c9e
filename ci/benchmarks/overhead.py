"""
What the harness costs, in one run on one machine, as ratios and microseconds.

* a step of the fuzzing loop beside the same search as a RuleBasedStateMachine, on a system that costs nothing;
* shrinking a failure of 200 steps to its minimum, beside Hypothesis shrinking one on its own;
* the cost of a step from short to long runs, few to many shards, few to many receipts in flight.

A machine is noisy: of several rounds the median is shown. No figure here fails a build.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).parent))

from ideal import IdealAdapter

from shardproof.adapter import Topology, load
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.moves import Move
from shardproof.oracle import Oracle
from shardproof.runs import Bench, Found
from shardproof.schedule import Dice, Schedule
from shardproof.shrink import Shrinker
from shardproof.state_machine import ViolationError, state_machine
from shardproof_models.stacks import composed, layers_for

QUIET = dict(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False)


def cpu(do: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    begin = time.process_time()
    do()
    return time.process_time() - begin


def step_cost(steps: int = 30_000, **plan: int) -> float:
    """Microseconds a step of the fuzz loop, on a system that costs nothing."""
    report = None

    def run() -> None:
        nonlocal report
        report = fuzz(IdealAdapter, "ideal", Plan(1, steps=steps, **plan), clock=time.perf_counter)

    seconds = cpu(run)
    assert report is not None
    return seconds / report.work["steps"] * 1e6


def machine_cost(runs: int = 60, steps: int = 50) -> float:
    """Microseconds a step of the rule-based state machine, on the same system."""
    machine = state_machine(IdealAdapter)
    taken = 0
    take = machine.take

    def counted(self: object, move: Move | None) -> None:
        nonlocal taken
        taken += 1
        take(self, move)

    machine.take = counted
    chosen = settings(max_examples=runs, stateful_step_count=steps, phases=[Phase.generate], **QUIET)
    seconds = cpu(lambda: run_state_machine_as_test(seed(1)(machine), settings=chosen))
    return seconds / taken * 1e6


def long_failure(steps: int = 200) -> tuple[Bench, Found]:
    """A failure of exactly `steps` moves: a second delivery at the end of a long run."""
    make = load("faulty:no-deduplication")
    adapter = make()
    bench = Bench(
        adapter, Oracle.for_run(composed(layers_for(set(dir(adapter)))), 3, steps + 10), Topology.of(3)
    )
    lock = bench.fresh()
    schedule = Schedule(lock, {})
    schedule.begin(Dice(0))
    moves: list[Move] = []
    number = 0
    while len(moves) < steps - 1 or not schedule.done:
        number += 1
        move = schedule.advance(Dice(number * 7919))
        if move is not None and lock.possible(move) and not lock.run(move):
            moves.append(move)
            schedule.note(move)
    again = schedule.executed(Dice(0))
    assert again is not None
    moves.append(again)
    found = bench.first(moves)
    assert found is not None, "the second delivery is executed"
    return bench, found


def shrink_cost() -> tuple[int, int, float, int]:
    """Steps before and after, milliseconds, candidates run."""
    bench, found = long_failure()
    shrinker = Shrinker(bench)
    small = None

    def run() -> None:
        nonlocal small
        small = shrinker.shrink(found)

    seconds = cpu(run)
    assert small is not None
    return len(found.moves), len(small.moves), seconds * 1e3, shrinker.runs


def machine_shrink_cost() -> tuple[int, float]:
    """Steps that Hypothesis shrinks the same fault to, and milliseconds from the first failure on."""
    machine = state_machine(load("faulty:no-deduplication"))
    chosen = settings(max_examples=200, stateful_step_count=50, **QUIET)
    length = 0

    def run() -> None:
        nonlocal length
        try:
            run_state_machine_as_test(seed(1)(machine), settings=chosen)
        except* ViolationError as group:
            length = min(len(e.moves) for e in group.exceptions)

    ms = cpu(run) * 1e3
    return length, ms


def memory_mb() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Print the tables."""
    rounds = 3
    ours = statistics.median(step_cost() for _ in range(rounds))
    theirs = statistics.median(machine_cost() for _ in range(rounds))
    print(f"a step of the fuzz loop, oracle included     {ours:8.1f} us")
    print(f"a step of a RuleBasedStateMachine            {theirs:8.1f} us   ratio {theirs / ours:.1f}")
    shrunk = [shrink_cost() for _ in range(rounds)]
    before, after, _, runs = shrunk[0]
    ms = statistics.median(s[2] for s in shrunk)
    length, machine_ms = machine_shrink_cost()
    print(f"shrinking {before} steps to {after}                    {ms:8.1f} ms   {runs} candidates")
    print(
        f"Hypothesis, finding and shrinking to {length:<2}      {machine_ms:8.1f} ms   ratio {machine_ms / ms:.1f}"
    )
    print("\nthe cost of a step is flat            us a step   ratio to the first   peak memory, MB")
    for title, plans in (
        ("steps of one run", [dict(steps=max(n, 30_000), depth=n) for n in (100, 1_000, 10_000, 100_000)]),
        ("shards", [dict(steps=40_000, shards=n, depth=2_000) for n in (2, 5, 20, 50)]),
        ("receipts in flight", [dict(steps=40_000, in_flight=n, depth=20_000) for n in (10, 100, 1_000)]),
    ):
        first = 0.0
        for plan in plans:
            cost = step_cost(**plan)
            first = first or cost
            varied = plan.get("shards") or plan.get("in_flight") or plan["depth"]
            print(
                f"  {title:<22}{varied:>9,}  {cost:8.1f}   {cost / first:8.2f}            {memory_mb():8.0f}"
            )


if __name__ == "__main__":
    main()
