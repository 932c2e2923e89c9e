"""What is taken back together: by a revert, a callback that fails or returns, a crash, a restart."""

from __future__ import annotations

from collections.abc import Mapping

from .line import Line

_CALLERS = (
    Line(
        "Look at how the caller is remembered while a callback runs: when an inner callback returns, the "
        "outer one's has to be given back.",
    ),
)

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "reverts-atomically": (
        Line(
            "Look at what a revert takes back: everything since the parent of the block, effects as well "
            "as the records of them.",
        ),
    ),
    "announces-only-effects": (
        Line("Look at what is rolled back when a callback fails: its events have to go with its state."),
    ),
    "fails-atomically": (
        Line("Look at what is rolled back when a callback fails: everything that it wrote has to go."),
    ),
    "callbacks-know-who-called": _CALLERS,
    "survives-a-crash": (
        Line(
            "Look at what is durable when `deliver` is answered: a loss of power must take back all of it "
            "or nothing."
        ),
    ),
    "restarts-as-it-was": (
        Line(
            "Look at what is written down and what a restart reads back: counters too, or numbers are used "
            "again."
        ),
    ),
}
