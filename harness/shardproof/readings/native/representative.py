"""
Of worlds that are renamings of each other, the least one stands for all.

Least is meant of its words, as numbers, the first one first. It is worked out in C for the search, and
in Python for whoever follows the search; both apply every renaming of the group to the world.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from attrs import frozen

from ..evaluate import World
from ..scope import Layout, Value
from .packing import Packing, Place
from .renaming import Renaming

#: A field with at most so many bits has its values looked up in one word.
LOOKED_UP = 4


@frozen(eq=False, slots=False)
class Representatives:
    """The least worlds of the orbits of a group, as packed."""

    layout: Layout
    packing: Packing
    group: tuple[Renaming, ...]

    def of(self, world: World) -> tuple[int, ...]:
        """The words of the representative of a world."""
        return min(self._images(world))

    def _images(self, world: World) -> Iterator[tuple[int, ...]]:
        yield tuple(self.packing.pack(world))
        for moved in self._moves:
            words = [0] * self.packing.words
            for source, place, values in moved:
                value = world[source]
                words[place.word] |= (values.get(value, value) - place.low) << place.shift
            yield tuple(words)

    @cached_property
    def _moves(self) -> tuple[tuple[tuple[int, Place, dict[Value, Value]], ...], ...]:
        """For each renaming: which cell goes where, and the values that become others."""
        return tuple(tuple(self._moved(renaming)) for renaming in self.group)

    def _moved(self, renaming: Renaming) -> Iterator[tuple[int, Place, dict[Value, Value]]]:
        images = renaming.cells(self.layout)
        for cell in self.packing.places:
            sort = self.layout.cells[cell][0].sort
            values = {v: renaming.of(sort, v) for v in sorted(self.packing.values[cell])}
            changed = {v: image for v, image in values.items() if v != image}
            yield cell, self.packing.places[images[cell]], changed

    # ---- in C -------------------------------------------------------------------------------------

    def text(self) -> Iterator[str]:
        """`least`: the representative of a world."""
        words = range(self.packing.words)
        yield "static inline S least(const S x) {"
        yield "  S best = x;"
        for moved in self._moves:
            yield "  {"
            yield f"    S z = {{{{{', '.join('0' for _ in words)}}}}};"
            yield from (f"    z.w[{word}] |= {text};" for word, text in self._image(moved))
            smaller = "z.w[0] < best.w[0]"
            for word in words[1:]:
                equal = " && ".join(f"z.w[{k}] == best.w[{k}]" for k in range(word))
                smaller += f" || ({equal} && z.w[{word}] < best.w[{word}])"
            yield f"    if ({smaller}) best = z;"
            yield "  }"
        yield "  return best;"
        yield "}"

    def _image(self, moved: tuple[tuple[int, Place, dict[Value, Value]], ...]) -> Iterator[tuple[int, str]]:
        """Parts of an image: the word, and what is put into it. What goes equally far goes together."""
        together: dict[tuple[int, int, int], int] = {}
        for cell, target, values in moved:
            source = self.packing.places[cell]
            if values:
                yield target.word, self._other_values(source, target, values)
            else:
                way = source.word, target.word, target.shift - source.shift
                together[way] = together.get(way, 0) | source.mask
        for (word, to, distance), mask in together.items():
            shifted = f" << {distance}" if distance > 0 else f" >> {-distance}" if distance else ""
            yield to, f"(x.w[{word}] & {mask:#x}ull){shifted}"

    def _other_values(self, source: Place, target: Place, values: dict[Value, Value]) -> str:
        width, read = source.width, f"(x.w[{source.word}] >> {source.shift} & {(1 << source.width) - 1:#x})"
        stored = [values.get(v + source.low, v + source.low) - source.low for v in range(1 << width)]
        if width <= LOOKED_UP:
            word = sum((s & (1 << width) - 1) << (width * k) for k, s in enumerate(stored))
            looked_up = f"({word:#x}ull >> {read} * {width} & {(1 << width) - 1:#x})"
        else:
            looked_up = f"((u64)((const u8[]){{{', '.join(str(s & 0xFF) for s in stored)}}})[{read}])"
        return f"{looked_up} << {target.shift}"
