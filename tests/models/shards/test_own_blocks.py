"""Shards whose headers commit to the receipts of their own block alone."""

from __future__ import annotations

import pytest

from shardproof_models.shards.header import consensus_key
from shardproof_models.shards.own_blocks import OwnBlocksShard
from shardproof_models.shards.shard import Refusal

KEYS = {name: consensus_key(name) for name in "AB"}


@pytest.fixture
def shard() -> OwnBlocksShard:
    """Shard A, new and empty."""
    return OwnBlocksShard("A", KEYS)


def test_each_receipt_has_one_header_that_proves_it(shard: OwnBlocksShard) -> None:
    """
    Three blocks, of two receipts, of none and of three: each is proved by the block that has it.
    """
    sent: list[tuple[bytes, int]] = []
    headers: list[bytes] = []
    for count in (2, 0, 3):
        sent += [(shard.emit("B", b"%d" % len(sent)), len(headers)) for _ in range(count)]
        header = shard.finalise(shard.produce())
        assert isinstance(header, bytes)
        headers.append(header)
    other = OwnBlocksShard("B", KEYS)
    assert [other.learn(h) for h in headers] == [None] * 3

    for receipt, block in sent:
        proofs = [shard.prove(receipt, h) for h in headers]
        assert [p is not None for p in proofs] == [i == block for i in range(3)]
        evidence = proofs[block]
        assert evidence is not None
        later = headers[(block + 1) % 3]
        assert other.deliver(receipt, later, evidence) == Refusal.UNPROVEN
        assert other.deliver(receipt, headers[block], evidence) is None
        assert other.deliver(receipt, headers[block], evidence) == Refusal.CONSUMED


def test_what_was_in_a_dropped_block_can_be_sent_again(shard: OwnBlocksShard) -> None:
    """
    The block that takes its place begins where the dropped one did.
    """
    kept = shard.emit("B", b"kept")
    first = shard.produce()
    dropped = shard.emit("B", b"dropped")
    second = shard.produce()
    assert shard.revert(second) is None

    again = shard.emit("B", b"again")
    third = shard.produce()

    assert [shard.prove(kept, h) is not None for h in (first, third)] == [True, False]
    assert shard.prove(again, third) is not None
    assert shard.prove(dropped, second) is None


def test_a_restart_changes_nothing(shard: OwnBlocksShard) -> None:
    """
    Where a block begins is found again, and was not written down.
    """
    receipt = shard.emit("B", b"hello")
    header = shard.produce()
    shard.emit("B", b"more")
    before = shard.prove(receipt, header)

    shard.restart()

    assert shard.prove(receipt, header) == before is not None
