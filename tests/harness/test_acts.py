"""What is judged beside the main road: outcomes, ledgers, failures, links, power, heirs and beliefs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from attrs import evolve

from shardproof import trace_file
from shardproof.acts import LEAKED, MADE_UP, UNSIGNED
from shardproof.adapter import (
    ACCEPTED,
    CAPABILITIES,
    Adapter,
    Delivery,
    Ended,
    Ending,
    Execution,
    Message,
    Outcome,
    Refused,
    Response,
    Topology,
    capabilities,
)
from shardproof.adapters.messaging import (
    BridgeAdapter,
    EverythingAdapter,
    IbcAllowTimeoutAdapter,
    IbcOrderedAdapter,
    IbcUnorderedAdapter,
    OptimisticBridgeAdapter,
)
from shardproof.adapters.promises import ActorsAdapter, InboxAdapter, NearAdapter
from shardproof.adversary import Damage
from shardproof.deeds import DEEDS, Decides
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.lockstep import Lockstep, Wrong
from shardproof.moves import (
    NULL,
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
    Terms,
    answer_to,
    move_of,
    receipt_name,
    step_of,
)
from shardproof.oracle import Oracle
from shardproof.relaying import next_step
from shardproof.replay import replay
from shardproof.runs import Bench, renumbered, trace_of
from shardproof.schedule import Schedule
from shardproof.shrink import Shrinker
from shardproof.trace import ARGUMENTS, OPTIONAL, Search
from shardproof.verdict import Kind, Verdict
from shardproof_models.stacks import composed, layers_for

A, B, C = range(3)


def bench(adapter: Adapter, reserve: int = 0) -> Bench:
    """Three shards, and as many as may be founded later."""
    protocol = composed(layers_for(capabilities(adapter), adapter.stack))
    oracle = Oracle(protocol, 3 + reserve, receipts=40, headers=40, reserve=reserve)
    return Bench(adapter, oracle, Topology(Topology.of(3 + reserve).shards, reserve))


def taken(lock: Lockstep, moves: Sequence[Move]) -> Wrong | None:
    """All of them must be possible; the first divergence, if any."""
    for move in moves:
        assert lock.possible(move), move
        if wrong := lock.run(move):
            return wrong
    return None


def sent(number: int, s: int, d: int, **terms: int) -> Emit:
    """A receipt that carries one unit of value, unless it is said otherwise."""
    return Emit(number, s, d, Terms(**{"amount": 1, **terms}))  # type: ignore[arg-type]


def shown(s: int, d: int, header: int) -> list[Move]:
    """A block of one shard that another believes."""
    return [Produce(header, s), Finalise(header), Learn(d, header)]


def delivered(number: int, d: int, header: int, *, fails: bool = False) -> Deliver:
    """An honest delivery."""
    return Deliver(d, number, header, Proof(number, header), fails=fails)


def told(deed: str, number: int, at: int, header: int) -> Act:
    """An honest outcome."""
    return Act(deed, at, number, header, Proof(number, header))


#: From A to B, and back to A what became of it.
ACKNOWLEDGED: list[Move] = [
    sent(0, A, B, deadline=9),
    *shown(A, B, 0),
    delivered(0, B, 0),
    *shown(B, A, 1),
    told("acknowledge", 0, A, 1),
]

TICK = Act("advance_clock", B)
EXPIRED: list[Move] = [
    sent(0, A, B, deadline=1),
    TICK,
    TICK,
    *shown(B, A, 0),
    told("time_out", 0, A, 0),
]


class TestTable:
    def test_every_deed_is_a_verb_with_arguments_that_traces_know(self) -> None:
        """Adding a line to the table is enough, where its words are those of the seam and of the format."""
        for deed in DEEDS.values():
            assert deed.verb in CAPABILITIES
            assert {*ARGUMENTS[deed.verb]} - OPTIONAL == {*deed.arguments}
            assert bool(deed.action) == (deed.decides in (Decides.SYSTEM, Decides.ENVIRONMENT))

    @pytest.mark.parametrize(
        "move",
        [
            Emit(3, A, B, Terms(1, 7, 5, 6, 1, 2, C)),
            Emit(0, A, B, Terms(takeover=True)),
            Deliver(B, 0, 1, Proof(0, 1), fails=True),
            Deliver(B, 0, 1, Proof(0, 1), inner=Proof(answer_to(2), 3)),
            Act("acknowledge", A, answer_to(answer_to(4)), 2, Proof(4, 2), Damage("evidence", "flip", 3)),
            Act("time_out", A, Forged(1, A, B), -1),
            Act("close_channel", B, other=A, number=1),
            Act("split", A, other=B, another=C),
            Act("crash", A, number=3),
            Act("claim", A, header=4),
            Act("forge_header", B, Forged(2, A, B), number=LEAKED),
            Act("prune", A),
        ],
    )
    def test_a_move_is_a_step_and_back(self, move: Move) -> None:
        """What a trace says of a move is all of it."""
        shards = ("A", "B", "C")

        assert move_of(step_of(move, shards, "A"), shards) == move

    def test_what_a_shard_emits_is_named_after_what_made_it(self) -> None:
        """So that a trace in which other receipts are missing still means the same."""
        assert receipt_name(answer_to(answer_to(7))) == "answer:answer:r7"
        assert renumbered([Act("acknowledge", A, answer_to(7), 9, Proof(answer_to(7), 9))]) == (
            Act("acknowledge", A, answer_to(0), 0, Proof(answer_to(0), 0)),
        )


class TestOutcomes:
    def test_a_sender_is_told_of_success(self) -> None:
        """The main road of an acknowledgement, and the second one refused by its clause."""
        lock = bench(IbcUnorderedAdapter()).fresh()

        assert taken(lock, ACKNOWLEDGED) is None
        assert lock.happened == ("A was told that r0 succeeded",)
        assert taken(lock, ACKNOWLEDGED[-1:]) is None
        assert lock.refusing_clause("acknowledge", lock.clause) == "not pending"

    def test_a_sender_is_refunded_for_a_failure_and_for_an_expiry(self) -> None:
        """Both give back what was paid, and balances say so at each step."""
        lock = bench(IbcUnorderedAdapter()).fresh()
        failed = [m._replace(fails=True) if isinstance(m, Deliver) else m for m in ACKNOWLEDGED]

        assert taken(lock, failed) is None
        assert lock.receipts[0].told is Ending.FAILED
        lock = bench(IbcUnorderedAdapter()).fresh()
        assert taken(lock, EXPIRED) is None
        assert lock.receipts[0].told is Ending.EXPIRED

    @pytest.mark.parametrize(
        "before, attempt, clause",
        [
            (ACKNOWLEDGED[:4], told("acknowledge", 0, A, 0), "wrong source"),
            ([*EXPIRED[:1], *shown(B, A, 0)], told("time_out", 0, A, 0), "not elapsed"),
            (EXPIRED[:-2], told("time_out", 0, A, 0), "untrusted header"),
            (ACKNOWLEDGED[:-1], told("time_out_on_close", 0, A, 1), "not closed"),
        ],
    )
    def test_each_wrong_attempt_is_refused_by_its_clause(
        self, before: list[Move], attempt: Act, clause: str
    ) -> None:
        """The model's refusal, and the reference agrees that it is one."""
        lock = bench(IbcUnorderedAdapter()).fresh()
        before = [m for m in before if not (attempt.header == 0 and m == Learn(A, 0) and clause[0] == "u")]

        # Who sent it believes the header in question, or it would be refused for that.
        own = [] if clause != "wrong source" else [Learn(A, 0)]
        assert taken(lock, [*before, *own, attempt]) is None
        assert lock.refusing_clause(DEEDS[attempt.deed].action, lock.clause) == clause
        assert isinstance(lock.claim, Refused)

    def test_a_refusal_of_what_is_due_is_a_finding(self) -> None:
        """A sender who is never told waits for ever."""

        class Deaf(IbcUnorderedAdapter):
            def acknowledge(self, delivery: Delivery) -> Outcome:
                return Refused("not listening")

        wrong = taken(bench(Deaf()).fresh(), ACKNOWLEDGED)

        assert wrong is not None
        assert (wrong.kind, wrong.id, wrong.property) == (Kind.PROGRESS, "Q2", "reaches-an-outcome")

    def test_a_lie_about_the_outcome_is_one(self) -> None:
        """What was executed is reported as failed, and refunded."""

        class Liar(IbcUnorderedAdapter):
            def ended(self, shard: str, since: int) -> Sequence[Ended]:
                return [Ended(x.payload, Ending.FAILED) for x in super().ended(shard, since)]

        wrong = taken(bench(Liar()).fresh(), ACKNOWLEDGED)

        assert wrong is not None
        assert (wrong.id, wrong.property) == ("P04", "never-both")

    def test_an_early_refund_is_watched_until_the_delivery_that_makes_it_two(self) -> None:
        """It breaks nothing by itself, so the run goes on; what comes of it has the name."""

        class Hasty(IbcUnorderedAdapter):
            def time_out(self, delivery: Delivery) -> Outcome:
                for shard in self._shards.values():
                    shard.has_elapsed = lambda *_: True  # type: ignore[attr-defined]
                return super().time_out(delivery)

        moves = [sent(0, A, B, deadline=9), *shown(A, B, 0), *shown(B, A, 1), told("time_out", 0, A, 1)]
        lock = bench(Hasty()).fresh()

        assert taken(lock, moves) is None
        assert lock.astray is not None
        assert lock.sweep() == lock.astray, "at the end of a run it is told as it is"
        wrong = taken(lock, [delivered(0, B, 0)])
        assert wrong is not None
        assert (wrong.kind, wrong.property) == (Kind.SAFETY, "never-both")

    def test_one_unit_of_hesitation_at_a_deadline_is_no_finding(self) -> None:
        """The negative control of the record: `>` where `>=` would do (cosmos/ibc issue 827)."""

        class Strict(IbcUnorderedAdapter):
            hesitates = True

            def time_out(self, delivery: Delivery) -> Outcome:
                at_the_deadline = b"r0" in delivery.receipt and self.hesitates
                return Refused("not elapsed") if at_the_deadline else super().time_out(delivery)

        once = [sent(0, A, B, deadline=2), TICK, TICK, *shown(B, A, 0), told("time_out", 0, A, 0)]
        lock = bench(Strict()).fresh()

        assert taken(lock, once) is None
        wrong = taken(lock, [TICK, *shown(B, A, 1), told("time_out", 0, A, 1)])
        assert wrong is not None
        assert wrong.property == "reaches-an-outcome"

    def test_an_expiry_that_waits_for_the_senders_clock_is_named_so(self) -> None:
        """A twin run, in which the clock of the sender stands elsewhere, tells."""

        class Comparing(IbcUnorderedAdapter):
            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.ticks = dict.fromkeys(topology.shards, 0)

            def advance_clock(self, shard: str) -> None:
                self.ticks[shard] += 1
                super().advance_clock(shard)

            def time_out(self, delivery: Delivery) -> Outcome:
                late = self.ticks[delivery.destination] >= 2
                return super().time_out(delivery) if late else Refused("not elapsed")

        found = bench(Comparing()).first(EXPIRED)

        assert found is not None
        assert (found.wrong.id, found.wrong.property) == ("Q3", "attains-its-deadline")

    def test_what_expired_in_its_turn_is_skipped_and_its_sender_told(self) -> None:
        """An ordered channel goes on past what has expired, of which there is no acknowledgement."""
        moves = [
            sent(0, A, B, deadline=1),
            sent(1, A, B),
            *shown(A, B, 0),
            TICK,
            Act("skip", B, 0, 0, Proof(0, 0)),
            delivered(1, B, 0),
            TICK,
            *shown(B, A, 1),
            told("acknowledge", 0, A, 1),
            told("time_out", 0, A, 1),
        ]
        lock = bench(IbcAllowTimeoutAdapter()).fresh()

        assert taken(lock, moves) is None
        assert lock.sweep() is None
        assert lock.receipts[0].told is Ending.EXPIRED
        assert lock.receipts[1].executed_at == B

    def test_relayers_go_on_past_what_its_sender_has_given_up(self) -> None:
        """What expired is skipped though its sender was told before; what was skipped is told after."""
        lock = bench(IbcAllowTimeoutAdapter()).fresh()
        schedule = Schedule(lock, {})

        def relayed(number: int) -> Move:
            for _ in range(20):
                move = next_step(schedule, lock.receipts[number])
                assert move is not None
                assert lock.run(move) is None
                schedule.note(move)
                if isinstance(move, Act) and move.deed in ("skip", "time_out"):
                    return move
            raise AssertionError("the receipt was never dealt with")

        emitted = [sent(0, A, B, deadline=1), sent(1, A, B), sent(2, A, B, channel=1, deadline=1)]
        moves: list[Move] = [*emitted, TICK, TICK, *shown(B, A, 10), told("time_out", 0, A, 10)]
        for move in moves:
            assert lock.run(move) is None
            schedule.note(move)

        assert lock.receipts[0].told is Ending.EXPIRED
        assert relayed(1)[:3] == ("skip", B, 0)
        assert [relayed(2)[:3] for _ in range(2)] == [("skip", B, 2), ("time_out", A, 2)]
        assert lock.receipts[2].told is Ending.EXPIRED

    def test_a_client_has_the_benefit_of_the_doubt_for_outcomes_and_failures(self) -> None:
        """Who accepts a damaged copy of a final header may act on it: tell, skip, or fail."""

        class Lenient(IbcAllowTimeoutAdapter):
            def finalise(self, shard: str, header: bytes) -> bytes | Refused:
                self.last = super().finalise(shard, header)
                return self.last

            def learn(self, shard: str, header: bytes) -> Outcome:
                assert isinstance(self.last, bytes)
                return super().learn(shard, self.last)

        def doubted(s: int, d: int, header: int) -> list[Move]:
            return [Produce(header, s), Finalise(header), Learn(d, header, Damage("header", "flip", 7))]

        skip = Act("skip", B, 0, 0, Proof(0, 0))
        acknowledged = [
            sent(0, A, B, deadline=9),
            *shown(A, B, 0),
            delivered(0, B, 0),
            *doubted(B, A, 1),
            told("acknowledge", 0, A, 1),
        ]
        skipped = [sent(0, A, B, deadline=1), TICK, *doubted(A, B, 0), skip]
        failed = [sent(0, A, B), *doubted(A, B, 0), delivered(0, B, 0, fails=True)]

        for moves in (acknowledged, skipped, failed):
            lock = bench(Lenient()).fresh()
            assert taken(lock, moves) is None
            assert lock.sweep() is None
            assert lock.receipts[0].executed_at == B
            assert not lock.doubtful
            # Nobody doubts any more, so the same is not due a second time.
            again = moves[-1]._replace(fails=False) if isinstance(moves[-1], Deliver) else moves[-1]
            assert taken(lock, [Learn(B, 0), again]) is None

    def test_order_is_judged(self) -> None:
        """What is executed out of turn breaks the sentence about prefixes."""

        class Eager(IbcOrderedAdapter):
            def deliver(self, delivery: Delivery) -> Outcome:
                for shard in self._shards.values():
                    shard.due = lambda r: r.sequence  # type: ignore[attr-defined]
                return super().deliver(delivery)

        wrong = taken(
            bench(Eager()).fresh(), [sent(0, A, B), sent(1, A, B), *shown(A, B, 0), delivered(1, B, 0)]
        )

        assert wrong is not None
        assert (wrong.id, wrong.property) == ("P07", "executes-a-prefix")


