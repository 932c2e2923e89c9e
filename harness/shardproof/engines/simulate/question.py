"""What is walked about in, for what, and how far."""

from __future__ import annotations

from attrs import frozen

from ...readings.asked import Asked


@frozen(eq=False)
class Question(Asked):
    """What is walked about in, for what, and how far."""

    seed: int
    #: Steps of a walk, at most.
    length: int
    #: Steps in all; none where only time ends it.
    steps_max: int | None
