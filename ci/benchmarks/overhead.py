"""
What the harness costs, in one run on one machine, as ratios and microseconds.

* a step of the fuzzing loop beside the same search as a RuleBasedStateMachine, on a system
  that costs nothing;
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

from shardproof.adapter import Topology
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.moves import Move
from shardproof.oracle import Oracle
from shardproof.runs import Bench, Found
from shardproof.schedule import Schedule
from shardproof.shrink import Shrinker
from shardproof.state_machine import ViolationError, state_machine
from shardproof.traffic import Dice
from shardproof_models.stacks import composed, layers_for

QUIET = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=False)

PLAN = Plan(1, steps=30_000)

#: What the cost of a step should not depend on -> its values, each with a plan.
VARIED = {
    "steps of one run": {n: Plan(1, steps=max(n, 30_000), depth=n) for n in (100, 1_000, 10_000, 100_000)},
    "shards": {n: Plan(1, steps=40_000, shards=n, depth=2_000) for n in (2, 5, 20, 50)},
    "receipts in flight": {n: Plan(1, steps=40_000, crowd=n, depth=20_000) for n in (10, 100, 1_000)},
}


def cpu(do: Callable[[], object]) -> float:
    """CPU seconds of this process."""
    begin = time.process_time()
    do()
    return time.process_time() - begin


def step_cost(plan: Plan = PLAN) -> float:
    """Microseconds a step of the fuzz loop, on a system that costs nothing."""
    report = None

    def run() -> None:
        nonlocal report
        report = fuzz(IdealAdapter, "ideal", plan, clock=time.perf_counter)

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
    chosen = settings(QUIET, max_examples=runs, stateful_step_count=steps, phases=[Phase.generate])
    seconds = cpu(lambda: run_state_machine_as_test(seed(1)(machine), settings=chosen))
    return seconds / taken * 1e6


def long_failure(steps: int = 200) -> tuple[Bench, Found]:
    """A failure of exactly `steps` moves: a second delivery at the end of a long run."""
    make = load("faulty:no-deduplication")
    adapter = make()
    oracle = Oracle.for_run(composed(layers_for(set(dir(adapter)))), 3, steps + 10)
    bench = Bench(adapter, oracle, Topology.of(3))
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
    chosen = settings(QUIET, max_examples=200, stateful_step_count=50)
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
    ratio = machine_ms / ms
    print(f"Hypothesis, finding and shrinking to {length:<2}      {machine_ms:8.1f} ms   ratio {ratio:.1f}")
    print("\nthe cost of a step is flat            us a step   ratio to the first   peak memory, MB")
    for title, plans in VARIED.items():
        first = 0.0
        for varied, plan in plans.items():
            cost = step_cost(plan)
            first = first or cost
            row = f"{cost:8.1f}   {cost / first:8.2f}            {memory_mb():8.0f}"
            print(f"  {title:<22}{varied:>9,}  {row}")


if __name__ == "__main__":
    main()
