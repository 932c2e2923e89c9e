"""
What a long run is doing, on stderr: one line that changes on a terminal, plain lines elsewhere.

Nothing here is a result. A log gets a line only every few seconds, because a log of a
thousand lines of progress hides the one that matters; and one at once for what was found. Everything
is said in words: a colour that a terminal gives to it means nothing.
"""

from __future__ import annotations

import re
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

#: What a search is led by, where it counts that: that there is news of it matters more than how much.
GROWING = "situations"

#: What nobody should wait for.
FINDINGS = ("findings", "differences")


@define
class _Pace:
    """How fast the first of the counts grows, of late, and how much is new."""

    since: float
    count: int = 0
    rate: float | None = None
    known: int = 0
    new: int = 0

    def look(self, counts: Counts, now: float) -> None:
        """Measure, if it is long enough since the last time."""
        if counts and now - self.since >= RATE_S:
            count = next(iter(counts.values()))
            self.rate = max(count - self.count, 0) / (now - self.since)
            self.since, self.count = now, count
            self.new, self.known = max(counts.get(GROWING, 0) - self.known, 0), counts.get(GROWING, 0)

    def said(self, counts: Counts) -> Iterator[str]:
        """Each count in words; what is not known yet is left out."""
        for number, (name, count) in enumerate(counts.items()):
            words = _counted(count, name)
            if number == 0 and self.rate is not None:
                words += (
                    f" ({self.rate:,.0f} a second)" if self.rate >= 10 else f" ({self.rate:.1f} a second)"
                )
            if name == GROWING and self.rate is not None:
                words += f" ({self.new:,} new)"
            yield words


def _counted(count: int, name: str) -> str:
    words = name.replace("_", " ")
    one = re.sub(r"^([a-z]+)s(?![a-z])", r"\1", words)
    return f"{count:,} {one if count == 1 else words}"


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
            pace.look(counts, now)
            return f"{what}: {', '.join((*pace.said(counts), f'{now - started:.0f} s'))}"

        if not self.live:
            self._next = started + EVERY_S
            known = 0

            def plain(counts: Counts) -> None:
                nonlocal known
                found = sum(counts.get(name, 0) for name in FINDINGS)
                if found > known or self.clock() >= self._next:
                    known = found
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
