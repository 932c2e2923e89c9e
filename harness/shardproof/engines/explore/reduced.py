"""
The search that leaves out what its answer does not depend on, with the same verdict.

What is left out, and why that may be, is said in `readings/native/slicing` and `symmetry`. Only a compiled
search does it; where there is none, everything is searched, and the answer says so. A violation is
told as a trace of the whole protocol: its steps are taken again in Python, world by world, along those
worlds that stand for them. It is a shortest one: what is left out makes nothing nearer or farther.
A trace that cannot be taken again left the scope in something that no property sees; then nothing is
left out, and all is searched once more.

Properties whose parts of the protocol do not fit into the words of a world together are searched one part
after the other, those that see less with one of those that see more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from attrs import evolve, frozen

from shardproof_properties.property import Property

from ...coverage import GuardCoverage
from ...model_trace import Taken
from ...readings.native.compiler import cached, library
from ...readings.native.kernel import Ending, Found, Kernel
from ...readings.native.packing import TooWideError
from ...readings.native.program import Program
from ...readings.native.reduction import Reduced
from ...readings.native.slicing import symbols_seen_by
from .agreement import must_agree_reduced
from .answer import Answer
from .kernel import limit_of, looking, program
from .python import PythonSearch
from .question import Question
from .stepping import Check, Packed, Stepping

#: What answers a question where nothing may be left out.
Whole = Callable[[Question], Answer]

#: The words of a world that stands for others.
Words = tuple[int, ...]


@frozen(eq=False)
class Part:
    """Some of the properties, and the program that searches what they see; none if that is too wide."""

    question: Question
    program: Program | None
    because: str = ""


def parts(question: Question) -> tuple[Part, ...]:
    """The properties together, if what they see fits into the words of a world; else in parts."""
    whole = _part(question)
    if whole.program is not None:
        return (whole,)
    groups = tuple(_groups(question))
    if len(groups) == 1:
        return (whole,)
    made = [_part(evolve(question, chosen=group)) for group in groups]
    fitting = [p for p in made if p.program is not None]
    wide = [p for p in made if p.program is None]
    if wide:
        # What has to be searched as a whole is searched once.
        names = {p.name for part in wide for p in part.question.chosen}
        rest = tuple(p for p in question.chosen if p.name in names)
        fitting.append(Part(evolve(question, chosen=rest), None, wide[0].because))
    return tuple(fitting)


def _part(question: Question) -> Part:
    try:
        return Part(question, program(question))
    except TooWideError as error:
        return Part(question, None, error.summary)


def _groups(question: Question) -> Iterator[tuple[Property, ...]]:
    """The properties, by what they see; those that see less are with one of those that see more."""
    protocol = question.protocol
    seen = {p: symbols_seen_by(protocol, (p.formula,)) for p in question.chosen}
    largest = [s for s in dict.fromkeys(seen.values()) if not any(s < more for more in seen.values())]
    for most in largest:
        # The first that sees all of it.
        yield tuple(p for p, s in seen.items() if next(m for m in largest if s <= m) == most)


def answer(question: Question, made: Iterable[Part], begun: PythonSearch, whole: Whole) -> Answer:
    """What searches of all parts have found, put together. Raises `CompilerError`."""
    answers: list[Answer] = []
    nearest: int | None = question.depth_max
    for part in made:
        asked = evolve(part.question, depth_max=nearest)
        found = (
            _everything(asked, part.because, whole)
            if part.program is None
            else ReducedSearch.of(asked, part.program, begun).answer(whole)
        )
        answers.append(found)
        if found.violated:
            # Of the others only what is as near is of interest.
            nearest = len(found.path)
    return answers[0] if len(answers) == 1 else _together(question, answers)


def _everything(question: Question, because: str, whole: Whole) -> Answer:
    """The answer of a search that leaves nothing out, which says why."""
    found = whole(evolve(question, reductions=None))
    return evolve(found, left_out=(("nothing", because),))


#: What nobody may miss in a table of what was left out.
CLAUSES = ("what each clause did", "is not counted in a search that leaves something out")


def _together(question: Question, answers: list[Answer]) -> Answer:
    violated = [a for a in answers if a.violated]
    limited = [a for a in answers if a.limit]
    # Of equally short ones the first, as everywhere.
    nearest = min(violated, key=lambda a: len(a.path), default=answers[0])
    cut: dict[tuple[str, str], int] = {}
    for a in answers:
        for what, count in a.cut.items():
            cut[what] = cut.get(what, 0) + count
    up_to = dict.fromkeys(a.up_to for a in answers if a.up_to)
    return Answer(
        sum(a.worlds for a in answers),
        sum(a.transitions for a in answers),
        min(a.depth for a in limited) if limited else max(a.depth for a in answers),
        GuardCoverage(question.protocol.actions),
        unfinished=any(a.unfinished for a in answers),
        limit=limited[0].limit if limited else "",
        cut=cut,
        unread=frozenset().union(*(a.unread for a in answers)),
        violated=nearest.violated,
        path=nearest.path,
        unreached=tuple(p for a in answers for p in a.unreached),
        because=next((a.because for a in answers if a.because), ""),
        up_to=f"in {len(answers)} searches{''.join(f', {said}' for said in up_to)}",
        left_out=(
            *(
                (f"search {number}: {what}", said)
                for number, a in enumerate(answers, 1)
                for what, said in a.left_out
                if (what, said) != CLAUSES
            ),
            CLAUSES,
        ),
        counted=False,
        steps_left_out=any(a.steps_left_out for a in answers),
    )


@frozen(eq=False)
class ReducedSearch:
    """A question, and the kernel that searches what is left of its protocol."""

    question: Question
    kernel: Kernel
    reduced: Reduced

    @classmethod
    def of(cls, question: Question, made: Program, begun: PythonSearch) -> ReducedSearch:
        """The search; a new kernel is checked against what Python has begun. Raises `CompilerError`."""
        if made.reduced is None:
            raise ValueError("nothing was left out of this program")
        kernel = Kernel(made, cached(made.source) or library(made.source))
        if kernel.library.fresh:
            must_agree_reduced(question, kernel, made.reduced, begun)
            kernel.library.keep()
        return cls(question, kernel, made.reduced)

    def answer(self, whole: Whole) -> Answer:
        """What the search found; `whole` answers where that cannot be told of the whole protocol."""
        with self.kernel.search(
            worlds_max=self.question.worlds_max,
            memory_max=self.question.memory_max,
            depth_max=self.question.depth_max,
            threads=self.question.threads,
            progress=looking(self.question),
        ) as found:
            made = self._answer(found)
        if made is None:
            why = "the violation found first leaves the scope in what no property sees"
            return _everything(self.question, why, whole)
        self.question.progress(made.work())
        return made

    def _answer(self, found: Found) -> Answer | None:
        violated: tuple[Property, ...] = ()
        path: tuple[Taken, ...] = ()
        if found.ending is Ending.VIOLATED:
            seen = _Retaken(self.question, self.reduced).violation(
                self._worlds(found), bool(found.counts.transitions)
            )
            if seen is None:
                return None
            path, violated = seen
        reached = dict(zip(self.question.witnesses, found.seen, strict=True))
        counts = found.counts
        cuts = found.coverage().cuts if counts.cut else {}
        cut: dict[tuple[str, str], int] = {}
        for beyond, count in cuts.items():
            cut[beyond.symbol, beyond.sort] = cut.get((beyond.symbol, beyond.sort), 0) + count
        return Answer(
            counts.worlds,
            counts.transitions,
            counts.depth,
            GuardCoverage(self.question.protocol.actions),
            unfinished=counts.worlds > found.expanded,
            limit=limit_of(self.question, found),
            cut=cut,
            unread=frozenset((b.symbol, b.sort) for b in found.unread),
            violated=violated,
            path=path,
            levels=found.levels,
            unreached=tuple(p for p, was_seen in reached.items() if not was_seen),
            up_to=self._up_to(),
            left_out=(*self._left_out(), CLAUSES),
            counted=False,
            steps_left_out=not counts.transitions and self._begins(),
        )

    def _begins(self) -> bool:
        """Whether any step can be taken in the whole protocol."""
        stepping = Stepping(self.question)
        return next(stepping.successors(stepping.initial()), None) is not None

    def _worlds(self, found: Found) -> tuple[Words, ...]:
        if not found.counts.transitions:
            return (tuple(self.kernel.pack(self.kernel.program.initial)),)
        return tuple(tuple(self.kernel.pack(world)) for world in found.path_to(found.source))

    def _up_to(self) -> str:
        names = "renaming" if self.reduced.renamings > 1 else ""
        unseen = "what no property sees" if len(self.reduced.cone.cells) < self.reduced.cells else ""
        said = " and ".join(filter(None, (names, unseen)))
        return said and f"up to {said}"

    def _left_out(self) -> Iterator[tuple[str, str]]:
        left = self.reduced
        yield "cells that a property sees", f"{len(left.cone.cells):,} of {left.cells:,}"
        yield "attempts that may change one", f"{len(left.cone.instances):,} of {left.attempts:,}"
        missing = [a.name for a in self.question.protocol.actions if a.name not in left.actions]
        if missing:
            yield "actions that change none", ", ".join(missing)
        because = f"; {left.symmetry.because}" if left.symmetry.because else ""
        yield "worlds that one stands for", f"up to {left.renamings}, which differ by names{because}"


@frozen(eq=False)
class _Retaken:
    """Steps of what is left, taken again in the whole protocol."""

    question: Question
    reduced: Reduced

    def violation(
        self, worlds: tuple[Words, ...], by_a_step: bool
    ) -> tuple[tuple[Taken, ...], tuple[Property, ...]] | None:
        """A trace along `worlds` with, if it is one `by_a_step`, one more, and what it violates; or none."""
        stepping = Stepping(self.question)
        invariants = [stepping.check(p) for p in self.question.invariants]
        steps = [stepping.check(p) for p in self.question.steps]
        first = stepping.initial()
        if not by_a_step:
            violated = _broken(stepping, invariants, first)
            return ((), violated) if violated else None
        hopeless: set[tuple[int, Packed]] = set()

        def onward(number: int, world: Packed) -> tuple[tuple[Taken, ...], tuple[Property, ...]] | None:
            for instance, after in stepping.successors(world):
                taken = (instance.action, instance.args)
                if number == len(worlds) - 1:
                    broken = tuple(c.property for c in steps if not stepping.holds(c, world, after))
                    if violated := (*broken, *_broken(stepping, invariants, after)):
                        return (taken,), violated
                elif (
                    (number + 1, after) not in hopeless
                    and self._stands_for(stepping, after, worlds[number + 1])
                    and (rest := onward(number + 1, after)) is not None
                ):
                    return (taken, *rest[0]), rest[1]
            hopeless.add((number, world))
            return None

        return onward(0, first)

    def _stands_for(self, stepping: Stepping, world: Packed, words: Words) -> bool:
        return self.reduced.representative(stepping.plain(world)) == words


def _broken(stepping: Stepping, checks: list[Check], world: Packed) -> tuple[Property, ...]:
    return tuple(c.property for c in checks if not stepping.holds(c, world))
