"""How an entry of the record changes a protocol: what an action no longer checks, writes, or does besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import evolve

from ...language.actions import Action, Clause, Effect, Refusal
from ...language.protocol import Protocol
from ...language.terms import Bool, Symbol, Term
from ..mistake import with_action

S = TypeVar("S", bound=Term)


def parameter(action: Action, sort: type[S], name: str) -> S:
    """That parameter itself: to a solver, another term of the same name is another variable."""
    return next(p for p in action.parameters if isinstance(p, sort) and p.head.name == name)


def without(protocol: Protocol, action: str, *refusals: Refusal) -> Protocol:
    """`action` no longer checks these."""
    old = protocol.action(action)
    return with_action(
        protocol, evolve(old, clauses=tuple(c for c in old.clauses if c.refusal not in refusals))
    )


def checking(
    protocol: Protocol, action: str, refusal: Refusal, instead: Callable[[Action, Bool], Bool]
) -> Protocol:
    """`action` checks something else under this refusal."""
    old = protocol.action(action)

    def changed(clause: Clause) -> Clause:
        if clause.refusal != refusal:
            return clause
        return evolve(clause, condition=protocol.expand(instead(old, clause.condition)))

    return with_action(protocol, evolve(old, clauses=tuple(map(changed, old.clauses))))


def forgetting(protocol: Protocol, action: str, *symbols: Symbol[Any, Any]) -> Protocol:
    """`action` does not write these."""
    old = protocol.action(action)
    return with_action(
        protocol, evolve(old, effects=tuple(e for e in old.effects if e.symbol not in symbols))
    )


def also(
    protocol: Protocol,
    action: str,
    *,
    clauses: tuple[Clause, ...] = (),
    effects: tuple[Effect, ...] = (),
    parameters: tuple[Term, ...] = (),
) -> Protocol:
    """`action` also checks, and does, these."""
    old = protocol.action(action)
    clauses = tuple(evolve(c, condition=protocol.expand(c.condition)) for c in clauses)
    effects = tuple(
        evolve(e, value=protocol.expand(e.value), where=protocol.expand(e.where)) for e in effects
    )
    return with_action(
        protocol,
        evolve(
            old,
            parameters=(*old.parameters, *parameters),
            clauses=(*old.clauses, *clauses),
            effects=(*old.effects, *effects),
        ),
    )


def and_action(protocol: Protocol, action: Action) -> Protocol:
    """One more thing that can happen."""
    return evolve(protocol, actions=(*protocol.actions, action))
