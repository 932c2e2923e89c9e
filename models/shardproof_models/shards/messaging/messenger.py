"""
A shard whose receipts may fail, and what the layers above need of it: `shards/shard.py`, grown up.

Read `deliver` first; it has the clauses of `shard.py` under the same names, one method each,
and `forbids_delivery`, where layers add theirs. A layer is a class of its own file that
extends these methods, in the order in which the layers of the model extend its actions; a
stack is a class that inherits from its layers (`families.py`).

Everything a shard keeps is in `tables.py`, or is computed from there. So what a callback
that fails, a block that is dropped, or a restart does to it is said here, once, for all
layers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from hashlib import sha256
from typing import Any, ClassVar, Self

from attrs import frozen

from ..commitment import InclusionProof
from ..encoding import HASH_BYTES, MalformedError, Reader, blob, number
from ..header import GENESIS
from .attesting_header import AttestingHeader
from .environment import Environment
from .facts import Facts
from .message import FullReceipt, Sending
from .refusals import Refusal
from .sum_tree import SumProof, SumTree
from .tables import Table, Tables

_KIND = b"K"


@frozen
class Claim:
    """What a relayer presents, once it could be read: this receipt, as that leaf, under this header."""

    receipt: FullReceipt
    leaf: bytes
    header: AttestingHeader
    evidence: bytes


@frozen
class Kept:
    """What a shard writes down before it stops, and reads when it starts again."""

    view: int
    branch: tuple[bytes, ...]
    #: How much was recorded when each block of the branch was produced.
    recorded: tuple[int, ...]
    #: How much was written at the last final block, and at each later one.
    moments: tuple[int, ...]
    tables: bytes

    def encode(self) -> bytes:
        """The one encoding of all of it."""
        return b"".join(
            (
                _KIND,
                number(self.view),
                number(len(self.branch)),
                *self.branch,
                *map(number, self.recorded),
                number(len(self.moments)),
                *map(number, self.moments),
                blob(self.tables),
            )
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """What `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        view, height = reader.number(), reader.number()
        kept = cls(
            view,
            tuple(reader.fixed(HASH_BYTES) for _ in range(height)),
            tuple(reader.number() for _ in range(height)),
            tuple(reader.number() for _ in range(reader.number())),
            reader.blob(),
        )
        reader.end()
        return kept


@frozen
class Savepoint:
    """A moment to which a shard can return in the middle of what it does."""

    written: int
    facts: Facts


class Messenger:
    """A chain of blocks, its outgoing receipts, what it believes, and its record of what it executed."""

    tree_type: ClassVar[type[SumTree]] = SumTree

    def __init__(self, name: str, environment: Environment) -> None:
        """The shard `name`, new and empty."""
        self.name = name
        self.environment = environment
        #: What the receiving application does before it looks at what it was sent, and whether it will
        #: succeed. It may call this shard again.
        self.callback: Callable[[FullReceipt], bool] | None = None
        self.tables = Tables()
        self.facts = Facts()
        self.load(Kept(0, (), (), (0,), Tables().encode(())))
        self.set_up()
        self._moments = deque([self.tables.written])

    def set_up(self) -> None:
        """What is so from the beginning, and no reorganisation takes back."""

    # ---- as a source ----------------------------------------------------------------------

    def send(self, sending: Sending) -> bytes | Refusal:
        """A user sends something; returns the receipt."""
        if not sending.is_writable():
            return Refusal.UNWRITABLE
        refusal = self.forbids_sending(sending)
        return self.post(self.composed(sending), sending) if refusal is None else refusal

    def forbids_sending(self, sending: Sending) -> Refusal | None:
        """What speaks against sending it."""
        return None

    def composed(self, sending: Sending) -> FullReceipt:
        """The receipt for what a user asks, at the next position of its channel."""
        return FullReceipt(
            self.name,
            sending.destination,
            sending.channel,
            self.next_sequence(sending.destination, sending.channel),
            sending.payload,
            sending.deadline,
            self.amount_of(sending),
            sending.asset,
            self.is_homeward(sending),
            sending.onward,
        )

    def next_sequence(self, destination: str, channel: int) -> int:
        """The position of the next receipt on a channel."""
        return self.next_send.get((destination, channel), 0)

    def amount_of(self, sending: Sending) -> int:
        """The value that the receipt will carry: what is moved, not what is claimed."""
        return sending.amount

    def is_homeward(self, sending: Sending) -> bool:
        """Whether the value comes back to where it is from."""
        return False

    def post(self, receipt: FullReceipt, sending: Sending) -> bytes:
        """Commit to `receipt`; returns its encoding."""
        data = receipt.encode()
        self.next_send[receipt.destination, receipt.channel] = receipt.sequence + 1
        self.position[data] = len(self.outgoing)
        self.outgoing.append(data)
        self.tree.append(data)
        return data

    def produce(self) -> bytes:
        """Seal a block on the head of the branch, over all receipts so far; returns its header."""
        header = self.sealed()
        self._branch.append(header.hash)
        self._recorded.append(len(self.records))
        self._sealed.append(self.facts)
        self._moments.append(self.tables.written)
        return header.encode()

    def sealed(self) -> AttestingHeader:
        """The header of a block that is on top of the newest one."""
        return AttestingHeader(
            shard=self.name,
            height=len(self._branch) + 1,
            view=self._view,
            parent=self._branch[-1] if self._branch else GENESIS,
            leaf_count=len(self.outgoing),
            receipts_root=self.tree.root(len(self.outgoing)),
            time=self.attested_time(),
            facts_root=self.facts.root,
            epoch=self.environment.epochs[self.name],
            next_validators=self.announced_validators(),
        )

    def attested_time(self) -> int:
        """The clock that a header attests; 0 where there is none."""
        return 0

    def announced_validators(self) -> bytes:
        """The next validators, as a header announces them; nobody where there are none."""
        return bytes(HASH_BYTES)

    def finalise(self, header: bytes) -> bytes | Refusal:
        """Consensus decides that a block stays; returns its header as it is shown from now on."""
        block = self._on_branch(header)
        if block is None:
            return Refusal.NOT_PRODUCED
        if block.height <= self._final_height:
            return Refusal.ALREADY_FINAL
        if block.height > self._final_height + 1:
            return Refusal.PARENT_NOT_FINAL
        self._moments.popleft()
        self.tables.forget(self._moments[0])
        self.environment.decided.add(block.hash)
        return self.certified(block).encode()

    def certified(self, block: AttestingHeader) -> AttestingHeader:
        """A final block, with what convinces others that it is."""
        return block

    def revert(self, header: bytes) -> Refusal | None:
        """Consensus drops a block and all after it: everything is again as when its parent was produced."""
        block = self._on_branch(header)
        if block is None:
            return Refusal.NOT_PRODUCED
        if block.height <= self._final_height:
            return Refusal.ALREADY_FINAL
        while len(self._branch) >= block.height:
            self._branch.pop()
            self._recorded.pop()
            self._sealed.pop()
            self._moments.pop()
        self._view += 1
        self.rewind(Savepoint(self._moments[-1], self._sealed[-1] if self._sealed else Facts()))
        return None

    def prove(self, receipt: bytes, header: bytes) -> bytes | None:
        """Evidence that a block of the branch commits to `receipt`; None if it does not."""
        block = self._on_branch(header)
        index = self.position.get(receipt)
        if block is None or index is None or index >= block.leaf_count:
            return None
        return SumProof(index, block.leaf_count, self.tree.path(index, block.leaf_count)).encode()

    # ---- as a destination -----------------------------------------------------------------

    def learn(self, header: bytes) -> Refusal | None:
        """A relayer shows a header of any shard."""
        claimed = self.read_header(header)
        if claimed is None:
            return Refusal.MALFORMED
        refusal = self.doubts_header(claimed)
        if refusal is None and claimed.hash not in self.learned:
            self.learned[claimed.hash] = True
        return refusal

    def doubts_header(self, header: AttestingHeader) -> Refusal | None:
        """What speaks against believing a header: everything, unless a layer says who may be believed."""
        return Refusal.UNTRUSTED_HEADER

    def deliver(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        """A relayer presents a receipt. Any bytes are allowed; None if it was executed, or failed."""
        claim = self.admitted(receipt, header, evidence)
        if isinstance(claim, Refusal):
            return claim
        late = self.forbids_delivery(claim.receipt)
        if late is not None:
            return late
        self.consume(self.key(claim), claim.receipt)
        return None

    def admitted(self, receipt: bytes, header: bytes, evidence: bytes) -> Claim | Refusal:
        """A receipt that its source has sent to this shard, and that is not dealt with yet."""
        # The order is observable. Told CONSUMED for a forged proof, a relayer would believe
        # that its receipt had been executed, and stop trying.
        trusted = self.trusted(header)
        if trusted is None:
            return Refusal.UNTRUSTED_HEADER
        claim = self.claim(receipt, trusted, evidence)
        if claim is None:
            return Refusal.UNPROVEN
        doubt = self.doubt(claim)
        if doubt is not None:
            return doubt
        if not self.is_addressee(claim.receipt):
            return Refusal.WRONG_DESTINATION
        return Refusal.CONSUMED if self.is_consumed(self.key(claim), claim.receipt) else claim

    def trusted(self, header: bytes) -> AttestingHeader | None:
        """The header that these bytes are, if it was learned."""
        claimed = self.read_header(header)
        return claimed if claimed is not None and claimed.hash in self.learned else None

    def read_header(self, header: bytes) -> AttestingHeader | None:
        """The header that these bytes are."""
        try:
            return AttestingHeader.decode(header)
        except MalformedError:
            return None

    def claim(self, receipt: bytes, header: AttestingHeader, evidence: bytes) -> Claim | None:
        """What is claimed, if the receipt can be read."""
        read = self.read_receipt(receipt)
        return None if read is None else Claim(read, receipt, header, evidence)

    def read_receipt(self, receipt: bytes) -> FullReceipt | None:
        """The receipt that these bytes are."""
        try:
            return FullReceipt.decode(receipt)
        except MalformedError:
            return None

    def doubt(self, claim: Claim) -> Refusal | None:
        """What speaks against the claim that its source has sent this receipt."""
        if claim.receipt.source != claim.header.shard:
            return Refusal.WRONG_SOURCE
        return None if self.proves(claim) else Refusal.UNPROVEN

    def proves(self, claim: Claim) -> bool:
        """Whether the evidence shows that the header commits to the leaf."""
        try:
            proof = self.read_proof(claim.evidence)
        except MalformedError:
            return False
        header = claim.header
        return self.tree_type.verify(claim.leaf, proof, header.leaf_count, header.receipts_root)

    def read_proof(self, evidence: bytes) -> InclusionProof:
        """The proof that these bytes are. Raises `MalformedError`."""
        return SumProof.decode(evidence)

    def is_addressee(self, receipt: FullReceipt) -> bool:
        """Whether `receipt` is meant for this shard."""
        return receipt.destination == self.name

    def key(self, claim: Claim) -> bytes:
        """What the receipt is recorded under: a function of the receipt alone, never of how it came."""
        return claim.receipt.key

    def is_consumed(self, key: bytes, receipt: FullReceipt) -> bool:
        """Whether the receipt with this key was dealt with before."""
        return key in self.consumed

    def forbids_delivery(self, receipt: FullReceipt) -> Refusal | None:
        """What speaks against executing a receipt that is proved, and new."""
        return None

    def consume(self, key: bytes, receipt: FullReceipt) -> None:
        """Record, then execute: whatever the callback does, this receipt is spent (GHSA-j496-crgh-34mx)."""
        self.record(key, receipt)
        self.call_back(receipt)

    def record(self, key: bytes, receipt: FullReceipt) -> None:
        """From now on the receipt is dealt with."""
        self.consumed[key] = True

    def call_back(self, receipt: FullReceipt) -> None:
        """Let the receipt take effect, wholly or not at all."""
        before = self.savepoint()
        succeeds = self.callback is None or self.callback(receipt)
        succeeds = self.execute(receipt) and succeeds
        if not succeeds:
            self.roll_back(before)
        self.conclude(receipt, succeeded=succeeds)

    def execute(self, receipt: FullReceipt) -> bool:
        """The receiving application does what the receipt says, and tells the world; whether it could."""
        self.executed.append((receipt.payload, self.sender(receipt)))
        self.announced.append(receipt.payload)
        return True

    def sender(self, receipt: FullReceipt) -> str:
        """In whose name the application takes itself to act."""
        return receipt.source

    def conclude(self, receipt: FullReceipt, *, succeeded: bool) -> None:
        """The callback has returned, or failed."""

    # ---- what is recorded -----------------------------------------------------------------

    def attest(self, key: bytes, fact: bytes) -> None:
        """From its next block on, this shard's headers prove `fact` under `key`."""
        self.records.append((key, fact))
        self.facts = self.facts.recording(key, fact)

    def facts_of(self, header: bytes) -> Facts | None:
        """What a block of the branch attests."""
        block = self._on_branch(header)
        return None if block is None else self._sealed[block.height - 1]

    # ---- going back -----------------------------------------------------------------------

    def savepoint(self) -> Savepoint:
        """The present moment."""
        return Savepoint(self.tables.written, self.facts)

    def roll_back(self, before: Savepoint) -> None:
        """The callback failed: nothing that it did has happened (GO-2024-2874)."""
        self.rewind(before)

    def rewind(self, before: Savepoint) -> None:
        """Everything is again as it was. Records and effects together, or one of them tells a lie."""
        self.tables.undo(before.written)
        self.tree.truncate(len(self.outgoing))
        self.facts = before.facts

    # ---- stopping and starting ------------------------------------------------------------

    def restart(self) -> None:
        """Stop, and start again from what was written down."""
        self.load(Kept.decode(self.kept().encode()))

    def kept(self) -> Kept:
        """Everything that has to survive a restart."""
        return Kept(
            self._view,
            tuple(self._branch),
            tuple(self._recorded),
            tuple(self._moments),
            self.tables.encode(self.kept_tables()),
        )

    def kept_tables(self) -> tuple[Table[Any, Any], ...]:
        """The tables that are written down: all."""
        return self.tables.all()

    def load(self, kept: Kept) -> None:
        """Become the shard that wrote `kept` down."""
        self._view = kept.view
        self._branch = list(kept.branch)
        self._recorded = list(kept.recorded)
        # One for each block that is not final, after one for the last that is (or for the start).
        self._moments = deque(kept.moments)
        self.tables = Tables.decode(kept.tables)
        self.name_tables()
        self.tree = self.tree_type()
        for data in self.outgoing.since(0):
            self.tree.append(data)
        self._sealed: list[Facts] = []
        self.facts = Facts()
        for number_of_records, (key, fact) in enumerate(self.records.since(0)):
            self._seal_until(number_of_records)
            self.facts = self.facts.recording(key, fact)
        self._seal_until(len(self.records))

    def name_tables(self) -> None:
        """Give the tables the names under which the code knows them."""
        table = self.tables.table
        self.registers: Table[str, int] = table("registers")
        self.next_send: Table[tuple[str, int], int] = table("next send")
        self.outgoing: Table[int, bytes] = table("outgoing")
        self.position: Table[bytes, int] = table("position")
        self.learned: Table[bytes, bool] = table("learned")
        self.consumed: Table[bytes, bool] = table("consumed")
        self.executed: Table[int, tuple[bytes, str]] = table("executed")
        self.announced: Table[int, bytes] = table("announced")
        self.records: Table[int, tuple[bytes, bytes]] = table("records")

    def state_root(self) -> bytes:
        """A digest of all that this shard keeps."""
        return sha256(self.kept().encode()).digest()

    def _seal_until(self, recorded: int) -> None:
        """Remember what the blocks attest that were produced before there were more records than that."""
        while len(self._sealed) < len(self._branch) and self._recorded[len(self._sealed)] <= recorded:
            self._sealed.append(self.facts)

    # ---- the branch -----------------------------------------------------------------------

    @property
    def _final_height(self) -> int:
        return len(self._branch) - len(self._moments) + 1

    def _on_branch(self, header: bytes) -> AttestingHeader | None:
        claimed = self.read_header(header)
        if claimed is None or claimed.height > len(self._branch):
            return None
        return claimed if claimed.hash == self._branch[claimed.height - 1] else None
