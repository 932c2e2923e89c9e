"""
Random and adversarial runs as one test: the `fuzz` engine in somebody's own suite.

    from shardproof.random_runs import random_runs

    def test_random_runs() -> None:
        random_runs(MyAdapter, steps=2_000)

The same steps on every machine. What is found is shrunk, explained and told like in `shardproof fuzz`:
the message of the failure is the story, and its last line runs the trace again.
"""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from . import selection, trace_file
from .adapter import AdapterFactory
from .engines.fuzz import Plan, fuzz
from .errors import AdapterError
from .render import text
from .story.telling import in_words
from .verdict import Report, Verdict

_WIDTH = 96


class FoundError(AssertionError):
    """The runs do not hold: the message says what was found, and `report` is the answer of the engine."""

    def __init__(self, told: str, report: Report) -> None:
        super().__init__(told)
        self.report = report


class BrokenError(AssertionError):
    """The adapter or its system broke the contract, so nothing is known; what it raised is the cause."""


def random_runs(
    system: str | AdapterFactory,
    *,
    steps: int = 2_000,
    seed: int = 1,
    shards: int = 3,
    depth: int = 60,
    out: str | Path = "shardproof-out",
) -> Report:
    """
    Random and adversarial runs of `system`, which is an adapter's class or a name as for `--adapter`.

    Returns the answer of the engine if all holds after so many steps. Raises `FoundError` if something is
    violated, with the traces in the folder `out`, or if the answer is inconclusive; `BrokenError` if the
    adapter breaks its contract; and `UsageError` if there is no such adapter.
    """
    __tracebackhide__ = True
    broken: AdapterError
    try:
        name, make = _named(system)
        plan = Plan(seed=seed, steps=steps, shards=shards, depth=depth)
        # There is no limit of time, so nobody has to look at a clock.
        report = fuzz(make, name, plan, clock=lambda: 0.0)
    except AdapterError as error:
        broken = error
    else:
        if report.verdict is Verdict.HOLDS:
            return report
        raise FoundError(_told(report, name, Path(out)), report)
    # What the system raised is what its author wants to see, and not the way there through the search.
    raise BrokenError(str(broken)) from broken.__cause__


def _named(system: str | AdapterFactory) -> tuple[str, AdapterFactory]:
    """A system under the name by which a command finds it."""
    if isinstance(system, str):
        found = selection.system(system)
        return found.name, found.make
    called = getattr(system, "__qualname__", type(system).__qualname__)
    return f"{getattr(system, '__module__', '')}:{called}", system


def _told(report: Report, name: str, out: Path) -> str:
    """What was found, each with its trace and the line to run it again; or why nothing is known."""
    parts = []
    for one in report.findings:
        found = evolve(one, trace=in_words(one.trace))
        replay = text.replay_line(trace_file.save(found.trace, out), name)
        parts.append(text.finding(found, _WIDTH, ascii_only=False, replay=replay))
    if not parts:
        parts = [f"inconclusive: {'; '.join(report.reasons)}", report.checked]
    return "\n\n".join(parts)
