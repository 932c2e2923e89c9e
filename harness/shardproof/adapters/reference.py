"""
The reference implementation, driven as a system under test.

By itself `reference` is what all chains with light clients share; `reference:STACK` follows the
stack of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from shardproof_models.shards.commitment import InclusionProof
from shardproof_models.shards.encoding import NUMBER_LIMIT, MalformedError
from shardproof_models.shards.header import Header, consensus_key
from shardproof_models.shards.own_blocks import OwnBlocksShard
from shardproof_models.shards.receipt import Receipt
from shardproof_models.shards.shard import Refusal, Shard

from ..adapter import ACCEPTED, Adapter, Delivery, Execution, Outcome, Path, Refused, Topology
from ..errors import UsageError, nearest

# Values, so made once: a run refuses far more often than it accepts.
_REFUSED = {refusal: Refused(refusal.value) for refusal in Refusal}
_NOTHING_TO_PROVE = Refused("not committed to")

#: How far the nonce of a forged receipt is ahead: no run emits as many receipts.
_FORGED_AHEAD = 1 << 32


class ReferenceAdapter(Adapter):
    """The shards of `shardproof_models.shards`, all in this process."""

    name: ClassVar[str] = "reference"
    shard_type: ClassVar[type[Shard]] = Shard

    def open(self, topology: Topology) -> None:
        keys = {name: consensus_key(name) for name in topology.shards}
        self._shards = {name: self.shard_type(name, keys) for name in topology.shards}

    def close(self) -> None:
        self._shards = {}

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self._shards[source].emit(destination, payload)

    def produce(self, shard: str) -> bytes | Refused:
        return self._shards[shard].produce()

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        answer = self._shards[shard].finalise(header)
        return _REFUSED[answer] if isinstance(answer, Refusal) else answer

    def revert(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self._shards[shard].revert(header))

    def learn(self, shard: str, header: bytes) -> Outcome:
        return _outcome(self._shards[shard].learn(header))

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        try:
            source = self._shards.get(Header.decode(header).shard)
        except MalformedError:
            return _NOTHING_TO_PROVE
        evidence = None if source is None else source.prove(receipt, header)
        return _NOTHING_TO_PROVE if evidence is None else evidence

    def deliver(self, delivery: Delivery) -> Outcome:
        destination = self._shards[delivery.destination]
        return _outcome(destination.deliver(delivery.receipt, delivery.header, delivery.evidence))

    def reenter(self, delivery: Delivery) -> Outcome:
        destination = self._shards[delivery.destination]

        def once_more(_: Receipt) -> None:
            destination.callback = None
            self.deliver(delivery)

        destination.callback = once_more
        try:
            return self.deliver(delivery)
        finally:
            destination.callback = None

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [Execution(r.payload, r.source) for r in self._shards[shard].executed[since:]]

    def restart(self, shard: str) -> None:
        self._shards[shard].restart()

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        nonce = self._shards[source].outgoing.next_nonce(destination) + _FORGED_AHEAD
        return Receipt(source, destination, nonce, payload).encode()

    def dissect(self, evidence: bytes) -> Path:
        proof = InclusionProof.decode(evidence)
        return Path(proof.index, proof.leaf_count, proof.siblings)

    def assemble(self, path: Path) -> bytes:
        # A number that has no encoding wraps around, as it would for a relayer who writes raw words.
        index, count = path.index % NUMBER_LIMIT, (path.count or 0) % NUMBER_LIMIT
        return InclusionProof(index, count, path.siblings).encode()

    def leaf(self, receipt: bytes) -> bytes:
        return self.shard_type.tree_type.leaf(receipt)


class OwnBlocksAdapter(ReferenceAdapter):
    """The same, of shards whose headers commit to the receipts of their own block alone."""

    name: ClassVar[str] = "reference:own-blocks"
    stack: ClassVar[str] = "own-blocks"
    shard_type: ClassVar[type[Shard]] = OwnBlocksShard


def _outcome(refusal: Refusal | None) -> Outcome:
    return ACCEPTED if refusal is None else _REFUSED[refusal]


def variant(stack: str) -> Callable[[], Adapter]:
    """What makes the reference for `stack`; empty is the core. Raises `UsageError` if there is none."""
    if not stack:
        return ReferenceAdapter
    # Imported only here: whoever runs the core need not wait for all the others.
    from . import messaging, promises

    variants: dict[str, type[Adapter]] = {
        OwnBlocksAdapter.stack: OwnBlocksAdapter,
        **messaging.VARIANTS,
        **promises.VARIANTS,
    }
    if stack not in variants:
        raise UsageError(
            f"no reference follows the stack {stack!r}",
            expected=", ".join(variants),
            help=nearest(stack, variants),
        )
    return variants[stack]
