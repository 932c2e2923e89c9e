"""
What is shown to a shard: a move, which names things by number, made into bytes.

A relayer keeps the evidence that it has been given, and shows it as it is, or damaged. What
it shows of a receipt that nobody emitted it writes itself, because encodings are public.
"""

from __future__ import annotations

from .adapter import Refused
from .adversary import MULTIPROOF, SPLICE, Presented, damaged, transplanted
from .deeds import DEEDS
from .moves import NULL, Act, Deliver, Forged, Proof
from .multiproofs import rebuilt
from .record import Record
from .system import nonsense


def presented(record: Record, move: Deliver | Act) -> Presented:
    """The receipt, header and evidence that the relayer of `move` shows."""
    r, h, proof, damage = move.receipt, move.header, move.evidence, move.damage
    assert r is not None, "asked of moves that present something"
    verb = DEEDS[move.deed].evidence if isinstance(move, Act) else "prove"
    receipt = forged(record, r) if isinstance(r, Forged) else record.receipts[r].data
    header = record.headers[h].data if h is not None and h != NULL else b""
    shown = Presented(receipt, header, evidence(record, proof, verb) if proof is not None else b"")
    if damage is None:
        return shown
    if damage.part == MULTIPROOF:
        # The receipt that is shown need not be the one that the evidence is of.
        proven = receipt if proof is None else record.receipts[proof.receipt].data
        anew = rebuilt(record.adapter, shown.evidence, proven, damage.kind, damage.number)
        return shown._replace(evidence=anew)
    if damage.kind != SPLICE:
        return damaged(record.system, shown, damage)
    # With something of another receipt: the field in which they first differ, or half of its evidence.
    if damage.part == "receipt":
        return shown._replace(receipt=transplanted(shown.receipt, record.receipts[damage.number].data))
    other = b"" if proof is None else evidence(record, Proof(damage.number, proof.header), verb)
    half = len(shown.evidence) // 2
    return shown._replace(evidence=shown.evidence[:half] + other[half:])


def forged(record: Record, r: Forged) -> bytes:
    """A receipt that nobody emitted."""
    names = record.topology.shards
    receipt = record.system.data("forge", names[r.source], names[r.destination], b"f%d" % r.number)
    if isinstance(receipt, Refused):
        raise nonsense("forge", "bytes", receipt)
    return receipt


def evidence(record: Record, proof: Proof, verb: str = "prove") -> bytes:
    """Honest evidence, asked for once; nothing where it is refused."""
    known = had(record, proof, verb)
    if known is None:
        known = record.system.data(
            verb, record.receipts[proof.receipt].data, record.headers[proof.header].data
        )
        if verb == "prove":
            record.proofs[proof] = known
        else:
            record.attests[verb, proof] = known
    return b"" if isinstance(known, Refused) else known


def had(record: Record, proof: Proof, verb: str) -> bytes | Refused | None:
    """The answer of a verb that gives evidence, if it was asked."""
    return record.proofs.get(proof) if verb == "prove" else record.attests.get((verb, proof))
