"""What the tests of the harness share: comparing text with a file in `golden/`, to the letter."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Golden = Callable[[str, str], None]

FOLDER = Path(__file__).parents[1] / "golden"


@pytest.fixture
def golden() -> Golden:
    """Compares `text` with the golden file `name`; with UPDATE_GOLDEN=1 in the environment, rewrites it."""

    def compare(name: str, text: str) -> None:
        path = FOLDER / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), (
            f"{name} differs; look at it, then run with UPDATE_GOLDEN=1"
        )

    return compare
