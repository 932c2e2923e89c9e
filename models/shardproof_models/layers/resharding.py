"""
Shards split and merge while receipts are under way (L8).

Receipts are sent from an address to an address, and an address is answered for by one shard
at a time. A split gives the addresses of a shard to two new ones, a merge those of two to a
new one; the old ones retire, and their headers stay good proof of what they committed to. So
exactly-once is a statement about who answers for an address, and about carrying over the
records: to both children whole, and of both parents together. Layers that keep records at a
shard extend `split` and `merge`, each with its own.

Source: NEAR NEP-568; TON, `ProcessedInfo`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..language.actions import (
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
)
from ..language.protocol import Layer
from ..language.terms import FALSE, PUBLIC, Bool, Symbol, Variable, implies, ite, number
from .exactly_once import (
    Count,
    Header,
    Key,
    Receipt,
    Shard,
    answers,
    consumed,
    destination,
    emit,
    exactly_once,
    issued,
    key,
    learned,
    origin,
    produce,
    source,
)

resharding = Layer(
    "resharding",
    needs=(exactly_once,),
    touches=(consumed, learned),
    doc="shards split and merge while receipts are under way",
)

NOT_LIVE = Refusal("not live")
NOT_FRESH = Refusal("not fresh")
SAME_SHARD = Refusal("same shard")


@resharding.rigid
def reserve(s: Shard) -> Bool:
    """`s` does not exist yet; it has no address of its own."""
    ...


@resharding.rigid
def left(a: Shard) -> Bool:
    """On which side of the boundary of a split an address is."""
    ...


@resharding.axiom
def receipts_go_between_addresses(m: Receipt) -> Bool:
    """No receipt is sent from or to what is not an address."""
    return ~reserve(source(m)) & ~reserve(destination(m))


@resharding.axiom
def a_key_names_one_receipt_anywhere(m: Receipt, w: Receipt) -> Bool:
    """Two shards may become one, so a key does not depend on who keeps it."""
    return implies(key(m) == key(w), m == w)


@resharding.state(home=PUBLIC)
def live(s: Shard) -> Bool:
    """`s` takes part."""
    return ~reserve(s)


@resharding.state(home=PUBLIC)
def fresh(s: Shard) -> Bool:
    """`s` has never taken part."""
    return reserve(s)


@resharding.state(home=PUBLIC)
def owner(a: Shard) -> Shard:
    """The shard that answers for an address."""
    return a


@resharding.state(home=PUBLIC)
def spoke_for(h: Header, a: Shard) -> Bool:
    """The shard of `h` answered for the address when it produced `h`."""
    return FALSE


@resharding.redefines(answers)
def owns(d: Shard, address: Shard) -> Bool:
    """Whoever owns an address answers for it."""
    return owner(address) == d


@resharding.redefines(issued)
def issued_in_its_time(h: Header, address: Shard) -> Bool:
    """By the layout of its time, not of ours."""
    return spoke_for(h, address)


@resharding.state(home=lambda s: s)
def outbox(s: Shard, m: Receipt) -> Bool:
    """It falls to `s` to see that `m` gets where it belongs."""
    return FALSE


@resharding.ghost(home=PUBLIC)
def successions(s: Shard) -> Count:
    """How often other shards took over from `s`."""
    return number(0, Count)


@resharding.extends(emit)
def post(m: Receipt) -> Parts:
    """Whoever owns the address of the source posts it."""
    yield at(owner(source(m)))
    yield insert(outbox(owner(source(m)), m))


@resharding.extends(produce)
def speak_for_addresses(h: Header) -> Parts:
    """A header says for which addresses its shard speaks."""
    yield each(Shard, lambda a: assign(spoke_for(h, a), owner(a) == origin(h)))


@resharding.action
def split(p: Shard, a: Shard, b: Shard) -> Parts:
    """The addresses of `p` go to two new shards; each has all that `p` had recorded."""
    yield at(p)
    yield require(live(p), NOT_LIVE)
    yield require(fresh(a) & fresh(b), NOT_FRESH)
    yield require(a != b, SAME_SHARD)
    yield remove(live(p))
    yield add(successions(p), 1)
    for child in (a, b):
        yield insert(live(child))
        yield remove(fresh(child))
    yield each(Shard, lambda x: assign(owner(x), ite(left(x), a, b), where=owner(x) == p))
    # Each receipt falls to one child, or both would see to it (nearcore PR 9362).
    yield each(Receipt, lambda m: assign(outbox(a, m), outbox(p, m) & left(source(m))))
    yield each(Receipt, lambda m: assign(outbox(b, m), outbox(p, m) & ~left(source(m))))
    yield each(Receipt, lambda m: remove(outbox(p, m)))


@resharding.action
def merge(a: Shard, b: Shard, p: Shard) -> Parts:
    """The addresses of two shards go to a new one, and all that either had recorded."""
    yield at(a)
    yield require(live(a) & live(b), NOT_LIVE)
    yield require(fresh(p), NOT_FRESH)
    yield require(a != b, SAME_SHARD)
    for parent in (a, b):
        yield remove(live(parent))
        yield add(successions(parent), 1)
    yield insert(live(p))
    yield remove(fresh(p))
    yield each(Shard, lambda x: assign(owner(x), p, where=(owner(x) == a) | (owner(x) == b)))
    yield each(Receipt, lambda m: assign(outbox(p, m), outbox(a, m) | outbox(b, m)))
    yield each(Receipt, lambda m: remove(outbox(a, m)))
    yield each(Receipt, lambda m: remove(outbox(b, m)))


@resharding.defined
def passes_on(d: Shard, k: Key) -> Bool:
    """Shard `d` has spent the key `k`, and with whom it merges has to know."""
    return consumed(d, k)


def carried_over(layer: Layer, symbol: Symbol[Any, Bool], passed: Symbol[Any, Bool] | None = None) -> None:
    """
    In `layer`: what a shard keeps of a relation goes to both children whole, and is united by a merge.

    Or that part of it which is `passed` on to whoever comes of a merge.
    """
    merged = passed or symbol
    _, *others = symbol.parameters

    def cells(place: Callable[..., Effect]) -> Effect:
        return for_each(tuple(type(p)(Variable(p.head.name)) for p in others), place)

    @layer.extends(split)
    def to_both_children(p: Shard, a: Shard, b: Shard) -> Parts:
        for child in (a, b):
            yield cells(lambda *cell, child=child: assign(symbol(child, *cell), symbol(p, *cell)))

    @layer.extends(merge)
    def from_both_parents(a: Shard, b: Shard, p: Shard) -> Parts:
        yield cells(lambda *cell: assign(symbol(p, *cell), merged(a, *cell) | merged(b, *cell)))


carried_over(resharding, consumed, passes_on)
carried_over(resharding, learned)
