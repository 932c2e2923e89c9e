from __future__ import annotations

import pymerkle
import pytest
from attrs import evolve
from hypothesis import example, given
from hypothesis import strategies as st

from shardproof_models.shards.commitment import InclusionProof, Tree

SIZE_MAX = 130


def entry(i: int) -> bytes:
    return b"entry %d" % i


def tree_of(size: int) -> Tree:
    tree = Tree()
    for i in range(size):
        tree.append(entry(i))
    return tree


class Independent:
    """The same leaves in somebody else's tree, which was built once for the largest size."""

    def __init__(self) -> None:
        self._tree = pymerkle.InmemoryTree(algorithm="sha256")
        for i in range(SIZE_MAX):
            self._tree.append_entry(entry(i))

    def root(self, size: int) -> bytes:
        return bytes(self._tree.get_root(size))

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        # Theirs counts from 1, and shows the leaf itself first.
        proof = self._tree.prove_inclusion(index + 1, size).serialize()
        return tuple(bytes.fromhex(node) for node in proof["path"][1:])


@pytest.fixture(scope="module")
def independent() -> Independent:
    return Independent()


GROWN = tree_of(SIZE_MAX)
sizes = st.integers(1, SIZE_MAX)


@st.composite
def positions(draw: st.DrawFn) -> tuple[int, int]:
    size = draw(sizes)
    return draw(st.integers(0, size - 1)), size


def proof_of(index: int, size: int) -> InclusionProof:
    return InclusionProof(index, size, GROWN.path(index, size))


def accepted(index: int, proof: InclusionProof, size: int) -> bool:
    return Tree.verify(entry(index), proof, size, GROWN.root(size))


def test_every_root_is_that_of_an_independent_implementation(independent: Independent) -> None:
    """
    The root over the first n leaves is the one of RFC 9162, for each n and from one grown tree.
    """
    assert [GROWN.root(n) for n in range(SIZE_MAX + 1)] == [independent.root(n) for n in range(SIZE_MAX + 1)]


@given(positions())
@example((0, 1))
@example((SIZE_MAX - 1, SIZE_MAX))
def test_every_path_is_that_of_an_independent_implementation(
    independent: Independent, position: tuple[int, int]
) -> None:
    """
    The inclusion path for any leaf and any older size is the one of RFC 9162.
    """
    index, size = position

    assert GROWN.path(index, size) == independent.path(index, size)


@given(positions())
def test_accepts_what_it_proves(position: tuple[int, int]) -> None:
    """
    An honest proof is accepted, in memory and after encoding.
    """
    index, size = position
    proof = proof_of(index, size)

    assert accepted(index, proof, size)
    assert InclusionProof.decode(proof.encode()) == proof


@given(positions(), st.data())
def test_a_proof_is_good_for_one_leaf_at_one_position(position: tuple[int, int], data: st.DataObject) -> None:
    """
    No other entry, position or number of leaves is shown by it, also not one that the tree has elsewhere.
    """
    index, size = position
    proof = proof_of(index, size)
    other = data.draw(st.integers(0, 2 * SIZE_MAX).filter(lambda i: i != index))

    assert not accepted(other, proof, size)
    assert not accepted(index, evolve(proof, index=other), size)
    assert not accepted(index, evolve(proof, leaf_count=size + 1), size)
    assert not accepted(index, proof, size + 1 if size < SIZE_MAX else size - 1)


@given(positions(), st.data())
def test_no_sibling_is_optional(position: tuple[int, int], data: st.DataObject) -> None:
    """
    A proof with a sibling more, less or changed is refused.
    """
    index, size = position
    proof = proof_of(index, size)
    siblings = proof.siblings
    at = data.draw(st.integers(0, len(siblings)))
    wrong = [(*siblings[:at], bytes(32), *siblings[at:])]
    if at < len(siblings):
        wrong += [siblings[:at] + siblings[at + 1 :], (*siblings[:at], bytes(32), *siblings[at + 1 :])]

    assert not [s for s in wrong if accepted(index, evolve(proof, siblings=s), size)]


def test_the_depth_is_that_of_the_leaf_count() -> None:
    """
    A source that lies about its number of leaves makes nothing provable, neither higher up nor lower down.
    """
    first = InclusionProof(0, 2, ())
    second = InclusionProof(0, 1, (Tree.leaf(entry(0)),))

    assert not Tree.verify(entry(0), first, 2, GROWN.root(1))
    assert not Tree.verify(entry(1), second, 1, GROWN.root(2))


def test_a_node_is_no_leaf() -> None:
    """
    The two halves under an inner node, shown as an entry, are not in the tree, at any depth.
    """
    pair = Tree.leaf(entry(0)) + Tree.leaf(entry(1))
    above = GROWN.path(0, 4)[1:]

    assert Tree.node(Tree.leaf(entry(0)), Tree.leaf(entry(1))) == GROWN.root(2)
    for count in range(1, 5):
        assert not Tree.verify(pair, InclusionProof(0, count, above), count, GROWN.root(4))
    assert not Tree.verify(pair, InclusionProof(0, 1, ()), 1, GROWN.root(2))


def test_nothing_is_in_an_empty_tree() -> None:
    """
    The root over no leaves proves nothing, also not the empty entry, whose plain hash it is.
    """
    root = Tree().root(0)

    assert not Tree.verify(b"", InclusionProof(0, 0, ()), 0, root)
    assert not Tree.verify(b"", InclusionProof(0, 1, ()), 1, root)


@given(st.integers(0, SIZE_MAX), st.integers(0, SIZE_MAX), st.integers(0, 12))
def test_truncation_leaves_the_tree_that_it_was(size: int, kept: int, more: int) -> None:
    """
    A tree cut back and grown again on another branch is the tree that never saw the first branch.
    """
    kept = min(kept, size)
    tree, straight = tree_of(size), tree_of(kept)
    tree.truncate(kept)
    for i in range(more):
        tree.append(b"other %d" % i)
        straight.append(b"other %d" % i)

    assert len(tree) == kept + more
    assert [tree.root(n) for n in range(len(tree) + 1)] == [straight.root(n) for n in range(len(tree) + 1)]
    assert [tree.path(i, len(tree)) for i in range(len(tree))] == [
        straight.path(i, len(tree)) for i in range(len(tree))
    ]


def test_refuses_sizes_that_it_never_had() -> None:
    """
    Asking beyond the leaves is a mistake of the caller, never the root of something else.
    """
    tree = tree_of(3)

    for size in (-1, 4):
        with pytest.raises(IndexError):
            tree.root(size)
        with pytest.raises(IndexError):
            tree.path(0, size)
    with pytest.raises(IndexError):
        tree.path(3, 3)
