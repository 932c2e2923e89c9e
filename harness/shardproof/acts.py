"""
The moves of `deeds.py`, taken and judged by who decides.

What a relayer asks for and a system decides is compared both ways, like a delivery. What the
environment does is only asked for where the model allows it, and may be declined. What must
change nothing is done, and then everything that can be seen is as it was. What an adversary
asks for must not be taken part in.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from shardproof_models.layers.deadlines import clock, deadline
from shardproof_models.layers.exactly_once import Header, Receipt, Shard, origin
from shardproof_models.layers.outcomes import time

from .adapter import Delivery, Refused
from .deeds import DEEDS, Decides
from .judge import Wrong
from .moves import Act, Emit, Forged, receipt_name
from .observer import Marks, Observer
from .oracle import FORGED
from .presented import forged, had, presented
from .record import Block, Sent

#: How an adversary signs a header: with nothing, as validators that he made up, with keys that have leaked.
UNSIGNED, MADE_UP, LEAKED = range(3)

#: Of what a shard has executed, the last that are looked at again once it has lost something.
RECENT = 8


@define(eq=False)
class Acts(Observer):
    """One run, and the moves beside the main road."""

    #: How many effects the last move took back.
    taken_back: int = field(init=False, default=0)
    #: Shards that lose power in what a relayer asks of them next, after so many durable writes.
    armed: dict[int, int] = field(init=False, factory=dict)
    #: What a shard was founded with.
    births: dict[int, Marks] = field(init=False, factory=dict)
    #: The epoch of each shard, and which epoch of which shard a light client has been told of.
    epochs: list[int] = field(init=False, factory=list)
    told_epochs: dict[tuple[int, int], int] = field(init=False, factory=dict)
    #: For each link what was sent on it and not drained, and whether it has been emptied since it was full.
    queued: dict[tuple[int, int], int] = field(init=False, factory=dict)
    emptied: set[tuple[int, int]] = field(init=False, factory=set)

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        super().reset(token)
        for known in (self.armed, self.births, self.told_epochs, self.queued):
            known.clear()
        self.emptied.clear()
        self.epochs = [0] * len(self.topology.shards)

    def act(self, move: Act) -> Wrong | None:
        """Take one of the moves of the table."""
        if move.deed == "crash":
            self.armed[move.shard] = move.number or 0
            return None
        match DEEDS[move.deed].decides:
            case Decides.SYSTEM:
                return self._present(move)
            case Decides.ENVIRONMENT:
                return self._arrange(move)
            case Decides.NOBODY:
                return self._stir(move)
            case Decides.ADVERSARY:
                return self._tempt(move)

    # ---- what a relayer asks for ------------------------------------------------------------------

    def _present(self, move: Act) -> Wrong | None:
        deed, at = DEEDS[move.deed], move.shard
        shown = presented(self, move)
        r, h = move.receipt, move.header
        block = self.headers.get(h) if h is not None else None
        sent = self.receipts[r] if isinstance(r, int) else None
        if isinstance(r, Forged):
            self.oracle.describe(FORGED, r.source, r.destination)
        honest = shown if move.damage is None else presented(self, move._replace(damage=None))
        if move.damage is not None:
            block = self.header_of(shown.header) or block
            sent = next((s for s in self.receipts.values() if s.data == shown.receipt), sent)
        intact = sent is not None and shown.receipt == sent.data
        if sent is not None and not intact:
            # What the model says of it must not depend on what was forged before.
            self.oracle.describe(FORGED, sent.source, sent.destination)
        slot = sent.slot if sent is not None and intact else FORGED
        header = block.slot if block is not None and shown.header == block.data else self.oracle.null
        if header == self.oracle.null and isinstance(r, int):
            self.oracle.generated.set_rigid(origin, header, self.receipts[r].destination)
        self.clause = self.refuses(deed.action, *self.taken_with(move, slot, header))
        proof = move.evidence
        foreign = proof is None or sent is None or block is None or proof != (sent.number, block.number)
        doubt = (at, header) in self.doubtful or (sent is not None and sent.unsure)
        due = self.clause == 0 and not foreign and shown.evidence == honest.evidence and not doubt
        name = self.topology.shards[at]
        if due and proof is not None and isinstance(had(self, proof, deed.evidence), Refused):
            if not self.overdue(move, sent, block):
                return None
            called = receipt_name(proof.receipt)
            return self.progress(f"{deed.evidence} refuses {called} in h{proof.header}", self._owed(move))
        self.attempted, self.offered = deed.action, block.slot if block else self.oracle.null
        crashed = move.deed in ("acknowledge", "time_out") and self.crash_now(at)
        self.claim = self.system.outcome(move.deed, name, Delivery(name, *shown))
        before = sent.told if sent else None
        wrong = self.settle(at, self.offered, header) or (self.look_at(at) if self.watching else None)
        if wrong is not None:
            return wrong
        if crashed:
            return self.after_crash(at)
        if sent is None or (sent.told is not None and sent.told is not before):
            return None
        accepted = not isinstance(self.claim, Refused)
        if accepted and (deed.action == "skip" or "ended" not in self.able):
            return self._believed(move, sent, (slot, header), honest=shown == honest)
        if due and self.overdue(move, sent, block):
            how = "says that it accepted it, and tells nobody" if accepted else "refuses it"
            what = f"{name} {how}: {move.deed} of {receipt_name(sent.number)} is due"
            return self.progress(what, self._owed(move))
        return None

    def _owed(self, move: Act) -> str:
        name = "gives-back-on-close" if move.deed == "time_out_on_close" else DEEDS[move.deed].owed
        return name if name in self.oracle.catalogue else "delivers-what-is-due"

    def _believed(self, move: Act, sent: Sent, ends: tuple[int, int], *, honest: bool) -> Wrong | None:
        """Nothing shows whether it was done, so the answer is taken at its word."""
        action = DEEDS[move.deed].action
        taken = self.taken_with(move, *ends)
        self.changed.append(sent)
        if (move.shard, ends[1]) in self.doubtful:
            self.undoubt(move.shard, ends[1])
            self.clause = self.refuses(action, *taken)
        if self.clause == 0:
            self.oracle.generated.apply[action](self.world, *taken)
            if action == "skip":
                sent.executed_at, sent.under, sent.failed = move.shard, ends[1], True
            self.happened += (f"{self.topology.shards[move.shard]}: {action} of {receipt_name(sent.number)}",)
            return None
        if not honest:
            sent.unsure = True
            return None
        what = f"{self.topology.shards[move.shard]} accepted: {action} of {receipt_name(sent.number)}"
        return self.force(action, taken, {Receipt: [ends[0]], Header: [ends[1]]}, what)

    def overdue(self, move: Act, sent: Sent | None, block: Block | None) -> bool:
        """
        Whether a refusal is more than hesitation.

        At the very moment of a deadline a system may hold neither the delivery nor the expiry for
        possible: that is safe, and costs one unit of time (cosmos/ibc issue 827).
        """
        if sent is None or block is None:
            return False
        oracle, world = self.oracle, self.world
        due = oracle.rigid(deadline, sent.slot)
        if move.deed == "skip":
            return due < oracle.read(world, clock, move.shard)
        if DEEDS[move.deed].action == "time_out":
            return due < oracle.read(world, time, block.slot)
        return True

    # ---- what the environment does ----------------------------------------------------------------

    def _arrange(self, move: Act) -> Wrong | None:
        deed, names = DEEDS[move.deed], self.topology.shards
        name, other, another = names[move.shard], move.other, move.another
        if move.deed == "advance_clock":
            self.system.done("advance_clock", name)
        else:
            assert other is not None, "the others are about two shards"
            if move.deed == "close_channel":
                self.claim = self.system.outcome("close_channel", name, name, names[other], move.number or 0)
            else:
                assert another is not None, "and these about three"
                parts = (name, (names[other], names[another]))
                if move.deed == "merge":
                    parts = ((name, names[other]), names[another])  # type: ignore[assignment]
                self.claim = self.system.outcome(move.deed, name, *parts)
            if isinstance(self.claim, Refused):
                self.decline(move.deed, self.claim)
                return None
        taken = self.taken_with(move, FORGED, self.oracle.null)
        self.oracle.generated.apply[deed.action](self.world, *taken)
        if move.deed in ("split", "merge"):
            self._found(move)
        return None

    def _found(self, move: Act) -> None:
        founded = (move.other, move.another) if move.deed == "split" else (move.another,)
        for s in founded:
            if s is not None and self.watching:
                self.births[s] = self.marks(s)

    # ---- what changes nothing ---------------------------------------------------------------------

    def _stir(self, move: Act) -> Wrong | None:
        names = self.topology.shards
        name, block = names[move.shard], self.headers.get(move.header) if move.header is not None else None
        match move.deed:
            case "rotate":
                self.system.done("rotate", name)
                self.epochs[move.shard] += 1
            case "drain":
                assert move.other is not None, "a link has two ends"
                return self._drain(move.shard, move.other)
            case "replicate":
                return self._replicate(name)
            case "learn_validators" | "claim" | "challenge":
                assert block is not None, "these are about a header"
                self.claim = self.system.outcome(move.deed, name, name, block.data)
                self._heed(move, block)
            case verb:
                self.system.done(verb, name)
        return self.settle(move.shard, self.offered, self.offered)

    def _heed(self, move: Act, block: Block) -> None:
        """What an answer about a header says of whether a later one is due."""
        at = move.shard
        if isinstance(self.claim, Refused):
            return
        if move.deed == "learn_validators":
            known = self.told_epochs.get((at, block.shard), 0)
            if block.epoch == known and self.trusts(at, block):
                self.told_epochs[at, block.shard] = known + 1
        elif move.deed == "claim" and not block.final:
            self.claims.add((at, block.number))
        elif move.deed == "challenge":
            self.claims.discard((at, block.number))

    def knows_validators(self, d: int, block: Block) -> bool:
        """Whether a light client has had every chance to believe a final header."""
        if "claim" in self.able:
            return False
        epoch = self.epochs[block.shard]
        return block.epoch == epoch == self.told_epochs.get((d, block.shard), 0)

    def unlearned(self, d: int, h: int) -> Wrong:
        """A light client refuses what it should believe."""
        what = f"{self.topology.shards[d]} refuses to learn h{h}, which is final"
        block = self.headers[h]
        return self.progress(
            what, "learns-what-is-final" if self.epochs[block.shard] else "delivers-what-is-due"
        )

    def _replicate(self, name: str) -> Wrong | None:
        if "state_root" not in self.able:
            return None
        own, other = self.system.digest("state_root", name), self.system.digest("replicate", name)
        if own == other:
            return None
        what = f"another node of {name} has {other.hex()[:16]}, not {own.hex()[:16]}"
        return self.named("replicas-agree", own.hex()[:16], other.hex()[:16], what)

    def restart(self, shard: int) -> Wrong | None:
        """A shard is stopped and started, and has the same digest as before."""
        name = self.topology.shards[shard]
        before = self.system.digest("state_root", name) if "state_root" in self.able else b""
        self.system.done("restart", name)
        if not before or (after := self.system.digest("state_root", name)) == before:
            return None
        what = f"{name} has another digest after it was started again"
        return self.named("restarts-as-it-was", before.hex()[:16], after.hex()[:16], what)

    # ---- links ------------------------------------------------------------------------------------

    def let_in(self, move: Emit) -> None:
        """A request waits on its link."""
        if "drain" in self.able:
            link = (move.source, move.destination)
            self.queued[link] = self.queued.get(link, 0) + 1
            self.emptied.discard(link)

    def _drain(self, s: int, d: int) -> Wrong | None:
        names = self.topology.shards
        self.claim = self.system.outcome("drain", names[self.owner(s)], names[s], names[d])
        link = (s, d)
        if isinstance(self.claim, Refused):
            if self.queued.get(link, 0) > 0 and "finds-room-again" in self.oracle.catalogue:
                what = f"{self.queued[link]} wait from {names[s]} to {names[d]}, and none is carried away"
                return self.progress(what, "finds-room-again")
            self.emptied.add(link)
        else:
            self.queued[link] = max(0, self.queued.get(link, 0) - 1)
        return self.settle(self.owner(d), self.offered, self.offered)

    def shut_out(self, move: Emit) -> Wrong | None:
        """An emission was declined: with nothing before it on its link, and nothing wrong, it was due."""
        link, terms = (move.source, move.destination), move.terms
        if "drain" not in self.able or "resumes-when-drained" not in self.oracle.catalogue:
            return None
        honest = terms is not None and not (terms.asset or terms.entrance or terms.takeover or terms.claimed)
        if terms is None or not honest or self.queued.get(link, 0) > 0:
            return None
        if "balance" in self.able and self.ledger.holds([move.source]) < terms.amount:
            return None
        names = self.topology.shards
        what = f"nothing waits from {names[link[0]]} to {names[link[1]]}, and nothing more is let in"
        return self.progress(what, "resumes-when-drained")

    # ---- what an adversary asks for ---------------------------------------------------------------

    def _tempt(self, move: Act) -> Wrong | None:
        names = self.topology.shards
        name = names[move.shard]
        if move.deed == "initialise":
            assert move.other is not None, "a light client is of some shard"
            self.claim = self.system.outcome("initialise", name, name, names[move.other])
            if isinstance(self.claim, Refused):
                return None
            what = f"{name} lets its light client of {names[move.other]} be set up again"
            return self.either("is-set-up-once", "trusts-only-final-headers", what)
        assert isinstance(move.receipt, Forged), "what is forged is in somebody's name"
        return self._forge(move.shard, move.receipt, move.number or 0)

    def _forge(self, d: int, r: Forged, how: int) -> Wrong | None:
        """A header that nobody produced, and by it a receipt that nobody emitted."""
        names, system, name = self.topology.shards, self.system, self.topology.shards[d]
        receipt = forged(self, r)
        header, proof = system.forged_header(names[r.source], receipt, how)
        self.oracle.describe(FORGED, r.source, r.destination)
        self.oracle.generated.set_rigid(origin, self.oracle.null, r.source)
        self.payloads[b"f%d" % r.number] = r
        null = self.oracle.null
        attempts = ["learn"]
        if "claim" in self.able:
            # Anyone may claim; before the window is over nobody may believe it, after an objection never.
            self.claim = system.outcome("claim", name, name, header)
            attempts = ["learn", "challenge", "learn"]
        for verb in attempts:
            if verb not in self.able:
                continue
            self.claim = system.outcome(verb, name, name, header)
            if verb == "learn" and not isinstance(self.claim, Refused):
                self.clause = self.refuses("learn", d, null)
                what = f"{name} believes a header of {names[r.source]} that nobody produced"
                if how == MADE_UP and "knows-only-elected-validators" in self.oracle.catalogue:
                    return self.either("knows-only-elected-validators", "trusts-only-final-headers", what)
                touched: dict[type, Sequence[int]] = {Shard: [d], Header: [null], Receipt: [FORGED]}
                return self.force("learn", (d, null), touched, what)
        self.clause = self.refuses("deliver", d, FORGED, null, *self.oracle.returned)
        self.claim = system.outcome("deliver", name, Delivery(name, receipt, header, proof))
        self.offered = null
        return self.settle(d, null, null)

    # ---- losing power -----------------------------------------------------------------------------

    def crash_now(self, shard: int) -> bool:
        """Whether a shard loses power in what it is asked next; tell it so."""
        if shard not in self.armed:
            return False
        self.system.done("crash", self.topology.shards[shard], self.armed.pop(shard))
        return True

    def after_crash(self, s: int) -> Wrong | None:
        """
        What was done before is done still; what was interrupted has happened or has not.

        Where blocks are what is durable, a shard may also stand at its newest one again, with all of it.
        """
        wrong = self.compare_history(s, (), "survives-a-crash")
        if wrong is None or "crash" not in self.oracle.generated.apply:
            return wrong
        self.oracle.generated.apply["crash"](self.world, s)
        return self.back_to(s, self.chains[s][-1] if self.chains[s] else None, "survives-a-crash")

    def back_to(self, s: int, block: Block | None, name: str = "reverts-atomically") -> Wrong | None:
        """The shard has lost what came after a block: what it executed since is due again."""
        kept = (block.effects if block else 0) - self.forgotten[s]
        taken_back = self.effects[s][kept:]
        del self.effects[s][kept:]
        self.taken_back = len(taken_back)
        for number in taken_back:
            if number in self.receipts:
                self.receipts[number].executed_at = self.receipts[number].under = -1
        self.doubtful = {pair for pair in self.doubtful if pair[0] != s}
        # Whether it was told of an epoch before that block, nobody asks: it is told again.
        self.told_epochs = {pair: e for pair, e in self.told_epochs.items() if pair[0] != s}
        if self.watching:
            marks = block.marks if block else self.births.get(s)
            self.return_to(s, marks if isinstance(marks, Marks) else Marks(0, 0, 0, self.ledger.blank(s)))
        return self.compare_history(s, taken_back, name)

    def compare_history(self, s: int, taken_back: Sequence[int], name: str) -> Wrong | None:
        """The effects that a system shows are exactly those that the model has kept."""
        shard, kept = self.topology.shards[s], self.effects[s]
        recent = kept[-RECENT:]
        since = self.effects_at(s) - len(recent)
        answer = [x.payload for x in self.system.executed(shard, since)]
        if answer == [self._payload(r) for r in recent]:
            return None
        survivors = [f"r{r}" for r in taken_back if b"r%d" % r in answer]
        differs = (
            f"{shard} still shows the effect of {', '.join(survivors)}"
            if survivors
            else f"{shard} shows {len(answer)} effects after the first {since}, not {len(recent)}"
            if len(answer) != len(recent)
            else f"{shard} shows other effects after the first {since}, or the same in another order"
        )
        seen = (
            "the effects that the parent had seen" if name == "reverts-atomically" else "the effects so far"
        )
        return self.named(name, seen, "other effects", differs)

    def _payload(self, number: int) -> bytes:
        sent = self.receipts.get(number)
        return sent.payload if sent is not None else b"r%d" % number

    def covered(self, sent: Sent) -> bool:
        """Whether the shard that emitted a receipt has sealed it itself."""
        return any(self.commits(b, sent) for b in self.chains[sent.source])
