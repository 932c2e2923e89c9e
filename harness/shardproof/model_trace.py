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
from .model_instance import instance_of
from .readings.evaluate import Evaluator, World
from .readings.scope import Scope, Value
from .trace import ARGUMENTS, MODEL, SHARED, Search, Step, Trace, Violation

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
        MODEL,
        tuple(layer.name for layer in protocol.layers),
        teller.names.shards,
        property.name,
        property.id,
        property.because,
        tuple(told),
        teller.violation(property, before, world, max(len(told) - 1, 0)),
        search,
        shortest,
        instance=instance_of(teller.evaluator.layout, steps),
    )


@define(eq=False)
class Names:
    """Names of things in the order in which they come to be."""

    shards: tuple[str, ...]
    receipts: dict[Value, str] = field(factory=dict, init=False)
    headers: dict[Value, str] = field(factory=dict, init=False)
    _produced: int = field(default=0, init=False)

    @classmethod
    def within(cls, scope: Scope) -> Names:
        """Of the shards of a scope, and of nothing else yet."""
        return cls(Topology.of(len(scope.domain(Shard)) if Shard in scope.sizes else 0).shards)

    def take(self, action: Action, args: tuple[Value, ...]) -> None:
        """Give a name to what a step brings forth."""
        given = dict(zip((type(p) for p in action.parameters), args, strict=True))
        if action.name == "emit" and Receipt in given:
            self.receipts[given[Receipt]] = f"r{len(self.receipts)}"
        if action.name == "produce" and Header in given:
            # A protocol that lets a block be produced twice makes two blocks of it.
            self.headers[given[Header]] = f"h{self._produced}"
            self._produced += 1

    def receipt(self, m: Value, ends: tuple[Value, Value]) -> str:
        """The argument of a step that a receipt between `ends` is."""
        source, destination = (self.shards[end] for end in ends)
        return self.receipts.get(m) or f"forged:{source}>{destination}:{m}"

    def header(self, h: Value, action: Action) -> str:
        """The argument of `action` that a header is."""
        # A light client can be shown nothing at all; consensus cannot decide about it, so that is void.
        nobody = "null" if action.name in ("learn", "deliver") else f"h{self._produced}"
        return self.headers.get(h) or nobody


def is_in_the_format(protocol: Protocol, action: Action) -> bool:
    """Whether a step of `action` has the arguments that adapters know."""
    return exactly_once in protocol.layers and action.name in SHARED


@define(eq=False)
class _Teller:
    """Tells steps, and what is wrong with where they lead."""

    evaluator: Evaluator
    names: Names = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.names = Names.within(self.evaluator.scope)

    def step(self, before: World, after: World, action: Action, args: tuple[Value, ...]) -> Step:
        """One step, as it was taken in `before`."""
        self.names.take(action, args)
        given = dict(zip((type(p) for p in action.parameters), args, strict=True))
        env = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
        actor = "" if action.actor is None else self._shard(self.evaluator.value(action.actor, before, env))
        names = {p.head.name: self.name(type(p), a) for p, a in zip(action.parameters, args, strict=True)}
        if is_in_the_format(self.evaluator.protocol, action):
            # Besides what adapters know, whatever the layers have added, as how a callback ends.
            known = {p.head.name for p in action.parameters if type(p) in (Shard, Receipt, Header)}
            more = {name: said for name, said in names.items() if name not in known}
            names = {**self._arguments(before, action, given), **more}
        return Step(action.name, actor, names, "accepted", "", tuple(self._changes(before, after)))

    def _arguments(self, world: World, action: Action, given: dict[type[Term], Value]) -> dict[str, str]:
        m, h = given.get(Receipt), given.get(Header)
        known: dict[str, str] = {}
        if m is not None:
            known["receipt"] = self._receipt(m)
            known["to"] = self._shard(self._read("destination", world, m))
        if h is not None:
            known["header"] = self.names.header(h, action)
        if m is not None and h is not None:
            proved = m in self.names.receipts and h in self.names.headers and self._committed(world, h, m)
            known["evidence"] = f"{known['receipt']}@{known['header']}" if proved else "none"
        return {name: known[name] for name in ARGUMENTS[action.name] if name in known}

    def _committed(self, world: World, h: Value, m: Value) -> bool:
        # In another shard's name a header may commit to anything, but nobody made evidence of that.
        own = self._read("origin", world, h) == self._read("source", world, m)
        return own and bool(self._read("commits", world, h, m))

    def _receipt(self, m: Value) -> str:
        return self.names.receipt(m, (self._read("source", (), m), self._read("destination", (), m)))

    def _read(self, name: str, world: World, *args: Value) -> Value:
        symbol: Symbol[Any, Any] = next(s for s in self.evaluator.protocol.symbols if s.name == name)
        table = self.evaluator.layout.table
        return table[symbol][args] if symbol in table else world[self.evaluator.layout.index(symbol, args)]

    def _shard(self, value: Value) -> str:
        return self.names.shards[value]

    def name(self, sort: type[Term], value: Value) -> str:
        """What a person calls an element."""
        if issubclass(sort, Shard):
            return self._shard(value)
        if issubclass(sort, Receipt):
            return self.names.receipts.get(value) or f"a receipt that nobody emitted ({value})"
        if issubclass(sort, Header):
            return self.names.headers.get(value) or f"a header that nobody produced ({value})"
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
