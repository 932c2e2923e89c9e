"""
What a system shows of itself, after each move, and what the model makes of it.

Effects, outcomes, responses, announcements and balances are facts; answers are claims. Each
fact is matched with what the model would have done: an effect with a delivery, an outcome with
an acknowledgement or a timeout, a response with an emission. Where the model agrees it follows,
and where it does not it is forced (`judge.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

from shardproof_models.layers.bouncing import answered, response
from shardproof_models.layers.deadlines import deadline
from shardproof_models.layers.exactly_once import Header, Receipt, executions, source
from shardproof_models.layers.failures import succeeded
from shardproof_models.layers.forwarding import first_hop, onward, travels
from shardproof_models.layers.outcomes import acknowledged, pending, refunds, succeeded_in
from shardproof_models.layers.sequencing import channel, next_send, sequence
from shardproof_models.layers.value import amount, payee, payer

from .adapter import Ended, Ending, Execution, Response
from .judge import Judge, Wrong
from .ledger import Ledger
from .moves import ANSWER, Emit, Forged, Terms, answer_to, receipt_name
from .oracle import FORGED, NEVER
from .record import Sent

#: The actions by which a sender comes to know an outcome.
TELLING = ("acknowledge", "time_out", "time_out_on_close")


@frozen
class Marks:
    """How much of each kind had been seen of a shard, and what moved there: what a reorganisation returns."""

    ended: int
    responses: int
    announced: int
    page: dict[int, int]


@define(eq=False)
class Observer(Judge):
    """One run, and all that was seen of it."""

    #: The header of the last delivery: effects that show elsewhere are taken to be evidence's doing.
    offered: int = field(init=False, default=0)
    #: Of single receipts, where a move presents more than one: the header that it presents them under.
    offers: dict[int, int] = field(init=False, factory=dict)
    #: The action of the protocol that was attempted last.
    attempted: str = field(init=False, default="")
    #: The receipt that is presented inside the callback of another, and the one whose callback shall fail.
    nested: int = field(init=False, default=-1)
    failing: int = field(init=False, default=-1)
    #: For each shard how much was seen of each kind.
    seen_ended: list[int] = field(init=False, factory=list)
    seen_responses: list[int] = field(init=False, factory=list)
    seen_announced: list[int] = field(init=False, factory=list)
    #: What each shard has announced, and how often each payload was, so that the second time is noticed.
    logs: list[list[bytes]] = field(init=False, factory=list)
    announcements: dict[bytes, int] = field(init=False, factory=dict)
    ledger: Ledger = field(init=False, factory=Ledger)
    #: What there is to look at besides effects.
    watching: frozenset[str] = field(init=False, default=frozenset())
    telling: bool = field(init=False, default=False)
    bounces: bool = field(init=False, default=False)

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        super().reset(token)
        count = len(self.topology.shards)
        self.offered, self.attempted = self.oracle.null, ""
        self.telling = "outcomes" in self.oracle.layers
        self.bounces = "bouncing" in self.oracle.layers
        kinds = {"responses", "announced", "balance", *(("ended",) if self.telling else ())}
        self.watching = frozenset(kinds & self.able)
        if not self.watching:
            return
        self.seen_ended, self.seen_responses, self.seen_announced = [0] * count, [0] * count, [0] * count
        self.announcements.clear()
        self.logs = [[] for _ in range(count)]
        if "balance" in self.able:
            self.ledger.found(self.system.balance(self.topology.shards[a]) for a in self.addresses)

    # ---- emissions --------------------------------------------------------------------------------

    def enter(self, number: int, ends: tuple[int, int], data: bytes, payload: bytes, terms: Terms) -> Sent:
        """A receipt has been emitted: a slot for it, and what the model knows of it."""
        s, d = ends
        oracle, slot = self.oracle, self.free_receipts.pop()
        oracle.describe(slot, s, d)
        sent = Sent(number, s, d, data, payload, slot, terms=terms)
        if oracle.rich:
            self._describe_terms(sent, terms)
        if number < ANSWER:
            self.newest = max(self.newest, number)
        self.receipts[number] = sent
        self.payloads[payload] = number
        return sent

    def _describe_terms(self, sent: Sent, terms: Terms) -> None:
        oracle, slot = self.oracle, sent.slot
        over = oracle.channel_of(sent.source, sent.destination, terms.channel)
        for symbol, value in (
            (deadline, NEVER if terms.deadline is None else terms.deadline),
            (channel, over),
            (sequence, oracle.read(self.world, next_send, over)),
            (amount, terms.amount),
            (payer, sent.source),
            (payee, sent.destination),
            (travels, int(terms.onward is not None)),
            (response, 0),
            (answered, FORGED),
            (onward, 0),
            (first_hop, FORGED),
        ):
            oracle.let(symbol, slot, value)

    def _respond(self, shard: int, x: Response) -> Wrong | None:
        """A shard has emitted a receipt of its own accord."""
        name = self.topology.shards[shard]
        number = self.payloads.get(x.answers)
        first = self.receipts.get(number) if isinstance(number, int) else None
        if first is None:
            if self.was_forgotten(x.answers):
                return None
            what = f"{name} answered what nobody emitted"
            return self.either("is-answered-once", "executes-only-what-was-emitted", what)
        what = f"{name} answered {receipt_name(first.number)}"
        goes_on = first.terms.onward is not None and first.executed_at >= 0 and not first.failed
        back = self._address(x.destination)
        if first.answer is not None:
            return self.either("is-answered-once", "follows-the-model", f"{what} twice")
        if not self.free_receipts:
            return None
        terms = Terms(channel=first.terms.channel, amount=first.terms.amount)
        sent = self.enter(answer_to(first.number), (first.destination, back), x.receipt, x.payload, terms)
        sent.answers, first.answer = first, sent
        self.changed.append(sent)
        oracle = self.oracle
        if goes_on:
            oracle.let(onward, sent.slot, 1)
            oracle.let(first_hop, sent.slot, first.slot)
            self.ledger.move(first.destination, -first.terms.amount, "emission")
        else:
            oracle.let(response, sent.slot, 1)
            oracle.let(answered, sent.slot, first.slot)
            if back != first.source:
                sent.destination = back
                return self.either("failures-are-answered", "follows-the-model", f"{what} to {x.destination}")
        self.happened += (what,)
        clause = self.refuses("emit", sent.slot)
        if not clause:
            oracle.generated.apply["emit"](self.world, sent.slot)
            return None
        self.clause = clause
        return self.force("emit", (sent.slot,), {Receipt: [first.slot, sent.slot]}, what)

    def _address(self, name: str) -> int:
        return self.topology.shards.index(name) if name in self.topology.shards else 0

    # ---- effects ----------------------------------------------------------------------------------

    def settle(self, d: int, offered: int, believed: int) -> Wrong | None:
        """
        What the system executed becomes what the model executes; forced, where the model would not.

        `offered` is the header that the relayer named; `believed` is what it looks like to one
        who takes the bytes seriously. A receipt that really is committed may be executed on either.
        """
        wrong = None
        name = self.topology.shards[d]
        shown = self.system.executed(name, self.effects_at(d))
        if not shown:
            return None
        # Kept in the order in which the system shows them, which is how it shows them again after a crash.
        self.effects[d].extend(self._recorded(x) for x in shown)
        if len(shown) > 1 and self.nested >= 0:
            # Recorded before its callback ran, in which another was executed.
            shown = sorted(shown, key=lambda x: self.payloads.get(x.payload) == self.nested)
        for x in shown:
            wrong = self._execute(d, x, offered, believed) or wrong
        return wrong

    def _recorded(self, x: Execution) -> int:
        """The number of the receipt that took effect; -1 where nobody emitted it, or it is forgotten."""
        number = self.payloads.get(x.payload)
        return number if isinstance(number, int) and number in self.receipts else -1

    def _execute(self, d: int, x: Execution, offered: int, believed: int) -> Wrong | None:
        name = self.topology.shards[d]
        number = self.payloads.get(x.payload)
        sent = self.receipts.get(number) if isinstance(number, int) else None
        if sent is None and self.was_forgotten(x.payload):
            again = f"{name} executed {x.payload.decode()} again, long after it was done"
            return self.named("executes-at-most-once", "refused, consumed", str(self.claim), again)
        if sent is None:
            thing = "a receipt" if isinstance(number, Forged) else "a payload"
            return self._forced_execution(d, FORGED, believed, f"{name} executed {thing} that nobody emitted")
        called = receipt_name(sent.number)
        if x.source is not None and x.source != self.topology.shards[sent.source]:
            what = f"{name} executed {called} in the name of {x.source}, which did not send it"
            if self.nested >= 0 and "callbacks-know-who-called" in self.oracle.catalogue:
                return self.named("callbacks-know-who-called", "", str(self.claim), what)
            self.oracle.describe(FORGED, sent.source, sent.destination)
            return self._forced_execution(d, FORGED, believed, what)
        if sent.number == self.failing:
            what = f"{name} executed {called}, the callback of which has failed"
            return self.either("fails-atomically", "follows-the-model", what)
        header = self.offers.get(sent.number, offered)
        returned = self.oracle.returned
        self.undoubt(d, header)
        if self.refuses("deliver", d, sent.slot, header, *returned) == 0:
            self.oracle.generated.apply["deliver"](self.world, d, sent.slot, header, *returned)
            sent.executed_at, sent.under = d, header
            self.happened += (f"{name} executed {called}",)
            self._after_execution(d, sent)
            return None
        times = sum(effects.count(sent.number) for effects in self.effects)
        what = f"{name} executed {called}" + (f" {times} times" if times > 1 else "")
        believed = self.offers.get(sent.number, believed)
        wrong = self._forced_execution(d, sent.slot, believed, what)
        if wrong is None:
            sent.executed_at, sent.under = d, believed
            self._after_execution(d, sent)
        return wrong

    def undoubt(self, d: int, header: int) -> None:
        """A shard has acted on a header that it may have learned: so it has learned it."""
        if (d, header) not in self.doubtful:
            return
        if self.refuses("deliver", d, FORGED, header, *self.oracle.returned) == 1:
            self.oracle.generated.apply["learn"](self.world, d, header)
        self.doubtful.discard((d, header))

    def _after_execution(self, d: int, sent: Sent) -> None:
        self.changed.append(sent)
        if self.watching:
            self.ledger.move(sent.destination, sent.terms.amount, "execution")
        if self.telling:
            self.write_acknowledgement(d, sent)

    def fail(self, d: int, sent: Sent, header: int) -> None:
        """The model follows a delivery whose callback failed."""
        self.oracle.generated.apply["deliver"](self.world, d, sent.slot, header, *self.oracle.failed)
        sent.executed_at, sent.under, sent.failed = d, header, True
        self.happened += (f"{self.topology.shards[d]} dealt with {receipt_name(sent.number)}, which failed",)
        self.changed.append(sent)
        self.ledger.move(sent.destination, 0, "failure")
        if self.telling:
            self.write_acknowledgement(d, sent)

    def write_acknowledgement(self, d: int, sent: Sent) -> None:
        """The outcome is provable from the next block on: that is what implementations are held to."""
        if not self.refuses("write_acknowledgement", d, sent.slot):
            self.oracle.generated.apply["write_acknowledgement"](self.world, d, sent.slot)

    def was_forgotten(self, payload: bytes) -> bool:
        """Whether it is that of a receipt which was emitted, and is no longer kept in mind."""
        match = re.fullmatch(rb"r(\d{1,9})", payload)
        return match is not None and int(match[1]) <= self.newest and int(match[1]) not in self.receipts

    def _forced_execution(self, d: int, slot: int, header: int, differs: str) -> Wrong | None:
        self.happened += (differs,)
        clause = self.refuses("deliver", d, slot, header, *self.oracle.returned)
        self.clause = clause or self.clause
        touched: dict[type, Sequence[int]] = {Receipt: [slot], Header: [header]}
        return self.force("deliver", (d, slot, header, *self.oracle.returned), touched, differs)

    # ---- everything else --------------------------------------------------------------------------

    def look(self, shards: Iterable[int]) -> Wrong | None:
        """What there is to be seen at some shards besides effects."""
        for s in shards:
            wrong = self.look_at(s)
            if wrong is not None:
                return wrong
        return None

    def look_at(self, s: int) -> Wrong | None:
        """What there is to be seen at a shard besides effects."""
        name, watching, wrong = self.topology.shards[s], self.watching, None
        if "ended" in watching:
            for x in self.system.ended(name, self.seen_ended[s]):
                self.seen_ended[s] += 1
                wrong = self._told(s, x) or wrong
        if "responses" in watching:
            for r in self.system.responses(name, self.seen_responses[s]):
                self.seen_responses[s] += 1
                wrong = self._respond(s, r) or wrong
        if "announced" in watching and wrong is None:
            for payload in self.system.announced(name, self.seen_announced[s]):
                self.seen_announced[s] += 1
                wrong = self._announced(s, payload) or wrong
        if "balance" in watching and wrong is None:
            wrong = self._balance(s)
        return wrong

    def _told(self, s: int, x: Ended) -> Wrong | None:
        """A sender was told an outcome."""
        name = self.topology.shards[s]
        number = self.payloads.get(x.payload)
        sent = self.receipts.get(number) if isinstance(number, int) else None
        what = f"{name} was told that {x.payload.decode(errors='replace')} {x.ending.value}"
        if sent is None:
            if self.was_forgotten(x.payload):
                return self.named("has-one-outcome", "refused, not pending", str(self.claim), what)
            return self._forced_outcome(FORGED, x.ending, what)
        what = f"{name} was told that {receipt_name(sent.number)} {x.ending.value}"
        header = self.offered
        attempts = [self.attempted] if self.attempted in TELLING else []
        if attempts:
            self.undoubt(s, header)
        for action in attempts:
            if self.refuses(action, s, sent.slot, header) == 0 and x.ending is self._ending(
                action, sent, header
            ):
                self.oracle.generated.apply[action](self.world, s, sent.slot, header)
                sent.told = x.ending
                self.happened += (what,)
                self.changed.append(sent)
                self._after_outcome(s, sent, x.ending)
                return None
        if attempts:
            self.clause = self.refuses(attempts[0], s, sent.slot, header)
        wrong = self._forced_outcome(sent.slot, x.ending, what)
        sent.told = sent.told or x.ending
        self.changed.append(sent)
        if wrong is None:
            self._after_outcome(s, sent, x.ending)
        return wrong

    def _ending(self, action: str, sent: Sent, header: int) -> Ending:
        if action != "acknowledge":
            return Ending.EXPIRED
        proved = self.oracle.read(self.world, succeeded_in, header, sent.slot)
        return Ending.SUCCEEDED if proved else Ending.FAILED

    def _after_outcome(self, s: int, sent: Sent, ending: Ending) -> None:
        first = sent.answers
        if ending is not Ending.SUCCEEDED:
            # The middle of a journey gives back what it was credited, as it is given back what it sent on.
            self.ledger.move(sent.source, 0 if first else sent.terms.amount, "return" if first else "refund")
        if first is not None:
            first.failed = ending is not Ending.SUCCEEDED
            self.write_acknowledgement(s, first)
            self.changed.append(first)

    def _forced_outcome(self, slot: int, ending: Ending, what: str) -> Wrong | None:
        self.happened += (what,)
        oracle, world = self.oracle, self.world
        before = oracle.generated.copy(world)
        if ending is Ending.SUCCEEDED:
            oracle.write(world, acknowledged, slot, oracle.read(world, acknowledged, slot) + 1)
            oracle.write(world, pending, slot, 0)
        else:
            oracle.generated.apply["time_out"](world, oracle.rigid(source, slot), slot, self.offered)
        touched: dict[type, Sequence[int]] = {Receipt: [slot], Header: [self.offered]}
        action = self.attempted if self.attempted in TELLING else TELLING[0]
        return self.judged(before, touched, action, what)

    def _announced(self, s: int, payload: bytes) -> Wrong | None:
        """The log of a shard says that a receipt took effect."""
        name = self.topology.shards[s]
        number = self.payloads.get(payload)
        sent = self.receipts.get(number) if isinstance(number, int) else None
        if sent is None and self.was_forgotten(payload):
            self.logs[s].append(payload)
            self.announcements.setdefault(payload, 1)
            return None
        times = self.announcements[payload] = self.announcements.get(payload, 0) + 1
        self.logs[s].append(payload)
        if sent is not None and sent.executed_at >= 0 and times == 1:
            effective = self.oracle.read(self.world, succeeded, sent.executed_at, sent.slot)
            # A journey that came back had been announced when it went on; a failure that is answered was not.
            went_on = sent.answer is not None and not self.bounces
            if effective or went_on or not self.oracle.failed:
                return None
        called = receipt_name(sent.number) if sent else "what nobody emitted"
        what = f"the log of {name} announces {called}" + (f" {times} times" if times > 1 else "")
        return self.either("announces-only-effects", "fails-atomically", what)

    def _balance(self, s: int) -> Wrong | None:
        """What users hold is what the ledger says."""
        if not self.lives(s):
            return None
        due = self.ledger.holds(self.held_by(s))
        held = self.system.balance(self.topology.shards[s])
        if held == due:
            return None
        kind = self.ledger.kinds[-1] if self.ledger.kinds else ""
        name = {
            "emission": "emission-debits-what-is-carried",
            "execution": "execution-credits-what-is-carried",
            "failure": "failure-credits-nothing",
            "refund": "refund-returns-what-was-carried",
        }.get(kind, "books-balance")
        what = f"users of {self.topology.shards[s]} hold {held - due:+d} of what they should"
        return self.either(name, "books-balance", what)

    def either(self, name: str, other: str, what: str) -> Wrong:
        """A finding under the first of two sentences that is claimed of this stack."""
        self.happened += (what,)
        if name not in self.oracle.catalogue:
            name = other if other in self.oracle.catalogue else "executes-only-what-was-emitted"
        return self.named(name, "", str(self.claim), what)

    # ---- reorganisations --------------------------------------------------------------------------

    def marks(self, s: int) -> Marks:
        """How much was seen of a shard until now."""
        page = self.ledger.page(self.held_by(s))
        return Marks(self.seen_ended[s], self.seen_responses[s], self.seen_announced[s], page)

    def return_to(self, s: int, marks: Marks) -> None:
        """The shard is as it was when the marks were made; receipts are what the model says of them."""
        self.seen_ended[s], self.seen_responses[s] = marks.ended, marks.responses
        taken_back = self.seen_announced[s] - marks.announced
        self.seen_announced[s] = marks.announced
        log = self.logs[s]
        for _ in range(min(taken_back, len(log))):
            self.announcements[log.pop()] -= 1
        self.ledger.turn_back(marks.page)
        self.recall()

    def recall(self) -> None:
        """What is known of each receipt, read from the model again."""
        read, world = self.oracle.read, self.world
        for sent in self.receipts.values():
            if self.telling and sent.told and not read(world, pending, sent.slot):
                told = read(world, acknowledged, sent.slot) + read(world, refunds, sent.slot)
                sent.told = sent.told if told else None
            else:
                sent.told = None
            if sent.executed_at >= 0 and not read(world, executions, sent.executed_at, sent.slot):
                sent.executed_at = sent.under = -1
                sent.failed = False
        for sent in self.receipts.values():
            if sent.answer is not None and not self.emitted(sent.answer):
                sent.answer = None

    def paid(self, move: Emit) -> None:
        """The ledger follows an emission that a user has paid for."""
        if self.watching and move.terms is not None:
            self.ledger.move(move.source, -move.terms.amount, "emission")
