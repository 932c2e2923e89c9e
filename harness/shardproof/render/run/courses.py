"""How the searches went on, as lines, and how long each took."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from .. import plot
from ..report import Answer

#: What lines go by, besides steps: a search of every trace goes level by level, and a proof has no steps.
_ACROSS = {"depth": "depth, in steps", "effort": "effort of the solver, in its own unit"}


def courses(answer: Answer) -> str:
    """A figure for each series, and the time of each engine."""
    figures = "\n".join(f'<div class="card">{figure}</div>' for figure in _figures(answer))
    return f'<div class="two">\n{figures}\n</div>' if figures else ""


def _figures(answer: Answer) -> Iterator[str]:
    drawings = count()
    for report in answer.reports:
        for name, points in report.series.items():
            # Most searches take steps; of some, the name of the line says what they go by.
            counted, _, by = name.rpartition(" by ")
            across, up = (_ACROSS[by], counted) if by in _ACROSS else ("steps", name)
            marks = tuple(
                (found.trace.search.steps, found.property)
                for found in report.findings
                if across == "steps" and found.trace.search.steps
            )
            drawn = plot.Line(f"{report.engine}: {name}", points, across, up, marks)
            yield plot.line(drawn, f"course-{next(drawings)}")
    times = [
        (report.engine, report.seconds, f"{report.seconds:.1f} s")
        for report in answer.reports
        if report.seconds
    ]
    if times:
        yield plot.bars(times, f"Time, of {answer.seconds:.1f} s in all", ("engine", "seconds"))
