"""
The page put together: the verdict first, then what it rests on, and no script at all.

Its policy, in the first element of its head, allows the one style that stands in it, by its digest, and
nothing besides.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from string import Template

from ...errors import ShardproofError
from ..page.markup import plainly, said
from ..report import Answer
from . import sections


def page(answer: Answer) -> str:
    """The page of a run that came to a verdict."""
    title = f"{answer.verdict.value}: {answer.command} {answer.adapter or 'of the model'}"
    return _assembled(title, sections.heading(answer), sections.body(answer))


def broken(command: str, repeat: str, error: ShardproofError) -> str:
    """The page of a run that came to none."""
    return _assembled(
        f"no verdict: {command}",
        f'<p class="verdict broken">no verdict</p>\n<h1>{said(command, 60)}</h1>',
        sections.error(error, repeat),
    )


def _assembled(title: str, heading: str, body: str) -> str:
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Template(_source("shardproof.render.run", "run.html")).substitute(
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        title=plainly(title),
        style=style,
        heading=heading,
        body=body,
    )


@cache
def _style() -> str:
    sheet = _source("shardproof.render.page", "page.css")
    return f"\n{sheet}\n{_source('shardproof.render.run', 'run.css')}"


@cache
def _source(package: str, name: str) -> str:
    return (files(package) / name).read_text("utf-8")
