"""
What is on its way in a run, and what an honest relayer does about it.

Attacks take what would be honest from here and change one thing about it; a schedule chooses
between the two. Choices are digits of one number (`Dice`), so a run is a function of numbers.
"""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from attrs import define, field

from shardproof_models.layers.deadlines import clock

from .adapter import Refused
from .lockstep import Lockstep
from .moves import Act, Deliver, Emit, Finalise, Learn, Move, Produce, Proof, Revert, Terms
from .oracle import CHANNELS
from .record import Block, Sent

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


#: Moves after which a delivery counts as delayed.
LATE = 20


@define(eq=False, slots=False)
class Traffic:
    """Receipts under way and done with, over one run after another."""

    lock: Lockstep
    #: Kind of attack, or of weather -> how often it was tried, over all runs.
    tried: dict[str, int]
    numbers: dict[str, int] = field(init=False, factory=dict)
    #: Receipts that are not executed yet, and those that are, oldest first.
    waiting: list[Sent] = field(init=False, factory=list)
    done: list[Sent] = field(init=False, factory=list)
    #: Moves of this run so far, and when each receipt was emitted.
    moment: int = field(init=False, default=0)
    born: dict[int, int] = field(init=False, factory=dict)
    #: Receipts that are dealt with where they went, and of which their senders do not know.
    untold: list[Sent] = field(init=False, factory=list)
    #: Links on which nothing more was let in, and the one that is flooded in this run.
    full: set[tuple[int, int]] = field(init=False, factory=set)
    flooded: tuple[int, int] | None = field(init=False, default=None)
    #: The receipt that an attack of several steps is about.
    aim: Sent | None = field(init=False, default=None)
    #: How often it was tried to make a shard believe a claim.
    patience: dict[tuple[int, int], int] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """A new run: nothing is under way."""
        self.numbers = {"receipt": 0, "header": 0, "forged": 0}
        self.waiting, self.done, self.untold, self.patience = [], [], [], {}
        self.full, self.flooded, self.aim = set(), None, None
        self.moment, self.born = 0, {}

    def count(self, kind: str) -> None:
        """One more of a kind was tried."""
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
        self.untold = [s for s in self.untold if s.number in known]
        self.born = {number: moment for number, moment in self.born.items() if number in known}

    def note(self, move: Move) -> None:
        """Take account of what the last move did."""
        self.moment += 1
        if self.lock.wide:
            self._note_changes(move)
        elif isinstance(move, Emit):
            if (sent := self.lock.receipts.get(move.receipt)) is not None:
                self.waiting.append(sent)
                self.born[sent.number] = self.moment
        elif isinstance(move, Deliver) and isinstance(move.receipt, int):
            sent = self.lock.receipts.get(move.receipt)
            if sent is not None and sent.executed_at >= 0 and sent.number in self.born:
                self._is_over(sent)
        elif isinstance(move, Revert):
            receipts = list(self.lock.receipts.values())
            self.waiting = [r for r in receipts if r.executed_at < 0]
            self.done = [r for r in receipts if r.executed_at >= 0]
            self.born = {r.number: self.born.get(r.number, self.moment) for r in self.waiting}

    def _note_changes(self, move: Move) -> None:
        """The same, where more than a delivery changes how a receipt stands."""
        lock = self.lock
        if isinstance(move, Emit) and isinstance(lock.claim, Refused):
            self.full.add((move.source, move.destination))
        if isinstance(move, Revert) or lock.taken_back:
            receipts = [r for r in lock.receipts.values() if lock.emitted(r)]
            self.waiting = [r for r in receipts if r.executed_at < 0 and r.told is None]
            self.done = [r for r in receipts if r.executed_at >= 0 or r.told is not None]
            self.untold = [r for r in self.done if lock.telling and r.told is None]
            self.born = {r.number: self.born.get(r.number, self.moment) for r in self.waiting}
            return
        for sent in lock.changed:
            over = sent.executed_at >= 0 or sent.told is not None
            if not over and sent.number not in self.born:
                self.waiting.append(sent)
                self.born[sent.number] = self.moment
            elif over and sent.number in self.born:
                self._is_over(sent)
            if over and lock.telling:
                if sent in self.untold:
                    if sent.told is not None:
                        self.untold.remove(sent)
                elif sent.told is None:
                    self.untold.append(sent)

    def _is_over(self, sent: Sent) -> None:
        earlier = [w for w in self.waiting[:16] if w.number < sent.number]
        if (sent.source, sent.destination) in ((w.source, w.destination) for w in earlier):
            self.count("reordering")
        if self.moment - self.born.pop(sent.number) > LATE:
            self.count("delay")
        self.waiting.remove(sent)
        self.done.append(sent)

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
        own = "own-blocks" in self.lock.oracle.layers
        for block in reversed(self.lock.chains[sent.source][0 if own else -8 :]):
            if not self.lock.commits(block, sent):
                if own:
                    # It may be in any block, and is in one.
                    continue
                break
            if block.final:
                return block
            newest = newest or block
        return newest

    def proven(self, dice: Dice) -> Deliver | None:
        """An honest delivery of some receipt that is committed: executed already, or not yet."""
        among = self.done if self.done and (not self.waiting or dice.roll(2)) else self.waiting
        if not among:
            return None
        sent = among[-1 - dice.roll(min(8, len(among)))]
        blocks = [b for b in self.history(sent.source)[-4:] if self.lock.commits(b, sent)]
        d = self.lock.owner(sent.destination)
        trusted = [b for b in blocks if self.lock.trusts(d, b)]
        if not blocks:
            return None
        block = dice.pick(trusted or blocks)
        return Deliver(d, sent.number, block.number, Proof(sent.number, block.number))

    def executed(self, dice: Dice) -> Deliver | None:
        """The honest delivery of a receipt that has been executed."""
        if not self.done:
            return None
        sent = self.done[-1 - dice.roll(min(8, len(self.done)))]
        blocks = [b for b in self.history(sent.source) if self.lock.commits(b, sent)][:4]
        if not blocks:
            return None
        block, d = blocks[0], self.lock.owner(sent.destination)
        return Deliver(d, sent.number, block.number, Proof(sent.number, block.number))

    def delivery(self, d: int, sent: Sent, block: Block) -> Deliver:
        """An honest delivery of a receipt to a shard under a header."""
        return Deliver(d, sent.number, block.number, Proof(sent.number, block.number))

    # ---- what users send --------------------------------------------------------------------------

    def emission(self, dice: Dice) -> Emit | None:
        """A user sends something; nothing where he may not."""
        addresses = len(self.lock.addresses)
        s = dice.roll(addresses)
        d = (s + 1 + dice.roll(addresses - 1)) % addresses
        move = Emit(self.fresh("receipt"), s, d, self._terms(dice, s, d) if self.rich else None)
        return move if self.lock.possible(move) else None

    @cached_property
    def rich(self) -> bool:
        """Whether receipts are sent on terms."""
        return "send" in self.lock.able

    def _terms(self, dice: Dice, s: int, d: int) -> Terms:
        lock = self.lock
        oracle = lock.oracle
        deadline = None
        if "advance_clock" in lock.able and "deadlines" in oracle.layers and dice.roll(3):
            deadline = oracle.read(lock.world, clock, lock.owner(d)) + 1 + dice.roll(6)
        # Where an answer takes back what was paid, amounts begin where nothing is left for it.
        amount = 1 + dice.roll(4) if "balance" in lock.able else 0
        onward = None
        if "forwarding" in oracle.layers and dice.roll(5) == 0:
            others = [a for a in lock.addresses if a not in (s, d)]
            onward = dice.pick(others) if others else None
        return Terms(dice.roll(CHANNELS) if dice.roll(2) else 0, deadline, amount, onward=onward)

    def relieved(self, link: tuple[int, int]) -> Move | None:
        """What makes room on a link that was full; nothing once it is empty, or where there is room."""
        if link not in self.full:
            return None
        if link in self.lock.emptied:
            self.full.discard(link)
            return None
        s, d = link
        return Act("drain", s, other=d)

    def history(self, address: int) -> list[Block]:
        """The blocks in which something of an address may be found, oldest first."""
        if not self.lock.sharded:
            return self.lock.chains[address]
        return [b for b in self.lock.headers.values() if b.produced and self.lock.speaks(b, address)]
