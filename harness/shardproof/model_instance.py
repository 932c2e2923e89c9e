"""
What a trace of the model alone was taken in, as data: how many there are of everything, what never changes.

The steps of the core protocol say that themselves: who emitted what to whom, and which block came of
whom. Where layers have more to a receipt than its ends, where an action is taken with more than
names, or where two names would stand for one thing, a trace has an `Instance` besides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from attrs import evolve

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Entity, Number, Symbol, Term
from shardproof_models.layers.exactly_once import (
    Count,
    Header,
    Key,
    Receipt,
    Shard,
    destination,
    exactly_once,
    genesis,
    key,
    origin,
    source,
)
from shardproof_models.layers.finality import Height

from .errors import TraceError
from .readings.evaluate import Evaluator
from .readings.scope import Layout, Scope, Value
from .trace import SHARED, Extent, Instance

#: The cells of a world, and those of what never changes, of the largest instance that is looked at.
CELLS_MAX = 100_000

#: What the steps of the core protocol say of everything in them.
SAID = frozenset({source, destination, key, origin, genesis})
_COUNTED = frozenset({Shard, Receipt, Key, Header, Count, Height})
_NAMED = frozenset({Shard, Receipt, Header})

Steps = Sequence[tuple[Action, tuple[Value, ...]]]


def instance_of(layout: Layout, steps: Steps) -> Instance | None:
    """The instance in which `steps` were taken; nothing where they say it themselves."""
    protocol, scope = layout.protocol, layout.scope
    if _is_core(layout) and _are_plain(layout, steps):
        return None
    extents = {
        name: Extent(scope.domain(sort).start, len(scope.domain(sort)))
        for name, sort in _sorts(protocol).items()
        if sort in scope.sizes
    }
    return Instance(
        extents,
        {symbol.name: tuple(values.values()) for symbol, values in layout.table.items()},
        tuple(
            {p.head.name: int(a) for p, a in zip(action.parameters, args, strict=True)}
            for action, args in steps
        ),
        {s.name: scope.openings[s.name] for s in protocol.state if s.name in scope.openings},
    )


def _sorts(protocol: Protocol) -> dict[str, type[Term]]:
    """Every sort that a protocol speaks of, by name, but for truth values."""
    of_symbols = chain.from_iterable((*map(type, s.parameters), s.sort) for s in protocol.symbols)
    of_actions = (type(p) for action in protocol.actions for p in action.parameters)
    sorts: Iterator[type[Term]] = chain(of_symbols, of_actions)
    return {sort.__name__: sort for sort in sorts if not issubclass(sort, Bool)}


# ---- what steps say themselves -------------------------------------------------------------------


def _is_core(layout: Layout) -> bool:
    """Whether the ends of receipts and the origins of headers are all that can differ."""
    protocol = layout.protocol
    if exactly_once not in protocol.layers or layout.scope.openings:
        return False
    if not {*protocol.rigid} <= SAID or not {*_sorts(protocol).values()} <= _COUNTED:
        return False
    keys = layout.table[key].values()
    return len({*keys}) == len(keys) and all(layout.table[genesis][s,] == s for (s,) in layout.table[genesis])


def _are_plain(layout: Layout, steps: Steps) -> bool:
    """Whether each name in the steps stands for one thing, from the first time to the last."""
    emitted: set[Value] = set()
    produced: set[Value] = set()
    met: set[tuple[type[Term], Value]] = set()
    #: What stands in for the header of no block, in the name of each shard.
    void: dict[Value, Value] = {}
    for action, args in steps:
        sorts = [type(p) for p in action.parameters]
        if action.name not in SHARED or not {*sorts} <= _NAMED or len({*sorts}) < len(sorts):
            return False
        given = dict(zip(sorts, args, strict=True))
        m, h = given.get(Receipt), given.get(Header)
        if action.name == "emit" and m is not None:
            if (Receipt, m) in met:
                return False
            emitted.add(m)
        if action.name == "produce" and h is not None:
            if (Header, h) in met:
                return False
            produced.add(h)
        if h is not None and h not in produced:
            whose = given.get(Shard) if m is None else layout.table[source][m,]
            if action.name not in ("learn", "deliver") or h in layout.table[genesis].values():
                return False
            if layout.table[origin][h,] != whose or void.setdefault(whose, h) != h:
                return False
        met.update(given.items())
    return True


# ---- reading -------------------------------------------------------------------------------------


def scope_of(instance: Instance, protocol: Protocol) -> Scope:
    """The scope that an instance describes. Raises `TraceError` where it is none of `protocol`."""
    sizes = {sort: _extent(instance, name, sort) for name, sort in _sorts(protocol).items()}
    empty = Scope(sizes, {}, "what the trace says there is")
    _must_be_small(protocol, empty)
    rigid = {symbol.name: _table(instance, empty, symbol) for symbol in protocol.rigid}
    for name, value in instance.openings.items():
        symbol = next((s for s in protocol.state if s.name == name and s.body is None), None)
        if symbol is None or value not in empty.domain(symbol.sort):
            raise TraceError(f"no state of this protocol begins as {name!r} = {value}")
    scope = evolve(empty, rigid=rigid, openings=instance.openings)
    if not Evaluator(protocol, scope).axioms_hold():
        raise TraceError("what the trace says never changes is not as the protocol assumes it to be")
    return scope


def _extent(instance: Instance, name: str, sort: type[Term]) -> int | range:
    if name not in instance.sorts:
        raise TraceError(f"the trace does not say how many of {name} there are")
    extent = instance.sorts[name]
    if not issubclass(sort, Entity):
        return range(extent.first, extent.first + extent.size)
    if extent.first != 0:
        raise TraceError(f"the trace does not count {name} from 0", got=str(extent.first))
    return extent.size


def _must_be_small(protocol: Protocol, scope: Scope) -> None:
    cells = sum(_places(scope, symbol) for symbol in (*protocol.state, *protocol.rigid))
    if cells > CELLS_MAX:
        raise TraceError(
            "what the trace says there is, is too much to be run on the model alone",
            expected=f"a world of at most {CELLS_MAX:,} cells",
            got=f"{cells:,} cells",
        )


def _places(scope: Scope, symbol: Symbol[..., Term]) -> int:
    return math.prod(len(scope.domain(type(p))) for p in symbol.parameters)


def _table(instance: Instance, scope: Scope, symbol: Symbol[..., Term]) -> Callable[..., Value]:
    """What the instance says a rigid symbol is worth."""
    if symbol.name not in instance.rigid:
        raise TraceError(f"the trace does not say what {symbol.name} is")
    values, places = instance.rigid[symbol.name], _places(scope, symbol)
    if len(values) != places:
        raise TraceError(
            f"the trace does not say what {symbol.name} is of everything",
            expected=f"{places:,} values",
            got=f"{len(values):,}",
        )
    allowed = scope.domain(symbol.sort)
    # A deadline may be later than any time that comes; of what is counted from 0, there is no more.
    if not issubclass(symbol.sort, Number) and (wrong := [v for v in values if v not in allowed]):
        raise TraceError(
            f"the trace says that {symbol.name} is what there is none of",
            expected=f"{allowed.start} to {allowed.stop - 1}, as {symbol.sort.__name__} goes",
            got=str(wrong[0]),
        )
    table = dict(zip(scope.tuples(symbol.parameters), values, strict=True))
    return lambda *args: table[args]


def arguments(instance: Instance, scope: Scope, action: Action, index: int) -> tuple[Value, ...]:
    """What step `index` takes `action` with. Raises `TraceError`."""
    given = instance.taken[index]
    for p in action.parameters:
        name = p.head.name
        if name not in given:
            raise TraceError(f"step {index + 1} does not say what {name} of {action.name} is")
        if given[name] not in scope.domain(type(p)):
            raise TraceError(
                f"step {index + 1}: there is no such {type(p).__name__} as {name} of {action.name}",
                got=str(given[name]),
            )
    return tuple(given[p.head.name] for p in action.parameters)
