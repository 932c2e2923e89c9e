"""
What is shown to a destination: a delivery, which names things by number, made into bytes.

A relayer keeps the evidence that it has been given, and shows it as it is, or damaged. What
it shows of a receipt that nobody emitted it writes itself, because encodings are public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .adapter import Refused
from .adversary import SPLICE, Damage, Presented, damaged, transplanted
from .moves import NULL, Deliver, Forged, Proof
from .system import nonsense

if TYPE_CHECKING:
    from .lockstep import Lockstep


def presented(lock: Lockstep, move: Deliver) -> Presented:
    """The receipt, header and evidence that the relayer of `move` shows."""
    _, r, h, evidence, damage, _ = move
    receipt = _forged(lock, r) if isinstance(r, Forged) else lock.receipts[r].data
    header = lock.headers[h].data if h != NULL else b""
    shown = Presented(receipt, header, _evidence(lock, evidence) if evidence is not None else b"")
    if damage is None:
        return shown
    if damage.kind == SPLICE:
        return _spliced(lock, shown, move, damage)
    return damaged(lock.adapter, shown, damage)


def _forged(lock: Lockstep, r: Forged) -> bytes:
    names = lock.topology.shards
    receipt = lock.system.data("forge", names[r.source], names[r.destination], b"f%d" % r.number)
    if isinstance(receipt, Refused):
        raise nonsense("forge", "bytes", receipt)
    return receipt


def _evidence(lock: Lockstep, proof: Proof) -> bytes:
    """Honest evidence, asked for once; nothing where it is refused."""
    known = lock.proofs.get(proof)
    if known is None:
        known = lock.system.data("prove", lock.receipts[proof.receipt].data, lock.headers[proof.header].data)
        lock.proofs[proof] = known
    return b"" if isinstance(known, Refused) else known


def _spliced(lock: Lockstep, shown: Presented, move: Deliver, damage: Damage) -> Presented:
    """With something of another receipt: the field in which they first differ, or half of its evidence."""
    if damage.part == "receipt":
        return shown._replace(receipt=transplanted(shown.receipt, lock.receipts[damage.number].data))
    other = b""
    if move.evidence is not None:
        other = _evidence(lock, Proof(damage.number, move.evidence.header))
    half = len(shown.evidence) // 2
    return shown._replace(evidence=shown.evidence[:half] + other[half:])
