"""
Terms become formulas of Z3, in two ways.

`Unbounded` is for proofs: sorts have no size, every symbol is an uninterpreted function. It
may answer "unknown". `Finite` is for worlds that a person can look at: every sort is so many
elements, quantifiers are written out, and what is left is propositional, so the solver always
answers. A value that is not known yet is a table: what it may be, and when it is that.

Neither knows what is asked: obligations and unrolled steps are the business of the engine.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import z3
from attrs import define, evolve, field

from shardproof_models.language.terms import Binder, Bool, Kind, Literal, Number, Op, Symbol, Term, Variable

from .scope import Scope

#: A formula of Z3, which has no types of its own, or a truth value where nothing is left to ask.
Formula = Any
#: What a term may be worth, and under which condition.
Table = Mapping[int, Formula]
Environment = Mapping[Variable, Table]


@define
class Unbounded:
    """
    One function of Z3 for each symbol, one constant for each variable that is not bound.

    A term is translated once, however often it is a hypothesis.
    """

    _sorts: dict[type[Term], Any] = field(factory=dict, init=False)
    _functions: dict[Symbol[Any, Any], Any] = field(factory=dict, init=False)
    #: By identity, and holding the term, so that no other one can take its place.
    _done: dict[int, tuple[Term, Any]] = field(factory=dict, init=False)
    _variables: int = field(default=0, init=False)

    def __call__(self, term: Term) -> Any:
        """The translation of `term`."""
        if id(term) not in self._done:
            self._done[id(term)] = term, self._translate(term)
        return self._done[id(term)][1]

    def _translate(self, term: Term) -> Any:
        head = term.head
        if isinstance(head, Variable):
            self._variables += 1
            return z3.Const(f"{head.name}!{self._variables}", self._sort(type(term)))
        if isinstance(head, Literal):
            return z3.BoolVal(head.value) if isinstance(term, Bool) else z3.IntVal(head.value)
        args = [self(a) for a in term.args]
        if isinstance(head, Symbol):
            return applied(self._function(head), args, _reference(type(term)))
        if isinstance(head, Binder):
            if head.op is Op.SUM:
                raise ValueError(f"a sum is not first-order: {term}")
            return (z3.ForAll if head.op is Op.FORALL else z3.Exists)(
                [self(v) for v in head.variables], *args
            )
        return _CONNECTIVES[head](*args)

    def _sort(self, sort: type[Term]) -> Any:
        if issubclass(sort, Bool | Number):
            return z3.BoolSort() if issubclass(sort, Bool) else z3.IntSort()
        if sort not in self._sorts:
            self._sorts[sort] = z3.DeclareSort(sort.__name__)
        return self._sorts[sort]

    def _function(self, symbol: Symbol[Any, Any]) -> Any:
        if symbol not in self._functions:
            signature = [self._sort(type(p)) for p in symbol.parameters]
            self._functions[symbol] = z3.Function(symbol.name, *signature, self._sort(symbol.sort))
        return self._functions[symbol]


# ---- formulas, made by Z3 without asking what terms are known to be ----------------------------------
#
# Every operator of the package `z3` asks each operand for its sort, which takes several times as long as all
# the rest. Our terms have sorts of their own, and what Z3 makes is the same to the pointer.


def applied(function: Any, args: Sequence[Any], reference: Callable[..., Any]) -> Any:
    """`function` of `args`, as a `reference` of the kind that its range asks for."""
    context = function.ctx
    made = z3.Z3_mk_app(context.ref(), function.ast, len(args), _pointers(args))
    return reference(made, context)


def all_hold(parts: Sequence[Any]) -> Any:
    """A conjunction of Z3, of one part too."""
    context = parts[0].ctx
    return z3.BoolRef(z3.Z3_mk_and(context.ref(), len(parts), _pointers(parts)), context)


def some_hold(parts: Sequence[Any]) -> Any:
    """A disjunction of Z3, of one part too."""
    context = parts[0].ctx
    return z3.BoolRef(z3.Z3_mk_or(context.ref(), len(parts), _pointers(parts)), context)


def _pointers(operands: Sequence[Any]) -> Any:
    return (z3.Ast * len(operands))(*[o.ast for o in operands])


def _of_one(make: Callable[..., Any]) -> Callable[[Any], Any]:
    return lambda a: z3.BoolRef(make(a.ctx.ref(), a.ast), a.ctx)


def _of_two(make: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    return lambda a, b: z3.BoolRef(make(a.ctx.ref(), a.ast, b.ast), a.ctx)


_not, _equal = _of_one(z3.Z3_mk_not), _of_two(z3.Z3_mk_eq)


def _reference(sort: type[Term]) -> Callable[..., Any]:
    if issubclass(sort, Bool):
        return z3.BoolRef  # type: ignore[no-any-return]  # Z3 has no types
    return z3.ArithRef if issubclass(sort, Number) else z3.ExprRef  # type: ignore[no-any-return]


_CONNECTIVES: Mapping[Op, Callable[..., Any]] = {
    Op.AND: lambda *parts: all_hold(parts),
    Op.OR: lambda *parts: some_hold(parts),
    Op.NOT: _not,
    Op.IMPLIES: _of_two(z3.Z3_mk_implies),
    Op.ITE: z3.If,
    Op.EQ: _equal,
    Op.LT: _of_two(z3.Z3_mk_lt),
    Op.LE: _of_two(z3.Z3_mk_le),
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
}


def assume(solver: Any, formulas: Iterable[Any]) -> None:
    """Add each of `formulas`, which are truth values to Z3, to what `solver` assumes."""
    context = solver.ctx.ref()
    for formula in formulas:
        z3.Z3_solver_assert(context, solver.solver, formula.ast)


# ---- propositional logic that does not ask what it knows -------------------------------------------


def conj(parts: Iterable[Formula]) -> Formula:
    """All of `parts`."""
    return _joined(parts, True, all_hold)


def disj(parts: Iterable[Formula]) -> Formula:
    """Some of `parts`."""
    return _joined(parts, False, some_hold)


def _joined(parts: Iterable[Formula], unit: bool, join: Callable[[Sequence[Any]], Any]) -> Formula:
    kept: list[Formula] = []
    for part in parts:
        if part is (not unit):
            return part
        if part is not unit:
            kept.append(part)
    if len(kept) < 2:
        return kept[0] if kept else unit
    return join(kept)


def negate(part: Formula) -> Formula:
    """Not `part`."""
    return not part if isinstance(part, bool) else _not(part)


def same(a: Formula, b: Formula) -> Formula:
    """Both or neither."""
    if isinstance(a, bool):
        return b if a else negate(b)
    if isinstance(b, bool):
        return a if b else negate(a)
    return a is b or _equal(a, b)


def equal(a: Table, b: Table) -> Formula:
    """When two tables have the same value."""
    return conj(same(a.get(value, False), b.get(value, False)) for value in {**a, **b})


def _merge(cases: Iterable[tuple[int, Formula]]) -> Table:
    found: dict[int, list[Formula]] = {}
    for value, condition in cases:
        if condition is not False:
            found.setdefault(value, []).append(condition)
    return {value: disj(conditions) for value, conditions in found.items()}


@define
class Finite:
    """
    Every sort is so many elements, as `scope` says; every cell of the world is a handful of propositions.

    A cell exists once it is asked for, at a `moment`; rigid ones have only one, and what the scope
    says of them is known. What must be true of a cell for it to have exactly one value is in
    `constraints`.
    """

    scope: Scope
    constraints: list[Formula] = field(factory=list, init=False)
    cells: dict[tuple[Symbol[Any, Any], tuple[int, ...], int], Table] = field(factory=dict, init=False)

    def unknown(self, name: str, sort: type[Term]) -> Table:
        """Some value of `sort`, about which nothing else is said."""
        if issubclass(sort, Bool):
            truth = z3.Bool(name)
            return {1: truth, 0: _not(truth)}
        values = self.scope.domain(sort)
        if len(values) == 1:
            return {values[0]: True}
        table = {value: z3.Bool(f"{name}={value}") for value in values}
        self.constraints.append(some_hold(list(table.values())))
        self.constraints += [_not(all_hold(pair)) for pair in itertools.combinations(table.values(), 2)]
        return table

    def cell(self, symbol: Symbol[Any, Any], args: tuple[int, ...], moment: int = 0) -> Table:
        """What the cell of `symbol` at `args` holds at `moment`."""
        place = (symbol, args, 0 if symbol.kind is Kind.RIGID else moment)
        if place not in self.cells:
            known = self.scope.rigid.get(symbol.name) if symbol.kind is Kind.RIGID else None
            name = f"{symbol.name}({','.join(map(str, args))})@{place[2]}"
            self.cells[place] = (
                self.unknown(name, symbol.sort) if known is None else {int(known(*args)): True}
            )
        return self.cells[place]

    def read(self, assignment: Any, rigid: Iterable[Symbol[Any, Any]]) -> Scope:
        """The scope with the topology that an assignment of the solver has."""
        tables = {
            s.name: {args: worth(self.cell(s, args), assignment) for args in self.scope.tuples(s.parameters)}
            for s in rigid
        }
        return evolve(self.scope, rigid={name: _lookup(table) for name, table in tables.items()})

    def holds(self, formula: Term, env: Environment, moment: int = 0) -> Formula:
        """When `formula` is true."""
        return self.value(formula, env, moment).get(1, False)

    def value(self, term: Term, env: Environment, moment: int = 0) -> Table:
        """What `term` may be worth; `next` looks at the moment after."""
        head = term.head
        if isinstance(head, Variable):
            return env[head]
        if isinstance(head, Literal):
            return {int(head.value): True}
        if isinstance(head, Symbol):
            return self._applied(head, [self.value(a, env, moment) for a in term.args], moment)
        if isinstance(head, Binder):
            return self._bound(head, term.args[0], env, moment)
        if head is Op.NEXT:
            return self.value(term.args[0], env, moment + 1)
        if head in (Op.AND, Op.OR, Op.NOT, Op.IMPLIES):
            return _truth(self._logic(head, term.args, env, moment))
        if head is Op.ITE:
            condition = self.holds(term.args[0], env, moment)
            yes, no = (self.value(a, env, moment) for a in term.args[1:])
            return _merge(
                [(v, conj((condition, c))) for v, c in yes.items()]
                + [(v, conj((negate(condition), c))) for v, c in no.items()]
            )
        return self._compared(head, *(self.value(a, env, moment) for a in term.args))

    def _logic(self, op: Op, args: tuple[Term, ...], env: Environment, moment: int) -> Formula:
        parts = (self.holds(a, env, moment) for a in args)  # lazy: what is decided is not translated
        if op is Op.AND:
            return conj(parts)
        if op is Op.OR:
            return disj(parts)
        premise = negate(next(parts))
        return premise if op is Op.NOT or premise is True else disj((premise, next(parts)))

    def _applied(self, symbol: Symbol[Any, Any], args: list[Table], moment: int) -> Table:
        if all(len(a) == 1 for a in args):
            return self.cell(symbol, tuple(next(iter(a)) for a in args), moment)
        return _merge(
            (value, conj((*(c for _, c in choice), condition)))
            for choice in itertools.product(*(a.items() for a in args))
            for value, condition in self.cell(symbol, tuple(v for v, _ in choice), moment).items()
        )

    def _bound(self, binder: Binder, body: Term, env: Environment, moment: int) -> Table:
        inner = ({**env, **given(binder.variables, xs)} for xs in self.scope.tuples(binder.variables))
        if binder.op is Op.SUM:
            total: Table = {0: True}
            for e in inner:
                total = self._compared(Op.ADD, total, self.value(body, e, moment))
            return total
        instances = (self.holds(body, e, moment) for e in inner)
        return _truth(conj(instances) if binder.op is Op.FORALL else disj(instances))

    def _compared(self, op: Op, left: Table, right: Table) -> Table:
        decide = _ARITHMETIC[op]
        cases = (
            (decide(a, b), conj((x, y))) for (a, x), (b, y) in itertools.product(left.items(), right.items())
        )
        return _merge((int(value), condition) for value, condition in cases)


_ARITHMETIC: Mapping[Op, Callable[[int, int], int]] = {
    Op.EQ: lambda a, b: a == b,
    Op.LT: lambda a, b: a < b,
    Op.LE: lambda a, b: a <= b,
    Op.ADD: lambda a, b: a + b,
    Op.SUB: lambda a, b: a - b,
}


def _lookup(table: Mapping[tuple[int, ...], int]) -> Callable[..., int]:
    return lambda *args: table[args]


def _truth(formula: Formula) -> Table:
    return {1: formula, 0: negate(formula)}


def worth(table: Table, assignment: Any) -> int:
    """The value that an assignment of the solver gives to a table."""
    return next(
        value
        for value, condition in table.items()
        if condition is True
        or (condition is not False and z3.is_true(assignment.eval(condition, model_completion=True)))
    )


def given(parameters: Iterable[Term], args: Iterable[int]) -> Environment:
    """Variables with known values."""
    return {p.head: {a: True} for p, a in zip(parameters, args, strict=True)}
