"""
A shard may lose power, and then has only what was durable (L6).

Not a layer of its own state but a change to a whole protocol. Where blocks remember what
their shard held (a stack with reorganisations), a block is what is durable: a crash goes back
to the newest one. Elsewhere every symbol that a shard keeps gets a durable copy; `flush`
makes all of it durable at once, `crash` goes back to it. What is public was released and
cannot be lost, so it is computed from durable state only: an acknowledgement that outlives
the execution that it tells of is a lie.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from attrs import evolve

from ..language.actions import Action, Effect, assign, for_each, require
from ..language.protocol import CompositionError, Layer, Protocol
from ..language.terms import PUBLIC, Bool, Kind, Public, Symbol, Term, Variable, rebuild
from .exactly_once import Shard, exactly_once
from .finality import head
from .reorganisation import kept
from .resharding import NOT_LIVE, live, resharding

durability = Layer(
    "durability",
    needs=(exactly_once,),
    doc="a shard may lose power, and with it what was not durable",
)


@cache
def durable_copy(symbol: Symbol[Any, Any]) -> Symbol[Any, Any]:
    """What of `symbol` a crash cannot take."""
    return evolve(symbol, name=f"{symbol.name}_durable")


@durability.transforms
def make_durable(protocol: Protocol) -> Protocol:
    """Shards lose what was not durable; what is released comes from what is."""
    keeps = tuple(s for s in protocol.state if s.home is not Public.PUBLIC)
    for symbol in keeps:
        if symbol.home is None:
            raise CompositionError(
                f"{symbol.name} has no home, so nobody knows whether a crash takes it\n"
                "  help  declare it with state(home=...), or home=PUBLIC if it cannot be lost"
            )
    s = Shard(Variable("s"))

    def here(symbol: Symbol[Any, Any], cell: tuple[Term, ...]) -> Bool:
        return kept(protocol, symbol, cell, s)

    if protocol.remembers:
        # The head of the branch is the last that was written to disk as a whole.
        newest = protocol.remembers
        back = _copying(
            "crash",
            s,
            keeps,
            lambda symbol, cell: assign(
                symbol(*cell), newest[symbol](head(s), *cell), where=here(symbol, cell)
            ),
            "Shard `s` loses power, and starts again from its newest block.",
        )
        # Who has retired has left what it held to its heirs.
        clauses = (require(live(s), NOT_LIVE),) if resharding in protocol.layers else ()
        return evolve(protocol, actions=(*protocol.actions, evolve(back, clauses=clauses)))
    if resharding in protocol.layers:
        raise CompositionError(
            "whoever takes over from another shard has nothing durable yet\n"
            "  help  compose with reorganisation, where a new shard begins with a block of what it took over"
        )
    copies = {symbol: durable_copy(symbol) for symbol in keeps}
    flush = _copying(
        "flush",
        s,
        keeps,
        lambda symbol, cell: assign(copies[symbol](*cell), symbol(*cell), where=here(symbol, cell)),
        "All that shard `s` holds becomes durable, at once.",
    )
    crash = _copying(
        "crash",
        s,
        keeps,
        lambda symbol, cell: assign(symbol(*cell), copies[symbol](*cell), where=here(symbol, cell)),
        "Shard `s` loses power, and with it what was not durable.",
    )

    def durable(term: Any) -> Any:
        return rebuild(term, lambda t: evolve(t, head=copies[t.head]) if t.head in copies else t)

    def released(effect: Effect) -> Effect:
        if effect.symbol.home is not PUBLIC:
            return effect
        return evolve(effect, value=durable(effect.value), where=durable(effect.where))

    actions = (evolve(a, effects=tuple(map(released, a.effects))) for a in protocol.actions)
    ghosts_last = sorted(copies.values(), key=lambda c: c.kind is Kind.GHOST)
    return evolve(
        protocol,
        symbols=(*protocol.symbols, *ghosts_last),
        actions=(*actions, flush, crash),
        keeps=copies,
    )


def _copying(
    name: str,
    s: Shard,
    symbols: tuple[Symbol[Any, Any], ...],
    place: Callable[[Symbol[Any, Any], tuple[Term, ...]], Effect],
    doc: str,
) -> Action:
    effects = []
    for symbol in symbols:
        variables = tuple(type(p)(Variable(_other_than(s, p))) for p in symbol.parameters)
        effects.append(for_each(variables, lambda *cell, symbol=symbol: place(symbol, cell)))
    return Action(name, (s,), (), tuple(effects), s, doc)


def _other_than(s: Shard, p: Term) -> str:
    name: str = p.head.name
    return f"{name}'" if name == s.head.name else name
