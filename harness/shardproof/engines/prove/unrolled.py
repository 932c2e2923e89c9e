"""
The traces of a protocol in a small world, as one propositional formula.

One step is translated once, over the propositions of a world and of the next, and then
copied for each step of the trace by renaming. At every step one attempt is accepted; which
one, and from where to where receipts go, is for the solver to find. So a search covers
every trace of its length in every topology of its size, and an answer is a trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import z3
from attrs import define, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Symbol, Term, Variable

from ...readings.scope import Scope, initial_of_open
from ...readings.smt import Finite, Formula, Table, conj, disj, equal, given, negate

#: An action and the elements that it is taken with.
Taken = tuple[Action, tuple[int, ...]]


class GaveUpError(Exception):
    """The solver did not answer in its time."""

    def __init__(self, length: int) -> None:
        super().__init__(f"the solver gave up at {length} steps")
        self.length = length


@frozen(eq=False)
class Choice:
    """The proposition that this attempt is made."""

    made: Formula
    action: Action
    args: tuple[int, ...]


@frozen(eq=False)
class Path:
    """A trace that the solver found: its topology, its steps from the initial world."""

    scope: Scope
    steps: tuple[Taken, ...]


@define
class Unrolled:
    """All traces of a length, which grows by `extend`; where a step may be idle, all shorter ones too."""

    protocol: Protocol
    scope: Scope
    seed: int = 0
    timeout_ms: int = 10_000
    #: Whether a step may be left out, so that a trace of this length stands for every shorter one.
    idle: bool = False
    length: int = field(default=0, init=False)
    #: That some step is possible but for a number that would leave its range.
    cut: Formula = field(init=False)
    _say: Finite = field(init=False)
    _solver: Any = field(init=False)
    _choices: list[Choice] = field(factory=list, init=False)
    _step: Formula = field(init=False)
    #: The propositions of a world, those of the next, and the choices: what a copy renames.
    _names: tuple[list[Any], list[Any]] = field(init=False)
    _frames: list[list[Any]] = field(factory=list, init=False)
    _made: list[list[Any]] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._say = Finite(self.scope)
        # Propositional logic with cardinalities, by SAT.
        self._solver = z3.SolverFor("QF_FD")
        self._solver.set("timeout", self.timeout_ms)
        self._solver.set("random_seed", self.seed)
        for symbol in self.protocol.rigid:
            for args in self.scope.tuples(symbol.parameters):
                self._say.cell(symbol, args)
        start = list(self._initially())
        steps = list(self._transition())
        self._names = self._propositions()
        self._frames.append(self._names[0])
        self._add(conj((*start, *self._say.constraints)))
        self._step = conj((*steps, *self._say.constraints))

    def _add(self, formula: Formula) -> None:
        self._solver.add(formula)

    def _initially(self) -> Iterator[Formula]:
        yield from (self._say.holds(a, {}) for a in self.protocol.axioms)
        for symbol in self.protocol.state:
            for args in self.scope.tuples(symbol.parameters):
                value: Table = {initial_of_open(self.scope, symbol): True}
                if symbol.body is not None:
                    value = self._say.value(symbol.body, given(symbol.parameters, args))
                yield equal(self._say.cell(symbol, args), value)

    def _transition(self) -> Iterator[Formula]:
        """What a choice demands of the world, and makes of every cell; what nobody writes stays."""
        cut: list[Formula] = []
        writers: dict[tuple[Symbol[Any, Any], tuple[int, ...]], list[tuple[Formula, Table]]] = {}
        for action in self.protocol.actions:
            after = {s: _after(action, s) for s in dict.fromkeys(e.symbol for e in action.effects)}
            for args in self.scope.tuples(action.parameters):
                env = given(action.parameters, args)
                made = z3.Bool(f"{action.name}({','.join(map(str, args))})")
                guard = self._say.holds(action.guard, env)
                yield disj((negate(made), guard))
                self._choices.append(Choice(made, action, args))
                for symbol, (places, term) in after.items():
                    for cell in self.scope.tuples(symbol.parameters):
                        new = self._say.value(term, {**env, **given(places, cell)})
                        allowed = self.scope.domain(symbol.sort)
                        cut += [conj((guard, c)) for value, c in new.items() if value not in allowed]
                        if not _unchanged(new, self._say.cell(symbol, cell)):
                            writers.setdefault((symbol, cell), []).append((made, new))
        self.cut = disj(cut)
        for symbol in self.protocol.state:
            for cell in self.scope.tuples(symbol.parameters):
                now, then = self._say.cell(symbol, cell), self._say.cell(symbol, cell, 1)
                written = writers.get((symbol, cell), [])
                yield disj((*(made for made, _ in written), equal(then, now)))
                yield from (disj((negate(made), equal(then, new))) for made, new in written)

    def _propositions(self) -> tuple[list[Any], list[Any]]:
        now, then = [], []
        for (symbol, args, moment), table in self._say.cells.items():
            if symbol.is_state and moment == 0:
                later = self._say.cells[symbol, args, 1]
                pairs = [(table[v], later[v]) for v in ((1,) if issubclass(symbol.sort, Bool) else table)]
                now += [a for a, _ in pairs if a is not True]
                then += [b for _, b in pairs if b is not True]
        return now, then

    def extend(self) -> None:
        """One more step."""
        k = self.length
        self._frames.append([z3.Bool(f"{name}#{k + 1}") for name in self._names[0]])
        self._made.append([z3.Bool(f"{c.made}#{k}") for c in self._choices])
        self.length += 1
        self._add(self._copy(self._step, k))
        if len(self._made[k]) > 1:
            self._add(z3.AtMost(*self._made[k], 1))
        if not self.idle:
            self._add(disj(self._made[k]))
        elif k:
            # Who is idle is idle at the start: otherwise each trace would be found at every pace.
            self._add(disj((negate(disj(self._made[k - 1])), *self._made[k])))

    def _copy(self, formula: Formula, k: int) -> Formula:
        """`formula` about the step from world `k`, or about world `k`."""
        if isinstance(formula, bool):
            return formula
        pairs = list(zip(self._names[0], self._frames[k], strict=True))
        if k < self.length:
            pairs += zip(self._names[1], self._frames[k + 1], strict=True)
            pairs += zip((c.made for c in self._choices), self._made[k], strict=True)
        return z3.substitute(formula, *pairs)

    def translated(self, formula: Bool) -> Formula:
        """A closed formula about a world, or about a step, to be asked for at the end of a trace."""
        return self._say.holds(formula, {})

    def last(self, formula: Formula, *, step: bool = False) -> Formula:
        """`formula` about the last world, or about the last step."""
        return self._copy(formula, self.length - 1 if step else self.length)

    def taken(self, action: Action) -> Formula:
        """That `action` is taken at some step."""
        choices = [i for i, c in enumerate(self._choices) if c.action is action]
        return disj(made[i] for made in self._made for i in choices)

    def find(self, wanted: Formula) -> Path | None:
        """A trace with `wanted`, or None if there is none. Raises `GaveUpError`."""
        if wanted is False:
            return None
        self._solver.push()
        try:
            self._add(wanted)
            answer = self._solver.check()
            if answer == z3.unknown:
                raise GaveUpError(self.length)
            return self._path(self._solver.model()) if answer == z3.sat else None
        finally:
            self._solver.pop()

    def _path(self, assignment: Any) -> Path:
        steps = tuple(
            (c.action, c.args)
            for made in self._made
            for m, c in zip(made, self._choices, strict=True)
            if z3.is_true(assignment.eval(m))
        )
        return Path(self._say.read(assignment, self.protocol.rigid), steps)


def _after(action: Action, symbol: Symbol[Any, Any]) -> tuple[tuple[Term, ...], Term]:
    places = tuple(type(p)(Variable(p.head.name)) for p in symbol.parameters)
    return places, action.after(symbol(*places))


def _unchanged(new: Table, now: Table) -> bool:
    """Whether a cell is certainly what it was: the very same conditions."""
    return new.keys() == now.keys() and all(new[value] is now[value] for value in new)
