"""
A protocol with a mistake by itself, where nothing can be compared: it has other state, or other actions.

Then only what is true of the mistake itself can be asked: whether some trace violates a property,
and whether an attempt is refused although the premise is true under which it must succeed.
"""

from __future__ import annotations

from collections.abc import Mapping

from shardproof_properties.property import Property

from ...readings.evaluate import Declined, Evaluator, Stepped
from .lockstep import How, Noticed, UnconfirmedError, confirm, is_true, places_of
from .worlds import UNKNOWN, Checks, Worlds


def first_violation(worlds: Worlds, checks: Checks, worlds_max: int | None = None) -> Noticed | None:
    """A shortest trace of a protocol to a violation, as far as its worlds go, or the first `worlds_max`."""
    if broken := checks.broken_in(worlds.found[0]):
        return Noticed(How.VIOLATION, broken, broken.name, ())
    depth = looked = 0
    while level := worlds.level(depth):
        for world in level:
            looked += 1
            if worlds_max is not None and looked > worlds_max:
                return None
            for i, successor in worlds.successors[world].items():
                new = worlds.came_from[successor] == (world, i)
                before, after = worlds.found[world], worlds.found[successor]
                if broken := checks.broken_by(before, after) or (checks.broken_in(after) if new else None):
                    found = Noticed(How.VIOLATION, broken, broken.name, worlds.path(world, i))
                    confirm(worlds, worlds.protocol, found)
                    return found
        depth += 1
    return None


def first_broken_promise(worlds: Worlds, promised: Mapping[str, tuple[Property, ...]]) -> Noticed | None:
    """A shortest trace to a refusal of what some property promises, by the names of actions, to succeed."""
    asked = [
        (i, p, worlds.generated.check(p.variables, p.body), [attempt.args[k] for k in places])
        for i, attempt in enumerate(worlds.attempts)
        for p in promised.get(attempt.action.name, ())
        if worlds.protocol.speaks(p.body) and (places := places_of(p, attempt.action)) is not None
    ]
    depth = 0
    while level := worlds.level(depth):
        for world in level:
            rows = worlds.rows(worlds.found[world])
            for i, p, holds, values in asked:
                if worlds.answers[world][i] not in (0, UNKNOWN) and is_true(holds, rows, values):
                    found = Noticed(How.PROGRESS, p, p.name, worlds.path(world, i))
                    confirm_promise(worlds, found)
                    return found
        depth += 1
    return None


def confirm_promise(worlds: Worlds, noticed: Noticed) -> None:
    """
    By the plain reading: every step is accepted, the premise is true, and the last attempt is refused.

    Raises `UnconfirmedError`.
    """
    evaluator = Evaluator(worlds.protocol, worlds.scope)
    world = evaluator.initial()
    *most, (name, args) = noticed.steps
    for action, given in most:
        outcome = evaluator.step(world, worlds.protocol.action(action), given)
        if not isinstance(outcome, Stepped):
            raise UnconfirmedError(f"refused: {outcome.refusal}")
        world = outcome.world
    action_of = worlds.protocol.action(name)
    p = noticed.broken
    assert p is not None
    places = places_of(p, action_of) or ()
    env = {v.head: args[k] for v, k in zip(p.variables, places, strict=True)}
    premise = evaluator.value(worlds.protocol.expand(p.body), world, env)
    if not premise or not isinstance(evaluator.step(world, action_of, args), Declined):
        raise UnconfirmedError(f"{noticed.name} after {noticed.steps}")
