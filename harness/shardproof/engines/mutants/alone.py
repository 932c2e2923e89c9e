"""
A protocol by itself, breadth first: what it violates, and in how few steps.

So the right one is looked at, of which nothing must be violated, and a mistake that has other
state or other actions, so that there is nothing to compare it with. And so a trace that was
found otherwise is shown to be a shortest one, or made shorter.
"""

from __future__ import annotations

from attrs import frozen

from .beside import How, Noticed, confirm
from .worlds import Checks, Worlds


@frozen(eq=False)
class Searched:
    """What a search found, and the number of steps up to which it has seen everything."""

    found: Noticed | None
    steps: int


def first_violation(
    worlds: Worlds, checks: Checks, worlds_max: int, steps_max: int | None = None
) -> Searched:
    """
    A shortest trace of a protocol to a violation, of up to `steps_max` steps.

    Looks from no more than `worlds_max` worlds. `worlds` grow as far as they are needed.
    """
    if broken := checks.broken_in(worlds.found[0]):
        return Searched(_confirmed(worlds, Noticed(How.VIOLATION, broken, broken.name, ())), 0)
    world, seen = 0, {0}
    order = [0]
    while world < len(order):
        number = order[world]
        steps = worlds.depth[number]
        if world >= worlds_max or (steps_max is not None and steps >= steps_max):
            return Searched(None, steps)
        worlds.expand(number)
        for i, successor in worlds.successors[number].items():
            new = successor not in seen
            before, after = worlds.found[number], worlds.found[successor]
            if broken := checks.broken_by(before, after) or (checks.broken_in(after) if new else None):
                found = Noticed(How.VIOLATION, broken, broken.name, worlds.path(number, i))
                return Searched(_confirmed(worlds, found), steps + 1)
            if new:
                seen.add(successor)
                order.append(successor)
        world += 1
    return Searched(None, max(worlds.depth))


def _confirmed(worlds: Worlds, found: Noticed) -> Noticed:
    confirm(worlds, worlds.protocol, found)
    return found
