"""
Two ways to search, one answer: compiled or in Python, whatever happens to the compiler.

That the compiled search is right is tested with the reading, in `readings/native`; here, what the
engine makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.engines import explore as engine
from shardproof.engines.explore import Way, explore
from shardproof.engines.explore.python import PythonSearch
from shardproof.errors import EXIT_BROKE, DisagreementError, UsageError
from shardproof.readings.native import steps
from shardproof.readings.native.compiler import CompilerError
from shardproof.readings.native.kernel import Found
from shardproof.readings.native.packing import TooWideError
from shardproof.readings.native.program import Sentences
from shardproof.readings.scopes import scope_of
from shardproof.verdict import Report, Verdict
from shardproof_models.language.terms import FALSE
from shardproof_models.mistakes import dropped_clauses
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("SHARDPROOF_CACHE", str(tmp_path))
    return tmp_path / "kernels"


def of_the_benchmark(mutant: int = 0, size: tuple[int, int, int] = (2, 2, 2), **how: Any) -> Report:
    protocol, properties = benchmark(mutant)
    return explore(protocol, benchmark_scope(*size), properties=properties, **how)


class TestOneAnswer:
    @pytest.mark.parametrize("mutant", [0, 1, 2])
    def test_holds_or_is_violated_alike(self, mutant: int) -> None:
        """The whole report: counts, clauses, the finding, its trace."""
        assert of_the_benchmark(mutant, way=Way.KERNEL) == of_the_benchmark(mutant, way=Way.PYTHON)

    @pytest.mark.parametrize(
        "limits", [{"worlds_max": 100}, {"worlds_max": 484}, {"depth_max": 0}, {"depth_max": 3}]
    )
    def test_limits_are_met_alike(self, limits: dict[str, Any]) -> None:
        """In the middle of a world, if they are met there."""
        assert of_the_benchmark(way=Way.KERNEL, **limits) == of_the_benchmark(way=Way.PYTHON, **limits)

    @pytest.mark.parametrize("name", ["final", "exactly-once", "actors"])
    def test_a_stack_is_answered_alike(self, name: str) -> None:
        """With all that is asked of it."""
        protocol = stack(name)
        scope = scope_of(protocol, receipts=1)

        reports = [explore(protocol, scope, worlds_max=2_500, way=way) for way in (Way.KERNEL, Way.PYTHON)]

        assert reports[0] == reports[1]

    def test_a_step_that_is_wrong_is_found_alike(self) -> None:
        """A step property, violated by a step to a world that was there before."""
        protocol, _ = benchmark()
        (emit, *others) = protocol.actions
        (emitted,) = (e.cell for e in emit.effects)
        chosen = (Property("S", "nothing-happens", Role.STEP, (), FALSE, "it is what this test breaks"),)
        changed = evolve(protocol, actions=(emit, *others))
        assert emitted.head in protocol.state

        reports = [
            explore(changed, benchmark_scope(2, 2, 1), properties=chosen, way=way)
            for way in (Way.KERNEL, Way.PYTHON)
        ]

        assert reports[0] == reports[1]
        assert [len(f.trace.steps) for f in reports[0].findings] == [1]

    def test_an_initial_world_that_is_wrong_is_found_alike(self) -> None:
        """No step is needed."""
        protocol, _ = benchmark()
        chosen = (Property("S", "never", Role.SAFETY, (), FALSE, "it is what this test breaks"),)

        reports = [
            explore(protocol, benchmark_scope(2, 2, 1), properties=chosen, way=way)
            for way in (Way.KERNEL, Way.PYTHON)
        ]

        assert reports[0] == reports[1]
        assert [f.trace.steps for f in reports[0].findings] == [()]

    def test_several_threads_answer_alike(self) -> None:
        """A complete search, and a violation."""
        assert of_the_benchmark(0, (2, 3, 2), way=Way.KERNEL, threads=3) == of_the_benchmark(0, (2, 3, 2))
        assert of_the_benchmark(1, way=Way.KERNEL, threads=3) == of_the_benchmark(1, way=Way.PYTHON)

    @pytest.mark.heavy
    def test_every_dropped_clause_is_found_alike(self) -> None:
        """Each mistake of a small stack, by the same shortest trace."""
        for mutant in dict(dropped_clauses(stack("final"))).values():
            properties = properties_of(mutant, Role.SAFETY, Role.STEP)
            scope = scope_of(mutant, receipts=1)

            reports = [
                explore(mutant, scope, properties=properties, worlds_max=1_500, way=way)
                for way in (Way.KERNEL, Way.PYTHON)
            ]

            assert reports[0] == reports[1]


class TestWhichWay:
    def test_few_worlds_are_not_worth_a_compiler(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Nothing is compiled, and it is no matter that it could not be."""
        monkeypatch.setenv("CC", "no-such-compiler")

        report = of_the_benchmark()

        assert report.verdict is Verdict.HOLDS
        assert report.checked.endswith("(484 worlds, 3,036 transitions, depth 16)")
        assert not cache.exists()

    def test_many_worlds_are_searched_by_a_kernel_that_is_kept(self, cache: Path) -> None:
        """And taken from the cache the next time."""
        first, again = of_the_benchmark(size=(2, 3, 2)), of_the_benchmark(size=(2, 3, 2))

        assert first == again
        assert first.work == {"worlds": 18_568, "transitions": 174_836, "depth": 23, "cut": 0}
        assert len(list(cache.iterdir())) == 1

    def test_a_kernel_that_was_kept_is_used_at_once(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Python looks at a few worlds only, which take less time than to look for a kernel."""
        of_the_benchmark(size=(2, 3, 2))
        expanded: list[object] = []
        expand = PythonSearch._expand

        def counted(self: PythonSearch, world: Any) -> None:
            expanded.append(world)
            expand(self, world)

        monkeypatch.setattr(PythonSearch, "_expand", counted)

        report = of_the_benchmark(size=(2, 3, 2))

        assert report.work["worlds"] == 18_568
        assert 0 < len(expanded) < engine.FEW

    def test_without_a_compiler_python_does_the_same(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And says so."""
        compiled = of_the_benchmark(size=(2, 3, 2))
        monkeypatch.setenv("CC", "no-such-compiler")

        report = of_the_benchmark(size=(2, 3, 2))

        told = ", by Python alone: no C compiler was found: there is no no-such-compiler"
        assert report.checked == compiled.checked + told
        assert evolve(report, checked=compiled.checked) == compiled

    def test_what_does_not_fit_into_words_is_searched_in_python(self) -> None:
        """As far as that comes."""
        protocol = stack("everything")

        report = explore(protocol, scope_of(protocol, receipts=1), properties=(), worlds_max=2_010)

        assert report.work["worlds"] == 2_010
        assert "by Python alone: a world of everything with 2 shards" in report.checked

    def test_a_way_that_was_asked_for_is_gone_or_is_an_error(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever measures must know what."""
        protocol = stack("everything")
        with pytest.raises(TooWideError):
            explore(protocol, scope_of(protocol, receipts=1), way=Way.KERNEL)

        monkeypatch.setenv("CC", "no-such-compiler")
        with pytest.raises(CompilerError):
            of_the_benchmark(way=Way.KERNEL)


class TestAgreement:
    @pytest.mark.parametrize("way", [Way.KERNEL, Way.EITHER])
    def test_a_kernel_that_is_wrong_is_not_believed(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch, way: Way
    ) -> None:
        """It is our mistake, it is said to be, and what was compiled is not kept."""
        effects = steps.Steps.effects

        def without_forgeries(self: steps.Steps, instance: object) -> object:
            lines, plain = effects(self, instance)  # type: ignore[arg-type]  # whatever it is given
            return ([], plain) if "forge" in str(instance) else (lines, plain)

        monkeypatch.setattr(steps.Steps, "effects", without_forgeries)

        with pytest.raises(
            DisagreementError, match="two readings of benchmark disagree: they count"
        ) as error:
            of_the_benchmark(size=(2, 3, 2), way=way)

        assert error.value.exit_code == EXIT_BROKE
        assert not cache.exists()

    def test_worlds_are_compared_and_not_only_counted(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two worlds that change places are as many as before."""
        world = Found.world

        def swapped(self: Found, position: int) -> object:
            return world(self, 11 - position if position in (5, 6) else position)

        monkeypatch.setattr(Found, "world", swapped)

        with pytest.raises(DisagreementError, match="world 5 is not the same"):
            of_the_benchmark(size=(2, 3, 2))

    def test_a_violation_that_python_does_not_see_is_not_believed(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The kernel was told to look for something else."""
        protocol, properties = benchmark()
        monkeypatch.setattr(engine.kernel, "Sentences", lambda i, s, w: Sentences((*i, FALSE), s, w))
        monkeypatch.setattr(engine.kernel, "must_agree", lambda *_: None)

        with pytest.raises(DisagreementError, match="is violated holds in Python"):
            explore(protocol, benchmark_scope(2, 3, 2), properties=properties, way=Way.KERNEL)

    def test_a_kernel_of_the_cache_is_not_compared_again(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It was, before it was kept."""
        of_the_benchmark(size=(2, 3, 2), way=Way.KERNEL)

        def must_not(*_: object) -> None:
            raise AssertionError("compared")

        monkeypatch.setattr(engine.kernel, "must_agree", must_not)

        assert of_the_benchmark(size=(2, 3, 2), way=Way.KERNEL).verdict is Verdict.HOLDS


class TestMemory:
    def test_reaching_the_limit_is_inconclusive_and_says_what_was_covered(self) -> None:
        """Every trace of some length."""
        report = of_the_benchmark(size=(2, 4, 2), way=Way.KERNEL, worlds_max=10**7, memory_max=4 << 20)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("the limit of 4 MB of memory was reached",)
        assert report.checked.startswith(f"every trace of up to {report.work['depth']} steps of benchmark")
        assert report.work["depth"] > 5

    def test_python_keeps_to_the_limit_as_well_as_it_can(self) -> None:
        """By what a world takes on average."""
        report = of_the_benchmark(size=(2, 4, 2), way=Way.PYTHON, memory_max=1 << 20)

        assert report.verdict is Verdict.INCONCLUSIVE
        assert report.reasons == ("the limit of 1 MB of memory was reached",)
        assert 1_000 < report.work["worlds"] < 10_000

    def test_a_search_without_memory_or_threads_is_refused(self) -> None:
        """It could say nothing."""
        refused: tuple[dict[str, Any], ...] = ({"memory_max": 0}, {"threads": 0})
        for how in refused:
            with pytest.raises(UsageError, match="a search needs a thread and some memory"):
                of_the_benchmark(**how)


def test_progress_is_reported_while_the_kernel_works() -> None:
    """The counts grow, and the last ones are those of the report."""
    protocol, properties = benchmark()
    seen: list[Mapping[str, int]] = []

    report = explore(
        protocol,
        benchmark_scope(2, 4, 2),
        properties=properties,
        worlds_max=10**6,
        way=Way.KERNEL,
        progress=seen.append,
    )

    assert [dict(s) for s in sorted(seen, key=lambda s: s["worlds"])] == [dict(s) for s in seen]
    assert seen[-1] == report.work
    assert all(0 < s["frontier"] < s["worlds"] for s in seen[:-1])


def test_what_progress_raises_is_raised_through_the_kernel() -> None:
    """As a time that is over."""

    class OverError(Exception):
        """The time is over."""

    def over(_: Mapping[str, int]) -> None:
        raise OverError

    with pytest.raises(OverError):
        of_the_benchmark(size=(2, 4, 2), way=Way.KERNEL, worlds_max=10**6, progress=over)
