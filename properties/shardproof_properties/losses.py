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
from typing import Any, TypeVar

from attrs import define, evolve, field

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
    some,
    substitute,
    subterms,
    symbols_of,
)
from shardproof_models.layers.durability import durability
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    destination,
    executions,
    origin,
    produced,
)
from shardproof_models.layers.finality import head, height
from shardproof_models.layers.reorganisation import home_of, is_at_an_address, last_final, reorganisation
from shardproof_models.layers.resharding import live, owner, resharding

from .property import Catalogue, Property, Role

T = TypeVar("T", bound=Term)

#: Layers with which shards lose state: a sentence about what a shard does next is not one about that.
TAKEN_BACK = (reorganisation, durability)

#: Actions that take a shard back.
LOSING = ("crash", "revert")

#: Invariants that follow from others, in any world of a protocol whose headers remember: without induction
#: of their own, and so without readings.
FOLLOWS: Mapping[str, str] = {
    "trusts-only-produced-headers": "what is trusted is final, and what is final was produced",
    "executes-a-prefix": "what was executed was counted, and what was counted past was executed",
    "never-both": "what was refunded had failed, or a header would have shown its execution",
    "one-shard-sees-to-it": "an outbox holds only what its shard answers for, and one shard does",
}


def follows(protocol: Protocol) -> Mapping[str, str]:
    """Names of invariants of `protocol` that follow from its others, and why."""
    return FOLLOWS if protocol.remembers else {}


def after_losses(sources: Sequence[Catalogue]) -> Catalogue:
    """What a protocol in which shards lose state has to satisfy, besides `sources`, to satisfy these."""
    losses = Catalogue()

    @losses.schema
    def readings(protocol: Protocol) -> Iterator[Property]:
        if protocol.remembers or protocol.keeps:
            known = [p for catalogue in sources for p in catalogue.of(protocol)]
            reader = _Reader(protocol)
            growing = [reader.still_so(symbol) for symbol in _growing(protocol, known)]
            yield from growing
            for p in (*known, *growing):
                if p.role in (Role.SAFETY, Role.LEMMA) and p.first_order and p.name not in follows(protocol):
                    yield from reader.readings(p)

    return losses


def _growing(protocol: Protocol, known: Sequence[Property]) -> Iterator[Symbol[Any, Any]]:
    """What only ever grows, and is released, or spoken of in a sentence about steps."""
    # What returns to what it was (P26) is every symbol there is: that is no reason to look at it.
    steps = (p.body for p in known if p.role is Role.STEP and "[" not in p.name)
    spoken = symbols_of(*map(protocol.expand, steps))
    effects = [e for a in protocol.actions for e in a.effects if a.name not in LOSING]
    released = symbols_of(*(t for e in effects if e.symbol.home is PUBLIC for t in (e.value, e.where)))
    for symbol, copy in (protocol.keeps or protocol.remembers).items():
        if (symbol in spoken or copy in released) and all(_grows(e) for e in effects if e.symbol is symbol):
            yield symbol


def _grows(effect: Effect) -> bool:
    if effect.write is Write.ADD:
        return isinstance(effect.value.head, Literal) and effect.value.head.value > 0
    return effect.value is TRUE


