"""Which shard a receipt is for, also after shards have split and merged."""

from __future__ import annotations

from collections.abc import Mapping

from .line import Line

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "executes-at-its-destination": (
        Line(
            "Look whether `deliver` compares the destination in the proved receipt with the shard that it "
            "is at."
        ),
    ),
    "executes-where-its-address-is": (
        Line(
            "Look at which shard answers for an address after a split or a merge, and whether `deliver` "
            "asks that."
        ),
    ),
}
