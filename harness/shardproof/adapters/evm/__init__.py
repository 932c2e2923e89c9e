"""
What an adapter for contracts of the Ethereum virtual machine is made of.

`artefacts` reads compiled contracts out of a published package or a build folder, `interface`
knows their language, `contract` speaks it, `chain` is one blockchain that can return to any
earlier moment, `engine` is the seam to the virtual machine (`anvil` is another behind it), and
`shards` puts them together: derive `EvmAdapter`. What an adapter of one's own needs is
imported from here; `harness/guides/solidity.md` is the walk-through.
"""

from .anvil import AnvilEngine
from .artefacts import Artefact, built, from_json, from_typechain
from .chain import SENDER, Chain
from .contract import Contract, Events, LoggedTree
from .engine import PyrevmEngine, RevertError
from .extras import keccak
from .shards import EvmAdapter, EvmShard
from .signer import Signer

__all__ = [
    "SENDER",
    "AnvilEngine",
    "Artefact",
    "Chain",
    "Contract",
    "Events",
    "EvmAdapter",
    "EvmShard",
    "LoggedTree",
    "PyrevmEngine",
    "RevertError",
    "Signer",
    "built",
    "from_json",
    "from_typechain",
    "keccak",
]
