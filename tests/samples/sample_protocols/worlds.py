"""Worlds to compare readings on: any values in any cell, reachable or not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from shardproof.readings.evaluate import Declined, Evaluator, World
from shardproof.readings.generated import Generated
from shardproof.readings.scope import Layout, OutOfScope, Scope, Value
from shardproof.readings.scopes import scope_of
from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.stacks import STACKS, stack

from . import exercise

#: Every protocol that the readings are compared on.
PROTOCOLS = (*STACKS, "exercise")

#: One shard that does not exist yet is enough to take over: a second doubles the cells, and adds no action.
SIZES = {"everything": {"reserves": 1}}

#: What a reading says instead of a value when a number leaves the scope.
CUT = "out of scope"


def protocol_named(name: str) -> tuple[Protocol, Scope]:
    """A protocol of `PROTOCOLS` and a small scope of it."""
    if name == "exercise":
        return exercise.EXERCISE, exercise.scope()
    return stack(name), scope_of(stack(name), **SIZES.get(name, {}))


def random_world(layout: Layout, rng: random.Random) -> World:
    """A world that need not be reachable; crowded or nearly empty."""
    density = rng.choice((0.2, 0.5, 0.8))
    return tuple(
        rng.choice(domain) if rng.random() < density else domain[0]
        for domain in (layout.scope.domain(symbol.sort) for symbol, _ in layout.cells)
    )


def refused_by(evaluator: Evaluator, world: World, action: Action, args: tuple[Value, ...]) -> int | str:
    """The number of the clause that the plain reading refuses by, from 1; 0 if it accepts."""
    try:
        outcome = evaluator.step(world, action, args)
    except OutOfScope:
        # Either a clause or an effect left the scope: look at the clauses alone.
        outcome = None
    env = {p.head: a for p, a in zip(action.parameters, args, strict=True)}
    try:
        number = next(
            (i for i, c in enumerate(action.clauses, 1) if not evaluator.value(c.condition, world, env)),
            0,
        )
    except OutOfScope:
        return CUT
    if isinstance(outcome, Declined):
        assert number
        assert action.clauses[number - 1].refusal == outcome.refusal
    return number


def disagreements(
    evaluator: Evaluator,
    generated: Generated,
    world: World,
    instances: list[tuple[Action, tuple[Value, ...]]],
) -> Iterator[tuple[str, tuple[Value, ...], Any, Any]]:
    """Where the generated reading says something else than the plain one, of a guard or the world after."""
    rows = generated.from_plain(world)
    for action, args in instances:
        plain = refused_by(evaluator, world, action, args)
        try:
            fast: int | str = generated.refusal[action.name](rows, *args)
        except OutOfScope:
            fast = CUT
        if plain != fast:
            yield action.name, args, plain, fast
        try:
            expected: World | str = evaluator.effects(world, action, args)
        except OutOfScope:
            expected = CUT
        changed = generated.copy(rows)
        try:
            generated.apply[action.name](changed, *args)
            got: World | str = generated.plain(changed)
        except OutOfScope:
            got = CUT
        if expected != got:
            yield action.name, args, expected, got
    if generated.plain(rows) != world:
        yield "a guard changed the world", (), world, generated.plain(rows)


def instances_of(
    evaluator: Evaluator, rng: random.Random, count: int
) -> list[tuple[Action, tuple[Value, ...]]]:
    """Some attempts, and at least one of each action."""
    every = list(evaluator.instances())
    chosen = rng.sample(every, min(count, len(every)))
    for action in evaluator.protocol.actions:
        if not any(a is action for a, _ in chosen):
            chosen.append(rng.choice([i for i in every if i[0] is action]))
    return chosen
