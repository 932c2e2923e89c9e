"""
Attacks on what a sender is told: too early, too late, twice, both ways, on stale or foreign evidence.

Refund races are among them: around a deadline a delivery and an expiry are both tried, in both
orders, because each mistake in a comparison or in a choice of clock lets both through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shardproof_models.layers.closing import closed_in
from shardproof_models.layers.deadlines import clock, deadline
from shardproof_models.layers.sequencing import channel

from ..adapter import Ending
from ..adversary import SPLICE, Damage
from ..moves import Act, Deliver, Learn, Move, Produce, Proof
from ..record import Block, Sent
from ..relaying import believed, expired, head_of_line, next_step
from ..traffic import Dice, Traffic

Attack = Callable[[Traffic, Dice], Move | None]

#: Deeds by which a sender is told something.
_TELLING = ("acknowledge", "time_out", "time_out_on_close")


def _able(s: Traffic) -> list[str]:
    return [deed for deed in _TELLING if deed in s.lock.able]


def _among(s: Traffic, receipts: list[Sent], dice: Dice, last: int = 8) -> Sent | None:
    """The one that was aimed at before, or else one of the last."""
    if s.aim is None or s.aim not in receipts:
        s.aim = receipts[-1 - dice.roll(min(last, len(receipts)))] if receipts else None
    return s.aim


def _mortal(receipts: list[Sent]) -> list[Sent]:
    """Those that have a deadline."""
    return [r for r in receipts if r.terms.deadline is not None]


def _headers(s: Traffic, sent: Sent) -> list[Block]:
    """Headers of the destination of a receipt, oldest first."""
    return s.history(sent.destination)[-8:]


def _told(s: Traffic, dice: Dice, deed: str, sent: Sent | None, block: Block | None = None) -> Act | None:
    """A deed about a receipt, under a header of its destination: the newest one that its source believes."""
    if sent is None or deed not in s.lock.able:
        return None
    at = s.lock.owner(sent.source)
    blocks = _headers(s, sent)
    if block is None:
        trusted = [b for b in blocks if s.lock.trusts(at, b)]
        if not blocks:
            return None
        block = (trusted or blocks)[-1 - dice.roll(min(2, len(trusted or blocks)))]
    return Act(deed, at, sent.number, block.number, Proof(sent.number, block.number))


def _early(s: Traffic, dice: Dice) -> Move | None:
    """An expiry before its time: on a header that is honest, new, and not late enough."""
    return _told(s, dice, "time_out", _among(s, _mortal(s.waiting), dice))


def _of_the_immortal(s: Traffic, dice: Dice) -> Move | None:
    return _told(s, dice, "time_out", _among(s, [r for r in s.waiting if r.terms.deadline is None], dice))


def _of_the_delivered(s: Traffic, dice: Dice) -> Move | None:
    """An expiry of what was delivered: the clock is let run, and the newest header is shown."""
    sent = _among(s, _mortal([*s.done[-4:], *s.untold]), dice)
    if sent is None:
        return None
    return _let_expire(s, sent, dice, s.lock.owner(sent.source)) or _told(s, dice, "time_out", sent)


def _let_expire(s: Traffic, sent: Sent, dice: Dice, at: int) -> Move | None:
    """What is missing until a shard believes a header from after the deadline of a receipt."""
    lock = s.lock
    d = lock.owner(sent.destination)
    if lock.oracle.read(lock.world, clock, d) <= lock.oracle.rigid(deadline, sent.slot):
        return Act("advance_clock", d)
    newest = next((b for b in reversed(lock.chains[d])), None)
    if newest is None or (newest.final and lock.trusts(at, newest) and dice.roll(4) == 0):
        return Produce(s.fresh("header"), d)
    return believed(s, at, newest)


def _stale(s: Traffic, dice: Dice) -> Move | None:
    """An expiry of what was delivered, on a header from before it was."""
    sent = _among(s, s.untold or s.done, dice)
    if sent is None:
        return None
    blocks = _headers(s, sent)
    return _told(s, dice, "time_out", sent, dice.pick(blocks)) if blocks else None


def _senders_clock(s: Traffic, dice: Dice) -> Move | None:
    """The clock of the sender runs ahead of the receiver's, and then the receipt is said to have expired."""
    sent = _among(s, _mortal(s.waiting), dice)
    if sent is None:
        return None
    lock, at = s.lock, s.lock.owner(sent.source)
    if lock.oracle.read(lock.world, clock, at) <= lock.oracle.rigid(deadline, sent.slot):
        return Act("advance_clock", at)
    newest = next((b for b in reversed(_headers(s, sent))), None)
    if newest is None:
        return Produce(s.fresh("header"), lock.owner(sent.destination))
    return believed(s, at, newest) or _told(s, dice, "time_out", sent, newest)


