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
from ..story.told import Story
from ..trace import Trace
from . import itf, markdown, mermaid, pytest_test, shiviz, text
from .named import to_run_on
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
        """The trace as it was read, in the words of every form."""
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
    return text.trace(shown.trace, shown.width, ascii_only=shown.ascii_only)


def _json(shown: Shown) -> str:
    return trace_file.dumps(shown.trace).decode("ascii")


def _itf(shown: Shown) -> str:
    return itf.write(shown.story)


def _mermaid(shown: Shown) -> str:
    return mermaid.write(shown.trace)


def _shiviz(shown: Shown) -> str:
    return shiviz.write(shown.trace)


def _markdown(shown: Shown) -> str:
    return markdown.write(shown.story, shown.path)


def _pytest(shown: Shown) -> str:
    return pytest_test.write(shown.trace)


def _html(shown: Shown) -> str:
    return page(shown.story, text.replay_line(shown.path, *to_run_on(shown.trace)))


#: Every form by name; the first one is what is shown if nothing else is asked for.
FORMS: Final[Mapping[str, Form]] = {
    "text": Form(".txt", "the story, for a terminal", _text),
    "json": Form(".trace.json", "the trace itself", _json),
    "markdown": Form(".md", "the story, to be pasted into an issue", _markdown),
    "pytest": Form("_test.py", "a regression test that fails until the system is fixed", _pytest),
    "mermaid": Form(".mmd", "a sequence diagram, for whatever renders Mermaid", _mermaid),
    "shiviz": Form(".shiviz.log", "a log with vector clocks, for ShiViz", _shiviz),
    "itf": Form(".itf.json", "states and actions, for tools of model checkers; is read like a trace", _itf),
    "html": Form(".html", "a page to step through, for a browser", _html, kept=True),
}
