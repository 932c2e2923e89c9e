"""
The reference with one mistake at a time, each of a kind that somebody has made.

A harness that finds nothing in a correct system has shown little; it has to find these.
Every mistake overrides the one method, or replaces the one collaborator, that holds the
clause it forgets. The numbers say how few steps show it: emit, produce, finalise, learn,
deliver, reenter, restart and revert count, on a new system, with payloads that the sender
of the receipt did not choose for the purpose; a forged receipt costs nothing.

The file is long because the list is. Each entry stands alone.
"""

# ruff: noqa: ARG003 - a clause that is forgotten is an argument that is not used.

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import ClassVar

from attrs import evolve, frozen

from shardproof_models.shards.commitment import InclusionProof, Tree
from shardproof_models.shards.durable import DurableState, Extent
from shardproof_models.shards.encoding import MalformedError, number
from shardproof_models.shards.header import GENESIS, Header
from shardproof_models.shards.light_client import LightClient
from shardproof_models.shards.receipt import Receipt
from shardproof_models.shards.shard import Claim, Refusal, Shard

from ..adapter import Adapter
from ..errors import UsageError, nearest
from .reference import ReferenceAdapter


@frozen
class Fault:
    """One mistake: what it is, which property it violates, and how few steps show that."""

    name: str
    summary: str
    violates: str
    shortest: int
    #: Who made it first, or where it is described.
    source: str
    factory: Callable[[], Adapter]


_FAULTS: dict[str, Fault] = {}

#: Every mistake by name, those of the record first.
FAULTS: Mapping[str, Fault] = _FAULTS


def variant(name: str) -> Callable[[], Adapter]:
    """What makes the adapter with the mistake `name`. Raises `UsageError` if there is none."""
    if name not in FAULTS:
        raise UsageError(
            f"unknown mistake {name!r}" if name else "which mistake?",
            expected="--adapter faulty:NAME",
            help=nearest(name, FAULTS),
        )
    return FAULTS[name].factory


def _fault(name: str, *, violates: str, shortest: int, source: str) -> Callable[[type[Shard]], type[Shard]]:
    """Enter a faulty shard into `FAULTS`; its docstring is the summary."""
    label = f"faulty:{name}"

    def enter(shard: type[Shard]) -> type[Shard]:
        class FaultyAdapter(ReferenceAdapter):
            __doc__ = shard.__doc__
            name: ClassVar[str] = label
            shard_type: ClassVar[type[Shard]] = shard

        _FAULTS[name] = Fault(name, shard.__doc__ or "", violates, shortest, source, FaultyAdapter)
        return shard

    return enter


# ---- the record of what was executed ---------------------------------------------------------


@_fault(
    "no-deduplication",
    violates="executes-at-most-once",
    shortest=6,
    source="Zilliqa/zq1 PR 1176",
)
class _NoDeduplication(Shard):
    """A receipt is executed whenever it is proved, however often that was before."""

    def is_consumed(self, key: bytes) -> bool:
        return False


@_fault(
    "key-is-proof",
    violates="executes-at-most-once",
    shortest=6,
    source="Polygon Plasma bridge, 2021",
)
class _KeyIsProof(Shard):
    """A receipt is recorded under its proof, and the parser of proofs ignores what follows the end."""

    def read_proof(self, evidence: bytes) -> InclusionProof:
        return InclusionProof.read(InclusionProof.reader(evidence))

    def key(self, claim: Claim) -> bytes:
        return sha256(claim.evidence).digest()


@_fault(
    "key-is-signature",
    violates="executes-at-most-once",
    shortest=6,
    source="harmony-one/harmony PR 5039",
)
class _KeyIsSignature(Shard):
    """A receipt is recorded under the certificate of its header, which is no part of what was trusted."""

    def key(self, claim: Claim) -> bytes:
        return claim.header.certificate


@_fault(
    "key-is-header",
    violates="executes-at-most-once",
    shortest=9,
    source="harmony-one/harmony PR 5039",
)
class _KeyIsHeader(Shard):
    """A receipt is recorded under its header and itself, so each later header makes it new."""

    def key(self, claim: Claim) -> bytes:
        return claim.header.hash() + claim.leaf


@_fault(
    "nonce-without-source",
    violates="delivers-what-is-due",
    shortest=10,
    source="ICS-04: a sequence counts within its channel",
)
class _NonceWithoutSource(Shard):
    """A receipt is recorded under its nonce, whichever source counted it."""

    def key(self, claim: Claim) -> bytes:
        return number(claim.receipt.nonce)


@_fault(
    "record-lost-at-restart",
    violates="executes-at-most-once",
    shortest=7,
    source="cosmos/ibc-go issue 199",
)
class _RecordLostAtRestart(Shard):
    """The record of what was executed is not written down, so a restart forgets it."""

    def durable(self) -> DurableState:
        return evolve(super().durable(), consumed=())


