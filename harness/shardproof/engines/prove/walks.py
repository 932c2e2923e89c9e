"""
What random walks come past: the cheap way to see that a witness is reached, and an action taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from attrs import define, field

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_properties.property import Property

from ...readings.generated import Generated
from ...readings.rows import World
from ...readings.scope import OutOfScope, Scope
from ...readings.walks import walk
from .unrolled import Taken

#: How many walks, and of how many steps each.
WALKS, LENGTH = 200, 60


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
    _attempts: dict[str, tuple[Taken, ...]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        scope = self.generated.scope
        actions = self.generated.protocol.actions
        self._attempts = {a.name: tuple((a, args) for args in scope.tuples(a.parameters)) for a in actions}

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
        """One walk, and all that it comes past."""
        world = self.generated.initial()

        def accepts(attempt: Taken) -> bool:
            action, args = attempt
            if self.generated.refusal[action.name](world, *args):
                return False
            after = [list(rows) for rows in world]
            try:
                self.generated.apply[action.name](after, *args)
            except OutOfScope:
                return False
            world[:] = after
            return True

        for length, (action, _) in enumerate(walk(self._attempts, accepts, LENGTH, dice), 1):
            self.see(world, action, length)


def walked(protocol: Protocol, scope: Scope, wanted: Iterable[Property], seed: int) -> Watched:
    """What `WALKS` walks have seen, or fewer if nothing is left to be seen."""
    watched = Watched.at(protocol, scope, wanted)
    dice = Random(seed)
    for _ in range(WALKS):
        if not watched.wanted and len(watched.taken) == len(protocol.actions):
            break
        watched.walk(dice)
    return watched
