"""
Attacks on what a shard keeps: power that fails, records that are forgotten, heirs that know nothing.

Sources: ICS-04 and ibc-go PR 5651 (pruning), nearcore PR 9362 (resharding), GO-2024-2874.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..moves import Act, Deliver, Move, Produce, Proof
from ..relaying import believed
from ..traffic import Dice, Traffic

Attack = Callable[[Traffic, Dice], Move | None]

#: Durable writes in the middle of which power may fail.
WRITES_MAX = 5


def _crash(s: Traffic, dice: Dice) -> Move | None:
    return Act("crash", dice.pick(s.lock.living()), number=dice.roll(WRITES_MAX))


def _pruned(s: Traffic, dice: Dice) -> Move | None:
    """What was executed is forgotten as far as it may be, and presented again."""
    again = s.executed(dice)
    if again is None:
        return None
    return again if dice.roll(2) else Act("prune", again.shard)


def _restarted(s: Traffic, dice: Dice) -> Move | None:
    again = s.executed(dice)
    return again and Act("replicate", again.shard)


def _to_an_heir(s: Traffic, dice: Dice) -> Move | None:
    """What a shard has executed is presented to those who took over from it, or to who retired."""
    if not s.done:
        return None
    lock = s.lock
    sent = s.done[-1 - dice.roll(min(8, len(s.done)))]
    blocks = [b for b in s.history(sent.source) if lock.commits(b, sent)][-4:]
    if not blocks:
        return None
    d = lock.owner(sent.destination) if dice.roll(4) else dice.roll(len(lock.topology.shards))
    trusted = [b for b in blocks if lock.trusts(d, b)]
    if not trusted and (step := believed(s, d, blocks[-1])) is not None:
        return step
    block = dice.pick(trusted or blocks)
    return Deliver(d, sent.number, block.number, Proof(sent.number, block.number))


def _siblings_header(s: Traffic, dice: Dice) -> Move | None:
    """Under a header of who does not answer for its source: a sibling, or one from before."""
    lock = s.lock
    among = [*s.waiting[-4:], *s.done[-4:]]
    founded = [x for x in lock.living() if x not in lock.addresses]
    if not among or not founded:
        return None
    sent, other = dice.pick(among), dice.pick(founded)
    d = lock.owner(sent.destination)
    newest = next((b for b in reversed(lock.chains[other])), None)
    if newest is None:
        return Produce(s.fresh("header"), other)
    step = believed(s, d, newest)
    return step or Deliver(d, sent.number, newest.number, Proof(sent.number, newest.number))


def _resharded(s: Traffic, dice: Dice) -> Move | None:
    """A shard is split, or two are merged, while receipts are under way."""
    lock = s.lock
    shards = range(len(lock.topology.shards))
    living, fresh = lock.living(), [x for x in shards if lock.untouched(x)]
    if "split" in lock.able and len(fresh) >= 2 and dice.roll(2):
        rich = [x for x in living if sum(lock.owner(a) == x for a in lock.addresses) > 1]
        return Act("split", dice.pick(rich or living), other=fresh[0], another=fresh[1])
    if "merge" in lock.able and fresh and len(living) >= 2:
        first = dice.pick(living)
        second = dice.pick([x for x in living if x != first])
        return Act("merge", first, other=second, another=fresh[0])
    return None


ATTACKS: Mapping[str, Attack] = {
    "loss-of-power": _crash,
    "delivery-of-what-was-pruned": _pruned,
    "comparison-of-nodes": _restarted,
    "delivery-to-an-heir": _to_an_heir,
    "header-of-a-sibling": _siblings_header,
    "resharding-under-way": _resharded,
}

NEEDS: Mapping[str, tuple[str, ...]] = {
    "loss-of-power": ("crash",),
    "delivery-of-what-was-pruned": ("prune",),
    "comparison-of-nodes": ("replicate", "state_root"),
    "delivery-to-an-heir": ("split",),
    "header-of-a-sibling": ("split",),
    "resharding-under-way": ("split",),
}
