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
in place of the multisignature. Mailboxes have been deployed like that by mistake. `hyperlane:anvil` runs
the contracts in anvil instead of pyrevm, about ten times as slowly.

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
from typing import ClassVar, Final

from attrs import evolve, field, frozen

from ..adapter import ACCEPTED, AdapterFactory, Delivery, Execution, Outcome, Path, Refused
from ..errors import AdapterError, UsageError, nearest
from ..parts import PARTS, read
from .evm.anvil import AnvilEngine
from .evm.artefacts import Artefact, from_typechain
from .evm.chain import SENDER, Chain, Moment
from .evm.contract import Contract
from .evm.engine import EngineFactory, Log, RevertError
from .evm.extras import keccak
from .evm.incremental_tree import IncrementalTree
from .evm.interface import only_bytes
from .evm.shards import EvmAdapter, EvmShard
from .evm.signer import Signer

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


@cache
def validators() -> tuple[Signer, ...]:
    """The validators of every chain, in the order in which the security module wants their signatures."""
    return tuple(Signer.named(b"shardproof validator %d" % i) for i in range(VALIDATORS))


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


class MailboxShard(EvmShard):
    """One chain with its contracts; its notes are how many leaves each of its checkpoints covers."""

    def __init__(self, chain: Chain, noop_ism: bool) -> None:
        super().__init__(chain)
        self.mailbox = self._made("Mailbox", self.number)
        self.hook = self._made("MerkleTreeHook", self.mailbox.address)
        self.recipient = self._made("Recipient")
        ism = self._made("NoopIsm").address if noop_ism else self._multisig()
        # The required hook is asked for every message, whatever hook its sender names.
        other = self._made("PausableHook").address
        self.mailbox.send("initialize", SENDER, ism, other, self.hook.address)
        self.tree = _MessageTree()
        chain.watch(self.hook.address, self.hook.topic("InsertedIntoTree"), self.tree)
        self.received = self.recipient.watch("ReceivedMessage")

    @property
    def certified(self) -> int:
        """How many leaves its newest checkpoint covers."""
        newest = self.notes[-1] if self.notes else 0
        assert isinstance(newest, int), "what was noted is a number of leaves"
        return newest

    def checkpoint(self, count: int, *, signed: bool = True) -> Checkpoint:
        """That its tree has so many leaves, and which one is the last; with zeros if nobody has signed."""
        index, hook, message_id = count - 1, self.hook.word, self.tree[count - 1]
        signatures = bytes(_SIGNATURES)
        if signed:
            digest = checkpoint_digest(self.number, hook, self.tree.root(count), index, message_id)
            # Each pair of validators in turn: any two will do, as long as they keep their order.
            absent = index % VALIDATORS
            signatures = b"".join(v.sign(digest) for i, v in enumerate(validators()) if i != absent)
        return Checkpoint(signatures, hook, index.to_bytes(4), message_id)

    def _made(self, name: str, *arguments: object) -> Contract:
        return self.deployed(_artefacts()[name], *arguments)

    def _multisig(self) -> str:
        factory = self._made("IsmFactory")
        signers = [validator.address for validator in validators()]
        factory.send("deploy(address[],uint8)", signers, THRESHOLD)
        address: str = factory.call("getAddress(address[],uint8)", signers, THRESHOLD)
        return address


