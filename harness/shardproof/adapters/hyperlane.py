"""
Adapter for Hyperlane: mailboxes, Merkle tree hooks and a multisignature, as their authors compiled them.

One chain per shard. A receipt is an encoded message; a header is a checkpoint, the
signatures of two of three validators over the root of a chain's message tree; evidence is
a Merkle path of depth 32. The mailbox asks its security module whether path and
signatures fit, and remembers what it has delivered. A checkpoint certifies itself: there
is no light client to teach, and nothing to finalise.

The contracts want header and evidence interleaved, as one piece of metadata. It is put
together from the bytes as they come, whatever they are, so that a damaged header reaches
the contracts as damaged metadata and it is they who refuse it.

`hyperlane:noop-ism` has the security module of the same package that accepts everything
in place of the multisignature. Mailboxes have been deployed like that by mistake.

`hyperlane:reorg-period` has validators who wait: a chain may still drop its newest blocks,
with all that was sent and delivered in them, until they are final, and only then is a
checkpoint signed. Agents have a setting of that name.

Source: `@hyperlane-xyz/core`, contracts `Mailbox`, `hooks/MerkleTreeHook`,
`isms/multisig/StaticMultisigIsm`, `libs/CheckpointLib` and
`isms/libs/MerkleRootMultisigIsmMetadata`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, Final

from attrs import field, frozen

from ..adapter import ACCEPTED, Adapter, AdapterFactory, Delivery, Execution, Outcome, Path, Refused, Topology
from ..errors import AdapterError, UsageError, nearest
from ..parts import PARTS, read
from .evm.artefacts import Artefact, from_typechain
from .evm.chain import SENDER, Chain, Moment
from .evm.contract import Contract
from .evm.engine import Log, RevertError
from .evm.extras import curve, keccak
from .evm.incremental_tree import IncrementalTree
from .evm.interface import only_bytes

FIRST_DOMAIN: Final = 1001

VALIDATORS: Final = 3
THRESHOLD: Final = 2

_SIGNATURE: Final = 65
_SIGNATURES: Final = THRESHOLD * _SIGNATURE

#: `libs/Message`: where the fields of an encoded message begin.
_VERSION: Final = 3
_ORIGIN, _SENDER, _DESTINATION = 5, 9, 41

#: Nonces count up from zero, so no message of a run has one in the upper half.
_FORGED_NONCE: Final = 1 << 31

_FACTORIES: Final = "dist/typechain/factories/contracts/"
_CONTRACTS: Final = {
    "Mailbox": "Mailbox",
    "MerkleTreeHook": "hooks/MerkleTreeHook",
    "PausableHook": "hooks/PausableHook",
    "NoopIsm": "isms/NoopIsm",
    "IsmFactory": "isms/multisig/StaticMultisigIsm.sol/StaticMerkleRootMultisigIsmFactory",
    "Recipient": "test/TestRecipient",
}


@frozen
class Checkpoint:
    """
    A header taken apart: who signed that the tree at `hook` has leaf `message_id` at `index`.

    The root that was signed is not in it, because the path implies it. The encoding puts
    the message id last: metadata ends with the signatures, and what follows them is never
    looked at, so a byte added to a header would go unread if they came last here too.
    """

    signatures: bytes = field(repr=False)
    hook: bytes
    index: bytes
    message_id: bytes

    @classmethod
    def of(cls, header: bytes) -> Checkpoint:
        """Cut any bytes into fields, some of which are then too short or too long."""
        signatures, rest = header[:_SIGNATURES], header[_SIGNATURES:]
        return cls(signatures, rest[:32], rest[32:36], rest[36:])

    def encoded(self) -> bytes:
        """As a header."""
        return self.signatures + self.hook + self.index + self.message_id

    def metadata(self, evidence: bytes) -> bytes:
        """What the security module is shown."""
        index, siblings = evidence[:4], evidence[4:]
        return self.hook + index + self.message_id + siblings + self.index + self.signatures


@frozen
class Validator:
    """One of those whose signatures certify a checkpoint."""

    key: Any = field(repr=False)
    address: str

    @classmethod
    def named(cls, seed: bytes) -> Validator:
        """The validator whose private key is the hash of `seed`."""
        key = curve().PrivateKey(keccak(seed))
        return cls(key, "0x" + keccak(key.public_key.format(compressed=False)[1:])[-20:].hex())

    def sign(self, digest: bytes) -> bytes:
        """Deterministic, so that a run can be repeated."""
        signature: bytes = self.key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


@cache
def validators() -> tuple[Validator, ...]:
    """The validators of every chain, in the order in which the security module wants their signatures."""
    return tuple(Validator.named(b"shardproof validator %d" % i) for i in range(VALIDATORS))


def checkpoint_digest(domain: int, hook: bytes, root: bytes, index: int, message_id: bytes) -> bytes:
    """What validators sign."""
    origin = keccak(domain.to_bytes(4) + hook + b"HYPERLANE")
    signed = keccak(origin + root + index.to_bytes(4) + message_id)
    return keccak(b"\x19Ethereum Signed Message:\n32" + signed)


class _MessageTree(IncrementalTree):
    """The hook's tree, built from what the hook logs: leaf and position of each message."""

    def append(self, log: Log) -> None:
        leaf, position = log.data[:32], int.from_bytes(log.data[32:64])
        if position != len(self):
            raise AdapterError("the message tree skipped a leaf", expected=len(self), got=position)
        self.add(leaf)


