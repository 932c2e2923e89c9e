"""
What a command answers, for people and as the one JSON object of `--json`.

The two say the same. The text leads with the verdict of each engine and what exactly it
checked, and keeps the findings for the end, because the line to paste comes last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import asdict, field, frozen

from ..errors import ShardproofError, UsageError, printable
from ..loading import Source
from ..verdict import Deviating, Finding, Kind, Report, State, Verdict
from . import inert, text


@frozen
class Answer:
    """The reports of the engines that a command ran, and the files that it wrote."""

    command: str
    reports: tuple[Report, ...]
    versions: Mapping[str, str]
    #: As the command line named it; empty for the model alone.
    adapter: str = ""
    layers: tuple[str, ...] = ()
    seed: int | None = None
    seconds: float = 0.0
    #: Engine and property -> the file that holds the trace.
    files: Mapping[tuple[str, str], Path] = field(factory=dict)
    #: Name of a system -> where its adapter is written, if that is known.
    sources: Mapping[str, Source] = field(factory=dict)
    #: The page of the run, where a folder was asked for.
    page: Path | None = None
    #: The command that does the same again, as one would type it.
    repeat: str = ""
    #: What else was asked for, by the environment or the project.
    set_elsewhere: tuple[str, ...] = ()
    #: The protocol of somebody's own, as `module:NAME`, that has to be named where its traces are run.
    protocol: str | None = None
    #: Why something that was asked for is not in its place.
    unwritten: UsageError | None = None

    @property
    def verdict(self) -> Verdict:
        """The worst of the reports."""
        return Verdict.worst(report.verdict for report in self.reports)

    @property
    def gone(self) -> tuple[Deviating, ...]:
        """Known deviations that no longer happen."""
        return tuple(one for report in self.reports for one in report.deviations if one.state is State.GONE)

    @property
    def error(self) -> UsageError | None:
        """What could not be written, or is wrong with the file of known deviations, if something is."""
        if self.unwritten is not None:
            return self.unwritten
        if not self.gone:
            return None
        return UsageError(
            f"a known deviation no longer happens: {', '.join(one.property for one in self.gone)}",
            expected="; ".join(f"a violation of {one.property} ({one.reason})" for one in self.gone),
            got="; ".join(one.why for one in self.gone),
            help="take it out of the file of known deviations",
        )

    @property
    def exit_code(self) -> int:
        """Of the verdict; where nothing is violated, but something is wrong besides, of that."""
        error = self.error
        return self.verdict.exit_code if error is None or self.unexpected else error.exit_code

    @property
    def unexpected(self) -> bool:
        """Whether something was found that nobody expected."""
        return any(not report.expected(found) for report in self.reports for found in report.findings)

    def expected(self, engine: str, found: Finding) -> str:
        """Why a finding of an engine was expected; empty if it was not."""
        return next((r.expected(found) for r in self.reports if r.engine == engine), "")

    @property
    def findings(self) -> Iterator[tuple[str, Finding, Path | None]]:
        """Of all engines: engine, finding, and where its trace is."""
        for report in self.reports:
            for found in report.findings:
                yield report.engine, found, self.files.get((report.engine, found.property))


# ---- for other tools -----------------------------------------------------------------------------


def as_json(answer: Answer) -> dict[str, Any]:
    """The object that `--json` prints."""
    return {
        "command": answer.command,
        "verdict": answer.verdict.value,
        "exit_code": answer.exit_code,
        "adapter": answer.adapter or None,
        "systems": {report.engine: list(report.systems) for report in answer.reports},
        "layers": list(answer.layers),
        "seed": answer.seed,
        "findings": [
            {**_finding_json(*one), "expected": answer.expected(one[0], one[1]) or None}
            for one in answer.findings
        ],
        "deviations": [
            {
                "property": one.property,
                "names": list(one.names),
                "reason": one.reason,
                "state": one.state.value,
                "why": one.why,
                "engine": report.engine,
            }
            for report in answer.reports
            for one in report.deviations
        ],
        "not_proved": [
            {
                "obligation": missing.obligation,
                "result": missing.result,
                "counterexample_to_induction": missing.counterexample_to_induction,
                "searched": missing.searched,
            }
            for report in answer.reports
            for missing in report.not_proved
        ],
        "checked": {report.engine: report.checked for report in answer.reports},
        "verdicts": {report.engine: report.verdict.value for report in answer.reports},
        "properties": {report.engine: list(report.properties) for report in answer.reports},
        "work": {report.engine: dict(report.work) for report in answer.reports},
        "tables": {
            report.engine: {
                title: [list(row) for row in rows]
                for title, rows in (*report.tables.items(), *report.details.items())
            }
            for report in answer.reports
        },
        "not_applicable": {
            name: why for report in answer.reports for name, why in report.not_applicable.items()
        },
        "never_exercised": {report.engine: dict(report.never_exercised) for report in answer.reports},
        "reasons": [f"{report.engine}: {reason}" for report in answer.reports for reason in report.reasons],
        "report": str(answer.page) if answer.page else None,
        "seconds": round(answer.seconds, 3),
        "versions": dict(answer.versions),
        **(_error(answer.error) if answer.error else {}),
    }


def _error(error: ShardproofError) -> dict[str, Any]:
    return {"error": {"summary": printable(error.summary), **dict(error.facts)}}


def _finding_json(engine: str, found: Finding, path: Path | None) -> dict[str, Any]:
    return {
        "property": found.property,
        "id": found.trace.property_id,
        "kind": found.kind.value,
        "because": found.because,
        "also": list(found.also),
        "engine": engine,
        "trace": str(path) if path else None,
        "steps": len(found.trace.steps),
        "shortest": found.trace.shortest,
        "explanation": None if found.trace.explanation is None else asdict(found.trace.explanation),
        "unexplained": found.trace.unexplained or None,
    }


def error_json(error: ShardproofError) -> dict[str, Any]:
    """The object that `--json` prints where there is no answer."""
    return {
        "verdict": None,
        "exit_code": error.exit_code,
        **_error(error),
    }


# ---- for people ----------------------------------------------------------------------------------


def as_text(answer: Answer, width: int, *, ascii_only: bool) -> str:
    """Every report, and then every finding; the line to paste comes last."""
    lines: list[str] = []
    for report in answer.reports:
        lines += [*_report(report, width, ascii_only), ""]
    if answer.page is not None:
        lines += [f"report    {inert.line(str(answer.page), ascii_only=ascii_only)}", ""]
    # What nobody expected comes last, where one looks first.
    for engine, found, path in sorted(answer.findings, key=lambda one: not answer.expected(one[0], one[1])):
        systems = next(report.systems for report in answer.reports if report.engine == engine)
        replay = (
            text.replay_line(path, *systems, protocol=answer.protocol) if path else "its trace was not kept"
        )
        known = answer.expected(engine, found)
        lines += [text.finding(found, width, ascii_only=ascii_only, replay=replay, known=known), ""]
    if not answer.unexpected:
        lines.append(f"{answer.verdict.value}  {_subject(answer)}, in {answer.seconds:.1f} s")
    return "\n".join(lines).rstrip("\n")


def _known(deviations: tuple[Deviating, ...]) -> Iterator[tuple[str, str]]:
    for one in deviations:
        names = "" if one.names == (one.property,) else f" ({', '.join(one.names)})"
        yield (
            one.property + names,
            ": ".join(part for part in (one.state.value, one.why or one.reason) if part),
        )


def _subject(answer: Answer) -> str:
    by = ", ".join(report.engine for report in answer.reports)
    systems = dict.fromkeys(name for report in answer.reports for name in report.systems)
    return f"{', '.join(systems) or answer.adapter or 'the model'} ({by})"


def _report(report: Report, width: int, ascii_only: bool) -> Iterator[str]:
    violated = report.verdict is Verdict.VIOLATED
    differ = violated and all(found.kind is Kind.DIFFERENCE for found in report.findings)
    yield from _entry(
        f"{report.engine:<8}  {'different' if differ else report.verdict.value}",
        report.checked,
        width,
        ascii_only,
        indent=2,
    )
    for reason in report.reasons:
        yield from _entry("  because", reason, width, ascii_only)
    for missing in report.not_proved:
        yield from _entry("  not proved", f"{missing.obligation}: {missing.result}", width, ascii_only)
        if missing.counterexample_to_induction:
            yield "  a counterexample to induction, which need not be reachable:"
            yield from (
                f"    {row}" for row in _rows(missing.counterexample_to_induction, width - 4, ascii_only)
            )
        if missing.searched:
            yield from _entry("  searched", missing.searched, width, ascii_only)
    # A finding is the answer to all that was asked; what else was tried is in the JSON.
    told = any(not report.expected(found) for found in report.findings)
    for title, rows in () if told else report.tables.items():
        if rows:
            yield f"  {inert.line(title, ascii_only=ascii_only)}"
            yield from _columns(rows, width, ascii_only)
    if report.never_exercised and not told:
        yield "  never exercised"
        yield from _table(tuple(report.never_exercised.items()), width, ascii_only)
    if report.deviations:
        yield "  known deviations"
        yield from _table(tuple(_known(report.deviations)), width, ascii_only)
    if report.not_applicable:
        yield "  not applicable"
        yield from _table(tuple(report.not_applicable.items()), width, ascii_only)


def _rows(block: str, width: int, ascii_only: bool) -> Iterator[str]:
    """Lines of ours, whose indentation means something."""
    for row in block.splitlines():
        shown = printable(row).rstrip()
        yield inert.cut(shown.encode("ascii", "backslashreplace").decode() if ascii_only else shown, width)


def _entry(label: str, said: str, width: int, ascii_only: bool, indent: int = 4) -> Iterator[str]:
    shown = inert.line(said, ascii_only=ascii_only, longest=2_000)
    if inert.cells(label) + 2 + inert.cells(shown) <= width:
        yield f"{label}  {shown}".rstrip()
        return
    yield label
    yield from (" " * indent + part for part in inert.wrap(shown, width - indent))


def _table(rows: tuple[tuple[str, str], ...], width: int, ascii_only: bool) -> Iterator[str]:
    shown = [tuple(inert.line(part, ascii_only=ascii_only) for part in row) for row in rows]
    column = min(max((inert.cells(row[0]) for row in shown), default=0), width // 2)
    for label, value in shown:
        room = width - column - 6
        for i, part in enumerate(inert.wrap(value, room)):
            yield f"    {inert.pad(inert.cut(label, column) if i == 0 else '', column)}  {part}".rstrip()


#: A value that is longer than this is a sentence, and has a line for itself.
_SHORT = 14


def _columns(rows: tuple[tuple[str, str], ...], width: int, ascii_only: bool) -> Iterator[str]:
    """The same with short values, in as many columns as there is room for, to be read downwards."""
    shown = [tuple(inert.line(part, ascii_only=ascii_only) for part in row) for row in rows]
    label, value = (max(inert.cells(row[i]) for row in shown) for i in (0, 1))
    count = min((width - 4) // (label + value + 6), 3)
    if count < 2 or value > _SHORT or len(shown) <= 2 * count:
        yield from _table(rows, width, ascii_only)
        return
    entries = [inert.pad(a, label + 2) + " " * (value - inert.cells(b)) + b for a, b in shown]
    height = -(-len(entries) // count)
    for i in range(height):
        yield "    " + "    ".join(entries[i::height])


# ---- lists and tables that are no verdict ----------------------------------------------------------


def sections(content: Mapping[str, tuple[tuple[str, str], ...]], width: int, *, ascii_only: bool) -> str:
    """Titles with rows of (name, what is to be said of it)."""
    lines: list[str] = []
    for title, rows in content.items():
        lines += [title, *(_table(rows, width, ascii_only)), ""]
    return "\n".join(lines).rstrip("\n")
