"""Shards that split without their counters, and queues in which one receipt stops all others."""

from __future__ import annotations

from attrs import evolve

from ...language.actions import Action, Refusal, assign, each, insert, remove, require
from ...language.protocol import Protocol
from ...language.terms import FALSE, Bool, Kind, Symbol, Variable, all_of, forall, implies
from ...layers.exactly_once import (
    CONSUMED,
    UNPROVEN,
    Header,
    Receipt,
    Shard,
    commits,
    consumed,
    destination,
    exactly_once,
    key,
    origin,
    source,
    trusted,
)
from ...layers.failures import failures, succeeded
from ...layers.queues import queued, queues
from ...layers.resharding import outbox, resharding
from ...layers.suspension import NOT_DRAINED, suspension
from ..named import named
from .changing import also, and_action, checking, forgetting, parameter


@named(
    "B42",
    exactly_once,
    resharding,
    source="near/nearcore PRs 9362 and 4869; NEP-568",
    violates=("P22", "P01"),
    shortest=6,
    differs="shorter: that two shards have it to send is the violation already",
)
def every_child_claims_it(protocol: Protocol) -> Protocol:
    """Each child of a split takes all that its parent had to send."""
    split = protocol.action("split")
    p, a, b = (parameter(split, Shard, n) for n in "pab")
    to_one = each(Receipt, lambda m: assign(outbox(a, m), outbox(p, m)))
    to_the_other = each(Receipt, lambda m: assign(outbox(b, m), outbox(p, m)))
    gone = each(Receipt, lambda m: remove(outbox(p, m)))
    return also(forgetting(protocol, "split", outbox), "split", effects=(to_one, to_the_other, gone))


@named(
    "B47",
    exactly_once,
    failures,
    queues,
    source="near/nearcore PRs 11381 and 11712",
    violates=("P25", "P23"),
    shortest=4,
    differs="shorter: a counter that leaves out what has come in is wrong at once",
)
def counter_from_the_wrong_block(protocol: Protocol) -> Protocol:
    """What leaves a queue is counted from a block in which it was not there yet."""
    return forgetting(protocol, "emit", queued)


@named(
    "B48",
    exactly_once,
    failures,
    queues,
    suspension,
    source="paritytech/polkadot-sdk issues 1777 and 1431",
    violates=("Q7", "Q6", "P21"),
    shortest=3,
)
def resume_waits_behind_the_data(protocol: Protocol) -> Protocol:
    """The signal to resume travels in the queue that is suspended, so there must be something in it."""

    def with_the_data(action: Action, was: Bool) -> Bool:
        s, d = parameter(action, Shard, "s"), parameter(action, Shard, "d")
        return was & (queued(s, d) > 0)

    return checking(protocol, "resume", NOT_DRAINED, with_the_data)


STORED = Refusal("a stored payload is in the way")


@named(
    "B50",
    exactly_once,
    failures,
    source="LayerZero v1, stored payloads; CodeHawks Morpheus, finding 281",
    violates=("Q5", "Q4"),
    shortest=4,
    differs="longer: a block and its proof are steps here, and the attempt that is refused is none",
)
def a_stored_payload_blocks(protocol: Protocol) -> Protocol:
    """After one failure nothing more from its source is delivered to anybody there."""
    deliver = protocol.action("deliver")
    d, m = parameter(deliver, Shard, "d"), parameter(deliver, Receipt, "m")
    free = forall(
        Receipt,
        lambda w: implies(consumed(d, key(w)) & (source(w) == source(m)), succeeded(d, w)),
    )
    return also(protocol, "deliver", clauses=(require(free, STORED),))


@named(
    "B51",
    exactly_once,
    failures,
    source="MultiversX, CVE-2023-33964, GHSA-7xpv-4pm9-xch2",
    violates=("Q5", "Q4"),
    shortest=5,
    differs="shorter: nothing has to be final",
)
def a_poison_element_halts_the_chain(protocol: Protocol) -> Protocol:
    """After a receipt that fails, its shard seals no block any more."""
    produce = protocol.action("produce")
    h = parameter(produce, Header, "h")
    well = forall(Receipt, lambda w: implies(consumed(origin(h), key(w)), succeeded(origin(h), w)))
    return also(protocol, "produce", clauses=(require(well, STORED),))


@named(
    "B54",
    exactly_once,
    source="harmony-one/harmony issue 3620",
    violates=("Q1", "Q9"),
    shortest=4,
    differs="as long: no epoch has to begin, but the header has to be learned afterwards",
)
def dropped_when_it_comes_too_early(protocol: Protocol) -> Protocol:
    """A receipt whose header cannot be checked yet is dropped for good, not kept for later."""
    d, m, h = Shard(Variable("d")), Receipt(Variable("m")), Header(Variable("h"))
    discarded: Symbol[[Shard, Receipt], Bool] = Symbol(
        "discarded", Kind.STATE, (d, m), Bool, FALSE, "The shard will not look at it again.", d
    )
    early = all_of(~trusted(d, h), commits(h, m), origin(h) == source(m), destination(m) == d)
    drop = Action(
        "receive_early",
        (d, m, h),
        (require(protocol.expand(early), UNPROVEN), require(~discarded(d, m), CONSUMED)),
        (insert(discarded(d, m)),),
        d,
        "A relayer presents what cannot be checked yet.",
    )
    deliver = protocol.action("deliver")
    here = discarded(parameter(deliver, Shard, "d"), parameter(deliver, Receipt, "m"))
    protocol = also(protocol, "deliver", clauses=(require(~here, STORED),))
    return and_action(evolve(protocol, symbols=(*protocol.symbols, discarded)), drop)
