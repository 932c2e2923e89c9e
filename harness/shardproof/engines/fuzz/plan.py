"""How much to search, and from which seed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

Progress = Callable[[Mapping[str, int]], None]

#: Shards that may be founded in a run, where shards split and merge.
RESERVE = 4


@frozen
class Plan:
    """How much to search, and from which seed."""

    seed: int
    seconds: float | None = None
    steps: int | None = None
    shards: int = 3
    depth: int = 60
    #: Receipts that are kept under way all the time, for systems that are to be tried under load.
    crowd: int = 0
    #: Whether some runs begin with what leads to a rare world of the model.
    rare: bool = False
    properties: tuple[str, ...] = ()
    #: The stack that the system follows, if it does not say so itself.
    stack: str = ""
    #: Moves to run for each finding, when the search is over, to learn whether a shorter one exists.
    certify: int | None = None
    #: Properties that the system is known to violate: nothing to stop for.
    expected: frozenset[str] = frozenset()
