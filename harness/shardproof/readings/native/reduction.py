"""
What a search may leave out without its answer being another one.

`slicing` leaves out what no sentence sees, `symmetry` all but one of the worlds that differ by names. Both
keep the number of steps to whatever a sentence sees, so a violation found in what is left is a
shortest one of the protocol, once its steps have been taken there: a step of what is left is one of
some attempt, up to a renaming, and the attempts of a trace can be renamed one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve, field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Symbol, Term, symbols_of

from ..evaluate import Evaluator, World
from ..scope import Layout
from .expression import Expression, is_partial, negation
from .packing import Packing, must_fit, packing_of
from .reach import Reach, reach
from .representative import Representatives
from .sentences import Sentences
from .slicing import Cone, cone_of, seen_by, unmoved
from .symmetry import Symmetry, symmetry_of

#: What takes more times the room than this is not expected to fit when it has been sliced by cells.
SLICED_FROM = 2


@frozen
class Reductions:
    """Which reductions are asked for."""

    slicing: bool = True
    symmetry: bool = True


@frozen(eq=False)
class Reduced:
    """A protocol at a scope, as far as sentences see it, and which of its worlds stand for others."""

    #: Of the part of the protocol that is searched.
    layout: Layout
    #: What is looked at: what was asked, and what must be true for the answer to be one about the whole.
    sentences: Sentences
    initial: World
    reached: Reach
    packing: Packing
    cone: Cone
    symmetry: Symmetry
    #: Where the cells of `layout` are in worlds of the whole protocol.
    _places: tuple[int, ...]
    #: Cells and attempts of the whole protocol.
    cells: int
    attempts: int
    representatives: Representatives = field(init=False)

    def __attrs_post_init__(self) -> None:
        made = Representatives(self.layout, self.packing, self.symmetry.group)
        object.__setattr__(self, "representatives", made)

    def representative(self, world: World) -> tuple[int, ...]:
        """The words that the search has for a world of the whole protocol."""
        return self.representatives.of(tuple(world[place] for place in self._places))

    @property
    def renamings(self) -> int:
        """How many names each world has, at most; 1 if there is no symmetry."""
        return len(self.symmetry.group) + 1

    @property
    def actions(self) -> frozenset[str]:
        """The actions of which an attempt is left."""
        return frozenset(i.action.name for i in self.cone.instances)


def reduced(layout: Layout, sentences: Sentences, reductions: Reductions) -> Reduced:
    """What is left of the protocol and scope of `layout`. Raises `TooWideError`."""
    protocol, scope = layout.protocol, layout.scope
    if reductions.slicing:
        searched = Layout(seen_by(protocol, sentences.all), scope)
        # What is not true whatever a world is like, is asked of every world.
        sentences = evolve(sentences, invariants=(*sentences.invariants, *map(unmoved, sentences.steps)))
    else:
        searched = layout
    initial = Evaluator(searched.protocol, scope).initial()
    reached = reach(searched, initial, lambda values: must_fit(searched, values, times=SLICED_FROM))
    grounded = _Grounded(searched, reached, sentences)
    if reductions.slicing:
        cone = cone_of(searched, reached, grounded.all)
    else:
        cone = Cone(
            frozenset(range(len(searched.cells))), tuple(i for i in reached.instances if i.guard != 0)
        )
    values = reached.grounder.values
    kept = [v if c in cone.cells else frozenset((initial[c],)) for c, v in enumerate(values)]
    # Before anything is compared: what does not fit is not searched.
    packing = packing_of(searched, kept)
    return Reduced(
        searched,
        sentences,
        initial,
        evolve(reached, instances=cone.instances),
        packing,
        cone,
        grounded.symmetry(initial, cone) if reductions.symmetry else Symmetry(),
        tuple(layout.index(symbol, args) for symbol, args in searched.cells),
        len(layout.cells),
        sum(1 for a in protocol.actions for _ in scope.tuples(a.parameters)),
    )


@frozen(eq=False)
class _Grounded:
    """Sentences as expressions over cells."""

    layout: Layout
    reached: Reach
    sentences: Sentences

    def _of(self, formulas: tuple[Bool, ...]) -> tuple[Expression, ...]:
        protocol = self.layout.protocol
        return tuple(self.reached.grounder.expression(protocol.expand(f), {}) for f in formulas)

    @property
    def all(self) -> tuple[Expression, ...]:
        """Every one of them."""
        return self._of(self.sentences.all)

    def symmetry(self, initial: World, cone: Cone) -> Symmetry:
        """The renamings that leave these sentences and what they see as they are."""
        steps = self._of(self.sentences.steps)
        if any(map(is_partial, steps)):
            return Symmetry(because="a step property may meet a number that is out of range")
        kinds = (
            self._of(self.sentences.invariants),
            steps,
            # Each witness for itself: it must not matter which of the worlds is looked at.
            *((negation(e),) for e in self._of(self.sentences.witnesses)),
        )
        values = self.reached.grounder.values
        rigid = _rigid(self.layout.protocol, self.sentences)
        return symmetry_of(self.layout, initial, values, cone, kinds, rigid)


def _rigid(protocol: Protocol, sentences: Sentences) -> Iterator[Symbol[Any, Any]]:
    """The rigid symbols that anything speaks of."""
    terms: list[Term] = [protocol.expand(f) for f in sentences.all]
    for action in protocol.actions:
        terms += [c.condition for c in action.clauses]
        terms += [t for e in action.effects for t in (e.where, e.value, *e.cell.args)]
    spoken = symbols_of(*terms)
    return (s for s in protocol.rigid if s in spoken)
