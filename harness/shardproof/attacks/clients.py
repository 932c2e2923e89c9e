"""
Attacks on whom a shard believes: made-up and leaked validators, second set-ups, claims that are false.

Sources: Wormhole, Nomad and Nitro (2022), Ronin (2024), Poly Network (2021), Rainbow Bridge (2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..acts import LEAKED, MADE_UP, UNSIGNED
from ..moves import Act, Forged, Learn, Move
from ..traffic import Dice, Traffic

Attack = Callable[[Traffic, Dice], Move | None]


def _pair(s: Traffic, dice: Dice) -> tuple[int, int]:
    """A shard, and another one about which it is told something."""
    living = s.lock.living()
    d = dice.pick(living)
    others = [x for x in s.lock.addresses if x != d]
    return d, dice.pick(others)


def _forged(how: int) -> Attack:
    def attack(s: Traffic, dice: Dice) -> Move | None:
        d, source = _pair(s, dice)
        taken_over = [r for r in s.done if r.terms.takeover and r.executed_at >= 0]
        if taken_over and dice.roll(2):
            # Whoever was asked for the keys, and ran it, is the one to try.
            d, source = taken_over[-1].executed_at, taken_over[-1].source
        destination = d if d in s.lock.addresses else next(a for a in s.lock.addresses if a != source)
        return Act("forge_header", d, Forged(s.fresh("forged"), source, destination), number=how)

    return attack


def _second_set_up(s: Traffic, dice: Dice) -> Move | None:
    d, of = _pair(s, dice)
    return Act("initialise", d, other=of)


def _takeover(s: Traffic, dice: Dice) -> Move | None:
    """A receipt that asks the receiving application for the keys; it is delivered like any other."""
    move = s.emission(dice)
    return move and move.terms and move._replace(terms=move.terms._replace(takeover=True, onward=None))


def _upgraded(s: Traffic, dice: Dice) -> Move | None:
    return Act("upgrade", _pair(s, dice)[0])


def _old_epoch(s: Traffic, dice: Dice) -> Move | None:
    """A header of validators whose time is long over, or the announcement of one that nobody believes."""
    headers = list(s.lock.headers.values())[-16:]
    if not headers:
        return None
    block = dice.pick(headers)
    d = _pair(s, dice)[0]
    if "learn_validators" in s.lock.able and dice.roll(2):
        return Act("learn_validators", d, header=block.number)
    return Learn(d, block.number)


def _false_claim(s: Traffic, dice: Dice) -> Move | None:
    """A header that is not final is claimed, and tried before the window is over and after an objection."""
    lock = s.lock
    d = dice.pick(lock.living())
    unfinal = [b for b in list(lock.headers.values())[-16:] if not b.final]
    if not unfinal:
        return None
    block = dice.pick(unfinal)
    if (d, block.number) in lock.claims:
        return Learn(d, block.number) if dice.roll(2) else Act("challenge", d, header=block.number)
    turn = dice.roll(3)
    if turn == 0:
        return Act("claim", d, header=block.number)
    return Act("advance_clock", d) if turn == 1 else Learn(d, block.number)


def _unchallengeable(s: Traffic, dice: Dice) -> Move | None:
    """Objections to claims that are true, or that nobody made."""
    headers = list(s.lock.headers.values())[-8:]
    return Act("challenge", dice.pick(s.lock.living()), header=dice.pick(headers).number) if headers else None


ATTACKS: Mapping[str, Attack] = {
    "unsigned-header": _forged(UNSIGNED),
    "made-up-validators": _forged(MADE_UP),
    "leaked-keys": _forged(LEAKED),
    "second-set-up": _second_set_up,
    "takeover": _takeover,
    "upgrade": _upgraded,
    "old-validators": _old_epoch,
    "false-claim": _false_claim,
    "idle-objection": _unchallengeable,
}

NEEDS: Mapping[str, tuple[str, ...]] = {
    "unsigned-header": ("forge_header", "forge"),
    "made-up-validators": ("forge_header", "forge"),
    "leaked-keys": ("forge_header", "forge", "rotate"),
    "second-set-up": ("initialise",),
    "takeover": ("takeover", "send", "forge_header"),
    "upgrade": ("upgrade",),
    "old-validators": ("rotate", "learn"),
    "false-claim": ("claim", "challenge", "learn", "advance_clock"),
    "idle-objection": ("challenge",),
}
