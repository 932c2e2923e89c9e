"""
How a protocol can be got wrong, as changes to it.

Each mistake is a protocol again, so every engine can look at it. One that no property notices is
news: either what was dropped is not needed, or nobody watches it.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from .language.actions import Action
from .language.protocol import Protocol


def dropped_clauses(protocol: Protocol) -> Iterator[tuple[str, Protocol]]:
    """For each clause of each action: its name, and the protocol that forgets to check it."""
    for action in protocol.actions:
        for i, clause in enumerate(action.clauses):
            changed = evolve(action, clauses=(*action.clauses[:i], *action.clauses[i + 1 :]))
            yield f"{action.name} without '{clause.refusal}'", _with(protocol, action, changed)


def dropped_effects(protocol: Protocol) -> Iterator[tuple[str, Protocol]]:
    """For each effect of each action: what it says, and the protocol that forgets to do it."""
    for action in protocol.actions:
        for i, effect in enumerate(action.effects):
            changed = evolve(action, effects=(*action.effects[:i], *action.effects[i + 1 :]))
            yield f"{action.name} without '{effect}'", _with(protocol, action, changed)


def _with(protocol: Protocol, action: Action, changed: Action) -> Protocol:
    return evolve(protocol, actions=tuple(changed if a is action else a for a in protocol.actions))
