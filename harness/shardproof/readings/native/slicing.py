"""
Slicing: only what sentences can see of a protocol is searched (the cone of influence).

First by symbols, on the terms themselves: `seen_by` is a protocol of its own, with the symbols that
the sentences read, that guards of actions and effects which write such a symbol read, and so on, and
with the effects on these alone. Then by cells, after `reach` has found what is never read or written
at this scope: `cone_of`. (Clarke, Grumberg and Peled, Model Checking, 1999, section 13.1.)

Why an answer about the slice is one about the protocol. Forget all other cells of a trace, and leave
out the steps that change no kept cell: what is left is a trace of the slice, because a kept guard
and what is written to a kept cell read kept cells only. It is no longer, so nothing in the protocol
is nearer than in the slice. A step that is left out changes nothing that a sentence reads, so it
violates no invariant that was not violated before, and no step property that holds of a step that
changes nothing. Whether one does is asked of every world, as an invariant (see `unmoved`): where it does
not, nothing may be sliced. So what holds in the slice, holds.

Numbers out of range. Where one is cut off, the protocol takes no step, and the slice may take one, if
it does not see the number: it has more traces, so what holds there still holds, and a violation may be
none: whoever finds one must take its steps in the protocol. Nothing that was inconclusive becomes
"holds" without being so either: in the cone by symbols nothing depends on what was forgotten, at any
scope; and of that cone, every cell that may leave its range, and every attempt that may meet such a
number otherwise, is kept, also where at this scope it seems to matter to nothing. What is forgotten
of the cone was thus found to be of no matter without anything being cut off, or behind something
cut off that the search will report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any

from attrs import evolve, frozen

from shardproof_models.language.actions import Write
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Op, Symbol, rebuild, symbols_of

from ..scope import Layout
from .expression import Cell, Expression, cells_of, implied, is_partial, possible
from .ground import Instance, Looked, Written
from .reach import Reach, narrowed


def symbols_seen_by(protocol: Protocol, formulas: Iterable[Bool]) -> frozenset[Symbol[Any, Any]]:
    """The state that decides what closed `formulas` say of a trace."""
    seen = {s for s in symbols_of(*map(protocol.expand, formulas)) if s.is_state}
    while more := {s for written, read in _reads(protocol) if written in seen for s in read} - seen:
        seen |= more
    return frozenset(seen)


@lru_cache(maxsize=8)
def _reads(protocol: Protocol) -> tuple[tuple[Symbol[Any, Any], frozenset[Symbol[Any, Any]]], ...]:
    """For each effect: the state that it writes, and that which decides whether and what."""
    made = []
    for action in protocol.actions:
        guard = symbols_of(*(c.condition for c in action.clauses))
        for effect in action.effects:
            read = guard | symbols_of(effect.where, effect.value, *effect.cell.args)
            made.append((effect.symbol, frozenset(s for s in read if s.is_state)))
    return tuple(made)


def seen_by(protocol: Protocol, formulas: Iterable[Bool]) -> Protocol:
    """The part of a protocol that closed `formulas` can see, by symbols."""
    seen = symbols_seen_by(protocol, formulas)
    return evolve(
        protocol,
        symbols=tuple(s for s in protocol.symbols if not s.is_state or s in seen),
        actions=tuple(
            evolve(a, effects=tuple(e for e in a.effects if e.symbol in seen))
            for a in protocol.actions
            if any(e.symbol in seen for e in a.effects)
        ),
    )


def unmoved(formula: Bool) -> Bool:
    """What a step property says of a step that changes nothing, as a sentence about the world."""
    return rebuild(formula, lambda t: t.args[0] if t.head is Op.NEXT else t)


@frozen(eq=False)
class Cone:
    """The cells that are kept, and the attempts that write one, with what they write to those alone."""

    cells: frozenset[int]
    instances: tuple[Instance, ...]


def cone_of(layout: Layout, reached: Reach, sentences: Iterable[Expression]) -> Cone:
    """The part of what `reached` that closed `sentences` can see, by cells."""
    possible_ones = [i for i in reached.instances if i.guard != 0]
    kept = {cell.index for e in sentences for cell in cells_of(e)}
    for instance in possible_ones:
        kept |= _leaving(layout, reached.grounder.values, instance)
    size = -1
    while size != len(kept):
        size = len(kept)
        for instance in possible_ones:
            effects = _on(kept, instance)
            if effects or is_partial(instance.guard):
                kept |= {cell.index for e in (instance.guard, *_parts(effects)) for cell in cells_of(e)}
    return Cone(
        frozenset(kept),
        tuple(
            evolve(instance, effects=effects)
            for instance in possible_ones
            if (effects := _on(kept, instance)) or is_partial(instance.guard)
        ),
    )


def _on(kept: set[int], instance: Instance) -> tuple[Written | Looked, ...]:
    return tuple(e for e in instance.effects if isinstance(e, Looked) or e.cell in kept)


def _parts(effects: Sequence[Written | Looked]) -> Iterator[Expression]:
    for effect in effects:
        if isinstance(effect, Looked):
            yield effect.expression
        else:
            yield from (effect.value, effect.condition)


def _leaving(layout: Layout, values: Sequence[frozenset[int]], instance: Instance) -> set[int]:
    """The cells that this attempt might take out of their range, as far as is known."""
    accepted = implied(instance.guard)
    leaving, written = set(), set()
    for effect in instance.effects:
        if isinstance(effect, Looked):
            continue
        domain = layout.scope.domain(layout.cells[effect.cell][0].sort)
        known = narrowed(accepted, implied(effect.condition))
        new = possible(effect.value, known)
        if new is not None and effect.write is Write.ADD:
            old = known.get(Cell(effect.cell, values[effect.cell]), values[effect.cell])
            # What is added in several parts may leave the range although no part does.
            new = None if effect.cell in written else frozenset(a + b for a, b in product(old, new))
        if new is None or any(v not in domain for v in new) or any(map(is_partial, _parts((effect,)))):
            leaving.add(effect.cell)
        written.add(effect.cell)
    return leaving
