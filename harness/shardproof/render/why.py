"""Why a trace goes wrong, in labelled sentences: the same ones in every form."""

from __future__ import annotations

from collections.abc import Iterator

from ..trace import NOT_NEEDED, NOTHING, Explanation, Trace

#: What every trace needs, so that it says nothing that it is needed.
_PREPARING = ("emit", "produce", "finalise", "learn")


def reasons(shown: Trace) -> tuple[tuple[str, str], ...]:
    """
    What was found out by running variations of a trace, and what could not be; nothing where nobody asked.
    """
    facts = (*_found_out(shown), ("unexplained", shown.unexplained))
    return tuple((label, said) for label, said in facts if said)


def _found_out(shown: Trace) -> Iterator[tuple[str, str]]:
    told = shown.explanation
    if told is None:
        return
    yield "first wrong", f"{called(shown, told.first_wrong)}: {told.known_by}" if told.known_by else ""
    yield "needs", "; ".join(_needs(shown, told))
    yield "refused if", told.refused_instead
    yield "look for", told.look_for


def called(shown: Trace, index: int) -> str:
    """A step as one speaks of it: `step 6 (restart at B)`."""
    step = shown.steps[index]
    return f"step {index + 1} ({step.action} at {step.at})"


def _needs(shown: Trace, told: Explanation) -> Iterator[str]:
    """Of which steps it says something that they are needed, or that they are not."""
    for index, (step, said) in enumerate(zip(shown.steps, told.without, strict=True)):
        gone, _, instead = said.partition(f"{NOTHING}: ")
        if said == NOT_NEEDED:
            yield f"{called(shown, index)}: {said}"
        elif instead and not gone and step.action not in _PREPARING and index < len(shown.steps) - 1:
            yield f"{called(shown, index)}: without it, {instead}"
