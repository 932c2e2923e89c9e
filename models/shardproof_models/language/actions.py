"""
Actions: one thing that can happen, when it is accepted, and what it changes.

An action is parameters, named clauses in an observable order, and simultaneous effects.
Read `Action.after` first: it says what a step *means*, as a rewriting of terms. Obligations
are weakest preconditions built with it, so a proof needs no primed copies and no frame axioms.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, ParamSpec, TypeVar, overload

from attrs import evolve, field, frozen

from .terms import (
    FALSE,
    TRUE,
    Bool,
    Literal,
    Number,
    Op,
    SortError,
    Symbol,
    Term,
    Variable,
    all_of,
    coerce,
    equal,
    ite,
    number,
    parameters_of,
    rebuild,
    show,
    substitute,
)

P = ParamSpec("P")
T = TypeVar("T", bound=Term)
N = TypeVar("N", bound=Number)
S1 = TypeVar("S1", bound=Term)
S2 = TypeVar("S2", bound=Term)


@frozen
class Refusal:
    """Why an action was not accepted."""

    name: str

    def __str__(self) -> str:
        return self.name


@frozen(eq=False)
class Clause:
    """One condition of a guard, and the refusal that it stands for."""

    condition: Bool
    refusal: Refusal
    before: Refusal | None = None


@frozen(eq=False)
class Waiver:
    """A layer that refines an ideal clause removes it; the composition is then proved again."""

    refusal: Refusal


@frozen(eq=False)
class Actor:
    """The shard at which an action happens."""

    shard: Term


class Write(enum.Enum):
    """How an effect writes its cell."""

    ASSIGN = "assign"
    ADD = "add"


@frozen(eq=False)
class Effect:
    """For all values of `each`, where `where` holds: the cell becomes, or grows by, `value`."""

    write: Write
    cell: Term
    value: Term
    where: Bool = TRUE
    each: tuple[Term, ...] = ()

    @property
    def symbol(self) -> Symbol[Any, Any]:
        """The symbol that is written."""
        return self.cell.head  # type: ignore[no-any-return]  # heads are data; `_effect` has checked this one

    def at(self, args: tuple[Term, ...]) -> tuple[Bool, Term]:
        """Whether this effect writes the cell at `args`, and the value that it writes."""
        bound = {v.head for v in self.each}
        solved: dict[Variable, Term] = {}
        others: list[tuple[Term, Term]] = []
        for place, arg in zip(self.cell.args, args, strict=True):
            if place.head in bound and place.head not in solved:
                solved[place.head] = arg
            else:
                others.append((place, arg))
        # Only now, because an argument may speak of a variable that a later argument solves.
        conditions = (equal(substitute(place, solved), arg) for place, arg in others)
        return all_of(*conditions, substitute(self.where, solved)), substitute(self.value, solved)

    def __str__(self) -> str:
        each = (
            f"for each {', '.join(f'{v.head.name}: {type(v).__name__}' for v in self.each)}: "
            if self.each
            else ""
        )
        where = "" if self.where is TRUE else f" where {self.where}"
        if self.write is Write.ASSIGN:
            return f"{each}{self.cell} := {self.value}{where}"
        value = self.value
        taken = (
            value.head is Op.SUB and isinstance(value.args[0].head, Literal) and not value.args[0].head.value
        )
        return f"{each}{self.cell} {f'-= {show(value.args[1], 7)}' if taken else f'+= {value}'}{where}"


Part = Clause | Waiver | Effect | Actor
Parts = Iterator[Part]


def require(condition: Bool, refusal: Refusal, *, before: Refusal | None = None) -> Clause:
    """
    A clause: unless `condition`, the attempt is refused as `refusal`.

    In an extension, `before` places it.
    """
    return Clause(coerce(condition, Bool, f"the clause {refusal.name!r}"), refusal, before)


def waive(refusal: Refusal) -> Waiver:
    """In an extension: the clause of the base that refuses by `refusal` no longer applies."""
    return Waiver(refusal)


def at(shard: Term) -> Actor:
    """The shard at which this action happens, and whose state its guard may read."""
    return Actor(shard)


def _effect(write: Write, cell: Term, value: Term, where: Bool) -> Effect:
    if not isinstance(cell.head, Symbol) or not cell.head.is_state:
        raise SortError(f"an effect writes a cell of state, got {cell}")
    return Effect(write, cell, value, coerce(where, Bool, f"where {cell} is written"))


def assign(cell: T, value: T | int, *, where: Bool = TRUE) -> Effect:
    """The cell becomes `value`."""
    return _effect(Write.ASSIGN, cell, coerce(value, type(cell), f"the value of {cell}"), where)


def insert(cell: Bool, *, where: Bool = TRUE) -> Effect:
    """The relation holds there from now on."""
    return assign(cell, TRUE, where=where)


def remove(cell: Bool, *, where: Bool = TRUE) -> Effect:
    """The relation no longer holds there."""
    return assign(cell, FALSE, where=where)


def add(cell: N, amount: N | int, *, where: Bool = TRUE) -> Effect:
    """The cell grows. Additions to one cell accumulate, also when two of them meet by aliasing."""
    return _effect(Write.ADD, cell, coerce(amount, type(cell), f"what is added to {cell}"), where)


@overload
def each(a: type[S1], effect: Callable[[S1], Effect], /) -> Effect: ...
@overload
def each(a: type[S1], b: type[S2], effect: Callable[[S1, S2], Effect], /) -> Effect: ...
def each(*parts: Any) -> Effect:
    """One effect for all elements of sorts. Each variable must be an argument of the written cell."""
    *sorts, effect = parts
    names = inspect.signature(effect).parameters
    return for_each(tuple(s(Variable(n)) for s, n in zip(sorts, names, strict=True)), effect)


def for_each(variables: tuple[Term, ...], effect: Callable[..., Effect]) -> Effect:
    """`each`, over variables that are already there."""
    made: Effect = effect(*variables)
    for variable in variables:
        if not any(a is variable for a in made.cell.args):
            raise SortError(f"{variable} must be an argument of the written cell {made.cell}")
    return evolve(made, each=(*variables, *made.each))


@frozen(eq=False)
class Action:
    """One thing that can happen: at a shard, if every clause holds, with all effects at once."""

    name: str
    parameters: tuple[Term, ...]
    clauses: tuple[Clause, ...]
    effects: tuple[Effect, ...]
    actor: Term | None = None
    doc: str = ""
    #: What was computed before: terms are keys by identity.
    _afters: dict[Term, Term] = field(factory=dict, init=False, repr=False)
    _steps: dict[Bool, Bool] = field(factory=dict, init=False, repr=False)

    @cached_property
    def guard(self) -> Bool:
        """All clauses together."""
        return all_of(*(c.condition for c in self.clauses))

    def writes(self, symbol: Symbol[Any, Any]) -> tuple[Effect, ...]:
        """The effects on cells of `symbol`."""
        return tuple(e for e in self.effects if e.symbol is symbol)

    def after(self, term: T) -> T:
        """The value of `term` after this action, as a term over the world before it; of one term, one."""
        if term not in self._afters:
            self._afters[term] = self._after(term)
        return coerce(self._afters[term], type(term))

    def _after(self, term: Term) -> Term:
        def update(t: Term) -> Term:
            if not isinstance(t.head, Symbol):
                return t
            # An assignment comes first, then all that is added: additions accumulate on the new value.
            effects = sorted(self.writes(t.head), key=lambda e: e.write is Write.ADD)
            new: Any = t
            for effect in effects:
                here, value = effect.at(t.args)
                new = (
                    ite(here, value, new)
                    if effect.write is Write.ASSIGN
                    else new + ite(here, value, number(0, type(t)))
                )
            return new  # type: ignore[no-any-return]  # of the sort of t

        return rebuild(term, update)

    def step(self, formula: Bool) -> Bool:
        """A step property, with every `next_` replaced by what this action makes of it."""
        if formula not in self._steps:
            self._steps[formula] = rebuild(
                formula, lambda t: self._after(t.args[0]) if t.head is Op.NEXT else t
            )
        return self._steps[formula]

    def collisions(self) -> Iterator[tuple[Effect, Effect, Bool]]:
        """Pairs of assignments that might write one cell, and the condition under which they disagree."""
        for i, a in enumerate(self.effects):
            for b in self.effects[:i]:
                if a.symbol is b.symbol and a.write is b.write is Write.ASSIGN and a.value is not b.value:
                    args = tuple(type(p)(Variable(f"cell{k}")) for k, p in enumerate(a.symbol.parameters))
                    (here, x), (there, y) = a.at(args), b.at(args)
                    yield a, b, all_of(here, there, ~equal(x, y))


def action_of(
    function: Callable[..., Parts], parameters: tuple[Term, ...] | None = None
) -> tuple[Action, tuple[Waiver, ...]]:
    """The action that a generator of parts describes, and what it waives."""
    parameters = parameters_of(function) if parameters is None else parameters
    parts = tuple(function(*parameters))
    for part in parts:
        if not isinstance(part, Clause | Waiver | Effect | Actor):
            raise SortError(
                f"{function.__name__} yields {part!r}: "
                "expected require, waive, at, assign, insert, remove, add or each"
            )
    actors = [p.shard for p in parts if isinstance(p, Actor)]
    action = Action(
        function.__name__,
        parameters,
        tuple(p for p in parts if isinstance(p, Clause)),
        tuple(p for p in parts if isinstance(p, Effect)),
        actors[0] if actors else None,
        inspect.getdoc(function) or "",
    )
    return action, tuple(p for p in parts if isinstance(p, Waiver))
