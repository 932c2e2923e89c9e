"""What is searched, for what, and how far."""

from __future__ import annotations

from attrs import frozen

from ...readings.asked import Asked, Progress
from ...readings.native.reduction import Reductions


@frozen(eq=False)
class Question(Asked):
    """What is searched, for what, and how far."""

    worlds_max: int
    depth_max: int | None
    #: Bytes for worlds and the table of them.
    memory_max: int
    threads: int
    progress: Progress
    #: What may be left out; nothing, if there is none.
    reductions: Reductions | None = None
