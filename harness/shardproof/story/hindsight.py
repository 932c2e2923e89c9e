"""
What damage came to, which only the bytes of the system that was damaged can say, and its record tells.

A flipped bit is damage to any bytes; a signature made anew is none where there is no signature, and a
receipt with a field of another may turn out to be that other. The model judges what damaged bytes
are. So of what they may have been, the first is taken by which the model answers as was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator

from shardproof_models.layers.exactly_once import origin

from ..adversary import INNER_NODE, SPLICE, Damage
from ..deeds import DEEDS
from ..lockstep import Lockstep
from ..moves import NULL, Act, Deliver, Learn, Move
from ..oracle import FORGED
from ..trace import Step

#: Damage that leaves everything as it is, and is damage all the same: a `Player` has no count of leaves.
HARMLESS = Damage("path", "recounted", 0)


def as_it_was(lock: Lockstep, move: Move, step: Step) -> Move:
    """`move` with damage that surely does what that of `step` did."""
    if not isinstance(move, Deliver | Act | Learn) or move.damage is None:
        return move
    first, *others = _readings(move, step)
    for one in (first, *others):
        if _answers(lock, one) == step.expected:
            return one
    return first


def _readings(move: Deliver | Act | Learn, step: Step) -> Iterator[Deliver | Act | Learn]:
    """What the damage may have come to, the most likely first."""
    part, kind, number = move.damage or HARMLESS
    if part == "header":
        yield move._replace(damage=Damage("header", "flip", 0))
        yield move._replace(damage=None if isinstance(move, Learn) else HARMLESS)
    elif isinstance(move, Learn):
        yield move
    elif part == "receipt" or kind == INNER_NODE:
        yield move._replace(damage=Damage("receipt", "flip", 0))
        yield move._replace(damage=HARMLESS)
        if kind == SPLICE:
            yield move._replace(receipt=number, damage=HARMLESS)
    elif any(said.endswith("which failed") for said in step.changed):
        # That a callback failed is believed of honest evidence only.
        yield move._replace(damage=HARMLESS)
    else:
        yield move._replace(damage=Damage("evidence", "extend", 0))


def _answers(lock: Lockstep, move: Deliver | Act | Learn) -> str:
    """What the model answers to it."""
    oracle, damage = lock.oracle, move.damage
    hurt = damage.part if damage is not None else ""
    block = lock.headers.get(move.header) if move.header not in (None, NULL) else None
    header = block.slot if block is not None and hurt != "header" else oracle.null
    args: tuple[int, ...] = (move.shard, header)
    if isinstance(move, Learn):
        action = "learn"
    else:
        sent = lock.receipts.get(move.receipt) if isinstance(move.receipt, int) else None
        slot = sent.slot if sent is not None and hurt != "receipt" else FORGED
        if sent is not None:
            oracle.describe(FORGED, sent.source, sent.destination)
            end = sent.source if isinstance(move, Deliver) else sent.destination
            oracle.generated.set_rigid(origin, oracle.null, end)
        if isinstance(move, Deliver):
            returned = oracle.failed if move.fails else oracle.returned
            action, args = "deliver", (move.shard, slot, header, *returned)
        else:
            action, args = DEEDS[move.deed].action, lock.taken_with(move, slot, header)
    clause = lock.refusing_clause(action, oracle.generated.refusal[action](lock.world, *args))
    if clause:
        return f"refused, {clause}"
    return "either" if isinstance(move, Deliver) else "accepted"
