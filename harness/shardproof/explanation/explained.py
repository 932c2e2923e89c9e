"""A trace with its explanation, or with why it has none."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from ..judge import Wrong
from ..moves import move_of
from ..runs import Bench
from ..trace import Explanation, Trace
from ..verdict import Kind
from .facts import Facts
from .first_wrong import first_wrong
from .look_for import look_for
from .refused_instead import observed, refused_instead
from .trials import STEPS_MAX, OutOfRunsError, Ran, Trials
from .without import BROKE, NOT_TRIED, without

#: The three things that are found out, as what is not known of them.
_NEEDS, _FIRST, _INSTEAD = "what each step is for", "since which step it is wrong", "what is refused instead"


def explained(bench: Bench, trace: Trace, late: Callable[[], bool] = lambda: False) -> Trace:
    """
    `trace` with why it goes wrong, as variations of it on the system of `bench` have shown.

    What could not be found out is said as `unexplained`, with the reason: of a trace that goes otherwise on
    this system, that is too long to be read, or that it was `late` for, nothing is known; where the adapter
    breaks its contract in a variation, what had been found out before is. The finding is no less one.
    """
    bare = evolve(trace, explanation=None, unexplained="")
    if trace.violation is None or not trace.steps:
        return bare
    if len(trace.steps) > STEPS_MAX:
        return _unexplained(bare, f"only traces of up to {STEPS_MAX} steps are explained")
    trials = Trials.of(bench, tuple(move_of(step, trace.shards) for step in trace.steps), late)
    try:
        # What does not show again cannot be explained.
        ran = trials.run(trials.moves)
    except OutOfRunsError:
        return _unexplained(bare, trials.over)
    last = len(trials.moves) - 1
    if ran.wrong is None or ran.wrong.property != trace.property or ran.void or ran.at != last:
        return _unexplained(bare, "run again, it went another way")
    trials.wrong = ran.wrong
    explanation, unknown = _explanation(trials, ran, ran.wrong)
    if late():
        # How far one came would not be the same the next time.
        return _unexplained(bare, "the time for it was over")
    said = f"{', '.join(unknown)}: {trials.over}" if unknown else ""
    return evolve(bare, explanation=explanation, unexplained=said)


def _unexplained(bare: Trace, reason: str) -> Trace:
    return evolve(bare, unexplained=f"why it goes wrong: {reason}")


def _explanation(trials: Trials, ran: Ran, wrong: Wrong) -> tuple[Explanation, tuple[str, ...]]:
    """What was found out, and what of it was not, or not to its end."""
    unknown: list[str] = []

    def noted(what: str, *, known: bool) -> None:
        if trials.over:
            unknown.append(f"some of {what}" if known else what)

    needs = without(trials, ran.answers)
    noted(_NEEDS, known=not {NOT_TRIED, BROKE}.issuperset(needs))
    first = first_wrong(trials)
    noted(_FIRST, known=bool(first.known_by))
    said = ran.answers[ran.at]
    # What is refused already has nothing in it that a system could refuse instead.
    in_vain = wrong.kind is Kind.PROGRESS and said.startswith("refused")
    varied = first.place if first.seen else len(trials.moves) - 1
    kinds = {} if in_vain else observed(trials, varied)
    instead = refused_instead(kinds, f"step {varied + 1}" if first.seen else "the same")
    if not in_vain:
        noted(_INSTEAD, known=bool(instead))
    layers = trials.bench.oracle.whole.layers
    names = frozenset(layer.name for layer in layers)
    facts = Facts(wrong, trials.moves, first, kinds, names, said, ran.answers[first.place])
    return Explanation(needs, first.place, instead, look_for(facts), first.known_by), tuple(unknown)
