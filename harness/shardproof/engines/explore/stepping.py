"""
Steps from world to world in Python, counted, and sentences about them.

A world is kept as one small number for each symbol, its rows being shared between worlds: most
steps change little. See `readings/generated.py` for rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.terms import Kind, Op, Symbol, subterms, symbols_of
from shardproof_properties.property import Property, Role

from ...coverage import GuardCoverage
from ...readings.evaluate import World
from ...readings.generated import Apply, Generated, Refuse
from ...readings.scope import OutOfScope, Value
from .answer import Cut
from .question import Question

#: For each symbol, the number of its rows among all rows that were seen of it.
Packed = tuple[int, ...]


@frozen(eq=False)
class Instance:
    """One attempt: an action with its arguments."""

    action: Action
    args: tuple[Value, ...]
    refuse: Refuse
    apply: Apply
    #: The symbols that the effects write, by index.
    written: tuple[int, ...]
    #: Where its attempts are counted: see `GuardCoverage.rows`.
    row: list[int]


@frozen(eq=False)
class Check:
    """
    A closed formula, remembered by the rows that it reads.

    `before` and `after` are the symbols that it reads in the world and in the next one. Most steps
    leave them alone, so most questions have been answered before.
    """

    property: Property
    holds: Callable[..., bool]
    before: Callable[[Packed], Any]
    after: Callable[[Packed], Any]
    known: dict[Any, bool] = field(factory=dict, init=False)


@define(eq=False)
class Stepping:
    """The steps of a protocol at a scope, and what was counted of them."""

    question: Question
    generated: Generated = field(init=False)
    guards: GuardCoverage = field(init=False)
    instances: list[Instance] = field(init=False)
    rows: list[list[list[Any]]] = field(init=False)
    numbers: list[dict[tuple[Any, ...], int]] = field(init=False)
    #: What left its range -> how many steps were cut.
    cut: dict[Cut, int] = field(factory=dict, init=False)
    #: As `cut`, where a property could not be evaluated.
    unread: set[Cut] = field(factory=set, init=False)

    def __attrs_post_init__(self) -> None:
        generated = self.generated = Generated(self.question.protocol, self.question.scope)
        self.guards = GuardCoverage(self.question.protocol.actions)
        self.instances = [
            Instance(
                action,
                args,
                generated.refusal[action.name],
                generated.apply[action.name],
                tuple(sorted({generated.index[e.symbol] for e in action.effects})),
                self.guards.rows[action.name],
            )
            for action, args in generated.instances
        ]
        self.rows = [[] for _ in generated.index]
        self.numbers = [{} for _ in generated.index]

    # ---- worlds -----------------------------------------------------------------------------------

    def initial(self) -> Packed:
        """The world before the first step."""
        return self._packed(self.generated.initial())

    def from_plain(self, world: World) -> Packed:
        """A world that the plain reading knows."""
        return self._packed(self.generated.from_plain(world))

    def plain(self, world: Packed) -> World:
        """The world as the plain reading knows it."""
        return self.generated.plain(self._unpacked(world))

    def _packed(self, world: list[list[Any]]) -> Packed:
        return tuple(self._number(i, rows) for i, rows in enumerate(world))

    def _number(self, index: int, rows: list[Any]) -> int:
        key = tuple(rows)
        known = self.numbers[index]
        if (number := known.get(key)) is None:
            number = known[key] = len(known)
            self.rows[index].append(rows)
        return number

    def _unpacked(self, world: Packed) -> list[list[Any]]:
        """The rows of a world. They are shared: copy those that you change."""
        return [rows[number] for rows, number in zip(self.rows, world, strict=True)]

    def successors(self, world: Packed) -> Iterator[tuple[Instance, Packed]]:
        """Each attempt that is accepted, and the world after it; all attempts are counted."""
        unpacked = self._unpacked(world)
        for instance in self.instances:
            try:
                if number := instance.refuse(unpacked, *instance.args):
                    instance.row[number << 1] += 1
                    continue
                changed = list(unpacked)
                for index in instance.written:
                    changed[index] = changed[index].copy()
                instance.apply(changed, *instance.args)
            except OutOfScope as cut:
                self.cut[cut.symbol, cut.sort] = self.cut.get((cut.symbol, cut.sort), 0) + 1
                # Neither enabled nor refused: it is beyond the scope.
                continue
            instance.row[1] += 1
            after = list(world)
            for index in instance.written:
                after[index] = self._number(index, changed[index])
            yield instance, tuple(after)

    # ---- sentences --------------------------------------------------------------------------------

    def check(self, property: Property) -> Check:
        """What `holds` answers about."""
        formula = self.question.protocol.expand(property.formula)
        later = [t for t in subterms(formula) if t.head is Op.NEXT]
        before, after = (self._indices(symbols_of(*terms)) for terms in ([formula], later))
        return Check(property, self.generated.check((), formula), _getter(before), _getter(after))

    def _indices(self, symbols: set[Symbol[Any, Any]]) -> tuple[int, ...]:
        return tuple(sorted(self.generated.index[s] for s in symbols if s.kind in (Kind.STATE, Kind.GHOST)))

    def holds(self, check: Check, world: Packed, after: Packed | None = None) -> bool:
        """Whether a sentence is true; one that leaves the scope is no violation, and no witness."""
        key = (check.before(world), None if after is None else check.after(after))
        if (known := check.known.get(key)) is None:
            try:
                known = check.holds(self._unpacked(world), None if after is None else self._unpacked(after))
            except OutOfScope as cut:
                self.unread.add((cut.symbol, cut.sort))
                known = check.property.role is not Role.WITNESS
            check.known[key] = known
        return known


def _getter(indices: tuple[int, ...]) -> Callable[[Packed], Any]:
    return itemgetter(*indices) if indices else _nothing


def _nothing(world: Packed) -> None:
    """What a formula without state reads of a world."""
