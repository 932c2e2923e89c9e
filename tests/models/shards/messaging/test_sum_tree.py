from __future__ import annotations

from attrs import evolve

from shardproof_models.shards.encoding import NUMBER_BYTES, NUMBER_LIMIT, number
from shardproof_models.shards.messaging.message import FullReceipt
from shardproof_models.shards.messaging.sum_tree import NODE_BYTES, SumProof, SumTree


def tree_of(*amounts: int) -> tuple[SumTree, list[bytes]]:
    tree = SumTree()
    receipts = [FullReceipt("A", "B", 0, i, b"", amount=amount).encode() for i, amount in enumerate(amounts)]
    for receipt in receipts:
        tree.append(receipt)
    return tree, receipts


def test_the_root_says_what_all_receipts_carry_together() -> None:
    """
    The first number of a root is the sum over the leaves, for each size of the tree.
    """
    amounts = (3, 0, 5, 1, 7)
    tree, _ = tree_of(*amounts)

    for size in range(1, 6):
        assert tree.root(size)[:NUMBER_BYTES] == number(sum(amounts[:size]))


def test_value_cannot_be_moved_to_a_neighbour() -> None:
    """
    Totals stay the same and each part is bound all the same: no bit of a sibling may change.
    """
    tree, receipts = tree_of(3, 0, 5, 1, 7)
    proof = SumProof(2, 5, tree.path(2, 5))
    assert SumTree.verify(receipts[2], proof, 5, tree.root(5))

    for at in range(len(proof.siblings) * NODE_BYTES):
        sibling, byte = divmod(at, NODE_BYTES)
        old = proof.siblings[sibling]
        new = old[:byte] + bytes([old[byte] ^ 1]) + old[byte + 1 :]
        forged = evolve(proof, siblings=(*proof.siblings[:sibling], new, *proof.siblings[sibling + 1 :]))
        assert not SumTree.verify(receipts[2], forged, 5, tree.root(5)), at


def test_a_sum_never_wraps_around() -> None:
    """
    A debt cannot be hidden in a huge number: sums stop at the largest one.
    """
    huge = number(NUMBER_LIMIT - 1) + bytes(32)

    assert SumTree.node(huge, number(5) + bytes(32))[:NUMBER_BYTES] == number(NUMBER_LIMIT - 1)


def test_what_is_no_receipt_has_a_leaf_too() -> None:
    """
    Any bytes may be claimed to be a leaf: they are hashed, and carry what is written where amounts are.
    """
    assert len({SumTree.leaf(b""), SumTree.leaf(b"M"), SumTree.leaf(b"M\x01"), SumTree.leaf(b"\x01")}) == 4
    assert all(len(SumTree.leaf(data)) == NODE_BYTES for data in (b"", b"M\x01", bytes(100)))
