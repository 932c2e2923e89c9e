"""
Where to go next, so that every transition is taken in few resets and few steps.

Along what was not taken yet, towards where most is left; when nothing is left here, to the nearest
place where something is; and back to the beginning when that is nearer. Which it is depends on the
graph and on what was taken, and on nothing else: a tour of a system that does what the model does is
a function of the graph.

The general problem is that of the Chinese postman; with resets, walks through a graph that mostly
goes one way. `walks_needed` says how many no tour can do without.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence

from attrs import define, field

from .graph import Edge, Graph

#: Places that are looked at for something untaken before going back to the beginning.
LOOKED_AT_MAX = 400

#: A place in a graph: a world, and which of its edges.
Place = tuple[int, int]


@define(eq=False)
class Planner:
    """What is left of a graph, and the way to it."""

    graph: Graph
    #: For each world the places of edges that are left, loops last because they are taken first.
    left: list[list[int]] = field(init=False)
    #: Edges that a system does not let happen, and why.
    closed: dict[Place, str] = field(init=False, factory=dict)
    #: Edges that were taken.
    done: set[Place] = field(init=False, factory=set)
    #: Edges that nobody takes for now.
    shy: set[Place] = field(init=False, factory=set)
    #: Worlds to come back to for other reasons than their edges.
    wanted: set[int] = field(init=False, factory=set)
    #: How a breadth-first search comes to each world, without what is closed.
    _tree: list[Place | None] = field(init=False, factory=list)
    _order: list[int] = field(init=False, factory=list)
    _next: int = field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.left = [
            [i for i, e in enumerate(edges) if e.target != world]
            + [i for i, e in enumerate(edges) if e.target == world]
            for world, edges in enumerate(self.graph.edges)
        ]
        self._plant()

    def _plant(self) -> None:
        self._tree = [None] * len(self.graph.worlds)
        self._order, self._next = [0], 0
        seen = bytearray(len(self.graph.worlds))
        seen[0] = 1
        for world in self._order:
            for i, edge in enumerate(self.graph.edges[world]):
                if not seen[edge.target] and (world, i) not in self.closed:
                    seen[edge.target] = 1
                    self._tree[edge.target] = (world, i)
                    self._order.append(edge.target)

    def edge(self, place: Place) -> Edge:
        """The edge at a place."""
        return self.graph.edges[place[0]][place[1]]

    # ---- what was done ----------------------------------------------------------------------------

    def take(self, place: Place) -> bool:
        """An edge was taken. True if it was for the first time."""
        world, i = place
        if i not in self.left[world]:
            return False
        self.left[world].remove(i)
        self.done.add(place)
        return True

    def close(self, place: Place, why: str) -> None:
        """The system does not let an edge happen: nobody goes there any more."""
        world, i = place
        if i in self.left[world]:
            self.left[world].remove(i)
        self.closed[place] = why
        if self._tree[self.edge(place).target] == place:
            self._plant()

    # ---- what to do -------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether nothing is left that can be got at."""
        return self._shallowest() is None

    def here(self, world: int) -> Place | None:
        """An untaken edge from where one is: a loop if there is one, else towards where most is left."""
        left = [i for i in self.left[world] if (world, i) not in self.shy] if self.shy else self.left[world]
        if not left:
            return None
        edges = self.graph.edges[world]
        if edges[left[-1]].target == world:
            return world, left[-1]
        return world, max(left, key=lambda i: (len(self.left[edges[i].target]), -i))

    def onward(self, world: int) -> list[Place] | None:
        """The way to the nearest place where something is left; nothing if the beginning is nearer."""
        again = self.way()
        most = len(again) + 1 if again is not None else LOOKED_AT_MAX
        came: dict[int, Place | None] = {world: None}
        queue = deque([(world, 0)])
        while queue and len(came) < LOOKED_AT_MAX:
            at, far = queue.popleft()
            if far and self._worth(at):
                return self._back(came, at)
            if far >= most:
                return None
            for i, edge in enumerate(self.graph.edges[at]):
                if edge.target not in came and (at, i) not in self.closed:
                    came[edge.target] = (at, i)
                    queue.append((edge.target, far + 1))
        return None

    def way(self) -> list[Place] | None:
        """The way from the beginning to the shallowest place where something is left."""
        goal = self._shallowest()
        if goal is None:
            return None
        path: list[Place] = []
        while (place := self._tree[goal]) is not None:
            path.append(place)
            goal = place[0]
        return path[::-1]

    def beyond(self, why: str) -> set[int]:
        """The worlds to which no way leads that avoids what is closed for this reason."""
        seen, queue = {0}, deque([0])
        while queue:
            world = queue.popleft()
            for i, edge in enumerate(self.graph.edges[world]):
                known = (world, i) in self.done or self.closed.get((world, i)) != why
                if known and edge.target not in seen:
                    seen.add(edge.target)
                    queue.append(edge.target)
        return set(range(len(self.graph.worlds))) - seen

    def _worth(self, world: int) -> bool:
        return self.here(world) is not None or world in self.wanted

    def _shallowest(self) -> int | None:
        # What is behind is done with, unless somebody wants to come back.
        while self._next < len(self._order) and not self.left[self._order[self._next]]:
            self._next += 1
        first = self._order[self._next] if self._next < len(self._order) else None
        if self.wanted:
            reached = [w for w in self.wanted if w == 0 or self._tree[w] is not None]
            wanted = min(reached, default=None)
            return first if wanted is None else wanted if first is None else min(first, wanted)
        return first

    @staticmethod
    def _back(came: dict[int, Place | None], at: int) -> list[Place]:
        path: list[Place] = []
        while (place := came[at]) is not None:
            path.append(place)
            at = place[0]
        return path[::-1]


