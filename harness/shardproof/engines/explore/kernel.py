"""
The compiled search, with the same answer as the one in Python.

The kernel counts worlds and says where it ended; everything that has a name, the steps of a trace
and the sentences that are violated, is worked out in Python from the worlds that it found. So a
finding of the compiled search has been seen twice.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from attrs import frozen

from shardproof_properties.property import Property

from ...model_trace import Taken
from ...readings.evaluate import World
from ...readings.native.compiler import cached, library
from ...readings.native.kernel import Counts, Ending, Found, Kernel, program_of
from ...readings.native.program import Program, Sentences
from .agreement import disagreement, must_agree
from .answer import Answer, memory_reached, worlds_reached
from .python import PythonSearch
from .question import Question
from .stepping import Instance, Stepping


@frozen(eq=False)
class KernelSearch:
    """A question, and the kernel that was compiled for it."""

    question: Question
    kernel: Kernel

    @classmethod
    def of(cls, question: Question, begun: PythonSearch | None = None) -> KernelSearch:
        """
        A compiled search, checked if it is new against one that Python has `begun`.

        Raises `TooWideError`, `CompilerError`, and `DisagreementError`.
        """
        return cls.compiled(question, program(question), begun)

    @classmethod
    def compiled(cls, question: Question, made: Program, begun: PythonSearch | None) -> KernelSearch:
        """The same, for a program that is there already."""
        kernel = Kernel(made, library(made.source))
        if kernel.library.fresh:
            must_agree(question, kernel, begun)
            kernel.library.keep()
        return cls(question, kernel)

    @classmethod
    def cached(cls, question: Question, made: Program) -> KernelSearch | None:
        """A compiled search, if it has been compiled before. Raises `CompilerError`."""
        kept = cached(made.source)
        return None if kept is None else cls(question, Kernel(made, kept))

    def answer(self) -> Answer:
        """What the search found."""
        with self.kernel.search(
            worlds_max=self.question.worlds_max,
            memory_max=self.question.memory_max,
            depth_max=self.question.depth_max,
            threads=self.question.threads,
            progress=looking(self.question),
        ) as found:
            made = self._answer(found)
        self.question.progress(made.work())
        return made

    def _answer(self, found: Found) -> Answer:
        stepping = Stepping(self.question)
        violated: tuple[Property, ...] = ()
        path: tuple[Taken, ...] = ()
        if found.ending is Ending.VIOLATED:
            worlds = (
                found.path_to(found.source) if found.counts.transitions else (self.kernel.program.initial,)
            )
            path = tuple(_step(self.question, before, after) for before, after in pairwise(worlds))
            violated, last = self._violated(stepping, found, worlds[-1])
            path = (*path, *last)
        elif found.full:
            self._partly(stepping, found, found.world(found.source))
        seen = dict(zip(self.question.witnesses, found.seen, strict=True))
        cut = dict(stepping.cut)
        guards = stepping.guards
        coverage = found.coverage()
        for action, (accepted, *refused) in coverage.decided.items():
            row = guards.rows[action]
            row[1] += accepted
            for clause, count in enumerate(refused, 1):
                row[clause << 1] += count
        for beyond, count in coverage.cuts.items():
            cut[beyond.symbol, beyond.sort] = cut.get((beyond.symbol, beyond.sort), 0) + count
        return Answer(
            found.counts.worlds,
            found.counts.transitions,
            found.counts.depth,
            guards,
            unfinished=found.counts.worlds > found.expanded,
            limit=limit_of(self.question, found),
            cut=cut,
            unread=frozenset((b.symbol, b.sort) for b in found.unread),
            violated=violated,
            path=path,
            levels=found.levels,
            unreached=tuple(p for p, was_seen in seen.items() if not was_seen),
        )

    def _partly(self, stepping: Stepping, found: Found, world: World) -> tuple[Instance, World]:
        """The step at which the search ended; those before it, from the same world, are counted with it."""
        steps = enumerate(stepping.successors(stepping.from_plain(world)))
        for number, (instance, after) in steps:
            if number == found.ordinal:
                return instance, stepping.plain(after)
        raise disagreement(self.question, "a world has fewer successors in Python")

    def _violated(
        self, stepping: Stepping, found: Found, world: World
    ) -> tuple[tuple[Property, ...], tuple[Taken, ...]]:
        """What the last step violates, and that step; no step if the initial world violates it."""
        before = stepping.from_plain(world)
        broken: list[Property] = []
        taken: tuple[Taken, ...] = ()
        after = before
        if found.counts.transitions:
            instance, reached = self._partly(stepping, found, world)
            taken, after = ((instance.action, instance.args),), stepping.from_plain(reached)
            checks = map(stepping.check, self.question.steps)
            broken = [c.property for c in checks if not stepping.holds(c, before, after)]
        checks = map(stepping.check, self.question.invariants)
        violated = (*broken, *(c.property for c in checks if not stepping.holds(c, after)))
        if not violated:
            raise disagreement(self.question, "what the compiled search says is violated holds in Python")
        return violated, taken


def looking(question: Question) -> Callable[[Counts], None]:
    """Tells whoever asks `question` how far the search has come."""

    def look(counts: Counts) -> None:
        question.progress(
            {
                "worlds": counts.worlds,
                "transitions": counts.transitions,
                "depth": counts.depth,
                "cut": counts.cut,
                "frontier": counts.frontier,
            }
        )

    return look


def limit_of(question: Question, found: Found) -> str:
    """Which limit ended a search, as a sentence."""
    if found.full or found.ending is Ending.WORLDS:
        return worlds_reached(question)
    return memory_reached(question) if found.ending is Ending.MEMORY else ""


def program(question: Question) -> Program:
    """The program that answers `question`. Raises `TooWideError`."""
    asked = (question.invariants, question.steps, question.witnesses)
    sentences = Sentences(*(tuple(p.formula for p in properties) for properties in asked))
    return program_of(question.protocol, question.scope, sentences, question.reductions)


def _step(question: Question, before: World, after: World) -> Taken:
    """The first attempt that leads from one world to the next."""
    stepping = Stepping(question)
    wanted = stepping.from_plain(after)
    for instance, reached in stepping.successors(stepping.from_plain(before)):
        if reached == wanted:
            return instance.action, instance.args
    raise disagreement(question, "a step of the compiled search is none in Python")
