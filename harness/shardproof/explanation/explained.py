"""A trace with its explanation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from attrs import evolve

from ..errors import AdapterError
from ..judge import Wrong
from ..moves import Move, move_of
from ..runs import Bench
from ..trace import Explanation, Trace
from ..verdict import Kind
from .facts import Facts
from .first_wrong import first_wrong
from .look_for import look_for
from .refused_instead import observed, refused_instead
from .trials import STEPS_MAX, OutOfRunsError, Ran, Trials
from .without import without


def explained(bench: Bench, trace: Trace, late: Callable[[], bool] = lambda: False) -> Trace:
    """
    `trace` with why it goes wrong, as variations of it on the system of `bench` have shown.

    Without an explanation where it goes otherwise on this system, where it is too long to be read, where it
    is `late` before everything is known, and where the adapter breaks its contract in a variation: the
    finding is no less one, and whoever searches on meets the adapter again.
    """
    without_one = evolve(trace, explanation=None)
    if trace.violation is None or not 0 < len(trace.steps) <= STEPS_MAX:
        return without_one
    moves = tuple(move_of(step, trace.shards) for step in trace.steps)
    try:
        trials, ran = _begun(bench, trace, moves, late)
        if ran is None or ran.wrong is None:
            return without_one
        trials.wrong = ran.wrong
        explanation = _explanation(trials, ran, ran.wrong)
    except AdapterError:
        return without_one
    return without_one if late() else evolve(trace, explanation=explanation)


def _begun(
    bench: Bench, trace: Trace, moves: Sequence[Move], late: Callable[[], bool]
) -> tuple[Trials, Ran | None]:
    """The trace itself, run first: what does not show again cannot be explained."""
    trials = Trials.of(bench, tuple(moves), late)
    try:
        ran = trials.run(moves)
    except OutOfRunsError:
        return trials, None
    shows = ran.wrong is not None and ran.wrong.property == trace.property
    return trials, ran if shows and not ran.void and ran.at == len(moves) - 1 else None


def _explanation(trials: Trials, ran: Ran, wrong: Wrong) -> Explanation:
    needs = without(trials, ran.answers)
    first = first_wrong(trials)
    said = ran.answers[ran.at]
    # What is refused already has nothing in it that a system could refuse instead.
    in_vain = wrong.kind is Kind.PROGRESS and said.startswith("refused")
    varied = first.place if first.seen else len(trials.moves) - 1
    kinds = {} if in_vain else observed(trials, varied)
    layers = trials.bench.oracle.whole.layers
    names = frozenset(layer.name for layer in layers)
    facts = Facts(wrong, trials.moves, first, kinds, names, said, ran.answers[first.place])
    what = f"step {varied + 1}" if first.seen else "the same"
    return Explanation(needs, first.place, refused_instead(kinds, what), look_for(facts), first.known_by)
