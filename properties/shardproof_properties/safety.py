"""
Nothing bad happens: the sentences that people lose money by, and their witnesses.

Read them in order: at most once, only what was really sent, only where it belongs, only on
evidence that stays. A witness after a group shows that the group is not true of nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    Bool,
    Term,
    Variable,
    all_of,
    equal,
    exists,
    implies,
    next_,
    sealed,
)
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    answers,
    commits,
    consumed,
    destination,
    emitted,
    excused,
    executions,
    genesis,
    issued,
    key,
    learned,
    origin,
    produced,
    source,
    trusted,
    witness,
)
from shardproof_models.layers.finality import final, head
from shardproof_models.layers.reorganisation import dropped, kept, reorganisation
from shardproof_models.layers.resharding import fresh, live, resharding

from .property import Catalogue, Property, Role

safety = Catalogue()

#: Actions that may be accepted and change nothing, and why. Of every other one, being accepted
#: and changing nothing would be a lie to whoever asked for it; the prover shows that it never is.
REPEATABLE: Mapping[str, str] = {
    "crash": "a crash right after everything became durable loses nothing",
    "flush": "what is durable already is made durable again",
    "upgrade": "a new version that asks for what the old one asked for changes nothing",
    "certify": "signing twice is signing once",
    "forge_certificate": "the adversary may sign twice",
    "expose": "what has leaked may leak again",
    "learn_validators": "a header may be shown twice",
    "learn": "a relayer cannot know what a light client has been shown before",
    "restart": "an orderly restart is one that nobody notices",
}


def ran(m: Receipt) -> Bool:
    """`m` was executed, somewhere."""
    return exists(Shard, lambda e: executions(e, m) >= 1)


@safety.invariant("P01", because="a receipt executed twice mints its amount out of thin air")
def executes_at_most_once(d: Shard, e: Shard, m: Receipt) -> Bool:
    """The executions of a receipt, on all shards together, are never more than one."""
    once = (executions(d, m) >= 0) & (executions(d, m) <= 1)
    return once & implies((executions(d, m) >= 1) & (executions(e, m) >= 1), d == e)


@safety.invariant("P02", because="a forged receipt spends money that nobody sent")
def executes_only_what_was_emitted(d: Shard, m: Receipt) -> Bool:
    """What was executed had been emitted, and a header of its own source commits to it."""
    w = witness(d, m)
    return implies(executions(d, m) >= 1, all_of(emitted(m), commits(w, m), issued(w, source(m))))


@safety.invariant("P02", because="what is executed on a block that can vanish cannot be taken back")
def executes_only_on_final_headers(d: Shard, m: Receipt) -> Bool:
    """What was executed is committed to by a block that stays."""
    return implies(executions(d, m) >= 1, final(witness(d, m)))


@safety.invariant(
    "P03",
    because="a receipt that runs elsewhere changes a shard that never agreed to it",
    outside=(resharding,),
)
def executes_at_its_destination(d: Shard, m: Receipt) -> Bool:
    """A receipt runs nowhere but at its destination."""
    return implies(executions(d, m) >= 1, destination(m) == d)


@safety.step(
    "P03", resharding, because="a receipt that runs elsewhere changes a shard that never agreed to it"
)
def executes_where_its_address_is(d: Shard, m: Receipt) -> Bool:
    """A receipt runs nowhere but at the shard that answers for its destination at that time."""
    return implies(executions(d, m) < next_(executions(d, m)), answers(d, destination(m)))


@safety.invariant(
    "P21", because="a receipt that is marked and never run is lost, and what it carries with it"
)
def marks_only_what_it_executes(d: Shard, m: Receipt) -> Bool:
    """What its destination has spent the key of, it or who answered before it has executed."""
    return implies(consumed(d, key(m)) & answers(d, destination(m)), ran(m) | excused(d, m))


@safety.invariant(
    "P10", because="what no chain has produced, the null root among it, proves anything to whoever trusts it"
)
def trusts_only_produced_headers(d: Shard, h: Header) -> Bool:
    """A root of proof is the header of a block that is on its chain."""
    return implies(trusted(d, h), produced(h))


@safety.invariant("P10", because="a light client that trusts a losing fork proves anything")
def trusts_only_final_headers(d: Shard, h: Header) -> Bool:
    """A root of proof is the header of a block that stays."""
    return implies(trusted(d, h), final(h))


@safety.invariant("P10", because="evidence that nobody checked is evidence that anybody can make")
def executes_only_on_trusted_headers(d: Shard, m: Receipt) -> Bool:
    """What a shard has executed, it has executed on a header that it trusts."""
    return implies(executions(d, m) >= 1, trusted(d, witness(d, m)))


@safety.step("P12", because="a header that changes after it was proved proves two things")
def headers_never_change(h: Header, m: Receipt) -> Bool:
    """What a produced header commits to is fixed."""
    return implies(produced(h), next_(commits(h, m)) == commits(h, m))


@safety.invariant(
    "P12",
    reorganisation,
    because="a header that is dropped and comes back with other contents proves two things",
)
def dropped_headers_stay_away(h: Header) -> Bool:
    """No block is on its chain that was dropped from it."""
    return ~(dropped(h) & produced(h))


@safety.step(
    "P12",
    reorganisation,
    because="what is off the chain and not known to be dropped can come back as another block",
)
def what_leaves_the_chain_is_dropped(h: Header) -> Bool:
    """A block that leaves its chain is dropped, for good."""
    return implies(produced(h), next_(produced(h)) | next_(dropped(h))) & implies(
        dropped(h), next_(dropped(h))
    )


@safety.step("P10", because="finality that can be lost is a confirmation count")
def final_headers_stay(h: Header) -> Bool:
    """What is final stays on the chain."""
    return implies(final(h), next_(final(h)) & next_(produced(h)))


@safety.schema
def reverts_atomically(protocol: Protocol) -> Iterator[Property]:
    """P26, for each symbol: after a block is dropped, its shard holds what its new head had sealed."""
    for symbol in protocol.state:
        if reorganisation in protocol.layers and isinstance(symbol.home, Term):
            g = Header(Variable("g"))  # cells of `learned` have an h of their own
            cell = tuple(type(p)(Variable(p.head.name)) for p in symbol.parameters)
            x = symbol(*cell)
            here = kept(protocol, symbol, cell, origin(g))
            falls = all_of(here, produced(g), ~next_(produced(g)))
            restored = equal(next_(x), next_(sealed(head(origin(g)), x)))
            rises = all_of(here, ~produced(g), next_(produced(g)))
            snapshot = equal(next_(sealed(g, x)), x)
            yield Property(
                "P26",
                f"reverts-atomically[{symbol.name}]",
                Role.STEP,
                (g, *cell),
                implies(falls, restored) & implies(rises, snapshot),
                "balances that return without the table of consumed receipts are paid out again",
                "A dropped block takes with it everything that its shard did in it, all at once.",
                (reorganisation,),
            )


@safety.schema
def begins_atomically(protocol: Protocol) -> Iterator[Property]:
    """P26, for each symbol: a shard that begins has sealed what it took over."""
    for symbol in protocol.state:
        founded = reorganisation in protocol.layers and resharding in protocol.layers
        if founded and isinstance(symbol.home, Term):
            s = Shard(Variable("heir"))
            cell = tuple(type(p)(Variable(p.head.name)) for p in symbol.parameters)
            x = symbol(*cell)
            begins = all_of(~live(s), next_(live(s)), next_(kept(protocol, symbol, cell, s)))
            yield Property(
                "P26",
                f"begins-atomically[{symbol.name}]",
                Role.STEP,
                (s, *cell),
                implies(begins, equal(next_(sealed(genesis(s), x)), next_(x))),
                "a shard that splits and is rolled back to its beginning executes again what its parent had",
                "What a new shard takes over is in its genesis: no reorganisation takes it away.",
                (reorganisation, resharding),
            )


@safety.invariant(
    "P22",
    reorganisation,
    resharding,
    because="a block of a shard that does not take part yet proves what nobody answers for",
)
def who_has_not_begun_has_no_blocks(h: Header) -> Bool:
    """The chain of a shard that has not taken part yet is its genesis."""
    return implies(produced(h) & fresh(origin(h)), h == genesis(origin(h)))


safety.isolation(
    "P27",
    "isolates-shards",
    because="a shard that must look at another one waits for it",
    doc="What a shard accepts depends on its own state and on released evidence, never on another shard.",
)


@safety.sometimes("P01")
def executes(d: Shard, m: Receipt) -> Bool:
    """Something is executed at all."""
    return executions(d, m) >= 1


@safety.sometimes("P02")
def executes_from_each_of_two_shards(d: Shard, m: Receipt, e: Shard, w: Receipt) -> Bool:
    """Receipts of two sources run."""
    return (executions(d, m) >= 1) & (executions(e, w) >= 1) & (source(m) != source(w))


@safety.sometimes("P10")
def trusts_a_header_of_another_shard(d: Shard, h: Header) -> Bool:
    """A light client has learned something."""
    return learned(d, h) & (origin(h) != d) & (h != genesis(origin(h)))


@safety.sometimes("P26", reorganisation)
def drops_a_block_that_committed(h: Header, m: Receipt) -> Bool:
    """A dropped block had committed to a receipt of its own shard."""
    return dropped(h) & commits(h, m) & (source(m) == origin(h))


@safety.sometimes("P26", reorganisation)
def drops_an_execution(h: Header, d: Shard, m: Receipt) -> Bool:
    """A dropped block had executed a receipt, which is due again."""
    done = dropped(h) & (origin(h) == d) & (sealed(h, executions(d, m)) >= 1)
    return done & (executions(d, m) == 0) & ~consumed(d, key(m)) & emitted(m)
