"""
Random walks of a protocol, in scopes that are too wide for every trace.

Each walk begins at the initial world and takes, again and again, one of the attempts that are
accepted and change something, until none does or until it is long enough. Every world is checked
against every invariant, every step against every step property. Walks also measure: how deep a
protocol is, how often each action is taken, in how many walks a witness is seen, and whether new
worlds still turn up.

That nothing was violated says only that these walks met nothing: what holds, holds for what was run.

A seed decides all walks, whichever way they are taken: `python` needs nothing but Python, `kernel` a
C compiler. A violation is taken again in Python, step by step, before it is believed, and then
shortened.
"""

from __future__ import annotations

from collections.abc import Callable

from shardproof_models.language.protocol import Protocol
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property

from ...errors import UsageError
from ...readings.asked import LOOKED_AT, Progress, Way, must_be_spoken_of
from ...readings.native.compiler import CompilerError
from ...readings.native.packing import TooWideError
from ...readings.native.walking import Walks
from ...readings.scope import Scope
from ...verdict import Report
from .answer import Answer, report
from .kernel import KernelWalker, disagreement, program
from .python import PythonWalker
from .question import Question
from .stepping import Stepping
from .tally import milestones

__all__ = ["LENGTH", "Progress", "Way", "simulate"]

#: Steps of a walk, unless somebody says otherwise: several times what most protocols have to do.
LENGTH = 500

#: Steps that Python takes before a compiler is worth its time.
FEW = 500


def simulate(
    protocol: Protocol,
    scope: Scope,
    *,
    seed: int,
    steps: int | None = None,
    seconds: float | None = None,
    clock: Callable[[], float],
    length: int = LENGTH,
    properties: tuple[Property, ...] | None = None,
    way: Way = Way.EITHER,
    progress: Progress | None = None,
) -> Report:
    """
    Random walks of `protocol` within `scope`, of `length` steps at most, until `steps` or `seconds` are over.

    Stops at the first violation. Raises `UsageError` where the scope is not one that the protocol
    speaks of or the walks have no end, and whatever `progress` raises.
    """
    if steps is None and seconds is None:
        raise UsageError("random walks need an end", help="give them steps or seconds")
    if length < 1 or (steps is not None and steps < 1):
        raise UsageError("a walk needs at least one step", got=f"{steps}, {length}")
    must_be_spoken_of(protocol, scope)
    begin = clock()
    chosen = properties_of(protocol, *LOOKED_AT) if properties is None else properties
    question = Question(protocol, scope, chosen, seed, length, steps)
    walker, because = _walker(question, way)
    reached = _walk(
        question, walker, lambda: seconds is not None and clock() - begin >= seconds, progress or _silent
    )
    return report(question, _answer(question, walker, reached, because), clock() - begin)


def _silent(counts: object) -> None:
    """Nobody wants to know."""


def _walker(question: Question, way: Way) -> tuple[KernelWalker | PythonWalker, str]:
    """Who walks, and why it is Python if it should not be."""
    made: Walks | None = None
    try:
        made = program(question)
        if way is Way.KERNEL:
            return KernelWalker.of(question, made), ""
        few = question.steps_max is not None and question.steps_max <= FEW
        if way is Way.PYTHON or few:
            # What was compiled before is taken even for few steps; nothing else tells them apart.
            kept = KernelWalker.cached(question, made) if way is Way.EITHER else None
            return kept or PythonWalker(question, made.packing), ""
        return KernelWalker.of(question, made), ""
    except (CompilerError, TooWideError) as error:
        if way is Way.KERNEL:
            raise
        python = PythonWalker(question, None if made is None else made.packing)
        # A compiler that would not have been asked is not missed.
        few = question.steps_max is not None and question.steps_max <= FEW
        return python, "" if few or way is Way.PYTHON else error.summary


def _walk(
    question: Question, walker: KernelWalker | PythonWalker, late: Callable[[], bool], progress: Progress
) -> list[tuple[int, int]]:
    """Walk to the end; the milestones that were passed, and how many worlds there were by then."""
    reached: list[tuple[int, int]] = []
    ahead = milestones()
    milestone, steps = next(ahead), 0
    while question.steps_max is None or steps < question.steps_max:
        wanted = min(steps + walker.at_once, milestone, question.steps_max or milestone)
        walker.go_on(wanted)
        tally = walker.tally()
        progress(tally.work())
        steps = tally.steps
        if steps == milestone:
            reached.append((steps, tally.distinct))
            milestone = next(ahead)
        if steps < wanted or tally.violated or late():
            break
    return reached


def _answer(
    question: Question, walker: KernelWalker | PythonWalker, reached: list[tuple[int, int]], because: str
) -> Answer:
    tally = walker.tally()
    if not tally.violated:
        return Answer(tally, reached, because=because)
    stepping = Stepping(question)
    path, violated = stepping.first_violation(tally.path, strict=True)
    if not violated or len(path) != len(tally.path):
        raise disagreement(question, "what the walks say is violated holds in Python")
    wanted = violated[0]
    shorter = stepping.shortened(path, wanted)
    _, violated = stepping.first_violation(shorter)
    others = tuple(p for p in violated if p is not wanted)
    return Answer(tally, reached, (wanted, *others), shorter, len(path), because)
