"""
A trace for an issue: what is violated, what happened, why, and how to run it again, in GitHub's Markdown.

Whatever came from outside and is more than plain words stands in a code span, where nobody is
mentioned, nothing is linked or fetched, and no HTML is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..story.told import Moment, Story
from ..trace import Trace
from . import inert, mermaid, text
from .diagram import label, left_out, outcome, shown_steps
from .named import MODEL, to_run_on
from .why import reasons

#: Words and punctuation with which Markdown, and GitHub's own additions to it, do nothing.
_WORDS = re.compile(r"[A-Za-z0-9 ,.;()'-]*")
#: Except for these: web addresses, numbers of issues, digests of commits.
_LINKED = re.compile(r"www\.|\bgh-\d|\b[0-9a-f]{7,}\b", re.IGNORECASE)


def write(story: Story, path: Path) -> str:
    """The text of an issue; `path` is where the trace was read from."""
    trace = story.trace
    parts = [*_headline(trace), "", *_table(trace), "", *_why(story), *_diagram(trace), *_again(trace, path)]
    return "\n".join(parts) + "\n"


def prose(said: str) -> str:
    """Foreign text as it is where it is plain words, and as code elsewhere."""
    shown = inert.line(said)
    plain = _WORDS.fullmatch(shown) and not _LINKED.search(shown)
    return shown if plain else code(shown)


def code(said: str) -> str:
    """Foreign text as a code span, which also may stand in a table."""
    # A bar would end a cell, and there is no way to write one that every reader of tables understands.
    shown = inert.line(said).replace("|", r"\x7c")
    if not shown:
        return ""
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fenced(content: str, kind: str) -> list[str]:
    """Lines as a block of code, with a fence that is not in them."""
    fence = "`" * max(3, _longest_run(content) + 1)
    return [f"{fence}{kind}", *content.rstrip("\n").split("\n"), fence]


def _longest_run(said: str) -> int:
    return max((len(run) for run in re.findall("`+", said)), default=0)


def _headline(trace: Trace) -> Iterator[str]:
    if trace.violation is None:
        yield (
            "### Recorded: nothing is violated"
            if not trace.property
            else f"### Recorded: {code(trace.property)}"
        )
        return
    numbered = f" ({prose(trace.property_id)})" if trace.property_id not in ("", "-") else ""
    yield f"### {'Different' if trace.of_several() else 'Violated'}: {code(trace.property)}{numbered}"
    if trace.because:
        yield ""
        yield f"What it costs: {prose(trace.because)}."


def _table(trace: Trace) -> Iterator[str]:
    yield "| step | at | what | answer | what changed |"
    yield "|--:|---|---|---|---|"
    before = -1
    for index in shown_steps(trace):
        if index > before + 1:
            yield f"| | | {left_out(trace, before + 1, index)} | | |"
        before = index
        step = trace.steps[index]
        count = len(step.changed)
        came = [*outcome(trace, index)]
        answers, changed = came[: len(came) - count], came[len(came) - count :]
        here = trace.violation is not None and trace.violation.step == index
        number = f"**{index + 1}**" if here else str(index + 1)
        cells = (number, code(step.at), code(label(step)), _cell(answers), _cell(changed))
        yield f"| {' | '.join(cells)} |"


def _cell(said: list[str]) -> str:
    return "<br>".join(prose(one) if _WORDS.fullmatch(inert.line(one)) else code(one) for one in said if one)


def _why(story: Story) -> Iterator[str]:
    violation = story.trace.violation
    if violation is None:
        return
    yield "**Why**"
    yield ""
    facts = [("the model", violation.expected), ("the system", violation.actual)]
    if story.trace.adapter == MODEL:
        facts = [("what is so", violation.actual)]
    if story.trace.of_several():
        facts = [("one", violation.expected), ("others", violation.actual)]
    facts += [("refused by", violation.clause), ("what differs", violation.differs)]
    yield from (f"- {word}: {prose(said)}" for word, said in (*facts, *reasons(story.trace)) if said)
    moment = story.moments[violation.step] if violation.step < len(story.moments) else None
    yield from _guard(moment)
    if story.says:
        yield f"- what must be true: {prose(story.says)}"
    if story.formula:
        yield f"- as a formula: {code(story.formula)}"
    yield ""


def _guard(moment: Moment | None) -> Iterator[str]:
    refusing = moment.refusing if moment is not None else None
    if refusing is not None:
        since = "" if refusing.since is None else f", which is false since step {refusing.since + 1}"
        yield f"- the condition that is not met: {code(refusing.text)}{since}"


def _diagram(trace: Trace) -> Iterator[str]:
    yield from fenced(mermaid.write(trace), "mermaid")
    yield ""


def _again(trace: Trace, path: Path) -> Iterator[str]:
    """The line to paste. What would start a program is not in it: whoever pastes it, chooses what is run."""
    yield f"Recorded on {code(trace.adapter)}{_found(trace)}. To run it again:"
    yield ""
    line = (
        text.replay_line(Path(inert.line(str(path))), *to_run_on(trace)).removeprefix("replay with").strip()
    )
    yield from fenced(line, "sh")


def _found(trace: Trace) -> str:
    search = trace.search
    seed = f", seed {search.seed}" if search.seed is not None else ""
    return f", found by {prose(search.engine)}{seed}" if search.engine else ""
