"""
What an honest relayer does next for a receipt, where there is more to do than to deliver it.

A receipt is delivered, or skipped, or it expires; then its sender is told, on the evidence of a
header of its destination. Each step needs a header that says so, which needs to be produced,
final and believed; so whatever is wanted, the answer is the first thing that is still missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shardproof_models.layers.closing import closed_in
from shardproof_models.layers.deadlines import clock, deadline
from shardproof_models.layers.outcomes import acknowledged_in, received_in, time
from shardproof_models.layers.sequencing import channel, next_receive, sequence
from shardproof_models.layers.skipping import skipped

from .moves import Act, Deliver, Finalise, Learn, Move, Produce, Proof
from .record import Block, Sent
from .traffic import Traffic

#: How far back a relayer looks for a header that says what he wants.
BLOCKS_MAX = 24


def next_step(s: Traffic, sent: Sent) -> Move | None:
    """The next thing that an honest relayer does for a receipt; nothing if there is nothing to do."""
    lock = s.lock
    if not lock.emitted(sent) or sent.told is not None:
        return None
    d = lock.owner(sent.destination)
    if sent.executed_at >= 0:
        if lock.oracle.read(lock.world, skipped, d, sent.slot):
            # It was recorded, and not received.
            return towards_expiry(s, sent)
        return _towards_its_outcome(s, sent) if lock.telling else None
    if lock.shut(sent):
        return _outcome(s, sent, "time_out_on_close", _attests_closing(s, sent))
    first = head_of_line(s, sent)
    if first is None:
        return _outcome(s, sent, "time_out", _attests_expiry(s, sent)) if expired(s, sent, d) else None
    if expired(s, first, d):
        if "skip" in lock.able:
            return _shown(s, first, d, lambda b: Act("skip", d, first.number, b.number, _proof(first, b)))
        return _outcome(s, first, "time_out", _attests_expiry(s, first)) if lock.telling else None
    return _shown(s, first, d, lambda b: Deliver(d, first.number, b.number, _proof(first, b)))


def next_step_regardless(s: Traffic, sent: Sent) -> Move | None:
    """What the relayer does who delivers, and does not ask what the sender was told meanwhile."""
    lock = s.lock
    d = lock.owner(sent.destination)
    if sent.executed_at >= 0 or not lock.emitted(sent) or expired(s, sent, d) or lock.shut(sent):
        return None
    return _shown(s, sent, d, lambda b: Deliver(d, sent.number, b.number, _proof(sent, b)))


def towards_expiry(s: Traffic, sent: Sent) -> Move | None:
    """What the relayer does who lets a receipt expire, and then tells its sender."""
    return _outcome(s, sent, "time_out", _attests_expiry(s, sent))


def _proof(sent: Sent, block: Block) -> Proof:
    return Proof(sent.number, block.number)


def expired(s: Traffic, sent: Sent, d: int) -> bool:
    """Whether it is too late for a receipt, on the clock of shard `d`."""
    oracle, world = s.lock.oracle, s.lock.world
    return (
        oracle.rich
        and clock in oracle.generated.index
        and oracle.rigid(deadline, sent.slot) <= oracle.read(world, clock, d)
    )


def head_of_line(s: Traffic, sent: Sent) -> Sent | None:
    """The receipt that is next on the channel of `sent`, where that matters; nothing if it is not known."""
    oracle, world = s.lock.oracle, s.lock.world
    if "ordering" not in oracle.layers:
        return sent
    over = oracle.rigid(channel, sent.slot)
    due = oracle.read(world, next_receive, over)
    if oracle.rigid(sequence, sent.slot) == due:
        return sent
    # What its sender has given up still has its turn, where it can be skipped.
    given_up = [r for r in s.done if r.executed_at < 0] if "skip" in s.lock.able else []
    for other in (*s.waiting, *given_up):
        if oracle.rigid(channel, other.slot) == over and oracle.rigid(sequence, other.slot) == due:
            return other if s.lock.emitted(other) else None
    return None


def recent(s: Traffic) -> Iterator[Block]:
    """The newest headers first."""
    for looked_at, block in enumerate(reversed(s.lock.headers.values())):
        if looked_at >= BLOCKS_MAX:
            return
        if block.produced:
            yield block


def believed(s: Traffic, at: int, block: Block) -> Move | None:
    """What is missing until shard `at` believes a header; nothing if it does."""
    lock = s.lock
    if lock.trusts(at, block):
        return None
    if not block.final:
        return Finalise(s.pending(block.shard)[0].number)
    if "learn" not in lock.able:
        return None
    if "claim" in lock.able:
        turn = s.patience[at, block.number] = s.patience.get((at, block.number), -1) + 1
        if turn == 0:
            return Act("claim", at, header=block.number)
        if turn % 2 and lock.possible(Act("advance_clock", at)):
            return Act("advance_clock", at)
    known = lock.told_epochs.get((at, block.shard), 0)
    if known < block.epoch and "learn_validators" in lock.able:
        for older in reversed(lock.chains[block.shard][-BLOCKS_MAX:]):
            if older.epoch == known:
                if lock.trusts(at, older):
                    return Act("learn_validators", at, header=older.number)
                return Learn(at, older.number) if older.final else None
    return Learn(at, block.number)


def _shown(s: Traffic, sent: Sent, d: int, present: Callable[[Block], Move]) -> Move | None:
    """Present a receipt to its destination, once a header that commits to it is believed there."""
    lock = s.lock
    best: Block | None = None
    for block in recent(s):
        if lock.commits(block, sent):
            if block.final and lock.trusts(d, block):
                return present(block)
            if best is None or (block.final and not best.final):
                best = block
    if best is None or (lock.sharded and not best.final and not lock.lives(best.shard)):
        return Produce(s.fresh("header"), lock.owner(sent.source))
    return believed(s, d, best) or present(best)


def _attests_success(s: Traffic, sent: Sent) -> Callable[[Block], bool]:
    lock = s.lock
    return lambda b: bool(lock.oracle.read(lock.world, acknowledged_in, b.slot, sent.slot))


def _attests_expiry(s: Traffic, sent: Sent) -> Callable[[Block], bool]:
    lock = s.lock
    read, due = lock.oracle.read, lock.oracle.rigid(deadline, sent.slot)
    # One unit later than it must be: see `Acts.overdue`.
    return lambda b: (
        due < read(lock.world, time, b.slot) and not read(lock.world, received_in, b.slot, sent.slot)
    )


def _attests_closing(s: Traffic, sent: Sent) -> Callable[[Block], bool]:
    lock = s.lock
    read, over = lock.oracle.read, lock.oracle.rigid(channel, sent.slot)
    return lambda b: (
        bool(read(lock.world, closed_in, b.slot, over))
        and not read(lock.world, received_in, b.slot, sent.slot)
    )


def _towards_its_outcome(s: Traffic, sent: Sent) -> Move | None:
    if sent.answer is not None and sent.answer.told is None:
        # What travels has an outcome once its last hop has one.
        return next_step(s, sent.answer)
    return _outcome(s, sent, "acknowledge", _attests_success(s, sent))


def _outcome(s: Traffic, sent: Sent, deed: str, attests: Callable[[Block], bool]) -> Move | None:
    """Tell the sender, once a header of the destination that attests it is believed there."""
    lock = s.lock
    if deed not in lock.able or not lock.telling:
        return None
    d, at = lock.owner(sent.destination), lock.owner(sent.source)
    best: Block | None = None
    for block in recent(s):
        if lock.speaks(block, sent.destination) and attests(block):
            if block.final and lock.trusts(at, block):
                return Act(deed, at, sent.number, block.number, _proof(sent, block))
            if best is None or (block.final and not best.final):
                best = block
    if best is None:
        soon = lock.oracle.rigid(deadline, sent.slot)
        if deed == "time_out" and lock.oracle.read(lock.world, clock, d) <= soon:
            return Act("advance_clock", d)
        return Produce(s.fresh("header"), d)
    return believed(s, at, best) or Act(deed, at, sent.number, best.number, _proof(sent, best))
