"""
Model and system side by side, to the first divergence.

The model is an oracle for whether an attempt may be accepted; the system's answer is a
claim, and what it executed is the fact. Every receipt carries a payload of its own, so an
effect names its receipt whatever the system says. Three rules decide:

* A receipt that is not committed must not be executed.
* A receipt that is committed, shown with damaged or foreign evidence, may be executed, once.
* A receipt that is due, shown with honest evidence, must be executed.

When the system does what the model refuses, the model is forced to follow, and the safety
properties judge the world that comes of it: so a finding has the name of the sentence that
is broken. While model and system agree no property is evaluated, because that the model's
own steps keep them all is what the prover shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import define, field, frozen

from shardproof_models.layers.exactly_once import Header, Receipt, Shard, destination, origin, source

from .adapter import ACCEPTED, Delivery, Outcome, Refused
from .adversary import Presented, damaged
from .forget import forget
from .moves import Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Restart, Revert
from .oracle import FORGED
from .presented import presented
from .record import Block, Record, Sent
from .verdict import Kind


@frozen
class Wrong:
    """The first divergence of a run."""

    kind: Kind
    id: str
    property: str
    because: str
    expected: str
    actual: str
    clause: str = ""
    differs: str = ""
    also: tuple[str, ...] = ()


@define(eq=False)
class Lockstep(Record):
    """One run, judged move by move."""

    #: What became of the last move: the model's clause (0 accepted), and the system's claim.
    clause: int = field(init=False, default=0)
    claim: Outcome = field(init=False, default=ACCEPTED)
    happened: tuple[str, ...] = field(init=False, default=())
    #: How many effects the last move, a reorganisation, took back.
    taken_back: int = field(init=False, default=0)
    #: The shard that was last looked at without having been asked for anything.
    watched: int = field(init=False, default=0)
    #: The header of the last delivery: effects that show elsewhere are taken to be evidence's doing.
    offered: int = field(init=False, default=0)

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        super().reset(token)
        self.watched, self.offered = 0, self.oracle.null

    def run(self, move: Move) -> Wrong | None:
        """Take a move that is `possible`; `None` unless model and system part ways."""
        self.happened = ()
        self.taken_back = 0
        self.clause = 0
        self.claim = ACCEPTED
        wrong = self._take(move)
        if wrong is None and (len(self.free_receipts) < 2 or len(self.free_headers) < 2):
            forget(self)
        return wrong

    def _take(self, move: Move) -> Wrong | None:
        match move:
            case Deliver():
                return self._deliver(move) or self._watch()
            case Learn():
                return self._learn(move)
            case Emit():
                self._emit(move)
            case Produce():
                self._produce(move)
            case Finalise():
                self._finalise(move)
            case Revert():
                return self._revert(move)
            case Restart(s):
                self.system.call("restart", self.topology.shards[s])
                return self._sweep(s)
        return None

    def _decline(self, verb: str, answer: Refused) -> None:
        self.claim = answer
        self.declined[verb] = self.declined.get(verb, 0) + 1

    def _emit(self, move: Emit) -> None:
        number, s, d = move
        payload = b"r%d" % number
        names = self.topology.shards
        data = self.system.data("emit", names[s], names[d], payload)
        if isinstance(data, Refused):
            self._decline("emit", data)
            return
        slot = self.free_receipts.pop()
        self._describe(slot, s, d)
        self.oracle.generated.apply["emit"](self.world, slot)
        self.newest = max(self.newest, number)
        self.receipts[number] = Sent(number, s, d, data, payload, slot)
        self.payloads[payload] = number

    def _describe(self, slot: int, s: int, d: int) -> None:
        set_rigid = self.oracle.generated.set_rigid
        set_rigid(source, slot, s)
        set_rigid(destination, slot, d)

    def _produce(self, move: Produce) -> None:
        number, s = move
        data = self.system.data("produce", self.topology.shards[s])
        if isinstance(data, Refused):
            self._decline("produce", data)
            return
        slot = self.free_headers.pop()
        self.oracle.generated.set_rigid(origin, slot, s)
        self.oracle.generated.apply["produce"](self.world, slot)
        # The model lets a block say anything in the name of other shards, which no shard believes.
        # Receipts that are yet to be emitted must not be found in it later, when they have a source.
        rows = self.world[self.oracle.commits]
        rows[slot] &= self.world[self.oracle.emitted][0]
        chain = self.chains[s]
        parent = chain[-1] if chain else None
        block = Block(number, s, data, slot, parent, self.effects_at(s), "finalise" not in self.able)
        chain.append(block)
        self.headers[number] = block

    def _finalise(self, move: Finalise) -> None:
        block = self.headers[move.header]
        data = self.system.data("finalise", self.topology.shards[block.shard], block.data)
        if isinstance(data, Refused):
            self._decline("finalise", data)
            return
        self.oracle.generated.apply["finalise"](self.world, block.slot)
        block.data, block.final = data, True

    def _revert(self, move: Revert) -> Wrong | None:
        block = self.headers[move.header]
        s = block.shard
        claim = self.system.outcome("revert", self.topology.shards[s], self.topology.shards[s], block.data)
        if isinstance(claim, Refused):
            self._decline("revert", claim)
            return None
        self.oracle.generated.apply["revert"](self.world, block.slot)
        chain = self.chains[s]
        while chain and chain[-1] is not block:
            chain.pop().produced = False
        chain.pop().produced = False
        kept = (block.parent.effects if block.parent else 0) - self.forgotten[s]
        taken_back = self.effects[s][kept:]
        del self.effects[s][kept:]
        self.taken_back = len(taken_back)
        for number in taken_back:
            if number in self.receipts:
                self.receipts[number].executed_at = self.receipts[number].under = -1
        self.doubtful = {pair for pair in self.doubtful if pair[0] != s}
        return self._compare_history(s, taken_back)

    def _compare_history(self, s: int, taken_back: Sequence[int]) -> Wrong | None:
        """After a reorganisation: the system's effects are exactly those that the kept blocks had seen."""
        name, kept = self.topology.shards[s], self.effects[s]
        recent = kept[-8:]
        since = self.effects_at(s) - len(recent)
        answer = [x.payload for x in self.system.executed(name, since)]
        due = [b"r%d" % r for r in recent]
        if answer == due:
            return None
        survivors = [f"r{r}" for r in taken_back if b"r%d" % r in answer]
        differs = (
            f"{name} still shows the effect of {', '.join(survivors)}"
            if survivors
            else f"{name} shows {len(answer)} effects after the first {since}, not {len(due)}"
        )
        seen = "the effects that the parent had seen"
        return self._named("reverts-atomically", seen, "other effects", differs)

    def _learn(self, move: Learn) -> Wrong | None:
        d, h, damage = move
        name = self.topology.shards[d]
        block = self.headers.get(h)
        data = block.data if block else b""
        if damage is not None:
            data = damaged(self.adapter, Presented(b"", data, b""), damage).header
            block = self.header_of(data) or block
        unharmed = block is not None and data == block.data
        slot = block.slot if block is not None and unharmed else self.oracle.null
        self.clause = self.refuses("learn", d, slot)
        self.claim = self.system.outcome("learn", name, name, data)
        accepted = not isinstance(self.claim, Refused)
        if unharmed and self.clause == 0:
            if not accepted:
                return self._progress(f"{name} refuses to learn h{h}, which is final")
            self.oracle.generated.apply["learn"](self.world, d, slot)
            self.doubtful.discard((d, slot))
            return None
        if not accepted:
            return None
        if block is not None and not unharmed and self.refuses("learn", d, block.slot) == 0:
            self.doubtful.add((d, block.slot))
            return None
        return self._force("learn", (d, slot), {Shard: [d], Header: [slot], Receipt: [FORGED]})

    def _deliver(self, move: Deliver) -> Wrong | None:
        d, r, h, evidence, damage, again = move
        shown = presented(self, move)
        block = self.headers.get(h)
        sent = self.receipts[r] if isinstance(r, int) else None
        if isinstance(r, Forged):
            self._describe(FORGED, r.source, r.destination)
            self.payloads[b"f%d" % r.number] = r
        honest = shown
        if damage is not None:
            honest = presented(self, move._replace(damage=None))
            # Damage may turn bytes into those of something else that really exists.
            block = self.header_of(shown.header) or block
            sent = next((s for s in self.receipts.values() if s.data == shown.receipt), sent)
        intact = sent is not None and shown.receipt == sent.data
        if sent is not None and not intact:
            self._describe(FORGED, sent.source, sent.destination)
        slot = sent.slot if sent is not None and intact else FORGED
        header = block.slot if block is not None and shown.header == block.data else self.oracle.null
        if header == self.oracle.null:
            claimed = r.source if isinstance(r, Forged) else self.receipts[r].source
            self.oracle.generated.set_rigid(origin, header, claimed)
        self.clause = self.refuses("deliver", d, slot, header)
        foreign = evidence is None or sent is None or block is None or evidence != (sent.number, block.number)
        doubt = (d, header) in self.doubtful
        due = self.clause == 0 and not foreign and shown.evidence == honest.evidence and not doubt
        name = self.topology.shards[d]
        if due and evidence is not None and isinstance(self.proofs[evidence], Refused):
            return self._progress(f"no evidence can be had for r{r} in h{h}, which commits to it")
        self.claim = self.system.outcome("reenter" if again else "deliver", name, Delivery(name, *shown))
        self.offered = block.slot if block else self.oracle.null
        wrong = self._settle(d, self.offered, header)
        if wrong is not None:
            return wrong
        if due and sent is not None and sent.executed_at != d:
            silent = not isinstance(self.claim, Refused)
            how = "says that it accepted it, and executes nothing" if silent else "refuses it"
            # It may have taken effect where nobody asked for it, which is worse than not at all.
            return self.sweep() or self._progress(f"{name} {how}: r{sent.number} is due")
        return None

    def _settle(self, d: int, offered: int, believed: int) -> Wrong | None:
        """
        What the system executed becomes what the model executes; forced, where the model would not.

        `offered` is the header that the relayer named; `believed` is what it looks like to one
        who takes the bytes seriously. A receipt that really is committed may be executed on either.
        """
        wrong = None
        for x in self.system.executed(self.topology.shards[d], self.effects_at(d)):
            number = self.payloads.get(x.payload)
            sent = self.receipts.get(number) if isinstance(number, int) else None
            name = self.topology.shards[d]
            if sent is None and self._was_forgotten(x.payload):
                again = f"{name} executed {x.payload.decode()} again, long after it was done"
                return self._named("executes-at-most-once", "refused, consumed", str(self.claim), again)
            if sent is None:
                self.effects[d].append(-1)
                thing = "a receipt" if isinstance(number, Forged) else "a payload"
                what = f"{name} executed {thing} that nobody emitted"
                wrong = wrong or self._forced_execution(d, FORGED, believed, what)
                continue
            self.effects[d].append(sent.number)
            if x.source is not None and x.source != self.topology.shards[sent.source]:
                self._describe(FORGED, sent.source, sent.destination)
                what = f"{name} executed r{sent.number} in the name of {x.source}, which did not send it"
                wrong = wrong or self._forced_execution(d, FORGED, believed, what)
                continue
            header = offered
            if (d, header) in self.doubtful and self.refuses("deliver", d, sent.slot, header) == 1:
                self.oracle.generated.apply["learn"](self.world, d, header)
                self.doubtful.discard((d, header))
            if self.refuses("deliver", d, sent.slot, header) == 0:
                self.oracle.generated.apply["deliver"](self.world, d, sent.slot, header)
                sent.executed_at, sent.under = d, header
                self.happened += (f"{name} executed r{sent.number}",)
                continue
            times = sum(effects.count(sent.number) for effects in self.effects)
            what = f"{name} executed r{sent.number}" + (f" {times} times" if times > 1 else "")
            wrong = wrong or self._forced_execution(d, sent.slot, believed, what)
        return wrong

    def _was_forgotten(self, payload: bytes) -> bool:
        """Whether it is that of a receipt which was emitted, and is no longer kept in mind."""
        match = re.fullmatch(rb"r(\d{1,9})", payload)
        return match is not None and int(match[1]) <= self.newest and int(match[1]) not in self.receipts

    def _forced_execution(self, d: int, slot: int, header: int, differs: str) -> Wrong:
        self.happened += (differs,)
        clause = self.refuses("deliver", d, slot, header)
        self.clause = clause or self.clause
        touched: dict[type, Sequence[int]] = {Receipt: [slot], Header: [header]}
        return self._force("deliver", (d, slot, header), touched, differs)

    def _force(
        self, action: str, args: tuple[int, ...], touched: dict[type, Sequence[int]], differs: str = ""
    ) -> Wrong:
        before = self.oracle.generated.copy(self.world)
        self.oracle.generated.apply[action](self.world, *args)
        broken = self.oracle.broken(before, self.world, touched)
        clause = self.refusing_clause(action, self.clause)
        if not broken:
            return Wrong(
                Kind.DIVERGENCE,
                "-",
                "follows-the-model",
                "an implementation that does what the model refuses is not covered by its proof",
                f"refused, {clause}",
                str(self.claim),
                clause,
                differs,
            )
        first = broken[0]
        return Wrong(
            Kind.SAFETY,
            first.id,
            first.name,
            first.because,
            f"refused, {clause}",
            str(self.claim),
            clause,
            differs,
            tuple(p.name for p in broken[1:]),
        )

    def refusing_clause(self, action: str, number: int) -> str:
        """The refusal that a clause number stands for; empty for 0."""
        return str(self.oracle.protocol.action(action).clauses[number - 1].refusal) if number else ""

    def _progress(self, differs: str) -> Wrong:
        return self._named("delivers-what-is-due", "accepted", str(self.claim), differs, Kind.PROGRESS)

    def _named(self, name: str, expected: str, actual: str, differs: str, kind: Kind = Kind.SAFETY) -> Wrong:
        found = self.oracle.catalogue[name]
        return Wrong(kind, found.id, name, found.because, expected, actual, "", differs)

    # ---- looking elsewhere ------------------------------------------------------------------------

    def _watch(self) -> Wrong | None:
        """An effect may show at a shard that nobody asked: one more is looked at after each delivery."""
        self.watched = (self.watched + 1) % len(self.topology.shards)
        return self._sweep(self.watched)

    def _sweep(self, shard: int) -> Wrong | None:
        return self._settle(shard, self.offered, self.offered)

    def sweep(self) -> Wrong | None:
        """Look at every shard: the end of a run."""
        for shard in range(len(self.topology.shards)):
            if wrong := self._sweep(shard):
                return wrong
        return None
