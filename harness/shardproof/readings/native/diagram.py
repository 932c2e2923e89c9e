"""
Decision diagrams: two expressions mean the same exactly where they have the same diagram.

A node decides by the value of one cell; a leaf is an integer, or the number out of range that is met
first. Nodes are shared, and none decides what makes no difference, so a function has one diagram.
(Bryant 1986, with as many branches as a cell has values.)
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, field, frozen

from shardproof_models.language.terms import Op

from .expression import Among, Beyond, Cell, Compound, Expression, Then, calculated

#: A node, by its number.
Node = int

#: More nodes than this are not made: whoever compares has to do without an answer.
NODES_MAX = 200_000


class TooLargeError(Exception):
    """An expression has a diagram that is too large to be made."""


@frozen(eq=False)
class Reading:
    """How cells are read: which cell stands for which, and which value for which."""

    #: Cell -> the cell that is read in its place.
    cell: Callable[[Cell], Cell]
    #: Cell and a value of the one that is read in its place -> what that value stands for.
    value: Callable[[Cell, int], int]


#: Every cell is itself.
AS_IT_IS = Reading(lambda cell: cell, lambda _, value: value)

_Variable = tuple[int, bool]


@define(eq=False)
class Diagrams:
    """Diagrams that share their nodes. Every method raises `TooLargeError`."""

    #: Node -> the cell that it decides by, and the node for each of its values, in their order.
    _branches: list[tuple[_Variable, tuple[Node, ...]] | None] = field(factory=list)
    _leaves: list[int | Beyond | None] = field(factory=list)
    _known: dict[object, Node] = field(factory=dict)
    _combined: dict[tuple[Op, tuple[Node, ...]], Node] = field(factory=dict)

    def leaf(self, value: int | Beyond) -> Node:
        """A constant."""
        key = (type(value), value)
        if (node := self._known.get(key)) is None:
            node = self._known[key] = self._add(None, value)
        return node

    def _decision(self, by: _Variable, branches: tuple[Node, ...]) -> Node:
        if all(b == branches[0] for b in branches):
            return branches[0]
        key = (by, branches)
        if (node := self._known.get(key)) is None:
            node = self._known[key] = self._add(key, None)
        return node

    def _add(self, branches: tuple[_Variable, tuple[Node, ...]] | None, leaf: int | Beyond | None) -> Node:
        if len(self._leaves) >= NODES_MAX:
            raise TooLargeError
        self._branches.append(branches)
        self._leaves.append(leaf)
        return len(self._leaves) - 1

    # ---- expressions ------------------------------------------------------------------------------

    def of(self, e: Expression, reading: Reading = AS_IT_IS) -> Node:
        """The diagram of an expression, its cells read like that."""
        key = reading, e
        if (node := self._known.get(key)) is None:
            node = self._known[key] = self._of(e, reading)
        return node

    def _of(self, e: Expression, reading: Reading) -> Node:
        if isinstance(e, Cell):
            return self._read(e, reading, int)
        if isinstance(e, Among):
            return self._read(e.cell, reading, e.values.__contains__)
        if isinstance(e, int | Beyond):
            return self.leaf(e)
        if isinstance(e, Then):
            node = self.of(e.result, reading)
            for first in reversed(e.first):
                # Whatever comes of it; only a number out of range matters.
                node = self.choice(self.of(first, reading), node, node)
            return node
        args = [self.of(a, reading) for a in e.args]
        match e.op:
            case Op.AND | Op.OR:
                node = args[-1]
                for arg in reversed(args[:-1]):
                    node = (
                        self.choice(arg, node, self.leaf(0))
                        if e.op is Op.AND
                        else self.choice(arg, self.leaf(1), node)
                    )
                return node
            case Op.NOT:
                return self.choice(args[0], self.leaf(0), self.leaf(1))
            case Op.ITE:
                return self.choice(*args)
        return self.computed(e.op, *args)

    def _read(self, cell: Cell, reading: Reading, what: Callable[[int], int]) -> Node:
        read = reading.cell(cell)
        branches = tuple(self.leaf(int(what(reading.value(cell, v)))) for v in sorted(read.values))
        return self._decision((read.index, read.after), branches)

    def choice(self, condition: Node, yes: Node, no: Node) -> Node:
        """One of two, unless the condition is out of range."""
        return self._combine(Op.ITE, (condition, yes, no))

    def computed(self, op: Op, left: Node, right: Node) -> Node:
        """A comparison or a sum, unless one of the numbers is out of range."""
        return self._combine(op, (left, right))

    def relabelled(self, node: Node, label: Callable[[int], int]) -> Node:
        """The same with other leaves."""
        return self._relabelled(node, label, {})

    def _relabelled(self, node: Node, label: Callable[[int], int], known: dict[Node, Node]) -> Node:
        if (made := known.get(node)) is None:
            leaf = self._leaves[node]
            if (branch := self._branches[node]) is not None:
                by, branches = branch
                made = self._decision(by, tuple(self._relabelled(b, label, known) for b in branches))
            else:
                made = self.leaf(label(leaf)) if isinstance(leaf, int) else node
            known[node] = made
        return made

    def _combine(self, op: Op, nodes: tuple[Node, ...]) -> Node:
        key = op, nodes
        if (made := self._combined.get(key)) is None:
            made = self._settled(op, nodes)
            if made is None:
                made = self._split(op, nodes)
            self._combined[key] = made
        return made

    def _settled(self, op: Op, nodes: tuple[Node, ...]) -> Node | None:
        """The result, if the leaves among the operands decide it."""
        first = self._leaves[nodes[0]]
        if isinstance(first, Beyond):
            return nodes[0]
        if op is Op.ITE:
            return None if first is None else nodes[1] if first else nodes[2]
        second = self._leaves[nodes[1]]
        if first is None or second is None:
            return None
        return nodes[1] if isinstance(second, Beyond) else self.leaf(calculated(op, first, second))

    def _split(self, op: Op, nodes: tuple[Node, ...]) -> Node:
        branches = [self._branches[n] for n in nodes]
        by = min(b[0] for b in branches if b is not None)
        width = next(len(b[1]) for b in branches if b is not None and b[0] == by)
        return self._decision(
            by,
            tuple(
                self._combine(
                    op,
                    tuple(
                        b[1][k] if b is not None and b[0] == by else n
                        for n, b in zip(nodes, branches, strict=True)
                    ),
                )
                for k in range(width)
            ),
        )


def conjuncts(e: Expression) -> tuple[Expression, ...]:
    """What must hold for `e` to hold, part by part."""
    return e.args if isinstance(e, Compound) and e.op is Op.AND else (e,)
