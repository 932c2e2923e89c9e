"""
The core holds for any number of shards, and every part of it is needed.

A mistake is one clause or one effect less. Each has to make the proof fail, and where the
proof fails there is something to read; only what a trace shows is called a violation.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import z3
from attrs import evolve

from shardproof.engines import prove as engine
from shardproof.engines.prove import bounded, happening, induction, prove
from shardproof.engines.prove.counterexample import Counterexample, counterexample
from shardproof.engines.prove.course import EFFORT_BY_DEPTH, PROVED_BY_EFFORT
from shardproof.engines.prove.induction import Decision, Prover
from shardproof.engines.prove.obligations import Obligation, obligations
from shardproof.engines.prove.search import ReadingsDisagreeError, finding, violation
from shardproof.engines.prove.unrolled import GaveUpError, Unrolled
from shardproof.engines.prove.unrolled import Path as Found
from shardproof.errors import UsageError
from shardproof.readings.evaluate import Evaluator, Stepped
from shardproof.readings.scopes import scope_of
from shardproof.verdict import Kind, Report, Verdict
from shardproof_models.language.actions import Action, Clause, Effect, Refusal, require
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import FALSE, Bool, Variable, number
from shardproof_models.layers.exactly_once import Count, Receipt, consumed, emitted, executions
from shardproof_models.mistakes import dropped_clauses, dropped_effects
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Catalogue, Property, Role
from shardproof_properties.safety import REPEATABLE

CORE = stack("core")
PROPERTIES = properties_of(CORE)
CLAUSES = dict(dropped_clauses(CORE))
EFFECTS = dict(dropped_effects(CORE))
LEMMAS = properties_of(CORE, Role.LEMMA)

#: Clauses without which no trace does anything bad, and why they are there.
HARMLESS = {
    "emit without 'already emitted'": "a second emission changes nothing; who paid for it is told a lie",
    "finalise without 'already final'": "a second time changes nothing",
}


#: An effect without which nothing is ever learned: all that is proved remains true, of nothing.
IDLE = "learn without 'learned(d, h) := true'"


@pytest.fixture(autouse=True)
def _failing_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What the core does not prove is given up sooner than a user's: no proof of it takes a third as much.

    Most of what is tried below fails, and failing takes all the effort that is allowed.
    """
    monkeypatch.setattr(induction, "WHOLE_EFFORT", 50_000)
    monkeypatch.setattr(induction, "SELECTED_EFFORT", 20_000)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counterexamples to induction only in the smallest worlds, and few places to look for witnesses in."""
    # The package has a function of the same name as this module.
    monkeypatch.setattr(sys.modules[Counterexample.__module__], "SIZE_MAX", 2)
    monkeypatch.setattr(engine, "SIZE_MAX", 2)
    monkeypatch.setattr(happening, "SEARCHED", happening.SEARCHED[:1])


@cache
def proved() -> Report:
    """What is said of the core, for all who want to read it."""
    return prove(CORE)


def todo(protocol: Protocol, properties: tuple[Property, ...] = PROPERTIES) -> tuple[Obligation, ...]:
    return tuple(obligations(protocol, properties, REPEATABLE))


def failures(protocol: Protocol, properties: tuple[Property, ...] = PROPERTIES) -> list[Obligation]:
    prover = Prover()
    return [o for o in todo(protocol, properties) if not prover.matched(o)]


def failing(protocol: Protocol, action: str) -> Iterator[Obligation]:
    """
    What fails of one action, as it is asked for: where only that one differs, all else is the core's.

    The last first: `executes-at-most-once, part 1, after a loss at d` fails in infinite worlds only,
    and is looked for in vain.
    """
    prover = Prover()
    return (
        o
        for o in reversed(todo(protocol))
        if o.action is not None and o.action.name == action and not prover.matched(o)
    )


def explained(protocol: Protocol, failed: Iterable[Obligation]) -> Counterexample:
    """The first counterexample to induction among what fails: some fail in infinite worlds only."""
    return next(found for o in failed if (found := counterexample(protocol, o)) is not None)


def changed(name: str, change: Callable[[Action], Action]) -> Protocol:
    """The core with another `name`."""
    return evolve(CORE, actions=tuple(change(a) if a.name == name else a for a in CORE.actions))


class TestTheTheorem:
    def test_the_core_is_proved(self) -> None:
        """
        Every obligation of L0 and L4, for any number of shards, receipts and headers.
        """
        report = proved()

        assert report.verdict is Verdict.HOLDS
        assert report.work["proved"] == report.work["obligations"] == len(todo(CORE)) > 100
        assert (report.findings, report.not_proved, report.reasons) == ((), (), ())
        assert report.checked == (
            f"{len(todo(CORE))} obligations of core (exactly-once, finality, reorganisation), "
            "for any number of receipts, shards, keys and headers"
        )

    def test_how_it_went_on_is_a_line(self) -> None:
        """
        By the effort of the solver, each obligation after the other, to the last one.
        """
        points = proved().series[PROVED_BY_EFFORT]

        assert [*points] == sorted(points)
        assert (points[0][1], points[-1][1]) == (1, len(todo(CORE)))

    def test_what_obligations_of_each_kind_took_is_counted(self) -> None:
        """
        All of them, by what they ask for; those that took most by name, the hardest first.
        """
        kinds, hardest = proved().details.values()

        asked, shown, effort = (
            sum(int(value.split(", ")[i].split(" ")[1].replace(",", "")) for _, value in kinds)
            for i in range(3)
        )
        assert asked == shown == len(todo(CORE))
        took = [int(value.replace(",", "")) for _, value in hardest]
        assert len(took) == 10
        assert took == sorted(took, reverse=True)
        assert sum(took) < effort <= proved().series[PROVED_BY_EFFORT][-1][0]
        assert {name for name, _ in hardest} <= {o.name for o in todo(CORE)}

    @pytest.mark.heavy
    def test_it_goes_on_the_same_in_every_process(self) -> None:
        """
        Whatever order sets of that process have: effort is counted by the solver, and never in seconds.
        """
        script = (
            "from shardproof.engines.prove import prove; from shardproof_models.stacks import stack; "
            "r = prove(stack('exactly-once')); print(r.series, r.details)"
        )
        told = {
            subprocess.run(
                [sys.executable, "-c", script],
                env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                check=True,
            ).stdout
            for seed in (1, 2)
        }

        assert len(told) == 1

    def test_says_which_sentences_hold(self) -> None:
        """
        Of every role but those that are about implementations, where there is nothing to prove.
        """
        expected = {p.name for p in PROPERTIES if p.role not in (Role.PROGRESS, Role.CONCRETE)}

        assert set(proved().properties) == expected
        assert {p.id for p in PROPERTIES if p.name in expected} >= {"P01", "P02", "P03", "P10", "P26", "P27"}

    def test_every_kind_of_obligation_is_there(self) -> None:
        """
        Initially, preserved, respected, isolated, not idle: an action is subject to all of them.
        """
        names = {o.name for o in todo(CORE)}

        assert names >= {
            "executes-at-most-once holds initially",
            "deliver preserves executes-at-most-once",
            "revert respects reverts-atomically[consumed]",
            "deliver isolates-shards",
            "deliver, if accepted, changes something",
        }
        assert "learn, if accepted, changes something" not in names

    def test_an_action_that_writes_a_cell_twice_is_not_proved(self) -> None:
        """
        Two effects may name one cell under two names; then it must be the same value.
        """
        spoiled = changed("deliver", lambda a: evolve(a, effects=(*a.effects, _unmark(a))))

        assert "deliver writes consumed once" in {o.name for o in failures(spoiled)}

    def test_what_does_not_follow_is_refuted(self) -> None:
        """
        The solver's own word on an obligation: proved, or refuted where worlds need no infinity.
        """
        claim = Obligation("nothing is emitted", (), ~emitted(Receipt(Variable("m"))))

        assert Prover().decide(claim) is Decision.REFUTED
        assert Prover().decide(evolve(claim, hypotheses=(FALSE,))) is Decision.PROVED

    @pytest.mark.usefixtures("tiny")
    def test_what_the_solver_cannot_decide_is_inconclusive(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        An unknown is neither a proof nor a violation, and it is named.
        """
        monkeypatch.setattr(
            Prover,
            "reduced",
            lambda self, o: None if o.name == "learn preserves trusts-only-final-headers" else o,
        )
        monkeypatch.setattr(Prover, "decide", lambda self, o: Decision.UNKNOWN)

        report = prove(CORE, depth=1)

        assert report.verdict is Verdict.INCONCLUSIVE
        (missing,) = report.not_proved
        assert missing.obligation == "learn preserves trusts-only-final-headers"
        assert (
            missing.result == "unknown; no counterexample to induction was found with up to 2 elements a sort"
        )
        assert report.series[PROVED_BY_EFFORT][-1][1] == len(todo(CORE)) - 1
        preserved = dict(next(iter(report.details.values())))["is preserved by an action"]
        assert preserved.startswith("asked 99, proved 98, effort ")


