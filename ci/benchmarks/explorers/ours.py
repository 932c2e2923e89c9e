"""
The benchmark protocol explored by shardproof, as a program with the sizes and a number of threads.

Prints worlds, transitions, CPU seconds and seconds of the search, bytes that it took a world, seconds of
getting ready (with an empty cache that is compiling), and seconds of the whole command's work: the search,
its agreement with Python where the kernel is new, and a second pass that counts what each clause refused.
With `walk` as the last argument it takes random steps instead, and prints how many it took a CPU second; with
`reduced` it leaves out what the verdict does not depend on, and fails if it does not hold.
"""

from __future__ import annotations

import sys
import time

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.engines.explore import Way, explore
from shardproof.readings.native.kernel import Ending, Kernel, compiled
from shardproof.readings.native.program import Sentences
from shardproof.readings.native.reduction import Reductions
from shardproof.verdict import Verdict

#: Random steps, and after how many of them a walk begins again.
STEPS, LENGTH = 50_000_000, 40

WORLDS_MAX, MEMORY_MAX = 1 << 40, 8 << 30


def searched(kernel: Kernel, threads: int) -> tuple[float, ...]:
    """Worlds, transitions, CPU seconds, seconds, bytes a world."""
    began, cpu = time.perf_counter(), time.process_time()
    with kernel.search(worlds_max=WORLDS_MAX, memory_max=MEMORY_MAX, threads=threads) as found:
        cpu, took = time.process_time() - cpu, time.perf_counter() - began
        counts = found.counts
        if found.ending is not Ending.COMPLETE:
            raise RuntimeError(f"the search ended early: {found.ending}")
        return counts.worlds, counts.transitions, cpu, took, found.memory_bytes / counts.worlds


def walked(kernel: Kernel) -> float:
    """Random steps a CPU second."""
    cpu = time.process_time()
    taken = kernel.walk(STEPS, LENGTH, seed=1).steps
    return taken / (time.process_time() - cpu)


def main(sizes: tuple[int, int, int], how: str, reductions: Reductions | None = None) -> None:
    """Print the figures."""
    protocol, properties = benchmark()
    scope = benchmark_scope(*sizes)
    began = time.perf_counter()
    kernel = compiled(protocol, scope, Sentences(tuple(p.formula for p in properties)), reductions)
    ready = time.perf_counter() - began
    if how == "walk":
        print(walked(kernel))
        return
    figures = searched(kernel, int(how))
    began = time.perf_counter()
    report = explore(
        protocol,
        scope,
        properties=properties,
        worlds_max=WORLDS_MAX,
        memory_max=MEMORY_MAX,
        threads=int(how),
        way=Way.KERNEL,
        reductions=reductions or False,
    )
    if report.verdict is not Verdict.HOLDS:
        raise RuntimeError(f"it does not hold: {report.reasons}")
    print(*figures, ready, time.perf_counter() - began)


if __name__ == "__main__":
    shards, receipts, copies = map(int, sys.argv[1:4])
    reduced = Reductions() if "reduced" in sys.argv[5:] else None
    main((shards, receipts, copies), sys.argv[4], reduced)