class HyperlaneAdapter(EvmAdapter[MailboxShard]):
    """Mailboxes whose security module wants the signatures of two of three validators."""

    name: ClassVar[str] = "hyperlane"
    _noop_ism: ClassVar[bool] = False

    def build(self, chain: Chain) -> MailboxShard:
        return MailboxShard(chain, self._noop_ism)

    # ---- required ---------------------------------------------------------------------------

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        mailbox, to = self.shards[source].mailbox, self.shards[destination]
        try:
            logs = mailbox.send("dispatch(uint32,bytes32,bytes)", to.number, to.recipient.word, payload)
        except RevertError as reverted:
            return Refused(mailbox.interface.reason(reverted))
        dispatched = mailbox.topic("Dispatch")
        return next(only_bytes(log.data) for log in logs if log.topics[0] == dispatched)

    def produce(self, shard: str) -> bytes | Refused:
        at = self.shards[shard]
        count = len(at.tree)
        if count == at.certified:
            # The same checkpoint again would be the same bytes: no block, only its echo.
            return Refused("nothing new to certify" if count else "nothing was ever dispatched")
        at.notes.append(count)
        return at.checkpoint(count).encoded()

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        name = self.names.get(int.from_bytes(receipt[_ORIGIN:_SENDER]))
        position = self.shards[name].tree.position(keccak(receipt)) if name is not None else None
        if name is None or position is None:
            return Refused("this message was never dispatched")
        at, checkpoint = self.shards[name], Checkpoint.of(header)
        index = int.from_bytes(checkpoint.index)
        named = (checkpoint.hook, checkpoint.message_id)
        if index >= at.certified or named != (at.hook.word, at.tree[index]):
            return Refused("this is no checkpoint of the chain that dispatched the message")
        if position > index:
            return Refused("this checkpoint is older than the message")
        return self.assemble(Path(position, None, at.tree.path(position, index + 1)))

    def deliver(self, delivery: Delivery) -> Outcome:
        mailbox = self.shards[delivery.destination].mailbox
        metadata = Checkpoint.of(delivery.header).metadata(delivery.evidence)
        try:
            mailbox.send("process", metadata, delivery.receipt)
        except RevertError as reverted:
            return Refused(mailbox.interface.reason(reverted))
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        # A domain that is no shard's is told too: a name matters most when it is nobody's.
        return [
            Execution(x["message"], self.names.get(x["origin"], f"domain {x['origin']}"))
            for x in self.shards[shard].received.after(since)
        ]

    # ---- capabilities -----------------------------------------------------------------------

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        # The nonce comes from what is forged, so that the answer depends on nothing else.
        to = self.shards[destination]
        nonce = _FORGED_NONCE | int.from_bytes(keccak(payload)[:4])
        sender = bytes(12) + bytes.fromhex(SENDER[2:])
        origin = self.shards[source].number.to_bytes(4) + sender
        target = to.number.to_bytes(4) + to.recipient.word
        return bytes([_VERSION]) + nonce.to_bytes(4) + origin + target + payload

    def dissect(self, evidence: bytes) -> Path:
        siblings = tuple(evidence[i : i + 32] for i in range(4, len(evidence), 32))
        return Path(int.from_bytes(evidence[:4]), None, siblings)

    def assemble(self, path: Path) -> bytes:
        # Positions beyond what four bytes hold wrap, as they would in the contract.
        return (path.index % (1 << 32)).to_bytes(4) + b"".join(path.siblings)

    def leaf(self, receipt: bytes) -> bytes:
        return keccak(receipt)


class NoopIsmAdapter(HyperlaneAdapter):
    """Mailboxes whose security module accepts everything."""

    name: ClassVar[str] = "hyperlane:noop-ism"
    _noop_ism: ClassVar[bool] = True


class AnvilAdapter(HyperlaneAdapter):
    """The same contracts on another virtual machine, which must not make a difference."""

    name: ClassVar[str] = "hyperlane:anvil"
    engine: ClassVar[EngineFactory] = AnvilEngine


@frozen(eq=False)
class _Block:
    """A block: how many leaves its tree has, the chain when it was sealed, and whether it is final."""

    count: int
    moment: Moment
    final: bool = False


class _ReorganisingShard(MailboxShard):
    """One chain that may drop its newest blocks; its notes are all of its blocks."""

    @property
    def blocks(self) -> list[_Block]:
        """Those that were not dropped, oldest first."""
        return [note for note in self.notes if isinstance(note, _Block)]

    @property
    def certified(self) -> int:
        return self.blocks[-1].count if self.notes else 0

    def place(self, header: bytes) -> int | None:
        """Which of the blocks that may be dropped has this header."""
        for place, block in enumerate(self.blocks):
            if not block.final and header == self.checkpoint(block.count, signed=False).encoded():
                return place
        return None


class ReorgPeriodAdapter(HyperlaneAdapter):
    """
    Mailboxes on chains that may drop their newest blocks, with validators who sign only what is final.

    Until then a header is a checkpoint with zeros for signatures.
    """

    name: ClassVar[str] = "hyperlane:reorg-period"

    def build(self, chain: Chain) -> MailboxShard:
        return _ReorganisingShard(chain, self._noop_ism)

    def produce(self, shard: str) -> bytes | Refused:
        at = self._at(shard)
        count = len(at.tree)
        if count == at.certified:
            return Refused("nothing new in this block")
        at.notes.append(_Block(count, at.chain.snapshot()))
        return at.checkpoint(count, signed=False).encoded()

    def finalise(self, shard: str, header: bytes) -> bytes | Refused:
        at = self._at(shard)
        place = at.place(header)
        if place is None:
            return Refused("this is no block that may still be dropped")
        if place and not at.blocks[place - 1].final:
            return Refused("its parent is not final")
        block = at.blocks[place]
        at.notes[place] = evolve(block, final=True)
        return at.checkpoint(block.count).encoded()

    def revert(self, shard: str, header: bytes) -> Outcome:
        at = self._at(shard)
        place = at.place(header)
        if place is None:
            return Refused("this is no block that may still be dropped")
        if place:
            at.chain.restore(at.blocks[place - 1].moment)
        else:
            at.chain.reset()
        del at.notes[place:]
        return ACCEPTED

    def _at(self, shard: str) -> _ReorganisingShard:
        at = self.shards[shard]
        assert isinstance(at, _ReorganisingShard), "it was built here"
        return at


VARIANTS: Final[Mapping[str, type[HyperlaneAdapter]]] = {
    "": HyperlaneAdapter,
    "noop-ism": NoopIsmAdapter,
    "reorg-period": ReorgPeriodAdapter,
    "anvil": AnvilAdapter,
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
