"""A composed protocol as a person would write it on a whiteboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .actions import Action, Effect
from .protocol import Protocol
from .terms import Kind, Public, Symbol, Term, symbols_of

_TITLES = {Kind.RIGID: "never changes", Kind.STATE: "state", Kind.GHOST: "history (no guard reads it)"}


def write(protocol: Protocol) -> str:
    """Layers, symbols and actions, in reading order."""
    return "\n".join(_lines(protocol))


def _lines(protocol: Protocol) -> Iterator[str]:
    yield f"protocol {protocol.name}: {', '.join(layer.name for layer in protocol.layers)}"
    remembered = set(protocol.remembers.values())
    for kind, title in _TITLES.items():
        yield ""
        yield title
        for symbol in protocol.symbols:
            if symbol.kind is kind and symbol not in remembered:
                yield f"  {_declaration(symbol)}"
    if protocol.remembers:
        names = ", ".join(s.name for s in protocol.remembers)
        yield f"  and, for each header, what its shard held then: {names}"
    if protocol.axioms:
        yield ""
        yield "assumed"
        yield from (f"  {axiom}" for axiom in protocol.axioms)
    for action in protocol.actions:
        yield ""
        yield from _action(action, remembered)


def _declaration(symbol: Symbol[Any, Any]) -> str:
    parameters = f"({_parameters(symbol.parameters)})" if symbol.parameters else ""
    initially = "" if symbol.body is None or symbol.kind is Kind.RIGID else f" = {symbol.body}"
    return f"{symbol.name}{parameters}: {symbol.sort.__name__}{initially}{_home(symbol)}"


def _home(symbol: Symbol[Any, Any]) -> str:
    if symbol.home is None:
        return ""
    return "  [public]" if isinstance(symbol.home, Public) else f"  [at {symbol.home}]"


def _parameters(parameters: tuple[Term, ...]) -> str:
    return ", ".join(f"{p.head.name}: {type(p).__name__}" for p in parameters)


def _action(action: Action, remembered: set[Symbol[Any, Any]]) -> Iterator[str]:
    place = f" at {action.actor}" if action.actor is not None else ""
    yield f"{action.name}({_parameters(action.parameters)}){place}"
    if action.doc:
        yield f"    {action.doc.splitlines()[0]}"
    for clause in action.clauses:
        yield f"  requires {clause.condition}  else {clause.refusal}"
    for effect in action.effects:
        if not _mentions(effect, remembered):
            yield f"  then     {effect}"
    if any(e.symbol in remembered for e in action.effects):
        yield "  then     the header remembers all that its shard holds"
    elif any(_mentions(e, remembered) for e in action.effects):
        yield "  then     all that the shard holds becomes what the parent remembers"


def _mentions(effect: Effect, remembered: set[Symbol[Any, Any]]) -> bool:
    return not remembered.isdisjoint(symbols_of(effect.cell, effect.value))
