"""Tours: what is exercised is counted, and nothing else; what is wrong in one world only is found there."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from shardproof.adapter import ACCEPTED, Adapter, Delivery, Outcome, Refused, capabilities
from shardproof.adapters.faulty import found
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.engines.tour import Plan, tour
from shardproof.errors import UsageError
from shardproof.tours.course import course
from shardproof.tours.run import Run
from shardproof.tours.visits import Visits
from shardproof.verdict import Report, Verdict
from shardproof_models.layers.finality import height
from shardproof_models.stacks import composed, layers_for, visible

#: Two shards, a receipt and a block each: 281 worlds.
SMALL = {"shards": 2, "receipts": 1, "headers": 1}
TRANSITIONS = 1595


def toured(make: Callable[[], Adapter] = ReferenceAdapter, plan: Plan | None = None) -> Report:
    """A tour of the small scope, by a clock that counts its own looks."""
    ticks = itertools.count()
    return tour(make, "it", plan or Plan(SMALL, alone=True), clock=lambda: float(next(ticks)))


@cache
def plain() -> Report:
    """A tour of the reference, for all who want to read it."""
    return toured()


def names(report: Report) -> set[str]:
    """What is violated."""
    return {f.property for f in report.findings}


class Branching(ReferenceAdapter):
    """Can return to where it was."""

    def snapshot(self) -> object:
        return copy.deepcopy(self._shards)

    def restore(self, token: Any) -> None:
        self._shards = copy.deepcopy(token)


class TestExercised:
    def test_every_transition_of_the_model_on_a_system_that_is_right(self) -> None:
        """All of them, from all worlds; refused attempts and variants besides; and it holds."""
        report = plain()

        assert report.verdict is Verdict.HOLDS
        assert report.work["exercised"] == report.work["transitions"] == TRANSITIONS
        assert report.work["worlds"] == 281
        assert report.work["declined"] == 0
        assert report.checked.startswith(f"100 % of {TRANSITIONS:,} transitions of the model exercised on it")
        assert not report.tables["left"]

    def test_nothing_is_said_of_what_the_adapter_cannot_show(self) -> None:
        """A sentence about crashes does not hold of a system that nobody has crashed."""
        report = plain()

        assert report.not_applicable["survives-a-crash"] == "the adapter has no crash"
        assert "executes-at-most-once" in report.properties
        assert not report.not_applicable.keys() & set(report.properties)

    @pytest.mark.heavy
    def test_once_more_is_the_same(self) -> None:
        """No set and no clock decides where it goes."""
        first, second = plain(), toured()

        assert (first.work, first.tables) == (second.work, second.tables)

    def test_by_walks_that_branch_where_a_system_can_return_to_a_snapshot(self) -> None:
        """The same transitions, hardly a reset, and each about once."""
        report, restarting = toured(Branching), plain()

        assert report.verdict is Verdict.HOLDS
        assert report.work["exercised"] == TRANSITIONS
        assert report.work["branches"] > 0
        assert report.work["resets"] * 10 < restarting.work["resets"]
        assert report.work["walked"] < 1.2 * TRANSITIONS < restarting.work["walked"]

    def test_in_hardly_more_resets_than_any_tour_needs(self) -> None:
        """Measured: about a third more than the bound, which no tour may reach."""
        work = plain().work

        assert work["resets_needed"] <= work["resets"] < 1.7 * work["resets_needed"]

    def test_only_where_the_judge_stands_where_the_model_does(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A judge that does not follow is at another world, whatever the system says."""
        begin = Run.begin

        def astray(run: Run) -> None:
            oracle = run.lock.oracle
            emit = type(oracle.generated)(run.protocol, oracle.generated.scope, bounded=False).apply["emit"]

            def emit_elsewhere(world: Any, slot: int) -> None:
                emit(world, slot)
                oracle.write(world, height, oracle.headers - 1, 5)

            oracle.generated.apply["emit"] = emit_elsewhere
            begin(run)

        monkeypatch.setattr(Run, "begin", astray)

        report = toured()

        assert report.verdict is Verdict.INCONCLUSIVE
        why = "the judge stands elsewhere: height(2): 0 in the model, 5 for the judge"
        assert any(action == "emit" and why in told for action, told in report.tables["left"])
        assert report.work["exercised"] < TRANSITIONS

    def test_not_what_is_refused_though_nobody_calls_it_wrong(self) -> None:
        """A system that hesitates is not charged with it, and nothing is counted for it either."""

        class Hesitant(ReferenceAdapter):
            def revert(self, shard: str, header: bytes) -> Outcome:
                return Refused("not today")

        report = toured(Hesitant)

        assert report.verdict is Verdict.HOLDS
        assert "revert" not in dict(report.tables["transitions exercised"])
        declined = dict(report.tables["declined by the system, and not counted"])
        assert declined["revert"].endswith(": not today")
        assert report.work["exercised"] + report.work["declined"] == TRANSITIONS

    def test_not_of_a_system_that_lets_nobody_begin(self) -> None:
        """Nothing that ran counts as nothing."""

        class Closed(ReferenceAdapter):
            def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
                return Refused("closed")

            def produce(self, shard: str) -> bytes | Refused:
                return Refused("closed")

            restart = Adapter.restart

        report = toured(Closed)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("no transition was exercised",)

    def test_by_action_of_what_the_adapter_can_be_asked_for(self) -> None:
        """Without a light client nothing is learned, and that is said; the rest is toured."""

        class SelfCertified(ReferenceAdapter):
            learn = Adapter.learn

            def deliver(self, delivery: Delivery) -> Outcome:
                super().learn(delivery.destination, delivery.header)
                return super().deliver(delivery)

        report = toured(SelfCertified)

        told = report.tables["of the model, and not for this adapter"]
        assert ("learn", "8 instances: the adapter has no learn") in told
        assert report.work["exercised"] == report.work["transitions"] > 0

    def test_up_to_the_end_of_the_time(self) -> None:
        """What is left is told by action, with an example, and it does not hold."""
        report = toured(plan=Plan(SMALL, alone=True, seconds=1))

        assert report.verdict is Verdict.INCONCLUSIVE
        assert all("the time was over, e.g. " in why for _, why in report.tables["left"])

    def test_up_to_a_limit_of_worlds(self) -> None:
        """A graph that was cut off is not the model."""
        report = toured(plan=Plan(SMALL, alone=True, worlds_max=100))

        assert report.verdict is Verdict.INCONCLUSIVE
        assert "the limit of 100 worlds was reached" in report.reasons[0]

    def test_up_to_the_end_of_the_time_also_while_worlds_are_counted(self) -> None:
        """The graph of a large scope takes long, and the time is that of both."""
        report = toured(plan=Plan({**SMALL, "headers": 2}, alone=True, seconds=2))

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons[0].endswith("the time was over, before all worlds were met")

    def test_of_no_system_of_one_shard(self) -> None:
        """There is nobody to send to."""
        with pytest.raises(UsageError, match="at least two"):
            toured(plan=Plan({**SMALL, "shards": 1}))


