"""
The fast reading in Python: functions generated from the protocol, for the fuzzing oracle and small searches.

The last parameter of a symbol is its column. A row of a relation is one Python integer, a bit
for each column; a row of another symbol is a tuple. So an effect "for each receipt" is a few
operations on whole rows, whatever the number of receipts; a header that remembers the state of
its shard shares its rows; and a world is a list of lists that is cheap to copy and to compare.

What is generated is short and readable: `Generated.source` is the text. It is compared with the
plain reading in `evaluate` on generated worlds, action by action.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from attrs import define, evolve, field, frozen

from shardproof_models.language.actions import Action, Effect, Write
from shardproof_models.language.protocol import Protocol
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
    substitute,
    subterms,
)

from .evaluate import Evaluator
from .evaluate import World as PlainWorld
from .scope import OutOfScope, Scope, Value, initial_of_open

#: For each state symbol its rows: an integer of bits for a relation, else a tuple of values.
World = list[list[Any]]
Refuse = Callable[..., int]
Apply = Callable[..., None]
Check = Callable[..., bool]

_INFIX = {Op.AND: "and", Op.OR: "or", Op.EQ: "==", Op.LT: "<", Op.LE: "<=", Op.ADD: "+", Op.SUB: "-"}


@define(eq=False)
class _Writer:
    """Writes terms as Python expressions over the rows of one world."""

    generated: Generated
    names: dict[Variable, str] = field(factory=dict)
    #: The Python name of the world that is read.
    world: str = "w"

    def _size(self, sort: type[Term]) -> int:
        return len(self.generated.scope.domain(sort))

    def _start(self, sort: type[Term]) -> int:
        return self.generated.scope.domain(sort).start

    def _offset(self, term: Term) -> str:
        start, text = self._start(type(term)), self.scalar(term)
        return f"({text} - {start})" if start else text

    def _place(self, symbol: Symbol[Any, Any], a: Term) -> str:
        """The position of an argument among the values of its sort."""
        if not self._may_leave(a):
            return self._offset(a)
        domain = self.generated.scope.domain(type(a))
        names = f"{symbol.name!r}, {type(a).__name__!r}"
        checked = f"in_range({self.scalar(a)}, {domain.start}, {domain.stop}, {names})"
        return f"({checked} - {domain.start})" if domain.start else checked

    def _may_leave(self, a: Term) -> bool:
        """Whether an argument is a number that might be out of range, so that the cell does not exist."""
        if not isinstance(a, Number) or isinstance(a.head, Variable):
            return False
        if isinstance(a.head, Literal):
            return a.head.value not in self.generated.scope.domain(type(a))
        return not (self.generated.bounded and isinstance(a.head, Symbol) and a.head.is_state)

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
            return f"rigid[{self.generated.rigid_index[symbol]}]"
        return f"{self.world}[{self.generated.index[symbol]}]"

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
            names[v.head] = _name(v.head, {**self.names, **names})
        return names

    def _loops(self, variables: Sequence[Term], names: dict[Variable, str]) -> str:
        return " ".join(f"for {names[v.head]} in {self.range(v)}" for v in variables)

    def range(self, v: Term) -> str:
        """The values of the sort of `v`."""
        domain = self.generated.scope.domain(type(v))
        return f"range({domain.start}, {domain.stop})" if domain.start else f"range({domain.stop})"

    # ---- whole rows ---------------------------------------------------------------------------

    def bitwise(self, v: Term, t: Term) -> bool:
        """Whether `mask` needs no loop over the values of `v`."""
        if self.partial(t):
            return False
        if not _mentions(t, v) or self._row_of(v, t) or self._inverse(v, t):
            return True
        return t.head in (Op.AND, Op.OR, Op.NOT, Op.IMPLIES) and all(self.bitwise(v, a) for a in t.args)

    def _row_of(self, v: Term, t: Term) -> bool:
        """Whether `t` is a cell of a relation whose column is `v`."""
        return (
            isinstance(t.head, Symbol)
            and issubclass(t.head.sort, Bool)
            and bool(t.args)
            and t.args[-1].head is v.head
            and not any(_mentions(a, v) for a in t.args[:-1])
        )

    def _inverse(self, v: Term, t: Term) -> tuple[Symbol[Any, Any] | None, Term] | None:
        """For `f(v) == x` or `v == x`, where x does not depend on v: f (or nothing) and x."""
        if t.head is not Op.EQ or isinstance(v, Number):
            # A number that `v` is compared with may be no value of `v` at all.
            return None
        for a, x in (t.args, t.args[::-1]):
            if _mentions(x, v):
                continue
            if a.head is v.head:
                return None, x
            if a.head in self.generated.inverses and a.args[0].head is v.head:
                return a.head, x
        return None

    def mask(self, v: Term, t: Term) -> str:
        """An integer with a bit for each value of `v` for which `t` holds."""
        full = (1 << self._size(type(v))) - 1
        if self.partial(t):
            return f"filtered({full}, lambda {self._bound(v)}: {self._at(v, t)})"
        if not _mentions(t, v):
            return str(full) if t is TRUE else f"({full} if {self.scalar(t)} else 0)"
        if self._row_of(v, t):
            return f"{self.rows(t.head)}[{self.row(t.head, t.args)}]"
        if found := self._inverse(v, t):
            symbol, x = found
            if symbol is None:
                return f"(1 << {self._offset(x)})"
            return f"inverse[{self.generated.inverses[symbol]}][{self._offset(x)}]"
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
        return _name(v.head, self.names)

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


def _mentions(t: Term, v: Term) -> bool:
    return any(s.head is v.head for s in subterms(t))


def _name(variable: Variable, taken: dict[Variable, str]) -> str:
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


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


@frozen(eq=False)
class Generated:
    """
    A protocol at a scope, as Python functions.

    With `bounded`, a number that leaves its range raises `OutOfScope`.
    """

    protocol: Protocol
    scope: Scope
    bounded: bool = True
    index: dict[Symbol[Any, Any], int] = field(init=False, factory=dict)
    rigid_index: dict[Symbol[Any, Any], int] = field(init=False, factory=dict)
    #: Rigid functions of one entity: for each value, the arguments that have it.
    inverses: dict[Symbol[Any, Any], int] = field(init=False, factory=dict)
    rigid: list[list[Any]] = field(init=False, factory=list)
    inverse: list[list[int]] = field(init=False, factory=list)
    source: str = field(init=False, default="")
    #: action name -> (world, *args) -> 0, or the number of the clause that refuses, from 1.
    refusal: dict[str, Refuse] = field(init=False, factory=dict)
    #: action name -> (world, *args): all effects, whether or not the guard holds; in place.
    apply: dict[str, Apply] = field(init=False, factory=dict)
    _namespace: dict[str, Any] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        self.index.update({s: i for i, s in enumerate(self.protocol.state)})
        self.rigid_index.update({s: i for i, s in enumerate(self.protocol.rigid)})
        for symbol in self.protocol.rigid:
            if len(symbol.parameters) == 1 and not issubclass(symbol.sort, Bool | Number):
                self.inverses[symbol] = len(self.inverses)
        self._fill_rigid()
        self._namespace.update(
            rigid=self.rigid,
            inverse=self.inverse,
            filtered=filtered,
            in_range=in_range,
            OutOfScope=OutOfScope,
        )
        text = "\n\n".join(itertools.chain(*(_action(self, a) for a in self.protocol.actions)))
        object.__setattr__(self, "source", text)
        self._run(text)
        for action in self.protocol.actions:
            self.refusal[action.name] = self._namespace[f"refusal_{action.name}"]
            self.apply[action.name] = self._namespace[f"apply_{action.name}"]

    def _run(self, text: str) -> None:
        exec(compile(text, f"<generated from {self.protocol.name}>", "exec"), self._namespace)

    def _fill_rigid(self) -> None:
        for symbol in self.protocol.rigid:
            read = self.scope.rigid[symbol.name]
            self.rigid.append(self._rows(symbol, partial(_at_arguments, read)))
        for symbol in self.inverses:
            # Not part of a world, and so neither shared nor compared: it may change in place.
            values = list(*self.rigid[self.rigid_index[symbol]])
            self.rigid[self.rigid_index[symbol]][0] = values
            column = [0] * len(self.scope.domain(symbol.sort))
            for place, value in enumerate(values):
                column[value] |= 1 << place
            self.inverse.append(column)

    def _rows(self, symbol: Symbol[Any, Any], read: Callable[[tuple[Value, ...]], Value]) -> list[Any]:
        *leading, column = symbol.parameters or (None,)
        columns = [()] if column is None else [(c,) for c in self.scope.domain(type(column))]
        rows: list[Any] = []
        for args in self.scope.tuples(tuple(leading) if column is not None else ()):
            values = [read((*args, *c)) for c in columns]
            rows.append(
                sum(1 << i for i, v in enumerate(values) if v)
                if issubclass(symbol.sort, Bool)
                else tuple(values)
            )
        return rows

    def set_rigid(self, symbol: Symbol[Any, Any], place: Value, value: Value) -> None:
        """Change a rigid function of one entity: the topology of a fuzzing run grows as it goes."""
        rows = self.rigid[self.rigid_index[symbol]]
        old = rows[0][place]
        rows[0][place] = value
        column = self.inverse[self.inverses[symbol]]
        column[old] &= ~(1 << place)
        column[value] |= 1 << place

    def initial(self) -> World:
        """The world before the first step."""
        plain = Evaluator(self.protocol, evolve(self.scope, rigid=self._current_rigid()))

        def value(symbol: Symbol[Any, Any], args: tuple[Value, ...]) -> Value:
            if symbol.body is None:
                return initial_of_open(self.scope, symbol.sort)
            if isinstance(symbol.body.head, Literal):
                return int(symbol.body.head.value)
            return int(
                plain.value(
                    symbol.body, (), {p.head: a for p, a in zip(symbol.parameters, args, strict=True)}
                )
            )

        return [self._initial_rows(s, value) for s in self.protocol.state]

    def _initial_rows(self, symbol: Symbol[Any, Any], value: Callable[..., Value]) -> list[Any]:
        if symbol.body is None or isinstance(symbol.body.head, Literal):
            # One constant row, shared: rows are immutable, and a large scope has many.
            columns = len(self.scope.domain(type(symbol.parameters[-1]))) if symbol.parameters else 1
            constant = value(symbol, ())
            row = (
                ((1 << columns) - 1 if constant else 0)
                if issubclass(symbol.sort, Bool)
                else (constant,) * columns
            )
            count = 1
            for p in symbol.parameters[:-1]:
                count *= len(self.scope.domain(type(p)))
            return [row] * count
        return self._rows(symbol, lambda args: value(symbol, args))

    def _current_rigid(self) -> dict[str, Callable[..., Value]]:
        return {
            s.name: (lambda *args, s=s: self._read(self.rigid[self.rigid_index[s]], s, args))
            for s in self.protocol.rigid
        }

    def _read(self, rows: list[Any], symbol: Symbol[Any, Any], args: tuple[Value, ...]) -> Value:
        row = 0
        for p, a in zip(symbol.parameters[:-1], args, strict=False):
            domain = self.scope.domain(type(p))
            row = row * len(domain) + a - domain.start
        column = args[-1] - self.scope.domain(type(symbol.parameters[-1])).start if args else 0
        return int(rows[row] >> column & 1) if issubclass(symbol.sort, Bool) else int(rows[row][column])

    def cell(self, world: World, symbol: Symbol[Any, Any], *args: Value) -> Value:
        """The value of one cell."""
        return self._read(world[self.index[symbol]], symbol, args)

    def plain(self, world: World) -> PlainWorld:
        """The canonical form of a world: what the plain reading calls one."""
        return tuple(
            self._read(world[self.index[s]], s, args)
            for s in self.protocol.state
            for args in self.scope.tuples(s.parameters)
        )

    def from_plain(self, plain: PlainWorld) -> World:
        """The inverse of `plain`."""
        values = iter(plain)
        return [self._rows(s, lambda _: next(values)) for s in self.protocol.state]

    def forget(self, world: World, start: World, masks: Mapping[type[Term], int]) -> None:
        """Every cell that mentions one of some entities (a mask for each sort) is as in `start` again."""
        for number, symbol in enumerate(self.protocol.state):
            rows, initial = world[number], start[number]
            *leading, column = [masks.get(type(p), 0) for p in symbol.parameters] or [0]
            if any(leading):
                self._forget_rows(symbol, rows, initial, leading)
            if column:
                for place, row in enumerate(rows):
                    if row is not initial[place]:
                        rows[place] = _restored(row, initial[place], column)

    def _forget_rows(
        self, symbol: Symbol[Any, Any], rows: list[Any], initial: list[Any], masks: list[int]
    ) -> None:
        sizes = [len(self.scope.domain(type(p))) for p in symbol.parameters[:-1]]
        first, rest = masks[0], masks[1:]
        stride = len(rows) // sizes[0]
        # Rows lie together by their first argument, which is what most of them are forgotten by.
        for index in bits(first):
            rows[index * stride : (index + 1) * stride] = initial[index * stride : (index + 1) * stride]
        if any(rest):
            for place, indices in enumerate(itertools.product(*map(range, sizes))):
                if any(m >> i & 1 for m, i in zip(rest, indices[1:], strict=True)):
                    rows[place] = initial[place]

    @staticmethod
    def copy(world: World) -> World:
        """An independent world: rows are immutable and shared."""
        return [rows.copy() for rows in world]

    @staticmethod
    def key(world: World) -> tuple[Any, ...]:
        """What two equal worlds share."""
        return tuple(map(tuple, world))

    def check(self, variables: tuple[Term, ...], body: Bool) -> Check:
        """A function (world, *values of the variables, after=None) that says whether a formula holds."""
        names = {v.head: f"x{i}" for i, v in enumerate(variables)}
        expression = _Writer(self, names).scalar(self.protocol.expand(body))
        parameters = ", ".join(("w", *names.values(), "after=None"))
        name = f"check_{len(self._namespace)}"
        self._run(f"def {name}({parameters}):\n    return bool({expression})")
        made: Check = self._namespace[name]
        return made

    @cached_property
    def instances(self) -> tuple[tuple[Action, tuple[Value, ...]], ...]:
        """Everything that can be attempted, in one canonical order."""
        return tuple((a, args) for a in self.protocol.actions for args in self.scope.tuples(a.parameters))


def _at_arguments(read: Callable[..., Value], args: tuple[Value, ...]) -> Value:
    return int(read(*args))


def _action(generated: Generated, action: Action) -> Iterator[str]:
    names: dict[Variable, str] = {}
    for p in action.parameters:
        names[p.head] = _name(p.head, names)
    write = _Writer(generated, names)
    parameters = ", ".join(("w", *(names[p.head] for p in action.parameters)))
    lines = [f"def refusal_{action.name}({parameters}):"]
    for number, clause in enumerate(action.clauses, 1):
        lines += [
            f"    # {clause.refusal}",
            f"    if not {write.scalar(clause.condition)}:",
            f"        return {number}",
        ]
    yield "\n".join([*lines, "    return 0"])
    # All effects happen at once: every value is read before any is written.
    reads: list[str] = []
    writes: list[str] = []
    written: set[Symbol[Any, Any]] = set()
    for number, effect in enumerate(sorted(action.effects, key=lambda e: e.write is Write.ADD)):
        alone = len(action.writes(effect.symbol)) == 1
        _effect(
            _Writer(generated, dict(names)),
            effect,
            number,
            reads,
            writes,
            bounded=generated.bounded and alone,
            first=effect.symbol not in written,
        )
        written.add(effect.symbol)
    writes += _bounds(write, action)
    yield "\n".join(
        [
            f"def apply_{action.name}({parameters}):",
            *(f"    {line}" for line in (*reads, *writes) or ("pass",)),
        ]
    )


def _bounds(write: _Writer, action: Action) -> Iterator[str]:
    """Lines that look for numbers out of range where several effects together make the new value."""
    for symbol in dict.fromkeys(e.symbol for e in action.effects):
        if write.generated.bounded and issubclass(symbol.sort, Number) and len(action.writes(symbol)) > 1:
            domain = write.generated.scope.domain(symbol.sort)
            yield f"for row in {write.rows(symbol)}:"
            yield f"    if not {domain.start} <= min(row) <= max(row) < {domain.stop}:"
            yield f"        raise {_out_of_scope(symbol)}"


def _out_of_scope(symbol: Symbol[Any, Any]) -> str:
    return f"OutOfScope({symbol.name!r}, {symbol.sort.__name__!r})"


def _effect(
    write: _Writer,
    effect: Effect,
    number: int,
    reads: list[str],
    writes: list[str],
    *,
    bounded: bool,
    first: bool,
) -> None:
    """Lines that read what `effect` needs, and lines that write it."""
    symbol, rows = effect.symbol, write.rows(effect.symbol)
    effect = _solved(effect)
    *leading, column = effect.cell.args or (None,)
    row_variable = column if column is not None and any(column.head is v.head for v in effect.each) else None
    whole_row = (
        row_variable is not None
        and effect.write is Write.ASSIGN
        and not any(_mentions(a, row_variable) for a in leading)
        and not write.partial(effect.value)
        and not write.partial(effect.cell)
        # The cells that such a row leaves alone are the old ones: they must not have been written before.
        and (first or effect.where is TRUE)
    )
    loops = [
        v for v in effect.each if not (whole_row and row_variable is not None and v.head is row_variable.head)
    ]
    reads.append(f"# {effect}")
    indent = ""
    if loops:
        reads.append(f"made{number} = []")
    for v in loops:
        write.names[v.head] = _name(v.head, write.names)
        reads.append(f"{indent}for {write.names[v.head]} in {write.range(v)}:")
        indent += "    "
    if whole_row and row_variable is not None:
        target = write.row(symbol, effect.cell.args)
        new = _whole_row(write, effect, row_variable, target, bounded=bounded)
        if loops:
            reads.append(f"{indent}made{number}.append(({target}, {new}))")
            writes += [f"for row, new in made{number}:", f"    {rows}[row] = new"]
        else:
            reads.append(f"row{number}, new{number} = {target}, {new}")
            writes.append(f"{rows}[row{number}] = new{number}")
        return
    where = "" if effect.where is TRUE else f"if {write.scalar(effect.where)}:"
    if where:
        if not loops:
            reads.append(f"made{number} = []")
        reads.append(f"{indent}{where}")
        indent += "    "
    within = (
        write.generated.scope.domain(symbol.sort) if bounded and issubclass(symbol.sort, Number) else None
    )
    place = f"{write.row(symbol, effect.cell.args)}, {write.column(symbol, effect.cell.args)}"
    if loops or where:
        reads.append(f"{indent}made{number}.append(({place}, {write.scalar(effect.value)}))")
        writes.append(f"for row, column, value in made{number}:")
        writes += [f"    {line}" for line in _point(effect, rows, "row", "column", "value", within)]
    else:
        reads.append(f"row{number}, column{number}, value{number} = {place}, {write.scalar(effect.value)}")
        writes += _point(effect, rows, f"row{number}", f"column{number}", f"value{number}", within)


def _point(effect: Effect, rows: str, row: str, column: str, value: str, within: range | None) -> list[str]:
    """Lines that write one cell, with a number that must be `within` a range."""
    sort = effect.symbol.sort
    if issubclass(sort, Bool):
        if isinstance(effect.value.head, Literal):
            return [
                f"{rows}[{row}] |= 1 << {column}"
                if effect.value.head.value
                else f"{rows}[{row}] &= ~(1 << {column})"
            ]
        return [
            f"{rows}[{row}] = {rows}[{row}] | 1 << {column} if {value} else {rows}[{row}] & ~(1 << {column})"
        ]
    lines = [f"old = {rows}[{row}]"]
    if effect.write is Write.ADD:
        lines.append(f"{value} += old[{column}]")
    if within is not None:
        lines += [
            f"if not {within.start} <= {value} < {within.stop}:",
            f"    raise {_out_of_scope(effect.symbol)}",
        ]
    return [*lines, f"{rows}[{row}] = old[:{column}] + ({value},) + old[{column} + 1:]"]


def _whole_row(write: _Writer, effect: Effect, v: Term, target: str, *, bounded: bool) -> str:
    """An expression for the new row, with index `target`, of a cell whose column is bound."""
    old = f"{write.rows(effect.symbol)}[{target}]"
    if issubclass(effect.symbol.sort, Bool):
        value = write.mask(v, effect.value)
        if effect.where is TRUE:
            return value
        where = write.mask(v, effect.where)
        if isinstance(effect.value.head, Literal):
            return f"{old} | {where}" if effect.value.head.value else f"{old} & ~{where}"
        return f"{old} & ~{where} | {value} & {where}"
    value_term, h = effect.value, effect.value.head
    if (
        effect.where is TRUE
        and isinstance(h, Symbol)
        and value_term.args
        and value_term.args[-1].head is v.head
        and not any(_mentions(a, v) for a in value_term.args[:-1])
    ):
        return f"{write.rows(h)}[{write.row(h, value_term.args)}]"
    name = _name(v.head, write.names)
    inner = evolve(write, names={**write.names, v.head: name})
    new = inner.scalar(value_term)
    if bounded and issubclass(effect.symbol.sort, Number):
        sort = effect.symbol.sort
        domain = write.generated.scope.domain(sort)
        new = f"in_range({new}, {domain.start}, {domain.stop}, {effect.symbol.name!r}, {sort.__name__!r})"
    if effect.where is not TRUE:
        new = f"{new} if {inner.scalar(effect.where)} else {inner.scalar(effect.cell)}"
    return f"tuple([{new} for {name} in {write.range(v)}])"


def _restored(row: Any, initial: Any, mask: int) -> Any:
    """`row`, with the columns in `mask` as in `initial`."""
    if isinstance(row, int):
        return row & ~mask | initial & mask
    values = list(row)
    for column in bits(mask):
        values[column] = initial[column]
    return tuple(values)


def in_range(value: int, start: int, stop: int, symbol: str, sort: str) -> int:
    """`value`, if it is in the range of its sort. Raises `OutOfScope`."""
    if not start <= value < stop:
        raise OutOfScope(symbol, sort)
    return value


def _solved(effect: Effect) -> Effect:
    """An effect over `d` where `d == x` is one at x: no loop over `d`."""
    conjuncts: tuple[Term, ...] = effect.where.args if effect.where.head is Op.AND else (effect.where,)
    for conjunct in conjuncts:
        if conjunct.head is not Op.EQ:
            continue
        for v, x in (conjunct.args, conjunct.args[::-1]):
            # A number may be compared with one that is out of range, and then there is no such cell.
            if isinstance(v, Number):
                continue
            if any(v.head is b.head for b in effect.each) and not any(_mentions(x, b) for b in effect.each):
                rest = all_of(*(c for c in conjuncts if c is not conjunct))  # type: ignore[arg-type]  # operands of & are Bool
                by = {v.head: x}
                return _solved(
                    evolve(
                        effect,
                        each=tuple(b for b in effect.each if b.head is not v.head),
                        where=substitute(rest, by),
                        cell=substitute(effect.cell, by),
                        value=substitute(effect.value, by),
                    )
                )
    return effect
