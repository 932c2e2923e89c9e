"""
Adapter for OpenZeppelin's MerkleProof and ECDSA, behind an inbox of our own (`contracts/Inbox.sol`).

One chain per shard. A receipt is a message; a header is a height and the Merkle root of all
that its chain has sent, signed by an attester; evidence is a multiproof. A header certifies
itself: there is no light client to teach, and nothing to finalise. The tree hashes sorted
pairs, as the library wants it; it is filled up with zeros to a power of two, and to two.

`openzeppelin:4.9.1` is the last version whose multiproofs prove leaves that they never look at
(GHSA-wprv-93r4-jj2p, CVE-2023-34459): a node that was not made yet reads as zero, and zero is
what fills our tree up. `openzeppelin:4.9.2` is mended.

Source: `@openzeppelin/contracts`, `utils/cryptography/MerkleProof.sol` and `ECDSA.sol`. Their functions
are internal, so they are compiled into the inbox, where it is needed (`evm/compiler.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path as File
from typing import ClassVar, Final

from ..adapter import AdapterFactory, Delivery, Execution, Multiproof, Outcome, Path, Refused
from ..errors import UsageError, nearest
from ..parts import PARTS, read
from .evm.artefacts import Artefact
from .evm.chain import Chain
from .evm.compiler import compiled
from .evm.extras import keccak
from .evm.interface import decoded, encoded
from .evm.shards import EvmAdapter, EvmShard
from .evm.signer import Signer

_IMPORTED: Final = "@openzeppelin/contracts/"
_SOURCES: Final = (
    "utils/Strings.sol",
    "utils/cryptography/ECDSA.sol",
    "utils/cryptography/MerkleProof.sol",
    "utils/math/Math.sol",
    "utils/math/SignedMath.sol",
)

#: Where the fields of a header begin: the chain comes first, the signature last.
_HEIGHT, _ROOT, _SIGNATURE = 4, 12, 44

#: Where the number of a message and its payload begin.
_NUMBER, _PAYLOAD = 8, 16

#: Numbers count up from zero, so no message of a run has one in the upper half.
_FORGED_NUMBER: Final = 1 << 63

_EVIDENCE: Final = ("bytes32[]", "bool[]", "bytes32[]", "uint256")

_EMPTY: Final = bytes(32)

#: Leaves of the largest trees that are kept in mind: larger ones are of few runs, and take room.
REMEMBERED: Final = 64


def leaf(message: bytes) -> bytes:
    """Hashed twice, so that no node of the tree is the hash of a message."""
    return keccak(keccak(message))


def levels(leaves: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], ...]:
    """The tree from the leaves up to its root, filled up with zeros to a power of two, and to two."""
    return (_remembered if len(leaves) <= REMEMBERED else _levels)(leaves)


# Evidence under a header is taken from the tree that the header was made of.
@lru_cache(maxsize=1 << 12)
def _remembered(leaves: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], ...]:
    return _levels(leaves)


def _levels(leaves: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], ...]:
    width = max(2, 1 << (len(leaves) - 1).bit_length()) if leaves else 2
    level = (*leaves, *(_EMPTY for _ in range(width - len(leaves))))
    tree = [level]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=True)
        level = tuple(keccak(min(pair) + max(pair)) for pair in pairs)
        tree.append(level)
    return tuple(tree)


class InboxShard(EvmShard):
    """One chain with an inbox; its notes are the headers that were signed."""

    def __init__(self, chain: Chain, artefact: Artefact) -> None:
        super().__init__(chain)
        self.inbox = self.deployed(artefact, self.number, attester().address)
        self.sent = self.inbox.watch("Sent")
        self.executed = self.inbox.watch("Executed")

    def leaves(self, count: int) -> tuple[bytes, ...]:
        """Those of the first `count` messages."""
        return tuple(leaf(self.sent[i]["message"]) for i in range(count))


@cache
def attester() -> Signer:
    """Who signs the headers of all chains."""
    return Signer.named(b"shardproof attester")


class OpenZeppelinAdapter(EvmAdapter[InboxShard]):
    """Inboxes that ask a fixed version of the library whether a message is proven."""

    version: ClassVar[str]

    def build(self, chain: Chain) -> InboxShard:
        return InboxShard(chain, _inbox(self.version))

    # ---- required ---------------------------------------------------------------------------

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        inbox = self.shards[source].inbox
        logs = inbox.send("send", self.shards[destination].number, payload)
        message: bytes = inbox.logged(logs, "Sent")[0]["message"]
        return message

    def produce(self, shard: str) -> bytes | Refused:
        at = self.shards[shard]
        root = levels(at.leaves(len(at.sent)))[-1][0]
        height = len(at.notes)
        unsigned = at.number.to_bytes(4) + height.to_bytes(8) + root
        at.notes.append(len(at.sent))
        return unsigned + attester().sign_personally(keccak(unsigned))

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        at = self.shards[self.names[int.from_bytes(header[:_HEIGHT])]]
        count = at.notes[int.from_bytes(header[_HEIGHT:_ROOT])]
        assert isinstance(count, int), "what was noted is how many messages a header is about"
        position = int.from_bytes(receipt[_NUMBER:_PAYLOAD])
        if position >= count or at.sent[position]["message"] != receipt:
            return Refused("the header does not commit to this message")
        siblings = [
            level[(position >> height) ^ 1] for height, level in enumerate(levels(at.leaves(count))[:-1])
        ]
        return self.assemble(Path(position, None, tuple(siblings)))

    def deliver(self, delivery: Delivery) -> Outcome:
        inbox = self.shards[delivery.destination].inbox
        return inbox.attempt("deliver", delivery.receipt, delivery.header, delivery.evidence)

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [
            # A chain that is no shard's is told too: a name matters most when it is nobody's.
            Execution(x["payload"], self.names.get(x["source"], f"chain {x['source']}"))
            for x in self.shards[shard].executed.after(since)
        ]

    # ---- capabilities -----------------------------------------------------------------------

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        ends = self.shards[source].number.to_bytes(4) + self.shards[destination].number.to_bytes(4)
        number = _FORGED_NUMBER | int.from_bytes(keccak(payload)[:4])
        return ends + number.to_bytes(8) + payload

    def dissect(self, evidence: bytes) -> Path:
        siblings, _, _, _ = decoded(_EVIDENCE, evidence)
        # Sorted pairs have no left and right, so the position is not in the evidence.
        return Path(0, None, siblings)

    def assemble(self, path: Path) -> bytes:
        merges = (False,) * len(path.siblings)
        return self.assemble_multiproof(Multiproof((_EMPTY,), 0, path.siblings, merges))

    def assemble_multiproof(self, proof: Multiproof) -> bytes:
        return encoded(_EVIDENCE, (proof.siblings, proof.merges, proof.leaves, proof.position))

    def leaf(self, receipt: bytes) -> bytes:
        return leaf(receipt)


class OpenZeppelin491Adapter(OpenZeppelinAdapter):
    """The last version with the mistake."""

    name: ClassVar[str] = "openzeppelin:4.9.1"
    version: ClassVar[str] = "4.9.1"


class OpenZeppelin492Adapter(OpenZeppelinAdapter):
    """The first version without it."""

    name: ClassVar[str] = "openzeppelin:4.9.2"
    version: ClassVar[str] = "4.9.2"


VARIANTS: Final[Mapping[str, type[OpenZeppelinAdapter]]] = {
    adapter.version: adapter for adapter in (OpenZeppelin491Adapter, OpenZeppelin492Adapter)
}


def variant(version: str) -> AdapterFactory:
    """The adapter for `openzeppelin:VERSION`; the newer one where no version is named."""
    try:
        return VARIANTS[version or "4.9.2"]
    except KeyError:
        raise UsageError(
            f"adapter 'openzeppelin' has no version {version!r}",
            expected=", ".join(VARIANTS),
            help=nearest(version, VARIANTS),
        ) from None


@cache
def _inbox(version: str) -> Artefact:
    files = read(PARTS[f"openzeppelin-{version}"], _SOURCES)
    sources = {_IMPORTED + name: text.decode() for name, text in files.items()}
    own = File(__file__).with_name("contracts") / "Inbox.sol"
    return compiled({**sources, own.name: own.read_text(encoding="utf-8")}, own.name, "Inbox")