class TestLedger:
    @pytest.mark.parametrize(
        "at, moves, name",
        [
            ("A", ACKNOWLEDGED[:1], "emission-debits-what-is-carried"),
            ("B", ACKNOWLEDGED[:5], "execution-credits-what-is-carried"),
            ("B", ACKNOWLEDGED[:6], "books-balance"),
            ("A", EXPIRED, "refund-returns-what-was-carried"),
        ],
    )
    def test_a_difference_is_named_by_what_has_just_moved(
        self, at: str, moves: list[Move], name: str
    ) -> None:
        """One unit too much, from the last of the moves on."""

        class Counterfeit(IbcUnorderedAdapter):
            extra = 0

            def balance(self, shard: str) -> int:
                return super().balance(shard) + (self.extra and shard == at)

        adapter = Counterfeit()
        lock = bench(adapter).fresh()
        assert taken(lock, moves[:-1]) is None
        adapter.extra = 1
        wrong = taken(lock, moves[-1:])

        assert wrong is not None
        expected = name if name in lock.oracle.catalogue else "books-balance"
        assert wrong.property == expected
        assert wrong.differs == f"users of {at} hold +1 of what they should"


class TestFailures:
    FAILED = (sent(0, A, B), *shown(A, B, 0), delivered(0, B, 0, fails=True))

    def test_a_failure_is_answered_and_the_answer_arrives(self) -> None:
        """The response is a receipt like any other, and brings back what was paid."""
        back = answer_to(0)
        lock = bench(NearAdapter()).fresh()

        assert taken(lock, [*self.FAILED, *shown(B, A, 1), delivered(back, A, 1)]) is None
        assert lock.happened == ("A executed answer:r0",)
        assert taken(lock, [delivered(back, A, 1)]) is None
        assert lock.refusing_clause("deliver", lock.clause) == "consumed"

    def test_no_answer_is_a_loss_and_two_are_one_too_many(self) -> None:
        """P21, and P05."""

        class Silent(NearAdapter):
            def responses(self, shard: str, since: int) -> Sequence[Response]:
                return []

        class Stuttering(NearAdapter):
            def responses(self, shard: str, since: int) -> Sequence[Response]:
                return [x for x in super().responses(shard, 0) for _ in range(2)][since:]

        found = {bench(a).first(self.FAILED).wrong.property for a in (Silent(), Stuttering())}  # type: ignore[union-attr]

        assert found == {"failures-are-answered", "is-answered-once"}

    def test_a_response_without_a_callback_is_credited_or_refused(self) -> None:
        """Nothing of it can fail: both are right, and it is executed once."""

        class Crediting(NearAdapter):
            def deliver_failing(self, delivery: Delivery) -> Outcome:
                failed = super().deliver_failing(delivery)
                return self.deliver(delivery) if failed == Refused("a response cannot fail") else failed

        back = answer_to(0)
        for adapter, executed in ((NearAdapter(), -1), (Crediting(), A)):
            lock = bench(adapter).fresh()
            moves = [*self.FAILED, *shown(B, A, 1), delivered(back, A, 1, fails=True)]
            assert taken(lock, moves) is None
            assert lock.refusing_clause("deliver", lock.clause) == "a response cannot fail"
            assert lock.receipts[back].executed_at == executed
            assert taken(lock, [delivered(back, A, 1)]) is None
            assert lock.receipts[back].executed_at == A
            assert lock.sweep() is None

    def test_what_survives_of_a_failure_is_seen(self) -> None:
        """An event of it in the log, or its effect."""

        class Loud(IbcUnorderedAdapter):
            def deliver_failing(self, delivery: Delivery) -> Outcome:
                self.failed = True
                return super().deliver_failing(delivery)

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.failed = False

            def announced(self, shard: str, since: int) -> Sequence[bytes]:
                return [b"r0"][since:] if self.failed and shard == "B" else []

        class Effective(IbcUnorderedAdapter):
            def deliver_failing(self, delivery: Delivery) -> Outcome:
                return self.deliver(delivery)

        found = [bench(a).first(self.FAILED) for a in (Loud(), Effective())]

        assert [f and f.wrong.property for f in found] == ["announces-only-effects", "fails-atomically"]

    def test_a_callback_within_a_callback_does_not_confuse_who_called(self) -> None:
        """Both are executed, each in its own name."""
        moves = [sent(0, A, B), sent(1, C, B), *shown(A, B, 0), *shown(C, B, 1)]
        nested = Deliver(B, 0, 0, Proof(0, 0), inner=Proof(1, 1))
        lock = bench(NearAdapter()).fresh()

        assert taken(lock, [*moves, nested]) is None
        assert sorted(lock.happened) == ["B executed r0", "B executed r1"]


