"""
One mistake, many stacks: it is judged in the smallest that has it, and in the next where nobody notices.

A clause of a layer is one clause, however many stacks have the layer; to forget it is one mistake.
What is noticed in one of them is noticed. What is no mistake has to be none in all of them, because
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
    """Mistakes that are to be judged in one stack."""

    stack: str
    keys: tuple[Key, ...]
    #: Whether none of them was judged before.
    first: bool = True
    #: Whether each of them was none in all stacks so far.
    none: bool = False


@define
class Cascade:
    """Who is to be judged where, and what came of it."""

    #: The stacks that have a mistake, the smallest first.
    places: Mapping[Key, Sequence[str]]
    _rows: dict[Key, list[Row]] = field(factory=dict, init=False)

    def begin(self) -> Iterator[Batch]:
        """Each where it is judged first, the largest stacks first."""
        yield from self._batches(self.places)

    def go_on(self, batch: Batch, rows: Sequence[Row]) -> Iterator[Batch]:
        """What is to be judged next, after the `rows` of a batch."""
        for key, row in zip(batch.keys, rows, strict=True):
            self._rows.setdefault(key, []).append(row)
        yield from self._batches(k for k in batch.keys if self._rows[k][-1].fate is not Fate.KILLED)

    def rows(self) -> Iterator[Row]:
        """What became of each."""
        return (_together(self._rows[key]) for key in self.places)

    def _batches(self, keys: Iterable[Key]) -> Iterator[Batch]:
        waiting: dict[tuple[str, bool, bool], list[Key]] = {}
        for key in keys:
            known = self._rows.get(key, [])
            if len(known) < len(self.places[key]):
                none = bool(known) and all(row.fate is Fate.EQUIVALENT for row in known)
                waiting.setdefault((self.places[key][len(known)], not known, none), []).append(key)
        for (stack, first, none), wanted in reversed(waiting.items()):
            for start in range(0, len(wanted), TOGETHER):
                yield Batch(stack, tuple(wanted[start : start + TOGETHER]), first, none)


def _together(rows: Sequence[Row]) -> Row:
    """One row of all that were made of a mistake."""
    seconds = sum(row.seconds for row in rows)
    if rows[-1].fate is Fate.KILLED:
        return evolve(rows[-1], seconds=seconds)
    order = list(Fate)
    worst = min(rows, key=lambda row: order.index(row.fate))
    more = f"; in each of {len(rows)} stacks" if worst.fate is Fate.EQUIVALENT and len(rows) > 1 else ""
    return evolve(worst, seconds=seconds, reason=f"{worst.reason}{more}")
