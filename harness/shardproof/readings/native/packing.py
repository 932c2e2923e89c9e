"""
Cells in words: each has a field as wide as the values that it can have.

The fields of one entity lie together, as a record, and all records of a sort are alike and evenly
spaced. So an effect "for each receipt" that copies one field to another is one mask and one shift.
Where that would need more words than the fields alone, the records give up their even spacing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from shardproof_models.language.terms import Entity, Symbol, Term

from ...errors import UsageError
from ..evaluate import World
from ..scope import Layout, Value

#: Words that a world may take: a power of two of them fills cache lines without a rest.
WORDS = (1, 2, 4)

WORD = 64

#: How many symbols an error names.
NAMED = 3


class TooWideError(UsageError):
    """A world at this scope does not fit into the words that the compiled search has for it."""


@frozen
class Place:
    """Where a cell is: `width` bits of a word, and the value that is stored as 0."""

    word: int
    shift: int
    width: int
    low: Value

    @property
    def mask(self) -> int:
        """The bits of the field, where they are."""
        return ((1 << self.width) - 1) << self.shift


@frozen(eq=False)
class Packing:
    """Worlds as words, and back."""

    words: int
    #: Cell -> its place; what has but one value has none.
    places: Mapping[int, Place]
    #: The value of each cell that has no place, and anything for the others.
    fixed: World
    #: The values that each cell can have.
    values: Sequence[frozenset[int]]

    @property
    def bits(self) -> int:
        """What a world takes, without the gaps."""
        return sum(p.width for p in self.places.values())

    def pack(self, world: World) -> list[int]:
        """The words of a world."""
        packed = [0] * self.words
        for cell, place in self.places.items():
            packed[place.word] |= (world[cell] - place.low) << place.shift
        return packed

    def unpack(self, packed: Sequence[int]) -> World:
        """The world of some words."""
        world = list(self.fixed)
        for cell, place in self.places.items():
            world[cell] = ((packed[place.word] & place.mask) >> place.shift) + place.low
        return tuple(world)


def packing_of(
    layout: Layout, values: Sequence[frozenset[int]], allowed: Sequence[int] | None = None
) -> Packing:
    """Where every cell goes that has one of several `values`, in few words. Raises `TooWideError`."""
    allowed = allowed or WORDS
    must_fit(layout, values, allowed)
    fields = _fields(layout, values)
    fixed = tuple(min(v) for v in values)
    for words in allowed:
        for arrange in (_records, _tight):
            if (places := arrange(layout, fields, words)) is not None:
                return Packing(words, places, fixed, values)
    raise _too_wide(layout, values, allowed)


def must_fit(
    layout: Layout, values: Sequence[frozenset[int]], allowed: Sequence[int] | None = None, times: int = 1
) -> None:
    """Raises `TooWideError` where so many values cannot fit, or not into so many times the words."""
    allowed = allowed or WORDS
    if sum(width for _, width in _fields(layout, values).values()) > allowed[-1] * WORD * times:
        raise _too_wide(layout, values, allowed)


def _fields(layout: Layout, values: Sequence[frozenset[int]]) -> dict[int, tuple[Value, int]]:
    """The lowest value and the width of each cell that changes: the same for all cells of a symbol."""
    span: dict[Symbol[Any, Any], tuple[Value, Value]] = {}
    for (symbol, _), of_cell in zip(layout.cells, values, strict=True):
        if len(of_cell) > 1:
            low, high = span.get(symbol, (min(of_cell), max(of_cell)))
            span[symbol] = min(low, *of_cell), max(high, *of_cell)
    return {
        cell: (span[symbol][0], (span[symbol][1] - span[symbol][0]).bit_length())
        for cell, (symbol, _) in enumerate(layout.cells)
        if len(values[cell]) > 1
    }


def _too_wide(layout: Layout, values: Sequence[frozenset[int]], allowed: Sequence[int]) -> TooWideError:
    bits: dict[str, int] = {}
    for cell, (_, width) in _fields(layout, values).items():
        name = layout.cells[cell][0].name
        bits[name] = bits.get(name, 0) + width
    largest = sorted(bits, key=lambda name: -bits[name])[:NAMED]
    return TooWideError(
        f"a world of {layout.protocol.name} with {layout.scope.said or 'this scope'} does not fit into "
        f"{allowed[-1]} words",
        expected=f"at most {allowed[-1] * WORD} bits",
        got=f"at least {sum(bits.values())}, of which {', '.join(f'{n} takes {bits[n]}' for n in largest)}",
        help="a smaller --scope, a smaller stack, or the search in Python",
    )


def _capacity(words: int) -> int:
    # A table of single words stores each plus one, and 0 where there is none.
    return WORD - 1 if words == 1 else WORD


def _major(symbol: Symbol[Any, Any]) -> int | None:
    """Which argument says whose record a cell is in: the last entity, as rows have columns."""
    return max((i for i, p in enumerate(symbol.parameters) if isinstance(p, Entity)), default=None)


@frozen
class _Slot:
    """A field of a record: a symbol, and its arguments besides the entity whose record it is."""

    symbol: Symbol[Any, Any]
    others: tuple[Value, ...]


def _slot(layout: Layout, cell: int) -> tuple[type[Term] | None, Value, _Slot]:
    """The sort and the entity whose record a cell is in, and its field there."""
    symbol, args = layout.cells[cell]
    place = _major(symbol)
    if place is None:
        return None, 0, _Slot(symbol, args)
    return type(symbol.parameters[place]), args[place], _Slot(symbol, (*args[:place], *args[place + 1 :]))


def _records(layout: Layout, fields: Mapping[int, tuple[Value, int]], words: int) -> dict[int, Place] | None:
    """Records of equal stride, one after the other; none if they take more than so many words."""
    slots: dict[type[Term] | None, dict[_Slot, int]] = {}
    records: dict[tuple[type[Term] | None, Value], dict[_Slot, int]] = {}
    for cell, (_, width) in fields.items():
        sort, entity, slot = _slot(layout, cell)
        slots.setdefault(sort, {})[slot] = width
        records.setdefault((sort, entity), {})[slot] = cell
    places: dict[int, Place] = {}
    room = [0] * words
    for (sort, _), cells in sorted(records.items(), key=lambda r: list(slots).index(r[0][0])):
        stride = sum(slots[sort].values())
        word = next((w for w in range(words) if room[w] + stride <= _capacity(words)), None)
        if word is None:
            return None
        for slot, width in slots[sort].items():
            if slot in cells:
                places[cells[slot]] = Place(word, room[word], width, fields[cells[slot]][0])
            room[word] += width
    return places


def _tight(layout: Layout, fields: Mapping[int, tuple[Value, int]], words: int) -> dict[int, Place] | None:
    """Field after field, those of an entity still together where there is room."""

    def order(cell: int) -> tuple[str, Value]:
        sort, entity, _ = _slot(layout, cell)
        return (sort.__name__ if sort else "", entity)

    places: dict[int, Place] = {}
    room = [0] * words
    for cell in sorted(fields, key=order):
        low, width = fields[cell]
        word = next((w for w in range(words) if room[w] + width <= _capacity(words)), None)
        if word is None:
            return None
        places[cell] = Place(word, room[word], width, low)
        room[word] += width
    return places
