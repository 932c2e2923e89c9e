"""The gallery: incidents that happened, as traces with the pages that the command makes of them."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from textwrap import fill

import pytest
from attrs import frozen

from shardproof.adapters.faulty import FAULTS
from shardproof.commands import traces

TOP = Path(__file__).parents[2]
HERE = TOP / "tests"
GALLERY = HERE / "gallery"


@frozen
class Incident:
    """What happened, and the mistake that is of its kind."""

    name: str
    title: str
    when: str
    happened: str

    @property
    def trace(self) -> Path:
        """The trace that shows it, from the top of the repository, where its page says how to replay it."""
        return Path("tests", "traces", f"{self.name}.trace.json")


STORIES = tuple(
    Incident(name, **told)
    for name, told in tomllib.loads((GALLERY / "stories.toml").read_text(encoding="utf-8")).items()
)


@pytest.mark.parametrize("one", STORIES, ids=lambda one: one.name)
def test_the_page_of_each_story_is_what_show_writes(
    one: Incident, golden: Callable[[str, str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody edits a page, and none is of an older version."""
    monkeypatch.chdir(TOP)
    page = Path(traces.show(one.trace, "html", 100, tmp_path))

    golden(f"../gallery/{one.name}.html", page.read_text(encoding="utf-8"))


def test_there_are_no_other_pages() -> None:
    """A story that is gone takes its page with it."""
    assert {page.stem for page in GALLERY.glob("*.html")} == {one.name for one in STORIES}


def test_the_index_names_each_story(golden: Callable[[str, str], None]) -> None:
    """The pages in words, for who reads the repository without a browser."""
    golden("../gallery/README.md", index())


def test_each_story_has_a_source() -> None:
    """What is said to have happened is told somewhere."""
    assert all(FAULTS[one.name].source for one in STORIES)


def index() -> str:
    """The gallery as a page of text."""
    rows = "\n\n".join(
        f"## [{one.title}]({one.name}.html)\n\n{fill(f'{one.when}. {one.happened}', 120)}\n\n"
        f"`shardproof replay tests/traces/{one.name}.trace.json --adapter faulty:{one.name}`\n\n"
        f"Source: {FAULTS[one.name].source}."
        for one in STORIES
    )
    return f"""# Incidents, as short traces

Money was lost to each of these, or nearly. Each is a trace of a few steps that shows its kind, found by
shardproof in a shard with the same mistake; its page opens from disk in a browser. `stories.toml` says what
happened; everything else is made from the traces by `tests/harness/test_gallery.py`.

{rows}
"""
