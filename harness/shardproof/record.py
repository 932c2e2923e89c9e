"""
What a run knows: the system, the model's world, and which slots and numbers stand for what.

A receipt has a number, by which traces speak of it, and a slot, which is its place in the
model's world for as long as it is kept in mind. A header likewise. Nothing is decided here;
what a divergence is, `lockstep.py` says, and what a long run forgets, `forget.py`.
"""

from __future__ import annotations

from attrs import define, field

from shardproof_models.layers.closing import closed, ended
from shardproof_models.layers.resharding import fresh, live, owner, spoke_for
from shardproof_models.layers.sequencing import channel

from .adapter import Adapter, Ending, Refused, Topology
from .adversary import SPLICE, Damage
from .deeds import DEEDS, Decides
from .moves import (
    NULL,
    PLAIN,
    Act,
    Deliver,
    Emit,
    Finalise,
    Forged,
    Learn,
    Move,
    Produce,
    Proof,
    Restart,
    Revert,
    Terms,
)
from .oracle import FORGED, Oracle
from .readings.rows import World
from .system import System


@define(eq=False)
class Sent:
    """A receipt that was emitted, as the harness knows it."""

    number: int
    source: int
    destination: int
    data: bytes
    payload: bytes
    slot: int
    #: The shard at which it was executed, and the slot of the header that proved it.
    executed_at: int = -1
    under: int = -1
    terms: Terms = PLAIN
    #: Its callback failed where it was executed.
    failed: bool = False
    #: What its sender was told of it.
    told: Ending | None = None
    #: The receipt because of which its shard has emitted it, and the one that was emitted because of it.
    answers: Sent | None = None
    answer: Sent | None = None
    #: An answer to damaged evidence leaves open whether its destination has dealt with it.
    unsure: bool = False


@define(eq=False)
class Block:
    """A header that was produced, as the harness knows it."""

    number: int
    shard: int
    data: bytes
    slot: int
    parent: Block | None
    #: How many effects its shard had seen when it was produced.
    effects: int
    final: bool = False
    produced: bool = True
    #: What else of its shard a reorganisation goes back to; see `Observer.marks`.
    marks: object = None
    #: The term of office of the validators who sealed it.
    epoch: int = 0


