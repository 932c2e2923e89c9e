"""
What stops the harness from doing its job, as data that prints as a clear message.

A finding is not an error: it is a value that an engine returns. What is here ends a run
with exit code 2 (the command was wrong) or 3 (the adapter or its system broke).
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

EXIT_HOLDS, EXIT_VIOLATED, EXIT_USAGE, EXIT_BROKE, EXIT_INCONCLUSIVE = range(5)


class ShardproofError(Exception):
    """One thing that went wrong: what, expected, got, what the system said, what to do."""

    exit_code = EXIT_USAGE

    def __init__(
        self,
        summary: str,
        *,
        expected: object = None,
        got: object = None,
        said: str | None = None,
        help: str | None = None,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        #: What a search had found by then: findings, of which this module knows nothing.
        self.found: tuple[Any, ...] = ()
        self.facts = tuple(
            (label, printable(str(value)))
            for label, value in (("expected", expected), ("got", got), ("said", said), ("help", help))
            if value is not None
        )

    def add(self, label: str, value: str) -> None:
        """One more fact, after the others."""
        self.facts = (*self.facts, (label, printable(value)))

    def __str__(self) -> str:
        lines = [printable(self.summary)]
        for label, value in self.facts:
            first, *more = value.splitlines() or [""]
            lines.append(f"  {label:<9} {first}")
            lines += [f"  {'':<9} {line}" for line in more]
        return "\n".join(lines)


class UsageError(ShardproofError):
    """The command, a setting or a file that it names is wrong."""


class TraceError(UsageError):
    """A trace file that cannot be read as a trace."""


class MissingPartError(UsageError):
    """A third-party part that the adapter needs is not on this machine."""


class AdapterError(ShardproofError):
    """The adapter or its system broke the contract: nothing that it did counts as holding."""

    exit_code = EXIT_BROKE

    def located(self, where: str) -> None:
        """Say where in a run this happened, if nobody has said so yet, who was nearer to it."""
        if all(label != "at" for label, _ in self.facts):
            self.facts = (("at", printable(where)), *self.facts)


class DisagreementError(ShardproofError):
    """Two readings of one protocol disagree: a mistake of ours, and nothing that was found counts."""

    exit_code = EXIT_BROKE


def printable(text: str, longest: int = 2_000) -> str:
    """`text` without control characters, and cut where foreign code has said too much."""
    kept = text if len(text) <= longest else f"{text[:longest]}... ({len(text) - longest} more characters)"
    if kept.isprintable():
        return kept
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in kept)


def nearest(word: str, known: Iterable[str]) -> str:
    """The help line for a name that does not exist."""
    names = sorted(known)
    close = get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
