"""
What a run knows: the system, the model's world, and which slots and numbers stand for what.

A receipt has a number, by which traces speak of it, and a slot, which is its place in the
model's world for as long as it is kept in mind. A header likewise. Nothing is decided here;
what a divergence is, `lockstep.py` says, and what a long run forgets, `forget.py`.
"""

from __future__ import annotations

from attrs import define, field

from .adapter import Adapter, Refused, Topology
from .adversary import SPLICE
from .moves import NULL, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Proof, Restart, Revert
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
    #: Light clients that accepted a damaged copy of a final header: nobody knows whether they know it.
    doubtful: set[tuple[int, int]] = field(init=False, factory=set)
    #: How often the system declined what the environment may always do.
    declined: dict[str, int] = field(init=False, factory=dict)
    free_receipts: list[int] = field(init=False)
    free_headers: list[int] = field(init=False)
    #: The highest number of a receipt that was emitted.
    newest: int = field(init=False, default=-1)

    def __attrs_post_init__(self) -> None:
        self.system = System(self.adapter)
        self.able = self.system.able
        self.reset()

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        if token is not None:
            self.system.call("restore", token)
        else:
            self.system.call("open", self.topology)
        oracle = self.oracle
        self.world = oracle.generated.copy(oracle.start)
        count = len(self.topology.shards)
        for known in (self.receipts, self.headers, self.payloads, self.proofs, self.doubtful, self.declined):
            known.clear()
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
            case Deliver(d, r, h, evidence, damage, again):
                if again and "reenter" not in self.able:
                    return False
                if isinstance(r, Forged):
                    if "forge" not in self.able:
                        return False
                elif r not in self.receipts:
                    return False
                if damage is not None and damage.kind == SPLICE and damage.number not in self.receipts:
                    return False
                if evidence is not None and not (
                    evidence.receipt in self.receipts and evidence.header in self.headers
                ):
                    return False
                return h == NULL or h in self.headers
            case Emit(r, s, d):
                return r not in self.receipts and s != d and bool(self.free_receipts)
            case Learn(_, h, _):
                return "learn" in self.able and (h == NULL or h in self.headers)
            case Produce(h, _):
                return h not in self.headers and bool(self.free_headers)
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
            case Restart(_):
                return "restart" in self.able
        return False

    def commits(self, block: Block, sent: Sent) -> bool:
        """Whether a header of its source covers a receipt."""
        if block.shard != sent.source:
            return False
        return bool(self.world[self.oracle.commits][block.slot] >> sent.slot & 1)

    def trusts(self, shard: int, block: Block) -> bool:
        """Whether a shard takes a header as a root of proof."""
        return self.refuses("deliver", shard, FORGED, block.slot) != 1

    def refuses(self, action: str, *args: int) -> int:
        """0 if the model would accept, else the number of the clause that refuses."""
        return self.oracle.generated.refusal[action](self.world, *args)

    def home(self, move: Move) -> int:
        """The shard at which a move happens."""
        match move:
            case Emit(_, s, _) | Produce(_, s) | Restart(s) | Learn(s, _, _) | Deliver(s, _, _, _, _, _):
                return s
            case Finalise(h) | Revert(h):
                return self.headers[h].shard

    def header_of(self, data: bytes) -> Block | None:
        """The block whose header these bytes are, if they are one."""
        return next((b for b in self.headers.values() if b.data == data), None)