@define(eq=False)
class Record:
    """A system and the model of it, opened together, and what was seen of them so far."""

    adapter: Adapter
    oracle: Oracle
    topology: Topology
    system: System = field(init=False)
    able: frozenset[str] = field(init=False)
    world: World = field(init=False)
    receipts: dict[int, Sent] = field(init=False, factory=dict)
    headers: dict[int, Block] = field(init=False, factory=dict)
    #: For each shard its blocks, oldest first.
    chains: list[list[Block]] = field(init=False)
    #: For each shard the receipts that took effect there, in order, after the first `forgotten` ones.
    effects: list[list[int]] = field(init=False)
    forgotten: list[int] = field(init=False)
    payloads: dict[bytes, int | Forged] = field(init=False, factory=dict)
    proofs: dict[Proof, bytes | Refused] = field(init=False, factory=dict)
    #: The same for evidence of other verbs than `prove`.
    attests: dict[tuple[str, Proof], bytes | Refused] = field(init=False, factory=dict)
    #: Light clients that accepted a damaged copy of a final header: nobody knows whether they know it.
    doubtful: set[tuple[int, int]] = field(init=False, factory=set)
    #: How often the system declined what the environment may always do.
    declined: dict[str, int] = field(init=False, factory=dict)
    free_receipts: list[int] = field(init=False)
    free_headers: list[int] = field(init=False)
    #: Receipts that are not forgotten, however long a run is, by number.
    kept: set[int] = field(init=False, factory=set)
    #: The highest number of a receipt that was emitted.
    newest: int = field(init=False, default=-1)
    #: Claims of headers that are not final, and that nobody has challenged yet: shard, header.
    claims: set[tuple[int, int]] = field(init=False, factory=set)
    #: Whether there is more to do than the main road.
    wide: bool = field(init=False)
    #: Whether shards may split and merge.
    sharded: bool = field(init=False)
    #: The addresses that exist from the beginning.
    addresses: range = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.system = System(self.adapter)
        self.able = self.system.able
        self.wide = bool(self.able & {*DEEDS, "send", "deliver_failing", "nest", "state_root"})
        self.sharded = "resharding" in self.oracle.layers
        self.addresses = range(len(self.topology.shards) - self.topology.reserve)
        self.reset()

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        if token is not None:
            self.system.done("restore", token)
        else:
            self.system.done("open", self.topology)
        oracle = self.oracle
        self.world = oracle.generated.copy(oracle.start)
        count = len(self.topology.shards)
        for known in (self.receipts, self.headers, self.payloads, self.proofs, self.attests, self.declined):
            known.clear()
        for doubts in (self.doubtful, self.claims, self.kept):
            doubts.clear()
        self.chains = [[] for _ in range(count)]
        self.effects = [[] for _ in range(count)]
        self.forgotten = [0] * count
        self.free_receipts = list(range(oracle.receipts - 1, FORGED, -1))
        self.free_headers = list(range(oracle.headers - 1, oracle.null, -1))
        self.newest = -1

    def effects_at(self, shard: int) -> int:
        """How many effects a shard has seen."""
        return self.forgotten[shard] + len(self.effects[shard])

    # ---- one move -------------------------------------------------------------------------------

    def possible(self, move: Move) -> bool:
        """Whether everything that `move` names is there, and the environment may do it now."""
        match move:
            case Deliver(_, r, h, evidence, damage, again, fails, inner):
                if again and "reenter" not in self.able:
                    return False
                if fails and "deliver_failing" not in self.able:
                    return False
                if inner and ("nest" not in self.able or not self._provable(inner)):
                    return False
                return self._presentable(r, h, evidence, damage)
            case Act():
                return move.deed in self.able and self._may_act(move)
            case Emit(r, s, d, terms):
                if r in self.receipts or s == d or not self.free_receipts:
                    return False
                return terms is None or self._may_send(s, d, terms)
            case Learn(_, h, _):
                return "learn" in self.able and (h == NULL or h in self.headers)
            case Produce(h, s):
                return h not in self.headers and bool(self.free_headers) and self.lives(s)
            case Finalise(h):
                return (
                    "finalise" in self.able
                    and h in self.headers
                    and not self.refuses("finalise", self.headers[h].slot)
                )
            case Revert(h):
                return (
                    "revert" in self.able
                    and h in self.headers
                    and not self.refuses("revert", self.headers[h].slot)
                )
            case Restart(s):
                return "restart" in self.able and self.lives(s)
        return False

    def _provable(self, evidence: Proof) -> bool:
        return evidence.receipt in self.receipts and evidence.header in self.headers

    def _presentable(self, r: int | Forged, h: int, evidence: Proof | None, damage: Damage | None) -> bool:
        """Whether what a relayer would present is there."""
        if isinstance(r, Forged):
            if "forge" not in self.able:
                return False
        elif r not in self.receipts:
            return False
        if damage is not None and damage.kind == SPLICE and damage.number not in self.receipts:
            return False
        if evidence is not None and not self._provable(evidence):
            return False
        return h == NULL or h in self.headers

    def _may_send(self, s: int, d: int, terms: Terms) -> bool:
        if "send" not in self.able or s not in self.addresses or d not in self.addresses:
            return False
        if terms.takeover and self.takeover() in self.payloads:
            return False
        over = self.oracle.channel_of(s, d, terms.channel)
        return not self.oracle.read(self.world, ended, over)

    def takeover(self) -> bytes:
        """The payload of a receipt that asks for the keys of a shard."""
        return self.system.plain("takeover")

    def _may_act(self, move: Act) -> bool:
        deed = DEEDS[move.deed]
        if deed.evidence not in ("", "prove") and deed.evidence not in self.able:
            return False
        if move.deed == "forge_header":
            return isinstance(move.receipt, Forged) and "forge" in self.able
        if move.receipt is not None:
            header = NULL if move.header is None else move.header
            if not self._presentable(move.receipt, header, move.evidence, move.damage):
                return False
        elif move.header is not None and move.header not in self.headers:
            return False
        if deed.action and deed.action not in self.oracle.generated.refusal:
            return False
        if deed.decides is not Decides.ENVIRONMENT:
            return True
        if move.deed == "advance_clock":
            # The one assumption of optimistic verification: somebody objects before time goes on.
            return self.lives(move.shard) and not any(d == move.shard for d, _ in self.claims)
        return not self.refuses(deed.action, *self.taken_with(move, FORGED, self.oracle.null))

    def taken_with(self, move: Act, slot: int, header: int) -> tuple[int, ...]:
        """What the action of the protocol that `move` attempts is taken with."""
        given = {
            "shard": move.shard,
            "receipt": slot,
            "header": header,
            "other": move.other,
            "another": move.another,
            "channel": self.oracle.channel_of(move.other or 0, move.shard, move.number or 0),
        }
        return tuple(given[name] for name in DEEDS[move.deed].takes)  # type: ignore[misc]

    # ---- who answers for what ---------------------------------------------------------------------

    def owner(self, address: int) -> int:
        """The shard that answers for an address."""
        return self.oracle.read(self.world, owner, address) if self.sharded else address

    def held_by(self, shard: int) -> list[int]:
        """The addresses that a shard answers for."""
        if not self.sharded:
            return [shard] if shard in self.addresses else []
        return [a for a in self.addresses if self.owner(a) == shard]

    def lives(self, shard: int) -> bool:
        """Whether a shard takes part."""
        return not self.sharded or bool(self.oracle.read(self.world, live, shard))

    def emitted(self, sent: Sent) -> bool:
        """Whether a receipt is emitted on the branch of its source as it is now."""
        return bool(self.world[self.oracle.emitted][0] >> sent.slot & 1)

    def living(self) -> list[int]:
        """The shards that take part."""
        return [s for s in range(len(self.topology.shards)) if self.lives(s)]

    def untouched(self, shard: int) -> bool:
        """Whether a shard has never taken part."""
        return bool(self.oracle.read(self.world, fresh, shard))

    def speaks(self, block: Block, address: int) -> bool:
        """Whether a block is of the shard that answered for an address when it was produced."""
        if not self.sharded:
            return block.shard == address
        return bool(self.oracle.read(self.world, spoke_for, block.slot, address))

    def shut(self, sent: Sent) -> bool:
        """Whether nothing more is delivered on the channel of a receipt."""
        return bool(self.oracle.read(self.world, closed, self.oracle.rigid(channel, sent.slot)))

    def commits(self, block: Block, sent: Sent) -> bool:
        """Whether a header of its source covers a receipt."""
        if not self.speaks(block, sent.source):
            return False
        return bool(self.world[self.oracle.commits][block.slot] >> sent.slot & 1)

    def trusts(self, shard: int, block: Block) -> bool:
        """Whether a shard takes a header as a root of proof."""
        return self.refuses("deliver", shard, FORGED, block.slot, *self.oracle.returned) != 1

    def refuses(self, action: str, *args: int) -> int:
        """0 if the model would accept, else the number of the clause that refuses."""
        return self.oracle.generated.refusal[action](self.world, *args)

    def home(self, move: Move) -> int:
        """The shard at which a move happens."""
        match move:
            case Emit(_, s):
                return self.owner(s)
            case Produce(_, s) | Restart(s) | Learn(s) | Deliver(s):
                return s
            case Act():
                return self.owner(move.shard) if move.deed == "drain" else move.shard
            case Finalise(h) | Revert(h):
                return self.headers[h].shard

    def header_of(self, data: bytes) -> Block | None:
        """The block whose header these bytes are, if they are one."""
        return next((b for b in self.headers.values() if b.data == data), None)