class OnlyThere(ReferenceAdapter):
    """Executes a second time in one world only: its newest block was dropped, and the sender's is final."""

    def deliver(self, delivery: Delivery) -> Outcome:
        outcome = super().deliver(delivery)
        at: Any = self._shards[delivery.destination]
        dropped = self._dropped
        if outcome == Refused("consumed") and dropped == delivery.destination and len(at.executed) == 1:
            at.executed.append(at.executed[0])
            return ACCEPTED
        return outcome

    def open(self, topology: Any) -> None:
        super().open(topology)
        self._dropped = ""

    def revert(self, shard: str, header: bytes) -> Outcome:
        outcome = super().revert(shard, header)
        if outcome == ACCEPTED:
            self._dropped = shard
        return outcome


@pytest.mark.heavy
class TestWrong:
    def test_in_one_world_only_is_found_there(self) -> None:
        """A second delivery is tried at every world, so also at the one where it is let through."""
        report = toured(OnlyThere)

        assert report.verdict is Verdict.VIOLATED
        assert "executes-at-most-once" in names(report)
        [finding] = [f for f in report.findings if f.property == "executes-at-most-once"]
        assert finding.trace.search.engine == "tour"
        assert len(finding.trace.steps) == 8
        assert finding.shrunk.startswith("shrunk from")

    def test_is_not_found_where_nobody_comes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The same without the refused attempts and the variants: every transition alone would miss it."""
        monkeypatch.setattr(Visits, "visit", lambda _: None)

        report = toured(OnlyThere)

        assert report.verdict is Verdict.HOLDS
        assert report.work["exercised"] == TRANSITIONS

    @pytest.mark.parametrize(
        "name",
        [
            "unlearned-header",
            "non-final-header",
            "null-root",
            "no-proof-check",
            pytest.param("rules-in-the-evidence", marks=pytest.mark.deep),
            pytest.param("destination-not-bound", marks=pytest.mark.deep),
            "no-deduplication",
            "key-is-proof",
            pytest.param("key-is-signature", marks=pytest.mark.deep),
            "record-lost-at-restart",
            "marked-after-callback",
            "swallows-receipts",
            "effects-survive-revert",
            "records-survive-revert",
        ],
    )
    def test_is_found_by_a_tour_alone(self, name: str) -> None:
        """Mistakes that show with one receipt, by the name under which the record has them."""
        fault = found(name)

        report = toured(fault.factory)

        assert report.verdict is Verdict.VIOLATED
        assert fault.violates in names(report)
        assert all(finding.trace.explanation is not None for finding in report.findings)

    @pytest.mark.parametrize(
        "name, needs",
        [
            ("unhashed-child", "three the same way"),
            ("leaf-for-node", "three the same way"),
            pytest.param("duplicated-last-leaf", "three the same way", marks=pytest.mark.deep),
            pytest.param("batch-counted-again", "three the same way", marks=pytest.mark.deep),
            pytest.param("twice-under-reordering", "three the same way", marks=pytest.mark.deep),
            pytest.param("jams-after-bad-evidence", "three the same way", marks=pytest.mark.deep),
            ("waits-for-every-shard", "from two shards to one"),
            # Shown by a bit that is damaged blindly in the sender's name: a tour of one receipt has too few.
            pytest.param("wrong-source", "from two shards to one", marks=pytest.mark.deep),
            pytest.param("nonce-without-source", "from two shards to one", marks=pytest.mark.deep),
        ],
    )
    def test_shows_in_the_leg_where_what_it_needs_can_meet(self, name: str, needs: str) -> None:
        """Several leaves in a block, or several senders: not in the plain scope, so a leg is there for it."""
        fault = found(name)
        protocol = composed(visible(layers_for(capabilities(fault.factory()))))
        [leg] = [x for x in course(protocol, SMALL) if x.name.endswith(needs)]

        report = tour(fault.factory, name, Plan(SMALL), clock=lambda: 0.0, legs=(leg,))

        assert fault.violates in names(report)

    @pytest.mark.parametrize(
        "name, leg",
        [
            ("caller-says-it-was-verified", 0),
            ("threshold-of-nothing", 0),
            ("set-up-twice", 0),
            ("null-asset-is-free", 0),
            pytest.param("second-way-in", 0, marks=pytest.mark.deep),
            ("no-time-to-object", 0),
            ("events-of-a-failure", 0),
            pytest.param("middle-keeps-it", 2, marks=pytest.mark.deep),
            pytest.param("effect-before-record", 1, marks=pytest.mark.deep),
            ("record-before-effect", 0),
            ("counter-from-the-wrong-block", 0),
            ("reason-of-this-node", 0),
            ("no-funds-no-bounce", 1),
            pytest.param("context-not-given-back", 2, marks=pytest.mark.deep),
        ],
    )
    def test_of_richer_stacks_is_found_too(self, name: str, leg: int) -> None:
        """Value, validators, windows, responses, power cuts: each on the leg that is there for it."""
        fault = found(name)
        adapter = fault.factory()
        protocol = composed(visible(layers_for(capabilities(adapter), adapter.stack)))

        legs = (course(protocol, Plan().sizes)[leg],)
        report = tour(fault.factory, name, Plan(), clock=lambda: 0.0, legs=legs)

        assert fault.violates in names(report)

    def test_of_other_properties_than_those_asked_for_is_not_told(self) -> None:
        """As with fuzzing: who asks for one sentence gets an answer about that."""
        fault = found("no-deduplication")

        report = toured(fault.factory, Plan(SMALL, alone=True, properties=("reverts-atomically",)))

        assert names(report) == set()

    def test_is_found_however_many_transitions_it_leaves(self) -> None:
        """What lies behind a step that went wrong is left, and is not called declined."""
        report = toured(found("swallows-receipts").factory)

        assert report.verdict is Verdict.VIOLATED
        assert report.work["exercised"] < report.work["transitions"] == TRANSITIONS
        assert report.work["declined"] == 0
