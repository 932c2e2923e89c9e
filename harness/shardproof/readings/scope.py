"""
How big the world is: sizes of sorts, one interpretation of the rigid symbols, a place for every cell.

Entities of a sort are numbered from 0. A number sort has a range; where a search is bounded, a
number that would leave it cuts the step and the search says so: it is never a refusal.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Symbol, Term

Value = int


class OutOfScope(Exception):  # noqa: N818  # it is no error: a search counts it
    """A number left the range of its sort, at a cell of `symbol` or among its arguments."""

    def __init__(self, symbol: str, sort: str) -> None:
        super().__init__(f"{symbol} needs more {sort} than there are in this scope")
        self.symbol = symbol
        self.sort = sort


@frozen(eq=False)
class Scope:
    """
    Sizes of entity sorts, ranges of number sorts, and what the rigid symbols mean.

    Leave room for what must not happen: a second execution that is out of range is a step
    that is cut, and a search that cuts the violation finds nothing.
    """

    sizes: Mapping[type[Term], int | range]
    rigid: Mapping[str, Callable[..., Value]]
    #: What a person would call it, e.g. "2 shards, 2 receipts, 1 block a shard".
    said: str = ""
    #: Where state starts that has no initial value, by its name, if not where all the others do.
    openings: Mapping[str, Value] = field(factory=dict)

    def domain(self, sort: type[Term]) -> range:
        """The values of a sort."""
        if issubclass(sort, Bool):
            return range(2)
        size = self.sizes[sort]
        return size if isinstance(size, range) else range(size)

    def tuples(self, parameters: tuple[Term, ...]) -> Iterator[tuple[Value, ...]]:
        """All arguments for `parameters`, in one canonical order."""
        return itertools.product(*(self.domain(type(p)) for p in parameters))


@frozen(eq=False)
class Layout:
    """Every state cell has an index; every rigid cell has a value."""

    protocol: Protocol
    scope: Scope
    base: dict[Symbol[Any, Any], int] = field(init=False, factory=dict)
    table: dict[Symbol[Any, Any], dict[tuple[Value, ...], Value]] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        count = 0
        for symbol in self.protocol.state:
            self.base[symbol] = count
            count += math.prod(len(self.scope.domain(type(p))) for p in symbol.parameters)
        for symbol in self.protocol.rigid:
            read = self.scope.rigid[symbol.name]
            self.table[symbol] = {args: int(read(*args)) for args in self.scope.tuples(symbol.parameters)}

    @cached_property
    def cells(self) -> list[tuple[Symbol[Any, Any], tuple[Value, ...]]]:
        """The cells in order. There are too many to list where a scope is that of a long run."""
        return [(symbol, args) for symbol in self.base for args in self.scope.tuples(symbol.parameters)]

    def index(self, symbol: Symbol[Any, Any], args: tuple[Value, ...]) -> int:
        """Where the cell of `symbol` at `args` is. Raises `OutOfScope`."""
        return self.base[symbol] + self.place(symbol, args)

    def place(self, symbol: Symbol[Any, Any], args: tuple[Value, ...]) -> int:
        """Where `args` are among all arguments of `symbol`. Raises `OutOfScope`."""
        index = 0
        for parameter, value in zip(symbol.parameters, args, strict=True):
            domain = self.scope.domain(type(parameter))
            if value not in domain:
                raise OutOfScope(symbol.name, type(parameter).__name__)
            index = index * len(domain) + value - domain.start
        return index


def initial_of_open(scope: Scope, symbol: Symbol[Any, Any]) -> Value:
    """
    Where state starts that has no initial value: at its *last* value, unless the scope says otherwise.

    So "never written" differs from "the first one", and an effect that is forgotten is seen.
    """
    return scope.openings.get(symbol.name, scope.domain(symbol.sort)[-1])
