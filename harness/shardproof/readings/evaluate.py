"""
The plain reading: terms are evaluated, one world at a time.

This is the reading that the others are compared with, so it is written to be obviously
right: one case per connective, no precomputation. The one that is fast is in `generated`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from attrs import field, frozen

from shardproof_models.language.actions import Action, Effect, Refusal, Write
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Binder, Literal, Op, Symbol, Term, Variable

from .scope import Layout, OutOfScope, Scope, Value, initial_of_open

#: One value for every cell, in the order of the layout: the canonical form of a world.
World = tuple[Value, ...]
Environment = Mapping[Variable, Value]


@frozen(eq=False)
class Stepped:
    """The attempt was accepted, and this is the world after it."""

    world: World


@frozen
class Declined:
    """The attempt was refused, by this clause."""

    refusal: Refusal


def digest(world: World) -> str:
    """A short name for a world: the same on every machine."""
    return hashlib.blake2b(",".join(map(str, world)).encode(), digest_size=8).hexdigest()


@frozen(eq=False)
class Evaluator:
    """A protocol at a finite scope, evaluated."""

    protocol: Protocol
    scope: Scope
    layout: Layout = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "layout", Layout(self.protocol, self.scope))

    def value(self, t: Term, world: World, env: Environment, after: World | None = None) -> Value:
        """What `t` is worth in `world`; `after` is the world that `next` looks at."""
        h = t.head
        if isinstance(h, Variable):
            return env[h]
        if isinstance(h, Literal):
            return h.value
        if isinstance(h, Symbol):
            args = tuple(self.value(a, world, env, after) for a in t.args)
            if h in self.layout.table:
                self.layout.place(h, args)
                return self.layout.table[h][args]
            return world[self.layout.index(h, args)]
        if isinstance(h, Binder):
            values = (
                self.value(
                    t.args[0],
                    world,
                    {**env, **{v.head: x for v, x in zip(h.variables, xs, strict=True)}},
                    after,
                )
                for xs in self.scope.tuples(h.variables)
            )
            return sum(values) if h.op is Op.SUM else int(all(values) if h.op is Op.FORALL else any(values))
        if h is Op.NEXT:
            if after is None:
                raise ValueError(f"only a step property looks ahead: {t}")
            return self.value(t.args[0], after, env)
        operands = (self.value(a, world, env, after) for a in t.args)  # lazy: and, or, implies short-circuit
        match h:
            case Op.AND:
                return int(all(operands))
            case Op.OR:
                return int(any(operands))
            case Op.NOT:
                return int(not next(operands))
            case Op.IMPLIES:
                return int(not next(operands) or bool(next(operands)))
            case Op.ITE:
                return self.value(t.args[1 if next(operands) else 2], world, env, after)
        left, right = operands
        match h:
            case Op.EQ:
                return int(left == right)
            case Op.LT:
                return int(left < right)
            case Op.LE:
                return int(left <= right)
            case Op.ADD:
                return left + right
            case Op.SUB:
                return left - right
        raise ValueError(f"not a term of a closed protocol: {t}")

    def initial(self) -> World:
        """The world before the first step."""
        values = []
        for symbol, args in self.layout.cells:
            env = {p.head: a for p, a in zip(symbol.parameters, args, strict=True)}
            body = symbol.body
            values.append(
                initial_of_open(self.scope, symbol) if body is None else int(self.value(body, (), env))
            )
        return tuple(values)

    def axioms_hold(self) -> bool:
        """Whether this scope's topology is one that the protocol speaks of."""
        return all(self.value(a, (), {}) for a in self.protocol.axioms)

    def instances(self) -> Iterator[tuple[Action, tuple[Value, ...]]]:
        """Everything that can be attempted, in one canonical order."""
        for action in self.protocol.actions:
            for args in self.scope.tuples(action.parameters):
                yield action, args

    def enabled(self, world: World) -> Iterator[tuple[Action, tuple[Value, ...], World]]:
        """Every attempt that is accepted in `world`, with the world after it, unless that is out of scope."""
        for action, args in self.instances():
            try:
                outcome = self.step(world, action, args)
            except OutOfScope:
                continue
            if isinstance(outcome, Stepped):
                yield action, args, outcome.world

    def step(self, world: World, action: Action, args: tuple[Value, ...]) -> Stepped | Declined:
        """What becomes of an attempt. Raises `OutOfScope` when a number leaves its range."""
        env = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
        for clause in action.clauses:
            if not self.value(clause.condition, world, env):
                return Declined(clause.refusal)
        return Stepped(self.effects(world, action, args))

    def effects(self, world: World, action: Action, args: tuple[Value, ...]) -> World:
        """The world after `action`, whether or not its guard holds."""
        env = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
        after = list(world)
        # Assignments first: what is added, is added to the new value.
        for effect in sorted(action.effects, key=lambda e: e.write is Write.ADD):
            for xs in self.scope.tuples(effect.each):
                inner = {**env, **{v.head: x for v, x in zip(effect.each, xs, strict=True)}}
                if self.value(effect.where, world, inner):
                    cell = self._cell(effect, world, inner)
                    value = int(self.value(effect.value, world, inner))
                    after[cell] = value if effect.write is Write.ASSIGN else after[cell] + value
        for cell, value in enumerate(after):
            if value not in self.scope.domain(self.layout.cells[cell][0].sort):
                symbol = self.layout.cells[cell][0]
                raise OutOfScope(symbol.name, symbol.sort.__name__)
        return tuple(after)

    def _cell(self, effect: Effect, world: World, env: Environment) -> int:
        return self.layout.index(effect.symbol, tuple(self.value(a, world, env) for a in effect.cell.args))

    def show(self, world: World) -> str:
        """The cells that differ from the initial world."""
        return " ".join(
            _cell_text(symbol, args, value)
            for (symbol, args), value, was in zip(self.layout.cells, world, self.initial(), strict=True)
            if value != was
        )


def _cell_text(symbol: Symbol[..., Term], args: tuple[Value, ...], value: Value) -> str:
    place = ", ".join(f"{type(p).__name__.lower()}{a}" for p, a in zip(symbol.parameters, args, strict=True))
    return f"{symbol.name}({place})={value}" if place else f"{symbol.name}={value}"
