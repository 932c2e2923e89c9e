"""What is counted of guards: by one count an attempt, each clause and each action is known."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import get_args

import pytest

from shardproof.adapter import Adapter, AdapterFactory, Delivery, Outcome
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.coverage import ENVIRONMENT, ActionCount, ClauseCount, GuardCoverage
from shardproof.engines.explore import explore
from shardproof.engines.fuzz import Plan, action_name, fuzz
from shardproof.engines.fuzz.memory import Memory
from shardproof.loading import load
from shardproof.moves import NULL, Act, Deliver, Forged, Move
from shardproof.readings.generated import Generated
from shardproof.readings.scopes import scope_of
from shardproof.schedule import Schedule
from shardproof.traffic import Dice
from shardproof.verdict import Report, Verdict
from shardproof_models.stacks import stack

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

CORE = stack("core-restarts")
DELIVER = CORE.action("deliver")
#: The clauses of `deliver`, in their order.
REFUSALS = tuple(f"deliver: {clause.refusal}" for clause in DELIVER.clauses)


class Certifying(ReferenceAdapter):
    """A shard that accepts the headers that stay without having been shown them before."""

    learn = Adapter.learn

    def deliver(self, delivery: Delivery) -> Outcome:
        super().learn(delivery.destination, delivery.header)
        return super().deliver(delivery)

    def reenter(self, delivery: Delivery) -> Outcome:
        super().learn(delivery.destination, delivery.header)
        return super().reenter(delivery)


def searched(make: AdapterFactory, name: str, steps: int, seed: int = 1) -> Report:
    ticks = itertools.count()
    return fuzz(make, name, Plan(seed, steps=steps), clock=lambda: float(next(ticks)))


def counted(
    answers: Mapping[tuple[str, int, bool], int],
    allowed_only: frozenset[str] = frozenset(),
    impossible: Mapping[str, str] | None = None,
) -> GuardCoverage:
    """A coverage of the core, with so many attempts of (action, the model's answer, whether taken)."""
    guards = GuardCoverage(CORE.actions, allowed_only, impossible or {})
    for (action, answer, taken), times in answers.items():
        guards.rows[action][answer << 1 | taken] += times
    return guards


class TestCounting:
    def test_a_refusal_says_that_the_clauses_before_it_were_passed(self) -> None:
        """
        Clauses are asked in order: what the third refuses has passed two, and says nothing of the rest.
        """
        guards = counted({("deliver", 3, False): 2, ("deliver", 0, True): 5, ("deliver", 5, False): 1})

        assert guards.clauses(DELIVER) == (
            ClauseCount(refused=0, passed=8),
            ClauseCount(refused=0, passed=8),
            ClauseCount(refused=2, passed=6),
            ClauseCount(refused=0, passed=6),
            ClauseCount(refused=1, passed=5),
        )

    def test_what_the_model_allows_is_told_apart_from_what_is_accepted(self) -> None:
        """
        An attempt that is enabled may be refused, for evidence that the model does not see, and one
        that is not enabled may be taken.
        """
        guards = counted({("deliver", 0, True): 5, ("deliver", 0, False): 3, ("deliver", 1, True): 1})

        assert guards.of(DELIVER) == ActionCount(enabled=8, taken=6, refused=3)
        assert guards.clauses(DELIVER)[0] == ClauseCount(refused=1, passed=8)

    def test_a_clause_has_the_number_by_which_it_refuses(self) -> None:
        """
        A finding names its clause; one that the action has not is that of another action.
        """
        guards = counted({})

        assert [guards.number(DELIVER, r.partition(": ")[2]) for r in REFUSALS] == [1, 2, 3, 4, 5]
        assert guards.number(CORE.action("restart"), "consumed") == 0


class TestNeverExercised:
    def test_says_which_half_is_missing(self) -> None:
        """
        A clause is exercised when it has refused and was passed; the others are named with what is missing.
        """
        guards = counted({("deliver", 1, False): 1, ("deliver", 2, False): 1, ("restart", 0, True): 1})

        missing = {k: v for k, v in guards.never_exercised().items() if k.startswith(("deliver", "restart"))}
        assert missing == {
            "deliver: wrong source": "never passed",
            "deliver: unproven": "never reached",
            "deliver: wrong destination": "never reached",
            "deliver: consumed": "never reached",
        }

    def test_an_action_without_clauses_must_be_attempted(self) -> None:
        """
        It has nothing to refuse by, and says nothing either if it never happened.
        """
        assert counted({}).never_exercised()["restart"] == "never attempted"

    def test_what_the_environment_does_need_not_be_refused(self) -> None:
        """
        It is attempted where the model allows it, so its clauses must be passed, and no more.
        """
        answers = {("revert", 0, True): 1, ("finalise", 0, True): 1}

        missing = counted(answers, ENVIRONMENT).never_exercised()

        assert not [name for name in missing if name.startswith(("revert", "finalise"))]
        assert missing["produce: dropped"] == "never reached"
        assert "revert: already final" in counted(answers).never_exercised()

    def test_what_cannot_be_attempted_is_not_missed(self) -> None:
        """
        A verb that an adapter lacks is said in the tables, with the reason, and counts against nothing.
        """
        guards = counted({}, impossible={"learn": "the adapter has no learn"})

        assert "learn: not final" not in guards.never_exercised()
        told = "cannot be attempted: the adapter has no learn"
        assert dict(guards.tables()["actions"])["learn"] == told
        assert dict(guards.tables()["clauses"])["learn: not final"] == told


class TestFuzz:
    @pytest.mark.parametrize("kind", [kind for kind in get_args(Move) if kind is not Act])
    def test_every_kind_of_move_attempts_an_action(self, kind: type[Move]) -> None:
        """
        The name of a move is that of the action that it attempts, so no step goes uncounted.

        An `Act` says itself what it attempts: it is a line of the table of deeds.
        """
        assert action_name(kind) in {action.name for action in CORE.actions}

    def test_a_run_exercises_every_clause_that_relayers_meet(self) -> None:
        """
        Each clause of `deliver` and `learn` has refused, and was passed; every step is an attempt.
        """
        report = searched(ReferenceAdapter, "reference", 20_000)

        clauses = dict(report.tables["clauses"])
        told = [clauses[f"{a}: {c.refusal}"] for a in ("deliver", "learn") for c in CORE.action(a).clauses]
        assert report.never_exercised == {}
        assert len(told) == 6
        assert not [one for one in told if "refused 0" in one or "passed 0" in one]
        enabled = dict(report.tables["actions"])["emit"]
        assert enabled == f"enabled {report.work['emitted']:,}, taken {report.work['emitted']:,}, refused 0"

    def test_attacks_of_several_steps_get_to_their_end(self) -> None:
        """
        What takes clocks that have run, headers that are believed and others in front is tried as well.
        """
        # Somebody must skip a receipt while one before it has not expired: not every seed comes to that.
        report = searched(load("reference:ibc-allow-timeout"), "reference:ibc-allow-timeout", 20_000, seed=2)

        tried = ("deliver: out of order", "skip: unproven", "skip: wrong destination", "skip: out of order")
        assert report.verdict is Verdict.HOLDS
        assert not {*tried} & {*report.never_exercised}

    def test_an_attack_that_is_never_tried_leaves_its_clause_unexercised(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Honest relayers are never refused: a run of them alone names every clause of `deliver`.
        """
        monkeypatch.setattr(Schedule, "attack", lambda self, dice: None)
        # Nor is it looked for how long shards remember, by a second delivery after many others.
        monkeypatch.setattr(Memory, "due", lambda self, steps: False)

        report = searched(ReferenceAdapter, "reference", 20_000)

        assert report.never_exercised == dict.fromkeys(REFUSALS, "never the reason for a refusal")

    def test_one_attack_that_is_tried_exercises_its_clause(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        With second deliveries and nothing else, the clause that refuses them is not among the unexercised.
        """

        def second(schedule: Schedule, dice: Dice) -> Move | None:
            return schedule.executed(dice)

        monkeypatch.setattr(Schedule, "attack", second)

        assert "deliver: consumed" not in searched(ReferenceAdapter, "reference", 20_000).never_exercised

    def test_a_step_that_is_a_finding_is_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        What the model refuses and the system does is an attempt that was refused by that clause, and taken.
        """
        unproven = Deliver(1, Forged(0, 0, 1), NULL, None)
        monkeypatch.setattr(Schedule, "next", lambda self, dice: unproven)

        report = searched(load("faulty:null-root"), "faulty:null-root", 1)

        assert report.verdict is Verdict.VIOLATED
        assert dict(report.tables["actions"])["deliver"] == "enabled 0, taken 1, refused 0"
        assert dict(report.tables["clauses"])["deliver: untrusted header"] == "refused 1, passed 0"

    def test_an_adapter_that_lacks_a_verb_has_nothing_unexercised_by_it(self) -> None:
        """
        Headers that certify themselves are not learned: the clauses of `learn` are no gap.
        """
        report = searched(Certifying, "certifying", 12_000)

        assert report.never_exercised == {}
        assert dict(report.tables["actions"])["learn"] == "cannot be attempted: the adapter has no learn"


class TestExplore:
    def test_every_attempt_of_every_world_is_counted(self) -> None:
        """
        In a search to the end each world sees every attempt; those that are enabled are the transitions.
        """
        final = stack("final")
        scope = scope_of(final, shards=2, receipts=1, headers=1)

        report = explore(final, scope)

        numbers = [
            [int(word.strip(",").replace(",", "")) for word in told.split()[1::2]]
            for _, told in report.tables["actions"]
        ]
        instances = len(Generated(final, scope).instances)
        assert report.work["cut"] == 0
        assert sum(enabled for enabled, _, _ in numbers) == report.work["transitions"]
        assert sum(enabled + no for enabled, _, no in numbers) == report.work["worlds"] * instances

    def test_a_scope_too_small_for_a_clause_names_it(self) -> None:
        """
        With one block a shard every parent is final, and no clause has to say so.
        """
        final = stack("final")

        small = explore(final, scope_of(final, shards=2, receipts=1, headers=1))
        larger = explore(final, scope_of(final, shards=2, receipts=1, headers=2), worlds_max=20_000)

        assert small.never_exercised == {"finalise: parent not final": "never the reason for a refusal"}
        assert "finalise: parent not final" not in larger.never_exercised