@_fault(
    "marked-after-callback",
    violates="executes-at-most-once",
    shortest=5,
    source="GHSA-j496-crgh-34mx",
)
class _MarkedAfterCallback(Shard):
    """A receipt is recorded after its callback has returned, and the callback presents it again."""

    def consume(self, key: bytes, receipt: Receipt) -> None:
        self.execute(receipt)
        self.consumed[key] = None


@_fault(
    "twice-under-reordering",
    violates="executes-at-most-once",
    shortest=7,
    source="ICS-04: ordered channels",
)
class _TwiceUnderReordering(Shard):
    """A receipt that comes before its predecessors is executed, kept, and executed again in its turn."""

    def consume(self, key: bytes, receipt: Receipt) -> None:
        super().consume(key, receipt)
        due = self._due.get(receipt.source, 0)
        if receipt.nonce != due:
            self._early[receipt.source, receipt.nonce] = receipt
            return
        due += 1
        while (receipt.source, due) in self._early:
            self.execute(self._early.pop((receipt.source, due)))
            due += 1
        self._due[receipt.source] = due

    def load(self, state: DurableState) -> None:
        super().load(state)
        self._due: dict[str, int] = {}
        self._early: dict[tuple[str, int], Receipt] = {}


@_fault(
    "swallows-receipts",
    violates="delivers-what-is-due",
    shortest=5,
    source="harmony-one/harmony issue 3620",
)
class _SwallowsReceipts(Shard):
    """A receipt is accepted and recorded, and has no effect."""

    def execute(self, receipt: Receipt) -> None:
        pass


# ---- which header is believed ------------------------------------------------------------------


@_fault(
    "unlearned-header",
    violates="executes-only-on-trusted-headers",
    shortest=4,
    source="Wormhole, February 2022",
)
class _UnlearnedHeader(Shard):
    """A certified header is believed when it comes with a receipt, although it was never learned."""

    def trusted(self, header: bytes) -> Header | None:
        try:
            claimed = Header.decode(header)
        except MalformedError:
            return None
        return claimed if self.light_client.accepts(claimed) else None


class _CredulousLightClient(LightClient):
    """Takes a header that carries no certificate for one that needs none."""

    def accepts(self, header: Header) -> bool:
        return not header.certificate or super().accepts(header)


@_fault(
    "non-final-header",
    violates="trusts-only-final-headers",
    shortest=2,
    source="FuelLabs/fuel-core issue 1336, TOB-FUEL-43",
)
class _NonFinalHeader(Shard):
    """The light client learns headers that are not final yet."""

    light_client_type: ClassVar[type[LightClient]] = _CredulousLightClient


#: What a table without an entry reads as.
_NULL_HEADER = Header("", 0, 0, GENESIS, 0, bytes(32))


@_fault(
    "null-root",
    violates="executes-only-what-was-emitted",
    shortest=1,
    source="Nomad, August 2022",
)
class _NullRoot(Shard):
    """The root of an unknown header reads as null, and null is among the roots that were confirmed."""

    def trusted(self, header: bytes) -> Header | None:
        return super().trusted(header) or _NULL_HEADER

    def doubt(self, claim: Claim) -> Refusal | None:
        return None if claim.header is _NULL_HEADER else super().doubt(claim)


@_fault(
    "waits-for-every-shard",
    violates="waits-for-no-other-shard",
    shortest=5,
    source="Chandy and Misra 1979: waiting for every input",
)
class _WaitsForEveryShard(Shard):
    """Nothing is believed before a header of every other shard was learned."""

    def trusted(self, header: bytes) -> Header | None:
        heard = {learned.shard for learned in self.light_client.learned}
        return super().trusted(header) if heard >= self._keys.keys() - {self.name} else None


# ---- what a proof proves -----------------------------------------------------------------------


@_fault(
    "no-proof-check",
    violates="executes-only-what-was-emitted",
    shortest=4,
    source="cosmos/iavl issue 579, BNB Chain, October 2022",
)
class _NoProofCheck(Shard):
    """Evidence is not looked at."""

    def proves(self, claim: Claim) -> bool:
        return True


@_fault(
    "wrong-source",
    violates="executes-only-what-was-emitted",
    shortest=5,
    source="harmony-one/harmony PR 5039",
)
class _WrongSource(Shard):
    """The proof is checked for the source of the header, the effect is in the name of the claimed one."""

    def doubt(self, claim: Claim) -> Refusal | None:
        proved = evolve(claim.receipt, source=claim.header.shard)
        return super().doubt(evolve(claim, receipt=proved, leaf=proved.encode()))


