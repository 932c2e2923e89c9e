from __future__ import annotations

import pytest

from shardproof.adapters.faulty import variant
from shardproof.engines.explore import Way, explore
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.readings.scopes import scope_of
from shardproof.series import POINTS_MAX, Series, thinned
from shardproof.verdict import Report
from shardproof_models.stacks import stack


class TestSeries:
    @pytest.mark.parametrize("count", [1, 2, POINTS_MAX, 2 * POINTS_MAX + 1, 100_000])
    def test_keeps_few_points_and_both_ends(self, count: int) -> None:
        """However long a search is, its line has few points, and begins and ends where it did."""
        line = Series()
        for steps in range(1, count + 1):
            line.note(steps, 3 * steps)

        points = line.points
        assert points[0] == (1, 3)
        assert points[-1] == (count, 3 * count)
        assert len(points) == min(count, POINTS_MAX) or POINTS_MAX // 2 <= len(points) <= POINTS_MAX
        assert list(points) == sorted(set(points))

    def test_of_one_moment_there_is_one_point(self) -> None:
        """Where more than one thing is new after a step, the last number counts."""
        line = Series()
        for number in (1, 2, 3):
            line.note(1, number)

        assert line.points == ((1, 3),)

    def test_nothing_is_a_line_without_points(self) -> None:
        """What never began has no line."""
        assert Series().points == ()
        assert thinned(()) == ()


def fuzzed() -> Report:
    times = iter(range(1_000_000))
    plan = Plan(seed=1, steps=200)
    return fuzz(variant("no-deduplication"), "faulty", plan, clock=lambda: float(next(times)))


@pytest.fixture(scope="module")
def report() -> Report:
    """A search that finds something, and goes on."""
    return fuzzed()


class TestOfASearch:
    def test_is_the_same_each_time(self, report: Report) -> None:
        """A line is drawn over steps: a seed draws it again, whatever the clock says."""
        first, second = report, fuzzed()

        assert first.series == second.series
        (line,) = first.series.values()
        assert line[-1] == (first.work["steps"], first.work["situations"])
        assert [number for _, number in line] == sorted(number for _, number in line)

    def test_shrinking_goes_from_all_steps_to_those_that_are_told(self, report: Report) -> None:
        """From the run that was met to the trace that is shown, and fewer steps at each point."""
        for found in report.findings:
            (begun, long), *_, (ended, short) = found.shrinking

            assert (begun, short) == (0, len(found.trace.steps))
            assert found.shrunk == (f"shrunk from {long} steps to {short}" if long > short else "")
            assert ended >= begun
            left = [steps for _, steps in found.shrinking]
            assert left == sorted(left, reverse=True)
            assert len({*left}) > 2

    @pytest.mark.parametrize("way", list(Way))
    def test_explored_worlds_by_depth_are_those_of_the_answer(self, way: Way) -> None:
        """The levels of a search breadth first: from one world to all, however they were searched."""
        protocol = stack("core")

        report = explore(protocol, scope_of(protocol, shards=2, receipts=1, headers=1), way=way, depth_max=3)

        (line,) = report.series.values()
        assert line[0] == (0, 1)
        assert line[-1] == (report.work["depth"], report.work["worlds"])
