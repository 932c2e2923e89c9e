"""
The state of a protocol as variables: a relation is the set of what it holds of, all else is a map.

Elements have the names by which traces and people call them. What is in no set and at no place
of a map is false, zero, or as it begins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shardproof_models.language.protocol import CompositionError, Protocol
from shardproof_models.language.terms import Bool, Symbol, Term
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard
from shardproof_models.layers.finality import parent
from shardproof_models.layers.sequencing import Channel
from shardproof_models.layers.value import Account
from shardproof_models.stacks import LAYERS, composed, visible

from ..oracle import ENDOWMENT
from ..story.told import Fact, Moment, Story
from ..strict_json import Json
from .values import map_of, number, set_of, tup

#: What has a name; everything else is a number.
_NAMED = (Shard, Account, Receipt, Key, Header, Channel)

#: What an account is said to have that nobody has paid anything.
_ENDOWED = "its endowment"

State = Symbol[Any, Any]

#: Values of cells, by symbol and by what each is about.
Cells = Mapping[tuple[str, tuple[str, ...]], str]


def protocol_of(layers: Sequence[str]) -> Protocol | None:
    """The protocol that judges a trace of these layers; nothing where they are none of ours."""
    try:
        return composed(visible(composed(tuple(LAYERS[name] for name in layers)).layers))
    except (KeyError, CompositionError):
        return None


def symbols(protocol: Protocol | None) -> tuple[State, ...]:
    """What the state of a protocol consists of, without the copies that headers keep of it."""
    if protocol is None:
        return ()
    copies = set(protocol.remembers.values())
    return tuple(s for s in protocol.state if s not in copies)


def cells(story: Story, known: Sequence[State]) -> Iterator[dict[tuple[str, tuple[str, ...]], str]]:
    """What the model holds before the first step of a story, and after each."""
    arity = {symbol.name: len(symbol.parameters) for symbol in known}
    start = {_place(fact, arity): fact.value for fact in story.start if fact.symbol in arity}
    held = dict(start)
    yield dict(held)
    for moment in story.moments:
        held |= _inherited(moment, held, known)
        for change in moment.changes:
            fact = change.after or change.before
            if fact is None or fact.symbol not in arity:
                continue
            place = _place(fact, arity)
            # Without a fact it is as it began.
            now = change.after.value if change.after else start.get(place)
            if now is None:
                held.pop(place, None)
            else:
                held[place] = now
        yield dict(held)


def _inherited(moment: Moment, held: Cells, known: Sequence[State]) -> dict[tuple[str, tuple[str, ...]], str]:
    """What a new header says as its parent does: in a story, it is no news."""
    told = (change.after for change in moment.changes)
    older = {f.about[0]: f.value for f in told if f is not None and f.symbol == parent.name and f.about}
    by_header = {s.name for s in known if len(s.parameters) > 1 and type(s.parameters[0]) is Header}
    return {
        (symbol, (header, *about[1:])): value
        for header, before in older.items()
        for (symbol, about), value in held.items()
        if symbol in by_header and about[0] == before
    }


def _place(fact: Fact, arity: Mapping[str, int]) -> tuple[str, tuple[str, ...]]:
    # In words, the shard that keeps a fact is not said again.
    whole = fact.about if len(fact.about) == arity[fact.symbol] else (fact.shard, *fact.about)
    return fact.symbol, whole


def variables(known: Sequence[State], held: Cells) -> dict[str, Json]:
    """The variables of one state."""
    places: dict[str, list[tuple[tuple[str, ...], str]]] = {symbol.name: [] for symbol in known}
    for (name, about), value in held.items():
        places[name].append((about, value))
    return {symbol.name: _variable(symbol, places[symbol.name]) for symbol in known}


def _variable(symbol: State, mine: Sequence[tuple[tuple[str, ...], str]]) -> Json:
    if issubclass(symbol.sort, Bool):
        return set_of(_element(about) for about, value in mine if value == "yes")
    numeric = not is_named(symbol.sort)
    return map_of((_element(about), number(_number(value)) if numeric else value) for about, value in mine)


def _number(said: str) -> int:
    """A number, in figures or as what more or less than its endowment an account has."""
    if not said.startswith(_ENDOWED):
        return int(said)
    more = said.removeprefix(_ENDOWED).replace(" ", "")
    return ENDOWMENT + int(more or "0")


def _element(about: tuple[str, ...]) -> Json:
    return about[0] if len(about) == 1 else tup(about)


def type_of(symbol: State) -> str:
    """What kind of values a variable has, in the notation of Apalache."""
    names = [_type(type(p)) for p in symbol.parameters]
    place = names[0] if len(names) == 1 else f"<<{', '.join(names)}>>"
    return f"Set({place})" if issubclass(symbol.sort, Bool) else f"{place} -> {_type(symbol.sort)}"


def _type(sort: type[Term]) -> str:
    return "Str" if is_named(sort) else "Int"


def is_named(sort: type[Term]) -> bool:
    """Whether an element of a sort has a name; if not, it is a number."""
    return issubclass(sort, _NAMED)
