"""Random well-sorted terms, and actions made of them, over the symbols of a protocol."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import evolve, frozen

from shardproof_models.language.actions import Action, Clause, Effect, Refusal, Write, for_each
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    FALSE,
    TRUE,
    Binder,
    Bool,
    Kind,
    Literal,
    Number,
    Op,
    Symbol,
    Term,
    Variable,
    all_of,
    any_of,
    equal,
    implies,
    ite,
)

Variables = tuple[Term, ...]


def _given(term: Term) -> Term:
    return term


@frozen
class TermMaker:
    """Makes terms out of the symbols that it may use, as deep as it is asked to."""

    rng: random.Random
    symbols: tuple[Symbol[Any, Any], ...]
    #: The sorts that are bound and compared.
    sorts: tuple[type[Term], ...]
    next: bool = False

    def term(self, sort: type[Term], depth: int, variables: Variables) -> Term:
        """A term of `sort` over `variables`."""
        leaves: list[Callable[[], Term]] = [partial(_given, v) for v in variables if type(v) is sort]
        if issubclass(sort, Bool):
            leaves += [lambda: TRUE, lambda: FALSE]
        elif issubclass(sort, Number):
            # One beyond each end of the range too.
            leaves.append(lambda: sort(Literal(self.rng.randint(-3, 4))))
        leaves += [s for s in self.symbols if s.sort is sort and not s.parameters]
        deep: list[Callable[[], Term]] = [
            partial(self.cell, s, depth - 1, variables)
            for s in self.symbols
            if s.sort is sort and s.parameters
        ]
        if depth <= 0:
            return self.rng.choice(leaves or deep[-1:])()
        return self.rng.choice([*leaves[:2], *deep, *self._connectives(sort, depth - 1, variables)])()

    def cell(self, symbol: Symbol[Any, Any], depth: int, variables: Variables) -> Term:
        """`symbol` at some arguments."""
        made: Term = symbol(*(self.term(type(p), depth, variables) for p in symbol.parameters))
        return made

    def bool(self, depth: int, variables: Variables) -> Bool:
        """A formula."""
        made = self.term(Bool, depth, variables)
        assert isinstance(made, Bool)
        return made

    def _connectives(self, sort: type[Term], depth: int, variables: Variables) -> list[Callable[[], Term]]:
        def some(of: type[Term]) -> Term:
            return self.term(of, depth, variables)

        def formula() -> Bool:
            return self.bool(depth, variables)

        def bound(op: Op, result: type[Term]) -> Term:
            found = tuple(
                self.rng.choice(self.sorts)(Variable(self.rng.choice("xyz")))
                for _ in range(self.rng.randint(1, 2))
            )
            return result(Binder(op, found), (self.term(result, depth, (*found, *variables)),))

        made: list[Callable[[], Term]] = [lambda: ite(formula(), some(sort), some(sort))]
        if self.next:
            made.append(lambda: sort(Op.NEXT, (evolve(self, next=False).term(sort, depth, variables),)))
        if issubclass(sort, Number):
            made += [
                lambda: sort(Op.ADD, (some(sort), some(sort))),
                lambda: sort(Op.SUB, (some(sort), some(sort))),
            ]
            made.append(lambda: bound(Op.SUM, sort))
        if issubclass(sort, Bool):
            numbers = [s for s in self.sorts if issubclass(s, Number)]
            made += [
                lambda: ~formula(),
                lambda: all_of(formula(), formula(), formula()),
                lambda: any_of(formula(), formula()),
                lambda: implies(formula(), formula()),
                lambda: bound(Op.FORALL, Bool),
                lambda: bound(Op.EXISTS, Bool),
                lambda: self._equal(depth, variables),
                lambda: self._equal(depth, variables),
                *(lambda op=op, n=n: Bool(op, (some(n), some(n))) for op in (Op.LT, Op.LE) for n in numbers),
            ]
        return made

    def _equal(self, depth: int, variables: Variables) -> Bool:
        sort = self.rng.choice(self.sorts)
        return equal(self.term(sort, depth, variables), self.term(sort, depth, variables))


def random_action(protocol: Protocol, rng: random.Random) -> Action:
    """An action with random parameters, clauses and effects."""
    sorts = (
        *protocol.sorts,
        Bool,
        *dict.fromkeys(s.sort for s in protocol.symbols if issubclass(s.sort, Number)),
    )
    public = tuple(s for s in protocol.symbols if s.kind is not Kind.GHOST)
    guard, ghostly = TermMaker(rng, public, sorts), TermMaker(rng, protocol.symbols, sorts)
    parameters = tuple(rng.choice(sorts)(Variable(name)) for name in "pqr"[: rng.randint(1, 3)])
    clauses = tuple(
        Clause(guard.bool(rng.randint(1, 3), parameters), Refusal(f"refusal {i}"))
        for i in range(rng.randint(0, 3))
    )
    # Few symbols, so that effects meet.
    targets = rng.sample(protocol.state, rng.randint(1, 3))
    effects = tuple(
        random_effect(ghostly if s.kind is Kind.GHOST else guard, s, parameters)
        for s in (rng.choice(targets) for _ in range(rng.randint(1, 4)))
    )
    return Action("chance", parameters, clauses, effects)


def random_effect(maker: TermMaker, symbol: Symbol[Any, Any], parameters: Variables) -> Effect:
    """An effect on cells of `symbol`, for each element of up to two sorts."""
    rng = maker.rng
    places = rng.sample(range(len(symbol.parameters)), rng.randint(0, min(2, len(symbol.parameters))))
    each = {i: type(symbol.parameters[i])(Variable(f"e{i}")) for i in places}
    known = (*each.values(), *parameters)
    cell = symbol(
        *(each[i] if i in each else maker.term(type(p), 1, known) for i, p in enumerate(symbol.parameters))
    )
    write = rng.choice(tuple(Write)) if issubclass(symbol.sort, Number) else Write.ASSIGN
    where = rng.choice((TRUE, maker.bool(2, known)))
    effect = Effect(write, cell, maker.term(symbol.sort, rng.randint(0, 2), known), where)
    return for_each(tuple(each.values()), lambda *_: effect)
