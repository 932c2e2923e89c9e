"""
What to try next: honest traffic that gets somewhere, and the attacks that apply (`attacks.py`).

One number decides a step, so a schedule is a function of its numbers and of what the run has
shown so far. Honest steps work towards the delivery of some receipt; the rest
of the time something random, late, repeated, foreign or forged is tried. Attacks that were
tried least are tried first, and each is counted by its kind.
"""

from __future__ import annotations

from functools import cached_property

from attrs import define

from .attacks import ATTACKS, NEEDS
from .attacks.outcomes import PREPARED, follow_up
from .moves import Act, Deliver, Emit, Finalise, Learn, Move, Produce, Restart, Revert
from .oracle import CHANNELS
from .record import Sent
from .relaying import next_step, towards_expiry
from .traffic import Dice, Traffic

#: How much of the time a step is honest progress, environment, or an attack, in 64ths.
PROGRESS, ENVIRONMENT, ATTACK = 30, 14, 20

#: Receipts under way beyond which honest relayers deliver before users send more.
WAITING_MAX = 24

#: Deeds after which an attack goes on.
PREPARING = ("advance_clock", "close_channel", "claim", "learn_validators")

#: One receipt in so many is one that its receiving application never takes.
POISON = 7

#: One receipt in so many is never delivered, if it has a deadline.
LEFT = 5


