"""
A trace as a Mermaid sequence diagram, for whatever renders Mermaid: issues, wikis, Markdown in editors.

Every character of foreign text that could mean something to Mermaid, or to the page that it is
shown in, is written as its number, which Mermaid shows as the character.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..trace import Trace
from . import inert
from .diagram import RELAYER, ends, label, left_out, outcome, shown_steps

#: What no reader of the text acts on, wherever it stands.
_PLAIN = re.compile(r"[A-Za-z0-9 .,()'+=/-]")

#: Words that end a block, even within a text.
_WORDS = re.compile(r"\b(end)\b", re.IGNORECASE)

#: A sentence that begins with one of these says how it is laid out.
_OPTIONS = re.compile(r"\s*(no)?wrap\b", re.IGNORECASE)


def write(trace: Trace) -> str:
    """The diagram: a participant for each shard that takes part, in their order, and the relayer."""
    return "\n".join(["sequenceDiagram", *(f"  {line}" for line in _lines(trace))]) + "\n"


def escaped(text: str, longest: int = 300) -> str:
    """Foreign text on one line, as Mermaid shows it and does nothing with it."""
    shown = inert.line(text, longest=longest)
    written = "".join(c if _PLAIN.fullmatch(c) else f"#{ord(c)};" for c in shown)
    kept = _WORDS.sub(lambda word: f"#{ord(word[0][0])};{word[0][1:]}", written)
    # A colon within a sentence is one; at the beginning there are words of Mermaid's own before it.
    return kept if _OPTIONS.match(kept) else kept.replace("#58; ", ": ")


def _lines(trace: Trace) -> Iterator[str]:
    if trace.property:
        yield f"title {escaped(trace.property)}"
    steps = shown_steps(trace)
    used = {trace.steps[i].at for i in steps} | {trace.steps[i].args.get("to", "") for i in steps}
    names = [name for name in trace.shards if name in used] or [*trace.shards[:1]]
    ids = {name: f"shard{i}" for i, name in enumerate(names)}
    for i, name in enumerate(names):
        yield f"participant {ids[name]} as {escaped(name, 60)}"
        if i == 0:
            yield f"participant {RELAYER} as {RELAYER}"
    before = -1
    for index in steps:
        if index > before + 1:
            yield f"Note over {RELAYER}: {left_out(trace, before + 1, index)}"
        before = index
        here = trace.violation is not None and trace.violation.step == index
        if here:
            yield "rect rgb(255, 225, 225)"
        yield from (f"  {line}" if here else line for line in _step(trace, index, ids))
        if here:
            yield "end"


def _step(trace: Trace, index: int, ids: dict[str, str]) -> Iterator[str]:
    step = trace.steps[index]
    place = ids.get(step.at, RELAYER)
    said = f"{index + 1} {escaped(label(step))}"
    answers = [escaped(text) for text in outcome(trace, index)]
    origin, target = ends(trace, step, place)
    yield f"Note over {place}: {said}" if origin == target else f"{origin}->>{target}: {said}"
    plain = answers[:1] in ([], [""], ["accepted"])
    told = [text for text in (answers[1:] if plain else answers) if text]
    for text in told:
        yield f"Note over {place}: {text}"
    violation = trace.violation
    if violation is not None and violation.step == index:
        facts = (
            ("refused by", violation.clause),
            ("violated", trace.property),
            ("unexplained", trace.unexplained),
        )
        for word, text in facts:
            if text:
                yield f"Note over {place}: {word} {escaped(text)}"
