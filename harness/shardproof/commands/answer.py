"""What the reports of engines come to: one answer, with its findings saved."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import evolve

from shardproof_models.language.protocol import Protocol

from .. import trace_file
from ..coverage import ENVIRONMENT
from ..errors import ShardproofError, UsageError
from ..loading import source_of
from ..render.report import Answer
from ..selection import System
from ..settings import Settings
from ..story.telling import in_words
from ..verdict import INTERRUPTED, Finding, Report, Verdict
from .context import Context, versions


def about_the_model(report: Report, system: System | None) -> Report:
    """Nobody must read a proof of the model as one of the implementation."""
    if system is None:
        return report
    return evolve(report, checked=f"the model with the layers that {system.name} needs: {report.checked}")


def covered(settings: Settings, report: Report, *, of_a_system: bool = False) -> Report:
    """
    Where coverage is required, what holds although a clause was never exercised is inconclusive.

    `of_a_system`: what the model's consensus never had to refuse says nothing of an implementation.
    """
    missing = [
        f"{clause} ({why})"
        for clause, why in report.never_exercised.items()
        if not (of_a_system and clause.partition(":")[0] in ENVIRONMENT)
    ]
    if not settings.require_coverage or not missing or report.verdict is Verdict.VIOLATED:
        return report
    reason = f"coverage is required, and was not reached: {'; '.join(missing)}"
    return evolve(report, verdict=Verdict.INCONCLUSIVE, reasons=(*report.reasons, reason))


def in_words_of_all(report: Report) -> Report:
    """A report whose findings are told as every form tells them."""
    return evolve(
        report, findings=tuple(evolve(found, trace=in_words(found.trace)) for found in report.findings)
    )


def saved(found: Finding, settings: Settings, context: Context) -> Path:
    """
    Where the trace of a finding is now: in the folder for findings, or for want of room in another.

    Raises `UsageError` if there is none.
    """
    trace = evolve(found.trace, versions={**versions(), **found.trace.versions})
    context.go_home()
    try:
        return trace_file.save(trace, settings.out)
    except UsageError as error:
        path = trace_file.save(trace, context.elsewhere / settings.out.name)
        context.progress.say(f"note: {error.summary}; the trace is at {path}")
        return path


@contextmanager
def keeping(settings: Settings, context: Context) -> Iterator[None]:
    """While a search runs: what it has found is kept, and said, also where it comes to no answer."""
    try:
        yield
    except ShardproofError as error:
        for found in error.found:
            told = evolve(found, trace=in_words(found.trace))
            error.add("found", f"{found.property}, before this: {saved(told, settings, context)}")
        error.found = ()
        raise


def interrupted(report: Report) -> bool:
    """Whether somebody stopped the search, and so everything that would come after it."""
    return any(reason.endswith(INTERRUPTED) for reason in report.reasons)


def answered(
    command: str,
    reports: tuple[Report, ...],
    settings: Settings,
    context: Context,
    started: float,
    protocol: Protocol,
    system: System | None,
    seed: int | None = None,
) -> Answer:
    """The answer of `command`, begun at `started`; a trace of each finding is in the folder for findings."""
    reports = tuple(in_words_of_all(report) for report in reports)
    files = {
        (report.engine, found.property): saved(found, settings, context)
        for report in reports
        for found in report.findings
    }
    return Answer(
        command,
        reports,
        versions(),
        system.name if system else "",
        tuple(layer.name for layer in protocol.layers),
        seed,
        context.clock() - started,
        files,
        {system.name: source} if system and (source := source_of(system.make)) else {},
    )
