"""
Random walks from the initial world: a cheap way to see most of what can happen.

Most of what a protocol does can be done once, so a walk does hardly anything twice, and gets far
without coming back. What comes after much else needs luck: each walk has its own preferences
among actions, strong ones, so that in some of them the environment keeps out of the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from random import Random

from attrs import define, field

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_properties.property import Property

from ...readings.generated import Generated
from ...readings.rows import World
from ...readings.scope import OutOfScope, Scope, Value
from .unrolled import Taken

#: How many walks, and of how many steps each.
WALKS, LENGTH = 200, 60

#: How reluctant a walk is to do what it likes least: e to this power, where 1 is indifference.
PREFERENCE = 5.0

#: Of so many walks, one does some things twice.
AGAIN = 3


@define(eq=False)
class Watched:
    """A protocol at a scope, and what is waited for: which witnesses are reached, which actions taken."""

    generated: Generated
    #: What was not reached yet.
    wanted: dict[Property, Callable[..., bool]]
    #: Witnesses and actions -> the length of the trace that showed them.
    reached: dict[Property, int] = field(factory=dict, init=False)
    taken: dict[Action, int] = field(factory=dict, init=False)
    #: Everything that can be attempted of an action.
    _attempts: dict[Action, tuple[tuple[Value, ...], ...]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        scope = self.generated.scope
        self._attempts = {a: tuple(scope.tuples(a.parameters)) for a in self.generated.protocol.actions}

    @classmethod
    def at(cls, protocol: Protocol, scope: Scope, wanted: Iterable[Property]) -> Watched:
        """Nothing has happened yet."""
        generated = Generated(protocol, scope)
        return cls(generated, {p: generated.check((), p.formula) for p in wanted})

    def see(self, world: World, action: Action, length: int) -> None:
        """`action` has led to `world`, at the end of a trace of this length."""
        self.taken.setdefault(action, length)
        for p in [p for p, holds in self.wanted.items() if holds(world)]:
            del self.wanted[p]
            self.reached[p] = length

    def follow(self, steps: Iterable[Taken]) -> None:
        """Take a trace that somebody else has found."""
        world = self.generated.initial()
        for length, (action, args) in enumerate(steps, 1):
            self.generated.apply[action.name](world, *args)
            self.see(world, action, length)

    def walk(self, dice: Random) -> None:
        """One walk, for as long as something can be done that was not done before."""
        actions = self.generated.protocol.actions
        reluctance = {a: math.exp(PREFERENCE * dice.random()) for a in actions}
        left = dict.fromkeys(((a, x) for a in actions for x in self._attempts[a]), 1)
        if not dice.randrange(AGAIN):
            left = dict.fromkeys(left, 2)
        world = self.generated.initial()
        for length in range(1, LENGTH + 1):
            ordered = sorted(actions, key=lambda a: dice.random() ** reluctance[a], reverse=True)
            taken = next((t for a in ordered for t in self._accepted(world, a, left, dice)), None)
            if taken is None:
                return
            action, args, world = taken
            left[action, args] -= 1
            self.see(world, action, length)

    def _accepted(
        self, world: World, action: Action, left: Mapping[Taken, int], dice: Random
    ) -> Iterator[tuple[Action, tuple[Value, ...], World]]:
        """Attempts of `action` that are accepted, of those that are left, and where they lead."""
        refuse, apply = self.generated.refusal[action.name], self.generated.apply[action.name]
        attempts = self._attempts[action]
        start = dice.randrange(len(attempts))
        for args in (*attempts[start:], *attempts[:start]):
            if left[action, args] and not refuse(world, *args):
                after = [list(rows) for rows in world]
                with suppress(OutOfScope):
                    apply(after, *args)
                    yield action, args, after


def walked(protocol: Protocol, scope: Scope, wanted: Iterable[Property], seed: int) -> Watched:
    """What `WALKS` walks have seen, or fewer if nothing is left to be seen."""
    watched = Watched.at(protocol, scope, wanted)
    dice = Random(seed)
    for _ in range(WALKS):
        if not watched.wanted and len(watched.taken) == len(protocol.actions):
            break
        watched.walk(dice)
    return watched
