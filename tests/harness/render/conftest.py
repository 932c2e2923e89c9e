"""What the tests of forms share: kept traces, and their stories, each told once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from shardproof import trace_file
from shardproof.story.telling import tell
from shardproof.story.told import Story

FOLDER = Path(__file__).parents[2] / "traces"

#: The story of a kept trace, by its name.
Told = Callable[[str], Story]


@cache
def _story(name: str) -> Story:
    return tell(trace_file.load(FOLDER / f"{name}.trace.json"))


@pytest.fixture
def told() -> Told:
    """The story of a kept trace; of each file, made once."""
    return _story