class TestLinks:
    def test_an_emptied_link_must_take_requests_again(self) -> None:
        """Once what was in the way is gone, so is the reason to refuse."""

        class Stuck(ActorsAdapter):
            full = False

            def send(self, message: Message) -> bytes | Refused:
                return Refused("suspended") if self.full else super().send(message)

        plain = Terms()
        adapter = Stuck()
        lock = bench(adapter).fresh()
        assert taken(lock, [Emit(0, A, B, plain)]) is None
        adapter.full = True
        drain = Act("drain", A, other=B)
        again = taken(lock, [drain, drain, Emit(2, A, B, plain)])
        assert again is not None
        assert (again.id, again.property) == ("Q7", "resumes-when-drained")

    def test_a_link_that_is_full_for_all_others_is_found(self) -> None:
        """The twin run in which nothing was sent on the other link tells one from a link that is stuck."""

        class Shared(ActorsAdapter):
            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.waiting = 0

            def send(self, message: Message) -> bytes | Refused:
                self.waiting += 1
                return Refused("full") if self.waiting > 1 else super().send(message)

        class Closed(ActorsAdapter):
            def send(self, message: Message) -> bytes | Refused:
                return Refused("full") if message.destination == "C" else super().send(message)

        sends = [Emit(0, A, B, Terms()), Emit(1, A, C, Terms())]
        shared, closed = bench(Shared()).first(sends), bench(Closed()).first(sends)

        assert shared is not None
        assert (shared.wrong.id, shared.wrong.property) == ("Q4", "waits-for-no-other-shard")
        assert closed is not None
        assert closed.wrong.property == "resumes-when-drained"

    def test_a_link_on_which_something_waits_must_carry_it_away(self) -> None:
        """Or two of them wait for each other for ever."""

        class Jammed(ActorsAdapter):
            def drain(self, source: str, destination: str) -> Outcome:
                return Refused("no room there")

        wrong = taken(bench(Jammed()).fresh(), [Emit(0, A, B, Terms()), Act("drain", A, other=B)])

        assert wrong is not None
        assert (wrong.id, wrong.property) == ("Q6", "finds-room-again")


