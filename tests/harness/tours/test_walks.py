"""Walks over small graphs: every edge is taken, from the beginning, in about as few walks as can be."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import pytest

from shardproof.tours.graph import Edge, Graph
from shardproof.tours.walks import Planner, components, route, walks_needed


def graph(targets: Mapping[int, Sequence[int]]) -> Graph:
    """World -> the worlds that its edges lead to."""
    count = 1 + max([*targets, *(t for ts in targets.values() for t in ts)])
    edges = [tuple(Edge(i, t) for i, t in enumerate(targets.get(w, ()))) for w in range(count)]
    return Graph((), [(w,) for w in range(count)], edges, [() for _ in range(count)])


def some_graph(seed: int) -> Graph:
    """A graph that mostly goes one way, as protocols do, with some ways back, and no world cut off."""
    dice = random.Random(seed)
    count = dice.randint(2, 14)
    targets: dict[int, list[int]] = {w: [] for w in range(count)}
    for w in range(1, count):
        targets[dice.randrange(w)].append(w)
    for _ in range(dice.randint(0, 20)):
        a, b = dice.randrange(count), dice.randrange(count)
        targets[a].append(b if dice.random() < 0.2 else max(a, b))
    return graph(targets)


FAN = {0: [1, 2, 3]}
CYCLE = {0: [1], 1: [2], 2: [0, 2]}
CUBE = {w: [w | 1 << b for b in range(3) if not w >> b & 1] for w in range(8)}


class TestRoute:
    @pytest.mark.parametrize("seed", range(60))
    def test_takes_every_edge_by_walks_that_begin_at_the_beginning(self, seed: int) -> None:
        """Each walk is a path from the initial world, and together they miss nothing."""
        whole = some_graph(seed)

        walks = route(whole)

        for walk in walks:
            at = 0
            for world, i in walk:
                assert world == at
                at = whole.edges[world][i].target
        taken = {place for walk in walks for place in walk}
        assert taken == {(w, i) for w, edges in enumerate(whole.edges) for i in range(len(edges))}

    @pytest.mark.parametrize("targets, walks", [(FAN, 3), (CYCLE, 1), (CUBE, 6), ({0: [0, 0]}, 1)])
    def test_needs_no_more_walks_than_any_tour_does(
        self, targets: Mapping[int, Sequence[int]], walks: int
    ) -> None:
        """Where it is plain how few can do, so many are made."""
        assert walks_needed(graph(targets)) == walks
        assert len(route(graph(targets))) == walks

    @pytest.mark.parametrize("seed", range(60))
    def test_is_never_shorter_than_the_bound(self, seed: int) -> None:
        """A bound that a tour can beat is none."""
        whole = some_graph(seed)

        assert walks_needed(whole) <= len(route(whole))

    def test_of_a_graph_is_always_the_same(self) -> None:
        """It is a function of the graph."""
        assert route(some_graph(7)) == route(some_graph(7))


class TestPlanner:
    def test_goes_where_most_is_left(self) -> None:
        """Of two ways, the one after which there is more to take."""
        planner = Planner(graph({0: [1, 2], 2: [3, 4]}))

        assert planner.here(0) == (0, 1)

    def test_takes_loops_first(self) -> None:
        """They cost nothing but themselves, and elsewhere one would have to come back for them."""
        planner = Planner(graph({0: [1, 0]}))

        assert planner.here(0) == (0, 1)

    def test_does_not_go_where_a_system_does_not(self) -> None:
        """What is closed is taken by no way, and what lies behind it is left for good."""
        planner = Planner(graph({0: [1, 2], 1: [3], 3: [4]}))

        planner.close((0, 0), "declined")

        assert planner.way() == []
        planner.take((0, 1))
        assert planner.over
        assert planner.beyond("declined") == {1, 3, 4}
        assert planner.beyond("another reason") == set()

    def test_has_been_beyond_what_was_taken_before_it_was_closed(self) -> None:
        """A system that did something once, and hesitates later, has let somebody through."""
        planner = Planner(graph({0: [1], 1: [2]}))

        planner.take((0, 0))
        planner.close((0, 0), "declined")

        assert planner.beyond("declined") == set()

    def test_finds_another_way_round_what_is_closed(self) -> None:
        """A world that two edges lead to is not lost with one of them."""
        planner = Planner(graph({0: [1, 2], 1: [3], 2: [3], 3: [4]}))

        planner.close((1, 0), "declined")
        planner.take((0, 0))
        planner.take((0, 1))
        planner.take((2, 0))

        assert planner.way() == [(0, 1), (2, 0)]

    def test_comes_back_for_who_is_wanted(self) -> None:
        """A world where something else is to be done is gone to, although its edges were taken."""
        planner = Planner(graph({0: [1], 1: [2]}))
        for place in ((0, 0), (1, 0)):
            planner.take(place)

        planner.wanted.add(1)

        assert planner.way() == [(0, 0)]

    def test_leaves_alone_what_is_shy(self) -> None:
        """What a system has just hesitated to do is not asked for again at once."""
        planner = Planner(graph({0: [1, 2]}))

        planner.shy.add((0, 0))

        assert planner.here(0) == (0, 1)
        planner.take((0, 1))
        assert planner.here(0) is None
        assert not planner.over


def test_components_are_the_worlds_that_lead_to_each_other() -> None:
    """Two cycles, and a way from one to the other, which comes first."""
    found = components([[1], [0, 2], [3], [2]])

    assert found[0] == found[1] > found[2] == found[3]
