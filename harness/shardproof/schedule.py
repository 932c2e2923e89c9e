"""
What to try next: honest traffic that gets somewhere, and the attacks that apply (`attacks.py`).

One number decides a step (`Dice`), so a schedule is a function of its numbers and of what
the run has shown so far. Honest steps work towards the delivery of some receipt; the rest
of the time something random, late, repeated, foreign or forged is tried. Attacks that were
tried least are tried first, and each is counted by its kind.
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from attrs import define, field

from .attacks import ATTACKS, NEEDS
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
                earlier = [w for w in self.waiting[:16] if w.number < sent.number]
                if (sent.source, sent.destination) in ((w.source, w.destination) for w in earlier):
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
        if self.lock.free_headers:
            return Produce(self.fresh("header"), s)
        return Deliver(d, Forged(self.fresh("forged"), s, d), NULL, None)

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
            able = open_blocks and "revert" in self.lock.able
            return Revert(dice.pick(open_blocks).number) if able else None
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
