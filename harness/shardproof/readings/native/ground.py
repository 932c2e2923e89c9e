"""Grounding: a term and what its variables stand for become an expression over cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.actions import Action, Effect, Write
from shardproof_models.language.terms import Binder, Bool, Literal, Op, Symbol, Term, Variable

from ..scope import Layout, Value
from .expression import (
    Beyond,
    Cell,
    Expression,
    Then,
    among,
    choice,
    computed,
    conjunction,
    disjunction,
    is_partial,
    negation,
    possible,
)

Environment = Mapping[Variable, Value]


@frozen
class Written:
    """Where `condition` holds, a cell becomes, or grows by, `value`."""

    cell: int
    write: Write
    value: Expression
    condition: Expression


@frozen
class Looked:
    """An expression that an effect evaluates, and that may be out of range; what comes of it is of no use."""

    expression: Expression


@frozen
class Instance:
    """One attempt: an action with its arguments, its clauses, and what it writes, in order."""

    number: int
    action: Action
    args: tuple[Value, ...]
    clauses: tuple[Expression, ...]
    guard: Expression
    effects: tuple[Written | Looked, ...]


@define(eq=False)
class Grounder:
    """Grounds the terms of a protocol at a scope, knowing what values each cell can have."""

    layout: Layout
    values: list[frozenset[int]]
    #: The cells that were looked at since this was last emptied.
    read: set[int] = field(factory=set)
    _free: dict[int, frozenset[Variable]] = field(factory=dict)
    _known: dict[tuple[Any, ...], tuple[Expression, frozenset[int]]] = field(factory=dict)
    #: Terms are known by their identity, so they must not go away.
    _kept: list[Term] = field(factory=list)

    def forget(self) -> None:
        """What was grounded may be otherwise: the cells have other values now."""
        self._known.clear()

    def expression(self, t: Term, env: Environment, *, after: bool = False) -> Expression:
        """`t` over cells."""
        h = t.head
        if isinstance(h, Variable):
            return env[h]
        if isinstance(h, Literal):
            return int(h.value)
        free = self._free_in(t)
        key = (id(t), after, *(env[v] for v in sorted(free, key=id)))
        if (known := self._known.get(key)) is None:
            outer, self.read = self.read, set()
            made = self._expression(t, env, after=after)
            known = self._known[key] = made, frozenset(self.read)
            self.read = outer
        self.read |= known[1]
        return known[0]

    def _free_in(self, t: Term) -> frozenset[Variable]:
        if (free := self._free.get(id(t))) is None:
            free = frozenset((t.head,)) if isinstance(t.head, Variable) else frozenset()
            free = free.union(*map(self._free_in, t.args))
            if isinstance(t.head, Binder):
                free -= {v.head for v in t.head.variables}
            self._free[id(t)] = free
            self._kept.append(t)
        return free

    def _expression(self, t: Term, env: Environment, *, after: bool) -> Expression:
        h = t.head
        if isinstance(h, Binder):
            parts = (
                self.expression(
                    t.args[0],
                    {**env, **{v.head: x for v, x in zip(h.variables, xs, strict=True)}},
                    after=after,
                )
                for xs in self.layout.scope.tuples(h.variables)
            )
            if h.op is Op.SUM:
                result: Expression = 0
                for part in parts:
                    result = computed(Op.ADD, result, part)
                return result
            return conjunction(parts) if h.op is Op.FORALL else disjunction(parts)
        if h is Op.NEXT:
            return self.expression(t.args[0], env, after=True)
        args = [self.expression(a, env, after=after) for a in t.args]
        if isinstance(h, Symbol):
            return self._application(h, args, t.args, after=after)
        match h:
            case Op.AND:
                return conjunction(args)
            case Op.OR:
                return disjunction(args)
            case Op.NOT:
                return negation(args[0])
            case Op.IMPLIES:
                return disjunction((negation(args[0]), args[1]))
            case Op.ITE:
                return choice(args[0], args[1], args[2])
            case Op.EQ | Op.LT | Op.LE | Op.ADD | Op.SUB:
                return computed(h, args[0], args[1])
        raise ValueError(f"not a term of a closed protocol: {t}")

    # ---- applications -----------------------------------------------------------------------------

    def _application(
        self, symbol: Symbol[Any, Any], args: list[Expression], terms: tuple[Term, ...], *, after: bool
    ) -> Expression:
        made = self._cases(symbol, (), args, after=after)
        # The plain reading evaluates all arguments before it looks for the cell.
        first = tuple(a for a in args if is_partial(a))
        return Then(first, made) if first else made

    def _cases(
        self, symbol: Symbol[Any, Any], known: tuple[Value, ...], rest: list[Expression], *, after: bool
    ) -> Expression:
        """An argument that only the world knows becomes a chain of cases."""
        if not rest:
            return self._cell(symbol, known, after=after)
        sort = type(symbol.parameters[len(known)])
        domain, beyond = self.layout.scope.domain(sort), Beyond(symbol.name, sort.__name__)
        arg, more = rest[0], rest[1:]
        if isinstance(arg, int):
            if arg not in domain:
                return beyond
            return self._cases(symbol, (*known, arg), more, after=after)
        values = possible(arg, {})
        inside = [v for v in domain if values is None or v in values]
        chain: Expression | None = None
        if values is None or not values <= set(inside):
            chain = beyond
        for value in reversed(inside):
            case = self._cases(symbol, (*known, value), more, after=after)
            here = computed(Op.EQ, arg, value)
            if chain is None:
                chain = case
            elif issubclass(symbol.sort, Bool) and not any(map(is_partial, (here, case, chain))):
                chain = disjunction((conjunction((here, case)), conjunction((negation(here), chain))))
            else:
                chain = choice(here, case, chain)
        return beyond if chain is None else chain

    def _cell(self, symbol: Symbol[Any, Any], args: tuple[Value, ...], *, after: bool) -> Expression:
        if symbol in self.layout.table:
            return self.layout.table[symbol][args]
        index = self.layout.index(symbol, args)
        self.read.add(index)
        values = self.values[index]
        if len(values) == 1:
            return next(iter(values))
        cell = Cell(index, values, after)
        return among(cell, (1,)) if issubclass(symbol.sort, Bool) else cell

    # ---- actions ----------------------------------------------------------------------------------

    def instance(self, number: int, action: Action, args: tuple[Value, ...]) -> Instance:
        """An attempt, over cells."""
        env = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
        clauses = tuple(self.expression(c.condition, env) for c in action.clauses)
        guard = conjunction(clauses)
        # What cannot be accepted writes nothing.
        effects = () if guard == 0 else tuple(self._effects(action, env))
        return Instance(number, action, args, clauses, guard, effects)

    def _effects(self, action: Action, env: Environment) -> Iterator[Written | Looked]:
        # Assignments first: what is added, is added to the new value.
        for effect in sorted(action.effects, key=lambda e: e.write is Write.ADD):
            for xs in self.layout.scope.tuples(effect.each):
                inner = {**env, **{v.head: x for v, x in zip(effect.each, xs, strict=True)}}
                where = self.expression(effect.where, inner)
                if where != 0:
                    yield from self._effect(effect, inner, where)

    def _effect(self, effect: Effect, env: Environment, where: Expression) -> Iterator[Written | Looked]:
        symbol = effect.symbol
        args = [self.expression(a, env) for a in effect.cell.args]
        value = self.expression(effect.value, env)
        if is_partial(where):
            yield Looked(where)
        yield from (Looked(conjunction((where, Then((a,), 0)))) for a in args if is_partial(a))
        domains = [self.layout.scope.domain(type(p)) for p in symbol.parameters]
        for parameter, domain, arg in zip(symbol.parameters, domains, args, strict=True):
            if not _is_within(arg, domain):
                inside = disjunction(computed(Op.EQ, arg, x) for x in domain if _may_be(arg, x))
                beyond = Beyond(symbol.name, type(parameter).__name__)
                yield Looked(conjunction((where, negation(inside), beyond)))
        candidates = (
            [x for x in domain if _may_be(arg, x)] for domain, arg in zip(domains, args, strict=True)
        )
        for place in product(*candidates):
            here = conjunction((where, *(computed(Op.EQ, a, x) for a, x in zip(args, place, strict=True))))
            if here != 0:
                yield Written(self.layout.index(symbol, place), effect.write, value, here)


def _is_within(arg: Expression, domain: range) -> bool:
    values = possible(arg, {})
    return values is not None and all(v in domain for v in values)


def _may_be(arg: Expression, value: Value) -> bool:
    values = possible(arg, {})
    return values is None or value in values