class TestState:
    def test_what_a_crash_interrupts_has_happened_or_has_not(self) -> None:
        """Whatever the number of writes, a second delivery brings it to the same end."""
        for writes in range(5):
            moves: list[Move] = [
                Emit(0, A, B),
                Produce(0, A),
                Act("crash", B, number=writes),
                delivered(0, B, 0),
                delivered(0, B, 0),
            ]
            lock = bench(InboxAdapter()).fresh()

            assert taken(lock, moves) is None
            assert lock.receipts[0].executed_at == B

    def test_a_crash_keeps_the_order_in_which_nested_effects_were_seen(self) -> None:
        """The outer call was recorded first and took effect last: a system may show either order, but one."""

        class Shuffled(EverythingAdapter):
            def crash(self, shard: str, writes: int) -> None:
                super().crash(shard, writes)
                self.crashed = True

            def executed(self, shard: str, since: int) -> Sequence[Execution]:
                seen = [*super().executed(shard, 0)]
                return seen[::-1][since:] if getattr(self, "crashed", False) else seen[since:]

        nested = Deliver(B, 1, 0, Proof(1, 0), inner=Proof(0, 0))
        refused = Deliver(B, 1, NULL, None)
        moves = [
            sent(0, A, B),
            sent(1, A, B, channel=1),
            *shown(A, B, 0),
            nested,
            Act("crash", B, number=0),
            refused,
        ]

        assert taken(bench(EverythingAdapter()).fresh(), moves) is None
        wrong = taken(bench(Shuffled()).fresh(), moves)
        assert wrong is not None
        assert wrong.property == "survives-a-crash"

    def test_what_a_crash_takes_of_the_past_is_a_finding(self) -> None:
        """Effects that were seen are gone."""

        class Forgetful(InboxAdapter):
            def crash(self, shard: str, writes: int) -> None:
                self._shards[shard].executed.clear()

        moves: list[Move] = [Emit(0, A, B), Produce(0, A), delivered(0, B, 0)]
        again: list[Move] = [Act("crash", B, number=0), delivered(0, B, 0)]
        wrong = taken(bench(Forgetful()).fresh(), [*moves, *again])

        assert wrong is not None
        assert (wrong.id, wrong.property) == ("P18", "survives-a-crash")

    def test_nodes_that_disagree_and_restarts_that_forget_are_findings(self) -> None:
        """Digests are compared, of two nodes and of before and after."""

        class Odd(NearAdapter):
            def replicate(self, shard: str) -> bytes:
                return b"another"

        class Drifting(NearAdapter):
            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.starts = count()

            def state_root(self, shard: str) -> bytes:
                return b"%d" % next(self.starts)

        wrong = taken(bench(Odd()).fresh(), [Act("replicate", A)])
        assert wrong is not None
        assert (wrong.id, wrong.property) == ("P25", "replicas-agree")
        wrong = taken(bench(Drifting()).fresh(), [Restart(A)])
        assert wrong is not None
        assert (wrong.id, wrong.property) == ("P19", "restarts-as-it-was")

    def test_heirs_know_what_was_executed_and_answer_for_it(self) -> None:
        """Before a split and after it, whoever answers for an address has its records."""
        d, e = 3, 4
        moves = [
            sent(0, A, B),
            sent(1, A, B),
            *shown(A, B, 0),
            delivered(0, B, 0),
            Act("split", B, other=d, another=e),
            Learn(e, 0),
        ]
        lock = bench(NearAdapter(), reserve=3).fresh()

        assert taken(lock, moves) is None
        # B is at an odd place, so it went to the second child.
        assert lock.owner(B) == e
        assert taken(lock, [delivered(0, e, 0)]) is None
        assert lock.refusing_clause("deliver", lock.clause) == "consumed"
        assert taken(lock, [delivered(1, B, 0)]) is None
        assert lock.refusing_clause("deliver", lock.clause) == "wrong destination"
        assert taken(lock, [delivered(1, e, 0)]) is None
        assert lock.receipts[1].executed_at == e


