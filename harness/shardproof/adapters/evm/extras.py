"""
The libraries of the `evm` extra, imported when first used.

They are wheels of many megabytes that most users do not need. This is also where their
types end: what comes from here is `Any`, and each caller says what it makes of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, Final

from ...errors import MissingPartError

#: How many of the newest hashes and signatures are remembered: some tens of megabytes.
REMEMBERED: Final = 1 << 16

#: What is longer than this is not hashed often enough to be worth the room.
_SHORT: Final = 256


@contextmanager
def _installed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise MissingPartError(
            "contracts cannot run: a library of the evm extra is not installed",
            got=str(error),
            help="run, with Python 3.11 or 3.12: pip install 'shardproof[evm]'",
        ) from error


@cache
def revm() -> Any:
    """The virtual machine: module `pyrevm`."""
    with _installed():
        import pyrevm
    return pyrevm


@cache
def abi() -> Any:
    """The encoding of calls: module `faster_eth_abi`, or `eth_abi`, which it is a compiled copy of."""
    with _installed():
        try:
            import faster_eth_abi
        except ImportError:
            import eth_abi

            return eth_abi
    return faster_eth_abi


@cache
def curve() -> Any:
    """Signatures on secp256k1: module `coincurve`."""
    with _installed():
        import coincurve
    return coincurve


@cache
def _keccak() -> Any:
    with _installed():
        try:
            # Takes a tenth of the time of the backend that the library would choose where it has both.
            from eth_hash.backends.pysha3 import keccak256
        except ImportError:
            from eth_hash.auto import keccak

            # The library looks for its own backend at the first hash, and not before.
            keccak(b"")
            return keccak
    return keccak256


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it, with the padding that came before SHA-3."""
    return _remembered(data) if len(data) <= _SHORT else hashed(data)


def hashed(data: bytes) -> bytes:
    """The same, of what will not be asked for again."""
    digest: bytes = _keccak()(data)
    return digest


#: A search sends much the same in run after run, and hashes it each time.
_remembered: Final = lru_cache(maxsize=REMEMBERED)(hashed)
