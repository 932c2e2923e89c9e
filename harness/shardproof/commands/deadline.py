"""A search that is stopped when its time is over, and then says so."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from ..progress import Counts
from ..settings import Settings
from ..verdict import Report, Verdict
from .context import Context


def limit(settings: Settings) -> float | None:
    """Proving and exploring end by themselves; a time for them is one that somebody asked for."""
    return settings.seconds if "seconds" in settings.asked else None


class _OutOfTimeError(Exception):
    """The time that a search was given is over."""


def within(
    engine: str,
    seconds: float | None,
    context: Context,
    search: Callable[[Callable[[Counts], None]], Report],
) -> Report:
    """What `search` reports, or an inconclusive report if it takes too long."""
    started = context.clock()
    last: Counts = {}

    with context.progress.running(engine) as progress:

        def look(counts: Counts) -> None:
            nonlocal last
            last = dict(counts)
            progress(counts)
            if seconds is not None and context.clock() - started > seconds:
                raise _OutOfTimeError

        try:
            report = search(look)
            return report if report.seconds else evolve(report, seconds=context.clock() - started)
        except _OutOfTimeError:
            took = context.clock() - started
            reason = f"stopped after {took:.1f} s, before everything was checked: give it more time"
            return Report(
                engine,
                Verdict.INCONCLUSIVE,
                "nothing to the end",
                reasons=(reason,),
                work=last,
                seconds=context.clock() - started,
            )
