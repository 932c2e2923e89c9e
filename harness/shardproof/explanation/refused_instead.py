"""The smallest change of the violating step of a finding that its system does refuse."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from ..verdict import Kind
from .every_bit import answered, every_bit
from .trials import OutOfRunsError, Ran, Trials
from .variations import BIT, Variation, variations


@frozen
class Observed:
    """What became of one kind of change."""

    words: str
    shows: str
    #: How many of it were tried, and how many of these were refused; what the first refusal says.
    tried: int
    refused: int
    said: str = ""
    #: Of how many bits all were tried; 0 where some were, or it is no change of a bit.
    bits: int = 0

    @property
    def all_refused(self) -> bool:
        """Whether none of it passed."""
        return 0 < self.tried == self.refused


def observed(trials: Trials, place: int) -> Mapping[str, Observed]:
    """
    What becomes of every kind of change of the step at `place` that was tried, the smallest first.

    What the model accepts is let pass by a right system too, so it says nothing, and is not counted.
    """
    moves = trials.moves[: place + 1]
    try:
        with trials.fresh() as lock:
            for move in moves[:-1]:
                lock.run(move)
            changes = list(variations(lock, moves))
            lock.run(moves[-1])
            plainly = answered(lock)
    except OutOfRunsError:
        return {}
    kinds: dict[str, Observed] = {}
    for variation in changes:
        if (seen := _observed(trials, variation)) is not None:
            kinds.setdefault(variation.kind, seen)
    for kind, seen in kinds.items():
        # Only what is going to be told is worth so many moves.
        if seen.all_refused:
            kinds[kind] = told = _whole(trials, place, kind, seen, plainly)
            if told.all_refused:
                break
    return kinds


def _whole(trials: Trials, place: int, kind: str, seen: Observed, plainly: str) -> Observed:
    """What was `seen` at a few places, at every bit, if it is a change of one and that can be said."""
    part = next((part for part, called in BIT.items() if called == kind), None)
    whole = every_bit(trials, place, part, plainly) if part is not None else None
    return seen if whole is None else evolve(seen, tried=whole.tried, refused=whole.refused, bits=whole.bits)


def _observed(trials: Trials, variation: Variation) -> Observed | None:
    ran: list[Ran] = []
    for moves in variation.runs:
        try:
            ran.append(trials.run(moves))
        except OutOfRunsError:
            break
    # What is let pass as the model does, or is due, is no change that was to be refused.
    telling = [
        one for one in ran if not one.void and (one.refused or one.wrong is not None) and not _owed(one)
    ]
    if not telling:
        return None
    refused = [one for one in telling if one.refused]
    said = [*refused[0].answers.values()][-1] if refused else ""
    return Observed(variation.words, variation.shows, len(telling), len(refused), said)


def _owed(ran: Ran) -> bool:
    return ran.wrong is not None and ran.wrong.kind is Kind.PROGRESS


def refused_instead(kinds: Mapping[str, Observed], what: str) -> str:
    """The first of `kinds` that is refused, of the step called `what`; empty if nothing could be changed."""
    tried = sum(seen.tried for seen in kinds.values())
    if not tried:
        return ""
    # One that is refused wherever it was tried tells more than one that is refused here and there.
    for seen in (*(s for s in kinds.values() if s.all_refused), *kinds.values()):
        if seen.refused:
            return _sentence(seen, what)
    return f"nothing that was tried is refused: {tried} variation{'' if tried == 1 else 's'}"


def _sentence(seen: Observed, what: str) -> str:
    said = seen.said.removeprefix("refused").removeprefix(", ")
    how = f"is refused ({said})" if seen.said.startswith("refused") and said else "has no effect"
    if seen.bits:
        which = (
            f" at {seen.refused} of {seen.tried} bits that were tried"
            if not seen.all_refused
            else f", whichever of its {seen.bits} bits it is"
            if seen.tried == seen.bits
            else f", whichever of the {seen.tried} of its {seen.bits} bits it is that the model refuses"
        )
        return f"{what} {seen.words} {how}{which}{f': {seen.shows}' if seen.all_refused else ''}"
    if not seen.all_refused:
        return f"{what} {seen.words} {how} at {seen.refused} of {seen.tried} places that were tried"
    places = f", at each of {seen.tried} places that were tried" if seen.tried > 1 else ""
    return f"{what} {seen.words} {how}{places}: {seen.shows}"
