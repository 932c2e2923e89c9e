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


def _forged(kind: str | None) -> Attack:
    """
    A receipt that was never emitted, on evidence that was made of that of another.

    Under an early header: a small tree has leaves where a large one has nodes, which nobody tells
    the adversary, and more of it is filled up.
    """

    def attack(s: Traffic, dice: Dice) -> Move | None:
        early = [chain[dice.roll(min(2, len(chain)))] for chain in s.lock.chains if chain]
        if not early:
            return None
        block = dice.pick(early)
        among = [r for r in (*s.waiting, *s.done) if r.source == block.shard and s.lock.commits(block, r)]
        if not among:
            return None
        sent = dice.pick(among)
        forged = Forged(s.fresh("forged"), sent.source, sent.destination)
        damage = Damage(MULTIPROOF, kind, dice.roll(SHAPES)) if kind else _damage(dice)
        return Deliver(sent.destination, forged, block.number, Proof(sent.number, block.number), damage)

    return attack


def _damage(dice: Dice) -> Damage:
    return Damage(MULTIPROOF, dice.pick([*REBUILT]), dice.roll(SHAPES))


ATTACKS: Mapping[str, Attack] = {
    "second-delivery-by-multiproof": _second,
    "multiproof-rebuilt": _rebuilt,
    "forged-leaf-in-multiproof": _forged(None),
    "leaf-that-is-never-read": _forged("unread"),
}

_NEEDED = ("dissect", "assemble_multiproof", "leaf")

NEEDS: Mapping[str, tuple[str, ...]] = {
    "second-delivery-by-multiproof": _NEEDED,
    "multiproof-rebuilt": _NEEDED,
    "forged-leaf-in-multiproof": (*_NEEDED, "forge"),
    "leaf-that-is-never-read": (*_NEEDED, "forge"),
}
