"""The fuzzing engine: what is right is never flagged, what is wrong is, by name and as short as can be."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path

import pytest

from shardproof.adapter import Topology
from shardproof.adapters.faulty import FAULTS
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.attacks import ATTACKS
from shardproof.engines.fuzz import Plan, fuzz, mixed
from shardproof.engines.fuzz.drawn import numbers_of_runs
from shardproof.errors import UsageError
from shardproof.loading import load
from shardproof.lockstep import Lockstep
from shardproof.moves import move_of
from shardproof.oracle import Oracle
from shardproof.replay import replay
from shardproof.schedule import Schedule
from shardproof.traffic import Dice
from shardproof.verdict import Report, Verdict
from shardproof_models.stacks import stack

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy


def run(name: str, steps: int | None = None, *, seed: int = 1, shards: int = 3, depth: int = 60) -> Report:
    """A search with a clock that only counts how often it is asked: nothing depends on time."""
    ticks = itertools.count()
    plan = Plan(seed, steps=steps, shards=shards, depth=depth)
    return fuzz(load(name), name, plan, clock=lambda: float(next(ticks)))


@pytest.mark.parametrize(
    "fault", ["no-proof-check", "null-root", "destination-not-bound", "pruned-without-a-bound"]
)
def test_every_finding_replays_from_its_trace(fault: str) -> None:
    """
    What cannot be replayed was not found; and the reference takes the same steps without complaint.

    These break several sentences each. That every mistake is found is in `adapters/test_faulty_found.py`.
    """
    name, right = f"faulty:{fault}", FAULTS[fault].reference
    report = run(name, steps=10_000, seed=2)

    assert len(report.findings) > 1
    for finding in report.findings:
        again = replay(load(name), name, finding.trace)
        assert again.reproduced, again.summary
        assert again.trace.steps == finding.trace.steps
        assert replay(load(right), right, finding.trace).verdict is not Verdict.VIOLATED


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ["reference", "watermark"])
def test_never_flags_what_is_right(name: str, seed: int) -> None:
    """Two implementations of different design, and every kind of attack that applies to them."""
    report = run(name, steps=12_000, seed=seed)

    assert report.verdict is Verdict.HOLDS, (report.reasons, report.findings)
    assert not [kind for kind, count in report.tables["what the adversary tried"] if count == "never tried"]
    assert report.work["quiesced"] > 0
    assert report.work["repeated"] > 0


def test_one_seed_is_one_run() -> None:
    """A seed reproduces a run: the same counts, the same findings, step by step."""
    first, second = (run("faulty:key-is-header", steps=3_000, seed=7) for _ in range(2))

    assert first.work == second.work
    assert [f.trace for f in first.findings] == [f.trace for f in second.findings]
    assert run("faulty:key-is-header", steps=3_000, seed=8).work != first.work


def test_one_seed_is_the_same_numbers_for_each_run() -> None:
    """So many for each of so many runs, none beyond 64 bits; another seed is other numbers."""
    drawn = numbers_of_runs(1, runs=25, size=17)

    assert [len(numbers) for numbers in drawn] == [17] * 25
    assert all(0 <= number < 1 << 64 for numbers in drawn for number in numbers)
    assert drawn == numbers_of_runs(1, runs=25, size=17)
    assert drawn[1:] != numbers_of_runs(2, runs=25, size=17)[1:]


def test_steps_of_a_trace_are_the_moves_that_were_made() -> None:
    """A trace is read back into the moves that it was written from."""
    (finding,) = [f for f in run("faulty:leaf-for-node", steps=40_000).findings if f.id == "P02"]

    moves = [move_of(s, finding.trace.shards) for s in finding.trace.steps]

    assert [type(m).__name__ for m in moves] == ["Emit", "Emit", "Produce", "Finalise", "Learn", "Deliver"]


def test_several_faults_are_told_apart_in_one_run() -> None:
    """A shard that is wrong in two ways has two findings, each with a trace of its own."""
    report = run("faulty:no-proof-check", steps=10_000)

    assert {"executes-only-what-was-emitted", "executes-at-most-once"} <= {
        f.property for f in report.findings
    }


def test_only_the_property_that_was_asked_for_is_reported() -> None:
    """A search for one property passes over the others."""
    ticks = itertools.count()
    plan = Plan(1, steps=10_000, properties=("executes-at-most-once",))
    report = fuzz(load("faulty:no-proof-check"), "x", plan, clock=lambda: float(next(ticks)))

    assert {f.property for f in report.findings} == {"executes-at-most-once"}


def test_nothing_run_is_inconclusive() -> None:
    """A budget of nothing shows nothing."""
    report = run("reference", steps=0)

    assert report.verdict is Verdict.INCONCLUSIVE
    assert report.reasons == ("nothing was run",)


def test_too_few_steps_are_inconclusive_and_say_what_was_missed() -> None:
    """A property that nothing could have violated was not checked."""
    report = run("reference", steps=40)

    assert report.verdict is Verdict.INCONCLUSIVE
    assert any("never exercised" in reason or "never executed" in reason for reason in report.reasons)


def test_a_search_needs_an_end_and_two_shards() -> None:
    """Neither an endless search nor a single shard is what anybody wants."""
    with pytest.raises(UsageError, match="needs an end"):
        run("reference")
    with pytest.raises(UsageError, match="at least two"):
        run("reference", steps=10, shards=1)


def test_kinds_that_do_not_apply_are_named_with_what_they_need() -> None:
    """What an adapter lacks is a fact of the report, not a silence."""
    report = run("watermark", steps=2_000)

    lacking = dict(report.tables["what does not apply"])
    assert lacking["delivery-from-inside-the-callback"] == "needs reenter"
    assert not set(lacking) & {kind for kind, _ in report.tables["what the adversary tried"]}
    assert set(lacking) | {kind for kind, _ in report.tables["what the adversary tried"]} >= set(ATTACKS)


def test_a_crowd_is_kept_under_way() -> None:
    """A system under load: so many receipts are under way at once, and every one of them is looked after."""
    lock = Lockstep(
        ReferenceAdapter(), Oracle.for_run(stack("core-restarts"), 3, 10_000, 300), Topology.of(3)
    )
    schedule = Schedule(lock, {}, 300)
    schedule.begin(Dice(0))
    waiting = []
    for number in range(2_000):
        move = schedule.next(Dice(mixed(number)))
        assert lock.run(move) is None
        schedule.note(move)
        waiting.append(len(schedule.waiting))

    assert max(waiting[:400]) >= 300
    assert min(waiting[400:]) >= 250
    assert lock.newest > 500


@pytest.mark.heavy
def test_long_runs_forget_and_find_all_the_same() -> None:
    """A run that is longer than the memory of the harness raises no false alarm, and still sees a fault."""
    right = run("reference", steps=6_000, depth=6_000)
    wrong = run("faulty:record-lost-at-restart", steps=20_000, depth=6_000)

    assert right.verdict is not Verdict.VIOLATED
    assert "executes-at-most-once" in {f.property for f in wrong.findings}


def test_a_seed_means_the_same_beside_other_source_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hypothesis takes numbers from the files of the project around it; a seed must not depend on them."""
    before = run("reference", steps=3_000, seed=3)
    numbers = ", ".join(str(n * 7919) for n in range(2, 400))
    source = f"NUMBERS = [{numbers}]\nBYTES = [b'{'x' * 136}']\n"
    (tmp_path / "full_of_numbers.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    importlib.import_module("full_of_numbers")

    after = run("reference", steps=3_000, seed=3)

    assert before.work == after.work
    assert before.tables == after.tables
