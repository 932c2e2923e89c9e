"""Attacks by receiving applications: callbacks that fail, and fail again, and present others meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..moves import Move, Proof
from ..traffic import Dice, Traffic

Attack = Callable[[Traffic, Dice], Move | None]


def _failing(s: Traffic, dice: Dice) -> Move | None:
    """The callback of an honest delivery fails, also of a response, in which nothing can fail."""
    move = s.proven(dice)
    if move is None or not isinstance(move.receipt, int):
        return None
    goes_on = s.lock.receipts[move.receipt].answers is not None and not s.lock.bounces
    return None if goes_on else move._replace(fails=True)


def _after_failure(s: Traffic, dice: Dice) -> Move | None:
    """What has failed is presented again, and would succeed now, or fail again."""
    failed = [r for r in s.done if r.failed and r.executed_at >= 0]
    if not failed:
        return None
    sent = failed[-1 - dice.roll(min(8, len(failed)))]
    blocks = [b for b in s.history(sent.source)[-8:] if s.lock.commits(b, sent)]
    if not blocks:
        return None
    block, d = dice.pick(blocks), s.lock.owner(sent.destination)
    again = dice.roll(2) == 0 and sent.answers is None
    move = s.delivery(d, sent, block)
    return move._replace(fails=again)


def _nested(s: Traffic, dice: Dice) -> Move | None:
    """The callback presents another receipt before it looks at who called it (Optimism, PR 5444)."""
    outer = s.proven(dice)
    if outer is None or not isinstance(outer.receipt, int):
        return None
    lock = s.lock
    first = lock.receipts[outer.receipt]
    others = [r for r in s.waiting if r is not first and lock.owner(r.destination) == outer.shard]
    # Rather from somebody else, or there is nothing to confuse.
    others = [r for r in others if r.source != first.source] or others
    if not others:
        return None
    inner = others[-1 - dice.roll(min(4, len(others)))]
    blocks = [b for b in s.history(inner.source)[-4:] if lock.commits(b, inner)]
    trusted = [b for b in blocks if lock.trusts(outer.shard, b)]
    if not blocks:
        return None
    return outer._replace(inner=Proof(inner.number, dice.pick(trusted or blocks).number))


ATTACKS: Mapping[str, Attack] = {
    "failing-callback": _failing,
    "delivery-of-what-has-failed": _after_failure,
    "delivery-of-another-inside-the-callback": _nested,
}

NEEDS: Mapping[str, tuple[str, ...]] = {
    "failing-callback": ("deliver_failing",),
    "delivery-of-what-has-failed": ("deliver_failing",),
    "delivery-of-another-inside-the-callback": ("nest",),
}
