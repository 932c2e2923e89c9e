"""
A finding as a story: what is violated and why it matters, what happened, and what to type.

The last line is the command that runs the trace again, so that it can be pasted.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from ..trace import NOT_NEEDED, NOTHING, PROVED, Explanation, Trace
from ..verdict import Finding, Kind
from . import inert
from .diagram import ASCII, UNICODE, draw

#: What a kind of finding is called in a headline; a safety violation needs no comment.
_KINDS = {Kind.SAFETY: "", Kind.PROGRESS: "progress: ", Kind.DIVERGENCE: "divergence: ", Kind.DIFFERENCE: ""}

_LABEL = 13


def finding(found: Finding, width: int, *, ascii_only: bool, replay: str, known: str = "") -> str:
    """The story of a finding, ending with the line that replays it; `known` says why it was expected."""
    because = f"known: {known}" if known else f"{_KINDS[found.kind]}{found.because}"
    verdict = "expected" if known else "different" if found.kind is Kind.DIFFERENCE else "violated"
    lines = [
        *_headline(verdict, found.property, because, width, ascii_only),
        "",
        *_story(found.trace, width, ascii_only),
        *_facts(
            (("also", ", ".join(found.also)), ("shrunk", found.shrunk.removeprefix("shrunk "))),
            width,
            ascii_only,
        ),
        *_why(found.trace, width, ascii_only),
        *_search(found.trace, width, ascii_only),
    ]
    return "\n".join([*lines, "", replay])


def trace(shown: Trace, width: int, *, ascii_only: bool, refused_by: str = "") -> str:
    """
    The story of a trace that was read from a file.

    `refused_by` says more of the clause by which the model refuses than the file does.
    """
    wrong = "different" if shown.of_several() else "violated"
    verdict = "recorded" if shown.violation is None else wrong
    lines = [
        *_headline(verdict, shown.property or "nothing", shown.because, width, ascii_only),
        "",
        *_story(shown, width, ascii_only, refused_by),
        *_why(shown, width, ascii_only),
        *_search(shown, width, ascii_only),
    ]
    return "\n".join(lines)


def again(shown: Trace, summary: str, width: int, *, ascii_only: bool, replay: str) -> str:
    """The story of a trace that was run again, and what became of the recorded violation."""
    return "\n".join(
        [
            trace(shown, width, ascii_only=ascii_only),
            "",
            *inert.wrap(inert.line(summary, ascii_only=ascii_only), width),
            "",
            replay,
        ]
    )


def replay_line(path: Path, *adapters: str) -> str:
    """The command that runs the trace at `path` again; of the model alone, it needs no adapter."""
    chosen = "".join(f" --adapter {shlex.quote(adapter)}" for adapter in adapters if adapter)
    return f"replay with  shardproof replay {shlex.quote(str(path))}{chosen}"


def _headline(verdict: str, name: str, because: str, width: int, ascii_only: bool) -> Iterator[str]:
    indent = " " * (len(verdict) + 2)
    name = inert.line(name, ascii_only=ascii_only, longest=200)
    title = f"{verdict}  {name}"
    reason = f"({inert.line(because, ascii_only=ascii_only)})" if because else ""
    if inert.cells(title) + 3 + inert.cells(reason) <= width:
        yield f"{title}   {reason}".rstrip()
        return
    parts = [
        *inert.wrap(name, width - len(indent)),
        *(inert.wrap(reason, width - len(indent)) if reason else []),
    ]
    yield from (f"{verdict}  {part}" if i == 0 else indent + part for i, part in enumerate(parts))


def _story(shown: Trace, width: int, ascii_only: bool, refused_by: str = "") -> Iterator[str]:
    yield from draw(shown, width, ASCII if ascii_only else UNICODE)
    yield ""
    if shown.violation is not None:
        clause = refused_by or shown.violation.clause
        facts = (("refused by", clause), ("differs", shown.violation.differs))
        yield from _facts(facts, width, ascii_only)


#: What every trace needs, so that it says nothing that it is needed.
_PREPARING = ("emit", "produce", "finalise", "learn")


def _why(shown: Trace, width: int, ascii_only: bool) -> Iterator[str]:
    told = shown.explanation
    if told is None:
        return
    first = f"{called(shown, told.first_wrong)}: {told.known_by}" if told.known_by else ""
    facts = (
        ("first wrong", first),
        ("needs", "; ".join(_needs(shown, told))),
        ("refused if", told.refused_instead),
        ("look for", told.look_for),
    )
    yield from _facts(facts, width, ascii_only)


def called(shown: Trace, index: int) -> str:
    """A step as one speaks of it: `step 6 (restart at B)`."""
    step = shown.steps[index]
    return f"step {index + 1} ({step.action} at {step.at})"


def _needs(shown: Trace, told: Explanation) -> Iterator[str]:
    """Of which steps it says something that they are needed, or that they are not."""
    for index, (step, said) in enumerate(zip(shown.steps, told.without, strict=True)):
        gone, _, instead = said.partition(f"{NOTHING}: ")
        if said == NOT_NEEDED:
            yield f"{called(shown, index)}: {said}"
        elif instead and not gone and step.action not in _PREPARING and index < len(shown.steps) - 1:
            yield f"{called(shown, index)}: without it, {instead}"


def _search(shown: Trace, width: int, ascii_only: bool) -> Iterator[str]:
    search = shown.search
    counts = [counted(n, what) for n, what in ((search.traces, "trace"), (search.steps, "step")) if n]
    found = [search.engine, f"seed {search.seed}" if search.seed is not None else "", *counts]
    facts = (("shortest", shortest(shown)), ("found by", ", ".join(part for part in found if part)))
    yield from _facts(facts, width, ascii_only)


def shortest(shown: Trace) -> str:
    """What a trace says of shorter ones, and what that rests on, in a sentence."""
    proved, certificate = shown.shortest == PROVED, shown.certificate
    said = "no shorter trace shows it" if proved else "whether a shorter one exists is not established"
    if certificate is None:
        return said
    kinds = counted(len(certificate.alphabet), "kind")
    return (
        f"{said}: {'' if proved else 'only '}every sequence of up to {counted(certificate.steps, 'move')} "
        f"was run, with {certificate.scope} and {kinds} of moves ({certificate.sequences:,} sequences, "
        f"{certificate.moves:,} moves)"
    )


def counted(number: int, what: str) -> str:
    """A number of things, in words that agree."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _facts(facts: tuple[tuple[str, str], ...], width: int, ascii_only: bool) -> Iterator[str]:
    for label, text in facts:
        if text:
            shown = inert.wrap(inert.line(text, ascii_only=ascii_only), width - _LABEL - 2)
            for i, part in enumerate(shown):
                yield f"  {label if i == 0 else '':<{_LABEL}}{part}"
