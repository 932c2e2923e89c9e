"""Shards that each follow one real system: which layers it has, the lowest last."""

from __future__ import annotations

from .accounts import PayingShard
from .expiry import ExpiringShard
from .frames import NestingShard
from .layout import ReshardingShard
from .promises import AnsweringShard
from .queues import QueueingShard
from .sequences import OrderedShard
from .suspension import SuspendingShard
from .watermarks import PruningShard


class NearShard(ReshardingShard, NestingShard, QueueingShard, PayingShard, AnsweringShard):
    """NEAR: refund receipts, bounded queues, promises, resharding (nomicon, Receipts; NEP-539, NEP-568)."""


class TonShard(ReshardingShard, QueueingShard, PruningShard, OrderedShard, PayingShard, AnsweringShard):
    """TON: bounces, order between two accounts, watermarks, split and merge (ton-blockchain, block.tlb)."""


class ActorsShard(NestingShard, SuspendingShard, ExpiringShard, AnsweringShard):
    """The Internet Computer: responses to calls, back-pressure, best effort (dfinity/ic, rs/messaging)."""
