"""
What to try next: honest traffic that gets somewhere, and every attack that applies.

One number decides a step (`Dice`), so a schedule is a function of its numbers and of what
the run has shown so far. Honest steps work towards the delivery of some receipt; the rest
of the time something random, late, repeated, foreign or forged is tried. Attacks that were
tried least are tried first, and each is counted by its kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TypeVar

from attrs import define, field

from .adversary import INNER_NODE, SPLICE, Damage
from .forget import Block, Sent
from .lockstep import Lockstep
from .moves import NULL, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Proof, Restart, Revert

T = TypeVar("T")


@define(eq=False)
class Dice:
    """Digits of one large number, in changing bases: the first ones decide most."""

    number: int

    def roll(self, sides: int) -> int:
        """From 0 to `sides` - 1."""
        self.number, digit = divmod(self.number, sides)
        return digit

    def pick(self, among: list[T]) -> T:
        """One of a list that is not empty."""
        return among[self.roll(len(among))]


Attack = Callable[["Schedule", Dice], Move | None]

#: How much of the time a step is honest progress, environment, or an attack, in 64ths.
PROGRESS, ENVIRONMENT, ATTACK = 30, 14, 20

#: Moves after which a delivery counts as delayed.
LATE = 20


@define(eq=False, slots=False)
class Schedule:
    """Chooses moves for one run after another, and keeps count of what was tried."""

    lock: Lockstep
    #: Attack kind -> how often it was tried, over all runs.
    tried: dict[str, int]
    #: How many receipts may be under way before users wait.
    in_flight: int = 24
    #: Shards to which nothing happens in this run, and shards to which little does.
    stopped: frozenset[int] = frozenset()
    slow: frozenset[int] = frozenset()
    numbers: dict[str, int] = field(factory=lambda: {"receipt": 0, "header": 0, "forged": 0})
    #: Receipts that are not executed yet, and those that are, oldest first.
    waiting: list[Sent] = field(factory=list)
    done: list[Sent] = field(factory=list)
    #: Moves of this run so far, and when each receipt was emitted.
    moment: int = 0
    born: dict[int, int] = field(factory=dict)

    def begin(self, dice: Dice) -> None:
        """A new run, with its own slow and stopped shards."""
        self.numbers = {"receipt": 0, "header": 0, "forged": 0}
        self.waiting, self.done = [], []
        self.moment, self.born = 0, {}
        shards = len(self.lock.topology.shards)
        self.stopped = self.slow = frozenset()
        weather = dice.roll(8)
        if weather == 1 and shards > 2:
            self.stopped = frozenset({dice.roll(shards)})
            self._count("stopped-shard")
        elif weather == 2:
            self.slow = frozenset({dice.roll(shards)})
            self._count("slow-shard")

    def _count(self, kind: str) -> None:
        self.tried[kind] = self.tried.get(kind, 0) + 1

    def fresh(self, what: str) -> int:
        """The next unused number for a receipt, a header or a forged receipt."""
        number = self.numbers[what]
        self.numbers[what] = number + 1
        return number

    def follow(self, move: Move) -> None:
        """Keep the numbers ahead of a move that came from elsewhere."""
        if isinstance(move, Emit):
            self.numbers["receipt"] = max(self.numbers["receipt"], move.receipt + 1)
        elif isinstance(move, Produce):
            self.numbers["header"] = max(self.numbers["header"], move.header + 1)

    def remember(self) -> None:
        """Let go of what the lockstep has forgotten."""
        known = self.lock.receipts
        self.waiting = [s for s in self.waiting if s.number in known]
        self.done = [s for s in self.done if s.number in known]
        self.born = {number: moment for number, moment in self.born.items() if number in known}

    def note(self, move: Move) -> None:
        """Take account of what the last move did."""
        self.moment += 1
        if isinstance(move, Emit):
            if (sent := self.lock.receipts.get(move.receipt)) is not None:
                self.waiting.append(sent)
                self.born[sent.number] = self.moment
        elif isinstance(move, Deliver) and isinstance(move.receipt, int):
            sent = self.lock.receipts.get(move.receipt)
            if sent is not None and sent.executed_at >= 0 and sent.number in self.born:
                channel = (sent.source, sent.destination)
                if any(
                    w.number < sent.number and (w.source, w.destination) == channel for w in self.waiting[:16]
                ):
                    self._count("reordering")
                if self.moment - self.born.pop(sent.number) > LATE:
                    self._count("delay")
                self.waiting.remove(sent)
                self.done.append(sent)
        elif isinstance(move, Revert):
            receipts = list(self.lock.receipts.values())
            self.waiting = [r for r in receipts if r.executed_at < 0]
            self.done = [r for r in receipts if r.executed_at >= 0]
            self.born = {r.number: self.born.get(r.number, self.moment) for r in self.waiting}

    # ---- choosing -------------------------------------------------------------------------------

    def next(self, dice: Dice) -> Move:
        """The next move: always one that is possible."""
        if len(self.born) + len(self.done) > len(self.lock.receipts):
            self.remember()
        for _ in range(4):
            kind = dice.roll(64)
            if kind < PROGRESS:
                move = self.advance(dice)
            elif kind < PROGRESS + ENVIRONMENT:
                move = self.environment(dice)
            else:
                move = self.attack(dice)
            if move is not None and self._awake(move, dice) and self.lock.possible(move):
                return move
        return self._emission(dice)

    def _awake(self, move: Move, dice: Dice) -> bool:
        if not (self.stopped or self.slow):
            return True
        if isinstance(move, Finalise | Revert) and move.header not in self.lock.headers:
            return False
        home = self.lock.home(move)
        return home not in self.stopped and not (home in self.slow and dice.roll(4))

    def _emission(self, dice: Dice) -> Move:
        shards = len(self.lock.topology.shards)
        if len(self.waiting) >= self.in_flight:
            move = self.towards(self.waiting[dice.roll(len(self.waiting))])
            if move is not None and self.lock.possible(move):
                return move
        s = dice.roll(shards)
        d = (s + 1 + dice.roll(shards - 1)) % shards
        number = self.fresh("receipt")
        move = Emit(number, s, d)
        if self.lock.possible(move):
            return move
        return (
            Produce(self.fresh("header"), s)
            if self.lock.free_headers
            else Deliver(d, Forged(self.fresh("forged"), s, d), NULL, None)
        )

    def advance(self, dice: Dice) -> Move | None:
        """A step towards the execution of a receipt; the newest ones wait least, so some wait long."""
        if not self.waiting or (len(self.waiting) < 3 and dice.roll(4) == 0):
            return self._emission(dice)
        sent = self.waiting[dice.roll(min(3, len(self.waiting)))] if dice.roll(2) else dice.pick(self.waiting)
        return self.towards(sent)

    def towards(self, sent: Sent) -> Move | None:
        """What an honest relayer does next for a receipt."""
        lock = self.lock
        block = self._block_with(sent)
        if block is None:
            return Produce(self.fresh("header"), sent.source)
        if not block.final:
            return Finalise(next(b for b in self.pending(sent.source)).number)
        d = sent.destination
        if "learn" in lock.able and not lock.trusts(d, block):
            return Learn(d, block.number)
        return Deliver(d, sent.number, block.number, Proof(sent.number, block.number))

    def pending(self, shard: int) -> list[Block]:
        """Blocks that are not final, oldest first."""
        found: list[Block] = []
        for block in reversed(self.lock.chains[shard]):
            if block.final:
                break
            found.append(block)
        return found[::-1]

    def _block_with(self, sent: Sent) -> Block | None:
        """The final block nearest to the end that commits to a receipt, or else the newest one that does."""
        newest = None
        for block in reversed(self.lock.chains[sent.source][-8:]):
            if not self.lock.commits(block, sent):
                break
            if block.final:
                return block
            newest = newest or block
        return newest

    def environment(self, dice: Dice) -> Move | None:
        """Something that users, consensus, operators or aimless relayers do."""
        kind = dice.roll(16)
        shard = dice.roll(len(self.lock.topology.shards))
        if kind < 5:
            return self._emission(dice)
        if kind < 8:
            return Produce(self.fresh("header"), shard)
        open_blocks = self.pending(shard)
        if kind < 11:
            return Finalise(open_blocks[0].number) if open_blocks else None
        if kind < 13:
            return (
                Revert(dice.pick(open_blocks).number) if open_blocks and "revert" in self.lock.able else None
            )
        if kind < 14:
            return Restart(shard)
        return Learn(shard, dice.pick([*self.lock.headers])) if self.lock.headers else None

    def attack(self, dice: Dice) -> Move | None:
        """Something that an adversary tries, of a kind that was tried little so far."""
        kinds = self.applicable
        # Half of the time the least tried of three, so that every kind has its turn.
        names = [dice.pick(kinds) for _ in range(3)] if dice.roll(2) else [dice.pick(kinds)]
        kind = min(names, key=lambda k: self.tried.get(k, 0))
        move = ATTACKS[kind](self, dice)
        if move is None or not self.lock.possible(move):
            return None
        self._count(kind)
        return move

    @cached_property
    def applicable(self) -> list[str]:
        """The kinds of attack that this system can be tried with."""
        able = self.lock.able
        return [kind for kind in ATTACKS if all(v in able for v in NEEDS.get(kind, ()))]

    # ---- what attacks are made of -----------------------------------------------------------------

    def proven(self, dice: Dice) -> Deliver | None:
        """An honest delivery of some receipt that is committed: executed already, or not yet."""
        among = self.done if self.done and (not self.waiting or dice.roll(2)) else self.waiting
        if not among:
            return None
        sent = among[-1 - dice.roll(min(8, len(among)))]
        blocks = [b for b in self.lock.chains[sent.source][-4:] if self.lock.commits(b, sent)]
        trusted = [b for b in blocks if self.lock.trusts(sent.destination, b)]
        if not blocks:
            return None
        block = dice.pick(trusted or blocks)
        return Deliver(sent.destination, sent.number, block.number, Proof(sent.number, block.number))

    def executed(self, dice: Dice) -> Deliver | None:
        """The honest delivery of a receipt that has been executed."""
        if not self.done:
            return None
        sent = self.done[-1 - dice.roll(min(8, len(self.done)))]
        blocks = [b for b in self.lock.chains[sent.source] if self.lock.commits(b, sent)][:4]
        if not blocks:
            return None
        block = blocks[0]
        return Deliver(sent.destination, sent.number, block.number, Proof(sent.number, block.number))


def _second_same(s: Schedule, dice: Dice) -> Move | None:
    return s.executed(dice)


def _second_later(s: Schedule, dice: Dice) -> Move | None:
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


def _second_reencoded(s: Schedule, dice: Dice) -> Move | None:
    first = s.executed(dice)
    kind = ("extend", "malleate", "cut", "flip")[dice.roll(4)]
    part = ("evidence", "header")[dice.roll(2)]
    return first and first._replace(damage=Damage(part, kind, dice.roll(4096)))


def _elsewhere(s: Schedule, dice: Dice) -> Move | None:
    """To a shard that it is not meant for, which may have learned the header too."""
    move = s.proven(dice)
    if move is None:
        return None
    shards = len(s.lock.topology.shards)
    other = (move.shard + 1 + dice.roll(shards - 1)) % shards
    if "learn" in s.lock.able and not s.lock.trusts(other, s.lock.headers[move.header]) and dice.roll(2):
        return Learn(other, move.header)
    return move._replace(shard=other)


def _foreign_evidence(s: Schedule, dice: Dice) -> Move | None:
    move = s.proven(dice)
    others = [r.number for r in (*s.waiting[-8:], *s.done[-8:])]
    return move and move._replace(evidence=Proof(dice.pick(others), move.header))


def _uncommitted(s: Schedule, dice: Dice) -> Move | None:
    """A receipt under a header of its source that does not commit to it: an older one."""
    if not s.waiting:
        return None
    sent = s.waiting[-1 - dice.roll(min(4, len(s.waiting)))]
    stale = [b for b in s.lock.chains[sent.source][-6:] if not s.lock.commits(b, sent)]
    if not stale:
        return None
    return Deliver(sent.destination, sent.number, dice.pick(stale).number, None)


def _unlearned(s: Schedule, dice: Dice) -> Move | None:
    if not s.waiting:
        return None
    sent = dice.pick(s.waiting[-8:])
    blocks = [b for b in s.lock.chains[sent.source][-6:] if s.lock.commits(b, sent)]
    unknown = [b for b in blocks if not s.lock.trusts(sent.destination, b)]
    if not unknown:
        return None
    block = dice.pick(unknown)
    return Deliver(sent.destination, sent.number, block.number, Proof(sent.number, block.number))


def _foreign_header(s: Schedule, dice: Dice) -> Move | None:
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
    return Deliver(
        sent.destination,
        sent.number,
        block.number,
        Proof(dice.pick(covered).number, block.number) if covered else None,
    )


def _dropped(s: Schedule, dice: Dice) -> Move | None:
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


def _unfinal(s: Schedule, dice: Dice) -> Move | None:
    shards = len(s.lock.topology.shards)
    unfinal = s.pending(dice.roll(shards))
    return Learn(dice.roll(shards), dice.pick(unfinal).number) if unfinal else None


def _invented(s: Schedule, dice: Dice) -> Move | None:
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


def _forged_receipt(s: Schedule, dice: Dice) -> Forged | None:
    if "forge" not in s.lock.able:
        return None
    shards = len(s.lock.topology.shards)
    source = dice.roll(shards)
    return Forged(s.fresh("forged"), source, (source + 1 + dice.roll(shards - 1)) % shards)


def _forgery(s: Schedule, dice: Dice) -> Move | None:
    """A receipt that was never emitted, under a real header, with no evidence or with that of another."""
    forged = _forged_receipt(s, dice)
    if forged is None:
        return None
    chain = s.lock.chains[forged.source]
    trusted = [b for b in chain[-4:] if s.lock.trusts(forged.destination, b)]
    if not (trusted or chain):
        return None
    block = dice.pick(trusted or chain[-4:])
    sent = [
        r for r in (*s.waiting[-4:], *s.done[-4:]) if r.source == forged.source and s.lock.commits(block, r)
    ]
    evidence = Proof(dice.pick(sent).number, block.number) if sent and dice.roll(2) else None
    return Deliver(forged.destination, forged, block.number, evidence)


def _damage(part: str, kind: str) -> Attack:
    def attack(s: Schedule, dice: Dice) -> Move | None:
        move = s.proven(dice)
        return move and move._replace(damage=Damage(part, kind, _where(dice)))

    return attack


def _where(dice: Dice) -> int:
    """A bit to damage: more often than not near the beginning, where the fields are."""
    return dice.roll((64, 256, 8192)[dice.roll(3)])


def _header_damage(s: Schedule, dice: Dice) -> Move | None:
    kind = ("flip", "cut", "extend", "zero", "empty", "behead", "malleate")[dice.roll(7)]
    if "learn" in s.lock.able and s.lock.headers and dice.roll(2):
        shards = len(s.lock.topology.shards)
        return Learn(dice.roll(shards), dice.pick([*s.lock.headers]), Damage("header", kind, _where(dice)))
    return _damage("header", kind)(s, dice)


def _body_damage(s: Schedule, dice: Dice) -> Move | None:
    if dice.roll(4) == 0:
        return _splice(s, dice, "receipt")
    kind = ("flip", "flip", "flip", "cut", "extend", "zero", "empty", "behead")[dice.roll(8)]
    return _damage("receipt", kind)(s, dice)


def _splice(s: Schedule, dice: Dice, part: str = "evidence") -> Move | None:
    move = s.proven(dice)
    others = [r.number for r in (*s.waiting[-8:], *s.done[-8:])]
    return move and move._replace(damage=Damage(part, SPLICE, dice.pick(others)))


def _reentrant(s: Schedule, dice: Dice) -> Move | None:
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
    "delivery-from-inside-the-callback": _reentrant,
}

#: Kinds that need a capability; without it they do not apply.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "unlearned-header": ("learn",),
    "unfinal-header": ("learn", "finalise"),
    "reorganised-header": ("revert",),
    "forged-receipt": ("forge",),
    "delivery-from-inside-the-callback": ("reenter",),
    **dict.fromkeys(
        (
            "leaf-moved",
            "leaf-after-the-last",
            "leaves-recounted",
            "path-shortened",
            "leaf-for-inner-node",
            "path-twisted",
        ),
        ("dissect", "assemble"),
    ),
    "inner-node-for-leaf": ("dissect", "assemble", "leaf"),
}

#: What the schedule itself does to messages: counted, not chosen.
WEATHER = ("reordering", "slow-shard", "stopped-shard", "delay", "loss")
