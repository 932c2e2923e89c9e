"""
What a long run may forget of receipts and headers.

The memory of a run is bounded by what is in flight. When slots run out, the older half of
the receipts that were executed goes, and of the headers that no receipt and no
reorganisation needs. What is forgotten is no longer attacked; an effect of it that appears
all the same is still recognised, by its payload.
"""

from __future__ import annotations

from shardproof_models.language.terms import Term
from shardproof_models.layers.exactly_once import Header, Key, Receipt

from .record import Block, Record, Sent

#: Of each chain so many blocks are always kept: evidence under older headers is worth trying.
BLOCKS_KEPT = 4


def forget(record: Record) -> None:
    """Make room for about half as many receipts and headers as there are slots."""
    blocks = _old_blocks(record) if len(record.free_headers) < record.oracle.headers // 4 else []
    gone = {b.slot for b in blocks}
    receipts = [s for s in record.receipts.values() if s.under in gone]
    if "own-blocks" in record.oracle.layers:
        # No other block will ever prove what one of these has committed to.
        waiting = [s for s in record.receipts.values() if s.executed_at < 0]
        receipts += [s for s in waiting if any(b.produced and record.commits(b, s) for b in blocks)]
    if len(record.free_receipts) + len(receipts) < record.oracle.receipts // 4:
        receipts = _old_receipts(record, gone)
    _clear(record, receipts, blocks)
    _trim(record)


def _old_receipts(record: Record, gone: set[int]) -> list[Sent]:
    wanted = len(record.receipts) // 2
    done = [s for s in record.receipts.values() if s.executed_at >= 0 and s.number not in record.kept]
    old = done[:wanted] + [s for s in done[wanted:] if s.under in gone]
    if len(old) < wanted // 2:
        # Lost for good, as some messages are: nobody will deliver them any more.
        lost = [s for s in record.receipts.values() if s.executed_at < 0 and s.number not in record.kept]
        old += lost[: wanted - len(old)]
    return old


def _old_blocks(record: Record) -> list[Block]:
    needed = {record.receipts[number].under for number in record.kept}
    old = [b for b in record.headers.values() if not b.produced]
    for chain in record.chains:
        # A reorganisation goes back to the last final block at most.
        last_final = max((i for i, b in enumerate(chain) if b.final), default=0)
        old += chain[: max(0, min(last_final, len(chain) - BLOCKS_KEPT))]
    return [b for b in old if b.slot not in needed]


def _clear(record: Record, receipts: list[Sent], blocks: list[Block]) -> None:
    receipt_slots = sum(1 << s.slot for s in receipts)
    header_slots = sum(1 << b.slot for b in blocks)
    masks: dict[type[Term], int] = {Receipt: receipt_slots, Key: receipt_slots, Header: header_slots}
    record.oracle.generated.forget(record.world, record.oracle.start, masks)
    for sent in receipts:
        del record.receipts[sent.number]
        del record.payloads[sent.payload]
        record.free_receipts.append(sent.slot)
    for block in blocks:
        del record.headers[block.number]
        record.free_headers.append(block.slot)
    gone = {b.number for b in blocks}
    record.chains = [[b for b in chain if b.number not in gone] for chain in record.chains]
    for chain in record.chains:
        if chain and chain[0].final:
            chain[0].parent = None
    record.proofs = {
        p: e for p, e in record.proofs.items() if p.receipt in record.receipts and p.header in record.headers
    }
    record.attests = {
        (verb, p): e
        for (verb, p), e in record.attests.items()
        if p.receipt in record.receipts and p.header in record.headers
    }
    for sent in receipts:
        # Who is remembered does not hold on to who is not.
        if sent.answers is not None:
            sent.answers.answer = None if sent.answers.answer is sent else sent.answers.answer
    record.claims = {(d, h) for d, h in record.claims if h in record.headers}
    record.doubtful = {(d, h) for d, h in record.doubtful if not header_slots >> h & 1}


def _trim(record: Record) -> None:
    for shard, chain in enumerate(record.chains):
        needed = chain[0].effects if chain else 0
        spare = needed - record.forgotten[shard] - 8
        if spare > 0:
            del record.effects[shard][:spare]
            record.forgotten[shard] += spare
