"""
Model and system side by side, to the first divergence.

The model is an oracle for whether an attempt may be accepted; the system's answer is a
claim, and what it executed is the fact. Every receipt carries a payload of its own, so an
effect names its receipt whatever the system says. Three rules decide:

* A receipt that is not committed must not be executed.
* A receipt that is committed, shown with damaged or foreign evidence, may be executed, once.
* A receipt that is due, shown with honest evidence, must be executed.

The same three hold for what a sender is told, which `acts.py` adds. While model and system
agree no property is evaluated, because that the model's own steps keep them all is what the
prover shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from shardproof_models.layers.exactly_once import Header, Receipt, Shard, origin

from .acts import Acts
from .adapter import ACCEPTED, Delivery, Message, Refused
from .adversary import Presented, damaged
from .deeds import DEEDS
from .errors import AdapterError
from .forget import forget
from .judge import Wrong
from .moves import (
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
    receipt_name,
    step_of,
    verb_of,
)
from .oracle import FORGED
from .presented import evidence as evidence_for
from .presented import presented
from .record import Block

__all__ = ["Lockstep", "Wrong"]


@define(eq=False)
class Lockstep(Acts):
    """One run, judged move by move."""

    #: The shard that was last looked at without having been asked for anything.
    watched: int = field(init=False, default=0)

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        if self.system.foresees:
            held = self.addresses if "balance" in self.able else ()
            calls = [("balance", (self.topology.shards[a],)) for a in held]
            self.system.foresee("open" if token is None else "restore", calls)
        try:
            super().reset(token)
        except AdapterError as error:
            error.located("the beginning of a run, before step 1")
            raise
        self.watched = 0

    def run(self, move: Move) -> Wrong | None:
        """Take a move that is `possible`; `None` unless model and system part ways."""
        self.happened = ()
        self.taken_back = 0
        self.clause = 0
        self.claim = ACCEPTED
        self.moves += 1
        if self.changed:
            self.changed = []
        if self.system.foresees:
            self.system.foresee(*self._foreseen(move))
        try:
            wrong = self._observed(move) if self.watching or self.suspects else self._take(move)
        except AdapterError as error:
            step = step_of(move, self.topology.shards, self.topology.shards[self.home(move)])
            error.located(f"step {self.moves} of a run, {step.action} at {step.at}")
            raise
        if wrong is None and (len(self.free_receipts) < 2 or len(self.free_headers) < 2):
            forget(self)
        return wrong

    def _observed(self, move: Move) -> Wrong | None:
        """Take a move, and look at what else there is to be seen of it, and at what it does to suspects."""
        self.attempted = ""
        self.ledger.kinds = []
        before = self.oracle.generated.copy(self.world) if self.suspects else None
        wrong = self._take(move)
        if wrong is None and self.watching:
            wrong = self.look(self._concerned(move))
        if wrong is None and before is not None:
            wrong = self.consequence(before, self.offered)
        return wrong

    def _concerned(self, move: Move) -> tuple[int, ...]:
        """The shards at which something may be seen of a move."""
        home = self.home(move)
        if isinstance(move, Act) and "another" in DEEDS[move.deed].arguments:
            return (home, *(s for s in (move.other, move.another) if s is not None))
        return (home,)

    def _take(self, move: Move) -> Wrong | None:
        match move:
            case Deliver():
                return self._deliver(move) or self._watch()
            case Learn():
                return self._learn(move)
            case Emit():
                return self._emit(move)
            case Produce():
                self._produce(move)
            case Finalise():
                self._finalise(move)
            case Revert():
                return self._revert(move)
            case Restart(s):
                return self.restart(s) or self._sweep(s)
            case Act():
                return self.act(move)
        return None

    def _emit(self, move: Emit) -> Wrong | None:
        number, s, d, terms = move
        names = self.topology.shards
        payload = b"r%d" % number
        if terms is None:
            data = self.system.data("emit", names[s], names[d], payload)
        else:
            payload = self.takeover() if terms.takeover else payload
            onward = None if terms.onward is None else names[terms.onward]
            message = Message(
                names[s],
                names[d],
                payload,
                terms.channel,
                terms.deadline,
                terms.amount,
                terms.claimed,
                terms.asset,
                terms.entrance,
                onward,
            )
            data = self.system.data("send", message)
        if isinstance(data, Refused):
            self.decline("emit", data)
            return self.shut_out(move)
        sent = self.enter(number, (s, d), data, payload, terms or PLAIN)
        self.oracle.generated.apply["emit"](self.world, sent.slot)
        self.changed.append(sent)
        if terms is not None:
            self.paid(move)
            self.let_in(move)
        return None

    def _produce(self, move: Produce) -> None:
        number, s = move
        data = self.system.data("produce", self.topology.shards[s])
        if isinstance(data, Refused):
            self.decline("produce", data)
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
        if self.watching:
            block.marks = self.marks(s)
        block.epoch = self.epochs[s]
        chain.append(block)
        self.headers[number] = block

    def _finalise(self, move: Finalise) -> None:
        block = self.headers[move.header]
        data = self.system.data("finalise", self.topology.shards[block.shard], block.data)
        if isinstance(data, Refused):
            self.decline("finalise", data)
            return
        self.oracle.generated.apply["finalise"](self.world, block.slot)
        block.data, block.final = data, True
        if self.claims:
            self.claims = {(d, h) for d, h in self.claims if h != block.number}

    def _revert(self, move: Revert) -> Wrong | None:
        block = self.headers[move.header]
        s = block.shard
        claim = self.system.outcome("revert", self.topology.shards[s], self.topology.shards[s], block.data)
        if isinstance(claim, Refused):
            self.decline("revert", claim)
            return None
        self.oracle.generated.apply["revert"](self.world, block.slot)
        chain = self.chains[s]
        while chain and chain[-1] is not block:
            chain.pop().produced = False
        chain.pop().produced = False
        return self.back_to(s, block.parent)

    def _learn(self, move: Learn) -> Wrong | None:
        d, h, damage = move
        name = self.topology.shards[d]
        block = self.headers.get(h)
        data = block.data if block else b""
        if damage is not None:
            data = damaged(self.system, Presented(b"", data, b""), damage).header
            block = self.header_of(data) or block
        unharmed = block is not None and data == block.data
        slot = block.slot if block is not None and unharmed else self.oracle.null
        self.clause = self.refuses("learn", d, slot)
        crashed = self.crash_now(d)
        self.claim = self.system.outcome("learn", name, name, data)
        accepted = not isinstance(self.claim, Refused)
        if crashed:
            if block is not None and self.refuses("learn", d, block.slot) == 0:
                self.doubtful.add((d, block.slot))
            return self.after_crash(d)
        if unharmed and self.clause == 0:
            if not accepted:
                if block is not None and not self.knows_validators(d, block):
                    return None
                return self.unlearned(d, h)
            self.oracle.generated.apply["learn"](self.world, d, slot)
            self.doubtful.discard((d, slot))
            return None
        if not accepted:
            return None
        if block is not None and not unharmed and self.refuses("learn", d, block.slot) == 0:
            self.doubtful.add((d, block.slot))
            return None
        return self.force("learn", (d, slot), {Shard: [d], Header: [slot], Receipt: [FORGED]})

    def _deliver(self, move: Deliver) -> Wrong | None:
        d, r, h, evidence, damage, again, fails, inner = move
        shown = presented(self, move)
        block = self.headers.get(h)
        sent = self.receipts[r] if isinstance(r, int) else None
        if isinstance(r, Forged):
            self.oracle.describe(FORGED, r.source, r.destination)
            self.payloads[b"f%d" % r.number] = r
        honest = shown
        if damage is not None:
            honest = presented(self, move._replace(damage=None))
            # Damage may turn bytes into those of something else that really exists.
            block = self.header_of(shown.header) or block
            sent = next((s for s in self.receipts.values() if s.data == shown.receipt), sent)
        intact = sent is not None and shown.receipt == sent.data
        if sent is not None and not intact:
            self.oracle.describe(FORGED, sent.source, sent.destination)
        slot = sent.slot if sent is not None and intact else FORGED
        header = block.slot if block is not None and shown.header == block.data else self.oracle.null
        if header == self.oracle.null:
            claimed = r.source if isinstance(r, Forged) else self.receipts[r].source
            self.oracle.generated.set_rigid(origin, header, claimed)
        returned = self.oracle.failed if fails else self.oracle.returned
        self.clause = self.refuses("deliver", d, slot, header, *returned)
        foreign = evidence is None or sent is None or block is None or evidence != (sent.number, block.number)
        doubt = (d, header) in self.doubtful or (sent is not None and sent.unsure)
        due = self.clause == 0 and not foreign and shown.evidence == honest.evidence and not doubt
        name = self.topology.shards[d]
        unproved = self.proofs[evidence] if due and evidence is not None else None
        if isinstance(unproved, Refused):
            assert sent is not None, "what is due was emitted"
            assert block is not None, "and is shown under a header"
            if block.shard != sent.source and self.covered(sent):
                return None
            called, self.claim = receipt_name(sent.number), unproved
            return self.progress(f"no evidence can be had for {called} in h{h}, which commits to it")
        self.offered = block.slot if block else self.oracle.null
        crashed = not fails and self.crash_now(d)
        delivery = Delivery(name, *shown)
        within = self._within(delivery, inner) if inner else None
        if within is not None:
            self.nested = inner.receipt if inner else -1
            self.claim = self.system.outcome("nest", name, delivery, within)
        else:
            # A system may credit a response without a callback; then nothing of it can fail.
            may_fail = sent is not None and not (self.bounces and sent.answers is not None)
            self.failing = sent.number if fails and sent is not None and may_fail else -1
            verb = "deliver_failing" if fails else "reenter" if again else "deliver"
            self.claim = self.system.outcome(verb, name, delivery)
        wrong = self.settle(d, self.offered, header)
        self.nested = self.failing = -1
        if self.offers:
            self.offers = {}
        if wrong is not None:
            return wrong
        if crashed:
            return self.after_crash(d)
        if fails:
            return self._failed(d, sent if intact else None, header, due=due)
        if due and sent is not None and sent.executed_at != d:
            if sent.terms.onward is not None and not isinstance(self.claim, Refused):
                # That it cannot be sent on is a failure like any other.
                self.fail(d, sent, header)
                return None
            silent = not isinstance(self.claim, Refused)
            how = "says that it accepted it, and executes nothing" if silent else "refuses it"
            # It may have taken effect where nobody asked for it, which is worse than not at all.
            return self.sweep() or self.progress(f"{name} {how}: {receipt_name(sent.number)} is due")
        return None

    def _within(self, outer: Delivery, inner: Proof) -> Delivery:
        """An honest delivery of another receipt to the same shard."""
        sent, block = self.receipts[inner.receipt], self.headers[inner.header]
        self.offers[sent.number] = block.slot
        shown = Presented(sent.data, block.data, evidence_for(self, inner))
        return Delivery(outer.destination, *shown)

    def _failed(self, d: int, sent: object, header: int, *, due: bool) -> Wrong | None:
        """A delivery whose callback failed: nothing shows it but the answer."""
        found = next((s for s in self.receipts.values() if s is sent), None)
        if found is not None and (d, header) in self.doubtful and not isinstance(self.claim, Refused):
            self.undoubt(d, header)
            due = not self.refuses("deliver", d, found.slot, header, *self.oracle.failed)
        if not due or found is None:
            return None
        name, called = self.topology.shards[d], receipt_name(found.number)
        if isinstance(self.claim, Refused):
            return self.progress(f"{name} refuses it: {called} is due, although its callback fails")
        self.fail(d, found, header)
        if not self.bounces or found.answers is not None:
            return None
        if wrong := self.look_at(d):
            return wrong
        if found.answer is None:
            what = f"{name} accepted {called}, which failed, and does not answer it"
            return self.either("failures-are-answered", "follows-the-model", what)
        return None

    # ---- looking ahead ----------------------------------------------------------------------------

    def _foreseen(self, move: Move) -> tuple[str, list[tuple[str, tuple[object, ...]]]]:
        """The verb of a move, and what will be looked at once that is answered, if all goes as it should."""
        home = self.home(move)
        calls: list[tuple[str, tuple[object, ...]]] = []
        if isinstance(move, Deliver | Restart) or (isinstance(move, Act) and move.deed != "crash"):
            calls.append(self._effects_call(home))
        if isinstance(move, Deliver) and (after := (self.watched + 1) % len(self.chains)) != home:
            calls.append(self._effects_call(after))
        if self.watching:
            for shard in self._concerned(move):
                calls += self._looks(shard)
        return verb_of(move), calls

    def _effects_call(self, shard: int) -> tuple[str, tuple[object, ...]]:
        return "executed", (self.topology.shards[shard], self.effects_at(shard))

    def _looks(self, shard: int) -> list[tuple[str, tuple[object, ...]]]:
        """What `look_at` asks of a shard."""
        name = self.topology.shards[shard]
        seen = (
            ("ended", self.seen_ended),
            ("responses", self.seen_responses),
            ("announced", self.seen_announced),
        )
        calls: list[tuple[str, tuple[object, ...]]] = [
            (verb, (name, counts[shard])) for verb, counts in seen if verb in self.watching
        ]
        if "balance" in self.watching and self.lives(shard):
            calls.append(("balance", (name,)))
        return calls

    # ---- looking elsewhere ------------------------------------------------------------------------

    def _watch(self) -> Wrong | None:
        """An effect may show at a shard that nobody asked: one more is looked at after each delivery."""
        self.watched = (self.watched + 1) % len(self.topology.shards)
        return self._sweep(self.watched)

    def _sweep(self, shard: int) -> Wrong | None:
        return self.settle(shard, self.offered, self.offered)

    def sweep(self) -> Wrong | None:
        """Look at every shard: the end of a run."""
        shards: Sequence[int] = range(len(self.topology.shards))
        if self.system.foresees:
            calls = [self._effects_call(s) for s in shards[1:]]
            calls += [call for s in shards for call in self._looks(s)] if self.watching else []
            self.system.foresee("executed", calls)
        try:
            for shard in shards:
                if wrong := self._sweep(shard):
                    return wrong
            return (self.look(shards) if self.watching else None) or self.astray
        except AdapterError as error:
            error.located(f"the end of a run, after step {self.moves}")
            raise
