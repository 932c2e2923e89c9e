"""
What an adversary tries at each place of a tour.

To the model all of it is the same: refused, and nothing changes, so none of it is a transition. It
comes in two sorts. What the model itself refuses (a second delivery, one that is too early, to the
wrong shard, under the wrong header) is tried at every world, each instance once. What only bytes can
show (damage of each kind, evidence of another receipt, a receipt that nobody emitted, a presentation
from inside a callback) is tried once for each sort of place: an attempt, what the model says of it,
what the header commits to and what the destination has consumed. Each time at another bit, so that a
tour that meets many places damages many bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import define, field

from ..adversary import BLIND, INFORMED, INNER_NODE, MULTIPROOF, SPLICE, Damage
from ..lockstep import Lockstep
from ..moves import NULL, Act, Deliver, Forged, Learn, Move, Proof
from ..multiproofs import REBUILT, SHAPES

#: How many places are damaged at a time, where one in many decides.
REPEATED: Mapping[str, int] = {
    "flip": 6,
    "malleate": 4,
    "recounted": 4,
    "reweighted": 8,
    "zero": 2,
    "swap": 2,
}

#: Steps between the bits that are flipped; prime to all lengths that bytes have.
STRIDE = 61

#: Parts of a presentation that are damaged blindly.
PARTS = ("receipt", "header", "evidence")

#: What happens to a shard without being noticed.
STIRS = ("prune", "upgrade", "replicate")

#: How often power fails: after so many durable writes.
CRASHES = 4

#: How an adversary signs what he forges: see `acts.py`.
SIGNERS = 3


@define(eq=False)
class Adversary:
    """Makes variants, and counts what was tried of each kind."""

    able: frozenset[str]
    #: Kind -> how often it was made, which decides where it damages.
    _turns: dict[str, int] = field(factory=dict)
    _forged: int = 0

    def clear(self) -> None:
        """A new run: what is forged is numbered from 0 again."""
        self._forged = 0

    # ---- of an attempt ----------------------------------------------------------------------------

    def kinds(self, move: Move, others: tuple[int, ...]) -> list[str]:
        """Everything that can be done to a move; `others` are receipts that there are besides."""
        if isinstance(move, Learn):
            return [f"header {kind}" for kind in BLIND] + ["no header"]
        if not isinstance(move, Deliver | Act) or move.evidence is None:
            return []
        if isinstance(move, Deliver) and move.fails:
            # Nothing shows whether what was damaged has failed, so nobody could say what is due then.
            return []
        found = [f"{part} {kind}" for part in PARTS for kind in BLIND]
        found += ["no evidence", "no header", "another header"]
        if others:
            found += ["evidence of another", "receipt spliced", "evidence spliced"]
        if isinstance(move, Deliver) and {"dissect", "assemble"} <= self.able:
            found += [f"path {kind}" for kind in INFORMED if kind != "reweighted" or "balance" in self.able]
            if "leaf" in self.able:
                found.append(f"path {INNER_NODE}")
        if isinstance(move, Deliver) and {"dissect", "assemble_multiproof", "leaf"} <= self.able:
            found += [f"{MULTIPROOF} {kind}" for kind in REBUILT]
        if "forge" in self.able:
            found += ["forged", "forged without evidence", "forged under no header"]
        if isinstance(move, Deliver):
            found += ["from inside the callback"] if "reenter" in self.able else []
            found += ["another inside the callback"] if "nest" in self.able and others else []
        elif move.deed == "time_out" and "time_out_again" in self.able:
            found.append("from inside the callback")
        if "crash" in self.able:
            found.append("loss of power")
        return found

    def made(
        self, kind: str, move: Move, lock: Lockstep, others: tuple[int, ...]
    ) -> Iterator[tuple[Move, ...]]:
        """What is tried of a kind: moves that belong together."""
        part, _, how = kind.partition(" ")
        if part == "path" or (part in PARTS and how in BLIND):
            for _ in range(REPEATED.get(how, 1)):
                yield (self._replaced(move, damage=Damage(part, how, self._where(kind, how))),)
            return
        if part == MULTIPROOF:
            for number in range(SHAPES):
                damaged = self._replaced(move, damage=Damage(part, how, number))
                yield (damaged,)
                if "forge" in self.able:
                    assert isinstance(move, Deliver), "only what is delivered is proven so"
                    yield (self._replaced(damaged, receipt=self.forged(lock, move)),)
            return
        if isinstance(move, Learn):
            yield (move._replace(header=NULL),)
            return
        assert isinstance(move, Deliver | Act), "the others present nothing"
        match kind:
            case "no evidence":
                yield (self._replaced(move, evidence=None),)
            case "no header":
                yield (self._replaced(move, header=NULL, evidence=None),)
            case "another header":
                for h in [h for h in lock.headers if h != move.header]:
                    yield (self._replaced(move, header=h),)
            case "evidence of another":
                for r in others:
                    yield (self._replaced(move, evidence=Proof(r, _header(move))),)
            case "receipt spliced" | "evidence spliced":
                for r in others:
                    yield (self._replaced(move, damage=Damage(part, SPLICE, r)),)
            case "forged":
                yield (self._replaced(move, receipt=self.forged(lock, move)),)
            case "forged without evidence":
                yield (self._replaced(move, receipt=self.forged(lock, move), evidence=None),)
            case "forged under no header":
                yield (self._replaced(move, receipt=self.forged(lock, move), header=NULL, evidence=None),)
            case "from inside the callback":
                again = move._replace(again=True) if isinstance(move, Deliver) else None
                yield (again or self._replaced(move, deed="time_out_again"),)
            case "another inside the callback":
                for r in others:
                    for h, block in lock.headers.items():
                        if lock.commits(block, lock.receipts[r]):
                            yield (self._replaced(move, inner=Proof(r, h)),)
            case "loss of power":
                for writes in range(CRASHES):
                    yield Act("crash", move.shard, number=writes), move

    def forged(self, lock: Lockstep, move: Deliver | Act) -> Forged:
        """A receipt that nobody emitted, between the same shards."""
        assert isinstance(move.receipt, int), "what is forged replaces what is honest"
        sent = lock.receipts[move.receipt]
        self._forged += 1
        return Forged(self._forged - 1, sent.source, sent.destination)

    def _where(self, kind: str, how: str) -> int:
        turn = self._turns[kind] = self._turns.get(kind, -1) + 1
        return turn * STRIDE + 7 if how == "flip" else turn

    @staticmethod
    def _replaced(move: Move, **changes: object) -> Move:
        changed: Move = move._replace(**changes)  # type: ignore[arg-type]
        return changed

    # ---- of a world -------------------------------------------------------------------------------

    def stirs(self, lock: Lockstep) -> Iterator[tuple[str, Act]]:
        """What nobody may notice, at each shard; and what no shard may take part in."""
        living = lock.living()
        for deed in STIRS:
            if deed in self.able:
                yield from ((deed, Act(deed, s)) for s in living)
        for s in living:
            for other in lock.addresses:
                if other == s:
                    continue
                if "drain" in self.able:
                    yield "drained link", Act("drain", s, other=other)
                if "initialise" in self.able:
                    yield "second set-up", Act("initialise", s, other=other)
                if {"forge_header", "forge"} <= self.able:
                    for how in range(SIGNERS):
                        self._forged += 1
                        forged = Forged(self._forged - 1, other, s if s in lock.addresses else other)
                        yield "forged header", Act("forge_header", s, forged, number=how)


def _header(move: Deliver | Act) -> int:
    assert move.header is not None, "what is presented is presented under a header"
    return move.header
