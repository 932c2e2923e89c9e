"""
A path of the model, told as a trace.

A search of the model alone counts entities from 0; a trace has names that mean something to an
adapter as well: receipts in order of emission, headers in order of production. So a
counterexample that no implementation took part in can be shown, kept, and replayed on one. What
the adversary uses before it exists is a forged receipt, the null header, or no evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import define, field

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol, Term
from shardproof_models.layers.exactly_once import Header, Receipt, Shard, exactly_once, executions
from shardproof_properties.property import Property, Role

from .adapter import Topology
from .readings.evaluate import Evaluator, World
from .readings.scope import Scope, Value
from .trace import ARGUMENTS, SHARED, Search, Step, Trace, Violation

#: An action and the elements that it is taken with.
Taken = tuple[Action, tuple[Value, ...]]


def trace_of(
    protocol: Protocol,
    scope: Scope,
    steps: Sequence[Taken],
    property: Property,
    search: Search,
    *,
    shortest: str = "not established",
) -> Trace:
    """
    The trace of `steps` from the initial world, whatever the guards say, and how its end violates `property`.

    Raises `OutOfScope` if a step leaves the scope.
    """
    teller = _Teller(Evaluator(protocol, scope))
    before = world = teller.evaluator.initial()
    told = []
    for action, args in steps:
        before, world = world, teller.evaluator.effects(world, action, args)
        told.append(teller.step(before, world, action, args))
    return Trace(
        "model",
        tuple(layer.name for layer in protocol.layers),
        teller.shards,
        property.name,
        property.id,
        property.because,
        tuple(told),
        teller.violation(property, before, world, max(len(told) - 1, 0)),
        search,
        shortest,
    )


@define(eq=False)
class _Teller:
    """Names things in the order in which they come to be."""

    evaluator: Evaluator
    shards: tuple[str, ...] = field(init=False)
    receipts: dict[Value, str] = field(factory=dict, init=False)
    headers: dict[Value, str] = field(factory=dict, init=False)
    produced: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        scope = self.evaluator.scope
        self.shards = Topology.of(len(scope.domain(Shard)) if Shard in scope.sizes else 0).shards

    def step(self, before: World, after: World, action: Action, args: tuple[Value, ...]) -> Step:
        """One step, as it was taken in `before`."""
        given = dict(zip((type(p) for p in action.parameters), args, strict=True))
        if action.name == "emit" and Receipt in given:
            self.receipts[given[Receipt]] = f"r{len(self.receipts)}"
        if action.name == "produce" and Header in given:
            # A protocol that lets a block be produced twice makes two blocks of it.
            self.headers[given[Header]] = f"h{self.produced}"
            self.produced += 1
        env = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
        actor = "" if action.actor is None else self._shard(self.evaluator.value(action.actor, before, env))
        names = (
            self._arguments(before, action, given)
            if self._in_the_format(action)
            else {p.head.name: self.name(type(p), a) for p, a in zip(action.parameters, args, strict=True)}
        )
        return Step(action.name, actor, names, "accepted", "", tuple(self._changes(before, after)))

    def _in_the_format(self, action: Action) -> bool:
        return exactly_once in self.evaluator.protocol.layers and action.name in SHARED

    def _arguments(self, world: World, action: Action, given: dict[type[Term], Value]) -> dict[str, str]:
        m, h = given.get(Receipt), given.get(Header)
        known: dict[str, str] = {}
        if m is not None:
            known["receipt"] = self._receipt(m)
            known["to"] = self._shard(self._read("destination", world, m))
        if h is not None:
            known["header"] = self.headers.get(h) or self._unproduced(action)
        if m is not None and h is not None:
            proved = m in self.receipts and h in self.headers and self._committed(world, h, m)
            known["evidence"] = f"{known['receipt']}@{known['header']}" if proved else "none"
        return {name: known[name] for name in ARGUMENTS[action.name] if name in known}

    def _committed(self, world: World, h: Value, m: Value) -> bool:
        # In another shard's name a header may commit to anything, but nobody made evidence of that.
        own = self._read("origin", world, h) == self._read("source", world, m)
        return own and bool(self._read("commits", world, h, m))

    def _receipt(self, m: Value) -> str:
        if m in self.receipts:
            return self.receipts[m]
        source, destination = (self._shard(self._read(name, (), m)) for name in ("source", "destination"))
        return f"forged:{source}>{destination}:{m}"

    def _unproduced(self, action: Action) -> str:
        # A light client can be shown nothing at all; consensus cannot decide about it, so that is void.
        return "null" if action.name in ("learn", "deliver") else f"h{self.produced}"

    def _read(self, name: str, world: World, *args: Value) -> Value:
        symbol: Symbol[Any, Any] = next(s for s in self.evaluator.protocol.symbols if s.name == name)
        table = self.evaluator.layout.table
        return table[symbol][args] if symbol in table else world[self.evaluator.layout.index(symbol, args)]

    def _shard(self, value: Value) -> str:
        return self.shards[value]

    def name(self, sort: type[Term], value: Value) -> str:
        """What a person calls an element."""
        if issubclass(sort, Shard):
            return self._shard(value)
        if issubclass(sort, Receipt):
            return self.receipts.get(value) or f"a receipt that nobody emitted ({value})"
        if issubclass(sort, Header):
            return self.headers.get(value) or f"a header that nobody produced ({value})"
        return str(value)

    def _changes(self, before: World, after: World) -> Iterator[str]:
        for (symbol, args), old, new in zip(self.evaluator.layout.cells, before, after, strict=True):
            if symbol is executions and new > old:
                yield f"{self._shard(args[0])} executed {self._receipt(args[1])}"

    def violation(self, property: Property, before: World, after: World, step: int) -> Violation | None:
        """Where `property` is false: in the last world, or of the last step."""
        here, later = (before, after) if property.role is Role.STEP else (after, None)
        body = self.evaluator.protocol.expand(property.body)
        for values in self.evaluator.scope.tuples(property.variables):
            env = {v.head: x for v, x in zip(property.variables, values, strict=True)}
            if not self.evaluator.value(body, here, env, later):
                found = ", ".join(
                    f"{v.head.name} is {self.name(type(v), x)}"
                    for v, x in zip(property.variables, values, strict=True)
                )
                said = property.doc.partition("\n")[0] or property.name
                return Violation(
                    step, said, "not so" + (f" where {found}" if found else ""), differs=self._differs(after)
                )
        return None

    def _differs(self, world: World) -> str:
        """What has been executed: the fact that most sentences are about."""
        many = [
            f"{self._shard(args[0])} executed {self._receipt(args[1])} {value} times"
            for (symbol, args), value in zip(self.evaluator.layout.cells, world, strict=True)
            if symbol is executions and value > 1
        ]
        return "; ".join(many)
