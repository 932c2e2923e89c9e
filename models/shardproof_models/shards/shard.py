"""
One shard: it emits, seals blocks, learns of other shards, and executes what they say once.

Read `deliver` first. Each of its clauses is a method, because each has been forgotten by
somebody; the corpus of mistakes forgets them again, one at a time.

Everything a shard remembers only grows, so its state at an earlier block is four numbers:
how much there was of each kind. Reverting cuts everything back to those numbers in one
step, also what happened since the last block. The numbers of a block are dropped once it
is final and has a final child, so nothing is kept in order to undo what cannot be undone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from hashlib import sha256
from typing import ClassVar

from attrs import frozen

from .commitment import InclusionProof, Tree
from .durable import DurableState, Extent
from .encoding import MalformedError
from .header import GENESIS, Header
from .light_client import LightClient
from .outgoing import OutgoingReceipts
from .receipt import Receipt


class Refusal(Enum):
    """Why a shard did not do what it was asked to."""

    UNTRUSTED_HEADER = "untrusted header"
    WRONG_SOURCE = "wrong source"
    UNPROVEN = "unproven"
    WRONG_DESTINATION = "wrong destination"
    CONSUMED = "consumed"
    NOT_PRODUCED = "not produced"
    ALREADY_FINAL = "already final"
    PARENT_NOT_FINAL = "parent not final"


@frozen
class Claim:
    """What a relayer presents, once it could be read: this receipt, as that leaf, under this header."""

    receipt: Receipt
    leaf: bytes
    header: Header
    evidence: bytes


class Shard:
    """A chain of blocks, its outgoing receipts, its light client, and its record of what it executed."""

    tree_type: ClassVar[type[Tree]] = Tree
    light_client_type: ClassVar[type[LightClient]] = LightClient

    def __init__(self, name: str, keys: Mapping[str, bytes]) -> None:
        """The shard `name`, new and empty; `keys` are those of the consensus of every shard, this one too."""
        self.name = name
        self._keys = keys
        #: What the receiving application does in its callback. It may call this shard again.
        self.callback: Callable[[Receipt], object] | None = None
        self.load(DurableState())

    # ---- as a source ----------------------------------------------------------------------

    def emit(self, destination: str, payload: bytes) -> bytes:
        """A user sends `payload` to `destination`; returns the receipt."""
        nonce = self.outgoing.next_nonce(destination)
        return self.outgoing.append(Receipt(self.name, destination, nonce, payload))

    def produce(self) -> bytes:
        """Seal a block on the head of the branch, over all receipts so far; returns its header."""
        header = Header(
            self.name,
            len(self._branch) + 1,
            self._view,
            self._branch[-1] if self._branch else GENESIS,
            len(self.outgoing),
            self.outgoing.root(),
        )
        self._branch.append(header.hash())
        self._extents.append(
            Extent(len(self.outgoing), len(self.light_client), len(self.consumed), len(self.executed))
        )
        return header.encode()

    def finalise(self, header: bytes) -> bytes | Refusal:
        """Consensus decides that a block stays; returns its header with the certificate."""
        block = self._on_branch(header)
        if block is None:
            return Refusal.NOT_PRODUCED
        if block.height <= self._final_height:
            return Refusal.ALREADY_FINAL
        if block.height > self._final_height + 1:
            return Refusal.PARENT_NOT_FINAL
        self._extents.popleft()
        return block.certify(self._keys[self.name]).encode()

    def revert(self, header: bytes) -> Refusal | None:
        """Consensus drops a block and all after it: everything is again as when its parent was produced."""
        block = self._on_branch(header)
        if block is None:
            return Refusal.NOT_PRODUCED
        if block.height <= self._final_height:
            return Refusal.ALREADY_FINAL
        while len(self._branch) >= block.height:
            self._branch.pop()
            self._extents.pop()
        self._view += 1
        self.rewind(self._extents[-1])
        return None

    def rewind(self, extent: Extent) -> None:
        """Cut everything back to `extent`. Records and effects together, or one of them tells a lie."""
        self.outgoing.truncate(extent.outgoing)
        self.light_client.truncate(extent.learned)
        while len(self.consumed) > extent.consumed:
            self.consumed.popitem()
        del self.executed[extent.executed :]

    def prove(self, receipt: bytes, header: bytes) -> bytes | None:
        """Evidence that a block of the branch commits to `receipt`; None if it does not."""
        block = self._on_branch(header)
        proof = None if block is None else self.outgoing.prove(receipt, block.leaf_count)
        return None if proof is None else proof.encode()

    # ---- as a destination -----------------------------------------------------------------

    def learn(self, header: bytes) -> Refusal | None:
        """A relayer shows a header of any shard."""
        return None if self.light_client.learn(header) else Refusal.UNTRUSTED_HEADER

    def deliver(self, receipt: bytes, header: bytes, evidence: bytes) -> Refusal | None:
        """A relayer presents a receipt. Any bytes are allowed; None if it was executed."""
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
        key = self.key(claim)
        if self.is_consumed(key):
            return Refusal.CONSUMED
        self.consume(key, claim.receipt)
        return None

    def trusted(self, header: bytes) -> Header | None:
        """The header that these bytes are, if the light client has learned it."""
        try:
            claimed = Header.decode(header)
        except MalformedError:
            return None
        return claimed if self.light_client.trusts(claimed) else None

    def claim(self, receipt: bytes, header: Header, evidence: bytes) -> Claim | None:
        """What is claimed, if the receipt can be read."""
        try:
            return Claim(Receipt.decode(receipt), receipt, header, evidence)
        except MalformedError:
            return None

    def doubt(self, claim: Claim) -> Refusal | None:
        """What speaks against the claim that its source has emitted this receipt."""
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
        return InclusionProof.decode(evidence)

    def is_addressee(self, receipt: Receipt) -> bool:
        """Whether `receipt` is meant for this shard."""
        return receipt.destination == self.name

    def key(self, claim: Claim) -> bytes:
        """What the receipt is recorded under: a function of the receipt alone, never of how it came."""
        return sha256(claim.leaf).digest()

    def is_consumed(self, key: bytes) -> bool:
        """Whether the receipt with this key was executed before."""
        return key in self.consumed

    def consume(self, key: bytes, receipt: Receipt) -> None:
        """Record, then execute: whatever the callback does, this receipt is spent (GHSA-j496-crgh-34mx)."""
        self.consumed[key] = None
        self.execute(receipt)

    def execute(self, receipt: Receipt) -> None:
        """Let the receipt take effect."""
        self.executed.append(receipt)
        if self.callback is not None:
            self.callback(receipt)

    # ---- stopping and starting ------------------------------------------------------------

    def restart(self) -> None:
        """Stop, and start again from what was written down."""
        self.load(DurableState.decode(self.durable().encode()))

    def durable(self) -> DurableState:
        """Everything that has to survive a restart."""
        return DurableState(
            self._view,
            tuple(self._branch),
            tuple(self._extents),
            tuple(self.outgoing.encoded),
            tuple(header.encode() for header in self.light_client.learned),
            tuple(self.consumed),
            tuple(receipt.encode() for receipt in self.executed),
        )

    def load(self, state: DurableState) -> None:
        """Become the shard that wrote `state` down."""
        self._view = state.view
        self._branch = list(state.branch)
        # One for each block that is not final, after one for the last that is (or for the start).
        self._extents = deque(state.extents)
        self.outgoing = OutgoingReceipts(self.tree_type())
        for data in state.outgoing:
            self.outgoing.append(Receipt.decode(data))
        self.light_client = self.light_client_type(self._keys)
        for data in state.learned:
            self.light_client.remember(Header.decode(data))
        # An ordered set, the oldest record first.
        self.consumed: dict[bytes, None] = dict.fromkeys(state.consumed)
        self.executed = [Receipt.decode(data) for data in state.executed]

    # ---- the branch -----------------------------------------------------------------------

    @property
    def _final_height(self) -> int:
        return len(self._branch) - len(self._extents) + 1

    def _on_branch(self, header: bytes) -> Header | None:
        try:
            claimed = Header.decode(header)
        except MalformedError:
            return None
        if claimed.height > len(self._branch) or claimed.hash() != self._branch[claimed.height - 1]:
            return None
        return claimed
