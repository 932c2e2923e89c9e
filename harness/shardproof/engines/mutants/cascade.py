"""
One mistake, many protocols: who is to be judged where, and how thoroughly, and what is said in the end.

A clause of a layer is one clause, however many stacks have the layer; to forget it is one mistake.
First comes a glance in each stack that has it, the smallest first, until somebody notices. What is
left is tried in no more layers than the mistake speaks of, where a search is cheap; and then
searched for in the stacks. That it is none, or that nobody notices, is said of stacks only, and of
all that have it, because what one protocol has for nothing another one may need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import define, evolve, field, frozen

from shardproof_models.mistakes import Kind

from .judge import Effort
from .row import Fate, Row

#: What sort of mistake, and its name: the same in every stack that has it.
Key = tuple[Kind, str]

#: How many are judged in one go: what they have in common is worked out once in each.
TOGETHER = 150


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
    #: The composition in which it is tried before it is searched for in stacks.
    trials: Mapping[Key, str] = field(factory=dict)
    _rows: dict[Key, dict[Place, Row]] = field(factory=dict, init=False)

    def begin(self) -> Iterator[Batch]:
        """Each where it is judged first, the largest protocols first."""
        yield from self._batches(self.stacks)

    def go_on(self, batch: Batch, rows: Sequence[Row]) -> Iterator[Batch]:
        """What is to be judged next, after the `rows` of a batch."""
        for key, row in zip(batch.keys, rows, strict=True):
            self._rows.setdefault(key, {})[batch.place] = row
        yield from self._batches(batch.keys)

    def rows(self) -> Iterator[Row]:
        """What became of each."""
        return map(self._together, self.stacks)

    def _next(self, key: Key) -> Place | None:
        known = self._rows.get(key, {})
        if any(row.fate is Fate.KILLED for row in known.values()):
            return None
        return next((place for place in self._places(key) if place not in known), None)

    def _places(self, key: Key) -> Iterator[Place]:
        glances = [Place(name, Effort.GLANCE) for name in self.stacks[key]]
        yield from glances
        known = self._rows.get(key, {})
        # A lemma is needed for a proof or not: there is no more to be looked at.
        if key[0] is Kind.LEMMA:
            return
        open_in = [p for p in glances if known[p].fate is not Fate.EQUIVALENT]
        if open_in and key in self.trials:
            yield Place(self.trials[key], Effort.SEARCH)
        yield from (Place(p.protocol, Effort.SEARCH) for p in open_in)

    def _batches(self, keys: Iterable[Key]) -> Iterator[Batch]:
        waiting: dict[Place, list[Key]] = {}
        for key in keys:
            if (place := self._next(key)) is not None:
                waiting.setdefault(place, []).append(key)
        for place, wanted in reversed(waiting.items()):
            for start in range(0, len(wanted), TOGETHER):
                yield Batch(place, tuple(wanted[start : start + TOGETHER]))

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
