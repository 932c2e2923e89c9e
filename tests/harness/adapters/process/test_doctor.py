"""`shardproof doctor` says what it understood of a process, and how fast it is."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import pytest

from shardproof import selection
from shardproof.adapter import REQUIRED
from shardproof.adapters.process.diagnosis import BrokenProcessError
from shardproof.commands import doctor
from shardproof.rehearsal import rehearse

HOSTILE = Path(__file__).parents[3] / "samples" / "sample_systems" / "hostile_process.py"
SERVED = f"cmd:{sys.executable} -I -S {HOSTILE}"


def test_the_greeting_is_told_and_calls_are_counted() -> None:
    """A clock that goes on by a second at each look makes the figures known."""
    found = selection.system(SERVED, 5.0)
    ticks = itertools.count()

    rates = doctor._rates(found, lambda: float(next(ticks)))

    assert doctor._greeted(found) == (
        ("process", "hostile 1, one request a line"),
        ("verbs", "open, close, emit, produce, prove, deliver, executed"),
        ("one call", "may take 5 s"),
    )
    assert rates == (("executed", "5,000.0 µs, 200 calls a second"),)


def test_what_a_process_does_wrong_is_told_once() -> None:
    """Its message is not wrapped in another one about adapters that raise."""
    found = selection.system(f"{SERVED} type:emit", 5.0)
    ticks = itertools.count()

    with pytest.raises(BrokenProcessError, match="answer to 'emit' makes no sense"):
        rehearse(found.make, found.name, REQUIRED, lambda: float(next(ticks)))