def _race(s: Traffic, dice: Dice) -> Move | None:
    """Around a deadline, whatever brings the delivery or the expiry nearer."""
    receipts = _mortal(s.waiting)
    # Also what expired before it was delivered, or the other way round.
    receipts += [r for r in _mortal(s.done[-8:]) if r.told is not Ending.SUCCEEDED]
    sent = _among(s, receipts, dice)
    if sent is None:
        return None
    lock = s.lock
    d = lock.owner(sent.destination)
    now, due = lock.oracle.read(lock.world, clock, d), lock.oracle.rigid(deadline, sent.slot)
    if now < due - 1 or (now == due - 1 and dice.roll(3) == 0):
        return Act("advance_clock", d)
    if dice.roll(2):
        return _delivered(s, dice, sent)
    newest = next((b for b in reversed(lock.chains[d])), None)
    if newest is None or dice.roll(6) == 0:
        return Produce(s.fresh("header"), d)
    return believed(s, lock.owner(sent.source), newest) or _told(s, dice, "time_out", sent, newest)


def _delivered(s: Traffic, dice: Dice, sent: Sent) -> Move | None:
    """What brings an honest delivery nearer, whether or not it is too late."""
    lock = s.lock
    d = lock.owner(sent.destination)
    blocks = [b for b in s.history(sent.source)[-8:] if lock.commits(b, sent)]
    if not blocks:
        return Produce(s.fresh("header"), lock.owner(sent.source)) if lock.emitted(sent) else None
    trusted = [b for b in blocks if lock.trusts(d, b)]
    if not trusted and (step := believed(s, d, blocks[-1])) is not None:
        return step
    block = dice.pick(trusted or blocks)
    return Deliver(d, sent.number, block.number, Proof(sent.number, block.number))


def _late(s: Traffic, dice: Dice) -> Move | None:
    """A delivery after the expiry, or after the sender was told of it."""
    receipts = [r for r in s.done if r.told is Ending.EXPIRED]
    receipts += _mortal(s.waiting)
    sent = _among(s, receipts, dice)
    if sent is None:
        return None
    lock, d = s.lock, s.lock.owner(sent.destination)
    if sent.told is None and lock.oracle.read(lock.world, clock, d) < lock.oracle.rigid(deadline, sent.slot):
        return Act("advance_clock", d)
    return _delivered(s, dice, sent)


def follow_up(s: Traffic, dice: Dice, sent: Sent) -> Move | None:
    """What makes the most of a mistake about a receipt: whichever of delivery and refund is to come."""
    if sent.executed_at < 0:
        return _delivered(s, dice, sent)
    if sent.told is not None or "time_out" not in s.lock.able:
        return _told(s, dice, dice.pick(_able(s)), sent) if _able(s) else None
    if sent.terms.deadline is None:
        return next_step(s, sent)
    return _let_expire(s, sent, dice, s.lock.owner(sent.source)) or _told(s, dice, "time_out", sent)


def _again(s: Traffic, dice: Dice) -> Move | None:
    """An outcome once more, or another one after it."""
    sent = _among(s, [r for r in s.done if r.told is not None], dice)
    return _told(s, dice, dice.pick(_able(s)), sent) if sent else None


