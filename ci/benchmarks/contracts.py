"""
Every third-party contract, several seeds: is the verdict the expected one, and what does a step cost?

Exits with 1 unless each holds or is violated as it should for every seed. The microseconds of a step
are those of the virtual machine; of the adapter, which makes calls of what is presented, signs, and
hashes trees; of the lockstep, which is the model and its judgement; and of the search, which chooses
moves, counts what they covered, and has numbers drawn by Hypothesis. They are CPU time, so that others
on the machine do not count, and only of anvil, which runs beside us, the time that goes by. What goes
before the first move, libraries imported, contracts deployed, the model compiled, is told apart in
milliseconds.

Where one part ends and the next begins, the time that goes by is read, and the CPU time of the whole is
divided as that was: to read CPU time takes a microsecond or two, which at the twelve to thirty borders in
a step would be a fifth of what is measured. Whoever interrupts us does so anywhere.

Arguments that are numbers are seeds; others are names of adapters, to run only these.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

from attrs import define, field

from shardproof.adapters.evm.anvil import AnvilEngine
from shardproof.adapters.evm.engine import PyrevmEngine
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.lockstep import Lockstep
from shardproof.system import System
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

#: Each part of a step, and the methods in which it begins. What is in none of them is the search, which
#: begins with the first move.
PARTS: Mapping[str, tuple[tuple[type, tuple[str, ...]], ...]] = {
    "machine": ((PyrevmEngine, VERBS), (AnvilEngine, VERBS)),
    "adapter": ((System, ("call",)),),
    "lockstep": ((Lockstep, ("run", "reset", "sweep")),),
}
SEARCH, START = "search", "start"

#: The method that takes a move: what goes before its first one, contracts deployed for example, is no step.
FIRST = "run"


@define
class Stopwatch:
    """Seconds by part: at any time, only the innermost part that was entered counts."""

    spent: dict[str, float] = field(factory=lambda: dict.fromkeys((*PARTS, SEARCH), 0.0))
    #: Seconds until the search began.
    start: float = 0.0
    _entered: list[str] = field(factory=lambda: [START])
    _since: float = 0.0

    def turn(self) -> None:
        """What has passed since the last turn was spent in the part that it is in."""
        now = time.perf_counter()
        if self._entered[0] == START:
            self.start += now - self._since
        else:
            self.spent[self._entered[-1]] += now - self._since
        self._since = now

    def timing(self, part: str, method: str, do: Any) -> Any:
        """`do`, as a piece of that part. The first move ends the start."""

        def timed(*args: Any, **named: Any) -> Any:
            self.turn()
            if method == FIRST:
                self._entered[0] = SEARCH
            self._entered.append(part)
            try:
                return do(*args, **named)
            finally:
                self.turn()
                self._entered.pop()

        return timed

    @contextmanager
    def running(self) -> Iterator[None]:
        """While the parts are timed."""
        with ExitStack() as stack:
            for part, places in PARTS.items():
                for owner, methods in places:
                    for method in methods:
                        timed = self.timing(part, method, getattr(owner, method))
                        stack.enter_context(mock.patch.object(owner, method, timed))
            self._since = time.perf_counter()
            yield
            self.turn()

    def scaled(self, seconds: float) -> None:
        """The same parts of so many seconds."""
        scale = seconds / (self.start + sum(self.spent.values()))
        self.start *= scale
        self.spent = {part: spent * scale for part, spent in self.spent.items()}


def is_as_expected(name: str, seed: int) -> bool:
    """Search once, and print the line of this seed."""
    watch, begun, cpu = Stopwatch(), time.perf_counter(), time.process_time()
    with watch.running():
        report = fuzz(load(name), name, Plan(seed, seconds=SECONDS), clock=time.perf_counter)
    seconds, steps = time.perf_counter() - begun, report.work["steps"]
    if not name.endswith(":anvil"):
        watch.scaled(time.process_time() - cpu)
    shortest = min((len(f.trace.steps) for f in report.findings), default=0)
    share = watch.spent["machine"] / sum(watch.spent.values())
    parts = "".join(f"{x / steps * 1e6:10.0f}" for x in watch.spent.values())
    print(
        f"{name:20}{seed:5}  {report.verdict.value:9}{steps / seconds:8,.0f}{report.work['executed']:10,}"
        f"{parts}{share:13.0%}{watch.start * 1e3:7.0f}" + (f"   {shortest} steps" if shortest else ""),
        flush=True,
    )
    return report.verdict is EXPECTED[name]


def main(arguments: list[str]) -> int:
    """Run all, or what is named."""
    seeds = [int(x) for x in arguments if x.isdigit()] or SEEDS
    names = [x for x in arguments if not x.isdigit()] or EXPECTED
    parts = "".join(f"{part:>10}" for part in (*PARTS, SEARCH))
    print(f"{'':54}microseconds a step")
    print(f"{'':20} seed  verdict   steps/s  executed{parts}   in machine  start")
    # All of them, also after one was not.
    outcomes = [is_as_expected(name, seed) for name in names for seed in seeds]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
