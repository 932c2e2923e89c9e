"""Why a trace goes wrong, asked of small systems: each question, and what is said where it has no answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from attrs import evolve

from sample_systems.two_faced import Blunt, Mumbling, Quitting, Sulking, TwoFaced
from shardproof.adapter import (
    ACCEPTED,
    Adapter,
    Delivery,
    Execution,
    Outcome,
    Refused,
    Topology,
    capabilities,
)
from shardproof.adapters.promises import InboxAdapter
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adversary import Damage
from shardproof.commands.patience import patient
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.explanation import RUNS_MAX, allowance, every_bit, explained, room_for, trials
from shardproof.explanation.look_for import ALWAYS, CLAUSES, KINDS, PROGRESS, SENTENCES
from shardproof.explanation.refused_instead import Observed, refused_instead
from shardproof.explanation.without import BROKE, NOT_TRIED
from shardproof.loading import load
from shardproof.moves import Act, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Proof, Restart, Terms
from shardproof.observable import OBSERVABLE
from shardproof.oracle import Oracle
from shardproof.runs import Bench, Found, trace_of
from shardproof.story.telling import in_words
from shardproof.trace import NOT_NEEDED, Explanation, Search, Trace
from shardproof.verdict import Verdict
from shardproof_models.language.protocol import Layer
from shardproof_models.stacks import STACKS, composed, layers_for

SENT = (Emit(0, 0, 1), Produce(0, 0), Finalise(0))
KNOWN = (*SENT, Learn(1, 0))
AGAIN = Deliver(1, 0, 0, Proof(0, 0))
EXECUTED = (*KNOWN, AGAIN)
FORGED = Deliver(1, Forged(0, 0, 1), 0, None)
LATER = (Produce(1, 0), Finalise(1), Learn(1, 1), Deliver(1, 0, 1, Proof(0, 1)))
LONGER = Damage("evidence", "extend")
#: As long as any of them.
LONG = (*EXECUTED, *LATER, AGAIN)


@cache
def oracle(layers: tuple[Layer, ...]) -> Oracle:
    """With room for every trace here."""
    return Oracle.for_run(composed(layers), 3, room_for(LONG))


def found(make: Callable[[], Adapter], moves: tuple[Move, ...]) -> tuple[Bench, Trace]:
    """A bench, and the trace of what is wrong at the last of `moves`."""
    adapter = make()
    layers = layers_for(capabilities(adapter), adapter.stack)
    bench = Bench(adapter, oracle(tuple(layers)), Topology.of(3))
    wrong = bench.first(moves)
    assert isinstance(wrong, Found)
    assert wrong.moves == moves
    return bench, trace_of(bench, "mine", wrong, Search("test"), {})


def why(make: Callable[[], Adapter], *moves: Move) -> Explanation:
    """What is said of it."""
    told = explained(*found(make, moves)).explanation
    assert told is not None
    return told


#: A receipt that has expired by the clock of its sender alone, and is then delivered.
EARLY = (
    Act("advance_clock", 0),
    Produce(0, 1),
    Finalise(0),
    Learn(0, 0),
    Emit(0, 0, 1, Terms(deadline=1)),
    Act("time_out", 0, 0, 0, Proof(0, 0)),
)
DELIVERED = (Produce(1, 0), Finalise(1), Learn(1, 1), Deliver(1, 0, 1, Proof(0, 1)))
UNTRUSTED = "refused, untrusted header"


class TestExplained:
    def test_says_all_of_it(self) -> None:
        """
        What each step is for, what is refused, and where to look: of a shard that records nothing.
        """
        assert why(load("faulty:no-deduplication"), *EXECUTED, AGAIN) == Explanation(
            without=(
                "step 5 cannot be taken",
                "step 3 cannot be taken",
                "nothing is violated: step 4 is refused, untrusted header",
                "nothing is violated: step 5 is refused, untrusted header",
                "nothing is violated",
                "nothing is violated",
            ),
            first_wrong=5,
            refused_instead="the same with one bit of the proof flipped is refused (unproven), whichever of "
            "its 200 bits it is: the proof is checked",
            look_for="Look where `deliver` asks whether a receipt was consumed, and where it records that it "
            "is: the very same delivery is executed again, so one of the two is missing.",
        )

    def test_is_the_same_each_time(self) -> None:
        """
        Nothing of it is drawn, and no run leaves anything behind.
        """
        bench, trace = found(load("faulty:key-is-proof"), (*EXECUTED, AGAIN._replace(damage=LONGER)))

        assert explained(bench, trace) == explained(bench, explained(bench, trace))

    @pytest.mark.parametrize(
        "what, reason",
        [
            ("another system", "run again, it went another way"),
            ("too long", "only traces of up to 60 steps are explained"),
            ("another sentence", "run again, it went another way"),
            ("late", "the time for it was over"),
            ("late at the end", "the time for it was over"),
        ],
    )
    def test_of_what_it_cannot_say_why_it_says_so(self, what: str, reason: str) -> None:
        """
        Neither is an old explanation kept where it is not known to be of this system.
        """
        bench, trace = found(load("faulty:no-deduplication"), (*EXECUTED, AGAIN))
        trace = explained(bench, trace)
        asked = [0]

        def late() -> bool:
            asked[0] += 1
            return what == "late" or (what == "late at the end" and asked[0] > 20)

        match what:
            case "another system":
                bench, _ = found(load("faulty:key-is-header"), (*EXECUTED, *LATER))
            case "too long":
                padding = [evolve(trace.steps[1], args={"header": f"h{n}"}) for n in range(10, 70)]
                trace = evolve(trace, steps=(*padding, *trace.steps))
            case "another sentence":
                trace = evolve(trace, property="never-both")

        told = explained(bench, trace, late)

        assert told == evolve(trace, explanation=None, unexplained=f"why it goes wrong: {reason}")

    def test_where_nothing_is_violated_there_is_nothing_to_explain(self) -> None:
        """
        Nor is anything missing.
        """
        bench, trace = found(load("faulty:no-deduplication"), (*EXECUTED, AGAIN))
        sound = evolve(explained(bench, trace), violation=None, unexplained="why")

        assert explained(bench, sound) == evolve(sound, explanation=None, unexplained="")

    def test_a_search_takes_but_a_share_of_its_time(self) -> None:
        """
        Counted from where it begins to explain; without a limit there is none.
        """
        times = iter((100.0, 100.9, 101.1))
        late = allowance(lambda: next(times), 10)

        assert (late(), late()) == (False, True)
        assert not allowance(lambda: 0.0, None)()


class TestOfAnAdapterThatBreaks:
    """The finding is no less one; what could not be found out is said, with the verb and what happened."""

    @pytest.mark.parametrize(
        "make, happened",
        [
            (TwoFaced, "the adapter raised in 'deliver' (ValueError: who asks?)"),
            (Quitting, "the adapter raised in 'deliver' (SystemExit: no comment)"),
            (Mumbling, "the adapter's answer to 'deliver' makes no sense (str: 'yes and no')"),
            (Sulking, "adapter 'mine' did not come back from 'deliver'"),
        ],
    )
    def test_what_was_found_out_before_is_kept(self, make: type[TwoFaced], happened: str) -> None:
        """
        Whether it crashes, ends the program, lies or hangs: from there on it is asked no more.
        """
        bench, trace = found(make, EXECUTED)
        with patient("mine", 1):
            told = explained(bench, trace)

        assert told.explanation is not None
        assert told.explanation.without == (
            "step 5 cannot be taken",
            "step 3 cannot be taken",
            BROKE,
            NOT_TRIED,
            NOT_TRIED,
        )
        assert (told.explanation.first_wrong, told.explanation.known_by) == (4, "")
        assert told.explanation.refused_instead == ""
        assert told.unexplained == (
            "some of what each step is for, since which step it is wrong, what is refused instead: "
            f"in one of the runs that would tell, {happened}"
        )

    def test_only_what_is_missing_is_called_so(self) -> None:
        """
        An adapter that chokes on what is shown under no header, which is tried last.
        """

        class Fragile(ReferenceAdapter):
            """Executes everything twice, and raises where it is shown no header."""

            def deliver(self, delivery: Delivery) -> Outcome:
                if not delivery.header:
                    raise ValueError("no header\n" + "x" * 1_000)
                return super().deliver(delivery)

            def executed(self, shard: str, since: int) -> list[Execution]:
                seen = list(super().executed(shard, 0))
                return [*seen, *seen][since:]

        told = explained(*found(Fragile, EXECUTED))

        assert told.explanation is not None
        assert told.explanation.without[4] == "nothing is violated"
        assert told.explanation.refused_instead.startswith("the same with one bit of the proof flipped")
        assert told.unexplained.startswith(
            "some of what is refused instead: in one of the runs that would tell, "
            "the adapter raised in 'deliver' (ValueError: no header xxx"
        )
        assert len(told.unexplained) < 400

    def test_where_it_breaks_at_once_nothing_is_known(self) -> None:
        """
        Nor is anything guessed.
        """
        bench, trace = found(Blunt, EXECUTED)

        assert explained(bench, trace) == evolve(
            trace,
            unexplained="why it goes wrong: in one of the runs that would tell, "
            "the adapter raised in 'deliver' (ValueError: who asks?)",
        )

    def test_a_search_keeps_the_finding_and_says_so(self) -> None:
        """
        It is an answer, and not an error.
        """
        report = fuzz(TwoFaced, "two-faced", Plan(1, steps=200), clock=lambda: 0.0)

        (finding,) = report.findings
        assert report.verdict is Verdict.VIOLATED
        assert finding.trace.unexplained.endswith("(ValueError: who asks?)")


class TestWithout:
    def test_a_step_that_can_be_left_out_is_called_one(self) -> None:
        """
        A trace that somebody else has written may be longer than it must be.
        """
        told = why(load("faulty:no-deduplication"), *EXECUTED, Restart(2), AGAIN)

        assert [i for i, said in enumerate(told.without) if said == NOT_NEEDED] == [5]

    def test_what_else_is_violated_is_said(self) -> None:
        """
        Without the first delivery the second one is the first, and swallowed.
        """

        class Wrong(ReferenceAdapter):
            """Executes nothing the first time, and everything twice the second time."""

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.attempts = 0

            def deliver(self, delivery: Delivery) -> Outcome:
                self.attempts += 1
                return super().deliver(delivery)

            def executed(self, shard: str, since: int) -> list[Execution]:
                seen = list(super().executed(shard, 0)) * (0 if self.attempts == 1 else 2)
                return seen[since:]

        unproven = AGAIN._replace(evidence=None)

        told = why(Wrong, *KNOWN, unproven, AGAIN)

        assert told.without[4] == "another sentence is violated: delivers-what-is-due, at step 6"

    def test_what_is_answered_otherwise_is_said_with_what_it_was(self) -> None:
        """
        The attempt in vain is what jams the shard: without it, the last step is accepted.
        """
        told = why(load("faulty:jams-after-bad-evidence"), *KNOWN, AGAIN._replace(evidence=None), AGAIN)

        assert told.without[4] == "nothing is violated: step 6 is accepted (and not: refused, unproven)"

    def test_what_there_was_no_run_for_is_not_tried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Nothing is said that was not seen.
        """
        monkeypatch.setattr(trials, "RUNS_MAX", 4)

        told = why(load("faulty:record-lost-at-restart"), *EXECUTED, Restart(1), AGAIN)

        assert told.without[2:] == (f"nothing is violated: step 4 is {UNTRUSTED}", *[NOT_TRIED] * 4)
        assert (told.first_wrong, told.known_by, told.refused_instead) == (6, "", "")

    def test_that_there_was_no_run_left_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Of whatever it was that then remained unknown.
        """
        monkeypatch.setattr(trials, "RUNS_MAX", 9)

        told = explained(*found(load("faulty:record-lost-at-restart"), (*EXECUTED, Restart(1), AGAIN)))

        assert told.unexplained == (
            "since which step it is wrong, what is refused instead: 9 variations were run, which is the limit"
        )

    def test_so_many_runs_are_enough(self) -> None:
        """
        The bound is for systems that need more; what is committed needs a sixth of it.
        """
        asked = [0]

        def late() -> bool:
            asked[0] += 1
            return False

        bench, trace = found(load("faulty:no-deduplication"), (*EXECUTED, AGAIN))
        explained(bench, trace, late)

        assert 30 < asked[0] < RUNS_MAX / 5


class TestFirstWrong:
    def test_what_changes_nothing_and_is_followed_by_another_answer(self) -> None:
        """
        A restart is nothing to the model: what is refused before it is refused after it.
        """
        told = why(load("faulty:record-lost-at-restart"), *EXECUTED, Restart(1), AGAIN)

        assert told.first_wrong == 5
        assert told.known_by.startswith("what is refused before this restart is accepted after it")

    def test_an_attempt_in_vain_that_is_followed_by_another_answer(self) -> None:
        """
        The same the other way round: what is due before it is refused after it.
        """
        told = why(load("faulty:jams-after-bad-evidence"), *KNOWN, AGAIN._replace(evidence=None), AGAIN)

        assert told.first_wrong == 4
        assert told.known_by.startswith("what is accepted before this deliver is refused after it")

    def test_from_where_on_honest_relayers_meet_it(self) -> None:
        """
        Out of order nothing is wrong yet; but the receipt that was passed over cannot come any more.
        """
        second = Deliver(1, 1, 0, Proof(1, 0))
        moves = (Emit(0, 0, 1), Emit(1, 0, 1), *KNOWN[1:], second, AGAIN)

        told = why(load("faulty:twice-under-reordering"), *moves)

        assert told.first_wrong == 5
        assert told.known_by.startswith("before it, honest relayers bring all to its end")

    @pytest.mark.parametrize("at", [0, 2])
    def test_a_loss_of_power_belongs_to_what_it_interrupts(self, at: int) -> None:
        """
        That power will fail is no mistake; what is written when it does, and what is not, may be one.
        """
        shown = Deliver(1, 0, 0, None)
        moves: list[Move] = [Emit(0, 0, 1), Produce(0, 0), shown, shown]
        moves.insert(at, Act("crash", 1, number=1))

        told = why(load("faulty:effect-before-record"), *moves)

        assert told.first_wrong == 3

    def test_what_was_interrupted_is_not_compared_with_what_is_not(self) -> None:
        """
        An attempt in which power fails is refused for that reason, so it shows nothing of the next one.
        """

        class Redoing(InboxAdapter):
            """Does everything twice once it has lost power."""

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.lost = False

            def crash(self, shard: str, writes: int) -> None:
                self.lost = True
                super().crash(shard, writes)

            def executed(self, shard: str, since: int) -> list[Execution]:
                seen = list(super().executed(shard, 0))
                return [*seen, *(seen if self.lost else [])][since:]

        shown = Deliver(1, 0, 0, None)

        told = why(Redoing, Emit(0, 0, 1), Produce(0, 0), Act("crash", 1, number=0), shown, shown)

        assert told.first_wrong == 3
        assert told.known_by.startswith("before it, honest relayers bring all to its end")

    def test_nothing_is_lost_that_could_not_be_brought_to_its_end_before(self) -> None:
        """
        Who can never deliver anything is not kept from it by the first attempt.
        """

        class Stubborn(ReferenceAdapter):
            """Seals no block until something was delivered, and then refuses whatever is."""

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.asked = False

            def produce(self, shard: str) -> bytes | Refused:
                return super().produce(shard) if self.asked else Refused("later")

            def deliver(self, delivery: Delivery) -> Outcome:
                self.asked = True
                return Refused("no")

        told = why(Stubborn, Emit(0, 0, 1), FORGED._replace(header=-1), *KNOWN[1:], AGAIN)

        assert (told.first_wrong, told.known_by) == (5, "")

    def test_a_damaged_header_that_was_accepted(self) -> None:
        """
        Which broke nothing yet, and which the model refuses.
        """

        class Lenient(ReferenceAdapter):
            """Ignores a byte that follows a header, and is confused by it."""

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.confused = False

            def learn(self, shard: str, header: bytes) -> Outcome:
                cut = header.endswith(b"!")
                self.confused |= cut
                return super().learn(shard, header[:-1] if cut else header)

            def executed(self, shard: str, since: int) -> list[Execution]:
                seen = list(super().executed(shard, 0))
                return [*seen, *(seen if self.confused else [])][since:]

        damaged = Learn(1, 0, Damage("header", "extend", ord("!")))

        told = why(Lenient, *SENT, damaged, Learn(1, 0), AGAIN)

        assert (told.first_wrong, told.known_by) == (
            3,
            "it accepted a damaged header there, which the model refuses",
        )

    def test_what_the_model_refuses_and_broke_nothing_yet(self) -> None:
        """
        A refund that comes too early is wrong when it is given, and harms once the receipt is delivered too.
        """
        told = why(load("faulty:timeout-on-the-wrong-clock"), *EARLY, *DELIVERED)

        assert told.first_wrong == 5
        assert told.known_by == "A was told that r0 expired, and the model refuses that (not elapsed)"
        assert told.refused_instead.startswith("step 6 with one bit of the proof flipped is refused")
        assert told.without[9] == "another sentence is violated: follows-the-model, at step 6"

    def test_a_step_that_is_honest_is_not_blamed(self) -> None:
        """
        A header is refused before it is final, and may be afterwards: that says nothing against finality.
        """
        told = why(load("faulty:unlearned-header"), *SENT, AGAIN)

        assert (told.first_wrong, told.known_by) == (3, "")


class Overlooks(ReferenceAdapter):
    """Executes everything twice, and takes some bits of a proof for what they should be."""

    #: A byte of the proof, and which of its bits.
    byte, mask = 0, 0
    #: Refusals until it has had enough, and refuses whatever comes.
    patience = 10_000

    def open(self, topology: Topology) -> None:
        super().open(topology)
        self.refusals = 0

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        self.honest = super().prove(receipt, header)
        return self.honest

    def deliver(self, delivery: Delivery) -> Outcome:
        honest = self.honest
        if isinstance(honest, bytes) and len(delivery.evidence) == len(honest):
            repaired = bytearray(delivery.evidence)
            repaired[self.byte] ^= (repaired[self.byte] ^ honest[self.byte]) & self.mask
            delivery = evolve(delivery, evidence=bytes(repaired))
        said = super().deliver(delivery) if self.refusals < self.patience else Refused("not again")
        self.refusals += isinstance(said, Refused)
        return said

    def executed(self, shard: str, since: int) -> list[Execution]:
        seen = list(super().executed(shard, 0))
        return [*seen, *seen][since:]


class TestEveryBit:
    """A claim about a part is one about each of its bits, or says at how many places it was tried."""

    FEW = "the same with one bit of the proof flipped is refused (unproven), at each of 8 places"

    def test_all_are_tried(self) -> None:
        """
        Whichever bit it is, and the step itself still passes after all of them.
        """
        assert why(Overlooks, *EXECUTED).refused_instead == (
            "the same with one bit of the proof flipped is refused (unproven), whichever of its 200 bits it "
            "is: the proof is checked"
        )

    @pytest.mark.parametrize("mask", [0b100, 0b11111111])
    def test_what_passes_between_the_places_is_found(self, mask: int) -> None:
        """
        Byte 5 is none of eight places of 25 bytes. Where some of it passes, no proof is said to be checked.
        """
        system = type("Overlooks", (Overlooks,), {"byte": 5, "mask": mask})

        told = why(system, *EXECUTED).refused_instead

        assert told.startswith(
            "the same with one bit of the receipt flipped is refused (unproven), whichever"
        )

    def test_who_has_had_enough_of_refusing_checks_nothing(self) -> None:
        """
        Then the step itself is refused after them, and only what was tried by itself is told.
        """
        system = type("Impatient", (Overlooks,), {"patience": 100})

        assert why(system, *EXECUTED).refused_instead.startswith(self.FEW)

    def test_a_long_part_is_tried_at_a_few_places(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        What would take longer than all the rest says at how many places it was tried.
        """
        monkeypatch.setattr(every_bit, "BITS_MAX", 199)

        assert why(Overlooks, *EXECUTED).refused_instead.startswith(self.FEW)

    @pytest.mark.parametrize(
        "tried, refused, said",
        [
            (200, 199, " at 199 of 200 bits that were tried"),
            (160, 160, ", whichever of the 160 of its 200 bits it is that the model refuses: it is checked"),
        ],
    )
    def test_some_of_them_are_told_as_some(self, tried: int, refused: int, said: str) -> None:
        """
        Bits that pass, and bits that the model lets pass, are not among those that are refused.
        """
        seen = Observed("with one bit flipped", "it is checked", tried, refused, "refused, unproven", 200)

        assert refused_instead({"a bit": seen}, "the same") == (
            f"the same with one bit flipped is refused (unproven){said}"
        )


