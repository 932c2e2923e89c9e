"""
One mistake, many protocols: it is judged in the smallest that has it, and in the next where nobody notices.

A clause of a layer is one clause, however many stacks have the layer; to forget it is one mistake.
First comes a trial, in no more layers than the mistake speaks of: what is noticed there is noticed.
That it is none, or that nobody notices, is said of stacks only, and of all that have it, because
what one protocol has for nothing another one may need.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from attrs import define, evolve, field, frozen

from shardproof_models.mistakes import Kind

from .row import Fate, Row

#: What sort of mistake, and its name: the same in every stack that has it.
Key = tuple[Kind, str]

#: How many are judged in one go: what they have in common is worked out once in each.
TOGETHER = 150


@frozen
class Batch:
    """Mistakes that are to be judged in one protocol."""

    #: The name of a stack, or of a composition.
    protocol: str
    keys: tuple[Key, ...]
    #: Whether none of them was judged before.
    first: bool = True
    #: Whether each of them was none, wherever it was judged before.
    none: bool = False


@define
class Cascade:
    """Who is to be judged where, and what came of it."""

    #: The stacks that have a mistake, the smallest first.
    stacks: Mapping[Key, Sequence[str]]
    #: The composition in which it is tried before.
    trials: Mapping[Key, str] = field(factory=dict)
    _rows: dict[Key, list[Row]] = field(factory=dict, init=False)

    def begin(self) -> Iterator[Batch]:
        """Each where it is judged first, the largest protocols first."""
        yield from self._batches(self.stacks)

    def go_on(self, batch: Batch, rows: Sequence[Row]) -> Iterator[Batch]:
        """What is to be judged next, after the `rows` of a batch."""
        for key, row in zip(batch.keys, rows, strict=True):
            self._rows.setdefault(key, []).append(row)
        yield from self._batches(k for k in batch.keys if self._rows[k][-1].fate is not Fate.KILLED)

    def rows(self) -> Iterator[Row]:
        """What became of each."""
        return (_together(self._rows[key], len(self._trial(key))) for key in self.stacks)

    def _trial(self, key: Key) -> tuple[str, ...]:
        return (self.trials[key],) if key in self.trials else ()

    def _batches(self, keys: Iterable[Key]) -> Iterator[Batch]:
        waiting: dict[tuple[str, bool, bool], list[Key]] = {}
        for key in keys:
            known, places = self._rows.get(key, []), (*self._trial(key), *self.stacks[key])
            if len(known) < len(places):
                none = bool(known) and all(row.fate is Fate.EQUIVALENT for row in known)
                waiting.setdefault((places[len(known)], not known, none), []).append(key)
        for (protocol, first, none), wanted in reversed(waiting.items()):
            for start in range(0, len(wanted), TOGETHER):
                yield Batch(protocol, tuple(wanted[start : start + TOGETHER]), first, none)


def _together(rows: Sequence[Row], trials: int) -> Row:
    """One row of all that were made of a mistake, the first of them in trials."""
    seconds = sum(row.seconds for row in rows)
    if rows[-1].fate is Fate.KILLED:
        return evolve(rows[-1], seconds=seconds)
    order, counted = list(Fate), rows[trials:]
    worst = min(counted, key=lambda row: order.index(row.fate))
    many = worst.fate is Fate.EQUIVALENT and len(counted) > 1
    more = f"; in each of the {len(counted)} stacks that have it" if many else ""
    return evolve(worst, seconds=seconds, reason=f"{worst.reason}{more}")
