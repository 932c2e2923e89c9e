"""
The evidence of the step where a trace goes wrong as a drawing that needs no script, and prints.

The same boxes at the same places as `evidence.js` draws at each step. What is damaged has a cross, a
word and a thick line, so that it is seen without colour; those who see none of it are told by its name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from ...story.told import Moment, Story
from .content import tampered
from .markup import plainly, said, sentence
from .tree import drawn

#: Of a node, in units of about a pixel.
_LEVEL, _SLOT = 58, 104
_WIDTH, _HEIGHT = 92, 28

#: Letters of a name that fit into a box.
_LETTERS = 12


def evidence(story: Story) -> str:
    """A figure of the evidence that matters; empty where nothing was shown that is a tree."""
    moment = _matters(story)
    if moment is None or moment.evidence is None:
        return ""
    shown = drawn(moment.evidence)
    harm = "".join(
        f'\n<p class="harm"><strong>{how}: </strong>{said(what)}</p>' for how, what in shown["harm"]
    )
    return (
        '<figure class="card shown-evidence">\n'
        f"<figcaption><h2>Evidence shown at step {moment.index + 1}</h2>\n"
        f'<p class="says">{sentence(shown["says"], len(story.moments))}</p>{harm}</figcaption>\n'
        f'<div class="wide" tabindex="0" role="region" aria-label="Merkle tree of step {moment.index + 1}">'
        f"{tree(shown)}</div>\n"
        '<p class="legend"><span class="key way">computed on the way up</span> '
        '<span class="key shown">shown by the relayer</span></p>\n</figure>'
    )


def _matters(story: Story) -> Moment | None:
    """Where it goes wrong; if nothing is shown there, the last step before it that was tampered with."""
    wrong = story.trace.violation
    if wrong is None:
        return None
    before = story.moments[: wrong.step + 1]
    with_tree = [moment for moment in before if moment.evidence is not None and moment.evidence.root]
    return next((m for m in reversed(with_tree) if m.index == wrong.step or tampered(m.step)), None)


def tree(shown: dict[str, Any]) -> str:
    """What `tree.drawn` says, as SVG; it must have a tree."""
    layout = _Layout()
    layout.lay(shown["tree"], 0)
    width, height = layout.slots * _SLOT, layout.deepest * _LEVEL + _HEIGHT + 32
    alt = plainly(shown.get("alt") or shown["says"] or "Merkle tree", 2_000)
    return (
        f'<svg class="tree" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{alt}">{"".join((*layout.lines, *layout.boxes))}</svg>'
    )


@define
class _Layout:
    """Boxes and lines, the root on top; each leaf has a slot of its own."""

    lines: list[str] = field(factory=list)
    boxes: list[str] = field(factory=list)
    slots: int = 0
    deepest: int = 0

    def lay(self, node: dict[str, Any], depth: int) -> float:
        """Draw what is below a node, then its box; the x of its middle."""
        self.deepest = max(self.deepest, depth)
        parts = node.get("parts", [])
        below = [self.lay(part, depth + 1) for part in parts]
        y = depth * _LEVEL + 8
        if below:
            x = sum(below) / len(below)
        else:
            x = (self.slots + 0.5) * _SLOT
            self.slots += 1
        self.lines += (
            f'<line class="edge {part["role"]}" x1="{x:g}" y1="{y + _HEIGHT}" x2="{at:g}" y2="{y + _LEVEL}"/>'
            for part, at in zip(parts, below, strict=True)
        )
        self.boxes.append(f'<g class="{_kind(node)}">{"".join(_box(node, x, y))}</g>')
        return x


def _kind(node: dict[str, Any]) -> str:
    kinds = ("node", node["role"], "damaged" * node["damaged"], "folded" * node.get("folded", False))
    return " ".join(kind for kind in kinds if kind)


def _box(node: dict[str, Any], x: float, y: int) -> Iterator[str]:
    left, right, bottom = x - _WIDTH / 2, x + _WIDTH / 2, y + _HEIGHT
    folded = node.get("folded", False)
    yield (
        f'<path d="M{x:g} {y - 4}L{right:g} {bottom}H{left:g}z"/>'
        if folded
        else f'<rect x="{left:g}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
    )
    name = node["name"]
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    yield f'<text x="{x:g}" y="{y + _HEIGHT // 2 + (10 if folded else 4)}">{plainly(short)}</text>'
    if node["damaged"]:
        yield f'<path class="cross" d="M{right - 6:g} {y - 6}l12 12m0 -12l-12 12"/>'
        yield f'<text class="word" x="{x:g}" y="{bottom + 15}">damaged</text>'
    if short != name:
        yield f"<title>{plainly(name)}</title>"