class TestRefusedInstead:
    def test_without_what_was_done_to_the_bytes(self) -> None:
        """
        The smallest change is to show what is honest.
        """
        told = why(load("faulty:key-is-proof"), *EXECUTED, AGAIN._replace(damage=LONGER))

        assert told.refused_instead.startswith("the same without the damage is refused (consumed)")

    def test_as_it_was_shown_before(self) -> None:
        """
        Under the header of before it is refused, so the other header is what matters.
        """
        told = why(load("faulty:key-is-header"), *EXECUTED, *LATER)

        assert told.refused_instead.startswith("the same under h0, as before is refused (consumed)")

    def test_of_a_header(self) -> None:
        """
        A light client that believes too early still wants a header.
        """
        told = why(load("faulty:non-final-header"), Produce(0, 0), Learn(1, 0))

        assert told.refused_instead.startswith("the same without a header is refused")

    def test_of_an_emission(self) -> None:
        """
        One may not send what one has not got, by whichever entrance.
        """
        paid = Emit(0, 0, 1, Terms(amount=1, entrance=2))

        told = why(load("faulty:second-way-in"), paid)

        assert told.refused_instead.startswith("the same with more than its sender has is refused")

    def test_of_a_forged_header(self) -> None:
        """
        After an upgrade no signature is needed; one that is wrong is noticed all the same.
        """
        forged = Act("forge_header", 0, Forged(0, 1, 0), number=0)

        told = why(load("faulty:threshold-of-nothing"), Act("upgrade", 0), forged)

        assert told.first_wrong == 0
        assert told.refused_instead.startswith("the same signed by validators that were made up is refused")

    def test_a_receipt_is_sent_for_the_purpose_where_there_is_none(self) -> None:
        """
        Whether a proof that is there is checked tells two shards apart that both execute what has none.
        """
        moves = (Produce(0, 0), Finalise(0), Learn(1, 0), FORGED)

        checked = why(load("faulty:rules-in-the-evidence"), *moves)
        unchecked = why(load("faulty:no-proof-check"), *moves)

        assert "a proof that is there is checked" in checked.refused_instead
        assert "with that of another receipt" in unchecked.look_for

    def test_nothing_is_said_of_what_is_refused_already(self) -> None:
        """
        Where something is due, no change of it has to be refused.
        """
        told = why(load("faulty:jams-after-bad-evidence"), *KNOWN, AGAIN._replace(evidence=None), AGAIN)

        assert told.refused_instead == ""

    def test_what_is_answered_with_success_and_ignored_has_no_effect(self) -> None:
        """
        Some systems answer an attempt that they ignore as if they had accepted it.
        """

        class Polite(ReferenceAdapter):
            """Executes everything twice, and never says no."""

            def deliver(self, delivery: Delivery) -> Outcome:
                super().deliver(delivery)
                return ACCEPTED

            def executed(self, shard: str, since: int) -> list[Execution]:
                seen = list(super().executed(shard, 0))
                return [*seen, *seen][since:]

        told = why(Polite, *EXECUTED)

        assert told.refused_instead.startswith("the same with one bit of the proof flipped has no effect")

    def test_where_everything_passes_it_says_how_much_was_tried(self) -> None:
        """
        A shard that executes whatever it is shown.
        """

        class Gullible(ReferenceAdapter):
            """Refuses nothing at all."""

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.shown: dict[str, list[bytes]] = {name: [] for name in topology.shards}

            def deliver(self, delivery: Delivery) -> Outcome:
                self.shown[delivery.destination].append(delivery.receipt)
                return ACCEPTED

            def executed(self, shard: str, since: int) -> list[Execution]:
                return [Execution(data) for data in self.shown[shard]][since:]

        told = why(Gullible, Deliver(1, Forged(0, 0, 1), -1, None))

        assert told.refused_instead.startswith("nothing that was tried is refused: ")
        assert told.look_for.startswith("Look whether `deliver` verifies anything at all")


