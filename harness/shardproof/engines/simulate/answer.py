"""The answer of random walks, and the report of exactly what was run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

from attrs import field, frozen

from shardproof_properties.property import Property

from ...model_trace import Taken, trace_of
from ...readings.asked import ENVIRONMENT
from ...readings.wandering import ERROR
from ...series import Points, thinned
from ...trace import Search
from ...verdict import Finding, Kind, Report, Verdict
from .question import Question
from .tally import Tally

#: Of walks in the order of their lengths, those that are told: the share of walks that are no longer.
SHARES = ((0.0, "shortest"), (0.5, "half are no longer than"), (0.9, "nine in ten"), (1.0, "longest"))


@frozen(eq=False)
class Answer:
    """What random walks have found, and how far they came."""

    tally: Tally
    #: Steps -> how many different worlds there were by then, roughly.
    milestones: Sequence[tuple[int, int]]
    violated: tuple[Property, ...] = ()
    #: The steps to what is violated, and how many there were before some were left out.
    path: tuple[Taken, ...] = ()
    path_found: int = 0
    #: Why the walks were not compiled, if they should have been.
    because: str = field(default="")


def report(question: Question, answer: Answer, seconds: float) -> Report:
    """The answer, and exactly what was run: walks never show that there is nothing else."""
    reasons = () if answer.violated else tuple(_reasons(question, answer.tally))
    verdict = Verdict.VIOLATED if answer.violated else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS
    return Report(
        "simulate",
        verdict,
        _checked(question, answer),
        _findings(question, answer),
        reasons=reasons,
        work=answer.tally.work(),
        properties=tuple(p.name for p in question.chosen),
        tables=_tables(question, answer),
        never_exercised={name: "never taken" for name, count in answer.tally.taken.items() if not count},
        seconds=seconds,
        series={"different worlds, about": _growth(answer)} if answer.tally.steps else {},
    )


def _growth(answer: Answer) -> Points:
    end = (answer.tally.steps, answer.tally.distinct)
    return thinned((*(point for point in answer.milestones if point[0] < end[0]), end))


def _checked(question: Question, answer: Answer) -> str:
    tally = answer.tally
    where = f"{question.protocol.name} with {question.scope.said or 'this scope'}"
    why = f", by Python alone: {answer.because}" if answer.because else ""
    return (
        f"{tally.walks:,} random walks of {where}, {tally.steps:,} steps, "
        f"the longest walk {tally.deepest:,}, about {tally.distinct:,} different worlds "
        f"(seed {question.seed}){why}"
    )


def _findings(question: Question, answer: Answer) -> tuple[Finding, ...]:
    if not answer.violated:
        return ()
    first, *more = answer.violated
    search = Search("simulate", question.seed, answer.tally.walks, answer.tally.steps)
    trace = trace_of(question.protocol, question.scope, answer.path, first, search)
    also = tuple(dict.fromkeys(p.name for p in more))
    before, after = answer.path_found, len(answer.path)
    shrunk = f"shrunk from {before} steps to {after}" if before > after else ""
    return (Finding(first.id, first.name, first.because, Kind.SAFETY, trace, also, shrunk),)


def _reasons(question: Question, tally: Tally) -> Iterator[str]:
    if not question.invariants and not question.steps:
        yield "there was no property to check"
    if not tally.steps:
        yield "no step was taken, so nothing was checked"
    environment = {sort.__name__ for sort in ENVIRONMENT}
    for (symbol, sort), count in sorted(tally.cut.items()):
        if sort not in environment:
            yield f"{count:,} steps were cut off because {symbol} needs more {sort} than the scope has"
    for symbol, sort in sorted(tally.unread):
        yield f"a property could not be evaluated because {symbol} needs more {sort} than the scope has"
    unseen = [p.name for p, walks in zip(question.witnesses, tally.shown, strict=True) if not walks]
    if unseen:
        yield f"witnesses that were not seen: {', '.join(unseen)}: give it more steps or a larger scope"


def _tables(question: Question, answer: Answer) -> dict[str, tuple[tuple[str, str], ...]]:
    tally = answer.tally
    return {
        f"different worlds: an estimate, within {2 * ERROR:.1%} as a rule": tuple(_saturation(answer)),
        "steps of a walk, until nothing changed any more": tuple(_lengths(question, tally)),
        "how often each action was taken": tuple((name, f"{n:,}") for name, n in tally.taken.items()),
        "in how many walks each witness was seen": tuple(
            (p.name, f"{n:,}") for p, n in zip(question.witnesses, tally.shown, strict=True)
        ),
        "steps that the scope cut": tuple(
            (f"{symbol}, {sort}", f"{count:,}") for (symbol, sort), count in sorted(tally.cut.items())
        ),
    }


def _saturation(answer: Answer) -> Iterator[tuple[str, str]]:
    """How many there were, and how many of the steps since the last milestone led to a new one."""
    then, had = 0, 0
    for steps, distinct in answer.milestones:
        # An estimate may grow by more than there were steps.
        new = min(distinct - had, steps - then) * 1_000_000 // (steps - then)
        yield f"after {steps:,} steps", f"{distinct:,}, and {new:,} new ones in a million steps since"
        then, had = steps, distinct


def _lengths(question: Question, tally: Tally) -> Iterator[tuple[str, str]]:
    ended = sum(tally.ended.values())
    lengths = sorted(tally.ended)
    up_to = list(accumulate(tally.ended[length] for length in lengths))
    yield "walks that came to their end", f"{ended:,}"
    for share, said in SHARES if ended else ():
        yield said, f"{next(x for x, n in zip(lengths, up_to, strict=True) if n >= share * ended):,}"
    # The last walk is on its way.
    yield f"walks that were cut off after {question.length:,}", f"{tally.walks - ended - 1:,}"
