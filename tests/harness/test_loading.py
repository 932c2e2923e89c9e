from __future__ import annotations

import sys
from pathlib import Path

import pytest

from shardproof.adapters.reference import ReferenceAdapter
from shardproof.errors import EXIT_BROKE, EXIT_USAGE, ShardproofError, UsageError
from shardproof.loading import Source, load, source_of


class Mine(ReferenceAdapter):
    """An adapter that is written here."""


def makes_one() -> Mine:
    """A function is where an adapter is made, and not where it is written."""
    return Mine()


class TestSourceOf:
    def test_is_the_file_and_the_line_of_the_class(self) -> None:
        """Where one looks for what an adapter gets wrong."""
        line = Path(__file__).read_text("utf-8").splitlines().index("class Mine(ReferenceAdapter):") + 1

        assert source_of(Mine) == Source(Path(__file__), line)

    def test_is_nothing_for_what_is_no_class_in_a_file(self) -> None:
        """A function that makes one, and a class that was made while the program ran."""
        made = type("Made", (ReferenceAdapter,), {"__module__": "nowhere"})

        assert source_of(makes_one) is None
        assert source_of(made) is None


@pytest.mark.parametrize(
    "text, status, said",
    [
        ("raise SystemExit(0)", EXIT_BROKE, "raised while it was imported"),
        ("import asyncio\nraise asyncio.CancelledError", EXIT_BROKE, "raised while it was imported"),
        ("1 / 0", EXIT_BROKE, "ZeroDivisionError: division by zero\n  said      own_adapter.py:1"),
        ("def (", EXIT_BROKE, "SyntaxError: invalid syntax (own_adapter.py, line 1)"),
        ("def __getattr__(name): raise SystemExit(0)", EXIT_BROKE, "raised while it was imported"),
        ("import not_there_at_all", EXIT_USAGE, "No module named 'not_there_at_all'"),
        ("Mine = 3", EXIT_USAGE, "is not a class"),
    ],
)
def test_what_goes_wrong_in_an_import_is_told(
    text: str, status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever a module does when it is imported, it ends in an error that names the adapter.
    """
    (tmp_path / "own_adapter.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_adapter", raising=False)

    with pytest.raises(ShardproofError) as error:
        load("own_adapter:Mine")

    assert error.value.exit_code == status
    assert "adapter 'own_adapter:Mine'" in str(error.value)
    assert said in str(error.value)


@pytest.mark.parametrize("name", ["::", ".:Mine", "..mine:Mine", "a..b:Mine", "my folder/mine:Mine"])
def test_a_name_that_no_module_can_have_is_a_wrong_command(name: str) -> None:
    """
    It says nothing of any adapter, so it is exit code 2.
    """
    with pytest.raises(UsageError, match="cannot be imported"):
        load(name)
