"""
When a mistake cannot be seen, because nothing that anybody looks at depends on what it changes.

An argument about what is written down, not about what is true: which symbols the guards and the
properties read, which symbols the effects on those read, and so on until nothing is added. A
mistake in an effect on any other symbol is followed by the same answers and the same verdicts.
Lemmas and witnesses do not count: they are about the proof and about the search.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shardproof_models.language.actions import Action, Effect
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol, symbols_of
from shardproof_properties.property import Property, Role

#: Sentences that somebody would be told of, if they were false.
SAID = (Role.SAFETY, Role.STEP, Role.ENABLED, Role.PROGRESS)


def unseen(right: Protocol, wrong: Protocol, properties: Iterable[Property]) -> tuple[Symbol[Any, Any], ...]:
    """
    What the mistake writes otherwise, if nothing that is looked at depends on it; else nothing.

    Both protocols have the same symbols and actions.
    """
    pairs = [(a, b) for a, b in zip(right.actions, wrong.actions, strict=True) if a is not b]
    if any(a.clauses != b.clauses for a, b in pairs):
        return ()
    changed = tuple(dict.fromkeys(e.symbol for a, b in pairs for e in _changes(a, b)))
    seen = _seen((right, wrong), (right.expand(p.body) for p in properties if p.role in SAID))
    return () if any(s in seen for s in changed) else changed


def _changes(a: Action, b: Action) -> Iterable[Effect]:
    yield from (e for e in a.effects if e not in b.effects)
    yield from (e for e in b.effects if e not in a.effects)


def _seen(protocols: tuple[Protocol, ...], looked_at: Iterable[Any]) -> set[Symbol[Any, Any]]:
    actions = [a for p in protocols for a in p.actions]
    seen = symbols_of(*looked_at, *(c.condition for a in actions for c in a.clauses))
    read = {e: symbols_of(e.value, e.where, *e.cell.args) for a in actions for e in a.effects}
    while True:
        more = {s for e, needed in read.items() if e.symbol in seen for s in needed} - seen
        if not more:
            return seen
        seen |= more
