"""
Attacks by those who pay: less than they say, in what is worth nothing, by an entrance that asks for nothing.

Sources: Qubit and Meter (2022), THORChain (2021).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..moves import Emit, Move
from ..traffic import Dice, Traffic

Attack = Callable[[Traffic, Dice], Move | None]


def _claiming(s: Traffic, dice: Dice) -> Move | None:
    """A user says that he pays more, or less, than he does."""
    move = s.emission(dice)
    if move is None or move.terms is None:
        return None
    paid = dice.roll(3)
    return move._replace(terms=move.terms._replace(amount=paid, claimed=paid + 1 + dice.roll(3)))


def _asset(s: Traffic, dice: Dice) -> Move | None:
    move = s.emission(dice)
    return move and move.terms and move._replace(terms=move.terms._replace(asset=1 + dice.roll(2)))


def _entrance(s: Traffic, dice: Dice) -> Move | None:
    move = s.emission(dice)
    return move and move.terms and move._replace(terms=move.terms._replace(entrance=1 + dice.roll(2)))


def _dust(s: Traffic, dice: Dice) -> Move | None:
    """So little that nothing is left for a response."""
    move = s.emission(dice)
    return move and move.terms and move._replace(terms=move.terms._replace(amount=1))


def _flood(s: Traffic, dice: Dice) -> Move | None:
    """Requests on one link until it is full; then it is emptied, and must take some again."""
    lock = s.lock
    move = s.emission(dice)
    if not isinstance(move, Emit) or move.terms is None:
        return None
    source, destination = s.flooded or (move.source, move.destination)
    s.flooded = (source, destination)
    if (step := s.relieved((source, destination))) is not None:
        return step
    terms = move.terms._replace(amount=min(1, move.terms.amount), onward=None, deadline=None)
    again = Emit(move.receipt, source, destination, terms)
    return again if lock.possible(again) else None


ATTACKS: Mapping[str, Attack] = {
    "claim-of-another-amount": _claiming,
    "another-asset": _asset,
    "another-entrance": _entrance,
    "dust": _dust,
    "flood": _flood,
}

NEEDS: Mapping[str, tuple[str, ...]] = {
    "claim-of-another-amount": ("send", "balance"),
    "another-asset": ("send", "balance"),
    "another-entrance": ("send", "balance"),
    "dust": ("send", "balance", "responses"),
    "flood": ("send", "drain"),
}
