"""
What an accepted attempt does to a world, as C.

Most effects are constants, copies of fields and additions of constants: all of those together are a
few operations on words. What is left, because it depends on a condition, meets another effect or may
leave its range, is computed cell by cell.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define, field, frozen

from shardproof_models.language.actions import Write

from ..scope import Layout
from .expression import Among, Beyond, Cell, Expression, implied, is_partial, possible
from .ground import Instance, Looked, Written
from .packing import Packing, Place
from .reach import narrowed
from .text import Text

WORD_MASK = (1 << 64) - 1


@define
class _Change:
    """What happens to one word under one condition: some bits cleared, some set, something added."""

    clear: int = 0
    set: int = 0
    add: int = 0
    #: Where bits come from and by how much they are shifted -> which bits, before the shift.
    copy: dict[tuple[int, int], int] = field(factory=dict)
    #: Formulas whose value becomes a bit.
    bit: list[str] = field(factory=list)


@frozen
class Steps:
    """Writes what instances do."""

    layout: Layout
    packing: Packing
    text: Text

    def effects(self, instance: Instance) -> tuple[list[str], bool]:
        """Statements that make `y` of `x`; and whether they are few, without a branch or a way to fail."""
        by_cell: dict[int, list[Written]] = {}
        for effect in instance.effects:
            if isinstance(effect, Written):
                by_cell.setdefault(effect.cell, []).append(effect)
        changes: dict[Expression, dict[int, _Change]] = {}
        slow = {cell for cell, effects in by_cell.items() if not self._quick(instance, effects, changes)}
        if any(isinstance(e, Looked) for e in instance.effects):
            # What is looked at comes in the order of the effects, and each effect is one of these.
            slow, changes = set(by_cell), {}
        lines = [line for condition, words in changes.items() for line in self._changed(condition, words)]
        lines += self._slowly(instance, slow)
        return lines, not slow and set(changes) <= {1}

    def _quick(
        self, instance: Instance, effects: list[Written], changes: dict[Expression, dict[int, _Change]]
    ) -> bool:
        """Whether the only effect on a cell is one of words; then it is added to `changes`."""
        if len(effects) > 1:
            return False
        (effect,) = effects
        if is_partial(effect.condition) or not self._stays(instance, effects):
            return False
        place = self.packing.places.get(effect.cell)
        if place is None:
            # Whatever is written is what is there.
            return True
        words = changes.setdefault(effect.condition, {})
        change = words.setdefault(place.word, _Change())
        value = effect.value
        if effect.write is Write.ADD and isinstance(value, int):
            change.add += value << place.shift
        elif effect.write is Write.ADD:
            return False
        elif isinstance(value, int):
            change.clear |= place.mask
            change.set |= (value - place.low) << place.shift
        elif (source := self._copied(value, place)) is not None:
            change.clear |= place.mask
            distance = source.word, place.shift - source.shift
            change.copy[distance] = change.copy.get(distance, 0) | source.mask
        elif effect.condition == 1 and place.low == 0 and self._is_bit(value):
            change.clear |= place.mask
            change.bit.append(f"(u64){self.text.number(value)} << {place.shift}")
        else:
            return False
        return True

    def _stays(self, instance: Instance, effects: list[Written]) -> bool:
        """Whether what is written is surely in the range of the cell."""
        (effect,) = effects
        domain = self.layout.scope.domain(self.layout.cells[effect.cell][0].sort)
        known = narrowed(implied(instance.guard), implied(effect.condition))
        values = possible(effect.value, known)
        if values is None or is_partial(effect.value):
            return False
        if effect.write is Write.ADD:
            place = self.packing.places.get(effect.cell)
            cell_values = (
                self._values(effect.cell) if place else frozenset((self.packing.fixed[effect.cell],))
            )
            old = next((v for c, v in known.items() if c.index == effect.cell), cell_values)
            values = frozenset(a + b for a in old for b in values)
        return all(v in domain for v in values)

    def _values(self, cell: int) -> frozenset[int]:
        return self.packing.values[cell]

    def _copied(self, value: Expression, target: Place) -> Place | None:
        """The field that is copied as it is, if that is all that happens."""
        if isinstance(value, Among) and value.values == {1} and value.cell.values == {0, 1}:
            value = value.cell
        if not isinstance(value, Cell):
            return None
        place = self.packing.places[value.index]
        return place if (place.width, place.low) == (target.width, target.low) else None

    def _is_bit(self, value: Expression) -> bool:
        values = possible(value, {})
        return values is not None and values <= {0, 1}

    def _changed(self, condition: Expression, words: dict[int, _Change]) -> Iterator[str]:
        masked = condition != 1
        if masked:
            yield "{"
            yield f"u64 m = -(u64){self.text.number(condition)};"

        def keep(bits: int) -> str:
            return f"({bits:#x}ull & m)" if masked else f"{bits:#x}ull"

        for word, change in words.items():
            y = f"y.w[{word}]"
            if change.clear:
                yield f"{y} &= ~{keep(change.clear)};"
            if change.set:
                yield f"{y} |= {keep(change.set)};"
            for (source, distance), mask in change.copy.items():
                shifted = f"<< {distance}" if distance >= 0 else f">> {-distance}"
                yield f"{y} |= (x.w[{source}] & {keep(mask)}) {shifted};"
            for bit in change.bit:
                yield f"{y} |= {bit};"
            if change.add:
                yield f"{y} += {keep(change.add & WORD_MASK)};"
        if masked:
            yield "}"

    def _slowly(self, instance: Instance, cells: set[int]) -> Iterator[str]:
        """Statements for cells whose new values are computed first, then checked, in order, and stored."""
        for cell in sorted(cells):
            yield f"long c{cell} = {self._old(cell)};"
        for effect in instance.effects:
            if isinstance(effect, Looked):
                yield f"(void){self.text.number(effect.expression)};"
            elif effect.cell in cells:
                sign = "=" if effect.write is Write.ASSIGN else "+="
                line = f"c{effect.cell} {sign} {self.text.number(effect.value)};"
                yield line if effect.condition == 1 else f"if ({self.text.number(effect.condition)}) {line}"
        for cell in sorted(cells):
            symbol = self.layout.cells[cell][0]
            domain = self.layout.scope.domain(symbol.sort)
            beyond = self.text.number(Beyond(symbol.name, symbol.sort.__name__))
            low = f" - {domain.start}" if domain.start > 0 else f" + {-domain.start}" if domain.start else ""
            yield f"if ((u64)(c{cell}{low}) >= {len(domain)}) {beyond};"
        for cell in sorted(cells):
            if (place := self.packing.places.get(cell)) is not None:
                low = f" - {place.low}" if place.low > 0 else f" + {-place.low}" if place.low else ""
                word = f"y.w[{place.word}]"
                yield f"{word} = ({word} & ~{place.mask:#x}ull) | (u64)(c{cell}{low}) << {place.shift};"

    def _old(self, cell: int) -> str:
        if cell not in self.packing.places:
            return str(self.packing.fixed[cell])
        return self.text.number(Cell(cell, self._values(cell)))
