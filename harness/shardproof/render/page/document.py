"""
The page put together: one file that needs nothing else, and lets nothing else in.

Its policy, in the first element of its head, allows the one style and the one script that stand in
it, by their digests, and nothing besides: no other script, no style in an attribute, no request.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from string import Template

from ...story.told import Story
from . import plain_sequence, plain_tree, prose
from .content import content
from .markup import data, plainly, said

#: In the order in which they need each other.
_SCRIPTS = ("elements.js", "worlds.js", "diagram.js", "evidence.js", "moment.js", "explorer.js")


def page(story: Story, replay: str) -> str:
    """The story as a page; `replay` is the command that runs its trace again."""
    style, script = _style(), _script()
    trace = story.trace
    count = len(story.moments)
    shown = content(story)
    return Template(_source("page.html")).substitute(
        policy=f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; "
        "base-uri 'none'; form-action 'none'",
        title=plainly(f"{trace.property or 'a trace'}, {count} steps, {trace.adapter}", 200),
        style=style,
        script=script,
        heading=prose.heading(trace),
        about=prose.about(trace),
        rule=prose.rule(story),
        explanation=prose.explanation(trace),
        words=prose.words(story),
        telling=prose.telling(story),
        sequence=plain_sequence.sequence(story, shown),
        evidence=plain_tree.evidence(story),
        replay=said(replay.removeprefix("replay with").strip()),
        content=data(shown),
        last=max(count, 1),
    )


@cache
def _source(name: str) -> str:
    return (files(__package__) / name).read_text("utf-8")


def _style() -> str:
    return f"\n{_source('page.css')}"


def _script() -> str:
    # One scope of its own: nothing of it can be reached, or overwritten, from outside.
    parts = "\n".join(_source(name) for name in _SCRIPTS)
    return f'\n"use strict";\n(() => {{\n{parts}}})();\n'


def _digest(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"
