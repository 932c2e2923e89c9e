"""
Terms at a scope: what is left when variables, rigid symbols and quantifiers are gone.

An expression is an integer, or reads cells of a world. Formulas are kept in a normal form: negations
are pushed down to the atoms, and an atom says that a cell has one of some values. So a conjunction
of atoms is one comparison of a masked word, wherever they lie in the same one.

A number without a cell is `Beyond`, and what may come across one is partial. The plain reading stops
at the first such number that it meets; so in partial expressions nothing changes places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import product

from attrs import frozen

from shardproof_models.language.terms import Op

#: More possible values than this are not enumerated.
VALUES_MAX = 256


@frozen(slots=False, cache_hash=True)
class Cell:
    """A cell, the values that it can have, and whether it is read after the step."""

    index: int
    values: frozenset[int]
    after: bool = False


@frozen(slots=False, cache_hash=True)
class Among:
    """The cell has one of these values; of a cell that can have others."""

    cell: Cell
    values: frozenset[int]


@frozen(slots=False, cache_hash=True)
class Beyond:
    """A number of `sort` that is out of range, at or among the arguments of `symbol`."""

    symbol: str
    sort: str


@frozen(slots=False, cache_hash=True)
class Compound:
    """An operator and its operands."""

    op: Op
    args: tuple[Expression, ...]

    @cached_property
    def partial(self) -> bool:
        """Whether a number without a cell might be met."""
        return any(map(is_partial, self.args))

    @cached_property
    def cells(self) -> frozenset[Cell]:
        """The cells that are read."""
        return frozenset().union(*map(cells_of, self.args))


@frozen(slots=False, cache_hash=True)
class Then:
    """What may be out of range is looked at first, in this order; then the result is."""

    first: tuple[Expression, ...]
    result: Expression

    @cached_property
    def cells(self) -> frozenset[Cell]:
        """The cells that are read."""
        return frozenset().union(*map(cells_of, (*self.first, self.result)))


Expression = int | Cell | Among | Beyond | Compound | Then


def is_partial(e: Expression) -> bool:
    """Whether a number without a cell might be met."""
    return isinstance(e, Beyond | Then) or (isinstance(e, Compound) and e.partial)


def cells_of(e: Expression) -> frozenset[Cell]:
    """The cells that are read."""
    if isinstance(e, Cell):
        return frozenset((e,))
    if isinstance(e, Among):
        return frozenset((e.cell,))
    return e.cells if isinstance(e, Compound | Then) else frozenset()


def among(cell: Cell, values: Iterable[int]) -> Expression:
    """That `cell` has one of `values`."""
    kept = cell.values.intersection(values)
    return 0 if not kept else 1 if len(kept) == len(cell.values) else Among(cell, kept)


def conjunction(parts: Iterable[Expression]) -> Expression:
    """All of `parts`, looked at in this order, up to the first that does not hold."""
    done: list[Expression] = []
    atoms: dict[Cell, Expression] = {}
    others: dict[Expression, None] = {}

    def settle() -> None:
        done.extend((*atoms.values(), *others))
        atoms.clear()
        others.clear()

    for part in _flat(Op.AND, parts):
        if part == 0:
            fixed = tuple(_up_to_partial(done))
            return Compound(Op.AND, (*fixed, 0)) if fixed else 0
        if is_partial(part):
            settle()
            done.append(part)
        elif isinstance(part, Among):
            known = atoms.get(part.cell, part)
            both = among(part.cell, part.values & known.values) if isinstance(known, Among) else 0
            if both == 0:
                fixed = tuple(_up_to_partial(done))
                return Compound(Op.AND, (*fixed, 0)) if fixed else 0
            atoms[part.cell] = both
        elif part != 1:
            others[part] = None
    settle()
    return 1 if not done else done[0] if len(done) == 1 else Compound(Op.AND, tuple(done))


def _up_to_partial(parts: list[Expression]) -> list[Expression]:
    """What cannot be left out although the conjunction is false: all up to the last that is partial."""
    last = max((i for i, p in enumerate(parts) if is_partial(p)), default=-1)
    return parts[: last + 1]


def _flat(op: Op, parts: Iterable[Expression]) -> Iterator[Expression]:
    for part in parts:
        if isinstance(part, Compound) and part.op is op:
            yield from part.args
        else:
            yield part


def disjunction(parts: Iterable[Expression]) -> Expression:
    """Some of `parts`, looked at in this order, up to the first that holds."""
    return negation(conjunction(map(negation, parts)))


def negation(e: Expression) -> Expression:
    """Not."""
    if isinstance(e, int):
        return 1 - e
    if isinstance(e, Among):
        return Among(e.cell, e.cell.values - e.values)
    if isinstance(e, Compound):
        if e.op in (Op.AND, Op.OR):
            return Compound(Op.OR if e.op is Op.AND else Op.AND, tuple(map(negation, e.args)))
        if e.op is Op.NOT:
            return e.args[0]
        if e.op in (Op.LT, Op.LE) and not e.partial:
            return Compound(Op.LE if e.op is Op.LT else Op.LT, e.args[::-1])
    return Compound(Op.NOT, (e,))


def choice(condition: Expression, yes: Expression, no: Expression) -> Expression:
    """One of two numbers."""
    if isinstance(condition, int):
        return yes if condition else no
    if yes == no and not is_partial(condition):
        return yes
    return Compound(Op.ITE, (condition, yes, no))


def computed(op: Op, left: Expression, right: Expression) -> Expression:
    """A comparison or a sum; of constants, a constant; of one cell, what values it must have."""
    if isinstance(left, int) and isinstance(right, int):
        return calculated(op, left, right)
    if (op is Op.ADD and right == 0) or (op is Op.SUB and right == 0):
        return left
    if op is Op.ADD and left == 0:
        return right
    made = Compound(op, (left, right))
    if op in (Op.ADD, Op.SUB) or made.partial:
        return made
    if len(made.cells) == 1:
        (cell,) = made.cells
        return among(cell, (v for v in cell.values if evaluated(made, v)))
    if len(made.cells) == 2 and isinstance(left, Cell) and isinstance(right, Cell):
        outcomes = {calculated(op, a, b) for a, b in product(left.values, right.values)}
        if len(outcomes) == 1:
            return outcomes.pop()
    return made


def calculated(op: Op, left: int, right: int) -> int:
    """What an operator makes of two integers."""
    match op:
        case Op.EQ:
            return int(left == right)
        case Op.LT:
            return int(left < right)
        case Op.LE:
            return int(left <= right)
        case Op.ADD:
            return left + right
        case Op.SUB:
            return left - right
    raise ValueError(f"not an operator on two integers: {op}")


def evaluated(e: Expression, value: int) -> int:
    """What `e` is, if the only cell that it reads has this value."""
    if isinstance(e, int):
        return e
    if isinstance(e, Cell):
        return value
    if isinstance(e, Among):
        return int(value in e.values)
    if not isinstance(e, Compound):
        raise TypeError(e)
    args = [evaluated(a, value) for a in e.args]
    match e.op:
        case Op.AND:
            return int(all(args))
        case Op.OR:
            return int(any(args))
        case Op.NOT:
            return 1 - args[0]
        case Op.ITE:
            return args[1] if args[0] else args[2]
    return calculated(e.op, *args)


def possible(e: Expression, known: dict[Cell, frozenset[int]]) -> frozenset[int] | None:
    """The values that `e` can have, if cells are `known` to have no others; `None` if there are too many."""
    if isinstance(e, int):
        return frozenset((e,))
    if isinstance(e, Cell):
        return known.get(e, e.values)
    if isinstance(e, Beyond):
        return frozenset()
    if isinstance(e, Among):
        cell_values = known.get(e.cell, e.cell.values)
        return frozenset(int(v in e.values) for v in cell_values)
    if isinstance(e, Then):
        return possible(e.result, known)
    if isinstance(e, Compound) and e.op in (Op.ITE, Op.ADD, Op.SUB):
        left, right = (possible(a, known) for a in e.args[-2:])
        if left is None or right is None:
            return None
        if e.op is Op.ITE:
            made = left | right
        else:
            made = frozenset(calculated(e.op, a, b) for a, b in product(left, right))
        return made if len(made) <= VALUES_MAX else None
    return frozenset((0, 1))


def implied(e: Expression) -> dict[Cell, frozenset[int]]:
    """Which values cells must have where `e` holds, as far as its atoms say so."""
    parts = e.args if isinstance(e, Compound) and e.op is Op.AND else (e,)
    return {p.cell: p.values for p in parts if isinstance(p, Among)}
