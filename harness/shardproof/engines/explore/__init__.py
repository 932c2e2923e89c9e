"""
Every trace of a protocol within a scope, breadth first.

Every world is checked against every invariant, every step against every step property, and a
violation found this way has no shorter one. What comes out as "holds" was complete: no limit was
reached, no number was cut off that could matter, and what the witnesses name did happen.

There are two ways to search, with one answer: `python` needs nothing but Python, and `kernel` a C
compiler and more than a handful of worlds to be worth it. `question` and `answer` are what they have
in common; `agreement` is why the second is believed.
"""

from __future__ import annotations

from attrs import evolve

from shardproof_models.language.protocol import Protocol
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property

from ...errors import UsageError
from ...readings.asked import LOOKED_AT, Progress, Way, must_be_spoken_of
from ...readings.native.compiler import CompilerError, cached
from ...readings.native.packing import TooWideError
from ...readings.native.reduction import Reductions
from ...readings.scope import Scope
from ...verdict import Report
from . import reduced
from .answer import Answer, report
from .kernel import KernelSearch, program
from .python import PythonSearch
from .question import Question

__all__ = [
    "MEMORY_MAX",
    "PATIENCE",
    "WORLDS_MAX",
    "Progress",
    "Reductions",
    "Way",
    "explore",
]

#: Worlds that Python has looked at before anybody has opened a cache.
FEW = 200

#: Worlds that Python looks at before a compiler is worth its time; most searches of tests end before.
PATIENCE = 2_000

#: What worlds and the table of them may take, unless somebody allows more: half of a small machine.
MEMORY_MAX = 2 << 30

#: More worlds than any memory holds.
WORLDS_MAX = 1 << 39


def explore(
    protocol: Protocol,
    scope: Scope,
    *,
    properties: tuple[Property, ...] | None = None,
    worlds_max: int = 200_000,
    depth_max: int | None = None,
    memory_max: int = MEMORY_MAX,
    threads: int = 1,
    way: Way = Way.EITHER,
    progress: Progress | None = None,
    reductions: Reductions | bool = False,
) -> Report:
    """
    What every trace of `protocol` within `scope` says about `properties`, by default all that apply.

    Stops at the first violation, whose trace is a shortest one; after `worlds_max` worlds or with
    `memory_max` bytes taken, which makes the answer inconclusive; or after `depth_max` steps, which
    the answer then says. With `reductions` it leaves out what the verdict and the length of a trace
    do not depend on, and counts what is left. Raises `UsageError` where the scope is not one that the
    protocol speaks of, and whatever `progress` raises.
    """
    if worlds_max < 1 or (depth_max is not None and depth_max < 0):
        raise UsageError(
            "a search needs at least one world and no negative depth", got=f"{worlds_max}, {depth_max}"
        )
    if threads < 1 or memory_max < 1:
        raise UsageError("a search needs a thread and some memory", got=f"{threads}, {memory_max}")
    must_be_spoken_of(protocol, scope)
    chosen = properties_of(protocol, *LOOKED_AT) if properties is None else properties
    question = Question(
        protocol,
        scope,
        chosen,
        worlds_max,
        depth_max,
        memory_max,
        threads,
        progress or (lambda _: None),
        Reductions() if reductions is True else reductions or None,
    )
    if question.reductions is None or not (question.invariants or question.steps or question.witnesses):
        return report(question, _answer(evolve(question, reductions=None), way))
    return report(question, _reduced(question, way))


def _answer(question: Question, way: Way) -> Answer:
    if way is Way.KERNEL:
        return KernelSearch.of(question).answer()
    python = PythonSearch(question)
    python.run(None if way is Way.PYTHON else FEW)
    if not python.paused:
        return python.answer()
    try:
        made = program(question)
        kernel = KernelSearch.cached(question, made)
        if kernel is None:
            python.run(PATIENCE)
            if not python.paused:
                return python.answer()
            kernel = KernelSearch.compiled(question, made, python)
    except (CompilerError, TooWideError) as error:
        python.run(None)
        # A compiler that would not have been asked is not missed.
        few = len(python.came_from) < PATIENCE
        return python.answer() if few else evolve(python.answer(), because=error.summary)
    return kernel.answer()


def _reduced(question: Question, way: Way) -> Answer:
    whole = evolve(question, reductions=None)
    python = PythonSearch(whole)
    if way is not Way.KERNEL:
        python.run(None if way is Way.PYTHON else FEW)
        if not python.paused:
            return _as_it_is(python, "Python was asked for" if way is Way.PYTHON else "there are few worlds")
    made = reduced.parts(question)
    try:
        if any(p.program is not None and cached(p.program.source) is None for p in made):
            python.run(PATIENCE)
            if not python.paused and way is not Way.KERNEL:
                return _as_it_is(python, "there are few worlds")
        return reduced.answer(question, made, python, lambda q: _answer(q, way))
    except CompilerError as error:
        if way is Way.KERNEL:
            raise
        python.run(None)
        return evolve(_as_it_is(python, error.summary), because=error.summary)


def _as_it_is(python: PythonSearch, because: str) -> Answer:
    return evolve(python.answer(), left_out=(("nothing", because),))
