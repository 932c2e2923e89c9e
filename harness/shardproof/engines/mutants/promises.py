"""Which attempts are promised to succeed: then their refusal has a name in the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

from attrs import define

from shardproof_models.language.actions import Action
from shardproof_properties.property import Property, Role

from ...readings.scope import OutOfScope, Value
from .worlds import UNKNOWN, Packed, Taken, Worlds

#: How many worlds are looked at to see which action a progress property is about.
SAMPLE = 2_000


@define(eq=False)
class ProgressOf:
    """
    Which progress property promises an attempt to succeed.

    A progress property is a premise, and does not say which action it is about. It is about one
    whose parameters it speaks of, and which is accepted wherever the premise is true.
    """

    worlds: Worlds
    properties: tuple[Property, ...]

    @cached_property
    def _promises(self) -> Mapping[str, tuple[tuple[Property, Callable[..., bool], tuple[int, ...]], ...]]:
        checks = [
            (p, self.worlds.generated.check(p.variables, p.body))
            for p in self.properties
            if p.role is Role.PROGRESS
        ]
        return {
            action.name: tuple(
                (p, holds, places)
                for p, holds in checks
                if (places := places_of(p, action)) is not None and self._is_about(action, holds, places)
            )
            for action in self.worlds.protocol.actions
        }

    def about(self, action: str) -> tuple[Property, ...]:
        """The progress properties that are about an action."""
        return tuple(p for p, _, _ in self._promises[action])

    def promises(self, p: Property, world: Packed, step: Taken) -> bool:
        """Whether `p` promises the attempt to succeed."""
        rows = self.worlds.rows(world)
        name, args = step
        return any(
            q is p and is_true(holds, rows, [args[k] for k in places])
            for q, holds, places in self._promises[name]
        )

    def _is_about(self, action: Action, holds: Callable[..., bool], places: tuple[int, ...]) -> bool:
        ever = False
        for world in self._sample():
            answers = self.worlds.answers[world]
            rows = self.worlds.rows(self.worlds.found[world])
            for i in self.worlds.places[action.name]:
                args = self.worlds.attempts[i].args
                if answers[i] != UNKNOWN and is_true(holds, rows, [args[k] for k in places]):
                    if answers[i]:
                        return False
                    ever = True
        return ever

    def _sample(self) -> Iterator[int]:
        depth = 0
        while level := self.worlds.level(depth):
            for world in level:
                if world >= SAMPLE:
                    return
                yield world
            depth += 1

    def of(
        self, world: int, action: str, args: tuple[Value, ...], counts: Callable[[str], bool]
    ) -> Property | None:
        """The property that promises this attempt, accepted in `world`, to succeed."""
        rows = self.worlds.rows(self.worlds.found[world])
        for p, holds, places in self._promises[action]:
            if (counts(p.name) or counts(p.id)) and is_true(holds, rows, [args[k] for k in places]):
                return p
        return None


def places_of(p: Property, action: Action) -> tuple[int, ...] | None:
    """Where the variables of a property are among the parameters of an action."""
    known = {(q.head.name, type(q)): i for i, q in enumerate(action.parameters)}
    places = [known.get((v.head.name, type(v))) for v in p.variables]
    return None if None in places else tuple(i for i in places if i is not None)


def is_true(holds: Callable[..., bool], rows: Any, values: list[Value]) -> bool:
    """Whether a formula holds of these values, as far as the scope can say."""
    try:
        return holds(rows, *values)
    except OutOfScope:
        return False