class TestBelief:
    @pytest.mark.parametrize(
        "how, name",
        [
            (UNSIGNED, "trusts-only-produced-headers"),
            (MADE_UP, "knows-only-elected-validators"),
            (LEAKED, "trusts-only-produced-headers"),
        ],
    )
    def test_a_forged_header_that_is_believed_is_named_by_how_it_was_signed(
        self, how: int, name: str
    ) -> None:
        """And one that is refused is nothing."""

        class Credulous(BridgeAdapter):
            def learn(self, shard: str, header: bytes) -> Outcome:
                return ACCEPTED

        attempt = [Act("forge_header", B, Forged(0, A, B), number=how)]

        assert taken(bench(BridgeAdapter()).fresh(), attempt) is None
        wrong = taken(bench(Credulous()).fresh(), attempt)
        assert wrong is not None
        assert wrong.property == name

    def test_a_second_set_up_is_a_finding_whatever_comes_of_it(self) -> None:
        """Who can set up a light client again can set it up for himself."""

        class Open(BridgeAdapter):
            def initialise(self, shard: str, of: str) -> Outcome:
                return ACCEPTED

        attempt = [Act("initialise", B, other=A)]

        assert taken(bench(BridgeAdapter()).fresh(), attempt) is None
        wrong = taken(bench(Open()).fresh(), attempt)
        assert wrong is not None
        assert (wrong.id, wrong.property) == ("P11", "is-set-up-once")

    def test_a_header_of_new_validators_is_due_once_they_were_announced(self) -> None:
        """Before that its refusal is nothing, after it a light client that does not go on."""

        class Stopped(BridgeAdapter):
            def learn_validators(self, shard: str, header: bytes) -> Outcome:
                return ACCEPTED

        before: list[Move] = [*shown(A, B, 0), Act("rotate", A), *shown(A, B, 1)]
        after: list[Move] = [Act("learn_validators", B, header=0), Learn(B, 1)]

        assert taken(bench(BridgeAdapter()).fresh(), [*before, *after]) is None
        wrong = taken(bench(Stopped()).fresh(), [*before, *after])
        assert wrong is not None
        assert (wrong.id, wrong.property) == ("Q9", "learns-what-is-final")

    def test_no_time_passes_while_a_false_claim_stands(self) -> None:
        """The one assumption of optimistic verification: some watcher is awake."""
        lock = bench(OptimisticBridgeAdapter()).fresh()
        tick = Act("advance_clock", B)

        assert taken(lock, [Produce(0, A), tick, Act("claim", B, header=0)]) is None
        assert not lock.possible(tick)
        assert taken(lock, [Act("challenge", B, header=0), tick, tick, tick, Learn(B, 0)]) is None
        assert isinstance(lock.claim, Refused)


