"""
Worlds as rows: how the generated reading stores what a world consists of.

The last parameter of a symbol is its column. A row of a relation is one Python integer, a bit
for each column; a row of another symbol is a tuple. So an effect "for each receipt" is a few
operations on whole rows, whatever the number of receipts; a header that remembers the state of
its shard shares its rows; and a world is a list of lists that is cheap to copy and to compare.

Rigid symbols are stored alike, and for a function of one entity also its inverse: for each
value the arguments that have it, as bits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from attrs import evolve, field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Literal, Number, Symbol, Term, subterms

from .evaluate import Evaluator
from .evaluate import World as PlainWorld
from .scope import Scope, Value, initial_of_open

#: For each state symbol its rows: an integer of bits for a relation, else a tuple of values.
World = list[list[Any]]


@frozen(eq=False)
class Rows:
    """Where the cells of a protocol are, at a scope, and worlds made of them."""

    protocol: Protocol
    scope: Scope
    index: dict[Symbol[Any, Any], int] = field(init=False, factory=dict)
    rigid_index: dict[Symbol[Any, Any], int] = field(init=False, factory=dict)
    #: Rigid functions of one entity: for each value, the arguments that have it.
    inverses: dict[Symbol[Any, Any], int] = field(init=False, factory=dict)
    rigid: list[list[Any]] = field(init=False, factory=list)
    inverse: list[list[int]] = field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self.index.update({s: i for i, s in enumerate(self.protocol.state)})
        self.rigid_index.update({s: i for i, s in enumerate(self.protocol.rigid)})
        for symbol in self.protocol.rigid:
            if len(symbol.parameters) == 1 and not issubclass(symbol.sort, Bool | Number):
                self.inverses[symbol] = len(self.inverses)
        self._fill_rigid()

    def _fill_rigid(self) -> None:
        for symbol in self.protocol.rigid:
            read = self.scope.rigid[symbol.name]
            self.rigid.append(self._rows(symbol, partial(_at_arguments, read)))
        for symbol in self.inverses:
            # Not part of a world, and so neither shared nor compared: it may change in place.
            values: list[Value] = list(*self.rigid[self.rigid_index[symbol]])
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
            rows.append(_row(symbol, values))
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
                return initial_of_open(self.scope, symbol)
            if isinstance(symbol.body.head, Literal):
                return int(symbol.body.head.value)
            return int(
                plain.value(
                    symbol.body, (), {p.head: a for p, a in zip(symbol.parameters, args, strict=True)}
                )
            )

        return [self._initial_rows(s, value) for s in self.protocol.state]

    def _initial_rows(self, symbol: Symbol[Any, Any], value: Callable[..., Value]) -> list[Any]:
        """No more different rows than needed: they are immutable, and a large scope has many alike."""
        spoken = [t.head for t in subterms(symbol.body)] if symbol.body is not None else []
        leading = symbol.parameters[:-1]
        columns: list[tuple[Value, ...]] = [()]
        for p in symbol.parameters[-1:]:
            columns = [(c,) for c in self.scope.domain(type(p))]
        varies = any(p.head in spoken for p in symbol.parameters[-1:])

        def row(args: tuple[Value, ...]) -> Any:
            if varies:
                return _row(symbol, [value(symbol, (*args, *c)) for c in columns])
            return _uniform(symbol, value(symbol, (*args, *columns[0])), len(columns))

        matter = [p.head in spoken for p in leading]
        if not any(matter):
            domains = [self.scope.domain(type(p)) for p in leading]
            return [row(tuple(d.start for d in domains))] * math.prod(map(len, domains))
        made: dict[tuple[Value, ...], Any] = {}
        rows = []
        for args in self.scope.tuples(leading):
            mattering = tuple(itertools.compress(args, matter))
            if mattering not in made:
                made[mattering] = row(args)
            rows.append(made[mattering])
        return rows

    def _current_rigid(self) -> dict[str, Callable[..., Value]]:
        return {
            s.name: (lambda *args, s=s: self._read(self.rigid[self.rigid_index[s]], s, args))
            for s in self.protocol.rigid
        }

    def _read(self, rows: list[Any], symbol: Symbol[Any, Any], args: tuple[Value, ...]) -> Value:
        row, column = self.place(symbol, args)
        return int(rows[row] >> column & 1) if issubclass(symbol.sort, Bool) else int(rows[row][column])

    def place(self, symbol: Symbol[Any, Any], args: tuple[Value, ...]) -> tuple[int, int]:
        """The row and the column of a cell."""
        row = 0
        for p, a in zip(symbol.parameters[:-1], args, strict=False):
            domain = self.scope.domain(type(p))
            row = row * len(domain) + a - domain.start
        column = args[-1] - self.scope.domain(type(symbol.parameters[-1])).start if args else 0
        return row, column

    def cell(self, world: World, symbol: Symbol[Any, Any], *args: Value) -> Value:
        """The value of one cell."""
        return self._read(world[self.index[symbol]], symbol, args)

    def constant(self, symbol: Symbol[Any, Any], *args: Value) -> Value:
        """What a rigid symbol is worth."""
        return self._read(self.rigid[self.rigid_index[symbol]], symbol, args)

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


def _row(symbol: Symbol[Any, Any], values: Sequence[Value]) -> Any:
    """These values of its columns, as one row."""
    return sum(1 << i for i, v in enumerate(values) if v) if issubclass(symbol.sort, Bool) else tuple(values)


def _uniform(symbol: Symbol[Any, Any], value: Value, columns: int) -> Any:
    """The same value in every column, as one row."""
    if issubclass(symbol.sort, Bool):
        return (1 << columns) - 1 if value else 0
    return (value,) * columns


def _at_arguments(read: Callable[..., Value], args: tuple[Value, ...]) -> Value:
    return int(read(*args))


def _restored(row: Any, initial: Any, mask: int) -> Any:
    """`row`, with the columns in `mask` as in `initial`."""
    if isinstance(row, int):
        return row & ~mask | initial & mask
    values = list(row)
    for column in bits(mask):
        values[column] = initial[column]
    return tuple(values)


def bits(mask: int) -> Iterator[int]:
    """The positions of the bits that are set, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
