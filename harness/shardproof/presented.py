"""
What is shown to a destination: a delivery, which names things by number, made into bytes.

A relayer keeps the evidence that it has been given, and shows it as it is, or damaged. What
it shows of a receipt that nobody emitted it writes itself, because encodings are public.
"""

from __future__ import annotations

from .adapter import Refused
from .adversary import SPLICE, Damage, Presented, damaged, transplanted
from .moves import NULL, Deliver, Forged, Proof
from .record import Record
from .system import nonsense


def presented(record: Record, move: Deliver) -> Presented:
    """The receipt, header and evidence that the relayer of `move` shows."""
    _, r, h, evidence, damage, _ = move
    receipt = _forged(record, r) if isinstance(r, Forged) else record.receipts[r].data
    header = record.headers[h].data if h != NULL else b""
    shown = Presented(receipt, header, _evidence(record, evidence) if evidence is not None else b"")
    if damage is None:
        return shown
    if damage.kind == SPLICE:
        return _spliced(record, shown, move, damage)
    return damaged(record.adapter, shown, damage)


def _forged(record: Record, r: Forged) -> bytes:
    names = record.topology.shards
    receipt = record.system.data("forge", names[r.source], names[r.destination], b"f%d" % r.number)
    if isinstance(receipt, Refused):
        raise nonsense("forge", "bytes", receipt)
    return receipt


def _evidence(record: Record, proof: Proof) -> bytes:
    """Honest evidence, asked for once; nothing where it is refused."""
    known = record.proofs.get(proof)
    if known is None:
        known = record.system.data(
            "prove", record.receipts[proof.receipt].data, record.headers[proof.header].data
        )
        record.proofs[proof] = known
    return b"" if isinstance(known, Refused) else known


def _spliced(record: Record, shown: Presented, move: Deliver, damage: Damage) -> Presented:
    """With something of another receipt: the field in which they first differ, or half of its evidence."""
    if damage.part == "receipt":
        return shown._replace(receipt=transplanted(shown.receipt, record.receipts[damage.number].data))
    other = b""
    if move.evidence is not None:
        other = _evidence(record, Proof(damage.number, move.evidence.header))
    half = len(shown.evidence) // 2
    return shown._replace(evidence=shown.evidence[:half] + other[half:])
