"""
A small protocol whose reachable worlds and transitions other checkers have counted.

Receipts travel in copies, honest and forged, between shards whose light clients follow each
other. SPIN, TLC, rumur and Stateright agree on the counts; ours must as well.
"""

from __future__ import annotations

from shardproof.readings.scope import Scope
from shardproof_models.language.actions import Parts, Refusal, add, assign, each, insert, remove, require
from shardproof_models.language.protocol import Layer, Protocol, compose
from shardproof_models.language.terms import FALSE, Bool, Entity, Number, exists, implies, number
from shardproof_properties.property import Catalogue, Property


class Shard(Entity):
    """A chain with a light client of each other one."""


class Receipt(Entity):
    """A message from one shard to the next."""


class Height(Number):
    """How many headers a shard has sealed."""


class Copies(Number):
    """How many honest copies of a receipt are in flight."""


class Times(Number):
    """How often a receipt was applied."""


DISABLED = Refusal("disabled")


def benchmark(mutant: int = 0) -> tuple[Protocol, tuple[Property, ...]]:
    """The protocol and its invariants; mutant 1 does not deduplicate, mutant 2 checks no proof."""
    layer, catalogue = Layer("benchmark"), Catalogue()

    @layer.rigid
    def source(r: Receipt) -> Shard: ...

    @layer.rigid
    def destination(r: Receipt) -> Shard: ...

    @layer.rigid
    def copies_max() -> Copies: ...

    @layer.state
    def emitted(r: Receipt) -> Bool:
        return FALSE

    @layer.state
    def included(r: Receipt) -> Height:
        return number(0, Height)

    @layer.state
    def sealed_at(s: Shard) -> Height:
        return number(0, Height)

    @layer.state
    def client(s: Shard, d: Shard) -> Height:
        return number(0, Height)

    @layer.state
    def copies(r: Receipt) -> Copies:
        return number(0, Copies)

    @layer.state
    def forged(r: Receipt) -> Bool:
        return FALSE

    @layer.state
    def applied(r: Receipt) -> Times:
        return number(0, Times)

    @layer.action
    def emit(r: Receipt) -> Parts:
        yield require(~emitted(r), DISABLED)
        yield insert(emitted(r))

    @layer.action
    def seal(s: Shard) -> Parts:
        def new(r: Receipt) -> Bool:
            return (source(r) == s) & emitted(r) & (included(r) == 0)

        yield require(exists(Receipt, new), DISABLED)
        yield add(sealed_at(s), 1)
        yield each(Receipt, lambda r: assign(included(r), sealed_at(s) + 1, where=new(r)))

    @layer.action
    def relay(s: Shard, d: Shard, h: Height) -> Parts:
        yield require(s != d, DISABLED)
        yield require((client(s, d) < h) & (h <= sealed_at(s)), DISABLED)
        yield assign(client(s, d), h)

    @layer.action
    def send(r: Receipt) -> Parts:
        yield require((included(r) > 0) & (copies(r) < copies_max()), DISABLED)
        yield add(copies(r), 1)

    @layer.action
    def forge(r: Receipt) -> Parts:
        yield require(~emitted(r) & ~forged(r), DISABLED)
        yield insert(forged(r))

    @layer.action
    def drop(r: Receipt) -> Parts:
        yield require(copies(r) > 0, DISABLED)
        yield add(copies(r), -1)

    @layer.action
    def deliver(r: Receipt) -> Parts:
        yield require(copies(r) > 0, DISABLED)
        yield add(copies(r), -1)
        fresh = applied(r) < 2 if mutant == 1 else applied(r) == 0
        yield add(applied(r), 1, where=(included(r) <= client(source(r), destination(r))) & fresh)

    @layer.action
    def drop_forged(r: Receipt) -> Parts:
        yield require(forged(r), DISABLED)
        yield remove(forged(r))

    @layer.action
    def deliver_forged(r: Receipt) -> Parts:
        yield require(forged(r), DISABLED)
        yield remove(forged(r))
        if mutant == 2:
            yield assign(applied(r), 1, where=applied(r) == 0)

    @catalogue.invariant("B1", because="a receipt applied twice mints its amount")
    def applies_at_most_once(r: Receipt) -> Bool:
        return applied(r) <= 1

    @catalogue.invariant("B2", because="a forged receipt spends what nobody sent")
    def applies_only_what_was_emitted(r: Receipt) -> Bool:
        return implies(applied(r) > 0, emitted(r))

    protocol = compose("benchmark" + (f"-mutant-{mutant}" if mutant else ""), layer)
    return protocol, catalogue.of(protocol)


def benchmark_scope(shards: int, receipts: int, copies: int) -> Scope:
    """So many shards and receipts, and at most so many copies of a receipt in flight."""
    sealed_most = max(sum(r % shards == s for r in range(receipts)) for s in range(shards))
    return Scope(
        {Shard: shards, Receipt: receipts, Height: sealed_most + 1, Copies: copies + 1, Times: 3},
        {
            "source": lambda r: r % shards,
            "destination": lambda r: (r + 1) % shards,
            "copies_max": lambda: copies,
        },
        f"{shards} shards, {receipts} receipts and {copies} copies in flight",
    )
