"""
One mistake, many protocols: who is to be judged where, and how thoroughly, and what is said in the end.

A clause of a layer is one clause, however many stacks have the layer; to forget it is one mistake.
It is tried in no more layers than it speaks of, and then in each stack that has it, the smallest
first, until somebody notices: first at a glance, and what is left by a search where that is cheapest.
That it is none, or that nobody notices, is said of stacks only, and of all that have it, because
what one protocol has for nothing another one may need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from attrs import define, evolve, field, frozen

from shardproof_models.mistakes import Kind

from .row import Fate, Row
from .solver import Effort

#: What sort of mistake, and its name: the same in every stack that has it.
Key = tuple[Kind, str]

#: How many are judged in one go: what they have in common is worked out once in each.
TOGETHER = 60


@frozen
class Place:
    """Where mistakes are judged, and how."""

    #: The name of a stack, or of a composition.
    protocol: str
    effort: Effort


@frozen
class Batch:
    """Mistakes that are to be judged in one place."""

    place: Place
    keys: tuple[Key, ...]


@define
class Cascade:
    """Who is to be judged where, and what came of it."""

    #: The stacks that have a mistake, the smallest first.
    stacks: Mapping[Key, Sequence[str]]
    #: The composition in which it is tried before.
    trials: Mapping[Key, str] = field(factory=dict)
    #: The sizes of stacks, on any scale.
    sizes: Mapping[str, int] = field(factory=dict)
    _rows: dict[Key, dict[Place, Row]] = field(factory=dict, init=False)
    _waiting: dict[Place, list[Key]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        for key in self.stacks:
            self._wait(key)

    def take(self) -> Batch | None:
        """
        What is to be judged next; nothing, if nothing is known to be.

        Where little is to be looked at comes first, so that where much is, only what is left comes.
        """
        if not self._waiting:
            return None
        place = min(self._waiting, key=self._dear)
        keys = self._waiting[place]
        batch = Batch(place, tuple(keys[:TOGETHER]))
        if len(keys) > TOGETHER:
            self._waiting[place] = keys[TOGETHER:]
        else:
            del self._waiting[place]
        return batch

    def judged(self, batch: Batch, rows: Sequence[Row]) -> None:
        """What came of a batch: one row for each of its keys."""
        for key, row in zip(batch.keys, rows, strict=True):
            self._rows.setdefault(key, {})[batch.place] = row
            self._wait(key)

    def rows(self) -> Iterator[Row]:
        """What became of each."""
        return map(self._together, self.stacks)

    def _next(self, key: Key) -> Place | None:
        known = self._rows.get(key, {})
        if any(row.fate is Fate.KILLED for row in known.values()):
            return None
        return next((place for place in self._places(key) if place not in known), None)

    def _places(self, key: Key) -> Iterator[Place]:
        trial = [self.trials[key]] if key in self.trials else []
        yield from (Place(name, Effort.GLANCE) for name in trial)
        glances = [Place(name, Effort.GLANCE) for name in self.stacks[key]]
        yield from glances
        known = self._rows[key]
        # A lemma is needed for a proof or not: there is no more to be looked at.
        unclear = [p.protocol for p in glances if known[p].fate is not Fate.EQUIVALENT]
        if unclear and key[0] is not Kind.LEMMA:
            yield Place((trial or unclear)[0], Effort.SEARCH)

    def _wait(self, key: Key) -> None:
        if (place := self._next(key)) is not None:
            self._waiting.setdefault(place, []).append(key)

    def _dear(self, place: Place) -> tuple[bool, int]:
        """How dear a place is, compared with others: compositions that are no stack are small."""
        return place.effort is Effort.SEARCH, self.sizes.get(place.protocol, 0)

    def _together(self, key: Key) -> Row:
        """One row of all that were made of a mistake."""
        known = self._rows[key]
        seconds = sum(row.seconds for row in known.values())
        if killed := next((row for row in known.values() if row.fate is Fate.KILLED), None):
            return evolve(killed, seconds=seconds)
        order = list(Fate)
        # Of one stack, what was said last.
        said = {place.protocol: row for place, row in known.items() if place.protocol in self.stacks[key]}
        worst = min(said.values(), key=lambda row: order.index(row.fate))
        many = worst.fate is Fate.EQUIVALENT and len(said) > 1
        more = f"; in each of the {len(said)} stacks that have it" if many else ""
        return evolve(worst, seconds=seconds, reason=f"{worst.reason}{more}")