def _before_execution(s: Traffic, dice: Dice) -> Move | None:
    return _told(s, dice, "acknowledge", _among(s, s.waiting, dice))


def _foreign(deed: str) -> Attack:
    """With the evidence of another receipt, under the same header."""

    def attack(s: Traffic, dice: Dice) -> Move | None:
        sent = _among(s, s.waiting if dice.roll(2) else s.untold or s.waiting, dice)
        move = _told(s, dice, deed, sent)
        others = [r.number for r in (*s.waiting[-8:], *s.done[-8:]) if sent is not None and r is not sent]
        if move is None or move.header is None or not others:
            return None
        return move._replace(evidence=Proof(dice.pick(others), move.header))

    return attack


def _damaged(deed: str) -> Attack:
    """With damaged evidence, of what is so or of what is not."""

    def attack(s: Traffic, dice: Dice) -> Move | None:
        receipts = (s.untold or s.done) if dice.roll(2) else s.waiting
        move = _told(s, dice, deed, _among(s, receipts, dice))
        if move is None:
            return None
        part = ("evidence", "evidence", "receipt", "header")[dice.roll(4)]
        kind = ("flip", "cut", "extend", "zero", "empty", "behead", "swap", SPLICE)[dice.roll(8)]
        number = dice.roll((64, 256, 8192)[dice.roll(3)])
        if kind == SPLICE:
            part = "receipt" if part == "header" else part
            number = dice.pick([r.number for r in (*s.waiting[-8:], *s.done[-8:])])
        return move._replace(damage=Damage(part, kind, number))

    return attack


def _elsewhere(s: Traffic, dice: Dice) -> Move | None:
    """To a shard that did not send the receipt, and that believes all there is to believe."""
    lock = s.lock
    shut = [r for r in s.waiting if lock.shut(r)]
    receipts = [*s.untold[-8:], *shut, *_mortal(s.waiting)[-8:]]
    sent = _among(s, shut if shut and dice.roll(2) else receipts, dice, last=16)
    if sent is None:
        return None
    if sent.told is None and sent.executed_at < 0 and not lock.shut(sent) and dice.roll(8) == 0:
        return _close(sent)
    deed = "acknowledge" if sent in s.untold else "time_out_on_close" if lock.shut(sent) else "time_out"
    others = [x for x in lock.living() if x != lock.owner(sent.source)]
    at = others[sent.number % len(others)]
    if deed == "time_out" and (step := _let_expire(s, sent, dice, at)):
        return step
    newest = next((b for b in reversed(_headers(s, sent))), None)
    if newest is None or (deed == "time_out_on_close" and not _attests_closing(s, newest, sent)):
        return Produce(s.fresh("header"), lock.owner(sent.destination))
    step = None if dice.roll(4) == 0 else believed(s, at, newest)
    return step or Act(deed, at, sent.number, newest.number, Proof(sent.number, newest.number))


def _unfinal(s: Traffic, dice: Dice) -> Move | None:
    """On a header that nobody has learned, or that is not final."""
    sent = _among(s, s.untold or s.waiting, dice)
    if sent is None:
        return None
    at = s.lock.owner(sent.source)
    unknown = [b for b in _headers(s, sent) if not s.lock.trusts(at, b)]
    return _told(s, dice, dice.pick(_able(s)), sent, dice.pick(unknown)) if unknown else None


def _third_party(s: Traffic, dice: Dice) -> Move | None:
    """On a header of a shard that is not the destination: nothing was received there, and it is late."""
    sent = _among(s, _mortal(s.waiting) or s.untold, dice)
    if sent is None:
        return None
    lock, at = s.lock, s.lock.owner(sent.source)
    others = [x for x in lock.living() if x != lock.owner(sent.destination)]
    other = dice.pick(others)
    newest = next((b for b in reversed(lock.chains[other])), None)
    late = (
        sent.terms.deadline is not None and lock.oracle.read(lock.world, clock, other) >= sent.terms.deadline
    )
    if not late and sent.terms.deadline is not None:
        return Act("advance_clock", other)
    if newest is None:
        return Produce(s.fresh("header"), other)
    return believed(s, at, newest) or _told(s, dice, dice.pick(_able(s)), sent, newest)


