"""How the searches went on, as lines, and how long each took."""

from __future__ import annotations

from collections.abc import Iterator

from .. import plot
from ..report import Answer


def courses(answer: Answer) -> str:
    """A figure for each series, and the time of each engine."""
    figures = "\n".join(f'<div class="card">{figure}</div>' for figure in _figures(answer))
    return f'<div class="two">\n{figures}\n</div>' if figures else ""


def _figures(answer: Answer) -> Iterator[str]:
    series = ((report, *one) for report in answer.reports for one in report.series.items())
    for number, (report, name, points) in enumerate(series):
        # The tour, the fuzzer and random walks take steps; a search of every trace goes level by level.
        across = "depth, in steps" if name.endswith("by depth") else "steps"
        marks = tuple(
            (found.trace.search.steps, found.property)
            for found in report.findings
            if across == "steps" and found.trace.search.steps
        )
        drawn = plot.Line(f"{report.engine}: {name}", points, across, name.removesuffix(" by depth"), marks)
        yield plot.line(drawn, f"course-{number}")
    times = [
        (report.engine, report.seconds, f"{report.seconds:.1f} s")
        for report in answer.reports
        if report.seconds
    ]
    if times:
        yield plot.bars(times, f"Time, of {answer.seconds:.1f} s in all", ("engine", "seconds"))
