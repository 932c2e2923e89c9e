"""What users and an honest relayer do with any system, where no answer but a success will do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from shardproof.adapter import Adapter, Delivery, Topology

A = TypeVar("A", bound=Adapter)


def opened(make: Callable[[], A], shards: int = 3) -> Iterator[A]:
    """A new system with so many shards, closed in the end: the body of a fixture."""
    adapter = make()
    try:
        adapter.open(Topology.of(shards))
        yield adapter
    finally:
        adapter.close()


def emitted(system: Adapter, source: str, destination: str, payload: bytes) -> bytes:
    """The receipt of a message."""
    receipt = system.emit(source, destination, payload)
    assert isinstance(receipt, bytes)
    return receipt


def produced(system: Adapter, shard: str) -> bytes:
    """The header of the next block."""
    header = system.produce(shard)
    assert isinstance(header, bytes)
    return header


def proved(system: Adapter, destination: str, receipt: bytes, header: bytes) -> Delivery:
    """The delivery of a receipt, with honest evidence."""
    evidence = system.prove(receipt, header)
    assert isinstance(evidence, bytes)
    return Delivery(destination, receipt, header, evidence)


def honest(system: Adapter, payload: bytes = b"payload", others: int = 4) -> Delivery:
    """A message from A to B between others, certified and proved."""
    for i in range(others // 2):
        emitted(system, "A", "B", b"before %d" % i)
    receipt = emitted(system, "A", "B", payload)
    for i in range(others - others // 2):
        emitted(system, "A", "C", b"after %d" % i)
    return proved(system, "B", receipt, produced(system, "A"))
