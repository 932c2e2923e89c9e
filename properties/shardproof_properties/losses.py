"""
What is true stays true when shards lose state: lemmas for crashes and reorganisations, made from the others.

A crash or a reorganisation takes one shard back to what it held before, and leaves all others
as they are. An invariant that speaks of one shard survives because that shard satisfied it then;
one that speaks of two needs more: what one of them holds now has to agree with what the other held
before. So the induction carries each invariant in several readings, as things are, and as they would
be after each set of the shards that it speaks of has lost state.

Of a shard that can crash, that is one reading: in what is durable. Of one whose blocks can be
dropped, it is a reading for every block that it may have to return to, which is any that no final
block is above. Nothing here is about one layer, and nothing has to be added when a layer is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import evolve

from shardproof_models.language.actions import Effect, Write
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    PUBLIC,
    TRUE,
    Binder,
    Bool,
    Literal,
    Op,
    Symbol,
    Term,
    Variable,
    all_of,
    any_of,
    coerce,
    equal,
    implies,
    ite,
    rebuild,
    sentences,
    substitute,
    subterms,
    symbols_of,
)
from shardproof_models.layers.durability import durability
from shardproof_models.layers.exactly_once import Header, Shard, destination, executions, origin, produced
from shardproof_models.layers.finality import head, height
from shardproof_models.layers.reorganisation import home_of, is_at_an_address, last_final, reorganisation
from shardproof_models.layers.resharding import live, owner, resharding

from .property import Catalogue, Property, Role

#: Layers with which shards lose state: a sentence about what a shard does next is not one about that.
TAKEN_BACK = (reorganisation, durability)

#: Actions that take a shard back.
LOSING = ("crash", "revert")

#: Invariants that follow, in any world, from others that are carried: readings of these would be idle.
FOLLOWS: Mapping[str, str] = {
    "executes-a-prefix": "what was executed is below what its destination has counted past, and that was executed",
    "announced-was-executed": "what the log says succeeded, and what succeeded was executed",
    "one-shard-sees-to-it": "an outbox holds only what its shard answers for, and one shard does",
    "the-fresh-have-done-nothing": "who has not begun cannot lose anything",
}


def after_losses(sources: Sequence[Catalogue]) -> Catalogue:
    """What a protocol in which shards lose state has to satisfy, besides `sources`, to satisfy these."""
    losses = Catalogue()

    @losses.schema
    def readings(protocol: Protocol) -> Iterator[Property]:
        if protocol.remembers or protocol.keeps:
            known = [p for catalogue in sources for p in catalogue.of(protocol)]
            carried = (p for p in known if p.role in (Role.SAFETY, Role.LEMMA) and p.name not in FOLLOWS)
            growing = tuple(_still_so(protocol, symbol) for symbol in _growing(protocol, known))
            yield from growing
            for p in (*carried, *growing):
                if p.first_order:
                    yield from _readings(protocol, p)

    return losses


def _readings(protocol: Protocol, p: Property) -> Iterator[Property]:
    """`p` after each set of the shards that it speaks of has lost state."""
    parts = [q for part in sentences(protocol.expand(p.body)) for q in _apart(part)]
    said = [_without_equations(_nowhere_else(protocol, part)) for part in parts]
    read = _durable if protocol.keeps else _sealed
    for i, body in enumerate(said, 1):
        name = p.name if len(said) == 1 else f"{p.name}, part {i},"
        homes = _homes(protocol, body)
        for n in range(1, len(homes) + 1):
            for lost in itertools.combinations(homes, n):
                stay = (home for key, home in homes.items() if key not in lost)
                places = tuple(homes[key] for key in lost)
                apart = all_of(*(~equal(a, b) for b in stay for a in places))
                yield _lemma(
                    p.id,
                    f"{name} after a loss at {', '.join(map(str, places))}",
                    read(protocol, implies(apart, body), places),
                )


def _durable(protocol: Protocol, body: Bool, lost: tuple[Term, ...]) -> Bool:
    """`body`, where what the shards `lost` keep is what is durable of it."""
    bound, places = _bound(body), {_key(home) for home in lost}

    def durable(t: Term) -> Term:
        if t.head not in protocol.keeps:
            return t
        home, copy = _keeper(protocol, t), evolve(t, head=protocol.keeps[t.head])
        if _is_fixed(protocol, home, bound):
            return copy if _key(home) in places else t
        return ite(any_of(*(equal(home, place) for place in lost)), copy, t)

    return rebuild(body, durable)


def _sealed(protocol: Protocol, body: Bool, lost: tuple[Term, ...]) -> Bool:
    """`body`, where the shards `lost` have returned to blocks of theirs: any that they may return to."""
    blocks = [Header(Variable(f"g{i}" if len(lost) > 1 else "g")) for i, _ in enumerate(lost)]
    back = {_key(home): g for g, home in zip(blocks, lost, strict=True)}
    bound = _bound(body)

    def copy(t: Term, g: Header) -> Term:
        return evolve(t, head=protocol.remembers[t.head], args=(g, *t.args))

    def sealed(t: Term) -> Term:
        now = t
        if t.head in protocol.remembers:
            home = _keeper(protocol, t)
            if _is_fixed(protocol, home, bound):
                return copy(t, back[_key(home)]) if _key(home) in back else t
            for g in blocks:
                now = ite(equal(origin(g), home), copy(t, g), now)
        if t.head is head:
            for g in blocks:
                now = ite(equal(origin(g), t.args[0]), g, now)
        if t.head is produced:
            h = coerce(t.args[0], Header)
            # What is above the block that its shard returns to is dropped.
            return all_of(
                produced(h),
                *(implies(origin(h) == origin(g), height(h) <= height(g)) for g in blocks),
            )
        return now

    able = [_may_return_to(protocol, g) for g in blocks]
    there = [equal(origin(g), home) for g, home in zip(blocks, lost, strict=True)]
    once = [implies(origin(a) == origin(b), a == b) for a, b in itertools.combinations(blocks, 2)]
    return _without_equations(implies(all_of(*able, *there, *once), rebuild(body, sealed)))


def _may_return_to(protocol: Protocol, g: Header) -> Bool:
    """A reorganisation or a crash may take the shard of `g` back to what it held in `g`."""
    able = live(origin(g)) if resharding in protocol.layers else TRUE
    return all_of(produced(g), height(last_final(origin(g))) <= height(g), able)


def _apart(sentence: Bool) -> Iterator[Bool]:
    """
    That some execution was such and such, in two: there was one; and whichever it was, it was such.

    Which is the same, because there is only one. What speaks of one thing is more easily matched.
    """
    premise, conclusion = sentence.args if sentence.head is Op.IMPLIES else (TRUE, sentence)
    if _some_shard(conclusion) and conclusion.args[0].head is Op.AND:
        (e,) = conclusion.head.variables
        parts = conclusion.args[0].args
        ran = [part for part in parts if any(t.head is executions and t.args[0] is e for t in subterms(part))]
        others = [part for part in parts if not any(part is r for r in ran)]
        if len(ran) == 1 and others:
            yield implies(premise, evolve(conclusion, args=(ran[0],)))
            for other in others:
                yield implies(premise & ran[0], other)
            return
    yield sentence


def _some_shard(term: Term) -> bool:
    """Whether `term` says that there is a shard that does something."""
    binds = isinstance(term.head, Binder) and term.head.op is Op.EXISTS
    return binds and len(term.head.variables) == 1 and isinstance(term.head.variables[0], Shard)


def _without_equations(body: Bool) -> Bool:
    """A premise that says what a variable is, used up."""
    if body.head is not Op.IMPLIES:
        return body
    premises = body.args[0].args if body.args[0].head is Op.AND else (body.args[0],)
    for premise in premises:
        if premise.head is Op.EQ:
            for a, b in (premise.args, reversed(premise.args)):
                if isinstance(a.head, Variable) and not any(t.head is a.head for t in subterms(b)):
                    others = all_of(*(p for p in premises if p is not premise))
                    return _without_equations(substitute(implies(others, body.args[1]), {a.head: b}))
    return body


def _keeper(protocol: Protocol, cell: Term) -> Term:
    """The shard that keeps a cell."""
    home = home_of(cell.head, cell.args)
    for longer, shorter in _same(protocol):
        if (found := _matched(longer, home)) is not None:
            home = substitute(shorter, found)
    return owner(home) if resharding in protocol.layers and is_at_an_address(cell.head) else home


def _homes(protocol: Protocol, body: Bool) -> dict[object, Term]:
    """The shards that `body` speaks of the state of, as far as they can be named."""
    copied, bound = protocol.remembers or protocol.keeps, _bound(body)
    cells = (t for t in subterms(body) if t.head in copied)
    homes = (_keeper(protocol, c) for c in cells)
    return {_key(home): home for home in homes if _is_fixed(protocol, home, bound)}


def _is_fixed(protocol: Protocol, home: Term, bound: set[Variable]) -> bool:
    """Whether it is one shard, whatever is lost."""
    copies = protocol.remembers or protocol.keeps
    # Of a term that was rewritten already, the copies are as good a sign as what they are copies of.
    varying = {*copies, *copies.values(), *bound}
    return not any(t.head in varying for t in subterms(home))


def _bound(body: Bool) -> set[Variable]:
    return {v.head for t in subterms(body) if isinstance(t.head, Binder) for v in t.head.variables}


def _same(protocol: Protocol) -> Iterator[tuple[Term, Term]]:
    """By the axioms, two names of one shard, the longer one first."""
    for axiom in protocol.axioms:
        body = axiom.args[0] if isinstance(axiom.head, Binder) else axiom
        for part in body.args if body.head is Op.AND else (body,):
            if part.head is Op.EQ and isinstance(part.args[0], Shard):
                a, b = sorted(part.args, key=lambda t: len(list(subterms(t))), reverse=True)
                yield a, b


def _matched(pattern: Term, term: Term) -> dict[Variable, Term] | None:
    """What the variables of `pattern` stand for in `term`."""
    if isinstance(pattern.head, Variable):
        return {pattern.head: term}
    if pattern.head is not term.head:
        return None
    found: dict[Variable, Term] = {}
    for p, t in zip(pattern.args, term.args, strict=True):
        inner = _matched(p, t)
        if inner is None:
            return None
        found |= inner
    return found


def _key(t: Term) -> object:
    return (id(t.head), *map(_key, t.args)) if not isinstance(t.head, Literal) else t.head.value


def _nowhere_else(protocol: Protocol, body: Bool) -> Bool:
    """
    What was executed somewhere was executed where it is addressed: so the shard where it was has a name.

    Unless that shard has retired since, and can lose nothing.
    """

    def place(t: Term) -> Term:
        if not _some_shard(t):
            return t
        (e,) = t.head.variables
        ran = {x.args[1] for x in subterms(t.args[0]) if x.head is executions and x.args[0] is e}
        if not ran:
            return t
        if resharding not in protocol.layers:
            return any_of(*(substitute(t.args[0], {e.head: destination(m)}) for m in ran))
        now = any_of(*(substitute(t.args[0], {e.head: owner(destination(m))}) for m in ran))
        gone = evolve(t, args=(all_of(~live(e), *(~equal(e, owner(destination(m))) for m in ran), t.args[0]),))
        return now | gone

    return rebuild(body, place)


def _growing(protocol: Protocol, known: Sequence[Property]) -> Iterator[Symbol[Any, Any]]:
    """What only ever grows, and is released, or spoken of in a sentence about steps."""
    # What returns to what it was (P26) is every symbol there is: that is no reason to look at it.
    spoken = {t for p in known if p.role is Role.STEP and "[" not in p.name for t in symbols_of(p.body)}
    effects = [e for a in protocol.actions for e in a.effects if a.name not in LOSING]
    released = symbols_of(*(t for e in effects if e.symbol.home is PUBLIC for t in (e.value, e.where)))
    for symbol, copy in (protocol.keeps or protocol.remembers).items():
        if (symbol in spoken or copy in released) and all(_grows(e) for e in effects if e.symbol is symbol):
            yield symbol


def _grows(effect: Effect) -> bool:
    if effect.write is Write.ADD:
        return isinstance(effect.value.head, Literal) and effect.value.head.value > 0
    return effect.value is TRUE


def _still_so(protocol: Protocol, symbol: Symbol[Any, Any]) -> Property:
    """Of what only grows: what a shard would go back to is not more than what it has."""
    now = symbol(*(type(p)(Variable(p.head.name)) for p in symbol.parameters))
    if protocol.keeps:
        then, when = evolve(now, head=protocol.keeps[symbol]), TRUE
    else:
        g = Header(Variable("sealed_in"))
        then = evolve(now, head=protocol.remembers[symbol], args=(g, *now.args))
        when = produced(g) & equal(origin(g), _keeper(protocol, now))
    still = implies(then, now) if isinstance(now, Bool) else then <= now
    return _lemma("P18", f"is-still-so[{symbol.name}]", implies(when, still))


def _lemma(id: str, name: str, body: Bool) -> Property:
    bound = _bound(body)
    free = {t.head: t for t in subterms(body) if isinstance(t.head, Variable) and t.head not in bound}
    return Property(
        id, name, Role.LEMMA, tuple(free.values()), body, "without it the proof by induction fails"
    )
