"""What a relayer shows to a shard."""

from __future__ import annotations

from attrs import frozen


@frozen
class Presentation:
    """A receipt, and what is to prove it: any bytes."""

    receipt: bytes
    header: bytes
    evidence: bytes
