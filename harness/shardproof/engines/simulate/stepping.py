"""Steps in Python, what they violate, and a shorter walk that violates the same."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field

from shardproof_properties.property import Property

from ...model_trace import Taken
from ...readings.generated import Check, Generated
from ...readings.rows import World
from ...readings.scope import OutOfScope
from .question import Question
from .tally import Cut


@define(eq=False)
class Stepping:
    """The steps of a protocol at a scope, and sentences about them."""

    question: Question
    generated: Generated = field(init=False)
    invariants: tuple[tuple[Property, Check], ...] = field(init=False)
    steps: tuple[tuple[Property, Check], ...] = field(init=False)
    witnesses: tuple[tuple[Property, Check], ...] = field(init=False)
    #: What left its range where a property was to be evaluated.
    unread: set[Cut] = field(init=False, factory=set)

    def __attrs_post_init__(self) -> None:
        self.generated = Generated(self.question.protocol, self.question.scope)
        self.invariants, self.steps, self.witnesses = (
            tuple((p, self.generated.check((), p.formula)) for p in properties)
            for properties in (self.question.invariants, self.question.steps, self.question.witnesses)
        )

    def after(self, world: World, taken: Taken) -> World | None:
        """The world after an attempt, or none where it is refused. Raises `OutOfScope`."""
        action, args = taken
        if self.generated.refusal[action.name](world, *args):
            return None
        after = Generated.copy(world)
        self.generated.apply[action.name](after, *args)
        return after

    def holds(
        self, check: Check, world: World, after: World | None = None, *, otherwise: bool = True
    ) -> bool:
        """Whether a sentence is true; `otherwise` where it leaves the scope."""
        try:
            return check(world, after=after)
        except OutOfScope as cut:
            self.unread.add((cut.symbol, cut.sort))
            return otherwise

    def violated(self, before: World | None, world: World) -> tuple[Property, ...]:
        """What the step from `before` violates, if there was one, and what `world` does."""
        broken = (
            [p for p, check in self.steps if not self.holds(check, before, world)]
            if before is not None
            else []
        )
        return (*broken, *(p for p, check in self.invariants if not self.holds(check, world)))

    def breaks(self, before: World, after: World) -> bool:
        """Whether a step violates a step property."""
        return not all(self.holds(check, before, after) for _, check in self.steps)

    def shows(self, check: Check, world: World) -> bool:
        """Whether a world is one that a witness speaks of."""
        return self.holds(check, world, otherwise=False)

    # ---- walks that violate something ---------------------------------------------------------------

    def first_violation(
        self, path: Sequence[Taken], *, strict: bool = False
    ) -> tuple[tuple[Taken, ...], tuple[Property, ...]]:
        """
        The steps of `path` up to the first that violates something, and what; nothing if none does.

        What is refused is left out; if it is `strict`, nothing may be.
        """
        world = self.generated.initial()
        violated = self.violated(None, world)
        done: list[Taken] = []
        for taken in path if not violated else ():
            try:
                after = self.after(world, taken)
            except OutOfScope:
                after = None
            if after is None:
                if strict:
                    return (), ()
                continue
            done.append(taken)
            if violated := self.violated(world, after):
                break
            world = after
        return (tuple(done), violated) if violated else ((), ())

    def shortened(self, path: tuple[Taken, ...], wanted: Property) -> tuple[Taken, ...]:
        """As few of the steps as are found to violate the same: parts are left out, large ones first."""
        size = len(path) // 2
        while size:
            at = 0
            while at < len(path):
                shorter, violated = self.first_violation((*path[:at], *path[at + size :]))
                if wanted in violated and len(shorter) < len(path):
                    path = shorter
                else:
                    at += size
            size = min(size // 2, len(path) // 2) if size > 1 else 0
        return path
