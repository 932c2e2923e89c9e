"""
What a shard that loses power must have afterwards (L6).

A protocol can be proved safe although it restores too little, if nothing says what has to be
restored. So it is said here, before anything is proved of it: what is released is durable, what
becomes durable does so all at once, and a crash takes all of the rest, whatever it is that is kept.
What a reorganisation must restore is next to the other sentences of the core, in `safety`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    TRUE,
    Bool,
    Symbol,
    Term,
    Variable,
    all_of,
    durable,
    equal,
    implies,
    next_,
    sealed,
)
from shardproof_models.layers.closing import closed, closed_in
from shardproof_models.layers.deadlines import clock
from shardproof_models.layers.durability import durability
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    answers,
    commits,
    destination,
    emitted,
    executions,
    issued,
    origin,
    produced,
    recorded,
    source,
)
from shardproof_models.layers.finality import head
from shardproof_models.layers.outcomes import acknowledged_in, acknowledgement, received_in, time
from shardproof_models.layers.reorganisation import kept, reorganisation
from shardproof_models.layers.resharding import live, resharding
from shardproof_models.layers.sequencing import Channel, receiver

from .property import Catalogue, Property, Role

restoring = Catalogue()


@restoring.invariant("P18", because="a receipt that was released and is forgotten runs, and was never sent")
def commits_only_to_what_is_durable(h: Header, m: Receipt) -> Bool:
    """What a header commits to in the name of its shard, a crash of that shard cannot take."""
    return implies(all_of(produced(h), commits(h, m), issued(h, source(m))), durable(emitted(m)))


@restoring.invariant("P18", because="an outcome that was proved and is forgotten happens again, differently")
def attests_only_what_is_durable(h: Header, m: Receipt) -> Bool:
    """What a header attests of its shard, a crash of that shard cannot take."""
    d = origin(h)
    there = all_of(
        implies(received_in(h, m), durable(recorded(d, m))),
        implies(acknowledged_in(h, m), durable(acknowledgement(d, m))),
        time(h) <= durable(clock(d)),
    )
    return implies(produced(h) & issued(h, destination(m)), there)


@restoring.invariant("P18", because="a channel that was proved closed, and opens, delivers what was refunded")
def closes_durably(h: Header, c: Channel) -> Bool:
    """That a channel is closed, a header says only once no crash can open it."""
    return implies(all_of(produced(h), issued(h, receiver(c)), closed_in(h, c)), durable(closed(c)))


@restoring.invariant("P18", because="an effect that survives its record is repeated")
def durable_effects_are_durably_recorded(d: Shard, m: Receipt) -> Bool:
    """What a crash would leave as executed was executed, and it would leave the record of it."""
    ran = durable(executions(d, m))
    return (ran <= executions(d, m)) & implies(ran >= 1, durable(recorded(d, m)))


@restoring.invariant(
    "P18",
    reorganisation,
    durability,
    because="a block is what survives: what it promises and does not hold is forgotten",
)
def blocks_hold_what_they_commit_to(h: Header, m: Receipt) -> Bool:
    """What a block commits to in the name of its shard, it holds itself."""
    own = all_of(produced(h), commits(h, m), issued(h, source(m)), answers(origin(h), source(m)))
    return implies(own, sealed(h, emitted(m)))


@restoring.schema
def crashes_atomically(protocol: Protocol) -> Iterator[Property]:
    """P18, for each symbol: who has lost an emission or an execution has lost all that was not durable."""
    for symbol, x, variables, here, s, m in _cells(protocol):
        lost = _sent(protocol, m, s) & emitted(m) & ~next_(emitted(m))
        undone = next_(executions(s, m)) < executions(s, m)
        if protocol.keeps:
            safe, falls = durable(x), lost | undone
        else:
            # A reorganisation has another head afterwards; what it restores is P26.
            safe, falls = sealed(head(s), x), (lost | undone) & (next_(head(s)) == head(s))
        yield _step(
            f"crashes-atomically[{symbol.name}]",
            variables,
            implies(falls & here, equal(next_(x), safe)),
            "what a crash leaves behind of an effect that it took is paid out again",
            "A crash leaves what is durable, and nothing else.",
        )


@restoring.schema
def becomes_durable_atomically(protocol: Protocol) -> Iterator[Property]:
    """P18, for each symbol: where an emission or an execution becomes durable, all of its shard does."""
    for symbol, x, variables, here, s, m in _cells(protocol):
        if protocol.keeps:
            sent = _sent(protocol, m, s) & ~durable(emitted(m)) & next_(durable(emitted(m)))
            done = durable(executions(s, m)) < next_(durable(executions(s, m)))
            yield _step(
                f"becomes-durable-atomically[{symbol.name}]",
                variables,
                implies((sent | done) & here, equal(next_(durable(x)), x)),
                "an effect that is durable before its record is repeated after a crash",
                "What becomes durable does so together with all that its shard holds.",
            )


_Cell = tuple[Symbol[Any, Any], Term, tuple[Term, ...], Bool, Shard, Receipt]


def _cells(protocol: Protocol) -> Iterator[_Cell]:
    """Each symbol that shards keep, a cell of it, that some shard keeps it, that shard, and a receipt."""
    if durability in protocol.layers:
        for symbol in protocol.keeps or protocol.remembers:
            s, m = Shard(Variable("s")), Receipt(Variable("m"))
            cell = tuple(type(p)(Variable(f"{p.head.name}'")) for p in symbol.parameters)
            here = kept(protocol, symbol, cell, s)
            # Who has retired has nothing left to lose, and its address is another's.
            here &= live(s) if resharding in protocol.layers else TRUE
            yield symbol, symbol(*cell), (s, m, *cell), here, s, m


def _sent(protocol: Protocol, m: Receipt, s: Shard) -> Bool:
    return kept(protocol, emitted, (m,), s)


def _step(name: str, variables: tuple[Term, ...], body: Bool, because: str, doc: str) -> Property:
    return Property("P18", name, Role.STEP, variables, body, because, doc, (durability,))
