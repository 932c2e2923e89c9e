from __future__ import annotations

from pathlib import Path

from shardproof.adapters.reference import ReferenceAdapter
from shardproof.loading import Source, source_of


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
