"""
What a long run is doing, on stderr: one line that changes on a terminal, plain lines elsewhere.

Nothing here is a result. A log gets a line only every few seconds, because a log of a
thousand lines of progress hides the one that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import TextIO

from attrs import define, field

from .errors import printable

#: Seconds between two plain lines.
EVERY_S = 5.0

#: A rate is that of at least so many seconds: of a shorter time it says little.
RATE_S = 1.0

Counts = Mapping[str, int]


@define
class _Pace:
    """How fast the first of the counts grows, of late."""

    since: float
    count: int = 0
    rate: float | None = None

    def said(self, counts: Counts, now: float) -> str:
        """The rate, a second; nothing until it is known."""
        if counts and now - self.since >= RATE_S:
            count = next(iter(counts.values()))
            self.rate = max(count - self.count, 0) / (now - self.since)
            self.since, self.count = now, count
        if self.rate is None:
            return ""
        return f", {self.rate:,.0f} a second" if self.rate >= 10 else f", {self.rate:.1f} a second"


@define
class Progress:
    """Says what runs, on `stream`."""

    stream: TextIO
    live: bool
    clock: Callable[[], float] = monotonic
    _next: float = field(default=0.0, init=False)

    def say(self, text: str) -> None:
        """One line that stays."""
        self.stream.write(printable(text) + "\n")
        self.stream.flush()

    @contextmanager
    def running(self, what: str) -> Iterator[Callable[[Counts], None]]:
        """While `what` runs: a function that takes its counts, as often as it likes."""
        started = self.clock()
        pace = _Pace(started)

        def line(counts: Counts) -> str:
            now = self.clock()
            said = ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in counts.items())
            return f"{what}: {said + ', ' if said else ''}{now - started:.0f} s{pace.said(counts, now)}"

        if not self.live:
            self._next = started + EVERY_S

            def plain(counts: Counts) -> None:
                if self.clock() >= self._next:
                    self._next = self.clock() + EVERY_S
                    self.say(line(counts))

            yield plain
            return

        # Only a terminal needs it, and importing it costs as much as everything else here.
        from rich.console import Console
        from rich.text import Text

        def shown(counts: Counts) -> Text:
            return Text(line(counts), no_wrap=True, overflow="ellipsis")

        console = Console(file=self.stream, stderr=True)
        with console.status(shown({})) as status:
            yield lambda counts: status.update(shown(counts))
