"""What is said while something long runs."""

from __future__ import annotations

import io
from collections.abc import Iterator

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


def test_a_line_says_what_was_counted_and_how_fast_it_grows() -> None:
    """The rate is that of the last lines, so that a run that slows down can be seen to."""
    assert said(iter((6.0, 16.0)), 6_000_000, 6_000_500) == [
        "explore: 6,000,000 worlds, 7 frontier, 6 s, 1,000,000 a second",
        "explore: 6,000,500 worlds, 7 frontier, 16 s, 50 a second",
    ]


def test_a_log_gets_few_lines() -> None:
    """One in every few seconds, however often there is something to say."""
    times = iter([0.01 * k for k in range(1_201)])

    assert len(said(times, *range(1_201))) == 12 // EVERY_S


def test_counts_that_begin_again_are_not_a_negative_rate() -> None:
    """Some engines count legs, or depths."""
    assert said(iter((6.0, 12.0)), 600, 3)[1].endswith(", 0.0 a second")
