"""
Expressions as C.

A formula is written as what has the value 1 or 0; a number as a `long`. Atoms that some bits of a
word decide are put together: all of a conjunction that lie in one word are one comparison, and so
are all of a disjunction that one combination of bits would make false.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import field, frozen

from shardproof_models.language.terms import Op

from .expression import Among, Beyond, Cell, Expression, Then, is_partial, negation
from .packing import Packing

#: The worlds before and after the step, as C knows them.
BEFORE, AFTER = "x", "y"

_OPERATORS = {Op.EQ: "==", Op.LT: "<", Op.LE: "<=", Op.ADD: "+", Op.SUB: "-"}


@frozen
class Bits:
    """Some bits of a word of one world, and what they are."""

    world: str
    word: int
    mask: int
    value: int

    def __str__(self) -> str:
        return self.compared("==")

    def compared(self, how: str) -> str:
        """The comparison, as C."""
        return f"(({self.world}.w[{self.word}] & {self.mask:#x}ull) {how} {self.value:#x}ull)"


@frozen(slots=False)
class Text:
    """Writes expressions over the cells of packed worlds."""

    packing: Packing
    #: Everything that may be out of range, in the order of first mention: a number for each.
    beyond: dict[Beyond, int] = field(factory=dict)

    def number(self, e: Expression) -> str:
        """An expression for a number, or for a truth value as 1 or 0."""
        if isinstance(e, int):
            return f"{e}" if e >= 0 else f"({e})"
        if isinstance(e, Cell):
            place = self.packing.places[e.index]
            read = f"(long)({_world(e)}.w[{place.word}] >> {place.shift} & {(1 << place.width) - 1:#x})"
            return f"({read} + {place.low})" if place.low else f"({read})"
        if isinstance(e, Among):
            return self._among(e)
        if isinstance(e, Beyond):
            site = self.beyond.setdefault(e, len(self.beyond) + 1)
            # The first is the one that counts, as in the plain reading.
            return f"(cut = cut ? cut : {site}, 0)"
        if isinstance(e, Then):
            first = "".join(f"(void){self.number(a)}, " for a in e.first)
            return f"({first}{self.number(e.result)})"
        match e.op:
            case Op.AND:
                return f"({' && '.join(self._together(e.args))})"
            case Op.OR:
                return f"({' || '.join(self._together(e.args, of_a_disjunction=True))})"
            case Op.NOT:
                return f"(!{self.number(e.args[0])})"
            case Op.ITE:
                condition, yes, no = map(self.number, e.args)
                return f"({condition} ? {yes} : {no})"
        left, right = map(self.number, e.args)
        if e.partial:
            # C evaluates operands in any order; here the first that is out of range must be the left one.
            return f"({{ long l = {left}, r = {right}; l {_OPERATORS[e.op]} r; }})"
        return f"({left} {_OPERATORS[e.op]} {right})"

    def _among(self, e: Among) -> str:
        if (bits := self.bits(e)) is not None:
            return str(bits)
        if (bits := self.bits(Among(e.cell, e.cell.values - e.values))) is not None:
            return bits.compared("!=")
        place = self.packing.places[e.cell.index]
        masked = f"({_world(e.cell)}.w[{place.word}] & {place.mask:#x}ull)"
        for least in (min(e.values), min(e.cell.values)):
            for most in (max(e.cell.values), max(e.values)):
                if {v for v in e.cell.values if least <= v <= most} == e.values:
                    tests = []
                    if least > min(e.cell.values):
                        tests.append(f"{masked} >= {(least - place.low) << place.shift:#x}ull")
                    if most < max(e.cell.values):
                        tests.append(f"{masked} <= {(most - place.low) << place.shift:#x}ull")
                    return f"({' && '.join(tests)})"
        read = self.number(e.cell)
        return f"({' || '.join(f'{read} == {v}' for v in sorted(e.values))})"

    def bits(self, e: Among) -> Bits | None:
        """The bits that make this atom true, if no more than one combination of some bits does."""
        place = self.packing.places[e.cell.index]
        stored = {v - place.low for v in e.values}
        fixed = (1 << place.width) - 1
        for v in stored:
            fixed &= ~(v ^ next(iter(stored)))
        value = next(iter(stored)) & fixed
        if {v for v in e.cell.values if (v - place.low) & fixed == value} != e.values:
            return None
        return Bits(_world(e.cell), place.word, fixed << place.shift, value << place.shift)

    def _together(self, parts: Iterable[Expression], *, of_a_disjunction: bool = False) -> list[str]:
        """The operands as C, with those that bits of one word decide made one; what is partial stays put."""
        written: list[str] = []
        merged: dict[tuple[str, int], Bits] = {}
        others: list[str] = []

        def settle() -> None:
            compare = "!=" if of_a_disjunction else "=="
            written.extend(bits.compared(compare) for bits in merged.values())
            written.extend(others)
            merged.clear()
            others.clear()

        for part in parts:
            atom = negation(part) if of_a_disjunction and isinstance(part, Among) else part
            bits = self.bits(atom) if isinstance(atom, Among) else None
            if is_partial(part):
                settle()
                written.append(self.number(part))
            elif bits is None:
                others.append(self.number(part))
            else:
                where = bits.world, bits.word
                known = merged.get(where, Bits(*where, 0, 0))
                if (bits.value ^ known.value) & bits.mask & known.mask:
                    # Two atoms of one cell that exclude each other were found before; this cannot be.
                    raise AssertionError(f"contradictory atoms in {parts}")
                merged[where] = Bits(*where, known.mask | bits.mask, known.value | bits.value)
        settle()
        return written


def _world(cell: Cell) -> str:
    return AFTER if cell.after else BEFORE