def _unmark(action: Action) -> Effect:
    mark = next(e for e in action.effects if e.symbol is consumed)
    return evolve(mark, value=FALSE)


@pytest.mark.heavy
class TestEveryPartIsNeeded:
    @pytest.mark.parametrize("name", CLAUSES)
    def test_without_a_clause_the_proof_fails(self, name: str) -> None:
        """
        And shows a step, in a world small enough to look at.
        """
        assert_shows_what_is_broken(explained(CLAUSES[name], failing(CLAUSES[name], _action_of(name))))

    @pytest.mark.parametrize("name", [name for name in EFFECTS if name != IDLE])
    def test_without_an_effect_the_proof_fails(self, name: str) -> None:
        """
        An obligation sees it, and shows a step.
        """
        assert_shows_what_is_broken(explained(EFFECTS[name], failing(EFFECTS[name], _action_of(name))))

    @pytest.mark.usefixtures("tiny")
    def test_or_a_witness_is_missing(self) -> None:
        """
        Something that has to happen no longer does: that is neither a proof nor a violation.
        """
        report = prove(EFFECTS[IDLE], depth=4)

        assert (report.verdict, report.findings, report.not_proved) == (Verdict.INCONCLUSIVE, (), ())
        assert any(
            r.startswith("the witness executes was not reached by 200 walks at random")
            for r in report.reasons
        )

    @pytest.mark.parametrize("name", [name for name in CLAUSES if name not in HARMLESS])
    def test_a_forgotten_check_that_does_harm_is_violated(self, name: str) -> None:
        """
        The search from the initial world finds a trace, and every step of it is one of the model.
        """
        mistaken = CLAUSES[name]

        searched = violation(mistaken, violable(), 8, seed=0, timeout_ms=60_000)

        assert searched.found is not None
        assert replayed(mistaken, searched.found.path)
        told = finding(mistaken, searched.found, 0)
        assert len(told.trace.steps) == searched.steps + 1
        assert told.trace.violation is not None

    def test_a_length_of_which_the_solver_says_nothing_leaves_no_shortest_trace(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A trace is called shortest because every smaller depth was refuted, so an unknown ends the search.
        """
        mistaken, depth = CLAUSES["learn without 'not final'"], 4
        whole = violation(mistaken, violable(), depth, seed=0, timeout_ms=60_000)
        assert whole.found is not None
        find = Unrolled.find

        def unknown_at_first(traces: Unrolled, wanted: Any) -> Any:
            if traces.length == 0:
                raise GaveUpError(0)
            return find(traces, wanted)

        monkeypatch.setattr(Unrolled, "find", unknown_at_first)
        searched = violation(mistaken, violable(), depth, seed=0, timeout_ms=60_000)

        assert len(whole.found.path.steps) > 0
        assert (searched.found, searched.gave_up, searched.steps) == (None, True, 0)

    @pytest.mark.parametrize("name", HARMLESS)
    def test_a_mistake_that_does_no_harm_is_inconclusive(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        It is not proved, and it is not called violated.
        """
        # One is explained: the next ones fail in infinite worlds only, and are looked for in vain.
        monkeypatch.setattr(engine, "EXPLAINED_MAX", 1)

        report = prove(CLAUSES[name], depth=4)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.not_proved
        assert not report.findings


def _action_of(mistake: str) -> str:
    return mistake.partition(" without ")[0]


def violable() -> tuple[Property, ...]:
    return properties_of(CORE, Role.SAFETY, Role.STEP)


def replayed(protocol: Protocol, path: Found) -> bool:
    """Whether the plain reading accepts every step."""
    evaluator = Evaluator(protocol, path.scope)
    world = evaluator.initial()
    for action, args in path.steps:
        outcome = evaluator.step(world, action, args)
        if not isinstance(outcome, Stepped):
            return False
        world = outcome.world
    return evaluator.axioms_hold()


def assert_shows_what_is_broken(found: Counterexample) -> None:
    """The plain reading agrees: the world before satisfies what is assumed, and the goal is false."""
    evaluator = Evaluator(found.protocol, found.scope)
    world = tuple(found.before[cell] for cell in evaluator.layout.cells)
    chosen = dict(found.chosen)

    assert all(evaluator.value(h, world, chosen) for h in found.obligation.hypotheses)
    assert evaluator.value(found.obligation.guard, world, chosen)
    assert not evaluator.value(found.obligation.goal, world, chosen)
    assert sum(len(found.scope.domain(s)) for s in found.protocol.sorts) <= 7
    assert len(str(found).splitlines()) <= 20


class TestFailing:
    def test_a_violation_is_a_trace_and_its_induction_a_counterexample_to_induction(self) -> None:
        """
        Without the table of consumed receipts, six steps execute twice; the two are never confused.
        """
        report = prove(CLAUSES["deliver without 'consumed'"])

        assert report.verdict is Verdict.VIOLATED
        (found,) = report.findings
        assert (found.id, found.property, found.kind) == ("P01", "executes-at-most-once", Kind.SAFETY)
        assert [s.action for s in found.trace.steps][-2:] == ["deliver", "deliver"]
        assert len(found.trace.steps) == 6
        assert found.trace.adapter == "model"
        assert found.trace.violation is not None
        assert "executed r0 2 times" in found.trace.violation.differs
        first = report.not_proved[0]
        assert (first.obligation, first.result) == ("deliver preserves executes-at-most-once", "refuted")
        assert first.searched == "a trace of 6 steps is a violation"

    def test_a_lemma_that_fails_alone_is_inconclusive(self) -> None:
        """
        No trace violates anything: the proof is incomplete, and the protocol not shown to be wrong.
        """
        lemma = next(p for p in LEMMAS if p.name == "executed-is-recorded")

        report = prove(CORE, tuple(p for p in PROPERTIES if p is not lemma), depth=6)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert not report.findings
        assert report.reasons[0].startswith(
            "2 obligations not proved, and no violation was found in every trace"
        )
        assert "up to 6 steps with 2 shards, 2 receipts and 4 headers" in report.reasons[0]
        assert "executes-at-most-once" not in report.properties
        assert "executes-at-its-destination" in report.properties

    def test_a_false_lemma_is_inconclusive(self) -> None:
        """
        Even where a trace makes it false: a lemma is a means, and nobody loses money by it.
        """
        false = Catalogue()

        @false.lemma(supports="P01")
        def nothing_is_emitted(m: Receipt) -> Bool:
            """A receipt is never sent."""
            return ~emitted(m)

        report = prove(CORE, (*PROPERTIES, nothing_is_emitted), depth=3)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert "emit preserves nothing-is-emitted" in [m.obligation for m in report.not_proved]

    def test_at_most_three_counterexamples_are_shown(self) -> None:
        """
        Fifteen failures of one reason are named; three are explained.
        """
        report = prove(CLAUSES["revert without 'not produced'"], depth=1)

        assert len(report.not_proved) > 3
        assert sum(bool(m.counterexample_to_induction) for m in report.not_proved) == 3

    def test_the_counterexample_to_induction_is_a_story(self, golden: Callable[[str, str], None]) -> None:
        """
        A small world, a step, what is different, what is broken, and that it need not be a bug.
        """
        report = prove(CLAUSES["deliver without 'consumed'"], depth=0)

        golden("prove/deliver-without-consumed.txt", f"{report.not_proved[0].counterexample_to_induction}\n")

    def test_headers_and_what_they_remember_have_names(self, golden: Callable[[str, str], None]) -> None:
        """
        A genesis is called by its shard, and a snapshot by the header that sealed it.
        """
        lemma = "trusts-only-final-headers after a loss at d"
        failed = failures(CORE, tuple(p for p in PROPERTIES if p.name != lemma))

        golden("prove/without-trust-that-outlasts-a-loss.txt", f"{explained(CORE, failed)}\n")

    @pytest.mark.parametrize("seed", [1, 2])
    def test_the_story_does_not_depend_on_the_seed(self, seed: int) -> None:
        """
        It is the least one of its size.
        """
        mistaken = CLAUSES["revert without 'already final'"]
        (obligation, *_) = failures(mistaken)

        assert str(counterexample(mistaken, obligation, seed=seed)) == str(
            counterexample(mistaken, obligation)
        )


class TestIsolation:
    def test_a_guard_that_looks_at_another_shard_is_not_isolated(self) -> None:
        """
        Asking the source whether it still has the receipt makes the destination wait for it.
        """
        nosy = changed("deliver", lambda a: evolve(a, clauses=(*a.clauses, asks_the_source(a))))

        failed = failures(nosy)

        assert [o.name for o in failed] == ["deliver isolates-shards"]
        assert "emitted_elsewhere(r0)" in str(explained_elsewhere(nosy, failed[0]))

    def test_an_action_that_happens_nowhere_reads_nothing_private(self) -> None:
        """
        Without an actor there is no state that a guard may call its own.
        """
        nowhere = changed("deliver", lambda a: evolve(a, actor=None))

        assert [o.name for o in failures(nowhere)] == ["deliver isolates-shards"]

    def test_no_trace_is_claimed_for_it(self) -> None:
        """
        Two worlds are no trace: it is not proved, and that is all.
        """
        nosy = changed("deliver", lambda a: evolve(a, clauses=(*a.clauses, asks_the_source(a))))

        report = prove(nosy, only=["P27"], depth=1)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert [m.obligation for m in report.not_proved] == ["deliver isolates-shards"]
        assert "isolates-shards" not in report.properties


def asks_the_source(deliver: Action) -> Clause:
    m = next(p for p in deliver.parameters if isinstance(p, Receipt))
    return require(emitted(m), Refusal("taken back"))


def explained_elsewhere(protocol: Protocol, obligation: Obligation) -> Counterexample:
    found = counterexample(protocol, obligation)
    assert found is not None
    return found


class TestVacuity:
    def test_assumptions_that_contradict_each_other_are_reported(self) -> None:
        """
        From a false axiom every obligation follows, and none of it counts.
        """
        report = prove(evolve(CORE, axioms=(*CORE.axioms, FALSE)))

        assert report.work["proved"] == report.work["obligations"]
        assert report.verdict is Verdict.INCONCLUSIVE
        (reason,) = report.reasons
        assert reason == (
            "nothing is known to satisfy what the proof assumes: "
            "at the start with 2 shards, 2 receipts and 1 block a shard, not false"
        )

    def test_invariants_that_contradict_each_other_are_reported(self) -> None:
        """
        The same for what is proved by induction, if it is never true to begin with.
        """
        absurd = Catalogue()

        @absurd.lemma(supports="P01")
        def all_is_emitted_and_nothing_is(m: Receipt) -> Bool:
            """A contradiction."""
            return emitted(m) & ~emitted(m)

        report = prove(CORE, (*PROPERTIES, all_is_emitted_and_nothing_is), depth=0)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons[-1].startswith("nothing is known to satisfy what the proof assumes")

    @pytest.mark.usefixtures("tiny")
    def test_an_action_that_can_never_happen_is_reported(self) -> None:
        """
        A guard that is always false preserves everything; it is said, and proved, to be impossible.
        """
        barred = changed(
            "revert", lambda a: evolve(a, clauses=(*a.clauses, require(FALSE, Refusal("barred"))))
        )

        report = prove(barred)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert any(r.startswith("the witness drops-an-execution was not reached") for r in report.reasons)
        assert ("revert", "cannot happen in this protocol (proved)") in report.tables["not vacuous"]

    def test_what_has_to_happen_was_seen_to_happen(self) -> None:
        """
        Every witness of the core is reached.
        """
        rows = dict(proved().tables["not vacuous"])

        assert {p.name for p in properties_of(CORE, Role.WITNESS)} == set(rows)

    def test_where_blocks_are_final_at_once_nothing_is_finalised(self) -> None:
        """
        An action that a layer makes impossible does not spoil the proof, because that is proved too.
        """
        rows = dict(prove(stack("self-certified")).tables["not vacuous"])

        assert rows["finalise"] == "cannot happen in this protocol (proved)"


class TestOnly:
    @pytest.mark.parametrize("name", ["P01", "executes-at-most-once", "reverts-atomically"])
    def test_names_and_numbers_pick_sentences(self, name: str) -> None:
        """
        Also the name that sentences of one schema share; only these are said to hold.
        """
        report = prove(CORE, only=[name])

        assert report.verdict is Verdict.HOLDS
        assert report.properties
        assert all(
            name in (p.id, p.name, p.name.partition("[")[0])
            for p in PROPERTIES
            if p.name in report.properties
        )

    def test_an_induction_leans_on_every_invariant(self) -> None:
        """
        So one sentence does not hold while a lemma that it may lean on fails.
        """
        report = prove(CLAUSES["learn without 'not final'"], only=["executes-at-most-once"], depth=0)

        assert report.verdict is not Verdict.HOLDS

    def test_a_name_that_is_none_is_a_usage_error(self) -> None:
        """
        Answered with the nearest one.
        """
        with pytest.raises(UsageError, match="executes-at-most-onec") as raised:
            prove(CORE, only=["executes-at-most-onec"])

        assert "executes-at-most-once" in str(raised.value)

    def test_nothing_to_prove_is_inconclusive(self) -> None:
        """
        No sentence, no theorem.
        """
        report = prove(evolve(CORE, actions=()), ())

        assert report.verdict is Verdict.INCONCLUSIVE
        assert "there was nothing to prove" in report.reasons


class TestBounded:
    def test_says_what_was_searched(self) -> None:
        """
        Steps, sizes, topologies.
        """
        report = bounded(CORE, None, 6)

        assert report.verdict is Verdict.HOLDS
        assert report.checked == (
            "every trace of up to 6 steps with 2 shards, 2 receipts and 4 headers, in every topology "
            "of core (exactly-once, finality, reorganisation)"
        )
        course = report.series[EFFORT_BY_DEPTH]
        assert [depth for depth, _ in course] == [*range(7)]
        assert all(before < after for (_, before), (_, after) in pairwise(course))

    def test_a_depth_at_which_nothing_is_delivered_is_inconclusive(self) -> None:
        """
        In four steps no receipt can be executed, so none is executed twice.
        """
        report = bounded(CORE, None, 4)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("deliver was not seen to happen within 4 steps",)

    @pytest.mark.parametrize("depth, verdict", [(5, Verdict.HOLDS), (6, Verdict.VIOLATED)])
    def test_a_violation_is_found_at_its_length(self, depth: int, verdict: Verdict) -> None:
        """
        Neither before, nor only later.
        """
        assert bounded(CLAUSES["deliver without 'consumed'"], None, depth).verdict is verdict

    def test_a_number_that_leaves_its_range_is_said(self) -> None:
        """
        What is cut off was not checked.
        """
        doubled = changed("deliver", lambda a: evolve(a, effects=tuple(map(_nine_times, a.effects))))

        report = bounded(doubled, (_nothing_at_all(),), 5)

        assert "but for steps to numbers that are out of range" in report.checked
        assert "some steps were left out because a number would have left its range" in report.reasons

    def test_time_that_runs_out_is_inconclusive(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The solver's silence is no answer, and the report says how far it came.
        """
        monkeypatch.setattr(Unrolled, "find", gives_up_at_three_steps)

        report = bounded(CORE, None, 8)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.checked.startswith("every trace of up to 2 steps")
        assert "the solver gave no answer in its time at 3 steps" in report.reasons
        assert [depth for depth, _ in report.series[EFFORT_BY_DEPTH]] == [0, 1, 2]

    def test_a_solver_without_time_gives_up(self) -> None:
        """
        The time is the solver's own, and reaching it is not taken for an answer.
        """
        traces = Unrolled(CORE, scope_of(CORE), timeout_ms=1)
        for _ in range(12):
            traces.extend()
        wanted = next(p for p in PROPERTIES if p.name == "drops-an-execution")

        with pytest.raises(GaveUpError):
            traces.find(traces.last(traces.translated(CORE.expand(wanted.formula))))

    def test_no_property_is_inconclusive_and_a_negative_depth_a_usage_error(self) -> None:
        """
        Both are questions without an answer.
        """
        assert "there was no property to check" in bounded(CORE, (), 5).reasons
        with pytest.raises(UsageError, match="negative"):
            bounded(CORE, None, -1)

    def test_a_world_that_is_bad_from_the_start_is_a_trace_of_no_steps(self) -> None:
        """
        The initial world is checked too.
        """
        bad = Catalogue()

        @bad.invariant("P01", because="it is false")
        def something_is_emitted(m: Receipt) -> Bool:
            """False at first."""
            return emitted(m)

        (found,) = bounded(CORE, (something_is_emitted,), 2).findings

        assert found.trace.steps == ()


def gives_up_at_three_steps(traces: Unrolled, wanted: object) -> None:
    if traces.length == 3:
        raise GaveUpError(3)


def _nine_times(effect: Effect) -> Effect:
    return evolve(effect, value=number(9, Count)) if effect.symbol is executions else effect


def _nothing_at_all() -> Property:
    harmless = Catalogue()

    @harmless.invariant("P01", because="it is true")
    def is_itself(m: Receipt) -> Bool:
        """Always true."""
        return emitted(m) | ~emitted(m)

    return is_itself


def test_a_disagreement_of_the_readings_is_loud(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A trace that the plain reading does not confirm is a defect of ours, and no verdict.
    """
    monkeypatch.setattr(Evaluator, "value", lambda *_: 1)

    with pytest.raises(ReadingsDisagreeError, match="disagree") as raised:
        violation(CLAUSES["learn without 'not final'"], violable(), 2, seed=0, timeout_ms=10_000)

    assert raised.value.exit_code == 3


class TestCertificate:
    def test_every_obligation_is_a_file_that_a_solver_refutes(self, tmp_path: Path) -> None:
        """
        The manifest names each, with its digest; read back, each has no counterexample.
        """
        protocol = stack("exactly-once")
        prove(protocol, certificate=tmp_path / "c")

        manifest = json.loads((tmp_path / "c" / "manifest.json").read_text())

        expected = [o.name for o in todo(protocol, properties_of(protocol))]
        assert [entry["obligation"] for entry in manifest["obligations"]] == expected
        assert (manifest["format"], manifest["layers"]) == ("shardproof-certificate/1", ["exactly-once"])
        assert len({entry["file"] for entry in manifest["obligations"]}) == len(expected)
        for entry in manifest["obligations"]:
            text = (tmp_path / "c" / entry["file"]).read_bytes()
            assert hashlib.sha256(text).hexdigest() == entry["sha256"]
            solver = z3.Solver()
            solver.from_string(text.decode())
            assert str(solver.check()) == entry["expected"] == "unsat"

    def test_a_certificate_is_the_same_each_time(self, tmp_path: Path) -> None:
        """
        Two proofs of one protocol can be compared file by file.
        """
        for name in ("a", "b"):
            prove(CORE, only=["P27"], certificate=tmp_path / name)

        one, other = ({p.name: p.read_bytes() for p in (tmp_path / n).iterdir()} for n in ("a", "b"))
        assert one == other

    def test_a_folder_that_cannot_be_written_is_a_usage_error(self, tmp_path: Path) -> None:
        """
        Not a traceback.
        """
        (tmp_path / "file").write_text("")

        with pytest.raises(UsageError, match="cannot be written"):
            prove(CORE, only=["P27"], certificate=tmp_path / "file")


def test_progress_is_told() -> None:
    """
    Obligations as they are done; then the steps of a search, where there is one.
    """
    seen: list[dict[str, int]] = []
    prove(CLAUSES["learn without 'not final'"], depth=2, progress=lambda counts: seen.append(dict(counts)))

    assert seen[0] == {"obligations": 1, "not proved": 0}
    assert {"steps": 0} in seen


def test_a_step_that_changes_nothing_is_seen(golden: Callable[[str, str], None]) -> None:
    """
    A second emission of one receipt is accepted, and nothing comes of it.
    """
    (obligation,) = failures(CLAUSES["emit without 'already emitted'"])

    golden("prove/emit-without-already-emitted.txt", f"{counterexample(CORE, obligation)}\n")
