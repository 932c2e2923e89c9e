"""
The fast reading in Python: functions generated from the protocol, for the fuzzing oracle and small searches.

Worlds are rows (`rows.py`), terms are expressions over them (`writer.py`); here actions become
functions: one that says which clause refuses, one that makes all effects happen at once.

What is generated is short and readable: `Generated.source` is the text. It is compared with the
plain reading in `evaluate` on generated worlds, action by action.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from attrs import evolve, field, frozen

from shardproof_models.language.actions import Action, Effect, Write
from shardproof_models.language.terms import (
    TRUE,
    Bool,
    Literal,
    Number,
    Op,
    Symbol,
    Term,
    Variable,
    all_of,
    substitute,
)

from .rows import Rows
from .scope import OutOfScope, Value
from .writer import Writer, filtered, in_range, mentions, name_for, preimage

Refuse = Callable[..., int]
Apply = Callable[..., None]
Check = Callable[..., bool]


@frozen(eq=False)
class Generated(Rows):
    """
    A protocol at a scope, as Python functions.

    With `bounded`, a number that leaves its range raises `OutOfScope`.
    """

    bounded: bool = True
    source: str = field(init=False, default="")
    #: action name -> (world, *args) -> 0, or the number of the clause that refuses, from 1.
    refusal: dict[str, Refuse] = field(init=False, factory=dict)
    #: action name -> (world, *args): all effects, whether or not the guard holds; in place.
    apply: dict[str, Apply] = field(init=False, factory=dict)
    _namespace: dict[str, Any] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        self._namespace.update(
            rigid=self.rigid,
            inverse=self.inverse,
            filtered=filtered,
            preimage=preimage,
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

    def check(self, variables: tuple[Term, ...], body: Bool) -> Check:
        """A function (world, *values of the variables, after=None) that says whether a formula holds."""
        names = {v.head: f"x{i}" for i, v in enumerate(variables)}
        expression = Writer(self, self.bounded, names).scalar(self.protocol.expand(body))
        parameters = ", ".join(("w", *names.values(), "after=None"))
        name = f"check_{len(self._namespace)}"
        self._run(f"def {name}({parameters}):\n    return bool({expression})")
        made: Check = self._namespace[name]
        return made

    @cached_property
    def instances(self) -> tuple[tuple[Action, tuple[Value, ...]], ...]:
        """Everything that can be attempted, in one canonical order."""
        return tuple((a, args) for a in self.protocol.actions for args in self.scope.tuples(a.parameters))


def _action(generated: Generated, action: Action) -> Iterator[str]:
    names: dict[Variable, str] = {}
    for p in action.parameters:
        names[p.head] = name_for(p.head, names)
    write = Writer(generated, generated.bounded, names)
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
            Writer(generated, generated.bounded, dict(names)),
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


def _bounds(write: Writer, action: Action) -> Iterator[str]:
    """Lines that look for numbers out of range where several effects together make the new value."""
    for symbol in dict.fromkeys(e.symbol for e in action.effects):
        if write.bounded and issubclass(symbol.sort, Number) and len(action.writes(symbol)) > 1:
            domain = write.where.scope.domain(symbol.sort)
            yield f"for row in {write.rows(symbol)}:"
            yield f"    if not {domain.start} <= min(row) <= max(row) < {domain.stop}:"
            yield f"        raise {_out_of_scope(symbol)}"


def _out_of_scope(symbol: Symbol[Any, Any]) -> str:
    return f"OutOfScope({symbol.name!r}, {symbol.sort.__name__!r})"


def _effect(
    write: Writer,
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
        and not any(mentions(a, row_variable) for a in leading)
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
        write.names[v.head] = name_for(v.head, write.names)
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
    within = write.where.scope.domain(symbol.sort) if bounded and issubclass(symbol.sort, Number) else None
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


def _whole_row(write: Writer, effect: Effect, v: Term, target: str, *, bounded: bool) -> str:
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
        and not any(mentions(a, v) for a in value_term.args[:-1])
    ):
        row = f"{write.rows(h)}[{write.row(h, value_term.args)}]"
        # A rigid function with an inverse may change in place, so its row is no row of a world.
        return f"tuple({row})" if h in write.where.inverses else row
    name = name_for(v.head, write.names)
    inner = evolve(write, names={**write.names, v.head: name})
    new = inner.scalar(value_term)
    if bounded and issubclass(effect.symbol.sort, Number):
        sort = effect.symbol.sort
        domain = write.where.scope.domain(sort)
        new = f"in_range({new}, {domain.start}, {domain.stop}, {effect.symbol.name!r}, {sort.__name__!r})"
    if effect.where is not TRUE:
        new = f"{new} if {inner.scalar(effect.where)} else {inner.scalar(effect.cell)}"
    return f"tuple([{new} for {name} in {write.range(v)}])"


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
            if any(v.head is b.head for b in effect.each) and not any(mentions(x, b) for b in effect.each):
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
