"""Attacks with evidence that proves several leaves at once, written by one who knows how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..adversary import MULTIPROOF, Damage
from ..moves import Deliver, Forged, Move, Proof
from ..multiproofs import REBUILT, SHAPES
from ..traffic import Dice, Traffic

Attack = Callable[[Traffic, Dice], Move | None]


def _second(s: Traffic, dice: Dice) -> Move | None:
    """What was executed is shown again, proven together with what stands beside it."""
    first = s.executed(dice)
    return first and first._replace(damage=Damage(MULTIPROOF, "beside", dice.roll(SHAPES)))


def _rebuilt(s: Traffic, dice: Dice) -> Move | None:
    """What is committed, on evidence of any shape."""
    move = s.proven(dice)
    return move and move._replace(damage=_damage(dice))


def _forgery(s: Traffic, dice: Dice) -> Move | None:
    """A receipt that was never emitted, on evidence that was made of that of another."""
    honest = s.proven(dice)
    if honest is None or not isinstance(honest.receipt, int):
        return None
    sent = s.lock.receipts[honest.receipt]
    forged = Forged(s.fresh("forged"), sent.source, sent.destination)
    evidence = Proof(sent.number, honest.header)
    return Deliver(honest.shard, forged, honest.header, evidence, _damage(dice))


def _damage(dice: Dice) -> Damage:
    return Damage(MULTIPROOF, dice.pick([*REBUILT]), dice.roll(SHAPES))


ATTACKS: Mapping[str, Attack] = {
    "second-delivery-by-multiproof": _second,
    "multiproof-rebuilt": _rebuilt,
    "forged-leaf-in-multiproof": _forgery,
}

_NEEDED = ("dissect", "assemble_multiproof", "leaf")

NEEDS: Mapping[str, tuple[str, ...]] = {
    "second-delivery-by-multiproof": _NEEDED,
    "multiproof-rebuilt": _NEEDED,
    "forged-leaf-in-multiproof": (*_NEEDED, "forge"),
}