class TestIsolation:
    def test_one_barrier_for_all_shards_is_found(self) -> None:
        """An acknowledgement that waits for a third shard: the twin run in which that has moved tells."""

        class Barrier(IbcUnorderedAdapter):
            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.heard: set[str] = set()

            def produce(self, shard: str) -> bytes | Refused:
                self.heard.add(shard)
                return super().produce(shard)

            def acknowledge(self, delivery: Delivery) -> Outcome:
                complete = self.heard >= {*self._topology.shards}
                return super().acknowledge(delivery) if complete else Refused("waiting for all")

        found = bench(Barrier()).first(ACKNOWLEDGED)

        assert found is not None
        assert (found.wrong.id, found.wrong.property) == ("Q4", "waits-for-no-other-shard")

    def test_one_poison_message_for_all_is_found(self) -> None:
        """Nothing is acknowledged any more after one attempt in vain."""

        class Poisoned(IbcUnorderedAdapter):
            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.jammed = False

            def acknowledge(self, delivery: Delivery) -> Outcome:
                answer = Refused("jammed") if self.jammed else super().acknowledge(delivery)
                self.jammed = self.jammed or isinstance(answer, Refused)
                return answer

        in_vain = told("acknowledge", 1, A, 1)
        moves = [sent(1, A, C), *ACKNOWLEDGED[:-1], in_vain, ACKNOWLEDGED[-1]]
        found = bench(Poisoned()).first(moves)

        assert found is not None
        assert (found.wrong.id, found.wrong.property) == ("Q5", "is-not-jammed-by-another-receipt")


