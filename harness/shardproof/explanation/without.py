"""What becomes of a finding without each of its steps: whether the step is needed, and what for."""

from __future__ import annotations

from collections.abc import Mapping

from ..trace import NOT_NEEDED, NOTHING
from .trials import BrokeError, OutOfRunsError, Ran, Trials, fewer

#: What is said where there was no run left to find out.
NOT_TRIED = "not tried"

#: What is said of a run that told nothing.
BROKE = "the adapter breaks its contract"


def without(trials: Trials, answers: Mapping[int, str]) -> tuple[str, ...]:
    """
    A sentence for each step, of a run without it; `answers` are those with it.

    What speaks of something that is then not there cannot be taken, and is left out as well.
    """
    return tuple(_without(trials, place, answers) for place in range(len(trials.moves)))


def _without(trials: Trials, place: int, answers: Mapping[int, str]) -> str:
    try:
        ran = trials.run(fewer(trials.moves, place))
    except BrokeError:
        return BROKE
    except OutOfRunsError:
        return NOT_TRIED

    def step(at: int) -> int:
        """How a person counts the step that was at a place in the shorter run."""
        return at + 1 + (at >= place)

    if trials.same(ran):
        return NOT_NEEDED
    if ran.wrong is not None:
        return f"another sentence is violated: {ran.wrong.property}, at step {step(ran.at)}"
    if ran.void:
        return f"step {step(ran.void[0])} cannot be taken"
    other = _otherwise(ran, place, answers)
    if other is None:
        return NOTHING
    said, with_it = ran.answers[other], answers[step(other) - 1]
    instead = "" if with_it.startswith("accepted") else f" (and not: {with_it})"
    return f"{NOTHING}: step {step(other)} is {said}{instead}"


def _otherwise(ran: Ran, place: int, answers: Mapping[int, str]) -> int | None:
    """The first step that is answered otherwise."""
    for at, said in ran.answers.items():
        if said != answers.get(at + (at >= place), said):
            return at
    return None
