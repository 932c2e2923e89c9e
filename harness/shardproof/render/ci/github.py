"""
A run as GitHub reads it: annotations, as lines of a log, and the summary of a step, as Markdown.

Annotations are commands to whoever runs the workflow, so foreign text must not become one: each is one
line, and what separates its parts is written as a code. In Markdown every sign of ASCII but a few is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ...errors import ShardproofError
from ...trace import Trace
from ...verdict import State, Verdict
from .. import inert, text
from ..report import Answer
from .places import Place, Weight, place, replay, story, weight

#: Of a summary GitHub takes a megabyte, and of a larger one nothing.
BYTES_MAX = 1_000_000

#: Stories in a summary; all of them are on the page of the run.
STORIES_MAX = 10

_LEVELS = {Weight.GRAVE: "error", Weight.SERIOUS: "error", Weight.KNOWN: "notice"}


def notes(answer: Answer, folder: Path) -> Iterator[str]:
    """A line for each finding, each engine that decided nothing, and what is wrong with the run."""
    for engine, found, path in answer.findings:
        where = place(answer, engine, path, folder)
        known = answer.expected(engine, found)
        why, line = f"known: {known}" if known else found.because, replay(answer, engine, path)
        said = (why, *_last(found.trace), line)
        title = f"{text.word(found, known)}: {found.property}"
        level = _LEVELS[weight(answer, engine, found)]
        yield _command(level, title, "\n".join(map(inert.line, filter(None, said))), where)
    for report in answer.reports:
        if report.verdict is Verdict.INCONCLUSIVE:
            reasons = "\n".join(map(inert.line, report.reasons)) or "nothing was decided"
            yield _command("warning", f"inconclusive: {report.engine}", reasons, None)
    if answer.error is not None:
        yield failure(answer.error)


def failure(error: ShardproofError) -> str:
    """The line for a run that came to no verdict."""
    return _command("error", "shardproof", inert.line(str(error), longest=2_000), None)


def _last(trace: Trace) -> tuple[str, ...]:
    wrong, unexplained = trace.violation, trace.unexplained
    facts = () if wrong is None else (wrong.clause, wrong.differs)
    if trace.explanation is not None:
        facts = (*facts, trace.explanation.look_for)
    return (*facts, f"unexplained: {unexplained}") if unexplained else facts


def _command(level: str, title: str, message: str, where: Place | None) -> str:
    values = {"title": inert.line(title, longest=200)}
    if where is not None:
        values |= {"file": str(where.file), "line": str(where.line)}
    told = ",".join(f"{name}={_value(value)}" for name, value in values.items())
    return f"::{level} {told}::{_data(message)}"


def _data(said: str) -> str:
    return said.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _value(said: str) -> str:
    return _data(said).replace(":", "%3A").replace(",", "%2C")


def harmless(printed: str) -> str:
    """Text for a log, of which no line is a command, though foreign text may begin one."""
    return re.sub(r"(?m)^(\s*):(?=:)", r"\1: ", printed).replace("##[", "## [")


# ---- the summary of a step --------------------------------------------------------------------------

_SIGNS = {"violated": "❌", "holds": "✅", "inconclusive": "⚠️"}


def step_summary(answer: Answer) -> bytes:
    """The summary of a run that came to a verdict."""
    for stories in (STORIES_MAX, 1, 0):
        told = "\n".join(_summary(answer, stories)).encode("utf-8")
        if len(told) < BYTES_MAX:
            return told + b"\n\n"
    return f"## shardproof: {answer.verdict.value}\n\nThe page of the run says more.\n\n".encode()


def failed_summary(error: ShardproofError) -> bytes:
    """The summary of a run that came to none."""
    return f"## ⚠️ shardproof: no verdict\n\n{_fenced(str(error))}\n\n".encode()


def _summary(answer: Answer, stories: int) -> Iterator[str]:
    word = answer.verdict.value
    of = answer.adapter or "the model"
    yield f"## {_SIGNS[word]} shardproof {_md(answer.command)}: {word}, {_md(of)}"
    yield ""
    if answer.error is not None:
        yield from ("", _fenced(str(answer.error)), "")
    yield "| engine | verdict | what was checked | seconds |"
    yield "|---|---|---|---|"
    for report in answer.reports:
        said = f"{report.checked}; {'; '.join(report.reasons)}" if report.reasons else report.checked
        sign = _SIGNS[report.verdict.value]
        yield f"| {_md(report.engine)} | {sign} {report.verdict.value} | {_md(said)} | {report.seconds:.1f} |"
    found = [*answer.findings]
    for engine, one, path in found[:stories]:
        known = answer.expected(engine, one)
        yield ""
        yield f"### {text.word(one, known)}: {_md(one.property)}"
        yield ""
        yield _fenced(story(answer, engine, one, path, ascii_only=False))
    if len(found) > stories:
        yield f"\n{text.counted(len(found) - stories, 'more finding')}: the page of the run has more."
    gone = [
        f"{d.property}: {d.why or d.reason}"
        for r in answer.reports
        for d in r.deviations
        if d.state is State.GONE
    ]
    yield from (f"\n- known deviation, gone: {_md(line)}" for line in gone)
    if answer.repeat:
        yield from ("", "Do it again:", "", _fenced(answer.repeat))


def _md(foreign: str) -> str:
    """Foreign text within a line of Markdown: no sign in it can mean anything."""
    shown = inert.line(foreign, longest=1_000)
    return "".join(c if not c.isascii() or c.isalnum() or c in " -," else f"&#{ord(c)};" for c in shown)


def _fenced(block: str) -> str:
    """Lines of ours, with foreign text in them, as a block that none of them can end."""
    shown = inert.block(block)
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"