@define(eq=False, slots=False)
class Schedule(Traffic):
    """Chooses moves for one run after another, and keeps count of what was tried."""

    #: Users send until so many receipts are under way, and wait while many more are.
    crowd: int = 0
    #: Shards to which nothing happens in this run, and shards to which little does.
    stopped: frozenset[int] = frozenset()
    slow: frozenset[int] = frozenset()
    #: An attack that is not ready yet, and the receipt that it is about.
    plot: tuple[str, Sent | None] | None = None

    def begin(self, dice: Dice) -> None:
        """A new run, with its own slow and stopped shards."""
        self.clear()
        shards = len(self.lock.topology.shards)
        self.stopped = self.slow = frozenset()
        self.plot = None
        weather = dice.roll(8)
        if weather == 1 and shards > 2:
            self.stopped = frozenset({dice.roll(shards)})
            self.count("stopped-shard")
        elif weather == 2:
            self.slow = frozenset({dice.roll(shards)})
            self.count("slow-shard")

    # ---- choosing -------------------------------------------------------------------------------

    def next(self, dice: Dice) -> Move:
        """The next move: always one that is possible."""
        if len(self.born) + len(self.done) > len(self.lock.receipts):
            self.remember()
        if len(self.waiting) < self.crowd:
            return self._emission(dice)
        if self.lock.suspects and dice.roll(4):
            move = self.pursue(dice)
            if move is not None and self.lock.possible(move):
                return move
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
        if len(self.waiting) >= self.crowd + WAITING_MAX:
            move = self.towards(self.waiting[dice.roll(len(self.waiting))])
            if move is not None and self.lock.possible(move):
                return move
        if self.lock.wide:
            # Nothing may be sent on a channel that is over; a block can be produced whatever happens.
            return self.emission(dice) or Produce(self.fresh("header"), dice.pick(self.lock.living()))
        s = dice.roll(shards)
        d = (s + 1 + dice.roll(shards - 1)) % shards
        # Always possible: where memory is full, the lockstep has forgotten something.
        return Emit(self.fresh("receipt"), s, d)

    def advance(self, dice: Dice) -> Move | None:
        """A step towards the execution of a receipt; the newest ones wait least, so some wait long."""
        if not self.waiting or (len(self.waiting) < 3 and dice.roll(4) == 0):
            return self._emission(dice)
        if self.untold and dice.roll(3) == 0:
            return self.towards(dice.pick(self.untold[-8:]))
        sent = self.waiting[dice.roll(min(3, len(self.waiting)))] if dice.roll(2) else dice.pick(self.waiting)
        move = self.towards(sent)
        return self._as_it_likes(move, dice) if self.lock.wide else move

    def _as_it_likes(self, move: Move | None, dice: Dice) -> Move | None:
        """Receiving applications fail now and then, or always; sending ones call again meanwhile."""
        if isinstance(move, Act) and move.deed == "time_out" and "time_out_again" in self.lock.able:
            return move if dice.roll(3) else move._replace(deed="time_out_again")
        if not isinstance(move, Deliver) or "deliver_failing" not in self.lock.able:
            return move
        sent = self.lock.receipts.get(move.receipt) if isinstance(move.receipt, int) else None
        if sent is None or sent.answers is not None:
            return move
        poison = sent.number % POISON == POISON - 1
        return move._replace(fails=True) if poison or dice.roll(6) == 0 else move

    def towards(self, sent: Sent) -> Move | None:
        """What an honest relayer does next for a receipt."""
        if not self.lock.wide:
            return super().towards(sent)
        return towards_expiry(self, sent) if self._is_left_to_expire(sent) else next_step(self, sent)

    def _is_left_to_expire(self, sent: Sent) -> bool:
        # Where there is an order, everything behind it would wait for it.
        if sent.number % LEFT != LEFT - 1 or sent.terms.deadline is None or not self.lock.telling:
            return False
        open_still = sent.executed_at < 0 and sent.told is None and not self.lock.shut(sent)
        return open_still and "ordering" not in self.lock.oracle.layers

    def pursue(self, dice: Dice) -> Move | None:
        """What may come of something that the model refuses, and that breaks nothing yet."""
        suspects = [r for r in self.lock.receipts.values() if r.slot in self.lock.suspects]
        return follow_up(self, dice, dice.pick(suspects)) if suspects else None

    def surroundings(self, dice: Dice) -> Move | None:
        """Time passes, operators work, links drain, shards split."""
        lock = self.lock
        deed = dice.pick(self.stirring)
        living = lock.living()
        if deed in ("split", "merge"):
            return ATTACKS["resharding-under-way"](self, dice)
        if deed == "drain":
            source, destination = dice.pick([*lock.addresses]), dice.pick([*lock.addresses])
            links = sorted(self.full) or [link for link, n in lock.queued.items() if n]
            if links:
                source, destination = dice.pick(links)
            return Act("drain", source, other=destination) if source != destination else None
        shard = dice.pick(living)
        if deed == "close_channel":
            other = dice.pick([a for a in lock.addresses if a != shard])
            return Act(deed, shard, other=other, number=dice.roll(CHANNELS)) if dice.roll(2) else None
        return Act(deed, shard)

    @cached_property
    def stirring(self) -> list[str]:
        """What may happen around the receipts of this system, as often as it is in the list."""
        often = {"advance_clock": 6, "drain": 3, "prune": 2}
        stirs = (
            "advance_clock",
            "drain",
            "prune",
            "rotate",
            "upgrade",
            "replicate",
            "split",
            "close_channel",
        )
        return [deed for deed in stirs if deed in self.lock.able for _ in range(often.get(deed, 1))]

    def environment(self, dice: Dice) -> Move | None:
        """Something that users, consensus, operators or aimless relayers do."""
        if self.lock.wide and self.stirring and dice.roll(5) < 2:
            return self.surroundings(dice)
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
        if self.plot and dice.roll(3):
            (kind, self.aim), self.plot = self.plot, None
        else:
            self.aim = None
            kinds = self.applicable
            # Half of the time the least tried of three, so that every kind has its turn.
            names = [dice.pick(kinds) for _ in range(3)] if dice.roll(2) else [dice.pick(kinds)]
            kind = min(names, key=lambda k: self.tried.get(k, 0))
        move = ATTACKS[kind](self, dice)
        if move is None or not self.lock.possible(move):
            return None
        prepares = isinstance(move, Produce | Finalise | Learn) or move[0] in PREPARING
        if kind in PREPARED and prepares:
            self.plot = kind, self.aim
        self.count(kind)
        return move

    @cached_property
    def applicable(self) -> list[str]:
        """The kinds of attack that this system can be tried with."""
        able = self.lock.able
        return [kind for kind in ATTACKS if all(v in able for v in NEEDS.get(kind, ()))]