@define
class _Reader:
    """How sentences about one protocol read after losses."""

    protocol: Protocol
    #: By the axioms, two names of one shard: what is written as the first is read as the second.
    names: tuple[tuple[Term, Shard], ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.names = tuple(_shorter_names(self.protocol))

    def still_so(self, symbol: Symbol[Any, Any]) -> Property:
        """Of what only grows: what a shard would go back to is not more than what it has."""
        now = symbol(*(type(p)(Variable(p.head.name)) for p in symbol.parameters))
        then, when = now, TRUE
        if self.protocol.keeps:
            then = evolve(now, head=self.protocol.keeps[symbol])
        else:
            g = Header(Variable("sealed_in"))
            then = self._in(now, g)
            when = all_of(produced(g), origin(g) == self._keeper(now), self._takes_part(g))
        still = implies(then, now) if isinstance(now, Bool) else then <= now
        return _lemma("P18", f"is-still-so[{symbol.name}]", implies(when, still))

    def readings(self, p: Property) -> Iterator[Property]:
        """`p` after each set of the shards that it speaks of has lost state."""
        parts = [q for part in sentences(self.protocol.expand(p.body)) for q in _in_two(part)]
        said = [_without_equations(self._with_a_place(part)) for part in parts]
        read = self._durable if self.protocol.keeps else self._sealed
        for i, body in enumerate(said, 1):
            name = p.name if len(said) == 1 else f"{p.name}, part {i},"
            homes = self._homes(body)
            for n in range(1, len(homes) + 1):
                for keys in itertools.combinations(homes, n):
                    lost = tuple(homes[key] for key in keys)
                    stay = (home for key, home in homes.items() if key not in keys)
                    apart = all_of(*(~equal(a, b) for b in stay for a in lost))
                    title = f"{name} after a loss at {', '.join(map(str, lost))}"
                    yield _lemma(p.id, title, read(implies(apart, body), lost))

    def _durable(self, body: Bool, lost: tuple[Shard, ...]) -> Bool:
        """`body`, where what the shards `lost` keep is what is durable of it."""
        bound, places = _bound(body), {_key(home) for home in lost}

        def durable(t: Term) -> Term:
            if t.head not in self.protocol.keeps:
                return t
            home, copy = self._keeper(t), evolve(t, head=self.protocol.keeps[t.head])
            if self._is_fixed(home, bound):
                return copy if _key(home) in places else t
            return ite(any_of(*(home == place for place in lost)), copy, t)

        return rebuild(body, durable)

    def _sealed(self, body: Bool, lost: tuple[Shard, ...]) -> Bool:
        """`body`, where the shards `lost` have returned to blocks of theirs: any that they may return to."""
        blocks = [Header(Variable(f"g{i}" if len(lost) > 1 else "g")) for i, _ in enumerate(lost)]
        back = {_key(home): g for g, home in zip(blocks, lost, strict=True)}
        bound = _bound(body)

        def sealed(t: Term) -> Term:
            now = t
            if t.head in self.protocol.remembers:
                home = self._keeper(t)
                if self._is_fixed(home, bound):
                    return self._in(t, back[_key(home)]) if _key(home) in back else t
                for g in blocks:
                    now = ite(origin(g) == home, self._in(t, g), now)
            elif t.head is head:
                for g in blocks:
                    now = ite(equal(origin(g), t.args[0]), g, now)
            elif t.head is produced:
                h = coerce(t.args[0], Header)
                # What is above the block that its shard returns to is dropped.
                left = (implies(origin(h) == origin(g), height(h) <= height(g)) for g in blocks)
                now = all_of(produced(h), *left)
            return now

        able = map(self._may_return_to, blocks)
        there = (origin(g) == home for g, home in zip(blocks, lost, strict=True))
        once = (implies(origin(a) == origin(b), a == b) for a, b in itertools.combinations(blocks, 2))
        return _without_equations(implies(all_of(*able, *there, *once), rebuild(body, sealed)))

    def _may_return_to(self, g: Header) -> Bool:
        """A reorganisation or a crash may take the shard of `g` back to what it held in `g`."""
        return all_of(produced(g), height(last_final(origin(g))) <= height(g), self._takes_part(g))

    def _takes_part(self, g: Header) -> Bool:
        """Who has not begun has sealed nothing, and who has retired loses nothing any more."""
        return live(origin(g)) if resharding in self.protocol.layers else TRUE

    def _in(self, cell: T, g: Header) -> T:
        return evolve(cell, head=self.protocol.remembers[cell.head], args=(g, *cell.args))

    def _keeper(self, cell: Term) -> Shard:
        """The shard that keeps a cell."""
        home = coerce(home_of(cell.head, cell.args), Shard)
        for name, shorter in self.names:
            if (found := _match(name, home)) is not None:
                home = substitute(shorter, found)
        moves = resharding in self.protocol.layers and is_at_an_address(cell.head)
        return owner(home) if moves else home

    def _homes(self, body: Bool) -> dict[object, Shard]:
        """The shards that `body` speaks of the state of, as far as they can be named."""
        copied, bound = self.protocol.remembers or self.protocol.keeps, _bound(body)
        homes = (self._keeper(t) for t in subterms(body) if t.head in copied)
        return {_key(home): home for home in homes if self._is_fixed(home, bound)}

    def _is_fixed(self, home: Shard, bound: set[Variable]) -> bool:
        """Whether it is one shard, whatever is lost."""
        copies = self.protocol.remembers or self.protocol.keeps
        # In a term that was rewritten already, there are copies in place of what they are copies of.
        varying = {*copies, *copies.values(), *bound}
        return not any(t.head in varying for t in subterms(home))

    def _with_a_place(self, body: Bool) -> Bool:
        """
        What was executed somewhere was executed where it is addressed: so the shard where it was has a name.

        Unless that shard has retired since, and can lose nothing.
        """

        def place(t: Term) -> Term:
            e = _some_shard(t)
            if e is None:
                return t
            inner = coerce(t.args[0], Bool)
            ran = {coerce(x.args[1], Receipt) for x in subterms(inner) if _is_execution_at(e, x)}
            if not ran:
                return t
            if resharding not in self.protocol.layers:
                return any_of(*(substitute(inner, {e.head: destination(m)}) for m in ran))
            now = [owner(destination(m)) for m in ran]
            gone = all_of(~live(e), *(e != d for d in now), inner)
            return any_of(*(substitute(inner, {e.head: d}) for d in now), some((e,), gone))

        return rebuild(body, place)


def _shorter_names(protocol: Protocol) -> Iterator[tuple[Term, Shard]]:
    for axiom in protocol.axioms:
        for part in sentences(axiom):
            body = part.args[0] if isinstance(part.head, Binder) else part
            if body.head is Op.EQ and isinstance(body.args[0], Shard):
                longer, shorter = sorted(body.args, key=lambda t: len([*subterms(t)]), reverse=True)
                yield longer, coerce(shorter, Shard)


def _match(pattern: Term, term: Term) -> dict[Variable, Term] | None:
    """What the variables of `pattern` stand for in `term`."""
    if isinstance(pattern.head, Variable):
        return {pattern.head: term}
    if pattern.head is not term.head:
        return None
    found: dict[Variable, Term] = {}
    for p, t in zip(pattern.args, term.args, strict=True):
        inner = _match(p, t)
        if inner is None:
            return None
        found |= inner
    return found


def _in_two(sentence: Bool) -> Iterator[Bool]:
    """
    That some execution was such and such, in two: there was one; and whichever it was, it was such.

    Which is the same, because there is only one. What speaks of one thing is more easily matched.
    """
    premise, conclusion = _as_implication(sentence)
    e = _some_shard(conclusion)
    parts = _conjuncts(coerce(conclusion.args[0], Bool)) if e is not None else []
    ran = [part for part in parts if any(_is_execution_at(e, t) for t in subterms(part))]
    if len(ran) != 1 or len(parts) == 1:
        yield sentence
        return
    for part in parts:
        if part is not ran[0]:
            yield implies(premise & ran[0], part)
        elif e is not None:
            yield implies(premise, some((e,), part))


def _some_shard(term: Term) -> Shard | None:
    """The variable, if `term` says that there is a shard that does something."""
    if isinstance(term.head, Binder) and term.head.op is Op.EXISTS and len(term.head.variables) == 1:
        return next((v for v in term.head.variables if isinstance(v, Shard)), None)
    return None


def _is_execution_at(e: Shard | None, cell: Term) -> bool:
    return cell.head is executions and cell.args[0] is e


def _without_equations(body: Bool) -> Bool:
    """`body`, where premises that say what a variable is are used up."""
    if body.head is not Op.IMPLIES:
        return body
    premise, conclusion = _as_implication(body)
    premises = _conjuncts(premise)
    for one in premises:
        for a, b in itertools.permutations(one.args) if one.head is Op.EQ else ():
            if isinstance(a.head, Variable) and not any(t.head is a.head for t in subterms(b)):
                others = all_of(*(p for p in premises if p is not one))
                return _without_equations(substitute(implies(others, conclusion), {a.head: b}))
    return body


def _as_implication(sentence: Bool) -> tuple[Bool, Bool]:
    if sentence.head is not Op.IMPLIES:
        return TRUE, sentence
    premise, conclusion = sentence.args
    return coerce(premise, Bool), coerce(conclusion, Bool)


def _conjuncts(body: Bool) -> list[Bool]:
    return [coerce(p, Bool) for p in body.args] if body.head is Op.AND else [body]


def _bound(body: Bool) -> set[Variable]:
    return {v.head for t in subterms(body) if isinstance(t.head, Binder) for v in t.head.variables}


def _key(t: Term) -> object:
    """Equal for terms that are written alike; terms themselves are equal by identity."""
    return t.head.value if isinstance(t.head, Literal) else (id(t.head), *map(_key, t.args))


def _lemma(id: str, name: str, body: Bool) -> Property:
    bound = _bound(body)
    free = {t.head: t for t in subterms(body) if isinstance(t.head, Variable) and t.head not in bound}
    because = "without it the proof by induction fails"
    return Property(id, name, Role.LEMMA, tuple(free.values()), body, because)
