"""
Whether the world of the judge is the world of the model at a scope, cell by cell.

The judge of a run has slots for what is in flight, and the model has the entities of its scope. Seen
through the cast, one must be the other, or a transition was not exercised. A receipt that was
emitted again after a reorganisation is the same one to the model. Amounts are compared by what has
moved, since what users begin with is the system's business. What a block says in the name of other
shards, which no shard believes, is not compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from attrs import define, field, frozen

from shardproof_models.language.terms import Bool, Kind, Symbol
from shardproof_models.layers.exactly_once import Header, Key, Receipt, origin
from shardproof_models.layers.sequencing import Channel
from shardproof_models.layers.value import Amount

from ..lockstep import Lockstep
from ..oracle import FORGED, Oracle
from ..readings.rows import Rows
from .cast import Cast
from .graph import Graph, Instance
from .graph import Key as WorldKey

#: A world of a long tour is seen again and again; so many comparisons are kept.
KEPT_MAX = 400_000


#: Where a value is: its row, and its column there.
Spot = tuple[int, int]

#: How often each receipt was emitted, and which slot each header has.
Roles = tuple[Any, ...]


@frozen(eq=False)
class _Cell:
    """A cell of the model, and where the judge keeps the same."""

    said: str
    index: int
    row: int
    column: int
    #: Of a relation: rows are bits.
    binary: bool
    initial: int
    #: Without an initial value.
    open: bool
    #: Compared by what has moved.
    moved: bool
    judged: int
    #: Several, for a receipt that was emitted several times.
    places: tuple[Spot, ...]
    begun: int
    #: What the judge calls each value, where that is an entity.
    names: dict[int, int] | None


@define(eq=False)
class Agreement:
    """Compares the judge of a run with the worlds of a graph."""

    cast: Cast
    graph: Graph
    _compared: tuple[Symbol[Any, Any], ...] = field(init=False)
    _cells: dict[Symbol[Any, Any], tuple[tuple[int, ...], ...]] = field(init=False, factory=dict)
    _layouts: dict[Roles, tuple[_Cell, ...]] = field(init=False, factory=dict)
    _known: dict[Any, bool] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        generated = self.cast.generated
        self._compared = tuple(s for s in generated.protocol.state if s.kind is Kind.STATE)
        for s in self._compared:
            cells = tuple(generated.scope.tuples(s.parameters))
            self._cells[s] = tuple(c for c in cells if self._own(*c)) if s.name == "commits" else cells

    def _own(self, h: int, m: int) -> bool:
        return self.cast.rigid("origin", h) == self.cast.rigid("source", m)

    def places(self, oracle: Oracle) -> None:
        """
        Keep a place for everything that the judge has not met yet.

        A header remembers of a receipt that it was not emitted then; so there must be a receipt of
        which the judge can have been told that, and it must be this one when it is emitted.
        """
        scope, rigid = self.cast.generated.scope, self.cast.rigid
        count = len(scope.domain(Receipt))
        for slot in range(FORGED + 1, oracle.receipts):
            m = (slot - FORGED - 1) % count
            oracle.describe(slot, rigid("source", m), rigid("destination", m))
        for h in scope.domain(Header):
            if (number := self.cast.header(h)) >= 0:
                oracle.generated.set_rigid(origin, oracle.headers - 1 - number, rigid("origin", h))

    def expect(self, lock: Lockstep, instance: Instance) -> None:
        """What is emitted next takes the place that was kept for it."""
        m = self.cast.emits(instance)
        if m is None:
            return
        slot = self._slot(m, len(self.cast.numbers.get(m, ())))
        if slot in lock.free_receipts:
            lock.free_receipts.remove(slot)
            lock.free_receipts.append(slot)

    def _slot(self, m: int, turn: int) -> int:
        return FORGED + 1 + m + turn * len(self.cast.generated.scope.domain(Receipt))

    def holds(self, lock: Lockstep, node: int) -> bool:
        """Whether the judge stands where the model does at a world of the graph."""
        roles = self._roles(lock)
        key = (node, roles, lock.oracle.generated.key(lock.world))
        if (known := self._known.get(key)) is None:
            if len(self._known) >= KEPT_MAX:
                self._known.clear()
            known = self._known[key] = self._differs(lock, self.graph.worlds[node], roles) is None
        return known

    def difference(self, lock: Lockstep, node: int) -> str:
        """The first cell in which they differ, for people; empty if there is none."""
        return self._differs(lock, self.graph.worlds[node], self._roles(lock)) or ""

    def _roles(self, lock: Lockstep) -> Roles:
        turns = tuple((m, len(n)) for m, n in sorted(self.cast.numbers.items()))
        return turns, tuple((n, b.slot) for n, b in lock.headers.items())

    def _differs(self, lock: Lockstep, key: WorldKey, roles: Roles) -> str | None:
        world = lock.world
        for cell in self._layout(lock, roles):
            rows = key[cell.index]
            wanted = rows[cell.row] >> cell.column & 1 if cell.binary else rows[cell.row][cell.column]
            got: int = cell.begun
            mine = world[cell.judged]
            for row, column in cell.places:
                found = mine[row] >> column & 1 if cell.binary else mine[row][column]
                if cell.binary:
                    got = found if (row, column) == cell.places[0] else got | found
                elif found != cell.begun:
                    got = found
            if cell.open and wanted == cell.initial and got == cell.begun:
                # What has no initial value begins anywhere, and what nobody has sealed is anything.
                same = True
            elif cell.moved:
                same = wanted - cell.initial == got - cell.begun
            else:
                same = got == (wanted if cell.names is None else cell.names[wanted])
            if not same:
                return f"{cell.said}: {wanted} in the model, {got} for the judge"
        return None

    def _layout(self, lock: Lockstep, roles: Roles) -> tuple[_Cell, ...]:
        """Where the judge keeps each cell of the model, once it is known who plays what."""
        if (known := self._layouts.get(roles)) is not None:
            return known
        generated, judge = self.cast.generated, lock.oracle.generated
        start, made = generated.initial(), []
        sealed = {*generated.protocol.remembers.values()}
        for symbol in self._compared:
            index, judged = generated.index[symbol], judge.index[symbol]
            entity = symbol.sort in (Receipt, Key, Header, Channel)
            names = (
                {v: self._named(lock, symbol.sort, v)[-1] for v in generated.scope.domain(symbol.sort)}
                if entity
                else None
            )
            for args in self._cells[symbol]:
                choices = [
                    self._named(lock, type(p), v) for p, v in zip(symbol.parameters, args, strict=True)
                ]
                spots = tuple(_spot(judge, symbol, place) for place in itertools.product(*choices))
                row, column = _spot(generated, symbol, args)
                made.append(
                    _Cell(
                        f"{symbol.name}({', '.join(map(str, args))})",
                        index,
                        row,
                        column,
                        issubclass(symbol.sort, Bool),
                        generated.cell(start, symbol, *args),
                        symbol.body is None or symbol in sealed,
                        issubclass(symbol.sort, Amount),
                        judged,
                        spots,
                        _at(lock.oracle.start[judged], spots[-1], issubclass(symbol.sort, Bool)),
                        names,
                    )
                )
        self._layouts[roles] = tuple(made)
        return self._layouts[roles]

    def _named(self, lock: Lockstep, sort: type, value: int) -> Sequence[int]:
        """What the judge calls an entity of the scope: several, if it has met it several times."""
        cast, oracle = self.cast, lock.oracle
        if sort in (Receipt, Key):
            return [self._slot(value, turn) for turn in range(max(1, len(cast.numbers.get(value, ()))))]
        if sort is Header:
            number = cast.header(value)
            if number < 0:
                return [value]
            return [lock.headers[number].slot if number in lock.headers else oracle.headers - 1 - number]
        if sort is Channel:
            ends = cast.rigid("sender", value), cast.rigid("receiver", value)
            return [oracle.channel_of(*ends, 0)]
        return [value]


def _spot(rows: Rows, symbol: Symbol[Any, Any], args: tuple[int, ...]) -> Spot:
    """The row and the column of a cell."""
    if not symbol.parameters:
        return 0, 0
    row = 0
    domains = [rows.scope.domain(type(p)) for p in symbol.parameters]
    for domain, value in zip(domains[:-1], args, strict=False):
        row = row * len(domain) + value - domain.start
    return row, args[-1] - domains[-1].start


def _at(rows: list[Any], spot: Spot, binary: bool) -> int:  # what kind of rows these are
    row, column = spot
    return int(rows[row] >> column & 1) if binary else int(rows[row][column])