def _within(s: Traffic, dice: Dice) -> Move | None:
    """An expiry that the callback of the sender presents again before it returns (GHSA-j496-crgh-34mx)."""
    sent = _among(s, _mortal(s.waiting), dice)
    if sent is None:
        return None
    move = _let_expire(s, sent, dice, s.lock.owner(sent.source)) or _told(s, dice, "time_out", sent)
    return move._replace(deed="time_out_again") if isinstance(move, Act) and move.deed == "time_out" else move


def _open(s: Traffic, dice: Dice) -> Move | None:
    """As if the channel were closed: it is open, or the receipt was delivered before."""
    return _told(
        s, dice, "time_out_on_close", _among(s, s.untold or s.waiting if dice.roll(2) else s.waiting, dice)
    )


def _close(sent: Sent) -> Act:
    """The channel of a receipt is closed at its receiving end."""
    return Act("close_channel", sent.destination, other=sent.source, number=sent.terms.channel)


def _closed(s: Traffic, dice: Dice) -> Move | None:
    """A delivery on a channel that is closed, and an expiry of what was delivered before, or given back."""
    lock = s.lock
    among = [*s.waiting[-8:], *s.untold[-8:], *s.done[-8:]]
    shut = [r for r in among if lock.shut(r)]
    sent = _among(s, shut or among, dice, last=24)
    if sent is None:
        return None
    if not lock.shut(sent):
        return _close(sent) if dice.roll(4) == 0 else None
    if sent.executed_at < 0 and sent.told is None and dice.roll(2):
        return _delivered(s, dice, sent)
    newest = next((b for b in reversed(_headers(s, sent))), None)
    if newest is None or not _attests_closing(s, newest, sent):
        return Produce(s.fresh("header"), lock.owner(sent.destination))
    return believed(s, lock.owner(sent.source), newest) or _told(s, dice, "time_out_on_close", sent, newest)


def _attests_closing(s: Traffic, block: Block, sent: Sent) -> bool:
    """Whether a header says that the channel of a receipt is closed."""
    lock = s.lock
    return bool(lock.oracle.read(lock.world, closed_in, block.slot, lock.oracle.rigid(channel, sent.slot)))


def _skipped(s: Traffic, dice: Dice) -> Move | None:
    """A skip too early, of what was dealt with, or of what the header does not prove."""
    move = s.proven(dice)
    if move is None or not isinstance(move.receipt, int):
        return None
    skip, lock = Act("skip", move.shard, move.receipt, move.header, move.evidence), s.lock
    match dice.roll(4):
        case 0:
            return skip._replace(damage=Damage("receipt", "flip", dice.roll(8192)))
        case 1:
            source = lock.receipts[move.receipt].source
            others = [b for b in lock.headers.values() if b.shard != source and lock.trusts(move.shard, b)]
            return skip._replace(header=dice.pick(others[-4:]).number) if others else None
        case 2:
            at = dice.pick([x for x in lock.living() if x != move.shard])
            block = lock.headers[move.header]
            step = None if dice.roll(4) == 0 else believed(s, at, block)
            return step or skip._replace(shard=at)
        case _:
            return skip


def _out_of_turn(s: Traffic, dice: Dice) -> Move | None:
    """A skip of what has expired, or expires soon, behind something that has not been dealt with."""
    sent = _among(s, [r for r in _mortal(s.waiting) if head_of_line(s, r) is not r], dice)
    if sent is None:
        return None
    d = s.lock.owner(sent.destination)
    if not expired(s, sent, d) and dice.roll(4):
        return Act("advance_clock", d)
    move = _delivered(s, dice, sent)
    if not isinstance(move, Deliver):
        return move
    return Act("skip", d, sent.number, move.header, move.evidence)


