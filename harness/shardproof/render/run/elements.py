"""The elements that sections of a page of a run are made of, as plain HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable

from .. import inert
from ..page.markup import said


def section(name: str, title: str, inside: str) -> str:
    """A section under its title; nothing where it has nothing to say."""
    if not inside:
        return ""
    return (
        f'<section id="{name}" aria-labelledby="{name}-title">\n'
        f'<h2 id="{name}-title">{title}</h2>\n{inside}\n</section>'
    )


def stack(parts: Iterable[str]) -> str:
    """Cards, one below the other."""
    cards = "\n".join(f'<article class="card">\n{part}\n</article>' for part in parts)
    return f'<div class="stack">\n{cards}\n</div>' if cards else ""


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """Labels, and HTML that is said of them."""
    told = "\n".join(f"<div><dt>{said(a, 200)}</dt><dd>{b}</dd></div>" for a, b in rows if b)
    return f"<dl>\n{told}\n</dl>" if told else ""


def listed(lines: Iterable[str], kind: str) -> str:
    """Lines as a list of a kind."""
    told = "".join(f"<li>{said(line)}</li>" for line in lines)
    return f'<ul class="{kind}">{told}</ul>' if told else ""


def rows(title: str, values: Iterable[tuple[str, str]], head: tuple[str, str]) -> str:
    """A table of two columns."""
    told = "\n".join(f'<tr><th scope="row">{said(a, 200)}</th><td>{said(b)}</td></tr>' for a, b in values)
    top = (
        f'<thead><tr><th scope="col">{head[0]}</th><th scope="col">{head[1]}</th></tr></thead>'
        if any(head)
        else ""
    )
    caption = f"<caption>{said(title, 200)}</caption>" if title else ""
    return f"<table>{caption}{top}\n<tbody>{told}</tbody></table>"


def command(typed: str) -> str:
    """A command to be pasted."""
    if not typed:
        return ""
    return f'<p class="replay"><code dir="ltr" tabindex="0" aria-label="command">{block(typed)}</code></p>'


def story(lines: str, label: str) -> str:
    """A drawing in letters, which scrolls where it is wider than the page."""
    return f'<pre class="story" tabindex="0" aria-label="{label}">{block(lines)}</pre>'


def block(lines: str) -> str:
    """Lines of ours, in which foreign text is inert already, and whose spaces mean something."""
    return html.escape(inert.block(lines.rstrip("\n")))
