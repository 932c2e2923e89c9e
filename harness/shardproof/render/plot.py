"""
Numbers as drawings: a line in steps, and bars. Inline SVG, without a script and without a style of its own.

A drawing is read by everybody: it has a title and a sentence that says what it shows, and the numbers
stand beside it in a table. Colours are those of the page, by the names of classes, so that a drawing is
as dark as the page is, and prints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import frozen

from .page.markup import plainly, said

#: Of a drawing, in units of about a pixel on a narrow page.
WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 58, 14, 12, 40

#: Rows of the table beside a line: enough to read it, few enough to be read.
ROWS = 12


@frozen
class Line:
    """What is drawn as a line: points of (x, y), where a value lasts until the next one."""

    title: str
    points: Sequence[tuple[int, int]]
    across: str
    up: str
    #: Places on the x axis that are marked, each with what happened there.
    marks: Sequence[tuple[int, str]] = ()


def line(drawn: Line, name: str) -> str:
    """The line as a figure; `name` is that of its elements on the page. Nothing for no points."""
    if not drawn.points:
        return ""
    low, high = drawn.points[0][0], drawn.points[-1][0]
    right = _nice(max(high, low + 1, *(at for at, _ in drawn.marks)))
    top = _nice(max(1, *(y for _, y in drawn.points)))

    def x(value: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * value / right, 1)

    def y(value: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top, 1)

    (first_x, first_y), *rest = drawn.points
    path = f"M{x(first_x)} {y(first_y)}" + "".join(f"H{x(a)}V{y(b)}" for a, b in rest)
    parts = [
        *(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v)}" y2="{y(v)}"/>'
            f'<text class="up" x="{LEFT - 6}" y="{y(v) + 4}">{_short(v)}</text>'
            for v in (top, top / 2, 0)
        ),
        *(
            f'<text class="{way}" x="{x(v)}" y="{HEIGHT - BOTTOM + 16}">{_short(v)}</text>'
            for v, way in ((0, "along"), (right / 2, "along"), (right, "end"))
        ),
        f'<text class="name end" x="{WIDTH - RIGHT}" y="{HEIGHT - 6}">{plainly(drawn.across, 60)}</text>',
        f'<path class="course" d="{path}"/>',
        *_marks(drawn, x),
    ]
    return _figure(name, drawn.title, _sentence(drawn), "".join(parts), _table(drawn))


def _marks(drawn: Line, x: Callable[[float], float]) -> Iterator[str]:
    for at, what in drawn.marks:
        place = x(at)
        # A shape as well as a colour, and a word for those who point at it.
        yield (
            f'<g class="event"><title>{plainly(what, 200)}</title>'
            f'<line x1="{place}" x2="{place}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            f'<path d="M{place - 5} {TOP - 8}h10l-5 8z"/></g>'
        )


def _sentence(drawn: Line) -> str:
    (x0, y0), (x1, y1) = drawn.points[0], drawn.points[-1]
    marks = "; ".join(f"{what} at {at:,}" for at, what in drawn.marks)
    told = f"from {y0:,} at {x0:,} {drawn.across} to {y1:,} at {x1:,}"
    return f"{drawn.up}, {told}{f'; {marks}' if marks else ''}"


def _table(drawn: Line) -> str:
    count = len(drawn.points)
    rows = (
        drawn.points if count <= ROWS else [drawn.points[i * (count - 1) // (ROWS - 1)] for i in range(ROWS)]
    )
    cells = "".join(f"<tr><td>{x:,}</td><td>{y:,}</td></tr>" for x, y in rows)
    return (
        f'<thead><tr><th scope="col">{said(drawn.across, 60)}</th>'
        f'<th scope="col">{said(drawn.up, 60)}</th></tr></thead><tbody>{cells}</tbody>'
    )


def _figure(name: str, title: str, sentence: str, inside: str, table: str) -> str:
    return (
        f'<figure class="plot"><figcaption>{said(title, 120)}</figcaption>\n'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{plainly(title)}</title>'
        f'<desc id="{name}-desc">{plainly(sentence)}</desc>{inside}</svg>\n'
        f"<details><summary>as a table</summary><table>{table}</table></details></figure>"
    )


def bars(rows: Sequence[tuple[str, float, str]], caption: str, head: tuple[str, str]) -> str:
    """Rows of (label, length, what is said of it) as a table with a bar in each; the longest is full."""
    most = max((length for _, length, _ in rows), default=0) or 1
    told = "\n".join(
        f'<tr><th scope="row">{said(label, 120)}</th><td class="bar">{_bar(length / most)}</td>'
        f'<td class="number">{said(text, 200)}</td></tr>'
        for label, length, text in rows
    )
    return (
        f'<table class="bars"><caption>{said(caption, 200)}</caption>'
        f'<thead><tr><th scope="col">{said(head[0])}</th><td></td>'
        f'<th scope="col" class="number">{said(head[1])}</th></tr></thead>\n<tbody>{told}</tbody></table>'
    )


def _bar(share: float) -> str:
    # What there is at all is seen; what there is none of is not.
    width = 0 if share <= 0 else max(share * 100, 0.5)
    return (
        '<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{width:.1f}" height="8"/></svg>'
    )


def _nice(value: float) -> float:
    """The smallest number of one or two plain digits that is no smaller: the end of an axis."""
    power = 1
    while power * 10 < value:
        power *= 10
    return next(power * n for n in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if power * n >= value)


def _short(value: float) -> str:
    """A number on an axis, in few characters."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**4, "k")):
        if value >= size:
            return f"{value / (10**3 if unit == 'k' else size):g}{unit}"
    return f"{value:g}"
