"""
Attacks on deliveries: again, elsewhere, under other headers, with other evidence, in other bytes.

What damage does to bytes is said in `adversary.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..adversary import INNER_NODE, SPLICE, Damage
from ..moves import NULL, Deliver, Finalise, Forged, Learn, Move, Produce, Proof
from ..traffic import Dice, Traffic

Attack = Callable[[Traffic, Dice], Move | None]


def _second_same(s: Traffic, dice: Dice) -> Move | None:
    return s.executed(dice)


def _second_later(s: Traffic, dice: Dice) -> Move | None:
    """The same receipt under a later header that commits to it too."""
    first = s.executed(dice)
    if first is None or not isinstance(first.receipt, int):
        return None
    sent = s.lock.receipts[first.receipt]
    later = [b for b in s.lock.chains[sent.source] if b.number != first.header and s.lock.commits(b, sent)]
    if not later:
        return Produce(s.fresh("header"), sent.source)
    block = dice.pick(later)
    if "learn" in s.lock.able and dice.roll(2):
        if not block.final:
            return Finalise(s.pending(sent.source)[0].number)
        if not s.lock.trusts(sent.destination, block):
            return Learn(sent.destination, block.number)
    return first._replace(header=block.number, evidence=Proof(sent.number, block.number))


def _second_reencoded(s: Traffic, dice: Dice) -> Move | None:
    first = s.executed(dice)
    kind = ("extend", "malleate", "cut", "flip")[dice.roll(4)]
    part = ("evidence", "header")[dice.roll(2)]
    return first and first._replace(damage=Damage(part, kind, dice.roll(4096)))


def _elsewhere(s: Traffic, dice: Dice) -> Move | None:
    """To a shard that it is not meant for; rather one that has learned a header which proves it."""
    move = s.proven(dice)
    if move is None or not isinstance(move.receipt, int):
        return None
    sent = s.lock.receipts[move.receipt]
    others = [d for d in range(len(s.lock.topology.shards)) if d != move.shard]
    blocks = [b for b in s.lock.chains[sent.source][-4:] if s.lock.commits(b, sent)]
    known = [(d, b) for d in others for b in blocks if s.lock.trusts(d, b)]
    if known:
        other, block = dice.pick(known)
        return Deliver(other, sent.number, block.number, Proof(sent.number, block.number))
    final = [b for b in blocks if b.final]
    if "learn" in s.lock.able and final:
        return Learn(dice.pick(others), final[-1].number)
    return move._replace(shard=dice.pick(others))


def _foreign_evidence(s: Traffic, dice: Dice) -> Move | None:
    move = s.proven(dice)
    others = [r.number for r in (*s.waiting[-8:], *s.done[-8:])]
    return move and move._replace(evidence=Proof(dice.pick(others), move.header))


def _uncommitted(s: Traffic, dice: Dice) -> Move | None:
    """A receipt under a header of its source that does not commit to it: an older one."""
    if not s.waiting:
        return None
    sent = s.waiting[-1 - dice.roll(min(4, len(s.waiting)))]
    recent = s.lock.chains[sent.source][-6:]
    stale = [b for b in recent if not s.lock.commits(b, sent)]
    if not stale:
        return None
    header = dice.pick(stale).number
    # On honest evidence under a newer one, if there is any: who checks it against itself is content.
    fresh = [Proof(sent.number, b.number) for b in recent if s.lock.commits(b, sent)]
    return Deliver(sent.destination, sent.number, header, dice.pick([None, *fresh[-1:]]))


def _unlearned(s: Traffic, dice: Dice) -> Move | None:
    if not s.waiting:
        return None
    sent = dice.pick(s.waiting[-8:])
    blocks = [b for b in s.lock.chains[sent.source][-6:] if s.lock.commits(b, sent)]
    unknown = [b for b in blocks if not s.lock.trusts(sent.destination, b)]
    if not unknown:
        return None
    block = dice.pick(unknown)
    return Deliver(sent.destination, sent.number, block.number, Proof(sent.number, block.number))


def _foreign_header(s: Traffic, dice: Dice) -> Move | None:
    """A receipt under a header of a shard that did not send it."""
    among = [*s.waiting[-4:], *s.done[-4:]]
    if not among:
        return None
    sent = dice.pick(among)
    shards = len(s.lock.topology.shards)
    other = (sent.source + 1 + dice.roll(shards - 1)) % shards
    chain = s.lock.chains[other][-4:]
    trusted = [b for b in chain if s.lock.trusts(sent.destination, b)]
    if not chain:
        return None
    block = dice.pick(trusted or chain)
    covered = [r for r in (*s.waiting[-8:], *s.done[-8:]) if s.lock.commits(block, r)]
    evidence = Proof(dice.pick(covered).number, block.number) if covered else None
    return Deliver(sent.destination, sent.number, block.number, evidence)


def _dropped(s: Traffic, dice: Dice) -> Move | None:
    """A header that consensus has taken back: to learn it, or to prove by it."""
    gone = [b for b in list(s.lock.headers.values())[-16:] if not b.produced]
    if not gone:
        return None
    block = dice.pick(gone)
    shards = len(s.lock.topology.shards)
    if dice.roll(2):
        return Learn((block.shard + 1 + dice.roll(shards - 1)) % shards, block.number)
    from_there = [r for r in (*s.waiting[-8:], *s.done[-8:]) if r.source == block.shard]
    if not from_there:
        return None
    sent = dice.pick(from_there)
    return Deliver(sent.destination, sent.number, block.number, Proof(sent.number, block.number))


def _unfinal(s: Traffic, dice: Dice) -> Move | None:
    shards = len(s.lock.topology.shards)
    unfinal = s.pending(dice.roll(shards))
    return Learn(dice.roll(shards), dice.pick(unfinal).number) if unfinal else None


def _invented(s: Traffic, dice: Dice) -> Move | None:
    """No header at all, or zeros in the shape of one."""
    if dice.roll(2) or not s.lock.headers:
        forged = _forged_receipt(s, dice)
        shards = len(s.lock.topology.shards)
        if forged is not None and dice.roll(2):
            return Deliver(forged.destination, forged, NULL, None)
        if "learn" in s.lock.able and dice.roll(4) == 0:
            return Learn(dice.roll(shards), NULL)
        sent = s.waiting[-1] if s.waiting else None
        return Deliver(sent.destination, sent.number, NULL, None) if sent else None
    move = s.proven(dice)
    return move and move._replace(damage=Damage("header", "null"))


def _forged_receipt(s: Traffic, dice: Dice) -> Forged | None:
    if "forge" not in s.lock.able:
        return None
    shards = len(s.lock.topology.shards)
    source = dice.roll(shards)
    return Forged(s.fresh("forged"), source, (source + 1 + dice.roll(shards - 1)) % shards)


def _forgery(s: Traffic, dice: Dice) -> Move | None:
    """A receipt that was never emitted, under a real header, with no evidence or with that of another."""
    forged = _forged_receipt(s, dice)
    if forged is None:
        return None
    chain = s.lock.chains[forged.source]
    trusted = [b for b in chain[-4:] if s.lock.trusts(forged.destination, b)]
    if not (trusted or chain):
        return None
    block = dice.pick(trusted or chain[-4:])
    local = [r for r in (*s.waiting[-4:], *s.done[-4:]) if r.source == forged.source]
    sent = [r for r in local if s.lock.commits(block, r)]
    evidence = Proof(dice.pick(sent).number, block.number) if sent and dice.roll(2) else None
    return Deliver(forged.destination, forged, block.number, evidence)


def _damage(part: str, kind: str) -> Attack:
    def attack(s: Traffic, dice: Dice) -> Move | None:
        move = s.proven(dice)
        return move and move._replace(damage=Damage(part, kind, _where(dice)))

    return attack


def _where(dice: Dice) -> int:
    """A bit to damage: more often than not near the beginning, where the fields are."""
    return dice.roll((64, 256, 8192)[dice.roll(3)])


def _header_damage(s: Traffic, dice: Dice) -> Move | None:
    kind = ("flip", "cut", "extend", "zero", "empty", "behead", "malleate")[dice.roll(7)]
    if "learn" in s.lock.able and s.lock.headers and dice.roll(2):
        shards = len(s.lock.topology.shards)
        return Learn(dice.roll(shards), dice.pick([*s.lock.headers]), Damage("header", kind, _where(dice)))
    return _damage("header", kind)(s, dice)


def _body_damage(s: Traffic, dice: Dice) -> Move | None:
    if dice.roll(4) == 0:
        return _splice(s, dice, "receipt")
    kind = ("flip", "flip", "flip", "cut", "extend", "zero", "empty", "behead")[dice.roll(8)]
    return _damage("receipt", kind)(s, dice)


def _splice(s: Traffic, dice: Dice, part: str = "evidence") -> Move | None:
    move = s.proven(dice)
    others = [r.number for r in (*s.waiting[-8:], *s.done[-8:])]
    return move and move._replace(damage=Damage(part, SPLICE, dice.pick(others)))


def _reentrant(s: Traffic, dice: Dice) -> Move | None:
    move = s.proven(dice)
    return move and move._replace(again=True)


#: Every kind of attack, by the name that reports count it under.
ATTACKS: Mapping[str, Attack] = {
    "second-delivery": _second_same,
    "second-delivery-under-later-header": _second_later,
    "second-delivery-in-another-encoding": _second_reencoded,
    "delivery-to-another-shard": _elsewhere,
    "evidence-of-another-receipt": _foreign_evidence,
    "header-of-another-shard": _foreign_header,
    "stale-header": _uncommitted,
    "unlearned-header": _unlearned,
    "unfinal-header": _unfinal,
    "reorganised-header": _dropped,
    "invented-header": _invented,
    "forged-receipt": _forgery,
    "body-changed": _body_damage,
    "header-changed": _header_damage,
    "evidence-flipped": _damage("evidence", "flip"),
    "evidence-cut": _damage("evidence", "cut"),
    "evidence-beheaded": _damage("evidence", "behead"),
    "evidence-extended": _damage("evidence", "extend"),
    "evidence-emptied": _damage("evidence", "empty"),
    "evidence-zeroed": _damage("evidence", "zero"),
    "evidence-reordered": _damage("evidence", "swap"),
    "evidence-spliced": _splice,
    "signature-malleated": _damage("header", "malleate"),
    "leaf-moved": _damage("path", "moved"),
    "leaf-after-the-last": _damage("path", "next"),
    "leaves-recounted": _damage("path", "recounted"),
    "inner-node-for-leaf": _damage("path", INNER_NODE),
    "path-shortened": _damage("path", "shortened"),
    "leaf-for-inner-node": _damage("path", "lengthened"),
    "path-twisted": _damage("path", "twisted"),
    "sums-shifted": _damage("path", "reweighted"),
    "delivery-from-inside-the-callback": _reentrant,
}

#: Kinds that need a capability; without it they do not apply.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "unlearned-header": ("learn",),
    "unfinal-header": ("learn", "finalise"),
    "reorganised-header": ("revert",),
    "forged-receipt": ("forge",),
    "delivery-from-inside-the-callback": ("reenter",),
    "leaf-moved": ("dissect", "assemble"),
    "leaf-after-the-last": ("dissect", "assemble"),
    "leaves-recounted": ("dissect", "assemble"),
    "path-shortened": ("dissect", "assemble"),
    "leaf-for-inner-node": ("dissect", "assemble"),
    "path-twisted": ("dissect", "assemble"),
    "sums-shifted": ("dissect", "assemble", "balance"),
    "inner-node-for-leaf": ("dissect", "assemble", "leaf"),
}
