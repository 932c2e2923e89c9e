"""
Every small mistake in an action: a clause forgotten or out of its place, an effect forgotten, a
comparison off by one.

They are made from the composed protocol, so a new layer has its mistakes without a word being
added here.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from attrs import evolve

from ..language.actions import Action, Clause, Effect
from ..language.protocol import Protocol
from ..language.terms import Bool, Number, Op, Term, rebuild, subterms
from .mistake import Kind, Mistake, with_action

T = TypeVar("T", bound=Term)

#: What is said of a change, and the action that it makes.
Change = tuple[str, Action]


def generated(protocol: Protocol) -> Iterator[Mistake]:
    """Every small mistake in an action of `protocol`; no two have the same name."""
    seen: Counter[str] = Counter()
    for action in protocol.actions:
        for kind, changes in _KINDS.items():
            for says, changed in changes(action):
                name = f"{action.name} {says}"
                seen[name] += 1
                # An action may say the same thing twice, and then each of the two can be forgotten.
                name = f"{name} ({seen[name]})" if seen[name] > 1 else name
                yield Mistake(name, kind, with_action(protocol, changed), protocol.name, name)


def dropped_clauses(protocol: Protocol) -> Iterator[tuple[str, Protocol]]:
    """For each clause of each action: its name, and the protocol that forgets to check it."""
    return ((m.name, m.protocol) for m in generated(protocol) if m.kind is Kind.CLAUSE)


def dropped_effects(protocol: Protocol) -> Iterator[tuple[str, Protocol]]:
    """For each effect of each action: what it says, and the protocol that forgets to do it."""
    return ((m.name, m.protocol) for m in generated(protocol) if m.kind is Kind.EFFECT)


# ---- one action ------------------------------------------------------------------------------------


def _clauses(action: Action) -> Iterator[Change]:
    for i, clause in enumerate(action.clauses):
        yield f"without '{clause.refusal}'", _with_clauses(action, i, i + 1)


def _orders(action: Action) -> Iterator[Change]:
    for i, (first, second) in enumerate(itertools.pairwise(action.clauses)):
        yield f"'{second.refusal}' before '{first.refusal}'", _with_clauses(action, i, i + 2, second, first)


def _effects(action: Action) -> Iterator[Change]:
    for i, effect in enumerate(action.effects):
        yield f"without '{effect}'", _with_effects(action, i, i + 1)


def _comparisons(action: Action) -> Iterator[Change]:
    for i, clause in enumerate(action.clauses):
        for says, condition in _compared_otherwise(clause.condition):
            changed = evolve(clause, condition=condition)
            yield f"'{clause.refusal}' with {says}", _with_clauses(action, i, i + 1, changed)
    for i, effect in enumerate(action.effects):
        for says, where in _compared_otherwise(effect.where):
            yield f"'{effect}' with {says}", _with_effects(action, i, i + 1, evolve(effect, where=where))
        for says, value in _compared_otherwise(effect.value):
            yield f"'{effect}' with {says}", _with_effects(action, i, i + 1, evolve(effect, value=value))


_KINDS: Mapping[Kind, Callable[[Action], Iterator[Change]]] = {
    Kind.CLAUSE: _clauses,
    Kind.ORDER: _orders,
    Kind.EFFECT: _effects,
    Kind.COMPARISON: _comparisons,
}


def _with_clauses(action: Action, start: int, stop: int, *instead: Clause) -> Action:
    return evolve(action, clauses=(*action.clauses[:start], *instead, *action.clauses[stop:]))


def _with_effects(action: Action, start: int, stop: int, *instead: Effect) -> Action:
    return evolve(action, effects=(*action.effects[:start], *instead, *action.effects[stop:]))


# ---- one term --------------------------------------------------------------------------------------


def _compared_otherwise(term: T) -> Iterator[tuple[str, T]]:
    for part in subterms(term):
        for other in _otherwise(part):
            yield f"{part} as {other}", _replaced(term, part, other)


def _replaced(term: T, part: Term, other: Term) -> T:
    return rebuild(term, lambda t: other if t is part else t)


def _otherwise(comparison: Term) -> Iterator[Bool]:
    """What `comparison` is taken for by somebody who is not careful."""
    if comparison.head in (Op.LT, Op.LE):
        yield Bool(Op.LE if comparison.head is Op.LT else Op.LT, comparison.args)
    elif comparison.head is Op.EQ and isinstance(comparison.args[0], Number):
        left, right = comparison.args
        yield Bool(Op.LE, (left, right))
        yield Bool(Op.LE, (right, left))
