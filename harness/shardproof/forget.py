"""
What a run keeps in mind of receipts and headers, and what a long one may forget.

The memory of a run is bounded by what is in flight. When slots run out, the older half of
the receipts that were executed goes, and of the headers that no receipt and no
reorganisation needs. What is forgotten is no longer attacked; an effect of it that appears
all the same is still recognised, by its payload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from shardproof_models.language.terms import Term
from shardproof_models.layers.exactly_once import Header, Key, Receipt

if TYPE_CHECKING:
    from .lockstep import Lockstep

#: Of each chain so many blocks are always kept: evidence under older headers is worth trying.
BLOCKS_KEPT = 4


@define(eq=False)
class Sent:
    """A receipt that was emitted, as the harness knows it."""

    number: int
    source: int
    destination: int
    data: bytes
    payload: bytes
    slot: int
    #: The shard at which it was executed, and the slot of the header that proved it.
    executed_at: int = -1
    under: int = -1


@define(eq=False)
class Block:
    """A header that was produced, as the harness knows it."""

    number: int
    shard: int
    data: bytes
    slot: int
    parent: Block | None
    #: How many effects its shard had seen when it was produced.
    effects: int
    final: bool = False
    produced: bool = True


def forget(lock: Lockstep) -> None:
    """Make room for about half as many receipts and headers as there are slots."""
    blocks = _old_blocks(lock) if len(lock.free_headers) < lock.oracle.headers // 4 else []
    gone = {b.slot for b in blocks}
    receipts = [s for s in lock.receipts.values() if s.under in gone]
    if len(lock.free_receipts) + len(receipts) < lock.oracle.receipts // 4:
        receipts = _old_receipts(lock, gone)
    _clear(lock, receipts, blocks)
    _trim(lock)


def _old_receipts(lock: Lockstep, gone: set[int]) -> list[Sent]:
    wanted = len(lock.receipts) // 2
    done = [s for s in lock.receipts.values() if s.executed_at >= 0]
    old = done[:wanted] + [s for s in done[wanted:] if s.under in gone]
    if len(old) < wanted // 2:
        # Lost for good, as some messages are: nobody will deliver them any more.
        old += [s for s in lock.receipts.values() if s.executed_at < 0][: wanted - len(old)]
    return old


def _old_blocks(lock: Lockstep) -> list[Block]:
    old = [b for b in lock.headers.values() if not b.produced]
    for chain in lock.chains:
        # A reorganisation goes back to the last final block at most.
        last_final = max((i for i, b in enumerate(chain) if b.final), default=0)
        old += chain[: max(0, min(last_final, len(chain) - BLOCKS_KEPT))]
    return old


def _clear(lock: Lockstep, receipts: list[Sent], blocks: list[Block]) -> None:
    receipt_slots = sum(1 << s.slot for s in receipts)
    header_slots = sum(1 << b.slot for b in blocks)
    masks: dict[type[Term], int] = {Receipt: receipt_slots, Key: receipt_slots, Header: header_slots}
    lock.oracle.generated.forget(lock.world, lock.oracle.start, masks)
    for sent in receipts:
        del lock.receipts[sent.number]
        del lock.payloads[sent.payload]
        lock.free_receipts.append(sent.slot)
    for block in blocks:
        del lock.headers[block.number]
        lock.free_headers.append(block.slot)
    gone = {b.number for b in blocks}
    lock.chains = [[b for b in chain if b.number not in gone] for chain in lock.chains]
    for chain in lock.chains:
        if chain and chain[0].final:
            chain[0].parent = None
    lock.proofs = {
        p: e for p, e in lock.proofs.items() if p.receipt in lock.receipts and p.header in lock.headers
    }
    lock.doubtful = {(d, h) for d, h in lock.doubtful if not header_slots >> h & 1}


def _trim(lock: Lockstep) -> None:
    for shard, chain in enumerate(lock.chains):
        needed = chain[0].effects if chain else 0
        spare = needed - lock.forgotten[shard] - 8
        if spare > 0:
            del lock.effects[shard][:spare]
            lock.forgotten[shard] += spare
