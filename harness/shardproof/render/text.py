"""
A finding as a story: what is violated and why it matters, what happened, and what to type.

The last line is the command that runs the trace again, so that it can be pasted.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from ..trace import PROVED, Trace
from ..verdict import Finding, Kind
from . import inert
from .diagram import ASCII, UNICODE, draw
from .why import reasons

#: What a kind of finding is called in a headline; a safety violation needs no comment.
_KINDS = {Kind.SAFETY: "", Kind.PROGRESS: "progress: ", Kind.DIVERGENCE: "divergence: ", Kind.DIFFERENCE: ""}

_LABEL = 13


def finding(found: Finding, width: int, *, ascii_only: bool, replay: str, known: str = "") -> str:
    """The story of a finding, ending with the line that replays it; `known` says why it was expected."""
    because = f"known: {known}" if known else f"{_KINDS[found.kind]}{found.because}"
    verdict = word(found, known)
    lines = [
        *_headline(verdict, found.property, because, width, ascii_only),
        "",
        *_story(found.trace, width, ascii_only),
        *_facts(
            (("also", ", ".join(found.also)), ("shrunk", found.shrunk.removeprefix("shrunk "))),
            width,
            ascii_only,
        ),
        *_facts(reasons(found.trace), width, ascii_only),
        *_search(found.trace, width, ascii_only),
    ]
    return "\n".join([*lines, "", replay])


def word(found: Finding, known: str) -> str:
    """What became of a property, in a word: where two systems differ, none of them need be wrong."""
    return "expected" if known else "different" if found.kind is Kind.DIFFERENCE else "violated"


def trace(shown: Trace, width: int, *, ascii_only: bool) -> str:
    """The story of a trace that was read from a file."""
    search = _search(shown, width, ascii_only)
    return "\n".join([told(shown, width, ascii_only=ascii_only), *search])


def told(shown: Trace, width: int, *, ascii_only: bool) -> str:
    """The same without what it says of how it was found."""
    lines = [
        *_headline(verdict_of(shown), shown.property or "nothing", shown.because, width, ascii_only),
        "",
        *_story(shown, width, ascii_only),
        *_facts(reasons(shown), width, ascii_only),
    ]
    return "\n".join(lines)


def verdict_of(shown: Trace) -> str:
    """What a trace shows, in a word."""
    if shown.violation is None:
        return "recorded"
    return "different" if shown.of_several() else "violated"


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


def replay_line(path: Path, *adapters: str, protocol: str | None = None) -> str:
    """The command that runs the trace at `path` again; of the model alone, it needs no adapter."""
    chosen = "".join(f" --adapter {shlex.quote(adapter)}" for adapter in adapters if adapter)
    chosen += f" --protocol {shlex.quote(protocol)}" if protocol else ""
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


def _story(shown: Trace, width: int, ascii_only: bool) -> Iterator[str]:
    yield from draw(shown, width, ASCII if ascii_only else UNICODE)
    yield ""
    if shown.violation is not None:
        facts = (("refused by", shown.violation.clause), ("differs", shown.violation.differs))
        yield from _facts(facts, width, ascii_only)


def _search(shown: Trace, width: int, ascii_only: bool) -> Iterator[str]:
    facts = (("shortest", shortest(shown)), ("found by", found_by(shown)))
    yield from _facts(facts, width, ascii_only)


def found_by(shown: Trace) -> str:
    """The search that found a trace, and how long it took, in a line."""
    search = shown.search
    counts = [counted(n, what) for n, what in ((search.traces, "trace"), (search.steps, "step")) if n]
    found = [search.engine, f"seed {search.seed}" if search.seed is not None else "", *counts]
    return ", ".join(part for part in found if part)


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
