"""
What is true stays true when shards lose state: lemmas for crashes and reorganisations, made from the others.

A crash or a reorganisation takes one shard back to what it held before, and leaves all others as
they are. An invariant that speaks of one shard survives because that shard satisfied it then; one
that speaks of two shards needs more, namely that what one of them holds now agrees with what the
other held before. So the induction carries each invariant in several readings: as things are, and
as they would be after each set of the shards that it speaks of has lost state. These readings are
generated. Nothing here is about one protocol, and nothing has to be added when a layer is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
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
    equal,
    implies,
    ite,
    rebuild,
    sentences,
    substitute,
    subterms,
    symbols_of,
)
from shardproof_models.layers.exactly_once import Header, Shard, destination, executions, origin, produced
from shardproof_models.layers.finality import head, height
from shardproof_models.layers.reorganisation import home_of, is_at_an_address, last_final
from shardproof_models.layers.resharding import live, owner, resharding

from .property import Catalogue, Property, Role

restoring = Catalogue()

#: The lemmas are made from these, which `catalogue` fills in: they may not depend on each other's modules.
SOURCES: list[Catalogue] = []

INVARIANTS = (Role.SAFETY, Role.LEMMA)

#: Invariants that follow, in any world, from others that are carried: their own readings would be idle.
FOLLOWS: Mapping[str, str] = {
    "executes-a-prefix": "what was executed is below what its destination has counted past, and that was executed",
    "announced-was-executed": "what the log says succeeded, and what succeeded was executed",
    "one-shard-sees-to-it": "an outbox holds only what its shard answers for, and one shard does",
    "the-fresh-have-done-nothing": "who has not begun cannot fall back",
}


@restoring.schema
def holds_after_losses(protocol: Protocol) -> Iterator[Property]:
    """Each invariant, after each set of the shards that it speaks of has lost state."""
    if protocol.remembers or protocol.keeps:
        known = [p for catalogue in SOURCES for p in catalogue.of(protocol)]
        for p in (*known, *_kept_for_good(protocol, known)):
            if p.role in INVARIANTS and p.first_order and p.name not in FOLLOWS:
                yield from _after_losses(protocol, p)


@restoring.schema
def what_was_so_is_still_so(protocol: Protocol) -> Iterator[Property]:
    """What a crash or a reorganisation would return to is not ahead of what is now."""
    if protocol.remembers or protocol.keeps:
        known = [p for catalogue in SOURCES for p in catalogue.of(protocol)]
        yield from _kept_for_good(protocol, known)


def _after_losses(protocol: Protocol, p: Property) -> Iterator[Property]:
    parts = [q for part in sentences(protocol.expand(p.body)) for q in _apart(part)]
    said = [_without_equations(_nowhere_else(protocol, part)) for part in parts]
    for i, body in enumerate(said, 1):
        name = p.name if len(said) == 1 else f"{p.name}, part {i},"
        homes = _homes(protocol, body)
        for n in range(1, len(homes) + 1):
            for lost in itertools.combinations(homes, n):
                stay = [h for key, h in homes.items() if key not in lost]
                yield _after_loss(protocol, evolve(p, name=name), body, [homes[k] for k in lost], stay)


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


def _after_loss(protocol: Protocol, p: Property, body: Bool, lost: list[Term], stay: list[Term]) -> Property:
    name = f"{p.name} after a loss at {', '.join(map(str, lost))}"
    apart = [~equal(a, b) for a in lost for b in stay]
    bound = _bound(body)
    if protocol.keeps:
        places = {_key(t) for t in lost}

        def durable(t: Term) -> Term:
            if t.head not in protocol.keeps:
                return t
            home, copy = _keeper(protocol, t), evolve(t, head=protocol.keeps[t.head])
            if _is_fixed(protocol, home, bound):
                return copy if _key(home) in places else t
            return ite(any_of(*(equal(home, h) for h in lost)), copy, t)

        return _lemma(p, name, implies(all_of(*apart), rebuild(body, durable)))
    blocks = [Header(Variable(f"g{i}" if len(lost) > 1 else "g")) for i, _ in enumerate(lost)]
    named = {t.head: origin(g) for g, t in zip(blocks, lost, strict=True) if isinstance(t.head, Variable)}
    there = [equal(origin(g), t) for g, t in zip(blocks, lost, strict=True) if t.head not in named]
    once = [
        implies(equal(origin(a), origin(b)), equal(a, b)) for a, b in itertools.combinations(blocks, 2)
    ]
    back = {_key(t): g for g, t in zip(blocks, lost, strict=True)}

    def sealed(t: Term) -> Term:
        if t.head in protocol.remembers:
            home = _keeper(protocol, t)
            if not _is_fixed(protocol, home, bound):
                now = t
                for g in blocks:
                    now = ite(equal(origin(g), home), _copied(protocol, t, g), now)
                return now
            g = back.get(_key(home))
            return t if g is None else _copied(protocol, t, g)
        if t.head is produced:
            return all_of(t, *(_not_above(t.args[0], g) for g in blocks))
        if t.head is head:
            for g in blocks:
                t = ite(equal(t.args[0], origin(g)), g, t)
        return t

    can = [_may_return_to(protocol, g) for g in blocks]
    whole = implies(all_of(*can, *there, *once, *apart), rebuild(body, sealed))
    return _lemma(p, name, substitute(whole, named))


def _not_above(h: Term, g: Header) -> Bool:
    return implies(equal(origin(h), origin(g)), height(h) <= height(g))


def _may_return_to(protocol: Protocol, g: Header) -> Bool:
    """A reorganisation or a crash may take the shard of `g` back to what it held in `g`."""
    able = live(origin(g)) if resharding in protocol.layers else TRUE
    return all_of(protocol.expand(produced(g)), height(last_final(origin(g))) <= height(g), able)


def _lemma(p: Property, name: str, body: Bool) -> Property:
    bound = _bound(body)
    free = {t.head: t for t in subterms(body) if isinstance(t.head, Variable) and t.head not in bound}
    return evolve(p, name=name, role=Role.LEMMA, variables=tuple(free.values()), body=body)


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


def _copied(protocol: Protocol, cell: Term, g: Header) -> Term:
    return evolve(cell, head=protocol.remembers[cell.head], args=(g, *cell.args))


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


def _kept_for_good(protocol: Protocol, known: list[Property]) -> Iterator[Property]:
    """Of what only grows: what a shard would go back to is not more than what it has."""
    copies = protocol.keeps or protocol.remembers
    for symbol in _needed(protocol, known):
        cell = tuple(type(p)(Variable(p.head.name)) for p in symbol.parameters)
        now = symbol(*cell)
        if protocol.keeps:
            variables, then, when = cell, copies[symbol](*cell), TRUE
        else:
            g = Header(Variable("sealed_in"))
            variables = (g, *cell)
            then = copies[symbol](g, *cell)
            when = produced(g) & equal(origin(g), _keeper(protocol, now))
        still = implies(then, now) if isinstance(now, Bool) else then <= now
        yield Property(
            "P18",
            f"was-so-is-still-so[{symbol.name}]",
            Role.LEMMA,
            variables,
            implies(when, still),
            "without it the proof by induction fails",
        )


def _needed(protocol: Protocol, known: list[Property]) -> Iterator[Symbol[Any, Any]]:
    """What only grows, and is released or spoken of in a sentence about steps."""
    spoken = {t.head for p in known if p.role is Role.STEP and p.id != "P26" for t in subterms(protocol.expand(p.body))}
    released = {c for a in protocol.actions for e in a.effects if e.symbol.home is PUBLIC for c in symbols_of(e.value, e.where)}
    for symbol, copy in (protocol.keeps or protocol.remembers).items():
        if (symbol in spoken or copy in released) and all(
            _grows(e) for a in protocol.actions if a.name not in LOSING for e in a.writes(symbol)
        ):
            yield symbol


#: Actions that take a shard back.
LOSING = ("crash", "revert")


def _grows(effect: Effect) -> bool:
    if effect.write is Write.ADD:
        return isinstance(effect.value.head, Literal) and effect.value.head.value > 0
    return effect.value is TRUE
