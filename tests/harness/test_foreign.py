from __future__ import annotations

import asyncio

import pytest

from shardproof.errors import AdapterError
from shardproof.foreign import let_through, raised, shown, where


class Mute(Exception):  # noqa: N818 - it is none of ours
    """An error that cannot be asked what it says."""

    def __str__(self) -> str:
        raise SystemExit(0)

    __repr__ = __str__


class TestLetThrough:
    @pytest.mark.parametrize(
        "error, comes",
        [
            (KeyboardInterrupt(), KeyboardInterrupt),
            (BaseExceptionGroup("tasks", [ValueError(), KeyboardInterrupt()]), KeyboardInterrupt),
            (AdapterError("told"), AdapterError),
        ],
    )
    def test_is_for_the_person_at_the_terminal_and_what_is_told(
        self, error: BaseException, comes: type[BaseException]
    ) -> None:
        """
        Ctrl-C ends a run, also where a framework for tasks has wrapped it; an error of ours is told as it is.
        """
        with pytest.raises(comes):
            let_through(error)

    @pytest.mark.parametrize(
        "error", [SystemExit(0), GeneratorExit(), asyncio.CancelledError(), ValueError()], ids=repr
    )
    def test_stops_all_else(self, error: BaseException) -> None:
        """
        What else somebody raises, also what is no `Exception`, is something to tell.
        """
        let_through(error)


class TestTelling:
    def test_says_type_and_text(self) -> None:
        """
        An error is its type and what it says, if it says anything.
        """
        assert raised(ValueError("short")) == "ValueError: short"
        assert raised(asyncio.CancelledError()) == "CancelledError"
        assert shown([1]) == "list: [1]"

    def test_survives_what_cannot_be_asked(self) -> None:
        """
        What an error says is foreign code as well, and may end the process.
        """
        assert raised(Mute()) == "Mute, and SystemExit when it was asked what it says"
        assert shown(Mute()) == "Mute, and SystemExit when it was asked how it looks"

    def test_says_where(self) -> None:
        """
        The innermost place, of what was raised at all.
        """
        with pytest.raises(ValueError) as caught:
            int("x")

        assert "test_foreign.py:" in str(where(caught.value))
        assert where(ValueError()) is None
