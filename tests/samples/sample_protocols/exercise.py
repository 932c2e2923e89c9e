"""
Not a protocol: every construct of the language, in the combinations that real layers avoid.

Real layers do not exercise a language. Reading after reading has passed all of them while it was
wrong for two effects on one symbol, for a sum that met itself in one cell, for a number without
a cell. What is odd here is meant to be.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from shardproof.readings.scope import Scope
from shardproof_models.language.actions import (
    Effect,
    Parts,
    Refusal,
    add,
    assign,
    at,
    each,
    for_each,
    insert,
    remove,
    require,
    waive,
)
from shardproof_models.language.protocol import Layer, Protocol, compose
from shardproof_models.language.terms import (
    FALSE,
    TRUE,
    Bool,
    Entity,
    Number,
    Symbol,
    Term,
    Variable,
    exists,
    forall,
    implies,
    ite,
    number,
    sealed,
    total,
)
from shardproof_properties.property import Catalogue


class Place(Entity):
    """Three of them, at the scope used here."""


class Token(Entity):
    """Two of them."""


class Amount(Number):
    """From -2 to 3."""


lower = Layer("lower")
NO, NEITHER, NOWHERE, HIGH, LATER = map(Refusal, ("no", "neither", "nowhere", "high", "later"))


# ---- symbols of no to three parameters, of every kind and sort --------------------------------


@lower.rigid
def beside(p: Place) -> Place: ...


@lower.rigid
def worth(t: Token) -> Amount: ...


@lower.rigid
def friends(p: Place, q: Place) -> Bool: ...


@lower.rigid
def most() -> Amount: ...


@lower.axiom
def friendship_is_mutual(p: Place, q: Place) -> Bool:
    return implies(friends(p, q), friends(q, p))


@lower.state
def turn() -> Place: ...


@lower.state
def count() -> Amount:
    return number(-1, Amount)


@lower.state
def opened() -> Bool:
    return FALSE


@lower.state
def held(p: Place) -> Amount:
    return ite(beside(p) == p, number(1, Amount), number(0, Amount))


@lower.state
def favourite(p: Place) -> Place:
    return beside(p)


@lower.state
def chosen(p: Place) -> Token: ...


@lower.state
def marked(p: Place, n: Amount) -> Bool:
    return (n == 0) | friends(p, p)


@lower.state
def sided(p: Place, b: Bool) -> Bool:
    return b


@lower.state
def owner(n: Amount, t: Token) -> Place: ...


@lower.state
def at_three(p: Place, t: Token, n: Amount) -> Bool:
    return TRUE


@lower.state
def stock(p: Place, q: Place, t: Token) -> Amount:
    return worth(t)


@lower.ghost
def seen(p: Place) -> Amount:
    return number(0, Amount)


@lower.ghost
def last(t: Token) -> Place: ...


@lower.defined
def busy(p: Place) -> Bool:
    return held(p) > 1


@lower.defined
def idle(p: Place) -> Bool:
    return ~busy(p) | (p == turn())


# ---- actions --------------------------------------------------------------------------------------


@lower.action
def transfer(p: Place, q: Place, n: Amount) -> Parts:
    """Two additions that may meet in one cell, with a detour out of the range."""
    yield at(p)
    yield require(n <= held(p), NO)
    yield require(idle(q), NEITHER)
    yield add(held(p), number(0, Amount) - n)
    yield add(held(q), n)


@lower.action
def swap(p: Place, q: Place) -> Parts:
    """A cell found through another cell, on both sides; and a swap, which needs simultaneity."""
    yield require((favourite(p) != favourite(q)) | (held(favourite(p)) < 2), NEITHER)
    yield assign(favourite(p), favourite(q))
    yield assign(favourite(q), favourite(p), where=p != q)
    yield add(held(favourite(favourite(p))), 1)


@lower.action
def sweep(n: Amount) -> Parts:
    """Every place at once; a number as an argument, and one beyond the end."""
    yield require(exists(Place, lambda p: held(p) == n) & (total(Place, held, Amount) < 5), NOWHERE)
    yield each(Place, lambda p: insert(marked(p, held(p) + 1), where=held(p) <= n))
    yield each(
        Place,
        lambda p: assign(
            favourite(p), ite(forall(Place, lambda q: implies(marked(q, n), q == p)), beside(p), p)
        ),
    )


@lower.action
def reset(p: Place, t: Token, n: Amount) -> Parts:
    """Assignments and additions to one cell, the later assignment winning; of every sort."""
    yield add(stock(p, p, t), 1)
    yield assign(stock(p, p, t), n)
    yield assign(stock(p, turn(), t), n - 1, where=opened())
    yield add(stock(p, beside(p), t), n, where=~opened())
    yield assign(count(), ite(opened(), count() + n, number(0, Amount)))
    yield add(count(), -1)
    yield assign(opened(), ~opened())
    yield assign(turn(), ite(marked(p, n), owner(n, t), p))
    yield assign(chosen(p), ite(p == turn(), t, chosen(turn())))
    yield assign(last(t), last(chosen(p)))
    yield add(seen(p), ite(exists(Token, lambda u: last(u) == p), number(1, Amount), number(0, Amount)))


@lower.action
def paint(p: Place, b: Bool) -> Parts:
    """For each of two, over arguments that are not the last, met twice, or found through another cell."""
    yield require(sided(p, b) == exists(Bool, lambda c: ~c & sided(p, c)), NO)
    yield each(Place, lambda q: assign(marked(q, count()), friends(p, q)))
    yield each(Place, Token, lambda q, t: assign(stock(q, p, t), held(q), where=q != beside(p)))
    yield each(Place, lambda q: add(stock(beside(q), q, chosen(q)), 1, where=friends(q, p)))
    yield each(
        Token, Amount, lambda t, n: remove(at_three(p, t, n), where=(n <= count()) | (owner(n, t) == p))
    )
    yield each(Bool, lambda c: assign(sided(p, c), sided(p, ~c)))
    yield each(Amount, lambda n: assign(owner(n, chosen(p)), turn(), where=n < 0))
    near = exists(Place, lambda q: friends(p, q) & friends(p, beside(q)))
    yield add(seen(p), ite(near, number(1, Amount), number(0, Amount)))


@lower.action
def quantify(p: Place) -> Parts:
    """Quantifiers inside each other, and the same names twice."""
    yield require(
        forall(
            Place,
            Place,
            lambda q, r: implies(friends(q, r), exists(Token, lambda t: stock(q, r, t) <= most())),
        ),
        NO,
    )
    yield require(
        exists(Place, lambda q: forall(Amount, lambda n: implies(marked(q, n), at_three(p, chosen(q), n)))),
        NEITHER,
    )
    yield require(
        total(Place, lambda q: total(Token, lambda t: stock(q, p, t), Amount), Amount) <= 6, NOWHERE
    )
    yield each(
        Place,
        lambda q: assign(
            held(q),
            ite(exists(Place, lambda r: friends(r, q) & (held(r) < held(q))), held(beside(q)), held(q)),
            where=exists(Place, lambda r: favourite(r) == q),
        ),
    )
    yield insert(marked(p, total(Place, held, Amount)))


upper = Layer("upper", needs=(lower,), touches=(held, stock))


@upper.state
def limit(p: Place) -> Amount:
    return number(2, Amount)


@upper.widens(busy)
def busy_when_marked(p: Place) -> Bool:
    return marked(p, number(-2, Amount)) & (limit(p) < 2)


@upper.extends(transfer)
def limited(q: Place, n: Amount, t: Token) -> Parts:
    """A new parameter; a clause waived, one put before another, one behind all."""
    yield waive(NEITHER)
    yield require(n <= limit(q), HIGH, before=NO)
    yield require(busy(q) | (worth(t) > 0), LATER)
    yield add(limit(q), number(0, Amount) - n, where=worth(t) == n)
    # A third addition to what the base moves.
    yield add(held(q), ite(busy(q), number(1, Amount), number(0, Amount)))


@upper.action
def photograph(x: Place) -> Parts:
    """Keeps a copy of what each place holds; see `remember`."""
    yield require(opened() | (turn() == x), LATER)


@upper.transforms
def remember(protocol: Protocol) -> Protocol:
    """Each place remembers, when photographed, what every place held and liked: what `sealed` looks at."""
    x = Place(Variable("x"))
    copies: dict[Symbol[Any, Any], Symbol[Any, Any]] = {
        s: Symbol(f"{s.name}_then", s.kind, (x, *s.parameters), s.sort, s.body, home=s.home)
        for s in (held, favourite, seen)
    }

    def copied(symbol: Symbol[Any, Any], taken: Term) -> Effect:
        p = Place(Variable("p"))
        return for_each((p,), lambda q: assign(copies[symbol](taken, q), symbol(q)))

    actions = tuple(
        evolve(a, effects=(*a.effects, *(copied(s, a.parameters[0]) for s in copies)))
        if a.name == photograph.name
        else a
        for a in protocol.actions
    )
    return evolve(
        protocol, symbols=(*protocol.symbols, *copies.values()), actions=actions, remembers=dict(copies)
    )


EXERCISE = compose("exercise", upper)

catalogue = Catalogue()


@catalogue.step("E1", because="it uses what a step property can use")
def looks_ahead(p: Place, n: Amount) -> Bool:
    """Now, next, sealed, and the one inside the other."""
    later = exists(Place, lambda q: sealed(q, held(p)) < n)
    return implies(sealed(p, favourite(p)) == p, later | (held(p) <= n))


def scope() -> Scope:
    """Three places, two tokens, and amounts that begin below zero."""
    return Scope(
        {Place: 3, Token: 2, Amount: range(-2, 4)},
        {
            "beside": lambda p: (0, 0, 1)[p],
            "worth": lambda t: (2, -1)[t],
            "most": lambda: 3,
            "friends": lambda p, q: (p + q) % 3 == 0 or p == q == 1,
        },
        "3 places, 2 tokens and amounts from -2 to 3",
    )
