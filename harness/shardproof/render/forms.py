"""
The forms in which a trace can be shown: for people, for other tools, and as a test.

Each is a function of the same story, so all of them say the same. A form that is read in another
program than a terminal is kept as a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from .. import trace_file
from ..loading import BUILT_IN
from ..story.told import Story
from ..trace import Trace
from . import text
from .page.document import page


@frozen
class Shown:
    """A trace that is to be shown, and where."""

    story: Story
    #: The file that it was read from.
    path: Path
    #: Cells of a terminal.
    width: int = 100
    ascii_only: bool = False

    @property
    def trace(self) -> Trace:
        """The trace as it was read."""
        return self.story.trace


@frozen
class Form:
    """One way of showing a trace."""

    #: How its files end.
    suffix: str
    #: What it is, in a few words, for `--help`.
    says: str
    write: Callable[[Shown], str]
    #: Whether it is of no use on a terminal, and so becomes a file.
    kept: bool = False


def _text(shown: Shown) -> str:
    refused_by = shown.story.refused_by
    return text.trace(shown.trace, shown.width, ascii_only=shown.ascii_only, refused_by=refused_by)


def _json(shown: Shown) -> str:
    return trace_file.dumps(shown.trace).decode("ascii")


def _html(shown: Shown) -> str:
    return page(shown.story, text.replay_line(shown.path, *_adapters(shown.trace)))


def _adapters(trace: Trace) -> tuple[str, ...]:
    """Whom to run a trace on: what a file names is not offered to be run, unless it is one of ours."""
    if trace.of_several():
        return ("ONE", "ANOTHER")
    if not any(step.actual for step in trace.steps):
        return ()
    return (trace.adapter if trace.adapter.partition(":")[0] in BUILT_IN else "ADAPTER",)


#: Every form by name; the first one is what is shown if nothing else is asked for.
FORMS: Final[Mapping[str, Form]] = {
    "text": Form(".txt", "the story, for a terminal", _text),
    "json": Form(".trace.json", "the trace itself", _json),
    "html": Form(".html", "a page to step through, for a browser", _html, kept=True),
}
