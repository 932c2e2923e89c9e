"""
The stacks in bytes: for each named composition of the model, the shard that follows it.

The layers of each are inherited from last to first, so that every method runs their parts in
the order of the model's clauses.
"""

from __future__ import annotations

from .callbacks import Callbacks
from .channels import Ordered, Skipping
from .closing import Closing, EndingOnExpiry
from .deadlines import Deadlines
from .durability import Durability
from .encodings import Encodings
from .forwarding import Forwarding
from .ledger import Escrow, Refunds
from .optimistic import Optimistic
from .outcomes import Outcomes
from .pruning import Pruning
from .trust import Trust


class Bridge(Encodings, Trust, Escrow):
    """`bridge`: value is locked and minted on the word of validators."""


class OptimisticBridge(Optimistic, Escrow, Deadlines):
    """`optimistic-bridge`: value is locked and minted on what nobody has challenged."""


class IbcUnordered(Callbacks, Trust, Forwarding, Escrow, Closing):
    """`ibc-unordered`: outcomes, refunds, several hops, in any order."""


class IbcOrdered(Trust, Refunds, Escrow, EndingOnExpiry, Ordered, Outcomes):
    """`ibc-ordered`: outcomes and refunds, in order, until something expires."""


class IbcAllowTimeout(Trust, Refunds, Skipping, Outcomes):
    """`ibc-allow-timeout`: outcomes and refunds, in order, past what expires."""


class Everything(
    Durability, Encodings, Callbacks, Pruning, Trust, Forwarding, Escrow, EndingOnExpiry, Ordered, Outcomes
):
    """`everything`, as far as one process in memory gives it a meaning: without links and new shards."""
