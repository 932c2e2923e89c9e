"""
Terms as Python expressions over the rows of a world.

`scalar` writes the value of a term. `mask` writes, for a formula and one of its variables, an
integer with a bit for each value of the variable for which it holds: where the formula is made
of whole rows this is a few operations on integers, and no loop.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, evolve, field

from shardproof_models.language.terms import (
    TRUE,
    Binder,
    Bool,
    Literal,
    Number,
    Op,
    Symbol,
    Term,
    Variable,
    all_of,
    subterms,
)

from .rows import Rows, bits
from .scope import OutOfScope

_INFIX = {Op.AND: "and", Op.OR: "or", Op.EQ: "==", Op.LT: "<", Op.LE: "<=", Op.ADD: "+", Op.SUB: "-"}


@define(eq=False)
class Writer:
    """Writes terms as Python expressions over the rows of one world."""

    where: Rows
    #: Whether every number in a world is in its range.
    bounded: bool = True
    names: dict[Variable, str] = field(factory=dict)
    #: The Python name of the world that is read.
    world: str = "w"

    def _size(self, sort: type[Term]) -> int:
        return len(self.where.scope.domain(sort))

    def _start(self, sort: type[Term]) -> int:
        return self.where.scope.domain(sort).start

    def _offset(self, term: Term) -> str:
        start, text = self._start(type(term)), self.scalar(term)
        return f"({text} - {start})" if start else text

    def _place(self, symbol: Symbol[Any, Any], a: Term) -> str:
        """The position of an argument among the values of its sort."""
        if not self._may_leave(a):
            return self._offset(a)
        domain = self.where.scope.domain(type(a))
        names = f"{symbol.name!r}, {type(a).__name__!r}"
        checked = f"in_range({self.scalar(a)}, {domain.start}, {domain.stop}, {names})"
        return f"({checked} - {domain.start})" if domain.start else checked

    def _may_leave(self, a: Term) -> bool:
        """Whether an argument is a number that might be out of range, so that the cell does not exist."""
        if not isinstance(a, Number) or isinstance(a.head, Variable):
            return False
        if isinstance(a.head, Literal):
            return a.head.value not in self.where.scope.domain(type(a))
        return not (self.bounded and isinstance(a.head, Symbol) and a.head.is_state)

    def partial(self, t: Term) -> bool:
        """Whether `t` reads a cell that might not exist; then it is read in the plain reading's order."""
        return any(isinstance(s.head, Symbol) and any(map(self._may_leave, s.args)) for s in subterms(t))

    def row(self, symbol: Symbol[Any, Any], args: Sequence[Term]) -> str:
        """The index of a row: all arguments but the column."""
        text = ""
        for a in args[:-1]:
            place = self._place(symbol, a)
            text = f"({text} * {self._size(type(a))} + {place})" if text else place
        return text or "0"

    def column(self, symbol: Symbol[Any, Any], args: Sequence[Term]) -> str:
        """The position of a cell in its row."""
        return self._place(symbol, args[-1]) if args else "0"

    def rows(self, symbol: Symbol[Any, Any]) -> str:
        """The rows of a symbol."""
        if not symbol.is_state:
            return f"rigid[{self.where.rigid_index[symbol]}]"
        return f"{self.world}[{self.where.index[symbol]}]"

    def scalar(self, t: Term) -> str:
        """An expression for the value of `t`."""
        h = t.head
        if isinstance(h, Variable):
            return self.names[h]
        if isinstance(h, Literal):
            return str(int(h.value))
        if isinstance(h, Symbol):
            row, column = f"{self.rows(h)}[{self.row(h, t.args)}]", self.column(h, t.args)
            return f"({row} >> {column} & 1)" if issubclass(h.sort, Bool) else f"{row}[{column}]"
        if isinstance(h, Binder):
            return self._binder(h, t.args[0])
        if h is Op.NEXT:
            return evolve(self, world="after").scalar(t.args[0])
        if h is Op.NOT:
            return f"(not {self.scalar(t.args[0])})"
        if h is Op.IMPLIES:
            return f"(not {self.scalar(t.args[0])} or {self.scalar(t.args[1])})"
        if h is Op.ITE:
            return f"({self.scalar(t.args[1])} if {self.scalar(t.args[0])} else {self.scalar(t.args[2])})"
        operands = [self.scalar(a) for a in t.args]
        if h is Op.EQ and isinstance(t.args[0], Bool):
            operands = [f"bool({o})" for o in operands]
        return f"({f' {_INFIX[h]} '.join(operands)})"

    def _binder(self, binder: Binder, body: Term) -> str:
        *outer, inner = binder.variables
        if binder.op is Op.SUM:
            return f"sum({self.scalar_under(binder.variables, body)})"
        name = "all" if binder.op is Op.FORALL else "any"
        names = self._fresh(outer)
        nested = evolve(self, names={**self.names, **names})
        if nested.bitwise(inner, body):
            mask = nested.mask(inner, body)
            full = (1 << self._size(type(inner))) - 1
            text = f"({mask} == {full})" if binder.op is Op.FORALL else f"bool({mask})"
            return f"{name}({text} {self._loops(outer, names)})" if outer else text
        return f"{name}({self.scalar_under(binder.variables, body)})"

    def scalar_under(self, variables: Sequence[Term], body: Term) -> str:
        """A generator expression of `body` for all values of `variables`."""
        names = self._fresh(variables)
        return f"{evolve(self, names={**self.names, **names}).scalar(body)} {self._loops(variables, names)}"

    def _fresh(self, variables: Sequence[Term]) -> dict[Variable, str]:
        names: dict[Variable, str] = {}
        for v in variables:
            names[v.head] = name_for(v.head, {**self.names, **names})
        return names

    def _loops(self, variables: Sequence[Term], names: dict[Variable, str]) -> str:
        return " ".join(f"for {names[v.head]} in {self.range(v)}" for v in variables)

    def range(self, v: Term) -> str:
        """The values of the sort of `v`."""
        domain = self.where.scope.domain(type(v))
        return f"range({domain.start}, {domain.stop})" if domain.start else f"range({domain.stop})"

    # ---- whole rows ---------------------------------------------------------------------------

    def bitwise(self, v: Term, t: Term) -> bool:
        """Whether `mask` needs no loop over the values of `v`."""
        if self.partial(t):
            return False
        if not mentions(t, v) or self._row_of(v, t) or self._row_through(v, t) or self._inverse(v, t):
            return True
        return t.head in (Op.AND, Op.OR, Op.NOT, Op.IMPLIES) and all(self.bitwise(v, a) for a in t.args)

    def _row_of(self, v: Term, t: Term) -> bool:
        """Whether `t` is a cell of a relation whose column is `v`."""
        return (
            isinstance(t.head, Symbol)
            and issubclass(t.head.sort, Bool)
            and bool(t.args)
            and t.args[-1].head is v.head
            and not any(mentions(a, v) for a in t.args[:-1])
        )

    def _row_through(self, v: Term, t: Term) -> Symbol[Any, Any] | None:
        """For a cell of a relation whose column is `f(v)`: f."""
        if not (isinstance(t.head, Symbol) and issubclass(t.head.sort, Bool) and t.args):
            return None
        *leading, column = t.args
        if column.head not in self.where.inverses or column.args[0].head is not v.head:
            return None
        return None if any(mentions(a, v) for a in leading) else column.head

    def _inverse(self, v: Term, t: Term) -> tuple[Symbol[Any, Any] | None, Term] | None:
        """For `f(v) == x` or `v == x`, where x does not depend on v: f (or nothing) and x."""
        if t.head is not Op.EQ or isinstance(v, Number):
            # A number that `v` is compared with may be no value of `v` at all.
            return None
        for a, x in (t.args, t.args[::-1]):
            if mentions(x, v):
                continue
            if a.head is v.head:
                return None, x
            if a.head in self.where.inverses and a.args[0].head is v.head:
                return a.head, x
        return None

    def mask(self, v: Term, t: Term) -> str:
        """An integer with a bit for each value of `v` for which `t` holds."""
        full = (1 << self._size(type(v))) - 1
        if self.partial(t):
            return f"filtered({full}, lambda {self._bound(v)}: {self._at(v, t)})"
        if not mentions(t, v):
            return str(full) if t is TRUE else f"({full} if {self.scalar(t)} else 0)"
        if self._row_of(v, t):
            return f"{self.rows(t.head)}[{self.row(t.head, t.args)}]"
        if through := self._row_through(v, t):
            row = f"{self.rows(t.head)}[{self.row(t.head, t.args)}]"
            return f"preimage({row}, inverse[{self.where.inverses[through]}])"
        if found := self._inverse(v, t):
            symbol, x = found
            if symbol is None:
                return f"(1 << {self._offset(x)})"
            return f"inverse[{self.where.inverses[symbol]}][{self._offset(x)}]"
        if self.bitwise(v, t):
            if t.head is Op.NOT:
                return f"({full} & ~{self.mask(v, t.args[0])})"
            if t.head is Op.IMPLIES:
                return f"({full} & ~{self.mask(v, t.args[0])} | {self.mask(v, t.args[1])})"
            return f"({(' & ' if t.head is Op.AND else ' | ').join(self.mask(v, a) for a in t.args)})"
        if t.head is Op.AND:
            # Only where the cheap operands hold is the rest worth a loop.
            cheap = [a for a in t.args if self.bitwise(v, a)]
            if cheap:
                rest = all_of(*(a for a in t.args if not self.bitwise(v, a)))  # type: ignore[arg-type]  # operands of & are Bool
                return (
                    f"filtered({self.mask(v, all_of(*cheap))}, lambda {self._bound(v)}: {self._at(v, rest)})"  # type: ignore[arg-type]  # as above
                )
        return f"filtered({full}, lambda {self._bound(v)}: {self._at(v, t)})"

    def _bound(self, v: Term) -> str:
        return name_for(v.head, self.names)

    def _at(self, v: Term, t: Term) -> str:
        name = self._bound(v)
        inner = evolve(
            self,
            names={
                **self.names,
                v.head: f"({name} + {self._start(type(v))})" if self._start(type(v)) else name,
            },
        )
        return inner.scalar(t)


def mentions(t: Term, v: Term) -> bool:
    """Whether the variable `v` occurs in `t`."""
    return any(s.head is v.head for s in subterms(t))


def name_for(variable: Variable, taken: dict[Variable, str]) -> str:
    """A Python name for a variable, unlike those that are taken."""
    base = "".join(c if c.isalnum() else "_" for c in variable.name)
    used = set(taken.values())
    return next(
        n for n in itertools.chain([f"{base}_"], (f"{base}_{i}" for i in itertools.count(1))) if n not in used
    )


def filtered(mask: int, test: Callable[[int], Any]) -> int:
    """The bits of `mask` whose position passes `test`."""
    kept = 0
    for position in bits(mask):
        if test(position):
            kept |= 1 << position
    return kept


def preimage(row: int, inverse: Sequence[int]) -> int:
    """What has a value that is a bit of `row`, where `inverse` has for each value the bits of what has it."""
    found = 0
    for value in bits(row):
        found |= inverse[value]
    return found


def in_range(value: int, start: int, stop: int, symbol: str, sort: str) -> int:
    """`value`, if it is in the range of its sort. Raises `OutOfScope`."""
    if not start <= value < stop:
        raise OutOfScope(symbol, sort)
    return value
