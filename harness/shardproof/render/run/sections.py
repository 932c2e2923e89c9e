"""The sections of a page of a run, from the verdict to the command that does it again, as plain HTML."""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import ShardproofError, printable
from ...verdict import Report
from .. import text
from ..page.markup import clean, said
from ..report import Answer
from . import elements, tables
from .courses import courses
from .findings import findings


def heading(answer: Answer) -> str:
    """The verdict, of what, and how many findings there are."""
    word = answer.verdict.value
    counted = text.counted(len([*answer.findings]), "finding")
    about = f"{counted} by {', '.join(one.engine for one in answer.reports)}, in {answer.seconds:.1f} s"
    seed = f", seed {answer.seed}" if answer.seed is not None else ""
    of = answer.adapter or "the model"
    return (
        f'<p class="verdict {word}">{word}</p>\n<h1>{said(of, 200)}</h1>\n'
        f'<p class="because">{said(f"{answer.command}: {about}{seed}", 500)}</p>'
    )


def body(answer: Answer) -> str:
    """Every section that has something to say."""
    parts = (
        _wrong_file(answer),
        elements.section("checked", "What was checked", _engines(answer)),
        elements.section("findings", "What was found", findings(answer)),
        elements.section("not-proved", "What was not proved", _not_proved(answer)),
        elements.section("properties", "Properties", tables.properties(answer)),
        elements.section("deviations", "Known deviations", tables.deviations(answer)),
        elements.section("never", "Never exercised", tables.never_exercised(answer)),
        elements.section("course", "How the searches went on", courses(answer)),
        elements.section("exercised", "What was exercised", tables.counted(answer)),
        elements.section("again", "Do it again", _again(answer)),
    )
    return "\n".join(part for part in parts if part)


def error(wrong: ShardproofError, repeat: str) -> str:
    """Why there is no verdict, and the command that came to none."""
    return elements.section("error", "Why there is none", _error(wrong)) + elements.section(
        "again", "Try again", elements.command(repeat)
    )


# ---- what is wrong with the run itself --------------------------------------------------------------


def _wrong_file(answer: Answer) -> str:
    return elements.section("error", "Something is wrong", _error(answer.error)) if answer.error else ""


def _error(wrong: ShardproofError) -> str:
    facts = elements.pairs((label, said(value, 4_000)) for label, value in wrong.facts)
    summary = f'<p class="checked"><strong>{said(printable(wrong.summary))}</strong></p>'
    return f'<div class="card">\n{summary}\n{facts}\n</div>'


# ---- engines ----------------------------------------------------------------------------------------


def _engines(answer: Answer) -> str:
    return elements.stack(_engine(report) for report in answer.reports)


def _engine(report: Report) -> str:
    word = report.verdict.value
    work = elements.pairs((name.replace("_", " "), f"{count:,}") for name, count in report.work.items())
    parts = (
        f'<p class="verdict {word}">{word}</p>\n<h3>{said(report.engine, 200)}</h3>',
        f'<p class="checked">{said(report.checked)}</p>',
        elements.listed(report.reasons, "reasons"),
        f"<details><summary>counts</summary>{work}</details>" if work else "",
    )
    return "\n".join(part for part in parts if part)


def _not_proved(answer: Answer) -> str:
    return elements.stack(
        f"<h3>{said(one.obligation, 200)}</h3>\n<p>{said(one.result)}</p>"
        + (
            "<h4>a counterexample to induction, which need not be reachable</h4>"
            + elements.story(one.counterexample_to_induction, "counterexample to induction")
            if one.counterexample_to_induction
            else ""
        )
        + (f"<p>{said(one.searched)}</p>" if one.searched else "")
        for report in answer.reports
        for one in report.not_proved
    )


# ---- again ------------------------------------------------------------------------------------------


def _again(answer: Answer) -> str:
    facts = elements.pairs(
        (
            ("layers", said(", ".join(answer.layers))),
            ("seed", "" if answer.seed is None else str(answer.seed)),
            ("also set", said(", ".join(answer.set_elsewhere))),
            ("as many steps", said(_as_many_steps(answer))),
            ("versions", said(_versions(answer.versions))),
        )
    )
    return f'{elements.command(answer.repeat)}\n<div class="card">{facts}</div>'


def _as_many_steps(answer: Answer) -> str:
    """What makes a run that was over by the clock the same elsewhere."""
    steps = next((one.work.get("steps", 0) for one in answer.reports if one.engine == "fuzz"), 0)
    if answer.command != "fuzz" or not steps or "--steps" in answer.repeat:
        return ""
    return f"it ended by the clock: --steps {steps} does the same on every machine"


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {clean(version, 80)}" for name, version in versions.items())