class _Received:
    """What the recipient has been handed: domain of origin and body, in order."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, bytes]] = []

    def __len__(self) -> int:
        return len(self._entries)

    def append(self, log: Log) -> None:
        self._entries.append((int.from_bytes(log.topics[1]), only_bytes(log.data)))

    def truncate(self, length: int) -> None:
        del self._entries[length:]

    def after(self, since: int) -> list[tuple[int, bytes]]:
        return self._entries[since:]


@frozen(eq=False)
class _Block:
    """A block that may be dropped: how many leaves its tree has, and the chain before and after it."""

    count: int
    #: When its parent was sealed, and how many leaves there were.
    before: Moment
    covered: int
    after: Moment


#: How many leaves are certified, the blocks that may be dropped, and the chain before them.
_Blocks = tuple[int, tuple[_Block, ...], Moment]


class _Shard:
    """One chain with its contracts, and what is known of it off the chain."""

    def __init__(self, domain: int, noop_ism: bool) -> None:
        self.domain = domain
        self.chain = Chain(domain)
        self.tree = _MessageTree()
        self.received = _Received()
        #: How many leaves its newest checkpoint covers.
        self.certified = 0
        #: The blocks that may still be dropped, and the chain before them.
        self.branch: tuple[_Block, ...] = ()
        self.mailbox = self._deployed("Mailbox", domain)
        self.hook = self._deployed("MerkleTreeHook", self.mailbox.address)
        self.recipient = self._deployed("Recipient")
        ism = self._deployed("NoopIsm").address if noop_ism else self._multisig()
        # The required hook is asked for every message, whatever hook its sender names.
        other = self._deployed("PausableHook").address
        self.mailbox.send("initialize", SENDER, ism, other, self.hook.address)
        self.chain.watch(self.hook.address, self.hook.topic("InsertedIntoTree"), self.tree)
        self.chain.watch(self.recipient.address, self.recipient.topic("ReceivedMessage"), self.received)
        self.chain.seal()
        self.final = self.chain.snapshot()

    @property
    def blocks(self) -> _Blocks:
        """What is known of its blocks, all at once."""
        return self.certified, self.branch, self.final

    @blocks.setter
    def blocks(self, known: _Blocks) -> None:
        self.certified, self.branch, self.final = known

    def checkpoint(self, count: int, *, signed: bool) -> Checkpoint:
        """That its tree has so many leaves, and which one is the last."""
        index, hook, message_id = count - 1, self.hook.word, self.tree[count - 1]
        if not signed:
            return Checkpoint(bytes(_SIGNATURES), hook, index.to_bytes(4), message_id)
        digest = checkpoint_digest(self.domain, hook, self.tree.root(count), index, message_id)
        # Each pair of validators in turn: any two will do, as long as they keep their order.
        absent = index % VALIDATORS
        signatures = b"".join(v.sign(digest) for i, v in enumerate(validators()) if i != absent)
        return Checkpoint(signatures, hook, index.to_bytes(4), message_id)

    def _deployed(self, name: str, *arguments: object) -> Contract:
        return Contract.deployed(self.chain, _artefacts()[name], *arguments)

    def _multisig(self) -> str:
        factory = self._deployed("IsmFactory")
        signers = [validator.address for validator in validators()]
        factory.send("deploy(address[],uint8)", signers, THRESHOLD)
        address: str = factory.call("getAddress(address[],uint8)", signers, THRESHOLD)
        return address


@frozen(eq=False)
class _Snapshot:
    shards: tuple[_Shard, ...] = field(repr=False)
    moments: tuple[Moment, ...]
    blocks: tuple[_Blocks, ...]


class HyperlaneAdapter(Adapter):
    """Mailboxes whose security module wants the signatures of two of three validators."""

    name: ClassVar[str] = "hyperlane"
    _noop_ism: ClassVar[bool] = False

    def __init__(self) -> None:
        self._shards: dict[str, _Shard] = {}
        #: By domain, as messages name them.
        self._names: dict[int, str] = {}

    # ---- required ---------------------------------------------------------------------------

    def open(self, topology: Topology) -> None:
        chains = list(self._shards.values())
        if len(chains) != len(topology.shards):
            chains = [_Shard(FIRST_DOMAIN + i, self._noop_ism) for i in range(len(topology.shards))]
        self._shards = dict(zip(topology.shards, chains, strict=True))
        self._names = {shard.domain: name for name, shard in self._shards.items()}
        for shard in self._shards.values():
            shard.chain.reset()
            shard.blocks = (0, (), shard.chain.snapshot())

    def close(self) -> None:
        self._shards = {}
        self._names = {}

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        mailbox, to = self._shards[source].mailbox, self._shards[destination]
        try:
            logs = mailbox.send("dispatch(uint32,bytes32,bytes)", to.domain, to.recipient.word, payload)
        except RevertError as reverted:
            return Refused(mailbox.interface.reason(reverted))
        dispatched = mailbox.topic("Dispatch")
        return next(only_bytes(log.data) for log in logs if log.topics[0] == dispatched)

    def produce(self, shard: str) -> bytes | Refused:
        at = self._shards[shard]
        count = len(at.tree)
        if count == at.certified:
            # The same checkpoint again would be the same bytes: no block, only its echo.
            return Refused("nothing new to certify" if count else "nothing was ever dispatched")
        at.certified = count
        return at.checkpoint(count, signed=True).encoded()

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        name = self._names.get(int.from_bytes(receipt[_ORIGIN:_SENDER]))
        position = self._shards[name].tree.position(keccak(receipt)) if name is not None else None
        if name is None or position is None:
            return Refused("this message was never dispatched")
        at, checkpoint = self._shards[name], Checkpoint.of(header)
        index = int.from_bytes(checkpoint.index)
        named = (checkpoint.hook, checkpoint.message_id)
        if index >= at.certified or named != (at.hook.word, at.tree[index]):
            return Refused("this is no checkpoint of the chain that dispatched the message")
        if position > index:
            return Refused("this checkpoint is older than the message")
        return self.assemble(Path(position, None, at.tree.path(position, index + 1)))

    def deliver(self, delivery: Delivery) -> Outcome:
        mailbox = self._shards[delivery.destination].mailbox
        metadata = Checkpoint.of(delivery.header).metadata(delivery.evidence)
        try:
            mailbox.send("process", metadata, delivery.receipt)
        except RevertError as reverted:
            return Refused(mailbox.interface.reason(reverted))
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        # A domain that is no shard's is told too: a name matters most when it is nobody's.
        return [
            Execution(body, self._names.get(domain, f"domain {domain}"))
            for domain, body in self._shards[shard].received.after(since)
        ]

    # ---- capabilities -----------------------------------------------------------------------

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        # The nonce comes from what is forged, so that the answer depends on nothing else.
        to = self._shards[destination]
        nonce = _FORGED_NONCE | int.from_bytes(keccak(payload)[:4])
        sender = bytes(12) + bytes.fromhex(SENDER[2:])
        origin = self._shards[source].domain.to_bytes(4) + sender
        target = to.domain.to_bytes(4) + to.recipient.word
        return bytes([_VERSION]) + nonce.to_bytes(4) + origin + target + payload

    def dissect(self, evidence: bytes) -> Path:
        siblings = tuple(evidence[i : i + 32] for i in range(4, len(evidence), 32))
        return Path(int.from_bytes(evidence[:4]), None, siblings)

    def assemble(self, path: Path) -> bytes:
        # Positions beyond what four bytes hold wrap, as they would in the contract.
        return (path.index % (1 << 32)).to_bytes(4) + b"".join(path.siblings)

    def leaf(self, receipt: bytes) -> bytes:
        return keccak(receipt)

    def snapshot(self) -> object:
        shards = tuple(self._shards.values())
        moments = tuple(shard.chain.snapshot() for shard in shards)
        return _Snapshot(shards, moments, tuple(shard.blocks for shard in shards))

    def restore(self, token: object) -> None:
        shards = tuple(self._shards.values())
        if not isinstance(token, _Snapshot) or token.shards != shards:
            raise AdapterError("this snapshot belongs to other chains", got=type(token).__name__)
        for shard, moment, blocks in zip(shards, token.moments, token.blocks, strict=True):
            shard.chain.restore(moment)
            shard.blocks = blocks


class NoopIsmAdapter(HyperlaneAdapter):
    """Mailboxes whose security module accepts everything."""

    name: ClassVar[str] = "hyperlane:noop-ism"
    _noop_ism: ClassVar[bool] = True


class ReorgPeriodAdapter(HyperlaneAdapter):
    """
    Mailboxes on chains that may drop their newest blocks, with validators who sign only what is final.

    Until then a header is a checkpoint with zeros for signatures.
    """

    name: ClassVar[str] = "hyperlane:reorg-period"

    def produce(self, shard: str) -> bytes | Refused:
        at = self._shards[shard]
        covered, count = at.certified, len(at.tree)
        if count == covered:
            return Refused("nothing new in this block")
        at.certified = count
        before = at.branch[-1].after if at.branch else at.final
        at.branch = (*at.branch, _Block(count, before, covered, at.chain.snapshot()))
        return at.checkpoint(count, signed=False).encoded()

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        at = self._shards[shard]
        place = self._place(at, header)
        if place is None:
            return Refused("this is no block that may still be dropped")
        if place:
            return Refused("its parent is not final")
        block, *rest = at.branch
        at.branch, at.final = tuple(rest), block.after
        return at.checkpoint(block.count, signed=True).encoded()

    def revert(self, shard: str, header: bytes) -> Outcome:
        at = self._shards[shard]
        place = self._place(at, header)
        if place is None:
            return Refused("this is no block that may still be dropped")
        block = at.branch[place]
        at.chain.restore(block.before)
        at.certified, at.branch = block.covered, at.branch[:place]
        return ACCEPTED

    @staticmethod
    def _place(at: _Shard, header: bytes) -> int | None:
        """Which of the blocks that may be dropped has this header."""
        for place, block in enumerate(at.branch):
            if header == at.checkpoint(block.count, signed=False).encoded():
                return place
        return None


VARIANTS: Final[Mapping[str, type[HyperlaneAdapter]]] = {
    "": HyperlaneAdapter,
    "noop-ism": NoopIsmAdapter,
    "reorg-period": ReorgPeriodAdapter,
}


def variant(name: str) -> AdapterFactory:
    """The adapter for `hyperlane`, or for `hyperlane:name`."""
    try:
        return VARIANTS[name]
    except KeyError:
        known = [variant for variant in VARIANTS if variant]
        raise UsageError(f"adapter 'hyperlane' has no variant {name!r}", help=nearest(name, known)) from None


@cache
def _artefacts() -> dict[str, Artefact]:
    paths = {name: f"{_FACTORIES}{path}__factory.js" for name, path in _CONTRACTS.items()}
    files = read(PARTS["hyperlane-core"], paths.values())
    return {name: from_typechain(files[path].decode(), path) for name, path in paths.items()}
