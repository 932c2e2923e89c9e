"""
The sequence diagram as drawings that need no script, and print: one for each row.

A page of paper ends between rows and never within one, and the names of the lanes stand on each page,
because rows are those of a table. `diagram.js` draws the same for a window of any size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from ...story.told import Story
from ..diagram import shown_steps
from .markup import plainly

#: In units of about a pixel, as wide as a page of paper.
_WIDTH, _ROW, _HEAD = 690, 46, 30
_SIDE, _LANE_MIN, _LANE_MAX = 210, 66, 190

#: About the width of a letter: of labels, of answers, of names.
_LABEL, _ANSWER, _NAME = 7.3, 6.6, 7.6

#: Of more lanes no letter could be read on paper.
LANES_MAX = 12


@frozen
class _Plan:
    """Where the lanes are."""

    kinds: tuple[str, ...]
    gutter: float
    gap: float
    #: Where answers begin.
    right: float

    def at(self, lane: int) -> float:
        """The x of a lane."""
        return round(self.gutter + self.gap * (lane + 0.5), 1)


def sequence(story: Story, content: Mapping[str, Any]) -> str:
    """A figure of the steps of `content`; nothing for no steps, a sentence for too many lanes."""
    lanes, steps = content["lanes"], content["steps"]
    if not steps:
        return ""
    if len(lanes) > LANES_MAX:
        return f"<p>{len(lanes)} lanes are too many to be drawn on paper; all steps are below.</p>"
    gutter = 30 + 8 * len(str(len(steps)))
    gap = max(_LANE_MIN, min(_LANE_MAX, (_WIDTH - gutter - _SIDE) / len(lanes)))
    plan = _Plan(tuple(lane["kind"] for lane in lanes), gutter, gap, gutter + gap * len(lanes))
    names = ", ".join(lane["name"] for lane in lanes)
    rows = "\n".join(f"<tr><td>{row}</td></tr>" for row in _rows(plan, steps, shown_steps(story.trace)))
    return (
        '<figure class="card sequence">\n<figcaption><h2>What happens</h2></figcaption>\n'
        '<div class="wide" tabindex="0" role="region" aria-label="Sequence diagram">\n'
        f'<div role="img" aria-label="Sequence diagram with the lanes {plainly(names, 1_000)}. '
        'All steps are told in words below."><table>\n'
        f"<thead><tr><td>{_heads(plan, lanes)}</td></tr></thead>\n<tbody>{rows}</tbody></table></div></div>\n"
        "</figure>"
    )


def _heads(plan: _Plan, lanes: Sequence[Mapping[str, str]]) -> str:
    return _drawing(
        plan,
        _HEAD,
        "".join(
            f'<text class="head {lane["kind"]}" x="{plan.at(i):g}" y="20">'
            f"{plainly(_short(lane['name'], int(plan.gap / _NAME)))}</text>"
            for i, lane in enumerate(lanes)
        ),
    )


def _rows(plan: _Plan, steps: Sequence[Mapping[str, Any]], shown: Sequence[int]) -> Iterator[str]:
    """The rows of the steps that are shown, and one wherever some are left out."""
    after = 0
    for index in shown:
        if index > after:
            gap = f'<text class="label" x="{plan.gutter:g}" y="26">… {index - after:,} steps …</text>'
            yield _drawing(plan, _ROW, f'<g class="row">{gap}</g>')
        after = index + 1
        yield _row(plan, steps[index], index + 1)


def _row(plan: _Plan, step: Mapping[str, Any], number: int) -> str:
    kinds = ("row", "wrong" * bool(step.get("wrong")), "tampered" * bool(step.get("tampered")))
    wrong = "✕ " if step.get("wrong") else ""
    y = 30
    drawn = (
        f'<rect class="band" x="0" y="1" width="{plan.right + _SIDE:g}" height="{_ROW - 2}" rx="6"/>'
        f"{_lanes(plan)}"
        f'<text class="number" x="{plan.gutter - 10:g}" y="{y + 4}">{wrong}{number}</text>'
        f"{''.join(_event(plan, step, y) if step['from'] == step['to'] else _arrow(plan, step, y))}"
        f"{''.join(_answers(plan, step, y))}"
    )
    return _drawing(plan, _ROW, f'<g class="{" ".join(kind for kind in kinds if kind)}">{drawn}</g>')


def _lanes(plan: _Plan) -> str:
    # A little longer than the row: rows may end at a part of a pixel.
    ways: dict[str, str] = {}
    for lane, kind in enumerate(plan.kinds):
        ways[kind] = f"{ways.get(kind, '')}M{plan.at(lane):g} -1v{_ROW + 2}"
    return "".join(f'<path class="lane {kind}" d="{way}"/>' for kind, way in ways.items())


def _event(plan: _Plan, step: Mapping[str, Any], y: int) -> Iterator[str]:
    x = plan.at(step["from"])
    yield _cross(x, y) if _refused(step) else f'<circle class="mark" cx="{x:g}" cy="{y}" r="4.5"/>'
    width = len(step["label"]) * _LABEL
    fits = x + 14 + width <= plan.right - 8
    yield _label(plan, step, x + 12, y + 4) if fits else _label(plan, step, x - width / 2, y - 10)


def _arrow(plan: _Plan, step: Mapping[str, Any], y: int) -> Iterator[str]:
    start, end, refused = plan.at(step["from"]), plan.at(step["to"]), _refused(step)
    way = 1 if end > start else -1
    tip = end - way * (12 if refused else 2)
    yield f'<path class="arrow{" refused" * refused}" d="M{start:g} {y}H{tip:g}"/>'
    yield (
        _cross(tip, y) if refused else f'<path class="mark" d="M{end - way * 2:g} {y}l{-way * 9} -5v10z"/>'
    )
    yield _label(plan, step, min(start, end) + 8, y - 8)


def _cross(x: float, y: int) -> str:
    return f'<path class="cross" d="M{x - 5:g} {y - 5}l10 10m0 -10l-10 10"/>'


def _label(plan: _Plan, step: Mapping[str, Any], x: float, y: int) -> str:
    """What is tried, begun so far to the left that all of it is seen."""
    text = _short(step["label"], int((plan.right - plan.gutter - 8) / _LABEL))
    at = max(plan.gutter, min(x, plan.right - 8 - len(text) * _LABEL))
    return f'<text class="label" x="{at:.0f}" y="{y}">{plainly(text)}</text>'


def _answers(plan: _Plan, step: Mapping[str, Any], y: int) -> Iterator[str]:
    said: list[tuple[str, str]] = step.get("answers", [])
    same = len(said) < 2 or said[0][1] == said[1][1]
    lines = [what for _, what in said[:1]] if same else [f"{who}: {what}" for who, what in said]
    if same and step.get("differs"):
        lines.append(step["differs"])
    kind, first = ("answer apart", y - 5) if len(lines) > 1 else ("answer", y + 4)
    for i, line in enumerate(lines):
        text = plainly(_short(line, int((_SIDE - 12) / _ANSWER)))
        yield f'<text class="{kind}" x="{plan.right:g}" y="{first + 15 * i}">{text}</text>'


def _refused(step: Mapping[str, Any]) -> bool:
    """What the system made of it: its own answer is the last one."""
    said = step.get("answers", [])
    return bool(said) and said[-1][1].startswith("refused")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(most - 1, 1)]}…"


def _drawing(plan: _Plan, height: int, inside: str) -> str:
    return f'<svg viewBox="0 0 {plan.right + _SIDE:g} {height}">{inside}</svg>'
