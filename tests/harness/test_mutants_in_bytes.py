"""`shardproof mutants --adapter`: what becomes of the mistakes that are known of a reference."""

from __future__ import annotations

import io
from itertools import count
from pathlib import Path

import pytest
from attrs import evolve

from shardproof.adapters.faulty import CONTROLS, FAULTS
from shardproof.commands import faults as command
from shardproof.commands.context import Context
from shardproof.commands.mutants import mutants
from shardproof.engines.fuzz import search
from shardproof.engines.mutants import Fate
from shardproof.errors import UsageError
from shardproof.progress import Progress
from shardproof.settings import Settings, resolve
from shardproof.verdict import Verdict

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy


@pytest.fixture
def context(monkeypatch: pytest.MonkeyPatch) -> Context:
    """A world whose clock only counts how often it is asked; searches end soon after a finding."""
    monkeypatch.setattr(search, "RUNS_AFTER_FINDING", 40)
    ticks = count()
    return Context(lambda: float(next(ticks)), Progress(io.StringIO(), live=False), lambda: 1)


def asked(adapter: str, folder: Path) -> Settings:
    """What somebody asks for in a folder without settings."""
    return resolve({"adapter": adapter, "seed": "1"}, {}, folder)


def test_each_mistake_of_a_reference_has_a_row(context: Context, tmp_path: Path) -> None:
    """
    Who noticed, on which engine, in how many steps, and against what is on record.
    """
    answer = mutants(asked("reference:actors", tmp_path), context)

    assert answer.score.verdict is Verdict.HOLDS
    rows = answer.score.rows
    assert [(r.id, r.subject, r.fate, r.property_id, r.engine, r.steps, r.reason) for r in rows] == [
        ("B48 resume-waits-behind-the-data", "reference:actors", Fate.KILLED, "Q7", "fuzz", 3, ""),
        ("B16 pruned-without-a-bound", "reference:actors", Fate.KILLED, "P01", "fuzz", 7, ""),
    ]
    assert [len(row.trace) for row in rows] == [3, 7]


def test_says_why_a_trace_is_not_as_long_as_the_one_on_record(context: Context) -> None:
    """
    The number on record, and the reason of the difference, as the mistake tells it.
    """
    row = command.row_of(FAULTS["set-up-twice"], 1, context)
    longer = command.row_of(FAULTS["non-final-header"], 1, context)

    assert row.reason == ""
    assert longer.reason.startswith("5 steps on record: shorter: to trust what may be dropped is ")


def test_a_mistake_that_nobody_noticed_has_survived(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A search that ended before it could find anything kills nothing.
    """
    monkeypatch.setattr(command, "STEPS_MAX", 0)

    row = command.row_of(FAULTS["key-is-header"], 1, context)

    assert (row.fate, row.reason) == (Fate.SURVIVED, "no executes-at-most-once found in 0 steps")


def test_a_mistake_that_another_sentence_noticed_has_survived(context: Context) -> None:
    """
    It is the property that a mistake names which has to notice it.
    """
    row = command.row_of(evolve(FAULTS["null-root"], violates="has-one-outcome"), 1, context)

    assert row.fate is Fate.SURVIVED


def test_a_control_is_let_pass_and_would_be_flagged(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What is not wrong is called a violation by nobody; if it were, the row would say so.
    """
    monkeypatch.setattr(command, "CONTROL_STEPS", 3_000)

    right = command.row_of(CONTROLS["timeout-one-tick-later"], 1, context)
    wrong = command.row_of(evolve(FAULTS["null-root"], violates=""), 1, context)

    assert (right.fate, wrong.fate) == (Fate.PASSED, Fate.FLAGGED)


def test_an_adapter_of_which_no_mistakes_are_known_is_an_error(context: Context, tmp_path: Path) -> None:
    """
    No rows would read as if nothing were wrong.
    """
    with pytest.raises(UsageError, match="did you mean 'reference:near'"):
        mutants(asked("reference:neer", tmp_path), context)
