"""The story as plain HTML: what is read without a script, by a screen reader, and on paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...story.told import Change, Evidence, Moment, Story
from ...trace import Trace
from .. import text
from ..diagram import label
from ..why import reasons
from .content import answers, way
from .markup import said, sentence
from .tree import harm


def heading(trace: Trace) -> str:
    """What is violated, and why it matters."""
    word = text.verdict_of(trace)
    name = said(trace.property or "nothing", 200)
    because = f'<p class="because">{said(trace.because, 500)}</p>' if trace.because else ""
    number = f' <span class="number">{said(trace.property_id, 20)}</span>' if trace.property_id else ""
    return f'<p class="verdict {word}">{word}{number}</p>\n<h1>{name}</h1>\n{because}'


def about(trace: Trace) -> str:
    """Where the trace comes from, as pairs of a label and a text."""
    pairs = (
        ("system", trace.adapter),
        ("shards", ", ".join(trace.shards)),
        ("layers", ", ".join(trace.layers)),
        ("shortest", text.shortest(trace)),
        ("found by", text.found_by(trace)),
        ("versions", ", ".join(f"{name} {version}" for name, version in trace.versions.items())),
    )
    return _pairs((label, said(value)) for label, value in pairs if value)


def rule(story: Story) -> str:
    """The property: what it says, its formula, why it matters, and what happened where it did not hold."""
    if not (story.says or story.formula or story.trace.because):
        return "<p>This trace is not about a property of the catalogue.</p>"
    parts = []
    if story.says:
        parts.append(f'<p class="says">{sentence(story.says)}</p>')
    if story.formula:
        parts.append(
            f'<pre class="formula" tabindex="0" aria-label="formula">{said(story.formula, 4_000)}</pre>'
        )
    if story.trace.because:
        parts.append(f"<h3>Why it matters</h3>\n<p>{said(story.trace.because, 500)}</p>")
    if story.incidents:
        told = "\n".join(f"<li>{sentence(what)} {_source(where)}</li>" for what, where in story.incidents)
        parts.append(f'<h3>Where it went wrong for real</h3>\n<ul class="incidents">\n{told}\n</ul>')
    return "\n".join(parts)


def _source(where: str) -> str:
    shown = said(where, 300)
    if re.fullmatch(r"https://[\w.~/?#&=%+:@-]{1,280}", where, re.ASCII):
        return f'<a href="{shown}" rel="noreferrer noopener">{shown}</a>'
    return f"<cite>{shown}</cite>"


def explanation(shown: Trace) -> str:
    """Why it goes wrong, and what of that is not known; empty where nobody asked."""
    told, steps = shown.explanation, len(shown.steps)
    if told is None and not shown.unexplained:
        return ""
    without = "\n".join(f"<li>{sentence(line, steps)}</li>" for line in (told.without if told else ()))
    return "\n".join(
        (
            '<section class="card" aria-labelledby="why">\n<h2 id="why">Why it goes wrong</h2>',
            _pairs((label, sentence(value, steps)) for label, value in reasons(shown)),
            f"<h3>Without each step</h3>\n<ol>\n{without}\n</ol>" if without else "",
            "</section>",
        )
    )


def words(story: Story) -> str:
    """What the words of the model mean that the steps use."""
    meanings = dict(sorted(story.glossary.items()))
    return _pairs((f"<code>{said(name)}</code>", sentence(means)) for name, means in meanings.items())


def telling(story: Story) -> str:
    """Every step, as items of a list."""
    return "\n".join(_item(story, moment) for moment in story.moments)


def _item(story: Story, moment: Moment) -> str:
    trace = story.trace
    wrong = trace.violation is not None and trace.violation.step == moment.index
    number = moment.index + 1
    return "\n".join(
        (
            f'<li id="step-{number}" class="wrong">' if wrong else f'<li id="step-{number}">',
            f"<p><b>{said(way(trace, moment.step))}</b>: {said(label(moment.step), 300)}"
            + (' <strong class="here">here it goes wrong</strong>' if wrong else "")
            + "</p>",
            _pairs(_details(story, moment, wrong=wrong)),
            "</li>",
        )
    )


def _details(story: Story, moment: Moment, *, wrong: bool) -> Iterator[tuple[str, str]]:
    trace, steps = story.trace, len(story.moments)
    said_by = answers(story, moment.index)
    if len(said_by) > 1 and len({what for _, what in said_by}) == 1:
        # In one line what both say: a page of paper has fewer of them than a screen.
        said_by = [(", ".join(who for who, _ in said_by), said_by[0][1])]
    for who, what in said_by:
        yield said(who), said(what)
    if moment.step.changed:
        yield "changed", "<br>".join(said(line) for line in moment.step.changed)
    if wrong and trace.violation is not None:
        yield from (
            (label, sentence(value, steps))
            for label, value in (("refused by", trace.violation.clause), ("differs", trace.violation.differs))
            if value
        )
    if moment.guard:
        yield "guard", "<br>".join(_clause(moment, steps))
    if moment.evidence is not None and (shown := _evidence(moment.evidence, steps)):
        yield "evidence", shown
    if moment.changes:
        yield "model changes", "<br>".join(_change(change) for change in moment.changes)
    if moment.astray:
        yield "model", f"could not follow: {sentence(moment.astray)}"


def _clause(moment: Moment, steps: int) -> Iterator[str]:
    for clause in moment.guard:
        mark = "holds" if clause.holds else "refuses" if clause is moment.refusing else "false too"
        line = f"{mark}: <code>{said(clause.text)}</code>"
        if clause.holds:
            yield line
            continue
        why = clause.story or ("" if clause.since is None else f"since step {clause.since + 1}")
        yield f"<strong>{line}</strong>{', ' if why else ''}{sentence(why, steps)}"
        if clause is moment.refusing and clause.means:
            yield " ".join(sentence(means) for means in clause.means)


def _evidence(evidence: Evidence, steps: int) -> str:
    says = [sentence(evidence.says, steps)] if evidence.says else []
    return "<br>".join(
        (*says, *(f"<strong>{how}</strong>: {said(what, 60)}" for how, what in harm(evidence)))
    )


def _change(change: Change) -> str:
    place = f"{said(change.shard, 60)}: " if change.shard else ""
    if change.before is None:
        return f"{place}<ins>{said(str(change.after), 200)}</ins>"
    gone = f"<del>{said(str(change.before), 200)}</del>"
    return (
        f"{place}{gone}"
        if change.after is None
        else f"{place}{gone} <ins>{said(str(change.after), 200)}</ins>"
    )


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    rows = "\n".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in pairs)
    return f"<dl>\n{rows}\n</dl>" if rows else ""
