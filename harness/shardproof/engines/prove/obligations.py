"""
What has to be shown, as terms: the solver, the certificate and the person read the same list.

An invariant holds initially and every action preserves it, or it follows from those; a step property
holds of every action. Besides, for each action: it writes each cell once; being accepted, it changes
something; its guard looks at nothing that another shard keeps to itself. Each is a
weakest precondition over one world, so nothing is said twice about what stays as it is.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator
from typing import Any

from attrs import frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    FALSE,
    PUBLIC,
    TRUE,
    Bool,
    Kind,
    Symbol,
    Term,
    Variable,
    any_of,
    close,
    coerce,
    equal,
    implies,
    is_first_order,
    rebuild,
    sentences,
    some,
    symbols_of,
)
from shardproof_models.layers.exactly_once import Shard
from shardproof_models.layers.reorganisation import kept
from shardproof_properties.losses import follows
from shardproof_properties.property import Property, Role

#: What is proved by induction; step properties are proved with it.
INVARIANTS = (Role.SAFETY, Role.LEMMA)
PROVED = (*INVARIANTS, Role.STEP, Role.ENABLED, Role.ISOLATION)


class Demand(enum.Enum):
    """What an obligation asks for."""

    INITIAL = "holds initially"
    PRESERVED = "is preserved by an action"
    RESPECTED = "is respected by an action"
    IMPLIED = "follows from the invariants"
    ISOLATED = "an action looks at no other shard"
    ONCE = "an action writes each cell once"
    EFFECTIVE = "an action, if accepted, changes something"


@frozen(eq=False)
class Obligation:
    """`hypotheses` and `guard` imply `goal`, whatever the variables that are free in them."""

    name: str
    hypotheses: tuple[Bool, ...]
    goal: Bool
    about: Property | None = None
    action: Action | None = None
    #: That the step is accepted.
    guard: Bool = TRUE
    #: None of what is no part of a proof by induction.
    demand: Demand | None = None


def initially(protocol: Protocol) -> tuple[Bool, ...]:
    """What is true before the first step: an open initial value may be any."""
    return tuple(
        close(s.parameters, equal(s(*s.parameters), s.body)) for s in protocol.state if s.body is not None
    )


def assumptions(protocol: Protocol, properties: tuple[Property, ...] = ()) -> tuple[Bool, ...]:
    """What is true of every world that a step begins in: axioms, and the invariants among `properties`."""
    axioms = (a for a in protocol.axioms if is_first_order(a))
    known = (protocol.expand(p.formula) for p in properties if p.first_order and p.role in INVARIANTS)
    # Sentence by sentence, because each that speaks of something else is one that need not be read.
    return (*axioms, *(s for formula in known for s in sentences(formula)))


def obligations(
    protocol: Protocol,
    properties: tuple[Property, ...],
    repeatable: Collection[str] = (),
) -> Iterator[Obligation]:
    """
    Everything that is to be shown for `properties` to hold in every reachable world and step.

    The actions called as in `repeatable` may be accepted and change nothing.
    """
    readable = tuple(p for p in properties if p.first_order)
    body = {p: protocol.expand(p.body) for p in readable}
    followers = follows(protocol)
    invariants = tuple(p for p in readable if p.role in INVARIANTS and p.name not in followers)
    known = assumptions(protocol, properties)
    axioms = assumptions(protocol)
    start = (*axioms, *initially(protocol))
    for p in invariants:
        yield Obligation(f"{p.name} holds initially", start, body[p], p, demand=Demand.INITIAL)
    others = assumptions(protocol, invariants)
    for p in readable:
        if p.role is Role.ENABLED:
            yield Obligation(
                f"{p.name} follows from the invariants", known, body[p], p, demand=Demand.IMPLIED
            )
        if p.role in INVARIANTS and p.name in followers:
            # From the others only: nothing follows from itself.
            yield Obligation(
                f"{p.name} follows from the invariants", others, body[p], p, demand=Demand.IMPLIED
            )
    for action in protocol.actions:
        guard = action.guard
        for p in invariants:
            after = action.after(body[p])
            if after is not body[p]:  # else nothing that it mentions is written
                yield Obligation(
                    f"{action.name} preserves {p.name}", known, after, p, action, guard, Demand.PRESERVED
                )
        for p in readable:
            if p.role is Role.STEP:
                yield Obligation(
                    f"{action.name} respects {p.name}",
                    known,
                    action.step(body[p]),
                    p,
                    action,
                    guard,
                    Demand.RESPECTED,
                )
            if p.role is Role.ISOLATION:
                yield _isolation(protocol, action, axioms, p)
        if invariants or any(p.role is Role.STEP for p in readable):
            yield from _well_formed(action, known, guard, repeatable)


def _well_formed(
    action: Action, known: tuple[Bool, ...], guard: Bool, repeatable: Collection[str]
) -> Iterator[Obligation]:
    """What is asked of any action: it says one thing of a cell, and being accepted, it does something."""
    for a, _, collide in action.collisions():
        if collide is not FALSE:
            yield Obligation(
                f"{action.name} writes {a.symbol.name} once",
                known,
                ~collide,
                None,
                action,
                guard,
                Demand.ONCE,
            )
    if action.name not in repeatable:
        name = f"{action.name}, if accepted, changes something"
        yield Obligation(name, known, _changes(action), None, action, guard, Demand.EFFECTIVE)


def _changes(action: Action) -> Bool:
    """Some cell that an implementation has is not what it was."""
    written = dict.fromkeys(e.symbol for e in action.effects if e.symbol.kind is Kind.STATE)
    cases = []
    for symbol in written:
        cell = symbol(*(type(p)(Variable(p.head.name)) for p in symbol.parameters))
        cases.append(some(cell.args, ~equal(action.after(cell), cell)))
    return any_of(*cases)


def _isolation(protocol: Protocol, action: Action, axioms: tuple[Bool, ...], about: Property) -> Obligation:
    """Two worlds agree on all that is public and on all that the actor keeps: so does the guard."""
    read = symbols_of(action.guard)
    elsewhere = {s: _elsewhere(s) for s in protocol.state if s in read and s.home is not PUBLIC}
    agree = []
    for symbol, other in elsewhere.items():
        # An action that happens nowhere may read nothing that is kept anywhere.
        if isinstance(symbol.home, Term) and action.actor is not None:
            fresh = tuple(type(p)(Variable(p.head.name)) for p in symbol.parameters)
            here = kept(protocol, symbol, fresh, coerce(action.actor, Shard))
            agree.append(close(fresh, implies(here, equal(symbol(*fresh), other(*fresh)))))
    guard = rebuild(action.guard, lambda t: elsewhere[t.head](*t.args) if t.head in elsewhere else t)
    return Obligation(
        f"{action.name} {about.name}",
        (*axioms, *agree),
        equal(action.guard, guard),
        about,
        action,
        demand=Demand.ISOLATED,
    )


def _elsewhere(symbol: Symbol[Any, Any]) -> Symbol[Any, Any]:
    """What `symbol` is in the other one of two worlds."""
    return Symbol(f"{symbol.name}_elsewhere", symbol.kind, symbol.parameters, symbol.sort)
