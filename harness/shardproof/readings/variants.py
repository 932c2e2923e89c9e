"""
Scopes in which something is as it never is in the plain topology.

There each receipt has a position, a link and an answer of its own, money enough to be sent, and
speaks in its own name; the first goes outward, and a second hop neither outward nor home. What
keeps two apart that want the same, or asks what is always so, is never needed there. Each variant
makes a few of these untrue.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol
from shardproof_models.layers.deadlines import deadline
from shardproof_models.layers.escrow import homeward
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard, destination, key, source
from shardproof_models.layers.expiring import key_deadline
from shardproof_models.layers.pruning import key_sequence
from shardproof_models.layers.sequencing import sequence
from shardproof_models.layers.trust import acts_for, announces
from shardproof_models.layers.value import amount, endowed, endowment

from .scope import Scope, Value
from .scopes import MADE_UP

Read = Callable[..., Value]
#: What a rigid symbol means, from what it meant.
Other = Callable[[Read], Read]


def twins(protocol: Protocol, scope: Scope) -> Scope:
    """
    The last receipt is like the one before, but speaks for another; accounts can pay for one of them.

    And the copies of what was never written begin as something else than what they are copies of.
    """
    last, source_of, destination_of = _last(scope), *_ends(scope)
    others: dict[Symbol[Any, Any], Other] = {s: _as_its_twin(s, last) for s in protocol.rigid if s is not key}
    others |= dict.fromkeys((endowment, endowed), _at_most_one)
    others[acts_for] = lambda _: lambda m: destination_of(last - 1) if m == last else source_of(m)
    copies = (copy for copy in protocol.remembers.values() if copy.body is None)
    openings = {copy.name: scope.domain(copy.sort)[0] for copy in copies}
    return evolve(_changed(scope, others, "the last two receipts alike"), openings=openings)


def dear(_: Protocol, scope: Scope) -> Scope:
    """The last receipt carries more than anybody has."""
    last = _last(scope)

    def more(read: Read) -> Read:
        return lambda m: read(m) + 1 if m == last else read(m)

    others: dict[Symbol[Any, Any], Other]
    others = {amount: more, endowment: _at_most_one, endowed: _at_most_one}
    return _changed(scope, others, "the last one dear")


def turned_round(_: Protocol, scope: Scope) -> Scope:
    """Home is at the other end, and of the last two receipts on a channel the last one comes first."""
    last, source_of, destination_of = _last(scope), *_ends(scope)
    shared = [m for m in scope.domain(Receipt)[:-1] if all(end(m) == end(last) for end in _ends(scope))]
    places = {shared[-1]: last, last: shared[-1]} if shared else {}

    def swapped(read: Read) -> Read:
        return lambda m: read(places.get(m, m))

    def at_the_other_end(read: Read) -> Read:
        # A second hop is neither outward nor homeward.
        return lambda m: not read(m) and source_of(m) < destination_of(m)

    others: dict[Symbol[Any, Any], Other]
    others = {homeward: at_the_other_end, sequence: swapped, key_sequence: swapped}
    return _changed(scope, others, "home at the other end")


def all_home(_: Protocol, scope: Scope) -> Scope:
    """Second hops may bring something home, too."""
    source_of, destination_of = _ends(scope)
    return _changed(
        scope, {homeward: lambda _: lambda m: destination_of(m) < source_of(m)}, "second hops homeward"
    )


def brought_home(_: Protocol, scope: Scope) -> Scope:
    """
    The first receipt brings home what the last one has taken away, which comes before it on their channel.

    There is time for that; only the second, which is a second hop where there are any, expires soon.
    """
    last = _last(scope)

    def in_turn(read: Read) -> Read:
        return lambda x: read((x + 1) % (last + 1)) if x <= last else read(x)

    def later(read: Read) -> Read:
        return lambda x: read(x) if x == 1 else read(x) + 3

    others: dict[Symbol[Any, Any], Other] = {homeward: lambda _: lambda m: m == 0}
    others |= dict.fromkeys((sequence, key_sequence), in_turn)
    others |= dict.fromkeys((deadline, key_deadline), later)
    return _changed(scope, others, "the first homeward")


def impostors(_: Protocol, scope: Scope) -> Scope:
    """The last block of each chain announces validators that nobody has elected."""
    last = len(scope.domain(Header)) - len(scope.domain(Shard))
    others: dict[Symbol[Any, Any], Other]
    others = {announces: lambda read: lambda h: read(h) if h < last else MADE_UP}
    return _changed(scope, others, "the last of each made up")


VARIANTS: Mapping[str, Callable[[Protocol, Scope], Scope]] = {
    "twins": twins,
    "dear": dear,
    "turned round": turned_round,
    "all home": all_home,
    "brought home": brought_home,
    "impostors": impostors,
}


def _changed(scope: Scope, others: Mapping[Symbol[Any, Any], Other], said: str) -> Scope:
    by_name = {symbol.name: other for symbol, other in others.items()}
    rigid = {name: by_name[name](read) if name in by_name else read for name, read in scope.rigid.items()}
    return evolve(scope, rigid=rigid, said=f"{scope.said}, {said}")


def _ends(scope: Scope) -> tuple[Read, Read]:
    return scope.rigid[source.name], scope.rigid[destination.name]


def _last(scope: Scope) -> Value:
    return scope.domain(Receipt)[-1]


def _as_its_twin(symbol: Symbol[Any, Any], last: Value) -> Other:
    places = [issubclass(type(p), Receipt | Key) for p in symbol.parameters]

    def other(read: Read) -> Read:
        def twin(*args: Value) -> Value:
            return read(
                *(last - 1 if here and a == last else a for here, a in zip(places, args, strict=True))
            )

        return twin

    return other


def _at_most_one(read: Read) -> Read:
    return lambda *args: min(read(*args), 1)