def _out_of_order(s: Traffic, dice: Dice) -> Move | None:
    """A delivery of what is not next, where there is an order, and not too late either."""
    lock = s.lock
    behind = [r for r in s.waiting if head_of_line(s, r) is not r]
    behind = [r for r in behind if not expired(s, r, lock.owner(r.destination))]
    sent = _among(s, behind or s.waiting, dice)
    return _delivered(s, dice, sent) if sent else None


def _damaged_header_learned(s: Traffic, dice: Dice) -> Move | None:
    """A header of a destination in whose attestations something was changed."""
    headers = [b for b in s.lock.headers.values() if b.final][-4:]
    if not headers:
        return None
    shards = len(s.lock.topology.shards)
    number = dice.roll(4096)
    return Learn(dice.roll(shards), dice.pick(headers).number, Damage("header", "flip", number))


ATTACKS: Mapping[str, Attack] = {
    "early-timeout": _early,
    "timeout-of-what-never-expires": _of_the_immortal,
    "timeout-of-what-was-delivered": _of_the_delivered,
    "timeout-on-a-stale-header": _stale,
    "timeout-by-the-senders-clock": _senders_clock,
    "refund-race": _race,
    "late-delivery": _late,
    "second-outcome": _again,
    "acknowledgement-before-execution": _before_execution,
    "acknowledgement-of-another-receipt": _foreign("acknowledge"),
    "absence-of-another-receipt": _foreign("time_out"),
    "acknowledgement-damaged": _damaged("acknowledge"),
    "absence-damaged": _damaged("time_out"),
    "attestation-changed": _damaged_header_learned,
    "outcome-at-another-shard": _elsewhere,
    "outcome-on-an-unlearned-header": _unfinal,
    "outcome-on-a-third-party's-header": _third_party,
    "timeout-from-inside-the-callback": _within,
    "timeout-on-an-open-channel": _open,
    "delivery-on-a-closed-channel": _closed,
    "untimely-skip": _skipped,
    "skip-out-of-turn": _out_of_turn,
    "delivery-out-of-order": _out_of_order,
}

#: Kinds that take several steps, because clocks have to run or headers to be believed first.
PREPARED = frozenset(
    {
        "timeout-of-what-was-delivered",
        "timeout-by-the-senders-clock",
        "refund-race",
        "late-delivery",
        "outcome-on-a-third-party's-header",
        "outcome-at-another-shard",
        "untimely-skip",
        "skip-out-of-turn",
        "delivery-out-of-order",
        "timeout-from-inside-the-callback",
        "delivery-on-a-closed-channel",
    }
)

NEEDS: Mapping[str, tuple[str, ...]] = {
    "early-timeout": ("time_out",),
    "timeout-of-what-never-expires": ("time_out",),
    "timeout-of-what-was-delivered": ("time_out", "advance_clock"),
    "timeout-on-a-stale-header": ("time_out",),
    "timeout-by-the-senders-clock": ("time_out", "advance_clock"),
    "refund-race": ("time_out", "advance_clock"),
    "late-delivery": ("advance_clock",),
    "second-outcome": ("acknowledge",),
    "acknowledgement-before-execution": ("acknowledge",),
    "acknowledgement-of-another-receipt": ("acknowledge",),
    "absence-of-another-receipt": ("time_out",),
    "acknowledgement-damaged": ("acknowledge",),
    "absence-damaged": ("time_out",),
    "attestation-changed": ("learn", "prove_outcome"),
    "outcome-at-another-shard": ("acknowledge",),
    "outcome-on-an-unlearned-header": ("acknowledge",),
    "outcome-on-a-third-party's-header": ("time_out", "advance_clock"),
    "timeout-from-inside-the-callback": ("time_out_again", "advance_clock"),
    "timeout-on-an-open-channel": ("time_out_on_close",),
    "delivery-on-a-closed-channel": ("close_channel", "time_out_on_close"),
    "untimely-skip": ("skip",),
    "skip-out-of-turn": ("skip", "advance_clock"),
    "delivery-out-of-order": ("send",),
}
