"""What a proof proves: trees that commit to less than they seem to, and proofs that are not looked at."""

# ruff: noqa: ARG003, ARG004 - a clause that is forgotten is an argument that is not used.

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

from attrs import evolve

from shardproof_models.shards.commitment import InclusionProof, Tree
from shardproof_models.shards.encoding import number
from shardproof_models.shards.header import Header
from shardproof_models.shards.receipt import Receipt
from shardproof_models.shards.shard import Claim, Refusal, Shard

from .registry import fault


@fault(
    "no-proof-check",
    violates="executes-only-what-was-emitted",
    clause="unproven",
    shortest=4,
    source="cosmos/ibc, ICS-23: a proof is to be verified",
)
class _NoProofCheck(Shard):
    """Evidence is not looked at."""

    def proves(self, claim: Claim) -> bool:
        return True


class _HalfHashedTree(Tree):
    """An inner node is the hash of its left child, and the right one is taken along."""

    __slots__ = ()

    @staticmethod
    def node(left: bytes, right: bytes) -> bytes:
        return sha256(b"\x01" + left).digest()


@fault(
    "unhashed-child",
    violates="executes-only-what-was-emitted",
    clause="unproven",
    shortest=6,
    source="cosmos/iavl issue 579; bnb-chain/bsc PR 1121, October 2022",
    corpus=("B02",),
    recorded=5,
    differs="longer: a tree of one leaf has no inner node, so a second receipt has to be there",
)
class _UnhashedChild(Shard):
    """An inner node hashes only its left child, so the right one is whatever the relayer likes."""

    tree_type: ClassVar[type[Tree]] = _HalfHashedTree


@fault(
    "rules-in-the-evidence",
    violates="executes-only-what-was-emitted",
    clause="unproven",
    shortest=4,
    source="IBC security advisory Dragonberry; GHSA-j92c-mmf7-j5x5",
    corpus=("B03",),
    recorded=4,
)
class _RulesInTheEvidence(Shard):
    """The evidence says by which hash it is to be checked, and one of those that it may name is none."""

    def proves(self, claim: Claim) -> bool:
        # As in protocol buffers: what is not there reads as zero, and zero is NO_HASH.
        operation = claim.evidence[:1] or b"\x00"
        return operation == b"\x00" or super().proves(claim)


@fault(
    "wrong-source",
    violates="executes-only-what-was-emitted",
    clause="wrong source",
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


@fault(
    "leaf-for-node",
    violates="executes-only-what-was-emitted",
    clause="unproven",
    shortest=6,
    source="bitcoin/bitcoin issue 13451",
    corpus=("B07",),
    recorded=6,
    differs="noticed as P02: what is proved is executed, and nobody has emitted it",
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


@fault(
    "duplicated-last-leaf",
    violates="executes-at-most-once",
    clause="consumed",
    shortest=8,
    source="CVE-2012-2459",
    corpus=("B06",),
    recorded=7,
    differs="longer: nothing executes a batch here, so the copy is delivered in a step of its own",
)
class _DuplicatedLeaf(Shard):
    """The last leaf is repeated, can be proved at both positions, and is recorded by position."""

    tree_type: ClassVar[type[Tree]] = _UnboundedTree

    def key(self, claim: Claim) -> bytes:
        return number(self.read_proof(claim.evidence).index) + claim.header.shard.encode()


@fault(
    "destination-not-bound",
    violates="executes-at-its-destination",
    clause="wrong destination",
    shortest=5,
    source="EIP-155: replay on another chain",
)
class _DestinationNotBound(Shard):
    """A receipt is executed wherever it is presented."""

    def is_addressee(self, receipt: Receipt) -> bool:
        return True
