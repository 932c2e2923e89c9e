"""
Random walks: the same in C and in Python, and what they say of a protocol.

The walks in Python are the specification of those in C; here one is compared with the other, and what
the engine makes of either.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.engines import simulate as engine
from shardproof.engines.explore import explore
from shardproof.engines.simulate import Way, simulate
from shardproof.engines.simulate.kernel import KernelWalker, must_agree, program
from shardproof.engines.simulate.question import Question
from shardproof.engines.simulate.stepping import Stepping
from shardproof.engines.simulate.tally import milestones
from shardproof.errors import EXIT_BROKE, DisagreementError, UsageError
from shardproof.readings import wandering
from shardproof.readings.asked import LOOKED_AT
from shardproof.readings.native import walking
from shardproof.readings.native.compiler import CompilerError
from shardproof.readings.native.packing import TooWideError
from shardproof.readings.scopes import scope_of
from shardproof.readings.wandering import ERROR, Distinct, begun, chosen, following, likings
from shardproof.verdict import Report, Verdict
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import FALSE
from shardproof_models.mistakes import dropped_clauses
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

WAYS = (Way.KERNEL, Way.PYTHON)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("SHARDPROOF_CACHE", str(tmp_path))
    return tmp_path / "kernels"


def still() -> float:
    """A clock that stands still, so that reports can be compared."""
    return 0.0


def of_the_benchmark(mutant: int = 0, size: tuple[int, int, int] = (2, 2, 2), **how: Any) -> Report:
    protocol, properties = benchmark(mutant)
    asked = {"seed": 1, "steps": 2_000, "clock": still, **how}
    return simulate(protocol, benchmark_scope(*size), properties=properties, **asked)


def of_a_stack(name: str, way: Way, steps: int = 1_500, seed: int = 1, **scope: Any) -> Report:
    protocol = stack(name)
    return simulate(protocol, scope_of(protocol, **scope), seed=seed, steps=steps, clock=still, way=way)


def question_of(protocol: Protocol, length: int = 30, **scope: Any) -> Question:
    return Question(
        protocol, scope_of(protocol, **scope), properties_of(protocol, *LOOKED_AT), 5, length, None
    )


class TestOneAnswer:
    @pytest.mark.parametrize("mutant", [0, 1, 2])
    def test_holds_or_is_violated_alike(self, mutant: int) -> None:
        """The whole report: counts, estimates, the finding, its trace."""
        reports = [of_the_benchmark(mutant, way=way, length=40) for way in WAYS]

        assert reports[0] == reports[1]
        assert reports[0].verdict is (Verdict.VIOLATED if mutant else Verdict.HOLDS)

    @pytest.mark.heavy
    @pytest.mark.parametrize("name", ["final", "exactly-once", "actors"])
    def test_a_stack_is_walked_alike(self, name: str) -> None:
        """With all that is asked of it, in walks that come to their end."""
        reports = [of_a_stack(name, way) for way in WAYS]

        assert reports[0] == reports[1]
        assert reports[0].work["walks"] > 10

    @pytest.mark.deep
    @pytest.mark.parametrize("name", ["near", "ibc-ordered"])
    def test_a_rich_stack_is_walked_alike(self, name: str) -> None:
        """With clocks and queues, where steps are cut by the scope, in worlds wider than a search takes."""
        reports = [of_a_stack(name, way, steps=400, receipts=3) for way in WAYS]

        assert reports[0] == reports[1]

    def test_where_it_stops_does_not_matter(self) -> None:
        """Walks go on where they stopped: two halves are the whole."""
        question = question_of(stack("core"))
        made = program(question)
        whole, halves = KernelWalker.of(question, made), KernelWalker.of(question, made)

        whole.go_on(1_000)
        for steps in (1, 17, 500, 1_000):
            halves.go_on(steps)

        assert whole.tally() == halves.tally()

    def test_a_step_that_is_wrong_is_found_alike(self) -> None:
        """Also one that changes nothing else."""
        protocol, _ = benchmark()
        chosen = (Property("S", "nothing-happens", Role.STEP, (), FALSE, "it is what this test breaks"),)

        reports = [
            simulate(
                protocol, benchmark_scope(2, 2, 1), properties=chosen, seed=2, steps=50, clock=still, way=way
            )
            for way in WAYS
        ]

        assert reports[0] == reports[1]
        assert [len(f.trace.steps) for f in reports[0].findings] == [1]

    def test_an_initial_world_that_is_wrong_is_found_alike(self) -> None:
        """No step is needed."""
        protocol, _ = benchmark()
        chosen = (Property("S", "never", Role.SAFETY, (), FALSE, "it is what this test breaks"),)

        reports = [
            simulate(
                protocol, benchmark_scope(2, 2, 1), properties=chosen, seed=2, steps=50, clock=still, way=way
            )
            for way in WAYS
        ]

        assert reports[0] == reports[1]
        assert [f.trace.steps for f in reports[0].findings] == [()]


class TestAgreement:
    """New kernels are compared with Python before they are believed."""

    def changed(
        self, monkeypatch: pytest.MonkeyPatch, before: str, after: str
    ) -> tuple[Question, walking.Walks, KernelWalker]:
        """Walks compiled from a program with a mistake in it."""
        question = question_of(stack("final"))
        made = program(question)
        assert before in made.source
        wrong = evolve(made, source=made.source.replace(before, after))
        monkeypatch.setattr("shardproof.engines.simulate.kernel.must_agree", lambda *_: None)
        return question, made, KernelWalker.of(question, wrong)

    @pytest.mark.parametrize(
        "before, after, told",
        [
            ("state ^= state >> 7", "state ^= state >> 9", "the steps of a walk"),
            ("(state & 255) >=", "(state & 127) >=", "the steps of a walk"),
            ("accepted[k] = accepted[--n]", "--n", "the steps of a walk"),
            ("w->ended[w->depth]++", "w->ended[0]++", "where walks end"),
            ("w->shown[k] += w->seen[k]", "w->shown[k] += 1", "witnesses"),
            ("if (run > *longest)", "if (run < *longest)", "different worlds"),
            ("w->taken[attempt]++", "w->taken[0]++", "actions"),
            ("  S y = x; int cut = 0;", "  S y = x; int cut = 0; y.w[0] ^= 1;", "the steps|the worlds"),
        ],
    )
    def test_a_mistake_in_the_kernel_is_noticed(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, told: str
    ) -> None:
        """Each of the things that a walk is made of, broken once."""
        question, made, kernel = self.changed(monkeypatch, before, after)

        with pytest.raises(DisagreementError, match=told) as caught:
            must_agree(question, made, kernel)

        assert caught.value.exit_code == EXIT_BROKE

    def test_a_kernel_that_disagrees_is_not_kept(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is answered, and the next one begins anew."""
        monkeypatch.setattr(wandering, "INDIFFERENT", 3)

        with pytest.raises(DisagreementError):
            of_a_stack("final", Way.KERNEL)

        assert not cache.exists()

    def test_a_violation_that_is_none_in_python_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A finding was seen twice, or it is none."""
        monkeypatch.setattr(Stepping, "first_violation", lambda *_args, **_how: ((), ()))

        with pytest.raises(DisagreementError, match="violated holds in Python"):
            of_the_benchmark(1, way=Way.KERNEL)


class TestFindings:
    def test_a_mistake_is_found_and_shortened(self) -> None:
        """Its trace is nearly as short as any; that none is shorter is not claimed."""
        (found,) = of_the_benchmark(1, way=Way.PYTHON).findings
        protocol, properties = benchmark(1)
        (shortest,) = explore(protocol, benchmark_scope(2, 2, 2), properties=properties).findings

        assert found.property == shortest.property
        assert len(found.trace.steps) <= len(shortest.trace.steps) + 2
        assert found.trace.shortest == "not established"
        assert found.trace.search.seed == 1

    @pytest.mark.heavy
    def test_dropped_clauses_are_found_in_a_scope_too_wide_for_every_trace(self) -> None:
        """What a search notices with one receipt, walks notice with three of them and a third shard."""
        noticed = []
        for name, mutant in dropped_clauses(stack("final")):
            properties = properties_of(mutant, Role.SAFETY, Role.STEP)
            small = explore(mutant, scope_of(mutant, receipts=1), properties=properties, worlds_max=20_000)
            if small.verdict is Verdict.VIOLATED:
                wide = scope_of(mutant, shards=3, receipts=3)
                walked = simulate(mutant, wide, properties=properties, seed=1, steps=20_000, clock=still)
                assert walked.verdict is Verdict.VIOLATED, name
                noticed.append(name)

        assert len(noticed) >= 5


class TestHonesty:
    def test_what_was_not_seen_is_inconclusive(self) -> None:
        """A witness that no walk has shown: nothing says that the properties are about anything."""
        report = of_a_stack("core", Way.PYTHON, steps=5)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert "witnesses that were not seen: executes" in report.reasons[0]
        assert report.never_exercised["deliver"] == "never taken"

    def test_what_was_run_is_said(self) -> None:
        """Walks, steps, depth, worlds and the seed: it holds for no more than these."""
        report = of_a_stack("final", Way.PYTHON, seed=8)

        assert report.verdict is Verdict.HOLDS
        assert report.checked == (
            f"{report.work['walks']} random walks of final with 2 shards, 2 receipts and 1 block a shard, "
            f"1,500 steps, the longest walk {report.work['deepest']}, "
            f"about {report.work['distinct_estimate']:,} different worlds (seed 8)"
        )

    def test_no_property_is_inconclusive(self) -> None:
        """Nothing was checked."""
        protocol, _ = benchmark()

        report = simulate(protocol, benchmark_scope(2, 2, 1), properties=(), seed=1, steps=9, clock=still)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("there was no property to check",)

    def test_time_ends_walks_and_what_they_were_is_said(self) -> None:
        """Not all steps that were asked for, and no more is claimed."""
        moments = iter(range(100))

        report = of_the_benchmark(
            steps=10**9, seconds=3.0, clock=lambda: float(next(moments)), way=Way.PYTHON
        )

        assert 0 < report.work["steps"] < 2_000
        assert f"{report.work['steps']:,} steps" in report.checked

    @pytest.mark.parametrize("how", [{"steps": None}, {"steps": 0}, {"length": 0}])
    def test_walks_without_end_or_beginning_are_refused(self, how: dict[str, Any]) -> None:
        """A usage error, before anything is done."""
        with pytest.raises(UsageError):
            of_the_benchmark(**how)

    def test_without_a_compiler_python_walks_and_says_so(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The same walks, with the reason why they are few."""
        monkeypatch.setenv("CC", "no-such-compiler")
        monkeypatch.setattr(engine, "FEW", 100)

        report = of_the_benchmark()

        monkeypatch.undo()
        assert report.checked.endswith(
            "by Python alone: no C compiler was found: there is no no-such-compiler"
        )
        assert report.work == of_the_benchmark(way=Way.KERNEL).work
        monkeypatch.setenv("CC", "no-such-compiler")
        with pytest.raises(CompilerError):
            of_the_benchmark(way=Way.KERNEL)

    def test_worlds_too_wide_for_words_are_walked_by_python(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Told apart by their cells instead."""
        monkeypatch.setattr(walking, "WORDS", (1,))
        monkeypatch.setattr(engine, "FEW", 100)
        protocol = stack("core")

        report = simulate(protocol, scope_of(protocol), seed=1, steps=300, clock=still)

        assert "does not fit into 1 words" in report.checked
        assert report.work["distinct_estimate"] > 100
        with pytest.raises(TooWideError):
            of_a_stack("core", Way.KERNEL)


class TestNumbers:
    def test_walks_are_functions_of_the_seed_and_their_number(self) -> None:
        """And neighbours have nothing in common, nor has a walk that nothing decides."""
        starts = {begun(seed, number) for seed in range(50) for number in range(1, 50)}

        assert len(starts) == 50 * 49
        assert 0 not in starts

    def test_every_attempt_is_chosen_about_as_often(self) -> None:
        """Seven of them, in 7,000 steps."""
        state, counts = begun(1, 1), [0] * 7
        for _ in range(7_000):
            state = following(state)
            counts[chosen(state, 7)] += 1

        assert all(850 < n < 1_150 for n in counts)

    def test_some_walks_like_everything_and_most_do_not(self) -> None:
        """From all to one in sixty-four."""
        liked = {number: likings(number, begun(1, number), 40) for number in range(1, 9)}

        assert {n for n, values in liked.items() if set(values) == {256}} == {4, 8}
        assert {value for values in liked.values() for value in values} == {256, 64, 16, 4}

    @pytest.mark.parametrize("count", [0, 1, 100, 5_000, 60_000])
    def test_different_worlds_are_counted_about_right(self, count: int) -> None:
        """Within three standard errors, and seeing them again changes nothing."""
        distinct = Distinct()
        for k in range(count):
            distinct.add((k, k >> 3))
        estimate = distinct.estimate
        for k in range(min(count, 1_000)):
            distinct.add((k, k >> 3))

        assert abs(estimate - count) <= 3 * ERROR * count
        assert distinct.estimate == estimate

    def test_milestones_are_one_two_five_and_ten(self) -> None:
        """Evenly spaced for whoever looks at their logarithms."""
        first = [*islice(milestones(), 7)]

        assert first == [1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000]
        assert all(a < b for a, b in pairwise(first))

    def test_new_worlds_get_fewer_where_there_are_few(self) -> None:
        """A protocol with 484 worlds is seen to be nearly exhausted."""
        report = of_the_benchmark(size=(2, 2, 2), steps=100_000)
        rows = next(rows for title, rows in report.tables.items() if title.startswith("different worlds"))

        assert report.work["distinct_estimate"] <= 484 * (1 + 3 * ERROR)
        assert rows[-1][0] == "after 100,000 steps"
        assert int(rows[-1][1].split(" and ")[1].split()[0].replace(",", "")) < 2_000


Run = Callable[..., tuple[int, Mapping[str, Any]]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `shardproof explore --json` in a folder of its own; its exit code, and what it says."""
    import json

    from shardproof.cli import run

    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_walks.py").write_text(OWN)
    monkeypatch.syspath_prepend(str(tmp_path))

    def walk(*flags: str) -> tuple[int, Mapping[str, Any]]:
        capsys.readouterr()
        code = run(["explore", "--json", *flags])
        return code, json.loads(capsys.readouterr().out)

    return walk


OWN = """
from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.subject import Subject

def broken():
    protocol, properties = benchmark(2)
    return Subject(protocol, benchmark_scope(2, 2, 2), properties)
"""


class TestCommand:
    def test_a_seed_repeats_the_walks(self, command: Run) -> None:
        """All that is said of them."""
        asked = ("--stack", "final", "--walk", "1000", "--seed", "4", "--depth", "12")

        (_, said), (_, again) = command(*asked), command(*asked)

        assert said["seed"] == 4
        assert said["work"]["simulate"] == again["work"]["simulate"]
        assert said["work"]["simulate"]["deepest"] == 12

    def test_what_walks_find_is_made_as_short_as_can_be(self, command: Run) -> None:
        """By a search of every trace that is no longer."""
        code, said = command("--protocol", "own_walks:broken", "--walk", "4000", "--seed", "4")

        assert code == 1
        assert [(f["property"], f["steps"], f["shortest"]) for f in said["findings"]] == [
            ("applies-only-what-was-emitted", 2, "proved")
        ]

    @pytest.mark.parametrize("flags", [("--seed", "1"), ("--walk", "9", "--threads", "2"), ("--walk", "0")])
    def test_flags_that_mean_nothing_are_refused(self, command: Run, flags: tuple[str, ...]) -> None:
        """Rather than ignored."""
        assert command("--stack", "final", *flags)[0] == 2
