"""Properties with what each engine says of them, and what the engines counted: tables, some with bars."""

from __future__ import annotations

import re

from .. import plot, text
from ..outcomes import State, outcomes
from ..page.markup import plainly, said
from ..report import Answer
from . import elements

#: Rows of a table that is open; a longer one is folded.
OPEN_MAX = 16

#: Columns of numbers, at most: with more of them, sentences are easier to read.
COLUMNS_MAX = 4

#: A word and its number, e.g. `refused 1,234`.
_PAIR = re.compile(r"[a-z]{1,20} \d[\d,]{0,20}")


def properties(answer: Answer) -> str:
    """Each property with the word of each engine, and apart those that do not apply, with the reasons."""
    table: dict[str, dict[str, tuple[State, str]]] = {}
    for report in answer.reports:
        for one in outcomes(report):
            table.setdefault(one.property, {})[report.engine] = (one.state, one.why)
    apply = {
        name: row
        for name, row in table.items()
        if any(s is not State.NOT_APPLICABLE for s, _ in row.values())
    }
    lacking = {name: row for name, row in table.items() if name not in apply}
    engines = [report.engine for report in answer.reports]
    head = "".join(f'<th scope="col">{said(engine, 80)}</th>' for engine in engines)
    rows = "\n".join(
        f'<tr><th scope="row">{said(name, 120)}</th>{"".join(map(_cell, map(row.get, engines)))}</tr>'
        for name, row in apply.items()
    )
    main = (
        '<div class="card wide" tabindex="0" role="group" aria-label="properties by engine">'
        f'<table><thead><tr><th scope="col">property</th>{head}</tr></thead>'
        f"\n<tbody>{rows}</tbody></table></div>"
        if apply
        else ""
    )
    reasons = [(name, next(iter(row.values()))[1]) for name, row in lacking.items()]
    missing = (
        f'<div class="card">{elements.rows("do not apply", reasons, ("property", "because"))}</div>'
        if reasons
        else ""
    )
    return f'<div class="stack">{main}{missing}</div>' if main or missing else ""


def _cell(outcome: tuple[State, str] | None) -> str:
    if outcome is None:
        return '<td class="none">not asked</td>'
    state, why = outcome
    shown = f' title="{plainly(why)}"' if why and state is not State.HOLDS else ""
    return f'<td><span class="word {state.value.replace(" ", "-")}"{shown}>{state.value}</span></td>'


def deviations(answer: Answer) -> str:
    """What became of each known deviation."""
    rows = [
        (one.property, f"{one.state.value}: {one.why or one.reason}")
        for report in answer.reports
        for one in report.deviations
    ]
    return (
        f'<div class="card">{elements.rows("", rows, ("property", "what became of it"))}</div>'
        if rows
        else ""
    )


def never_exercised(answer: Answer) -> str:
    """Clauses that never refused or were never passed, engine by engine."""
    return elements.stack(
        elements.rows(report.engine, report.never_exercised.items(), ("clause", "what it never did"))
        for report in answer.reports
        if report.never_exercised
    )


def counted(answer: Answer) -> str:
    """What engines counted for people: what the adversary tried, what clauses did, and so on."""
    return elements.stack(
        f"<h3>{said(report.engine, 200)}</h3>\n"
        + "\n".join(_table(t, rows) for t, rows in (*report.tables.items(), *report.details.items()) if rows)
        for report in answer.reports
        if any((*report.tables.values(), *report.details.values()))
    )


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> str:
    lengths = [_length(value) for _, value in rows]
    bars = all(length is not None for length in lengths)
    if bars:
        drawn = [(label, length or 0, value) for (label, value), length in zip(rows, lengths, strict=True)]
        inside = plot.bars(drawn, title, ("what", "number"))
    else:
        inside = _columns(title, rows) or elements.rows(title, rows, ("", ""))
    if len(rows) <= OPEN_MAX:
        return inside
    told = f"{said(title, 200)}, {text.counted(len(rows), 'row')}"
    # Bars can be looked over, however many they are.
    return f"<details{' open' if bars else ''}><summary>{told}</summary>{inside}</details>"


def _length(value: str) -> float | None:
    """A count of a table, as a length; nothing for what is no count."""
    if value.startswith("never"):
        return 0
    return float(value.replace(",", "")) if re.fullmatch(r"\d[\d,]{0,20}", value) else None


def _columns(title: str, rows: tuple[tuple[str, str], ...]) -> str:
    """Rows of `refused 12, passed 34`, with a column for each word; nothing where most say something else."""
    read = [(label, *_counts(value)) for label, value in rows]
    words = [*dict.fromkeys(word for _, counts, _ in read for word in counts)]
    if not 1 <= len(words) <= COLUMNS_MAX or 2 * sum(bool(counts) for _, counts, _ in read) < len(read):
        return ""
    notes = any(note for _, _, note in read)
    head = "".join(f'<th scope="col" class="number">{said(word, 40)}</th>' for word in words)
    body = "\n".join(
        f'<tr><th scope="row">{said(label, 200)}</th>'
        + "".join(_number(counts.get(word, "")) for word in words)
        + (f"<td>{said(note, 200)}</td>" if notes else "")
        + "</tr>"
        for label, counts, note in read
    )
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{plainly(title)}"><table>'
        f"<caption>{said(title, 200)}</caption>"
        f'<thead><tr><th scope="col">what</th>{head}{"<td></td>" if notes else ""}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _number(shown: str) -> str:
    return f'<td class="number{" none" if shown == "0" else ""}">{shown}</td>'


def _counts(value: str) -> tuple[dict[str, str], str]:
    """Each word with its number, and what is no such pair."""
    parts = value.split(", ")
    pairs = (part.split(" ") for part in parts if _PAIR.fullmatch(part))
    return {pair[0]: pair[1] for pair in pairs}, ", ".join(p for p in parts if not _PAIR.fullmatch(p))
