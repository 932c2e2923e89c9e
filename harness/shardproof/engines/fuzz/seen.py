"""
What all runs together have been through: what came of their moves, and in what situations.

A situation is a combination of what was tried, what the model said and how far the receipt had
come. A run that is the first in one is kept, and later runs begin with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field

from ...adapter import Ending, Refused
from ...deeds import DEEDS
from ...lockstep import Lockstep
from ...moves import Act, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Restart, Revert
from ...observable import EXERCISED
from ...schedule import Schedule
from ...series import Series
from .numbers import hash_of

#: Kept beginnings; beyond, the oldest make room.
BEGINNINGS_MAX = 512

#: What is counted.
WORK = (
    "steps",
    "runs",
    "emitted",
    "executed",
    "attempts_refused",
    "reverts",
    "due",
    "quiesced",
    "repeated",
)

#: The clause of `deliver` that stands between an attempt and the violation of a property.
GUARDS = {
    "untrusted header": ("executes-only-on-trusted-headers", "executes-only-on-final-headers"),
    "wrong source": ("executes-only-what-was-emitted",),
    "unproven": ("executes-only-what-was-emitted",),
    "wrong destination": ("executes-at-its-destination",),
    "consumed": ("executes-at-most-once",),
}

#: What a light client can get wrong; without one, headers certify themselves.
LEARNING = ("trusts-only-final-headers", "trusts-only-produced-headers")


@define(eq=False)
class Seen:
    """What has been seen: situations, exercised properties, attacks."""

    schedule: Schedule
    situations: set[int] = field(factory=set)
    beginnings: list[tuple[Move, ...]] = field(factory=list)
    work: dict[str, int] = field(factory=lambda: dict.fromkeys(WORK, 0))
    exercised: dict[str, int] = field(factory=dict)
    #: How many situations there were after so many steps.
    growth: Series = field(factory=Series)
    #: Attempts that were refused in the runs before this one.
    refused_before: int = 0

    @property
    def lock(self) -> Lockstep:
        """Where the run takes place."""
        return self.schedule.lock

    def begin(self) -> None:
        """A new run."""
        self.work["runs"] += 1
        self.refused_before = self.work["attempts_refused"]

    def exercise(self, *names: str) -> None:
        """Properties that the last step could have violated."""
        for name in names:
            self.exercised[name] = self.exercised.get(name, 0) + 1

    def situation(self, move: Move) -> int:
        """How far the receipt of a delivery had come, in a few bits."""
        lock = self.lock
        if isinstance(move, Act):
            return self._standing(move)
        if not isinstance(move, Deliver):
            return 0
        sent = lock.receipts.get(move.receipt) if isinstance(move.receipt, int) else None
        block = lock.headers.get(move.header)
        bits = 1 if sent is None else 2
        if sent is not None:
            bits |= (sent.executed_at >= 0) << 2 | (move.shard == sent.destination) << 3
            if block is not None:
                bits |= lock.commits(block, sent) << 4 | (block.shard == sent.source) << 5
        if block is not None:
            bits |= block.final << 6 | block.produced << 7 | lock.trusts(move.shard, block) << 8
        return bits

    def _standing(self, move: Act) -> int:
        """The same for one of the other deeds."""
        lock = self.lock
        sent = lock.receipts.get(move.receipt) if isinstance(move.receipt, int) else None
        block = lock.headers.get(move.header) if move.header is not None else None
        bits = 1 << 9 if sent is None else 2 << 9
        if sent is not None:
            bits |= (sent.executed_at >= 0) << 2 | (sent.told is not None) << 3 | sent.failed << 4
        if block is not None:
            bits |= block.final << 6 | block.produced << 7 | lock.trusts(move.shard, block) << 8
        return bits

    def note(self, move: Move, *, relieved: bool) -> None:
        """Note what the last move has exercised beside the main road."""
        for event in self._events(move, relieved=relieved):
            self.exercise(*EXERCISED.get(event, ()))

    def _events(self, move: Move, *, relieved: bool) -> Iterator[str]:
        lock = self.lock
        accepted = not isinstance(lock.claim, Refused)
        match move:
            case Deliver():
                if lock.clause and not lock.suspects:
                    yield f"deliver: {lock.refusing_clause('deliver', lock.clause)}"
                elif lock.happened:
                    yield "nest" if move.inner else "failure" if move.fails else "deliver"
            case Act(deed):
                action = DEEDS[deed].action
                if action and lock.clause and not lock.suspects:
                    yield f"{action}: {lock.refusing_clause(action, lock.clause)}"
                elif lock.happened or accepted or deed in ("initialise", "forge_header"):
                    yield action or deed
            case Emit() if accepted and move.terms is not None:
                yield "send"
                if relieved:
                    yield "send on an emptied link"
            case Learn() if accepted and not lock.clause:
                block = lock.headers.get(move.header)
                if block is not None and block.epoch:
                    yield "learn of a new epoch"
            case Restart():
                yield "restart"
        if any(sent.told is not None and sent.told is not Ending.SUCCEEDED for sent in lock.changed):
            yield "refund"

    def count(self, move: Move) -> None:
        """Note what came of the last move."""
        lock, work = self.lock, self.work
        match move:
            case Deliver():
                # Judged by effects: some systems answer an attempt that they ignore with success.
                work["attempts_refused"] += bool(lock.clause) and not lock.happened
                work["executed"] += bool(lock.happened)
                if lock.clause:
                    self.exercise(*GUARDS.get(lock.refusing_clause("deliver", lock.clause), ()))
                elif lock.happened:
                    work["due"] += 1
                    self.exercise("delivers-what-is-due", "waits-for-no-other-shard")
                    if work["attempts_refused"] > self.refused_before:
                        self.exercise("is-not-jammed-by-another-receipt")
            case Act():
                work["attempts_refused"] += bool(lock.clause) and not lock.happened
            case Learn() if lock.clause:
                self.exercise(*LEARNING)
            case Emit():
                work["emitted"] += not isinstance(lock.claim, Refused)
            case Revert():
                work["reverts"] += not isinstance(lock.claim, Refused)
                # Where nothing was taken back there was nothing to forget.
                if lock.taken_back:
                    self.exercise("reverts-atomically")

    def cover(self, move: Move, before: int, moves: list[Move]) -> None:
        """Note whether the last move, and what came of it, was ever so before; `count` was called of it."""
        lock = self.lock
        refused = isinstance(lock.claim, Refused)
        kind = 0
        match move:
            case Deliver(_, receipt, _, evidence, damage, again, fails, inner):
                kind = 8 + again + 2 * isinstance(receipt, Forged) + 4 * (evidence is not None)
                kind += 8 * (hash_of(damage.part + damage.kind) if damage else 0)
                kind |= fails << 13 | (inner is not None) << 14
            case Act(deed):
                kind = hash_of(deed) << 15 | 8 * (hash_of(str(move.damage)[:16]) if move.damage else 0)
            case Learn(_, _, damage):
                kind = 1 + 8 * (damage is not None)
            case Emit():
                kind = 2
            case Revert():
                kind = 3
            case Restart():
                kind = 4
            case Produce() | Finalise():
                kind = 5
        height = min(3, len(lock.receipts)) << 2 | min(3, len(self.schedule.done))
        self._remember((((kind << 12 | before) << 3 | lock.clause) << 1 | refused) << 4 | height, moves)

    def _remember(self, situation: int, moves: list[Move]) -> None:
        if situation in self.situations:
            return
        self.situations.add(situation)
        self.growth.note(self.work["steps"], len(self.situations))
        if len(moves) > 1:
            if len(self.beginnings) >= BEGINNINGS_MAX:
                del self.beginnings[: BEGINNINGS_MAX // 2]
            self.beginnings.append(tuple(moves))
