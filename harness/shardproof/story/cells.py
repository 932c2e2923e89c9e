"""
From cells of the model's world to facts: what is worth saying, of which shard, in which words.

Not said are copies: what a block remembers of its shard for a reorganisation; what a header says
in the name of others, which nobody believes; and what its parent says already.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any

from attrs import define, field

from shardproof_models.language.actions import Action, Effect
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Op, Symbol, Term, Variable
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard, origin
from shardproof_models.layers.finality import parent
from shardproof_models.layers.value import Account

from ..readings.generated import Check, Generated
from ..readings.rows import World, bits
from .chronicle import Chronicle
from .told import NOWHERE, Change, Fact

#: Columns that are compared at once.
_PIECE = 64

#: What a person calls an element of a sort.
Naming = Callable[[type[Term], int], str]


@define(eq=False)
class Cells:
    """The cells of a protocol at a scope, and how to speak of them."""

    protocol: Protocol
    generated: Generated
    start: World
    name: Naming
    #: What each symbol means that was spoken of.
    glossary: dict[str, str] = field(init=False, factory=dict)

    def changes(self, chronicle: Chronicle, sealed: int | None = None) -> Iterator[Change]:
        """What the step at hand has changed; `sealed` is the header that it produced."""
        symbols = list(self.generated.index)
        for place, row, old, new in chronicle.changed():
            symbol = symbols[place]
            if symbol in self._copies:
                continue
            columns: Iterable[int] = _columns(old, new)
            if sealed is not None and self._is_said_by(symbol, row, sealed):
                columns = self._news(chronicle, symbol, row, sealed, columns)
            for column in columns:
                args = self._args(symbol, row, column)
                base = _at(self.start[place][row], column)
                before, after = (self._fact(symbol, args, _at(x, column), base) for x in (old, new))
                if before != after:
                    yield Change(before, after)

    def beginning(self) -> Iterator[Fact]:
        """What holds before the first step, of what there is then: shards and their first headers."""
        scope = self.generated.scope
        shards = len(scope.domain(Shard)) if Shard in scope.sizes else 0
        for symbol, place in self.generated.index.items():
            if symbol in self._copies or {Receipt, Key} & {type(p) for p in symbol.parameters}:
                continue
            for row, values in enumerate(self.start[place]):
                for column in bits(values) if isinstance(values, int) else range(len(values)):
                    args, value = self._args(symbol, row, column), _at(values, column)
                    named = [(type(p), a) for p, a in zip(symbol.parameters, args, strict=True)]
                    if any(sort is Header and a >= shards for sort, a in (*named, (symbol.sort, value))):
                        continue
                    # No number is nothing to speak of; the first of the shards, or of headers, is something.
                    nothing = -1 if issubclass(symbol.sort, Shard | Header) else 0
                    if (fact := self._fact(symbol, args, value, nothing)) is not None:
                        yield fact

    @cached_property
    def _copies(self) -> frozenset[Symbol[Any, Any]]:
        return frozenset((*self.protocol.remembers.values(), *self.protocol.keeps.values()))

    def _args(self, symbol: Symbol[Any, Any], row: int, column: int) -> tuple[int, ...]:
        scope = self.generated.scope
        if not symbol.parameters:
            return ()
        *leading, last = symbol.parameters
        args: list[int] = []
        for p in reversed(leading):
            domain = scope.domain(type(p))
            row, place = divmod(row, len(domain))
            args.insert(0, domain.start + place)
        return (*args, scope.domain(type(last)).start + column)

    # ---- what a header says -----------------------------------------------------------------------

    def _is_said_by(self, symbol: Symbol[Any, Any], row: int, header: int) -> bool:
        """Whether a row is what a header says of something."""
        if len(symbol.parameters) < 2 or type(symbol.parameters[0]) is not Header:
            return False
        return row // self._rows_of_a_header(symbol) == header

    def _rows_of_a_header(self, symbol: Symbol[Any, Any]) -> int:
        return math.prod(len(self.generated.scope.domain(type(p))) for p in symbol.parameters[1:-1])

    def _news(
        self, chronicle: Chronicle, symbol: Symbol[Any, Any], row: int, header: int, columns: Iterable[int]
    ) -> Iterator[int]:
        """Of what a header that was just produced says: what is its own, and not as its parent says it."""
        rows, own = chronicle.world[self.generated.index[symbol]], self._of_its_own.get(symbol)
        said = None
        if parent in self.generated.index:
            older = self.generated.cell(chronicle.world, parent, header)
            said = rows[row + (older - header) * self._rows_of_a_header(symbol)]
        now = rows[row]
        if isinstance(now, int) and isinstance(said, int):
            columns = bits(now ^ said)
        before = chronicle.at(chronicle.step)
        for column in columns:
            if said is not None and _at(now, column) == _at(said, column):
                continue
            if own is None or own(before, *self._args(symbol, row, column)):
                yield column

    @cached_property
    def _of_its_own(self) -> dict[Symbol[Any, Any], Check]:
        """For what headers say freely of others: when it is of their own."""
        produce = next((a for a in self.protocol.actions if a.name == "produce"), None)
        if produce is None:
            return {}
        return {
            effect.symbol: self.generated.check((*produce.parameters, *effect.each), _antecedent(effect))
            for effect in produce.effects
            if effect.value.head is Op.IMPLIES and _plainly(effect.cell.args, produce, effect.each)
        }

    # ---- facts ------------------------------------------------------------------------------------

    def _fact(self, symbol: Symbol[Any, Any], args: tuple[int, ...], value: int, base: int) -> Fact | None:
        if value == base:
            return None
        if symbol.doc:
            self.glossary.setdefault(symbol.name, symbol.doc.split("\n")[0])
        at = self._home(symbol, args)
        about = [self.name(type(p), a) for p, a in zip(symbol.parameters, args, strict=True)]
        if about and about[0] == at and issubclass(type(symbol.parameters[0]), Shard | Account):
            del about[0]
        said = ("yes" if value else "no") if issubclass(symbol.sort, Bool) else self.name(symbol.sort, value)
        return Fact(at, symbol.name, tuple(about), said)

    def _home(self, symbol: Symbol[Any, Any], args: tuple[int, ...]) -> str:
        """The shard that keeps a cell; what is public belongs with the shard of its header."""
        by_sort = {type(p): a for p, a in zip(symbol.parameters, args, strict=True)}
        if isinstance(symbol.home, Term):
            value = self._value(
                symbol.home, {p.head: a for p, a in zip(symbol.parameters, args, strict=True)}
            )
            return NOWHERE if value is None else self.name(Shard, value)
        if Header in by_sort:
            return self.name(Shard, self._rigid(origin, by_sort[Header]))
        return self.name(Shard, by_sort[Shard]) if Shard in by_sort else NOWHERE

    def _value(self, term: Term, env: dict[Variable, int]) -> int | None:
        """Where a home is: at a parameter, or at rigid functions of one."""
        if isinstance(term.head, Variable):
            return env.get(term.head)
        if isinstance(term.head, Symbol) and len(term.args) == 1:
            inner = self._value(term.args[0], env)
            # An address is a shard, and stays where it is while shards split and merge.
            if inner is None or term.head not in self.generated.rigid_index:
                return inner
            return self._rigid(term.head, inner)
        return None

    def _rigid(self, symbol: Symbol[Any, Any], place: int) -> int:
        return int(self.generated.rigid[self.generated.rigid_index[symbol]][0][place])


def _antecedent(effect: Effect) -> Bool:
    condition: Bool = effect.value.args[0]  # type: ignore[assignment]  # of an implication
    return condition


def _plainly(args: tuple[Term, ...], produce: Action, each: tuple[Term, ...]) -> bool:
    """Whether a cell is named by what is given, in that order."""
    return [a.head for a in args] == [p.head for p in (*produce.parameters, *each)]


def _at(row: Any, column: int) -> int:
    return row >> column & 1 if isinstance(row, int) else int(row[column])


def _columns(old: Any, new: Any) -> Iterator[int]:
    """Where two rows differ."""
    if isinstance(old, int):
        yield from bits(old ^ new)
        return
    for start in range(0, len(old), _PIECE):
        # Piece by piece, because most of a long row is as it was.
        ours, theirs = old[start : start + _PIECE], new[start : start + _PIECE]
        if ours != theirs:
            yield from (start + i for i, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a != b)
