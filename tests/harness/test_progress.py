"""What is said while something long runs."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping

import pytest

from shardproof.progress import EVERY_S, Progress


def said(times: Iterator[float], *counts: int) -> list[str]:
    """The plain lines of a run that counts so far, at so many seconds."""
    stream = io.StringIO()
    clock = [0.0]
    with Progress(stream, live=False, clock=lambda: clock[0]).running("explore") as progress:
        for count in counts:
            clock[0] = next(times)
            progress({"worlds": count, "frontier": 7})
    return stream.getvalue().splitlines()


def counted(*moments: tuple[float, Mapping[str, int]]) -> list[str]:
    """The plain lines of a run that says these counts at these seconds."""
    stream = io.StringIO()
    clock = [0.0]
    with Progress(stream, live=False, clock=lambda: clock[0]).running("fuzz") as progress:
        for at, counts in moments:
            clock[0] = at
            progress(counts)
    return stream.getvalue().splitlines()


def test_a_line_says_what_was_counted_and_how_fast_it_grows() -> None:
    """The rate is that of the last lines, so that a run that slows down can be seen to."""
    assert said(iter((6.0, 16.0)), 6_000_000, 6_000_500) == [
        "explore: 6,000,000 worlds (1,000,000 a second), 7 frontier, 6 s",
        "explore: 6,000,500 worlds (50 a second), 7 frontier, 16 s",
    ]


def test_a_log_gets_few_lines() -> None:
    """One in every few seconds, however often there is something to say."""
    times = iter([0.01 * k for k in range(1_201)])

    assert len(said(times, *range(1_201))) == 12 // EVERY_S


def test_counts_that_begin_again_are_not_a_negative_rate() -> None:
    """Some engines count legs, or depths."""
    assert said(iter((6.0, 12.0)), 600, 3)[1] == "explore: 3 worlds (0.0 a second), 7 frontier, 12 s"


def test_what_is_new_is_told_where_it_leads_a_search() -> None:
    """Whether a fuzzer still meets anything that it has not seen is why one lets it run."""
    lines = counted((6.0, {"steps": 600, "situations": 40}), (12.0, {"steps": 1_200, "situations": 41}))

    assert lines == [
        "fuzz: 600 steps (100 a second), 40 situations (40 new), 6 s",
        "fuzz: 1,200 steps (100 a second), 41 situations (1 new), 12 s",
    ]


def test_what_was_found_is_said_at_once() -> None:
    """And once: the next line comes when it is time, or for the next finding."""
    lines = counted(
        (0.1, {"steps": 1, "findings": 0}),
        (0.2, {"steps": 2, "findings": 1}),
        (0.3, {"steps": 3, "findings": 1}),
        (0.4, {"steps": 4, "findings": 2}),
    )

    assert lines == ["fuzz: 2 steps, 1 finding, 0 s", "fuzz: 4 steps, 2 findings, 0 s"]


def test_one_thing_is_one_thing() -> None:
    """Numbers and words agree."""
    assert counted((6.0, {"steps": 1, "clauses_never_exercised": 1, "cut": 1})) == [
        "fuzz: 1 step (0.2 a second), 1 clause never exercised, 1 cut, 6 s"
    ]


@pytest.mark.parametrize("colour", ["0", "1"])
def test_a_terminal_gets_the_same_words(colour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that changes; with NO_COLOR nothing of it is coloured, and no word is missing."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if colour == "0":
        monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    clock = [0.0]

    with Progress(stream, live=True, clock=lambda: clock[0]).running("fuzz") as progress:
        clock[0] = 2.0
        progress({"steps": 3_000, "findings": 1})

    shown = stream.getvalue()
    assert "fuzz: 3,000 steps (1,500 a second), 1 finding, 2 s" in shown
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9](;|m)", shown)) == (colour == "1")
