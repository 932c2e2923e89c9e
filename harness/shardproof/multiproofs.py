"""
Forgeries of evidence that proves several leaves at once.

A multiproof says by flags which nodes are made of which, so whoever writes the flags decides
what is hashed. Each kind of damage here is a function of an honest proof of one leaf and of
the leaf that is proven, which need not be that of the receipt that is shown with it.

Source: OpenZeppelin advisory GHSA-wprv-93r4-jj2p (2023): a node that was never made reads as zero,
so where zero is a node below the root, a sibling that is never read makes room for any leaf.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import evolve

from .adapter import Adapter, Multiproof, Path

#: Each kind of damage comes in so many shapes.
SHAPES = 4


def alone(path: Path, leaf: bytes) -> Multiproof:
    """The same proof of one leaf, as a multiproof."""
    return Multiproof((leaf,), 0, path.siblings, (False,) * len(path.siblings))


def _beside(path: Path, leaf: bytes, number: int) -> Multiproof:
    """The leaf and the one next to it, both proven at once; `number` says which of them is shown."""
    if not path.siblings:
        return alone(path, leaf)
    merges = (True, *(False for _ in path.siblings[1:]))
    position = number % 2
    leaves = (leaf, path.siblings[0])
    return Multiproof(leaves if position == 0 else leaves[::-1], position, path.siblings[1:], merges)


def _remerged(path: Path, leaf: bytes, number: int) -> Multiproof:
    """One node is made of other things than it should be."""
    proof = alone(path, leaf)
    if not proof.merges:
        return proof
    at = number % len(proof.merges)
    return evolve(proof, merges=(*proof.merges[:at], not proof.merges[at], *proof.merges[at + 1 :]))


def _unread(path: Path, leaf: bytes, number: int) -> Multiproof:
    """What was never made stands in for the leaf, below a known node; one sibling is never read."""
    known = (leaf, *path.siblings)
    node = known[number % len(known)]
    return Multiproof((leaf,), 0, (node, node), (True, False))


def _crowded(path: Path, leaf: bytes, number: int) -> Multiproof:
    """A leaf more than the proof has room for, before or after the one that is proven."""
    proof = alone(path, leaf)
    position = number % 2
    return evolve(
        proof, leaves=(leaf, leaf), position=position, merges=(*proof.merges, bool(number // 2 % 2))
    )


def _nobody(path: Path, _leaf: bytes, number: int) -> Multiproof:
    """No leaf at all: only nodes, so that what is proven is one of these."""
    return Multiproof((), number % 2, path.siblings[:1], ())


#: Multiproofs that somebody would write who knows how they are read.
REBUILT: Mapping[str, Callable[[Path, bytes, int], Multiproof]] = {
    "beside": _beside,
    "remerged": _remerged,
    "unread": _unread,
    "crowded": _crowded,
    "nobody": _nobody,
}


def rebuilt(adapter: Adapter, evidence: bytes, proven: bytes, kind: str, number: int) -> bytes:
    """Honest evidence of the receipt `proven`, written anew; as it is where there is none."""
    if not evidence:
        return evidence
    path, leaf = adapter.dissect(evidence), adapter.leaf(proven)
    return adapter.assemble_multiproof(REBUILT[kind](path, leaf, number))
