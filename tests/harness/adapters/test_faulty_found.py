"""
Each mistake is found by fuzzing alone, by the sentence that it says, in as few steps as it says.

One seed a mistake, and a search that ends soon after it has found something: how it fares with
other seeds, and how long that takes, is the business of `ci/benchmarks/faults.py`.
"""

from __future__ import annotations

import itertools

import pytest

from shardproof.adapters.faulty import CONTROLS, FAULTS, Fault
from shardproof.engines.fuzz import Plan, fuzz, search
from shardproof.loading import load
from shardproof.replay import replay
from shardproof.verdict import Report, Verdict

pytestmark = pytest.mark.heavy

#: Those that take longest: half of the time of all. Their traces are replayed on each run, like the others'.
LATE = frozenset(
    {
        "context-not-given-back",
        "duplicated-last-leaf",
        "effect-before-record",
        "message-sets-the-keepers",
        "record-before-effect",
        "stored-payload-blocks",
        "timeout-on-the-wrong-clock",
        "totals-only",
        "wrong-source",
    }
)

#: The latest finding comes after half of it.
STEPS_MAX = 60_000

#: Enough to try every kind of attack several times.
CONTROL_STEPS = 12_000


def searched(fault: Fault, steps: int, *properties: str) -> Report:
    """A search with a clock that only counts how often it is asked: nothing depends on time."""
    ticks = itertools.count()
    name = f"faulty:{fault.name}"
    plan = Plan(1, steps=steps, properties=properties)
    return fuzz(load(name), name, plan, clock=lambda: float(next(ticks)))


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.deep) if name in LATE else name for name in FAULTS]
)
def test_is_found_and_replays(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    One finding, no longer than it must be; its trace replays, and the reference goes the same way unharmed.
    """
    monkeypatch.setattr(search, "RUNS_AFTER_FINDING", 40)
    fault = FAULTS[name]

    (finding,) = searched(fault, STEPS_MAX, fault.violates).findings

    assert (finding.property, len(finding.trace.steps)) == (fault.violates, fault.shortest)
    again = replay(load(f"faulty:{name}"), f"faulty:{name}", finding.trace)
    assert again.reproduced, again.summary
    assert again.trace.steps == finding.trace.steps
    assert again.trace.explanation == finding.trace.explanation is not None
    right = replay(load(fault.reference), fault.reference, finding.trace)
    assert right.verdict is not Verdict.VIOLATED, right.summary


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_is_not_flagged(name: str) -> None:
    """
    What differs and is not wrong is not called a violation, by any property.
    """
    assert not searched(CONTROLS[name], CONTROL_STEPS).findings
