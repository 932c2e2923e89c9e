"""What was found, each finding with its story, the ways to it, and how it became short."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from ...verdict import Finding
from .. import plot, text
from ..page.markup import said
from ..report import Answer
from . import elements

#: Cells of the drawing of a story; a narrow page scrolls.
STORY_WIDTH = 96


def findings(answer: Answer) -> str:
    """All of them, what nobody expected first."""
    found = sorted(answer.findings, key=lambda one: bool(answer.expected(one[0], one[1])))
    if not found:
        return (
            '<div class="card"><p>Nothing was found; what that means is said by what was checked.</p></div>'
        )
    return elements.stack(_finding(answer, number, *one) for number, one in enumerate(found, 1))


def _finding(answer: Answer, number: int, engine: str, found: Finding, path: Path | None) -> str:
    known = answer.expected(engine, found)
    word = text.word(found, known)
    report = next(one for one in answer.reports if one.engine == engine)
    line = text.replay_line(path, *report.systems, protocol=answer.protocol) if path else ""
    replay = line.removeprefix("replay with").strip()
    story = text.finding(found, STORY_WIDTH, ascii_only=False, replay="", known=known)
    facts = elements.pairs(
        (
            ("found by", said(f"{engine}, {found.kind.value}")),
            ("known", said(known) if known else ""),
        )
    )
    shrinking = plot.line(
        plot.Line("How it became short", found.shrinking, "candidates that were run", "steps"),
        f"shrink-{number}",
    )
    ident = f' <span class="number">{said(found.id, 20)}</span>' if found.id and found.id != "-" else ""
    parts = (
        f'<p class="verdict {word}">{word}{ident}</p>\n<h3>{said(found.property, 200)}</h3>',
        f'<p class="checked">{said(found.because)}</p>' if found.because else "",
        elements.story(story, f"the story of finding {number}"),
        facts,
        _ways(path),
        elements.command(replay),
        shrinking if len(found.shrinking) > 1 else "",
    )
    return "\n".join(part for part in parts if part)


def page_of(path: Path) -> Path:
    """Where the page of a trace is: beside it."""
    return path.with_name(f"{path.name.removesuffix('.json').removesuffix('.trace')}.html")


def _ways(path: Path | None) -> str:
    if path is None:
        return ""
    links = [(page_of(path).name, "step through it"), (path.name, "the trace as a file")]
    told = "".join(f'<li><a href="{quote(name)}">{what}</a></li>' for name, what in links)
    return f'<ul class="ways">{told}</ul>'
