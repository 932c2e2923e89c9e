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
from typing import Any

from attrs import define, field, frozen
from shardproof_models.layers.exactly_once import Header, Receipt, Shard, destination, origin, source

from .adapter import ACCEPTED, Accepted, Adapter, Delivery, Execution, Outcome, Pending, Refused, Topology, capabilities
from .adversary import SPLICE, Damage, Presented, damaged, transplanted
from .errors import AdapterError, ShardproofError
from .forget import Block, Sent, forget
from .moves import NULL, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Proof, Restart, Revert
from .oracle import FORGED, Oracle
from .readings.generated import World
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
class Lockstep:
    """One run: a system and the model of it, opened together."""

    adapter: Adapter
    oracle: Oracle
    topology: Topology
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
    #: What became of the last move: the model's clause (0 accepted), and the system's claim.
    clause: int = field(init=False, default=0)
    claim: Outcome = field(init=False, default=ACCEPTED)
    happened: tuple[str, ...] = field(init=False, default=())
    free_receipts: list[int] = field(init=False)
    free_headers: list[int] = field(init=False)
    watched: int = field(init=False, default=0)
    #: The highest number of a receipt that was emitted.
    newest: int = field(init=False, default=-1)

    def __attrs_post_init__(self) -> None:
        self.able = capabilities(self.adapter)
        self.reset()

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        if token is not None:
            self.call("restore", token)
        else:
            self.call("open", self.topology)
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
        self.watched = 0
        self.newest = -1

    # ---- asking the system ----------------------------------------------------------------------

    def call(self, verb: str, *args: Any) -> Any:
        """A verb of the adapter; whatever it raises becomes an `AdapterError` that names the verb."""
        try:
            return getattr(self.adapter, verb)(*args)
        except ShardproofError:
            raise
        except NotImplementedError as error:
            raise AdapterError(
                f"the adapter lacks the verb {verb!r}", got=str(error) or None,
                help=f"define {verb} in {type(self.adapter).__name__}: harness/README.md",
            ) from error
        except Exception as error:
            raise AdapterError(
                f"the adapter raised in {verb!r}", expected="an answer: adapters refuse, they do not raise",
                got=f"{type(error).__name__}: {error}", said=_where(error),
                help="a rejection by the system is Refused(reason); anything else is a bug in the adapter or its system",
            ) from error

    def _bytes(self, verb: str, *args: Any) -> bytes | Refused:
        answer = self.call(verb, *args)
        if not isinstance(answer, bytes | Refused):
            raise _nonsense(verb, "bytes, or Refused(reason)", answer)
        return answer

    def _outcome(self, verb: str, shard: str, *args: Any) -> Outcome:
        answer = self.call(verb, *args)
        if isinstance(answer, Pending):
            if "settle" not in self.able:
                raise AdapterError(
                    f"the adapter answers PENDING to {verb!r} but has no 'settle'",
                    help="override settle(shard), which lets the system come to rest",
                )
            self.call("settle", shard)
            return answer
        if not isinstance(answer, Accepted | Refused):
            raise _nonsense(verb, "ACCEPTED, Refused(reason) or PENDING", answer)
        return answer

    def _new_effects(self, shard: int) -> list[Execution]:
        name, since = self.topology.shards[shard], self.effects_at(shard)
        answer = self.call("executed", name, since)
        if not isinstance(answer, Sequence) or isinstance(answer, bytes | str):
            raise _nonsense("executed", "a sequence of payloads", answer)
        if not answer:
            return []
        return [self._execution(x) for x in answer]

    def effects_at(self, shard: int) -> int:
        """How many effects a shard has seen."""
        return self.forgotten[shard] + len(self.effects[shard])

    @staticmethod
    def _execution(x: object) -> Execution:
        if isinstance(x, Execution):
            return x
        if isinstance(x, bytes):
            return Execution(x)
        raise _nonsense("executed", "payloads as bytes, or Execution(payload, source)", x)

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
                if evidence is not None and not (evidence.receipt in self.receipts and evidence.header in self.headers):
                    return False
                return h == NULL or h in self.headers
            case Emit(r, s, d):
                return r not in self.receipts and s != d and bool(self.free_receipts)
            case Learn(_, h, _):
                return "learn" in self.able and (h == NULL or h in self.headers)
            case Produce(h, _):
                return h not in self.headers and bool(self.free_headers)
            case Finalise(h):
                return "finalise" in self.able and h in self.headers and not self.refuses("finalise", self.headers[h].slot)
            case Revert(h):
                return "revert" in self.able and h in self.headers and not self.refuses("revert", self.headers[h].slot)
            case Restart(_):
                return "restart" in self.able
        return False

    def commits(self, block: Block, sent: Sent) -> bool:
        """Whether a header covers a receipt."""
        return bool(self.world[self.oracle.commits][block.slot] >> sent.slot & 1)

    def trusts(self, shard: int, block: Block) -> bool:
        """Whether a shard takes a header as a root of proof."""
        return self.refuses("deliver", shard, FORGED, block.slot) != 1

    def refuses(self, action: str, *args: int) -> int:
        return self.oracle.generated.refusal[action](self.world, *args)

    def home(self, move: Move) -> int:
        """The shard at which a move happens."""
        match move:
            case Emit(_, s, _) | Produce(_, s) | Restart(s) | Learn(s, _, _) | Deliver(s, _, _, _, _, _):
                return s
            case Finalise(h) | Revert(h):
                return self.headers[h].shard

    def run(self, move: Move) -> Wrong | None:
        """Take a move that is `possible`; `None` unless model and system part ways."""
        self.happened = ()
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
                return self._emit(move)
            case Produce():
                return self._produce(move)
            case Finalise():
                return self._finalise(move)
            case Revert():
                return self._revert(move)
            case Restart(s):
                self.call("restart", self.topology.shards[s])
                return self._sweep(s)

    def _decline(self, verb: str, answer: Refused) -> None:
        self.claim = answer
        self.declined[verb] = self.declined.get(verb, 0) + 1

    def _emit(self, move: Emit) -> None:
        number, s, d = move
        payload = b"r%d" % number
        names = self.topology.shards
        data = self._bytes("emit", names[s], names[d], payload)
        if isinstance(data, Refused):
            return self._decline("emit", data)
        slot = self.free_receipts.pop()
        self._describe(slot, s, d)
        self.oracle.generated.apply["emit"](self.world, slot)
        self.newest = max(self.newest, number)
        self.receipts[number] = Sent(number, s, d, data, payload, slot)
        self.payloads[payload] = number
        return None

    def _describe(self, slot: int, s: int, d: int) -> None:
        set_rigid = self.oracle.generated.set_rigid
        set_rigid(source, slot, s)
        set_rigid(destination, slot, d)

    def _produce(self, move: Produce) -> None:
        number, s = move
        data = self._bytes("produce", self.topology.shards[s])
        if isinstance(data, Refused):
            return self._decline("produce", data)
        slot = self.free_headers.pop()
        self.oracle.generated.set_rigid(origin, slot, s)
        self.oracle.generated.apply["produce"](self.world, slot)
        # The model lets a block say anything in the name of other shards, which no shard believes.
        # Receipts that are yet to be emitted must not be found in it later, when they have a source.
        rows = self.world[self.oracle.commits]
        rows[slot] &= self.world[self.oracle.emitted][0]
        chain = self.chains[s]
        block = Block(number, s, data, slot, chain[-1] if chain else None, self.effects_at(s), "finalise" not in self.able)
        chain.append(block)
        self.headers[number] = block
        return None

    def _finalise(self, move: Finalise) -> None:
        block = self.headers[move.header]
        data = self._bytes("finalise", self.topology.shards[block.shard], block.data)
        if isinstance(data, Refused):
            return self._decline("finalise", data)
        self.oracle.generated.apply["finalise"](self.world, block.slot)
        block.data, block.final = data, True
        return None

    def _revert(self, move: Revert) -> Wrong | None:
        block = self.headers[move.header]
        s = block.shard
        claim = self._outcome("revert", self.topology.shards[s], self.topology.shards[s], block.data)
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
        answer = [self._execution(x).payload for x in self.call("executed", name, since)]
        due = [b"r%d" % r for r in recent]
        if answer == due:
            return None
        survivors = [f"r{r}" for r in taken_back if b"r%d" % r in answer]
        differs = f"{name} still shows the effect of {', '.join(survivors)}" if survivors else (
            f"{name} shows {len(answer)} effects after the first {since}, not {len(due)}"
        )
        return self._named("reverts-atomically", "the effects that the parent had seen", "other effects", differs)

    def _learn(self, move: Learn) -> Wrong | None:
        d, h, damage = move
        name = self.topology.shards[d]
        block = self.headers.get(h)
        data = block.data if block else b""
        if damage is not None:
            data = damaged(self.adapter, Presented(b"", data, b""), damage).header
            block = self._header_of(data) or block
        unharmed = block is not None and data == block.data
        slot = block.slot if block is not None and unharmed else self.oracle.null
        self.clause = self.refuses("learn", d, slot)
        self.claim = self._outcome("learn", name, name, data)
        accepted = not isinstance(self.claim, Refused)
        if unharmed and self.clause == 0:
            if not accepted:
                return self._progress(move, d, f"{name} refuses to learn h{h}, which is final")
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
        shown = self._presented(move)
        block = self.headers.get(h)
        sent = self.receipts[r] if isinstance(r, int) else None
        if isinstance(r, Forged):
            self._describe(FORGED, r.source, r.destination)
            self.payloads[b"f%d" % r.number] = r
        honest = shown
        if damage is not None:
            honest = self._presented(move._replace(damage=None))
            # Damage may turn bytes into those of something else that really exists.
            block = self._header_of(shown.header) or block
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
            return self._progress(move, d, f"no evidence can be had for r{r} in h{h}, which commits to it")
        self.claim = self._outcome("reenter" if again else "deliver", name, Delivery(name, *shown))
        wrong = self._settle(d, block.slot if block else self.oracle.null, header)
        if wrong is not None:
            return wrong
        if due and sent is not None and sent.executed_at != d:
            how = "says that it accepted it, and executes nothing" if not isinstance(self.claim, Refused) else "refuses it"
            return self._progress(move, d, f"{name} {how}: r{r} is due")
        return None

    def _settle(self, d: int, offered: int, believed: int) -> Wrong | None:
        """
        What the system executed becomes what the model executes; forced, where the model would not.

        `offered` is the header that the relayer named; `believed` is what it looks like to one
        who takes the bytes seriously. A receipt that really is committed may be executed on either.
        """
        wrong = None
        for x in self._new_effects(d):
            number = self.payloads.get(x.payload)
            sent = self.receipts.get(number) if isinstance(number, int) else None
            name = self.topology.shards[d]
            if sent is None and self._was_forgotten(x.payload):
                again = f"{name} executed {x.payload.decode()} again, long after it was done"
                return self._named("executes-at-most-once", "refused, consumed", str(self.claim), again)
            if sent is None:
                self.effects[d].append(-1)
                what = f"{name} executed {'a receipt' if isinstance(number, Forged) else 'a payload'} that nobody emitted"
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

    def _force(self, action: str, args: tuple[int, ...], touched: dict[type, Sequence[int]], differs: str = "") -> Wrong:
        before = self.oracle.generated.copy(self.world)
        self.oracle.generated.apply[action](self.world, *args)
        broken = self.oracle.broken(before, self.world, touched)
        clause = self.refusing_clause(action, self.clause)
        if not broken:
            return Wrong(
                Kind.DIVERGENCE, "-", "follows-the-model", "an implementation that does what the model refuses is not covered by its proof",
                f"refused, {clause}", str(self.claim), clause, differs,
            )
        first = broken[0]
        return Wrong(
            Kind.SAFETY, first.id, first.name, first.because, f"refused, {clause}", str(self.claim), clause, differs,
            tuple(p.name for p in broken[1:]),
        )

    def refusing_clause(self, action: str, number: int) -> str:
        """The refusal that a clause number stands for; empty for 0."""
        return str(self.oracle.protocol.action(action).clauses[number - 1].refusal) if number else ""

    def _progress(self, move: Move, d: int, differs: str) -> Wrong:
        return self._named("delivers-what-is-due", "accepted", str(self.claim), differs, Kind.PROGRESS)

    def _named(self, name: str, expected: str, actual: str, differs: str, kind: Kind = Kind.SAFETY) -> Wrong:
        found = self.oracle.catalogue[name]
        return Wrong(kind, found.id, name, found.because, expected, actual, "", differs)

    def _header_of(self, data: bytes) -> Block | None:
        return next((b for b in self.headers.values() if b.data == data), None)

    # ---- what is shown --------------------------------------------------------------------------

    def proof(self, r: int, h: int) -> bytes | Refused:
        """Honest evidence, asked for once: a relayer keeps what it has been given."""
        known = self.proofs.get(Proof(r, h))
        if known is None:
            known = self._bytes("prove", self.receipts[r].data, self.headers[h].data)
            self.proofs[Proof(r, h)] = known
        return known

    def _presented(self, move: Deliver) -> Presented:
        _, r, h, evidence, damage, _ = move
        if isinstance(r, Forged):
            names = self.topology.shards
            receipt = self._bytes("forge", names[r.source], names[r.destination], b"f%d" % r.number)
            if isinstance(receipt, Refused):
                raise _nonsense("forge", "bytes", receipt)
        else:
            receipt = self.receipts[r].data
        header = self.headers[h].data if h != NULL else b""
        proof = self.proof(*evidence) if evidence is not None else b""
        shown = Presented(receipt, header, b"" if isinstance(proof, Refused) else proof)
        if damage is None:
            return shown
        if damage.kind == SPLICE:
            return self._spliced(shown, move, damage)
        return damaged(self.adapter, shown, damage)

    def _spliced(self, shown: Presented, move: Deliver, damage: Damage) -> Presented:
        """With something of another receipt: the field in which they first differ, or half of its evidence."""
        if damage.part == "receipt":
            return shown._replace(receipt=transplanted(shown.receipt, self.receipts[damage.number].data))
        other = self.proof(damage.number, move.evidence.header) if move.evidence is not None else b""
        half = len(shown.evidence) // 2
        return shown._replace(evidence=shown.evidence[:half] + (b"" if isinstance(other, Refused) else other[half:]))

    # ---- looking elsewhere ------------------------------------------------------------------------

    def _watch(self) -> Wrong | None:
        """An effect may show at a shard that nobody asked: one other shard is looked at after each delivery."""
        self.watched = (self.watched + 1) % len(self.topology.shards)
        return self._sweep(self.watched)

    def _sweep(self, shard: int) -> Wrong | None:
        return self._settle(shard, self.oracle.null, self.oracle.null)

    def sweep(self) -> Wrong | None:
        """Look at every shard: the end of a run."""
        for shard in range(len(self.topology.shards)):
            if wrong := self._sweep(shard):
                return wrong
        return None


def _nonsense(verb: str, expected: str, got: object) -> AdapterError:
    text = repr(got)
    return AdapterError(
        f"the adapter's answer to {verb!r} makes no sense", expected=expected,
        got=f"{type(got).__name__}: {text[:200]}", help="the contract of each verb is its docstring in shardproof/adapter.py",
    )


def _where(error: BaseException) -> str:
    """The innermost place in foreign code."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return place
