"""
What every adapter for contracts has in common: one chain a shard, opened, returned to, and let go of.

Derive `EvmAdapter`, say in `build` what is deployed on a chain, and define the five verbs that
only the system knows: `emit`, `produce`, `prove`, `deliver` and `executed`.
"""

from __future__ import annotations

from typing import ClassVar, Final, Generic, TypeVar

from attrs import field, frozen

from ...adapter import Adapter, Topology
from ...errors import AdapterError
from .artefacts import Artefact
from .chain import Chain, Moment
from .contract import Contract
from .engine import EngineFactory, PyrevmEngine

#: The number of the first chain. The others follow.
FIRST_CHAIN: Final = 1001


class EvmShard:
    """
    One chain with its contracts, and what is known of it off the chain. Derive it, and deploy.

    What changes without a transaction goes into `notes`, at the end: like what contracts log, it is
    taken back when the chain returns to an earlier moment.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.number = chain.chain_id
        #: What was said off the chain, oldest first: that it was certified, for example.
        self.notes: list[object] = []

    def deployed(self, artefact: Artefact, *arguments: object) -> Contract:
        """A new contract on this chain."""
        return Contract.deployed(self.chain, artefact, *arguments)


S = TypeVar("S", bound=EvmShard)


@frozen(eq=False)
class _Snapshot:
    shards: tuple[EvmShard, ...] = field(repr=False)
    moments: tuple[Moment, ...]
    notes: tuple[tuple[object, ...], ...] = field(repr=False)


class EvmAdapter(Adapter, Generic[S]):
    """Shards that are chains of the Ethereum virtual machine."""

    #: The virtual machine: `PyrevmEngine` in this process, `AnvilEngine` beside it.
    engine: ClassVar[EngineFactory] = PyrevmEngine

    def __init__(self) -> None:
        #: The shards by name, and the names by number of their chains.
        self.shards: dict[str, S] = {}
        self.names: dict[int, str] = {}

    def build(self, chain: Chain) -> S:
        """A shard: its contracts on a chain that has nothing on it yet."""
        raise NotImplementedError

    def connect(self, shards: list[S]) -> None:
        """Tell the contracts of each shard about those of the others; nothing unless it is overridden."""

    def open(self, topology: Topology) -> None:
        """Every shard as it was built. The chains of an earlier call are used again where they fit."""
        shards = list(self.shards.values())
        if len(shards) != len(topology.shards):
            self.close()
            # Asked of the class, because a function that is asked of the adapter would become a method.
            make = type(self).engine
            shards = [self.build(Chain(FIRST_CHAIN + i, make)) for i in range(len(topology.shards))]
            self.connect(shards)
            for shard in shards:
                shard.chain.seal()
        self.shards = dict(zip(topology.shards, shards, strict=True))
        self.names = {shard.number: name for name, shard in self.shards.items()}
        for shard in shards:
            shard.chain.reset()
            shard.notes.clear()

    def close(self) -> None:
        """Let go of the chains."""
        for shard in self.shards.values():
            shard.chain.close()
        self.shards, self.names = {}, {}

    def snapshot(self) -> object:
        """All chains at this instant."""
        shards = tuple(self.shards.values())
        return _Snapshot(
            shards,
            tuple(shard.chain.snapshot() for shard in shards),
            tuple(tuple(shard.notes) for shard in shards),
        )

    def restore(self, token: object) -> None:
        """Return to a snapshot of these chains."""
        shards = tuple(self.shards.values())
        if not isinstance(token, _Snapshot) or token.shards != shards:
            raise AdapterError("this snapshot belongs to other chains", got=type(token).__name__)
        for shard, moment, notes in zip(shards, token.moments, token.notes, strict=True):
            shard.chain.restore(moment)
            shard.notes[:] = notes
