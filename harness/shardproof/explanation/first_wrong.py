"""
Since which step the system is wrong, which may be long before it shows.

A step is named that is earlier than the last one for one of three reasons, and no other:

* The lockstep saw the system do there what the model refuses, and it broke no sentence yet.
* The step changes nothing in the model, so whatever comes after it is answered as it would be before it;
  and the last step, if it comes just before, the system answers the other way than just after it.
* Before the step, honest relayers bring everything that was sent to its end and nothing is violated;
  after it, that same way leads them to the same violation.

The second is so by what a model is. The third says that the run is lost from there on, and not which
line of the system has lost it: of a shard that takes a receipt back, and of one that then handles a
receipt badly that was taken back, it says the same. Emissions, blocks and clocks are never named by it,
because they change what there is to do; nor is a loss of power, which is only prepared by its step and
belongs to what is interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from ..lockstep import Lockstep
from ..moves import Act, Deliver, Learn, Move, Restart, Revert, verb_of
from .trials import OutOfRunsError, Trials, fewer

#: Moves of the table that change nothing that a system should answer by.
_STIRS = frozenset({"prune", "upgrade", "replicate", "initialise"})

#: Those at which a system may lose what it needs later.
_TRANSFORM = frozenset({"split", "merge", "prune", "upgrade", "acknowledge", "time_out", "skip"})


@frozen
class FirstWrong:
    """A step, by its place, and how it is known; empty where it is the one that shows it."""

    place: int
    known_by: str = ""
    #: Whether it was seen to do there what the model refuses, so that what was shown there is what matters.
    seen: bool = False


def first_wrong(trials: Trials) -> FirstWrong:
    """The earliest step of which one of the three can be said; the last one where none can."""
    last = len(trials.moves) - 1
    said = [_by_the_record(trials), _by_what_changes_nothing(trials), _by_honest_relayers(trials)]
    earlier = [one for one in said if one is not None and one.place < last]
    return min(earlier, key=lambda one: one.place, default=FirstWrong(last))


def _by_the_record(trials: Trials) -> FirstWrong | None:
    try:
        with trials.fresh() as lock:
            return _seen(lock, trials.moves)
    except OutOfRunsError:
        return None


def _seen(lock: Lockstep, moves: Sequence[Move]) -> FirstWrong | None:
    for place, move in enumerate(moves):
        doubts = len(lock.doubtful)
        lock.run(move)
        if isinstance(move, Learn) and len(lock.doubtful) > doubts:
            return FirstWrong(place, "it accepted a damaged header there, which the model refuses")
        if lock.astray is not None:
            did = lock.astray.differs or "it accepted"
            clause = lock.astray.clause
            refused = f"the model refuses that ({clause})" if clause else "the model does not do that"
            return FirstWrong(lock.astray_at - 1, f"{did}, and {refused}", seen=True)
    return None


def _by_what_changes_nothing(trials: Trials) -> FirstWrong | None:
    *before, last = trials.moves
    for place in _unchanging(trials):
        try:
            early, late = (trials.run([*before[:end], last]) for end in (place, place + 1))
        except OutOfRunsError:
            return None
        whole = not early.void and not late.void and early.wrong is None
        if whole and trials.same(late) and early.refused is not late.refused:
            had, has = ("refused", "accepted") if early.refused else ("accepted", "refused")
            step = f"this {verb_of(before[place])}"
            said = f"what is {had} before {step} is {has} after it, and in the model it changes nothing"
            return FirstWrong(place, said)
    return None


def _unchanging(trials: Trials) -> list[int]:
    """The places of moves that leave the model's world as it is, and a system's as well if it is right."""
    try:
        with trials.fresh() as lock:
            return [place for place, move in enumerate(trials.moves[:-1]) if _changes_nothing(lock, move)]
    except OutOfRunsError:
        return []


def _changes_nothing(lock: Lockstep, move: Move) -> bool:
    """Whether a move does so when it is taken now."""
    world, doubts = lock.oracle.generated.copy(lock.world), len(lock.doubtful)
    # What power failed in has happened or has not, and both are right.
    interrupted = bool(lock.armed)
    lock.run(move)
    stirs = isinstance(move, Restart) or (isinstance(move, Act) and move.deed in _STIRS)
    in_vain = isinstance(move, Learn | Deliver) and len(lock.doubtful) == doubts
    return (stirs or in_vain) and lock.world == world and not (lock.happened or interrupted)


def _by_honest_relayers(trials: Trials) -> FirstWrong | None:
    """From the end, so that a run that is lost stays lost."""
    moves = trials.moves
    for place in range(len(moves) - 2, -1, -1):
        if not _may_lose(moves[place]):
            continue
        try:
            if not trials.same(trials.run_on(moves[: place + 1])):
                break
            before = trials.run_on(_before(moves, place))
        except OutOfRunsError:
            break
        if before.wrong is None and before.finished:
            said = "before it, honest relayers bring all to its end; after it, they meet the same violation"
            return FirstWrong(place, said)
    return None


def _may_lose(move: Move) -> bool:
    return isinstance(move, Deliver | Learn | Restart | Revert) or (
        isinstance(move, Act) and move.deed in _TRANSFORM
    )


def _before(moves: Sequence[Move], place: int) -> Sequence[Move]:
    """What comes before a step, without the loss of power that interrupts it."""
    shard = getattr(moves[place], "shard", None)
    for earlier in range(place - 1, -1, -1):
        move = moves[earlier]
        if getattr(move, "shard", None) != shard:
            continue
        if isinstance(move, Act) and move.deed == "crash":
            return fewer(moves[:place], earlier)
        if isinstance(move, Deliver | Learn | Act):
            break
    return moves[:place]
