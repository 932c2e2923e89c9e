"""What random walks have counted, whichever way they went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import frozen

from ...model_trace import Taken

#: A symbol and the sort of a number of it that left its range.
Cut = tuple[str, str]

#: The first milestone, and those of each power of ten from there.
FIRST_MILESTONE = 1_000
PARTS_OF_TEN = (1, 2, 5)


@frozen
class Tally:
    """What was counted."""

    steps: int
    #: Walks that were begun.
    walks: int
    #: The most steps of any.
    deepest: int
    #: Steps -> how many walks were at their end after so many: nothing changed the world any more.
    ended: Mapping[int, int]
    #: Action -> how often it was taken.
    taken: Mapping[str, int]
    #: For each witness, how many walks have shown it.
    shown: tuple[int, ...]
    #: What left its range -> how many steps were cut.
    cut: Mapping[Cut, int]
    #: As `cut`, where a property could not be evaluated.
    unread: frozenset[Cut]
    #: How many different worlds there were: an estimate.
    distinct: int
    #: Whether the last step violates something, or the world before the first.
    violated: bool
    #: Whether nothing changes the initial world.
    stuck: bool
    #: The last walk, as far as it has come.
    path: tuple[Taken, ...]

    def work(self) -> dict[str, int]:
        """What was done."""
        return {
            "steps": self.steps,
            "walks": self.walks,
            "deepest": self.deepest,
            "distinct_estimate": self.distinct,
            "cut": sum(self.cut.values()),
        }


def milestones() -> Iterator[int]:
    """Steps after which one looks how many worlds there were: 1, 2, 5 and 10 thousand, and so on."""
    scale = FIRST_MILESTONE
    while True:
        yield from (part * scale for part in PARTS_OF_TEN)
        scale *= 10
