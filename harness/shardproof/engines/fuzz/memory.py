"""
How long a shard remembers what it has executed: the first receipt is shown again after many others.

Random runs are short, and what they show again is recent. A window of the last sixty-four, a cache
that is full, a filter that is cleared: all of these refuse what comes again soon, and execute what comes
again late. So now and then there is one long honest run to one shard, at the end of which the first
receipt is shown once more; each is twice as long as the one before, as long as they stay a small part of
all steps. What is forgotten after more than that, nobody has looked for, and the report says how far it was.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field

from ...explanation.without import NOT_TRIED
from ...lockstep import Lockstep
from ...moves import Deliver, Emit, Move
from ...record import Sent
from ...runs import Found
from ...schedule import Schedule
from ...trace import Explanation
from ...traffic import Dice

#: How many others there are in the first such run: what random runs show again is at most eight back.
OTHERS_MIN = 16
#: And in the longest: some systems take longer for each the more there are, and some have no room for more.
OTHERS_MAX = 1 << 12
#: One step in so many belongs to these runs.
SHARE = 16
#: Receipts that are under way at a time, at most: they fit into a block.
BATCH = 128
#: Steps by which an honest relayer brings one receipt to its execution.
STEPS_MAX = 40
#: What one receipt takes, at least: it is sent, and delivered.
STEPS_A_RECEIPT = 2

#: What a shard violates that has forgotten.
FORGOTTEN = "executes-at-most-once"

#: Takes a move in the run that is under way.
Take = Callable[[Move, list[Move]], Found | None]


@define(eq=False)
class Memory:
    """After how many others a receipt was refused that had been executed before them."""

    schedule: Schedule
    take: Take
    #: Whether there is no time to go on with a run.
    late: Callable[[], bool] = lambda: False
    #: How many others there will be in the next run, and how many there were in the last that was refused.
    others: int = OTHERS_MIN
    refused_after: int = 0
    #: What was said to refuse it.
    said: str = field(init=False, default="")
    #: It was executed again, or the system does not take in so many: there is nothing more to learn.
    over: bool = field(init=False, default=False)

    def due(self, steps: int) -> bool:
        """Whether enough was done besides for the next run."""
        return not self.over and self.others <= OTHERS_MAX and steps >= SHARE * STEPS_A_RECEIPT * self.others

    def longer(self, fresh: Callable[[], Lockstep]) -> Found | None:
        """One run, twice as long as the last one; if it finds something, a shortest one that does."""
        found = self._run(fresh(), self.others)
        if found is None:
            if not self.over:
                self.refused_after, self.others = self.others, 2 * self.others
            return None
        self.over = True
        return self._shortest(found, fresh) if found.wrong.property == FORGOTTEN else found

    def _shortest(self, found: Found, fresh: Callable[[], Lockstep]) -> Found:
        """Halved, as long as fewer others are enough."""
        enough = self.others
        while enough - self.refused_after > 1:
            middle = (enough + self.refused_after) // 2
            sooner = self._run(fresh(), middle)
            if sooner is not None and sooner.wrong.property == found.wrong.property:
                found, enough = sooner, middle
            else:
                self.refused_after = middle
        return found

    def explanation(self, found: Found) -> Explanation:
        """Why it goes wrong: what was refused after fewer others is executed after more."""
        last = len(found.moves) - 1
        fewer = self.refused_after
        others = len({m.receipt for m in found.moves if isinstance(m, Deliver)}) - 1
        return Explanation(
            without=(NOT_TRIED,) * (last + 1),
            first_wrong=last,
            refused_instead=f"the same is refused ({self.said}) where {fewer:,} others, and not {others:,}, "
            "are executed in between",
            look_for="Look at how much is remembered of what was executed (a window, a cache, a filter that "
            "is cleared): what has fallen out of it is executed again, and nothing else (a height, an order, "
            "a deadline) refuses it.",
        )

    def _run(self, lock: Lockstep, others: int) -> Found | None:
        """Honest deliveries of one receipt and so many others, and then of the first one again."""
        schedule, moves = self.schedule, list[Move]()
        schedule.begin(Dice(0))
        first: Deliver | None = None
        left = others + 1
        # All at once is a shorter run; of more than half of what is kept in mind, some would be forgotten.
        room = lock.oracle.receipts
        batch_max = min(BATCH, room // 2 if left > room - 8 else left)
        while left:
            if self.late():
                self.over = True
                return None
            batch = self._sent(lock, min(left, batch_max), moves)
            if isinstance(batch, Found):
                return batch
            executed = 0
            for sent in batch:
                how = None if sent.executed_at >= 0 else self._executed(lock, sent, moves)
                if isinstance(how, Found):
                    return how
                # Some systems execute all that is there when one of it is delivered.
                executed += sent.executed_at >= 0
                if how is not None and first is None:
                    first = how
                    lock.kept.add(sent.number)
            if not executed:
                self.over = True
                return None
            left -= executed
        if first is None:
            # All were executed by something else than being delivered, so none can be delivered again.
            self.over = True
            return None
        found = self.take(first, moves)
        if found is None:
            self.said = str(lock.claim).removeprefix("refused, ")
        return found

    def _sent(self, lock: Lockstep, count: int, moves: list[Move]) -> list[Sent] | Found:
        """Receipts from the first shard to the second; fewer where it does not let in so many."""
        batch = []
        for _ in range(count):
            move = Emit(self.schedule.fresh("receipt"), 0, 1)
            if not lock.possible(move):
                break
            if found := self.take(move, moves):
                return found
            sent = lock.receipts.get(move.receipt)
            if sent is None:
                break
            batch.append(sent)
        return batch

    def _executed(self, lock: Lockstep, sent: Sent, moves: list[Move]) -> Deliver | Found | None:
        """The delivery by which an honest relayer has a receipt executed; `None` if it comes to nothing."""
        for _ in range(STEPS_MAX):
            move = self.schedule.towards(sent)
            if move is None or sent.number not in lock.receipts or not lock.possible(move):
                return None
            declined = sum(lock.declined.values())
            if found := self.take(move, moves):
                return found
            if sent.executed_at >= 0:
                return move if isinstance(move, Deliver) else None
            if sum(lock.declined.values()) > declined:
                return None
        return None
