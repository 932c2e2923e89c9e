"""
Why a compiled search is believed: on its first use it finds what Python finds.

Both search the same protocol at the same scope, Python a little way. The compiled search must find
the same worlds in the same order, and, to the end of the last level that Python has completed, count
the same transitions and see each clause refuse as often.
"""

from __future__ import annotations

from itertools import islice

from ...errors import DisagreementError
from ...readings.native.kernel import Ending, Kernel
from ...readings.native.reduction import Reduced
from .python import PythonSearch
from .question import Question

#: How many worlds Python looks at where nobody has begun a search.
COMPARED = 1_000


def disagreement(
    question: Question, what: str, expected: object = None, got: object = None
) -> DisagreementError:
    """That the two readings of `question` disagree, and where."""
    return DisagreementError(
        f"two readings of {question.protocol.name} disagree: {what}",
        expected=expected,
        got=got,
        help="this is a mistake in shardproof, not in the protocol: please report it",
    )


def must_agree(question: Question, kernel: Kernel, begun: PythonSearch | None) -> None:
    """Raises `DisagreementError` unless the kernel finds what a search in Python does."""
    if begun is None:
        begun = PythonSearch(question)
        begun.run(COMPARED)
    level = begun.level
    if level is None or begun.violated:
        # What is violated at once is worked out in Python anyway.
        return
    with kernel.search(
        worlds_max=level.worlds + 1,
        memory_max=question.memory_max,
        depth_max=None if level.last else level.depth,
    ) as found:
        coverage = found.coverage()
        counted = found.counts
    for what, expected, got in (
        ("worlds", level.worlds, counted.worlds),
        ("transitions", level.transitions, counted.transitions),
        ("depth", level.depth, counted.depth),
        # Of several numbers that leave their range in one step, the readings need not name the same.
        ("steps that were cut", level.cut, sum(coverage.cuts.values())),
        ("what each clause refused", level.decided, coverage.decided),
    ):
        if expected != got:
            raise disagreement(question, f"they count {what} differently", expected, got)
    with kernel.search(worlds_max=len(begun.came_from), memory_max=question.memory_max) as found:
        worlds = [found.world(position) for position in range(found.counts.worlds)]
    for position, (packed, world) in enumerate(zip(begun.came_from, worlds, strict=False)):
        if (plain := begun.stepping.plain(packed)) != world:
            raise disagreement(question, f"world {position} is not the same", plain, world)


def must_agree_reduced(question: Question, kernel: Kernel, reduced: Reduced, begun: PythonSearch) -> None:
    """
    Raises `DisagreementError` unless a kernel finds just what stands for the worlds that Python finds.

    The kernel leaves something out and Python does not, so this is also a test of what may be. To the
    end of the last level that Python has completed, the worlds of the kernel must be just those that
    stand for its worlds; and more only where Python has cut off a step, perhaps by a number that no
    property sees.
    """
    level = begun.level
    if level is None or begun.violated:
        return
    expected = {
        reduced.representative(begun.stepping.plain(world)) for world in islice(begun.came_from, level.worlds)
    }
    with kernel.search(
        # One more than can be right.
        worlds_max=level.worlds + 1 if not level.cut else question.worlds_max,
        memory_max=question.memory_max,
        depth_max=level.depth,
    ) as found:
        if found.ending is Ending.VIOLATED:
            # Whether that is so of the whole protocol, Python is asked when it is told.
            return
        worlds = {tuple(kernel.pack(found.world(position))) for position in range(found.counts.worlds)}
    missing, more = expected - worlds, worlds - expected
    if missing:
        raise disagreement(question, "something was left out that does matter", len(expected), len(worlds))
    if more and not level.cut:
        raise disagreement(question, "there are worlds that stand for none", len(expected), len(worlds))
