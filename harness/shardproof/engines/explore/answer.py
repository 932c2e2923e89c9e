"""The answer of a search, whichever way it went, and the report of exactly what it is an answer to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from shardproof_properties.property import Property

from ...coverage import GuardCoverage
from ...model_trace import Taken, trace_of
from ...readings.asked import ENVIRONMENT
from ...series import thinned
from ...trace import Search
from ...verdict import Finding, Kind, Report, Verdict
from .question import Question

#: A symbol and the sort of a number of it that left its range.
Cut = tuple[str, str]


@frozen(eq=False)
class Answer:
    """What a search has found, and how far it came."""

    worlds: int
    transitions: int
    #: Levels that are complete.
    depth: int
    guards: GuardCoverage
    #: Whether worlds are left to expand.
    unfinished: bool
    #: Which limit ended the search, as a sentence; none if no limit did.
    limit: str = ""
    #: What left its range -> how many steps were cut.
    cut: Mapping[Cut, int] = field(factory=dict)
    #: As `cut`, where a property could not be evaluated.
    unread: frozenset[Cut] = frozenset()
    violated: tuple[Property, ...] = ()
    path: tuple[Taken, ...] = ()
    #: Of each level that is complete: its depth, and the worlds that can be reached in so many steps.
    levels: tuple[tuple[int, int], ...] = ()
    #: Witnesses that were not reached.
    unreached: tuple[Property, ...] = ()
    #: Why the search was not compiled, if it should have been.
    because: str = ""
    #: Of a search that left something out: what its counts are up to.
    up_to: str = ""
    #: And what it left out, for people, if it was to.
    left_out: tuple[tuple[str, str], ...] = ()
    #: Whether it was counted what each clause did.
    counted: bool = True
    #: Whether there were steps, though none that was not left out.
    steps_left_out: bool = False

    def work(self) -> dict[str, int]:
        """What was done."""
        return {
            "worlds": self.worlds,
            "transitions": self.transitions,
            "depth": self.depth,
            "cut": sum(self.cut.values()),
        }


def worlds_reached(question: Question) -> str:
    """That there were more worlds than were asked for."""
    return f"the limit of {question.worlds_max:,} worlds was reached"


def memory_reached(question: Question) -> str:
    """That worlds take more memory than was allowed."""
    return f"the limit of {question.memory_max / 2**20:,.0f} MB of memory was reached"


def report(question: Question, answer: Answer) -> Report:
    """The answer, and exactly what it is an answer to."""
    reasons = () if answer.violated else tuple(_reasons(question, answer))
    verdict = Verdict.VIOLATED if answer.violated else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS
    return Report(
        "explore",
        verdict,
        _checked(question, answer),
        _findings(question, answer),
        reasons=reasons,
        work=answer.work(),
        properties=tuple(p.name for p in question.chosen),
        tables={
            "steps that the scope cut": tuple(
                (f"{symbol}, {sort}", f"{count:,}") for (symbol, sort), count in sorted(answer.cut.items())
            ),
            **({"what was left out": answer.left_out} if answer.left_out else {}),
            **(answer.guards.tables() if answer.counted else {}),
        },
        never_exercised=answer.guards.never_exercised() if answer.counted else {},
        series={"worlds by depth": thinned(answer.levels)} if answer.levels else {},
    )


def _findings(question: Question, answer: Answer) -> tuple[Finding, ...]:
    if not answer.violated:
        return ()
    first, *more = answer.violated
    trace = trace_of(
        question.protocol,
        question.scope,
        answer.path,
        first,
        Search("explore", None, answer.worlds, answer.transitions),
        shortest="proved",
    )
    also = tuple(dict.fromkeys(p.name for p in more))
    return (Finding(first.id, first.name, first.because, Kind.SAFETY, trace, also),)


def _checked(question: Question, answer: Answer) -> str:
    where = f"{question.protocol.name} with {question.scope.said or 'this scope'}"
    up_to = f" {answer.up_to}" if answer.up_to else ""
    counts = f"({answer.worlds:,} worlds, {answer.transitions:,} transitions{up_to}, depth {answer.depth})"
    why = f", by Python alone: {answer.because}" if answer.because else ""
    if answer.violated:
        # A search of some of the properties may have come less far.
        depth = len(answer.path) - 1
        shorter = _steps(max(min(depth, answer.depth) if answer.limit else depth, 0))
        return f"every trace of up to {shorter} of {where}, and some longer ones {counts}{why}"
    if answer.limit:
        return f"every trace of up to {_steps(answer.depth)} of {where}, and some longer ones {counts}{why}"
    length = f" of up to {_steps(answer.depth)}" if answer.unfinished else ""
    return f"every trace{length} of {where} {counts}{why}"


def _reasons(question: Question, answer: Answer) -> Iterator[str]:
    if not question.invariants and not question.steps:
        yield "there was no property to check"
    if answer.limit:
        yield answer.limit
    if not answer.transitions and not answer.steps_left_out:
        yield "no step was taken, so nothing was checked"
    environment = {sort.__name__ for sort in ENVIRONMENT}
    for (symbol, sort), count in sorted(answer.cut.items()):
        if sort not in environment:
            yield f"{count:,} steps were cut off because {symbol} needs more {sort} than the scope has"
    for symbol, sort in sorted(answer.unread):
        yield f"a property could not be evaluated because {symbol} needs more {sort} than the scope has"
    for witness in answer.unreached:
        more = "more steps or a larger scope" if answer.unfinished or answer.limit else "a larger scope"
        yield f"the witness {witness.name} was not reached: it needs {more}"


def _steps(count: int) -> str:
    return f"{count} step{'' if count == 1 else 's'}"