class TestSearch:
    def test_a_finding_is_shrunk_written_read_and_replayed(self) -> None:
        """End to end: what the search needs of a wide trace, a file can hold."""

        class Twice(NearAdapter):
            def balance(self, shard: str) -> int:
                return super().balance(shard) + len(super().responses(shard, 0))

        open_bench = bench(Twice())
        moves = [sent(3, A, C), *shown(A, C, 5), delivered(3, C, 5, fails=True)]
        found = open_bench.first([sent(0, B, A), sent(1, C, A), *shown(B, A, 4), *moves])
        assert found is not None
        shorter = Shrinker(open_bench).shrink(found)
        trace = trace_of(open_bench, "mine", shorter, Search("test"), {})

        again = trace_file.loads(trace_file.dumps(trace), trace_file.SCHEMA_FILE)
        assert again == trace
        assert len(trace.steps) == 5
        assert replay(Twice, "mine", again).verdict is Verdict.VIOLATED

    @pytest.mark.heavy
    @pytest.mark.parametrize(
        "adapter", [NearAdapter, IbcUnorderedAdapter, OptimisticBridgeAdapter, InboxAdapter]
    )
    def test_a_correct_system_is_not_flagged(self, adapter: type[Adapter]) -> None:
        """Whatever is tried: a short search here, a long one in the benchmarks."""
        report = fuzz(adapter, adapter.name, Plan(3, steps=3_000), clock=lambda: 0.0)

        assert not report.findings
        assert report.work["executed"] > 100

    def test_reports_count_what_was_tried_beside_the_main_road(self) -> None:
        """Each attack that applies has its turn."""
        report = fuzz(IbcOrderedAdapter, "ibc", Plan(1, steps=6_000), clock=lambda: 0.0)
        tried = dict(report.tables["what the adversary tried"])

        assert "never tried" not in {tried[k] for k in ("refund-race", "early-timeout", "second-set-up")}
        assert evolve(report, tables={}).work["steps"] >= 6_000
