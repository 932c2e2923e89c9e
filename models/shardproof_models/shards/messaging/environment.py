"""
What no shard decides and each can see: which shards there are, the passing of epochs, what consensus decided.

It is not part of the state of a shard: no reorganisation takes it back, and no crash loses it.
"""

from __future__ import annotations

from attrs import define, field

#: For how many epochs after its term the keys of a validator set are safe.
TRUSTING_PERIOD = 1


@define
class Environment:
    """The world that the shards of a system share."""

    shards: tuple[str, ...]
    #: Which of the nodes that run these shards this is. Nothing may depend on it.
    node: int = 0
    #: Shard -> its present epoch.
    epochs: dict[str, int] = field(init=False)
    #: The hashes of the headers that are final. Stands for a dispute game, which tells true from false.
    decided: set[bytes] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self.epochs = dict.fromkeys(self.shards, 0)

    def leaked(self, shard: str) -> range:
        """The epochs whose keys are so old that they may be in anybody's hands."""
        return range(max(0, self.epochs[shard] - TRUSTING_PERIOD))