class _PairingTree(Tree):
    """
    Bitcoin's tree: an odd level repeats its last node, so that every node has a sibling.

    Which side a sibling is on is then a bit of the index, and no number of leaves is needed
    to read a proof. That it should be asked for all the same is what was overlooked.
    """

    __slots__ = ("_leaves",)

    def __init__(self) -> None:
        super().__init__()
        self._leaves: list[bytes] = []

    def __len__(self) -> int:
        return len(self._leaves)

    def append(self, data: bytes) -> None:
        self._leaves.append(self.leaf(data))

    def truncate(self, size: int) -> None:
        del self._leaves[size:]

    def root(self, size: int) -> bytes:
        level = self._leaves[:size]
        while len(level) > 1:
            level = self._above(level)
        return level[0] if level else bytes(32)

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        siblings = []
        level = self._leaves[:size]
        while len(level) > 1:
            siblings.append(level[min(index ^ 1, len(level) - 1)])
            level, index = self._above(level), index >> 1
        return tuple(siblings)

    @classmethod
    def _above(cls, level: list[bytes]) -> list[bytes]:
        paired = [*level, level[-1]] if len(level) & 1 else level
        return [cls.node(paired[i], paired[i + 1]) for i in range(0, len(paired), 2)]

    @classmethod
    def verify(cls, data: bytes, proof: InclusionProof, leaf_count: int, root: bytes) -> bool:
        index, node = proof.index, cls.leaf(data)
        for sibling in proof.siblings:
            node = cls.node(sibling, node) if index & 1 else cls.node(node, sibling)
            index >>= 1
        return not index and node == root


class _UntaggedTree(_PairingTree):
    """Hashes leaves and inner nodes alike, and accepts a proof of any depth."""

    @staticmethod
    def leaf(data: bytes) -> bytes:
        return sha256(data).digest()

    @staticmethod
    def node(left: bytes, right: bytes) -> bytes:
        return sha256(left + right).digest()


@_fault(
    "leaf-for-node",
    violates="executes-only-what-was-emitted",
    shortest=6,
    source="bitcoin/bitcoin issue 13451",
)
class _LeafForNode(Shard):
    """An inner node of the tree passes for a leaf, and whatever bytes are proved are executed."""

    tree_type: ClassVar[type[Tree]] = _UntaggedTree

    def claim(self, receipt: bytes, header: Header, evidence: bytes) -> Claim | None:
        raw = Receipt(header.shard, self.name, 0, receipt)
        return super().claim(receipt, header, evidence) or Claim(raw, receipt, header, evidence)


class _UnboundedTree(_PairingTree):
    """Knows how deep it is, but not how many leaves there are at the bottom."""

    @classmethod
    def verify(cls, data: bytes, proof: InclusionProof, leaf_count: int, root: bytes) -> bool:
        deep_enough = leaf_count > 0 and len(proof.siblings) == (leaf_count - 1).bit_length()
        return deep_enough and super().verify(data, proof, leaf_count, root)


@_fault(
    "duplicated-last-leaf",
    violates="executes-at-most-once",
    shortest=8,
    source="CVE-2012-2459",
)
class _DuplicatedLeaf(Shard):
    """The last leaf is repeated, can be proved at both positions, and is recorded by position."""

    tree_type: ClassVar[type[Tree]] = _UnboundedTree

    def key(self, claim: Claim) -> bytes:
        return number(self.read_proof(claim.evidence).index) + claim.header.shard.encode()


@_fault(
    "destination-not-bound",
    violates="executes-at-its-destination",
    shortest=5,
    source="EIP-155: replay on another chain",
)
class _DestinationNotBound(Shard):
    """A receipt is executed wherever it is presented."""

    def is_addressee(self, receipt: Receipt) -> bool:
        return True


@_fault(
    "jams-after-bad-evidence",
    violates="is-not-jammed-by-another-receipt",
    shortest=6,
    source="CVE-2023-33964",
)
class _JamsAfterBadEvidence(Shard):
    """After one receipt without a proof, everything in the name of its source is refused."""

    def doubt(self, claim: Claim) -> Refusal | None:
        doubt = Refusal.UNPROVEN if claim.receipt.source in self._jammed else super().doubt(claim)
        if doubt is Refusal.UNPROVEN:
            self._jammed.add(claim.receipt.source)
        return doubt

    def load(self, state: DurableState) -> None:
        super().load(state)
        self._jammed: set[str] = set()


# ---- what a revert takes back ------------------------------------------------------------------


@_fault(
    "effects-survive-revert",
    violates="reverts-atomically",
    shortest=7,
    source="multiversx/mx-chain-go PR 3637",
)
class _EffectsSurviveRevert(Shard):
    """A revert takes back what was recorded, and leaves what was executed."""

    def rewind(self, extent: Extent) -> None:
        super().rewind(evolve(extent, executed=len(self.executed)))


@_fault(
    "records-survive-revert",
    violates="delivers-what-is-due",
    shortest=9,
    source="multiversx/mx-chain-go PR 3637",
)
class _RecordsSurviveRevert(Shard):
    """A revert takes back what was executed, and leaves what was recorded."""

    def rewind(self, extent: Extent) -> None:
        super().rewind(evolve(extent, consumed=len(self.consumed)))
