"""
What a relayer shows, as a tree: the receipts of a header, one leaf, and the hashes beside its way up.

The shape is that of RFC 9162, section 2.1, which the reference has; another system may have another
one, and then the leaves and what was damaged are still those.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..adversary import INNER_NODE, MULTIPROOF, SPLICE, Damage
from ..deeds import DEEDS
from ..moves import NULL, Act, Deliver, Forged, Move, Proof, receipt_name
from ..record import Record
from .hindsight import HARMLESS
from .told import EVERYTHING, HEADER, INDEX, RECEIPT, Evidence, Node

#: What the verbs that give evidence prove of a receipt.
_PROVES = {"prove": "receipt", "prove_outcome": "outcome", "prove_absence": "absence"}

_SAID = {
    "receipt": "that {h} commits to {r}",
    "outcome": "of the outcome of {r} in {h}",
    "absence": "that {r} is absent from {h}",
}

#: What each kind of damage to bytes does, of "some of the {part}".
_BLIND = {
    "flip": "one bit of {} is flipped",
    "cut": "the end of {} is cut off",
    "behead": "the beginning of {} is cut off",
    "extend": "{} has a byte too many",
    "zero": "32 bytes of {} are zero",
    "swap": "two neighbouring pieces of {} have changed places",
    "malleate": "a signature in {} is another one of the same text",
    "empty": "{} is empty",
    "null": "{} is nothing but zeros",
}

_MULTIPROOFS = {
    "beside": "the leaf and its neighbour are proved at once",
    "remerged": "one node is made of other things than it should be",
    "unread": "a node that was never made stands in for the leaf",
    "crowded": "there is a leaf more than the proof has room for",
    "nobody": "there is no leaf at all",
}


def evidence_of(record: Record, move: Deliver | Act, took: Move) -> Evidence | None:
    """What `move` shows besides its receipt, and came to `took`; nothing where it shows nothing."""
    r, proof, damage = move.receipt, move.evidence, move.damage
    if r is None or (isinstance(move, Act) and "evidence" not in DEEDS[move.deed].arguments):
        return None
    verb = DEEDS[move.deed].evidence if isinstance(move, Act) else "prove"
    proves = _PROVES[verb]
    shown = _receipt(record, r)
    header = "null" if move.header is None or move.header == NULL else f"h{move.header}"
    within = proof.header if proof is not None else move.header
    leaves = leaves_of(record, within) if proves == "receipt" and within is not None else ()
    of = receipt_name(proof.receipt) if proof is not None else ""
    leaf = leaves.index(of) if of in leaves else None
    path = tuple(node.id for node in siblings(leaf, len(leaves))) if leaf is not None else ()
    where, how = _damage(damage, path)
    if damage is not None and isinstance(took, Deliver | Act) and took.damage == HARMLESS:
        where, how = (), f"{how}, which left it as it was"
    return Evidence(
        shown,
        header,
        of,
        f"h{proof.header}" if proof is not None else "",
        proves,
        leaves,
        leaf,
        path,
        where,
        _sentence(shown, header, proof, proves, leaf, leaves, how),
    )


def leaves_of(record: Record, number: int) -> tuple[str, ...]:
    """The receipts that a header of this number commits to, in the order in which they were emitted."""
    block = record.headers.get(number)
    if block is None:
        return ()
    return tuple(receipt_name(s.number) for s in record.receipts.values() if record.commits(block, s))


def siblings(leaf: int, count: int) -> list[Node]:
    """The nodes beside the way from a leaf up to the root, the lowest first."""
    node, found = Node(0, count), []
    while node.children:
        left, right = node.children
        node, beside = (left, right) if leaf < right.first else (right, left)
        found.append(beside)
    return found[::-1]


def _receipt(record: Record, r: int | Forged) -> str:
    if isinstance(r, int):
        return receipt_name(r)
    names = record.topology.shards
    return f"forged:{names[r.source]}>{names[r.destination]}:{r.number}"


# ---- in words ------------------------------------------------------------------------------------


def _sentence(
    shown: str,
    header: str,
    proof: Proof | None,
    proves: str,
    leaf: int | None,
    leaves: Sequence[str],
    how: str,
) -> str:
    return "; ".join(part for part in (*_plainly(shown, header, proof, proves, leaf, leaves), how) if part)


def _plainly(
    shown: str, header: str, proof: Proof | None, proves: str, leaf: int | None, leaves: Sequence[str]
) -> Iterator[str]:
    if proof is None:
        yield "no evidence"
        return
    of, within = receipt_name(proof.receipt), f"h{proof.header}"
    yield f"evidence {_SAID[proves].format(r=of, h=within)}"
    if leaf is not None:
        beside = len(siblings(leaf, len(leaves)))
        hashes = f"{beside} hash{'' if beside == 1 else 'es'} beside its way up"
        yield f"leaf {leaf + 1} of {len(leaves)}, and {hashes}" if beside else "which is its only leaf"
    elif proves == "receipt":
        yield f"which it does not: there is none of {of} in {within}"
    if of != shown:
        yield f"shown with another receipt, {shown}"
    if within != header:
        yield "shown under no header at all" if header == "null" else f"shown under another header, {header}"


# ---- what the adversary changed ------------------------------------------------------------------


def _damage(damage: Damage | None, path: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """What is damaged, and how, in words."""
    if damage is None:
        return (), ""
    part, kind, number = damage
    if part == MULTIPROOF:
        return (EVERYTHING,), f"rewritten as a proof of several leaves: {_MULTIPROOFS[kind]}"
    if part == "path":
        return _informed(kind, number, path)
    if kind == SPLICE:
        other = receipt_name(number)
        if part == "receipt":
            return (RECEIPT,), f"one field of the receipt is that of {other}"
        return (EVERYTHING,), f"its second half is from the evidence of {other}"
    where = {"receipt": RECEIPT, "header": HEADER}.get(part, EVERYTHING)
    return (where,), _BLIND[kind].format(f"the {part}")


def _informed(kind: str, number: int, path: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The same of evidence that was taken apart, changed, and put together again."""
    lowest = tuple(path[:1])
    if kind == INNER_NODE:
        if not path:
            return (), "there is no inner node to pass for a receipt"
        return (RECEIPT, *lowest), "the two hashes under an inner node pass for a receipt"
    if kind == "shortened":
        return (INDEX, *lowest), "the lowest hash is left out"
    if kind == "lengthened":
        return (INDEX, *lowest), "a hash is added below the lowest"
    if kind == "twisted" and len(path) > 1:
        at = number % (len(path) - 1)
        return tuple(path[at : at + 2]), "two hashes that follow each other have changed places"
    if kind == "reweighted":
        at = number % len(path) if path else 0
        return tuple(path[at : at + 1]), "a hash claims another sum of what is below it"
    if kind == "recounted":
        return (INDEX,), "another number of leaves is claimed"
    return (INDEX,), "another position of the leaf is claimed"
