"""A composed protocol as a person would write it on a whiteboard."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .actions import Action, Effect
from .protocol import Protocol
from .terms import Kind, Public, Symbol, Term, symbols_of


def write(protocol: Protocol) -> str:
    """Layers, symbols and actions, in reading order."""
    return "\n".join(_lines(protocol))


def _lines(protocol: Protocol) -> Iterator[str]:
    yield f"protocol {protocol.name}: {', '.join(layer.name for layer in protocol.layers)}"
    remembered = set(protocol.remembers.values())
    for kind in (Kind.RIGID, Kind.STATE, Kind.GHOST):
        yield ""
        yield {Kind.RIGID: "never changes", Kind.STATE: "state", Kind.GHOST: "history (no guard reads it)"}[kind]
        for symbol in protocol.symbols:
            if symbol.kind is kind and symbol not in remembered:
                yield f"  {_declaration(symbol)}"
    if protocol.remembers:
        yield f"  and, for each header, what its shard held then: {', '.join(s.name for s in protocol.remembers)}"
    if protocol.axioms:
        yield ""
        yield "assumed"
        yield from (f"  {axiom}" for axiom in protocol.axioms)
    for action in protocol.actions:
        yield ""
        yield from _action(action, remembered)


def _declaration(symbol: Symbol[Any, Any]) -> str:
    signature = f"{symbol.name}({_parameters(symbol.parameters)}): {symbol.sort.__name__}" if symbol.parameters else f"{symbol.name}: {symbol.sort.__name__}"
    initially = "" if symbol.body is None or symbol.kind is Kind.RIGID else f" = {symbol.body}"
    home = "" if not symbol.is_state or symbol.home is None else "  [public]" if isinstance(symbol.home, Public) else f"  [at {symbol.home}]"
    return signature + initially + home


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
