"""Random runs as one test of somebody's own suite: it passes, or fails with a story that can be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shardproof.adapter import Delivery, Outcome
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.errors import UsageError
from shardproof.random_runs import BrokenError, FoundError, random_runs
from shardproof.verdict import Verdict

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy


class Chokes(ReferenceAdapter):
    """Lets through what a decoder raises."""

    def deliver(self, delivery: Delivery) -> Outcome:
        json.loads(delivery.evidence[:1] and b"1")
        return super().deliver(delivery)


def test_a_system_that_holds_passes() -> None:
    """
    The answer is that of the engine, after so many steps.
    """
    report = random_runs(ReferenceAdapter, steps=2_000)

    assert report.verdict is Verdict.HOLDS
    assert report.work["steps"] >= 2_000


def test_a_finding_fails_with_its_story(tmp_path: Path) -> None:
    """
    The message is what `shardproof fuzz` prints, up to the line that runs the trace again.
    """
    with pytest.raises(FoundError) as caught:
        random_runs("faulty:no-deduplication", steps=500, out=tmp_path)

    headline, *_, last = str(caught.value).splitlines()
    assert headline.startswith("violated  executes-at-most-once")
    (trace,) = tmp_path.iterdir()
    assert last == f"replay with  shardproof replay {trace} --adapter faulty:no-deduplication"
    # Why the model refuses is said in the words of every other form.
    assert "at step 5 (`consumed(" in str(caught.value)
    assert caught.value.report.verdict is Verdict.VIOLATED


def test_a_broken_contract_names_the_line_that_can_be_changed() -> None:
    """
    A decoder of the standard library raised; what is named first is who called it, and that is the cause.
    """
    with pytest.raises(BrokenError) as caught:
        random_runs(Chokes, steps=500)

    (said,) = (line for line in str(caught.value).splitlines() if line.startswith("  said"))
    assert f"{Path(__file__).name}:" in said
    assert said.index("in deliver, into decoder.py:") > 0
    assert isinstance(caught.value.__cause__, json.JSONDecodeError)


def test_what_was_not_checked_does_not_pass(tmp_path: Path) -> None:
    """
    One step shows nothing, so the answer is inconclusive, and the test fails.
    """
    with pytest.raises(FoundError, match=r"^inconclusive: "):
        random_runs(ReferenceAdapter, steps=1, depth=1, out=tmp_path)

    assert not [*tmp_path.iterdir()]


def test_a_name_that_stands_for_nothing_is_a_wrong_use() -> None:
    """
    As for the command, with the nearest name.
    """
    with pytest.raises(UsageError, match="no-dedup"):
        random_runs("faulty:no-dedup")
