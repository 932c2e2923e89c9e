"""
Consensus may drop blocks that are not final, and the shard's whole state with them (L4).

The second half is the hard one: a bridge that restores balances but not its table of
consumed receipts executes twice. So it is not left to each layer to say what returns.
Every symbol has a home; `remember` gives each header a copy of all that its shard held,
and `revert` returns all of it, at once. What must come of it is stated apart, as a
property, because a reorganisation that restores too little breaks no other sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from attrs import evolve

from ..language.actions import (
    Action,
    Effect,
    Parts,
    Refusal,
    assign,
    at,
    each,
    for_each,
    insert,
    remove,
    require,
)
from ..language.protocol import CompositionError, Layer, Protocol
from ..language.terms import (
    FALSE,
    PUBLIC,
    Bool,
    Kind,
    Number,
    Public,
    Symbol,
    Term,
    Variable,
    coerce,
    equal,
    ite,
    substitute,
)
from .exactly_once import Header, Shard, address, answers, genesis, origin, produce, produced
from .finality import ALREADY_FINAL, NOT_PRODUCED, final, finalise, finality, head, height, parent
from .resharding import NOT_LIVE, live, merge, reserve, resharding, split

reorganisation = Layer(
    "reorganisation",
    needs=(finality,),
    touches=(produced, head),
    doc="blocks that are not final may be dropped, and all that their shard did with them",
)

DROPPED = Refusal("dropped")

#: What becomes of the copy in a header, or by it, of a cell of a symbol.
Place = Callable[[Header, Symbol[Any, Any], tuple[Term, ...]], Effect]


@reorganisation.state(home=PUBLIC)
def dropped(h: Header) -> Bool:
    """`h` was on the chain once. A block that comes back with other contents is another block."""
    return FALSE


@reorganisation.ghost(home=PUBLIC)
def last_final(s: Shard) -> Header:
    """The highest block of `s` that is final: as far as that its chain can be taken back, and no further."""
    return genesis(s)


@reorganisation.extends(finalise)
def this_far(h: Header) -> Parts:
    """Finality is reached in the order of the chain, so the last is the highest."""
    yield assign(last_final(origin(h)), h)


@reorganisation.extends(produce)
def never_again(h: Header) -> Parts:
    """What was dropped does not return."""
    yield require(~dropped(h), DROPPED)


@reorganisation.action
def revert(h: Header) -> Parts:
    """Consensus drops `h` and every block after it."""
    yield at(origin(h))
    yield require(produced(h), NOT_PRODUCED)
    yield require(~final(h), ALREADY_FINAL)

    def gone(g: Header) -> Bool:
        return produced(g) & (origin(g) == origin(h)) & (height(h) <= height(g))

    yield each(Header, lambda g: insert(dropped(g), where=gone(g)))
    yield each(Header, lambda g: remove(produced(g), where=gone(g)))
    yield assign(head(origin(h)), parent(h))


@cache
def remembered(symbol: Symbol[Any, Any], *, reshards: bool) -> Symbol[Any, Any]:
    """What the shard that sealed a header held of `symbol` at that moment."""
    h = Header(Variable("sealed_in"))
    begun = equal(h, genesis(origin(h)))
    if reshards:
        begun &= ~reserve(origin(h))
    return Symbol(
        f"{symbol.name}_sealed",
        symbol.kind,
        (h, *symbol.parameters),
        symbol.sort,
        None if symbol.body is None else ite(begun, symbol.body, _not_so(symbol.body)),
        symbol.doc,
        PUBLIC,
    )


def _not_so(initial: Term) -> Term:
    """
    What a header holds that nobody has sealed: not what shards begin with, as far as that can be said.

    Nobody may read it; and who forgets to seal, where nothing has happened yet, is found out at once.
    """
    if isinstance(initial, Bool):
        return ~initial
    return initial + 1 if isinstance(initial, Number) else initial


@reorganisation.transforms
def remember(protocol: Protocol) -> Protocol:
    """Each header remembers what its shard held; dropping it returns all of that."""
    reshards = resharding in protocol.layers
    copies = {s: remembered(s, reshards=reshards) for s in protocol.state if s.home is not Public.PUBLIC}
    for symbol in copies:
        if symbol.home is None:
            raise CompositionError(
                f"{symbol.name} has no home, so nobody knows whether a reorganisation takes it back\n"
                "  help  declare it with state(home=...), or home=PUBLIC if it can never be taken back"
            )

    def cells(h: Header, place: Place) -> tuple[Effect, ...]:
        made = []
        for symbol in copies:
            variables = tuple(type(p)(Variable(_other_than(h, p))) for p in symbol.parameters)
            made.append(for_each(variables, lambda *cell, symbol=symbol: place(h, symbol, cell)))
        return tuple(made)

    def snapshot(h: Header, symbol: Symbol[Any, Any], cell: tuple[Term, ...]) -> Effect:
        return assign(copies[symbol](h, *cell), symbol(*cell), where=kept(protocol, symbol, cell, origin(h)))

    def restore(h: Header, symbol: Symbol[Any, Any], cell: tuple[Term, ...]) -> Effect:
        return assign(
            symbol(*cell), copies[symbol](parent(h), *cell), where=kept(protocol, symbol, cell, origin(h))
        )

    def changed(action: Action) -> Action:
        if action.name in (produce.name, revert.name):
            h = coerce(action.parameters[0], Header)
            effects = cells(h, snapshot if action.name == produce.name else restore)
            # Who has not begun has nothing to seal, and what a shard held when it retired is its heirs'.
            clauses = (require(live(origin(h)), NOT_LIVE),) if reshards else ()
            return evolve(action, clauses=(*action.clauses, *clauses), effects=(*action.effects, *effects))
        names = FOUNDED.get(action.name, ())
        founded = [coerce(p, Shard) for p in action.parameters if p.head.name in names]
        births = [e for new in founded for e in cells(genesis(new), at_birth(action, new))]
        return evolve(action, effects=(*action.effects, *births)) if births else action

    def at_birth(action: Action, new: Shard) -> Place:
        def sealed(h: Header, symbol: Symbol[Any, Any], cell: tuple[Term, ...]) -> Effect:
            # A new shard begins with what it took over: its first block may be dropped, not that.
            here = action.after(kept(protocol, symbol, cell, new))
            return assign(copies[symbol](h, *cell), action.after(symbol(*cell)), where=here)

        return sealed

    ghosts_last = sorted(copies.values(), key=lambda s: s.kind is Kind.GHOST)
    return evolve(
        protocol,
        symbols=(*protocol.symbols, *ghosts_last),
        actions=tuple(map(changed, protocol.actions)),
        remembers=copies,
    )


def kept(protocol: Protocol, symbol: Symbol[Any, Any], cell: tuple[Term, ...], s: Shard) -> Bool:
    """Whether shard `s` keeps the cell: as its own, or because it answers for the address that has it."""
    home = coerce(home_of(symbol, cell), Shard)
    own = equal(home, s)
    moves = resharding in protocol.layers and is_at_an_address(symbol)
    return own | protocol.expand(answers(s, home)) if moves else own


#: Actions that found shards, and the parameters that are founded.
FOUNDED = {split.name: ("a", "b"), merge.name: ("p",)}


def home_of(symbol: Symbol[Any, Any], cell: tuple[Term, ...]) -> Term:
    """The shard that keeps the cell of `symbol` at these arguments."""
    if not isinstance(symbol.home, Term):
        raise CompositionError(f"{symbol.name} is kept by no shard")
    home = symbol.home.args[0] if symbol.home.head is address else symbol.home
    return substitute(home, {p.head: a for p, a in zip(symbol.parameters, cell, strict=True)})


def is_at_an_address(symbol: Symbol[Any, Any]) -> bool:
    """Whether the state goes where an address goes, or else stays with its shard."""
    return isinstance(symbol.home, Term) and not isinstance(symbol.home.head, Variable)


def _other_than(h: Header, p: Term) -> str:
    name: str = p.head.name
    return f"{name}'" if name == h.head.name else name
