"""Multiproofs that an adversary writes, against the library's algorithm in a few lines of Python."""

from __future__ import annotations

from hashlib import sha256

import pytest

from shardproof.adapter import Adapter, Multiproof, Path
from shardproof.multiproofs import REBUILT, SHAPES, rebuilt

EMPTY = bytes(32)


def pair(left: bytes, right: bytes) -> bytes:
    return sha256(min(left, right) + max(left, right)).digest()


def leaf(receipt: bytes) -> bytes:
    return sha256(b"leaf" + receipt).digest()


def root(proof: Multiproof, shown: bytes, *, mended: bool) -> bytes | None:
    """What the proof leads to, with the leaf of `shown` in its place; nothing where it leads nowhere."""
    if proof.position >= len(proof.leaves):
        return None
    leaves = [leaf(shown) if i == proof.position else x for i, x in enumerate(proof.leaves)]
    if len(leaves) + len(proof.siblings) - 1 != len(proof.merges):
        return None
    # A node that was not made yet reads as zero.
    nodes = [EMPTY] * len(proof.merges)
    queue, siblings, read = leaves + nodes, list(proof.siblings), 0
    for i, merges in enumerate(proof.merges):
        first, read = queue[read], read + 1
        if merges:
            second, read = queue[read], read + 1
        elif siblings:
            second = siblings.pop(0)
        else:
            return None
        queue[len(leaves) + i] = pair(first, second)
    if mended and proof.merges and siblings:
        return None
    return queue[-1]


class Proofs(Adapter):
    """Only what is asked of an adapter here; evidence is the text of a proof."""

    def __init__(self) -> None:
        self.written: list[Multiproof] = []

    def dissect(self, evidence: bytes) -> Path:
        return Path(0, None, tuple(evidence[i : i + 32] for i in range(0, len(evidence), 32)))

    def assemble_multiproof(self, proof: Multiproof) -> bytes:
        self.written.append(proof)
        return b"written"

    def leaf(self, receipt: bytes) -> bytes:
        return leaf(receipt)


def written(evidence: bytes, proven: bytes, kind: str) -> list[Multiproof]:
    """Every shape of a kind."""
    adapter = Proofs()
    for number in range(SHAPES):
        assert rebuilt(adapter, evidence, proven, kind, number) == b"written"
    return adapter.written


@pytest.mark.parametrize("mended", [False, True])
def test_what_stands_beside_is_proven_as_well(mended: bool) -> None:
    """A proof of two neighbours leads to the same root, whichever of them is shown."""
    above = leaf(b"above")
    tree = pair(pair(leaf(b"mine"), leaf(b"other")), above)

    for proof in written(leaf(b"other") + above, b"mine", "beside"):
        assert len(proof.leaves) == 2
        assert root(proof, b"mine", mended=mended) == tree


@pytest.mark.parametrize("kind", REBUILT)
@pytest.mark.parametrize("width", [2, 4])
def test_a_leaf_that_is_never_read_is_whatever_one_likes(kind: str, width: int) -> None:
    """With zero below the root the older algorithm proves anything, by one kind alone; the newer, nothing."""
    lower = pair(leaf(b"mine"), EMPTY) if width == 4 else leaf(b"mine")
    evidence = EMPTY * (2 if width == 4 else 1)
    tree = pair(lower, EMPTY)

    proofs = written(evidence, b"mine", kind)
    taken = [tree in {root(p, b"mint", mended=mended) for p in proofs} for mended in (False, True)]

    # In the wider tree the adversary would have to know the node next to zero, and is told only leaves.
    assert taken == [kind == "unread" and width == 2, False]


def test_nothing_is_made_of_nothing() -> None:
    """Where there is no evidence there is nothing to write anew."""
    assert rebuilt(Proofs(), b"", b"mine", "unread", 0) == b""


def test_a_proof_without_siblings_stays_senseless_and_does_not_fail() -> None:
    """A tree of one leaf has evidence of no hashes, if it has any: every kind must bear it."""

    class Bare(Proofs):
        def dissect(self, evidence: bytes) -> Path:
            return Path(0, None, ())

    for kind in REBUILT:
        for number in range(SHAPES):
            assert rebuilt(Bare(), b"x", b"mine", kind, number) == b"written"
