"""The compiled search on its own: golden counts, several threads, limits, and random walks."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.readings.evaluate import Evaluator, Stepped
from shardproof.readings.native.kernel import Counts, Ending, Kernel, compiled
from shardproof.readings.native.program import Sentences
from shardproof.readings.scopes import scope_of
from shardproof_models.stacks import stack

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

MEMORY = 1 << 30
WORLDS = 10**8

THREADS = pytest.mark.parametrize("threads", [1, 2, 5])


def kernel(shards: int, receipts: int, copies: int, mutant: int = 0) -> Kernel:
    """The benchmark model."""
    protocol, properties = benchmark(mutant)
    sentences = Sentences(tuple(p.formula for p in properties))
    return compiled(protocol, benchmark_scope(shards, receipts, copies), sentences)


def counted(made: Kernel, threads: int = 1) -> tuple[Counts, Ending]:
    with made.search(worlds_max=WORLDS, memory_max=4 * MEMORY, threads=threads) as found:
        return found.counts, found.ending


class TestGoldenCounts:
    """SPIN, TLC, rumur and Stateright agree on these."""

    @THREADS
    @pytest.mark.parametrize(
        "size, worlds, transitions, depth",
        [((2, 3, 2), 18_568, 174_836, 23), ((2, 4, 1), 173_056, 1_847_040, 26)],
    )
    def test_counts_worlds_transitions_and_depth(
        self, size: tuple[int, int, int], worlds: int, transitions: int, depth: int, threads: int
    ) -> None:
        """To the last digit, however many look."""
        assert counted(kernel(*size), threads) == (Counts(worlds, transitions, depth, 0, 0), Ending.COMPLETE)

    @pytest.mark.heavy
    @pytest.mark.parametrize("threads", [1, 2])
    @pytest.mark.parametrize(
        "size, worlds, transitions",
        [
            ((2, 4, 2), 712_336, 8_946_400),
            ((3, 4, 1), 815_360, 10_254_272),
            ((3, 4, 2), 3_481_600, 50_677_760),
        ],
    )
    def test_counts_larger_ones(
        self, size: tuple[int, int, int], worlds: int, transitions: int, threads: int
    ) -> None:
        """A second or less each."""
        counts, ending = counted(kernel(*size), threads)

        assert (counts.worlds, counts.transitions, ending) == (worlds, transitions, Ending.COMPLETE)

    @pytest.mark.deep
    def test_counts_the_largest(self) -> None:
        """Hundreds of millions of transitions, in less than two gigabytes."""
        counts, ending = counted(kernel(2, 5, 2), 2)

        assert (counts.worlds, counts.transitions) == (38_884_768, 608_725_456)
        assert ending is Ending.COMPLETE

    @THREADS
    @pytest.mark.parametrize("mutant, steps", [(1, 7), (2, 2)])
    def test_a_shortest_violation(self, mutant: int, steps: int, threads: int) -> None:
        """7 steps without deduplication, 2 without a proof; and the same one, whichever thread is first."""
        made = kernel(2, 4, 2, mutant)

        with (
            made.search(worlds_max=WORLDS, memory_max=MEMORY, threads=threads) as found,
            made.search(worlds_max=WORLDS, memory_max=MEMORY) as alone,
        ):
            assert found.ending is Ending.VIOLATED
            assert len(found.path_to(found.source)) == steps
            assert found.counts == alone.counts
            assert found.path_to(found.source) == alone.path_to(alone.source)


@THREADS
def test_worlds_of_several_words_are_counted_alike(threads: int) -> None:
    """A table of positions, where the one above has worlds; and it grows several times."""
    protocol = stack("core")
    made = compiled(protocol, scope_of(protocol, receipts=1), Sentences())

    with made.search(worlds_max=WORLDS, memory_max=MEMORY, threads=threads) as found:
        worlds = {found.world(position) for position in range(found.counts.worlds)}
        coverage = found.coverage()
        assert made.program.packing.words == 2
        assert found.ending is Ending.COMPLETE

    with made.search(worlds_max=WORLDS, memory_max=MEMORY) as alone:
        assert found.counts == alone.counts
        assert worlds == {alone.world(position) for position in range(alone.counts.worlds)}
        assert coverage == alone.coverage()


@pytest.mark.parametrize("threads", [2, 5])
def test_worlds_of_several_words_are_known_again(threads: int) -> None:
    """Copies are sent and dropped, so most worlds are met again, long after they were moved in the queue."""
    made = kernel(4, 7, 2)
    assert made.program.packing.words == 2

    counts = []
    for number in (1, threads):
        with made.search(worlds_max=WORLDS, memory_max=MEMORY, depth_max=9, threads=number) as found:
            counts.append(found.counts)

    assert counts[0] == counts[1]
    assert counts[0].worlds > 20_000


class TestPaths:
    def test_each_step_of_a_path_is_a_step_of_the_protocol(self) -> None:
        """From the initial world to any other, and no longer than its level."""
        protocol = stack("final")
        scope = scope_of(protocol, receipts=1)
        plain, made = Evaluator(protocol, scope), compiled(protocol, scope, Sentences())

        with made.search(worlds_max=WORLDS, memory_max=MEMORY) as found:
            last = found.counts.worlds - 1
            paths = [found.path_to(position) for position in (0, 1, last // 2, last)]
            depth = found.counts.depth

        assert [len(p) for p in paths][:2] == [1, 2]
        assert len(paths[-1]) == depth + 1
        for path in paths:
            assert path[0] == plain.initial()
            for before, after in pairwise(path):
                steps = (plain.step(before, action, args) for action, args in plain.instances())
                assert any(isinstance(s, Stepped) and s.world == after for s in steps)


class TestLimits:
    def test_memory_is_kept_to(self) -> None:
        """What was found so far is told, and fits into what was allowed."""
        with kernel(2, 4, 2).search(worlds_max=WORLDS, memory_max=4 << 20) as found:
            assert found.ending is Ending.MEMORY
            assert 50_000 < found.counts.worlds < 712_336
            assert 0 < found.expanded < found.counts.worlds
            assert found.memory_bytes <= 4 << 20

    @pytest.mark.parametrize("memory", [1, 1_000, 100_000])
    def test_hardly_any_memory_ends_a_search_at_once(self, memory: int) -> None:
        """It does not even hold the table."""
        with kernel(2, 4, 2).search(worlds_max=WORLDS, memory_max=memory) as found:
            assert (found.ending, found.counts.worlds, found.expanded) == (Ending.MEMORY, 1, 0)

    @pytest.mark.parametrize("threads", [2, 5])
    def test_a_limit_is_met_alike_by_several_threads(self, threads: int) -> None:
        """They count levels that are complete: how far each came in the next one is chance."""
        made = kernel(2, 4, 1)
        with made.search(worlds_max=100_000, memory_max=MEMORY, threads=threads) as found:
            limited = found.counts, found.ending, found.expanded
        with made.search(
            worlds_max=WORLDS, memory_max=MEMORY, depth_max=limited[0].depth, threads=threads
        ) as by_depth:
            assert by_depth.ending is Ending.DEPTH
            assert limited == (by_depth.counts, Ending.WORLDS, by_depth.expanded)

    @THREADS
    def test_a_depth_is_kept_to(self, threads: int) -> None:
        """Every world of up to so many steps, and nothing of the next level."""
        with kernel(2, 3, 2).search(
            worlds_max=WORLDS, memory_max=MEMORY, depth_max=5, threads=threads
        ) as found:
            assert (found.counts.depth, found.ending) == (5, Ending.DEPTH)
            assert len(found.path_to(found.counts.worlds - 1)) == 6

    @THREADS
    def test_what_progress_raises_ends_the_search(self, threads: int) -> None:
        """Also from within threads; and it is raised to whoever asked."""

        class EnoughError(Exception):
            """Raised once."""

        told: list[Counts] = []

        def progress(counts: Counts) -> None:
            told.append(counts)
            raise EnoughError

        with pytest.raises(EnoughError):
            kernel(3, 4, 2).search(worlds_max=WORLDS, memory_max=MEMORY, threads=threads, progress=progress)

        assert len(told) == 1
        assert 0 < told[0].worlds < 3_481_600
        assert told[0].frontier > 0


class TestWalks:
    def test_a_walk_takes_so_many_steps(self) -> None:
        """And goes back to the beginning in between; the seed decides where it goes."""
        made = kernel(2, 4, 2)

        walks = [made.walk(100_000, 30, seed) for seed in (1, 1, 2)]

        assert [(w.steps, w.deepest, w.violated) for w in walks] == [(100_000, 30, None)] * 3

    def test_a_walk_ends_in_what_it_is_looking_for(self) -> None:
        """The forged receipt is applied sooner or later."""
        made = kernel(2, 4, 2, 2)

        walk = made.walk(1_000_000, 30, 1)

        assert walk.violated is not None
        assert walk.steps < 1_000_000
