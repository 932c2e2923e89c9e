"""
Renamings: every entity becomes another one of its sort, wherever it is mentioned.

A renaming takes the cell of some entities to that of their images, and an entity that is a value to
its image; numbers and truth values stay as they are. Which renamings leave the topology as it is,
`candidates` finds by trying one entity after the other and giving up where a rigid symbol differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import frozen

from shardproof_models.language.terms import Entity, Symbol, Term

from ..evaluate import World
from ..scope import Layout, Value

Sort = type[Term]

#: An application of a rigid symbol and its value, each element with its sort.
_Fact = tuple[Symbol[Any, Any], tuple[tuple[Sort, Value], ...], tuple[Sort, Value]]


@frozen
class Renaming:
    """The image of each entity, by sort; sorts that are not mentioned stay as they are."""

    images: tuple[tuple[Sort, tuple[Value, ...]], ...]

    def of(self, sort: Sort, value: Value) -> Value:
        """The image of an element."""
        return next((images[value] for s, images in self.images if s is sort), value)

    def after(self, first: Renaming) -> Renaming:
        """What this one makes of what `first` makes."""
        return Renaming(tuple((s, tuple(self.of(s, v) for v in images)) for s, images in first.images))

    @property
    def inverse(self) -> Renaming:
        """The one that takes it back."""
        return Renaming(
            tuple((s, tuple(images.index(v) for v in range(len(images)))) for s, images in self.images)
        )

    @property
    def changes_nothing(self) -> bool:
        """Whether every entity is its own image."""
        return all(images == tuple(range(len(images))) for _, images in self.images)

    def args(self, parameters: tuple[Term, ...], args: tuple[Value, ...]) -> tuple[Value, ...]:
        """The image of arguments."""
        return tuple(self.of(type(p), a) for p, a in zip(parameters, args, strict=True))

    def cells(self, layout: Layout) -> tuple[int, ...]:
        """The image of every cell."""
        return tuple(layout.index(s, self.args(s.parameters, args)) for s, args in layout.cells)

    def world(self, layout: Layout, world: World) -> World:
        """The image of a world."""
        made = list(world)
        for cell, image in enumerate(self.cells(layout)):
            made[image] = self.of(layout.cells[cell][0].sort, world[cell])
        return tuple(made)


def candidates(layout: Layout, rigid: Iterable[Symbol[Any, Any]]) -> Iterator[Renaming]:
    """Every renaming that leaves these rigid symbols as they are, in one order; it may be a long one."""
    scope = layout.scope
    sorts = [s for s in layout.protocol.sorts if issubclass(s, Entity) and scope.domain(s).start == 0]
    sorts.sort(key=lambda s: len(scope.domain(s)))
    elements = [(s, v) for s in sorts for v in scope.domain(s)]
    place = {element: k for k, element in enumerate(elements)}
    facts: list[list[_Fact]] = [[] for _ in elements]
    for symbol in rigid:
        for args, value in layout.table[symbol].items():
            given = tuple((type(p), a) for p, a in zip(symbol.parameters, args, strict=True))
            result = (symbol.sort, value)
            if mentioned := [place[e] for e in (*given, result) if e in place]:
                # It can be looked at when the last of these has an image.
                facts[max(mentioned)].append((symbol, given, result))
    image: dict[tuple[Sort, Value], Value] = {}

    def extended(k: int) -> Iterator[Renaming]:
        if k == len(elements):
            yield Renaming(tuple((s, tuple(image[s, v] for v in scope.domain(s))) for s in sorts))
            return
        sort, value = elements[k]
        taken = {image[sort, v] for v in range(value)}
        for other in scope.domain(sort):
            if other not in taken:
                image[sort, value] = other
                if all(_is_kept(layout.table, image, fact) for fact in facts[k]):
                    yield from extended(k + 1)
                del image[sort, value]

    return extended(0)


def _is_kept(
    table: Mapping[Symbol[Any, Any], Mapping[tuple[Value, ...], Value]],
    image: Mapping[tuple[Sort, Value], Value],
    fact: _Fact,
) -> bool:
    symbol, given, result = fact
    return table[symbol][tuple(image.get(e, e[1]) for e in given)] == image.get(result, result[1])
