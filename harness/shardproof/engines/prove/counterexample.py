"""
A counterexample to induction: a smallest step from what the hypotheses allow to what breaks the goal.

It says why a proof does not go through, and no more: nobody has shown that the world before
can be reached, so it is never called a violation. It is sought in ever larger worlds, and
then emptied of everything that it does not need, because it is meant to be read.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import z3
from attrs import field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    Binder,
    Bool,
    Entity,
    Number,
    Symbol,
    Term,
    Variable,
    subterms,
    symbols_of,
)
from shardproof_models.layers.exactly_once import Header, Shard, genesis

from ...adapter import Topology
from ...readings.scope import Scope
from ...readings.smt import Environment, Finite, assume, given, negate, worth
from .obligations import Obligation

#: The most elements of a sort, and the numbers, of a world that is meant to be read.
SIZE_MAX = 3
NUMBERS = range(4)

#: Of a line of facts.
WIDTH = 88

Cell = tuple[Symbol[Any, Any], tuple[int, ...]]


@frozen(eq=False)
class Counterexample:
    """One world before, one step, and what of the world is different after."""

    protocol: Protocol
    obligation: Obligation
    #: Sizes and topology.
    scope: Scope
    before: Mapping[Cell, int]
    #: What the step makes of the cells that it changes.
    after: Mapping[Cell, int]
    #: What the action and the sentence are about: value by variable.
    chosen: Mapping[Variable, int]

    def __str__(self) -> str:
        return "\n".join(_Telling(self).lines())


def counterexample(
    protocol: Protocol, obligation: Obligation, *, seed: int = 0, timeout_ms: int = 10_000
) -> Counterexample | None:
    """A smallest one, or None where there is none of up to `SIZE_MAX` elements a sort."""
    for sizes in _sizes(protocol):
        found = _within(protocol, obligation, sizes, seed, timeout_ms)
        if found is not None:
            return found
    return None


def possible(protocol: Protocol, never: Obligation, *, seed: int = 0, timeout_ms: int = 10_000) -> bool:
    """Whether what `never` denies is so in a world with two or three elements a sort, and more headers."""
    return any(
        _within(
            protocol,
            never,
            {s: size + 2 if s is Header else size for s in protocol.sorts},
            seed,
            timeout_ms,
        )
        is not None
        for size in (2, SIZE_MAX)
    )


def _sizes(protocol: Protocol) -> Iterator[dict[type[Term], int]]:
    """All sizes of sorts, the fewest elements in all first."""
    every = itertools.product(range(1, SIZE_MAX + 1), repeat=len(protocol.sorts))
    for sizes in sorted(every, key=sum):
        yield dict(zip(protocol.sorts, sizes, strict=True))


def _within(
    protocol: Protocol,
    obligation: Obligation,
    sizes: Mapping[type[Term], int],
    seed: int,
    timeout_ms: int,
) -> Counterexample | None:
    numbers = {s.sort for s in protocol.symbols if issubclass(s.sort, Number)}
    say = Finite(Scope({**sizes, **dict.fromkeys(numbers, NUMBERS)}, {}))
    for symbol in protocol.symbols:
        for args in say.scope.tuples(symbol.parameters):
            say.cell(symbol, args)
    env = {v.head: say.unknown(f"{v.head.name}!{i}", type(v)) for i, v in enumerate(_free(obligation))}
    wanted = [say.holds(t, env) for t in (*obligation.hypotheses, obligation.guard)]
    wanted.append(negate(say.holds(obligation.goal, env)))
    if any(w is False for w in wanted):
        return None
    solver = z3.SolverFor("QF_FD")
    solver.set("random_seed", seed)
    solver.set("timeout", timeout_ms)
    assume(solver, (*(w for w in wanted if w is not True), *say.constraints))
    if solver.check() != z3.sat:
        return None
    return _read(protocol, obligation, say, env, _least(say, env, solver))


def _free(obligation: Obligation) -> tuple[Term, ...]:
    """The variables of the action and of the sentence, in order of appearance."""
    parameters = obligation.action.parameters if obligation.action is not None else ()
    bound = {
        v.head for t in subterms(obligation.goal) if isinstance(t.head, Binder) for v in t.head.variables
    }
    free = (t for t in subterms(obligation.goal) if isinstance(t.head, Variable) and t.head not in bound)
    about = obligation.about.variables if obligation.about is not None else ()
    return tuple({t.head: t for t in (*parameters, *about, *free)}.values())


def _least(say: Finite, env: Environment, solver: Any) -> Any:
    """
    The least assignment: relations are empty and numbers small where that is possible.

    The facts of a person's interest come first, so that they are the fewest. What is least does
    not depend on the solver, its seed or its version.
    """
    cells = sorted(say.cells.items(), key=lambda c: (not c[0][0].is_state, issubclass(c[0][0].sort, Entity)))
    assignment = solver.model()
    for table in (*(table for _, table in cells), *env.values()):
        for value, condition in sorted(table.items()):
            if worth(table, assignment) != value and solver.check(condition) == z3.sat:
                assignment = solver.model()
            if worth(table, assignment) == value:
                solver.add(condition)
                break
    return assignment


def _read(
    protocol: Protocol, obligation: Obligation, say: Finite, env: Environment, assignment: Any
) -> Counterexample:
    before = {(s, args): worth(table, assignment) for (s, args, _), table in say.cells.items() if s.is_state}
    after: dict[Cell, int] = {}
    for (symbol, args), old in before.items():
        if obligation.action is not None and obligation.action.writes(symbol):
            places = tuple(type(p)(Variable(p.head.name)) for p in symbol.parameters)
            new = worth(
                say.value(obligation.action.after(symbol(*places)), {**env, **given(places, args)}),
                assignment,
            )
            if new != old:
                after[symbol, args] = new
    chosen = {v: worth(table, assignment) for v, table in env.items()}
    return Counterexample(protocol, obligation, say.read(assignment, protocol.rigid), before, after, chosen)


@frozen
class _Telling:
    """What a person is shown: what the step and the sentence speak of, with names."""

    found: Counterexample
    _names: Mapping[tuple[type[Term], int], str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_names", dict(self._named()))

    def _named(self) -> Iterator[tuple[tuple[type[Term], int], str]]:
        scope = self.found.scope
        begins = (
            {scope.rigid[genesis.name](s): s for s in scope.domain(Shard)}
            if genesis.name in scope.rigid
            else {}
        )
        for sort in self.found.protocol.sorts:
            count = itertools.count()
            for value in scope.domain(sort):
                if issubclass(sort, Shard):
                    name = Topology.of(value + 1).shards[value]
                elif issubclass(sort, Header) and value in begins:
                    name = f"genesis:{Topology.of(begins[value] + 1).shards[begins[value]]}"
                else:
                    name = f"{sort.__name__[0].lower()}{next(count)}"
                yield (sort, value), name

    def name(self, sort: type[Term], value: int) -> str:
        return self._names.get((sort, value), str(value))

    def lines(self) -> Iterator[str]:
        """The whole story."""
        found, obligation = self.found, self.found.obligation
        spoken = symbols_of(obligation.goal, obligation.guard)
        if obligation.about is not None:
            spoken |= symbols_of(found.protocol.expand(obligation.about.body))
        yield from _entry("topology", self._topology())
        yield from _entry(
            "before",
            (
                self._fact(symbol, args, value)
                for (symbol, args), value in found.before.items()
                if symbol in spoken and (value != 0 or issubclass(symbol.sort, Entity))
            ),
        )
        if obligation.action is not None:
            parameters = ((p.head.name, self._chosen(p)) for p in obligation.action.parameters)
            yield from _entry(
                "step", [f"{obligation.action.name}({', '.join(f'{n} = {v}' for n, v in parameters)})"]
            )
            yield from _entry(
                "after",
                [
                    f"{self._fact(*cell, value)}{self._was(cell)}"
                    for cell, value in found.after.items()
                    if cell[0] in spoken
                ]
                or ["nothing that matters here is different"],
            )
        for i, line in enumerate(self._broken()):
            yield f"{'' if i else 'broken':<9} {line}"

    def _topology(self) -> Iterator[str]:
        for symbol in self.found.protocol.rigid:
            for args in self.found.scope.tuples(symbol.parameters):
                value = self.found.scope.rigid[symbol.name](*args)
                if symbol is not genesis and (value or not issubclass(symbol.sort, Bool)):
                    yield self._fact(symbol, args, value)

    def _fact(self, symbol: Symbol[Any, Any], args: tuple[int, ...], value: int) -> str:
        names = [self.name(type(p), a) for p, a in zip(symbol.parameters, args, strict=True)]
        title = symbol.name
        original = next((s for s, copy in self.found.protocol.remembers.items() if copy is symbol), None)
        cell = (
            f"{title}({', '.join(names)})"
            if original is None
            else (f"{original.name}({', '.join(names[1:])}) sealed in {names[0]}")
        )
        if issubclass(symbol.sort, Bool):
            return cell if value else f"not {cell}"
        return f"{cell} = {self.name(symbol.sort, value)}"

    def _was(self, cell: Cell) -> str:
        symbol = cell[0]
        return (
            ""
            if issubclass(symbol.sort, Bool)
            else f" (was {self.name(symbol.sort, self.found.before[cell])})"
        )

    def _chosen(self, variable: Term) -> str:
        return self.name(type(variable), self.found.chosen[variable.head])

    def _broken(self) -> Iterator[str]:
        obligation = self.found.obligation
        if obligation.about is None:
            yield obligation.name
            return
        where = ", ".join(f"{v.head.name} = {self._chosen(v)}" for v in obligation.about.variables)
        yield f"{obligation.about.name}{f' where {where}' if where else ''}"
        if obligation.about.doc:
            yield obligation.about.doc.partition("\n")[0]


def _entry(label: str, facts: Iterable[str]) -> Iterator[str]:
    """Facts in as few lines as they fit on; none is cut in two."""
    line = ""
    for fact in facts:
        if line and len(line) + len(fact) > WIDTH:
            yield f"{label:<9} {line},"
            label, line = "", ""
        line = f"{line}, {fact}" if line else fact
    yield f"{label:<9} {line}"
