"""
The fewest layers in which a mistake can be made: what it takes to see that it is one.

To forget an effect of one layer is the same mistake in every protocol that has the layer. A trace
that shows it is shorter, and sooner found, where there is nothing else. What the trace shows, it
shows of these layers; that the mistake is none has to be shown of the protocol that somebody uses.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..language.actions import Action, Clause, Refusal
from ..language.protocol import CompositionError, Layer, Protocol
from ..language.terms import Term, symbols_of
from ..stacks import composed
from .mistake import Kind, Mistake


def smallest(protocol: Protocol, mistake: Mistake) -> Protocol:
    """
    The composition of those layers of `protocol` that what is mistaken speaks of, with what they need.

    Whether the mistake can be made in it is for the caller to see: one layer may say otherwise what
    another one said before. Where these layers do not fit together, it is `protocol` itself.
    """
    wanted: set[Layer] = set()
    for right, wrong in zip(protocol.actions, mistake.protocol.actions, strict=True):
        if right is not wrong:
            wanted |= {*_of_action(protocol, right)}
            for clause in _changed(right, wrong):
                declared = {x for x in protocol.layers if clause.refusal in _refusals(x, right)}
                wanted |= declared or {x for x in protocol.layers if x.transformations}
                if not declared or mistake.kind is Kind.COMPARISON:
                    wanted |= {*_of_symbols(protocol, clause.condition)}
            for effect in {*right.effects} ^ {*wrong.effects}:
                wanted |= {*_of_symbols(protocol, effect.cell, effect.value, effect.where)}
    needed = {x for layer in wanted for x in _closure(layer)}
    try:
        return composed(tuple(x for x in protocol.layers if x in needed))
    except CompositionError:
        return protocol


def _of_action(protocol: Protocol, action: Action) -> Iterator[Layer]:
    declared = [x for x in protocol.layers if any(a.name == action.name for a in x.actions)]
    # What no layer declares, a transformation has added.
    yield from declared or (x for x in protocol.layers if x.transformations)


def _changed(right: Action, wrong: Action) -> Iterator[Clause]:
    """Clauses of `right` that `wrong` does not have, or has in another place."""
    gone = {*right.clauses} - {*wrong.clauses}
    if gone or len(right.clauses) != len(wrong.clauses):
        yield from gone
    else:
        pairs = zip(right.clauses, wrong.clauses, strict=True)
        yield from (a for a, b in pairs if a is not b)


def _refusals(layer: Layer, action: Action) -> set[Refusal]:
    own = (a for a in layer.actions if a.name == action.name)
    more = (x for base, x, _ in layer.extensions if base.name == action.name)
    return {c.refusal for said in (*own, *more) for c in said.clauses}


def _of_symbols(protocol: Protocol, *terms: Term) -> Iterator[Layer]:
    copied = {copy: s for copies in (protocol.remembers, protocol.keeps) for s, copy in copies.items()}
    for symbol in symbols_of(*terms):
        if symbol in copied:
            yield from (x for x in protocol.layers if x.transformations)
        yield from (x for x in protocol.layers if copied.get(symbol, symbol) in x.symbols)


def _closure(layer: Layer) -> Iterator[Layer]:
    yield layer
    for lower in layer.needs:
        yield from _closure(lower)