def route(graph: Graph) -> list[list[Place]]:
    """The walks over all of a graph, each from the beginning, if everything happens as the model says."""
    planner, walks = Planner(graph), []
    while (way := planner.way()) is not None:
        walk: list[Place] = []
        at = 0
        while way is not None:
            for place in way:
                planner.take(place)
                walk.append(place)
                at = planner.edge(place).target
            here = planner.here(at)
            way = [here] if here else planner.onward(at)
        walks.append(walk)
    return walks


def walks_needed(graph: Graph, counted: Collection[Place] | None = None) -> int:
    """
    A number of walks that no tour can do without, of all edges or of those that are `counted`.

    Where nothing leads back, a walk crosses once. So of every cut through the layers of the graph of
    strongly connected components, each edge that crosses it needs a walk of its own.
    """
    edges = [
        [e.target for i, e in enumerate(edges) if counted is None or (world, i) in counted]
        for world, edges in enumerate(graph.edges)
    ]
    component = components(edges)
    layer = [0] * (max(component, default=0) + 1)
    crossing = [
        (component[w], component[target])
        for w, targets in enumerate(edges)
        for target in targets
        if component[w] != component[target]
    ]
    # Components are numbered from the ends: what leads somewhere has the higher number.
    for a, b in sorted(crossing, reverse=True):
        layer[b] = max(layer[b], layer[a] + 1)
    change = [0] * (max(layer, default=0) + 2)
    for a, b in crossing:
        change[layer[a] + 1] += 1
        change[layer[b] + 1] -= 1
    most = crossed = 0
    for difference in change:
        crossed += difference
        most = max(most, crossed)
    return max(most, int(any(edges)))


def components(targets: Sequence[Sequence[int]]) -> list[int]:
    """The strongly connected component of each node, later ones first (Tarjan, 1972, without recursion)."""
    count = len(targets)
    number, low, component = [-1] * count, [0] * count, [-1] * count
    stack: list[int] = []
    found = numbered = 0
    for root in range(count):
        if number[root] >= 0:
            continue
        work = [(root, 0)]
        while work:
            node, i = work.pop()
            if i == 0:
                number[node] = low[node] = numbered
                numbered += 1
                stack.append(node)
            for place in range(i, len(targets[node])):
                target = targets[node][place]
                if number[target] < 0:
                    work += [(node, place + 1), (target, 0)]
                    break
                if component[target] < 0:
                    low[node] = min(low[node], low[target])
            else:
                if low[node] == number[node]:
                    while component[node] < 0:
                        component[stack.pop()] = found
                    found += 1
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
    return component
