"""
The legs of a tour: scopes that are small enough to walk everywhere, and that differ in what can meet in them.

One scope that has everything is too large for that. Two receipts that cross, three in one block, two
that come together from different shards, a second block after the first: each is a leg, and in each of
them every transition is taken. In all but the first, a shard is shown the headers only of those from
which something comes to it: what else it learns decides nothing there, and would double the worlds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import evolve, field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term
from shardproof_models.layers.deadlines import Time
from shardproof_models.layers.finality import instant_finality

from ..oracle import NEVER
from ..readings.scope import Scope
from ..readings.scopes import scope_of


@frozen(eq=False)
class Leg:
    """One scope, and what of it is walked on."""

    scope: Scope = field(repr=False)
    #: Whether shards are also shown headers of those from whom nothing comes to them.
    idle: bool = True
    #: Actions that do not happen in it.
    without: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """What a person would call it."""
        return self.scope.said or "this scope"


def _scope(protocol: Protocol, **sizes: int) -> Scope:
    """The plain scope, in which nothing expires that a shard sends of its own accord."""
    scope = scope_of(protocol, **sizes)
    if "deadline" not in scope.rigid:
        return scope
    own = [scope.rigid[name] for name in ("response", "onward") if name in scope.rigid]
    deadline = scope.rigid["deadline"]
    unhurried = {"deadline": lambda m: NEVER if any(is_own(m) for is_own in own) else deadline(m)}
    return evolve(scope, rigid={**scope.rigid, **unhurried})


#: Where receipts go: source and destination of each.
Ends = Sequence[tuple[int, int]]


def plain(protocol: Protocol, sizes: Mapping[str, int], *, idle: bool = True) -> Leg:
    """The plain scope of these sizes."""
    return Leg(_scope(protocol, **sizes), idle)


def between(
    protocol: Protocol, name: str, ends: Ends, sizes: Mapping[str, int], without: Sequence[str] = ()
) -> Leg:
    """A scope in which receipts go where `ends` says, and headers only where receipts go."""
    scope = _scope(protocol, receipts=len(ends), **sizes)
    rigid: dict[str, Callable[..., int]] = {
        **scope.rigid,
        "source": lambda m: ends[m][0],
        "destination": lambda m: ends[m][1],
        "payer": lambda m: ends[m][0],
        "payee": lambda m: ends[m][1],
        "acts_for": lambda m: ends[m][0],
        "homeward": lambda m: ends[m][1] < ends[m][0],
    }
    return _changed(scope, name, rigid, without)


def patient(protocol: Protocol, without: Sequence[str] = ()) -> Leg:
    """One receipt with time enough: to claim a header, to wait until nobody has objected, and to deliver."""
    scope = _scope(protocol, shards=2, receipts=1, headers=1)
    rigid = {**scope.rigid, "deadline": lambda _: PATIENCE, "key_deadline": lambda _: PATIENCE}
    return _changed(scope, "with time for a window", rigid, without, {Time: range(PATIENCE + 2)})


def worthless(protocol: Protocol, without: Sequence[str] = ()) -> Leg:
    """One receipt, and its answer if it has one, that carry nothing."""
    scope = _scope(protocol, shards=2, receipts=2, headers=1)
    return _changed(scope, "that carry nothing", {**scope.rigid, "amount": lambda _: 0}, without)


def _changed(
    scope: Scope,
    name: str,
    rigid: Mapping[str, Callable[..., int]],
    without: Sequence[str],
    sizes: Mapping[type[Term], int | range] | None = None,
) -> Leg:
    meaning = {symbol: rigid[symbol] for symbol in scope.rigid}
    said = f"{scope.said}: {name}"
    changed = evolve(scope, sizes={**scope.sizes, **(sizes or {})}, rigid=meaning, said=said)
    return Leg(changed, idle=False, without=frozenset(without))


#: A deadline that leaves time for a window of two, and a moment before and after it.
PATIENCE = 4

#: What does not happen in a slice: shards stay what they are, channels stay open, clocks stand still.
_SHARDING = ("split", "merge")
_CLOSING = ("close", "time_out_on_close")
_EXPIRING = ("tick", "time_out", "skip")

#: A receipt, its answer, and another on the same way as the first.
_THREE = ((0, 1), (1, 0), (0, 1))


def course(protocol: Protocol, sizes: Mapping[str, int], *, alone: bool = False) -> tuple[Leg, ...]:
    """
    The legs of the standard tour: the plain scope of these sizes, and, unless it is to be `alone`, what
    cannot meet in it.

    Where a stack is too rich to be walked at once, it is walked in slices, each without some of its
    actions; what is without an action is said with the leg.
    """
    if alone:
        return (plain(protocol, sizes),)
    names = {layer.name for layer in protocol.layers}
    if "resharding" in names:
        return (
            _slice(protocol, sizes, _SHARDING),
            worthless(protocol, _SHARDING),
            between(protocol, "a second on the same way", _THREE, {"shards": 2}, (*_SHARDING, "restart")),
            _slice(protocol, {**sizes, "receipts": 1}, ("merge", "restart")),
            _slice(protocol, {**sizes, "receipts": 1}, ("split", "restart")),
        )
    if "outcomes" in names:
        return (
            _slice(protocol, sizes, (*_EXPIRING, *_CLOSING)),
            _slice(protocol, {**sizes, "receipts": 1}, ()),
            _slice(protocol, sizes, (*_EXPIRING, "acknowledge", "restart")),
            _slice(protocol, sizes, (*_CLOSING, "restart")),
        )
    first = plain(protocol, sizes)
    if "bouncing" in names:
        second = between(protocol, "a second on the same way", _THREE, {"shards": 2}, ("restart",))
        return (first, patient(protocol), second) if "deadlines" in names else (first, second)
    if "deadlines" in names:
        # Clocks multiply the worlds, and nobody is told of an expiry.
        return (patient(protocol), _slice(protocol, sizes, ("tick",)))
    legs = [
        first,
        between(protocol, "three the same way", ((0, 1), (0, 1), (0, 1)), {"shards": 2}),
        between(protocol, "from two shards to one", ((0, 1), (2, 1)), {"shards": 3}),
        between(protocol, "a second block", ((0, 1),), {"shards": 2, "headers": 2}),
    ]
    if instant_finality in protocol.layers:
        # Without light clients and reorganisations there is room for more.
        legs.append(between(protocol, "a block for each", ((0, 1), (0, 1)), {"shards": 2, "headers": 2}))
    return tuple(legs)


def _slice(protocol: Protocol, sizes: Mapping[str, int], without: Sequence[str]) -> Leg:
    """The plain scope of these sizes, in which some things do not happen."""
    scope = _scope(protocol, **sizes)
    missing = [a.name for a in protocol.actions if a.name in without]
    said = f"{scope.said}: without {', '.join(missing)}" if missing else scope.said
    return Leg(evolve(scope, said=said), idle=False, without=frozenset(missing))
