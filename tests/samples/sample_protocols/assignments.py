"""The readings of the solver, asked what they make of one given world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import z3
from attrs import define, evolve, field

from shardproof.readings.evaluate import Evaluator, World
from shardproof.readings.scope import OutOfScope, Value
from shardproof.readings.smt import Finite, Unbounded, assume
from shardproof_models.language.actions import Action
from shardproof_models.language.terms import Bool, Literal, Number, Symbol, Term, Variable, substitute

from .worlds import refused_by

#: An attempt at which a reading of the solver disagrees with the plain one, and about what.
Disagreement = tuple[str, tuple[Value, ...], str]


def expected_of(
    evaluator: Evaluator,
    world: World,
    action: Action,
    args: tuple[Value, ...],
) -> tuple[bool | None, World | None]:
    """Whether the plain reading accepts, and the world after; None where a number leaves the scope."""
    refused = refused_by(evaluator, world, action, args)
    try:
        after: World | None = evaluator.effects(world, action, args)
    except OutOfScope:
        after = None
    return (refused == 0 if isinstance(refused, int) else None), after


def clause_of(
    evaluator: Evaluator, world: World, action: Action, args: tuple[Value, ...], number: int
) -> bool | None:
    """
    Whether one clause holds, whatever the others say; None where a number leaves the scope.

    Few worlds satisfy all clauses but one, so a guard as a whole says little of each.
    """
    env = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
    try:
        return bool(evaluator.value(action.clauses[number].condition, world, env))
    except OutOfScope:
        return None


@define(eq=False)
class FiniteReading:
    """`Finite`, with everything unknown; a world is then given to the solver as facts."""

    evaluator: Evaluator
    finite: Finite = field(init=False)
    #: One for all attempts: to tell it of every cell again takes longer than all that is asked.
    solver: Any = field(factory=z3.Solver, init=False)
    _told: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        # Without the meaning of the rigid symbols: that is given to the solver as well.
        self.finite = Finite(evolve(self.evaluator.scope, rigid={}))
        for symbol, table in self.evaluator.layout.table.items():
            self.solver.add(*(self.finite.cell(symbol, xs).get(v, False) for xs, v in table.items()))
        for symbol, cell in self.evaluator.layout.cells:
            self.finite.cell(symbol, cell)

    def disagreements(
        self, action: Action, args: tuple[Value, ...], worlds: list[World]
    ) -> Iterator[Disagreement]:
        """Where the formulas for one attempt say something else of `worlds` than the plain reading."""
        env = {p.head: {a: True} for p, a in zip(action.parameters, args, strict=True)}
        written = [(s, xs) for s, xs in self.evaluator.layout.cells if action.writes(s)]
        clauses = [self.finite.holds(c.condition, env) for c in action.clauses]
        guard = self.finite.holds(action.guard, env)
        made = {s: _after(action, s) for s in dict.fromkeys(s for s, _ in written)}
        after = []
        for symbol, cell in written:
            holders, term = made[symbol]
            at = {h.head: {x: True} for h, x in zip(holders, cell, strict=True)}
            after.append(self.finite.value(term, {**env, **at}))
        places = self.evaluator.layout.cells
        cells = [self.finite.cell(s, xs) for s, xs in places]
        assume(self.solver, self.finite.constraints[self._told :])
        self._told = len(self.finite.constraints)
        for world in worlds:
            accepted, expected = expected_of(self.evaluator, world, action, args)
            facts = [c.get(v, False) for c, v in zip(cells, world, strict=True)]
            if self.solver.check(*(f for f in facts if not isinstance(f, bool))) != z3.sat:
                yield action.name, args, "there is no such world"
                continue
            assignment = self.solver.model()
            for number, clause in enumerate(clauses):
                holds = clause_of(self.evaluator, world, action, args, number)
                if holds is not None and _true(clause, assignment) != holds:
                    yield action.name, args, f"clause {number + 1}"
            if accepted is not None and _true(guard, assignment) != accepted:
                yield action.name, args, "guard"
            if expected is not None:
                by_place = dict(zip(places, expected, strict=True))
                for (symbol, cell), table in zip(written, after, strict=True):
                    if [v for v, c in table.items() if _true(c, assignment)] != [by_place[symbol, cell]]:
                        yield action.name, args, f"{symbol.name}{cell}"


def _after(action: Action, symbol: Symbol[Any, Any]) -> tuple[tuple[Term, ...], Term]:
    """What `action` leaves in the cell of `symbol` at these variables."""
    places = tuple(type(p)(Variable(p.head.name)) for p in symbol.parameters)
    return places, action.after(symbol(*places))


def _true(formula: Any, assignment: Any) -> bool:
    if isinstance(formula, bool):
        return formula
    return bool(z3.is_true(assignment.eval(formula, model_completion=True)))


@define(eq=False)
class UnboundedReading:
    """`Unbounded`, with its sorts closed over the elements of the scope by axioms."""

    evaluator: Evaluator
    reading: Unbounded = field(factory=Unbounded, init=False)
    elements: dict[tuple[type[Term], Value], Term] = field(factory=dict, init=False)
    #: What an action leaves in any cell of a symbol: the variables of both, and a term with them.
    afters: dict[tuple[Action, Symbol[Any, Any]], tuple[tuple[Term, ...], Term]] = field(
        factory=dict, init=False
    )

    def element(self, sort: type[Term], value: Value) -> Term:
        """A term for one element: a constant, or a literal."""
        if (sort, value) not in self.elements:
            known = issubclass(sort, Bool | Number)
            head = _literal(sort, value) if known else Variable(f"{sort.__name__}{value}")
            self.elements[sort, value] = sort(head)
        return self.elements[sort, value]

    def fact(self, symbol: Symbol[Any, Any], args: tuple[Value, ...], value: Value) -> Any:
        """That one cell holds `value`."""
        places = (self.element(type(p), a) for p, a in zip(symbol.parameters, args, strict=True))
        return self.reading(symbol(*places)) == self.reading(self.element(symbol.sort, value))

    def disagreements(
        self,
        world: World,
        instances: list[tuple[Action, tuple[Value, ...]]],
    ) -> Iterator[Disagreement]:
        """Where the formulas contradict what the plain reading makes of `world`."""
        solver = z3.Solver()
        for sort in self.evaluator.protocol.sorts:
            names = [self.reading(self.element(sort, x)) for x in self.evaluator.scope.domain(sort)]
            x = z3.Const("x", names[0].sort())
            solver.add(z3.Distinct(*names), z3.ForAll([x], z3.Or([x == n for n in names])))
        for symbol, table in self.evaluator.layout.table.items():
            solver.add(*(self.fact(symbol, args, value) for args, value in table.items()))
        solver.add(
            *(self.fact(s, args, v) for (s, args), v in zip(self.evaluator.layout.cells, world, strict=True))
        )
        if solver.check() != z3.sat:
            yield "any", (), "there is no such world"
        for action, args in instances:
            accepted, expected = expected_of(self.evaluator, world, action, args)
            given = {p.head: self.element(type(p), a) for p, a in zip(action.parameters, args, strict=True)}
            claims = [] if accepted is None else [self._read(action.guard, given) == z3.BoolVal(accepted)]
            for number, clause in enumerate(action.clauses):
                holds = clause_of(self.evaluator, world, action, args, number)
                if holds is not None:
                    claims.append(self._read(clause.condition, given) == z3.BoolVal(holds))
            if expected is not None:
                claims += [
                    self._after(action, args, s, xs) == self.reading(self.element(s.sort, value))
                    for (s, xs), value in zip(self.evaluator.layout.cells, expected, strict=True)
                    if action.writes(s)
                ]
            if claims and solver.check(z3.Not(z3.And(claims))) != z3.unsat:
                yield action.name, args, "guard or world after"

    def _after(
        self, action: Action, args: tuple[Value, ...], symbol: Symbol[Any, Any], cell: tuple[Value, ...]
    ) -> Any:
        """
        What `action` with these `args` leaves in one `cell`.

        As in a proof, it is translated once for any arguments and any cell; the solver puts in these.
        """
        if (action, symbol) not in self.afters:
            places, term = _after(action, symbol)
            self.afters[action, symbol] = (*action.parameters, *places), term
        variables, after = self.afters[action, symbol]
        return z3.substitute(
            self.reading(after),
            *(
                (self.reading(v), self.reading(self.element(type(v), x)))
                for v, x in zip(variables, (*args, *cell), strict=True)
            ),
        )

    def _read(self, term: Term, given: dict[Variable, Term]) -> Any:
        return self.reading(substitute(term, given))


def _literal(sort: type[Term], value: Value) -> Literal:
    return Literal(bool(value) if issubclass(sort, Bool) else value)
