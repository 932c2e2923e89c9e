"""
Scopes in which something is as it is not in the plain topology.

There each receipt has a position, a link, an answer of its own, and money enough to be sent. What
keeps two apart that want the same is then never needed. With twins, the last receipt is like the
one before it, but for its key, and an account can pay for one of them. And there the first receipt
is always an outward one; with the ways turned round, it brings something home.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol
from shardproof_models.layers.escrow import homeward
from shardproof_models.layers.exactly_once import Key, Receipt, destination, key, source
from shardproof_models.layers.value import endowed, endowment

from .scope import Scope, Value

#: What tells two receipts apart that are the same otherwise.
OWN = (key.name,)

#: What accounts begin with, and what circulates at first.
MONEY = (endowment.name, endowed.name)


def with_twins(protocol: Protocol, scope: Scope) -> Scope:
    """`scope` with its last receipt like the one before."""
    last = scope.domain(Receipt)[-1]
    rigid = dict(scope.rigid)
    for symbol in protocol.rigid:
        if symbol.name in MONEY:
            rigid[symbol.name] = _at_most_one(scope.rigid[symbol.name])
        elif symbol.name not in OWN:
            rigid[symbol.name] = _as_its_twin(symbol, scope.rigid[symbol.name], last)
    return evolve(scope, rigid=rigid, said=f"{scope.said}, the last two receipts alike")


def turned_round(protocol: Protocol, scope: Scope) -> Scope:
    """`scope` with home at the other end: what went outward goes homeward, and the other way round."""
    if homeward not in protocol.symbols:
        return scope
    outward, ends = scope.rigid[homeward.name], (scope.rigid[source.name], scope.rigid[destination.name])

    def other(m: Value) -> Value:
        # A second hop is neither.
        return not outward(m) and ends[0](m) < ends[1](m)

    return evolve(scope, rigid={**scope.rigid, homeward.name: other}, said=f"{scope.said}, home at the other end")


def _as_its_twin(symbol: Symbol[Any, Any], read: Callable[..., Value], last: Value) -> Callable[..., Value]:
    places = [issubclass(type(p), Receipt | Key) for p in symbol.parameters]

    def twin(*args: Value) -> Value:
        return read(*(last - 1 if here and a == last else a for here, a in zip(places, args, strict=True)))

    return twin if any(places) else read


def _at_most_one(read: Callable[..., Value]) -> Callable[..., Value]:
    return lambda *args: min(read(*args), 1)