class TestLookFor:
    def test_a_header_that_is_not_looked_at_is_told_from_a_proof_that_is_not(self) -> None:
        """
        Honest evidence under no header is executed: it brings the root that it is checked against.
        """

        class TakesTheHeaderFromTheProof(ReferenceAdapter):
            """Looks for any header that the proof fits."""

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.headers: list[bytes] = []

            def finalise(self, shard: str, header: bytes) -> bytes | Refused:
                final = super().finalise(shard, header)
                if isinstance(final, bytes):
                    self.headers.append(final)
                return final

            def deliver(self, delivery: Delivery) -> Outcome:
                answers = (
                    super(TakesTheHeaderFromTheProof, self).deliver(evolve(delivery, header=h))
                    for h in self.headers
                )
                return next((a for a in answers if a == ACCEPTED), Refused("no"))

        told = why(TakesTheHeaderFromTheProof, *KNOWN, Deliver(1, 0, -1, Proof(0, 0)))

        assert told.look_for.startswith("Look at what the proof is checked against: ")

    def test_a_header_that_is_known_and_not_final_is_told_where_nobody_shows_headers(self) -> None:
        """
        It is `deliver` that has to ask, and the reason is not that something was not learned.
        """

        class BelievesWhatIsSealed(ReferenceAdapter):
            """Shards know of each other's blocks at once, before these are final."""

            learn = Adapter.learn

            def produce(self, shard: str) -> bytes | Refused:
                header = super().produce(shard)
                if isinstance(header, bytes):
                    final = super().finalise(shard, header)
                    assert isinstance(final, bytes)
                    for other in self._shards:
                        ReferenceAdapter.learn(self, other, final)
                    self._finals[header] = final
                return header

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self._finals: dict[bytes, bytes] = {}

            def finalise(self, shard: str, header: bytes) -> bytes | Refused:
                return header

            def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
                return super().prove(receipt, self._finals.get(header, header))

            def deliver(self, delivery: Delivery) -> Outcome:
                return super().deliver(
                    evolve(delivery, header=self._finals.get(delivery.header, delivery.header))
                )

        bench, trace = found(BelievesWhatIsSealed, (Emit(0, 0, 1), Produce(0, 0), AGAIN))
        told = explained(bench, trace).explanation

        assert told is not None
        assert told.look_for.startswith("Look where `deliver` looks up the header that it is shown")
        assert (wrong := in_words(trace).violation) is not None
        assert "consensus has not decided that h0 stays" in wrong.clause

    def test_what_breaks_no_sentence_is_told_by_its_clause(self) -> None:
        """
        A refund that is too early, of what nobody delivers.
        """
        told = why(load("faulty:timeout-on-the-wrong-clock"), *EARLY)

        assert told.look_for == CLAUSES["not elapsed"]

    def test_what_was_executed_stands_in_the_way_of_what_came_before_it(self) -> None:
        """
        A mark instead of a table: what is overtaken is refused, although nothing was refused before.
        """

        class Marked(ReferenceAdapter):
            """Remembers the last receipt that it has executed, and takes what is older for done."""

            def open(self, topology: Topology) -> None:
                super().open(topology)
                self.sent: list[bytes] = []
                self.mark = -1

            def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
                receipt = super().emit(source, destination, payload)
                assert isinstance(receipt, bytes)
                self.sent.append(receipt)
                return receipt

            def deliver(self, delivery: Delivery) -> Outcome:
                number = self.sent.index(delivery.receipt) if delivery.receipt in self.sent else -1
                if number < self.mark:
                    return Refused("done")
                answer = super().deliver(delivery)
                self.mark = number if answer is ACCEPTED else self.mark
                return answer

        moves = (Emit(0, 0, 1), Emit(1, 0, 1), *KNOWN[1:], Deliver(1, 1, 0, Proof(1, 0)), AGAIN)

        told = why(Marked, *moves)

        assert told.first_wrong == 5
        assert "a mark (the highest number so far)" in told.look_for

    @pytest.mark.parametrize("name", OBSERVABLE)
    def test_every_sentence_that_can_be_observed_has_lines(self, name: str) -> None:
        """
        Whatever a system is seen to violate, something is said that is about that.
        """
        assert SENTENCES[name]

    def test_each_sentence_is_in_one_file(self) -> None:
        """
        Of two that speak of it, one would be read by nobody.
        """
        assert sum(len(kind.SENTENCES) for kind in KINDS) == len(SENTENCES)

    def test_what_is_executed_twice_at_once_was_not_shown_twice(self) -> None:
        """
        What is said to have been observed, was.
        """
        told = why(TwoFaced, *EXECUTED)

        assert told.look_for.startswith("Look at what one delivery does: the receipt was shown only once")

    def test_every_refusal_has_a_line(self) -> None:
        """
        Of every clause by which a relayer can be refused, in every stack; and there is no other line.
        """
        asked = ("deliver", "learn", "acknowledge", "time_out", "time_out_on_close", "skip")
        refusals = {
            str(clause.refusal)
            for stack in STACKS.values()
            for action in composed(stack.layers).actions
            if action.name in asked
            for clause in action.clauses
        }

        assert refusals == {*CLAUSES}

    def test_what_is_said_is_a_sentence(self) -> None:
        """
        It begins with what to do, and ends.
        """
        lines = [line.says for table in (ALWAYS, PROGRESS, *SENTENCES.values()) for line in table]

        assert all(says.startswith("Look ") and says.endswith(".") for says in (*lines, *CLAUSES.values()))
