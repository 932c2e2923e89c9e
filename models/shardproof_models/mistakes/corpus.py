"""
What has happened to real systems, as changes to a protocol.

Each entry says what was done, not what came of it. It is made in the smallest composition that
can make it, so that the trace that shows it is about nothing else. What is wrong with bytes
only (a proof that is not bound to its root, an encoding that differs between nodes) is not
here: that is a faulty shard (`shardproof list adapters`).

The numbers are those of the table in `models/README.md`. `shortest` is the number of steps of a
trace that was derived by hand from the report of the incident: it takes for granted what the
report does, so where ours is not as long, or goes another way, `differs` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from attrs import evolve

from ..language.actions import (
    Action,
    Clause,
    Effect,
    Refusal,
    add,
    assign,
    each,
    insert,
    remove,
    require,
)
from ..language.protocol import Protocol
from ..language.terms import (
    FALSE,
    Bool,
    Kind,
    Symbol,
    Term,
    Variable,
    all_of,
    exists,
    forall,
    implies,
    number,
    symbols_of,
)
from ..layers.bouncing import bouncing, owed
from ..layers.callbacks import callbacks, context
from ..layers.deadlines import clock, deadline, deadlines
from ..layers.encodings import NOT_CANONICAL, Encoding, encodings, spelt_key
from ..layers.escrow import locked, minted
from ..layers.exactly_once import (
    CONSUMED,
    UNPROVEN,
    UNTRUSTED_HEADER,
    WRONG_SOURCE,
    Count,
    Header,
    Key,
    Receipt,
    Shard,
    commits,
    consumed,
    destination,
    exactly_once,
    key,
    learned,
    origin,
    produced,
    source,
    trusted,
)
from ..layers.expiring import STILL_DELIVERABLE, expiring, key_deadline
from ..layers.failures import announced, failures, succeeded
from ..layers.finality import NOT_FINAL, Height, finality
from ..layers.forwarding import forwarding, onward
from ..layers.optimistic import WATCHED, optimistic
from ..layers.outcomes import NOT_ELAPSED, NOT_PENDING, outcomes, pending, time
from ..layers.pruning import NOT_NEXT, pruning, watermark
from ..layers.queues import queued, queues
from ..layers.reorganisation import reorganisation
from ..layers.resharding import outbox, resharding
from ..layers.restarts import restarts
from ..layers.sequencing import Channel, next_send, sequencing
from ..layers.suspension import NOT_DRAINED, suspension
from ..layers.trust import (
    ALREADY_INITIALISED,
    TOO_FEW_SIGNATURES,
    TRUST_EXPIRED,
    UNKNOWN_VALIDATORS,
    ValidatorSet,
    knows,
    threshold,
    trust,
)
from ..layers.value import INSUFFICIENT, Amount, amount, balance, circulating, credited, payer, sent, value
from .mistake import with_action
from .named import named

S = TypeVar("S", bound=Term)

# ---- making a change --------------------------------------------------------------------------------


def _parameter(action: Action, sort: type[S], name: str) -> S:
    """That parameter itself: to a solver, another term of the same name is another variable."""
    return next(p for p in action.parameters if isinstance(p, sort) and p.head.name == name)


def _without(protocol: Protocol, action: str, *refusals: Refusal) -> Protocol:
    """`action` no longer checks these."""
    old = protocol.action(action)
    return with_action(
        protocol, evolve(old, clauses=tuple(c for c in old.clauses if c.refusal not in refusals))
    )


def _checking(
    protocol: Protocol, action: str, refusal: Refusal, instead: Callable[[Action, Bool], Bool]
) -> Protocol:
    """`action` checks something else under this refusal."""
    old = protocol.action(action)

    def changed(clause: Clause) -> Clause:
        if clause.refusal != refusal:
            return clause
        return evolve(clause, condition=protocol.expand(instead(old, clause.condition)))

    return with_action(protocol, evolve(old, clauses=tuple(map(changed, old.clauses))))


def _forgetting(protocol: Protocol, action: str, *symbols: Symbol[Any, Any]) -> Protocol:
    """`action` does not write these."""
    old = protocol.action(action)
    return with_action(
        protocol, evolve(old, effects=tuple(e for e in old.effects if e.symbol not in symbols))
    )


def _also(
    protocol: Protocol,
    action: str,
    *,
    clauses: tuple[Clause, ...] = (),
    effects: tuple[Effect, ...] = (),
    parameters: tuple[Term, ...] = (),
) -> Protocol:
    """`action` also checks, and does, these."""
    old = protocol.action(action)
    clauses = tuple(evolve(c, condition=protocol.expand(c.condition)) for c in clauses)
    effects = tuple(
        evolve(e, value=protocol.expand(e.value), where=protocol.expand(e.where)) for e in effects
    )
    return with_action(
        protocol,
        evolve(
            old,
            parameters=(*old.parameters, *parameters),
            clauses=(*old.clauses, *clauses),
            effects=(*old.effects, *effects),
        ),
    )


def _and_action(protocol: Protocol, action: Action) -> Protocol:
    """One more thing that can happen."""
    return evolve(protocol, actions=(*protocol.actions, action))


# ---- proofs, roots and commitments ------------------------------------------------------------------


@named(
    "B01",
    exactly_once,
    finality,
    source="Nomad, root-cause post-mortem, August 2022",
    violates=("P10", "P02"),
    shortest=1,
)
def null_root(protocol: Protocol) -> Protocol:
    """The root of a header that nobody produced reads as null, and null is among those that are confirmed."""
    for refusal in (UNTRUSTED_HEADER, WRONG_SOURCE, UNPROVEN):
        protocol = _checking(
            protocol, "deliver", refusal, lambda a, was: was | ~produced(_parameter(a, Header, "h"))
        )
    return protocol


@named(
    "B02",
    exactly_once,
    finality,
    source="cosmos/iavl issue 579; bnb-chain/bsc PR 1121, October 2022",
    violates=("P02", "P12"),
    shortest=5,
)
def unhashed_child(protocol: Protocol) -> Protocol:
    """A proof of one receipt carries another that no hash covers."""

    def loose(action: Action, was: Bool) -> Bool:
        h = _parameter(action, Header, "h")
        return was | exists(Receipt, lambda w: commits(h, w) & (source(w) == origin(h)))

    return _checking(protocol, "deliver", UNPROVEN, loose)


@named(
    "B03",
    exactly_once,
    finality,
    source="IBC security advisory Dragonberry; GHSA-j92c-mmf7-j5x5",
    violates=("P02", "P12"),
    shortest=4,
    differs="shorter: a genesis proves anything as well, and there is one from the start",
)
def proof_brings_its_own_rules(protocol: Protocol) -> Protocol:
    """The evidence says how it is to be checked, so under any trusted header it proves anything."""
    return _without(protocol, "deliver", UNPROVEN)


# ---- the record of what was executed -----------------------------------------------------------------


def _recorded_as_spelt(protocol: Protocol) -> Protocol:
    deliver = protocol.action("deliver")
    d, x = _parameter(deliver, Shard, "d"), _parameter(deliver, Encoding, "x")
    protocol = _checking(protocol, "deliver", CONSUMED, lambda _, __: ~consumed(d, spelt_key(x)))
    protocol = _forgetting(protocol, "deliver", consumed)
    return _also(protocol, "deliver", effects=(insert(consumed(d, spelt_key(x))),))


@named(
    "B10",
    exactly_once,
    finality,
    encodings,
    source="Polygon Plasma bridge, double-spend bugfix review, 2021",
    violates=("P14", "P01"),
    shortest=6,
    differs="shorter: P14 is violated when the careless spelling is accepted, before anything runs twice",
)
def key_is_the_encoding(protocol: Protocol) -> Protocol:
    """A receipt is recorded under the bytes of its proof, of which many decode to the same path."""
    return _without(_recorded_as_spelt(protocol), "deliver", NOT_CANONICAL)


@named(
    "B11",
    exactly_once,
    finality,
    source="harmony-one/harmony PR 5039",
    violates=("P14", "P01"),
    shortest=6,
)
def key_is_of_the_envelope(protocol: Protocol) -> Protocol:
    """A receipt is recorded under a shard and a number of its envelope, which no hash covers."""
    deliver = protocol.action("deliver")
    d = _parameter(deliver, Shard, "d")
    e, n = Shard(Variable("e")), Height(Variable("n"))
    spent: Symbol[[Shard, Shard, Height], Bool] = Symbol(
        "spent", Kind.STATE, (d, e, n), Bool, FALSE, "What came with the number `n` of `e` was executed.", d
    )
    protocol = _checking(protocol, "deliver", CONSUMED, lambda _, __: ~spent(d, e, n))
    protocol = _also(protocol, "deliver", parameters=(e, n), effects=(insert(spent(d, e, n)),))
    return evolve(protocol, symbols=(*protocol.symbols, spent))


@named(
    "B14",
    exactly_once,
    source="Zilliqa/zq1 PR 1176",
    violates=("P01", "P26"),
    shortest=3,
    differs="longer: on record the batch is made and proved already, which takes three of our five steps",
)
def a_second_batch(protocol: Protocol) -> Protocol:
    """What a source has sent is taken again, as often as it is shown."""
    return _without(protocol, "deliver", CONSUMED)


@named(
    "B16",
    exactly_once,
    sequencing,
    pruning,
    source="cosmos/ibc-go PRs 5651 and 5646",
    violates=("P20", "P01"),
    shortest=7,
    differs="shorter: the loss of the record is the violation already, and nothing has to be final",
)
def pruned_without_a_bound(protocol: Protocol) -> Protocol:
    """Old records are forgotten, and no start sequence says that they were there."""
    return _forgetting(protocol, "prune", watermark)


@named(
    "B18",
    exactly_once,
    sequencing,
    restarts,
    source="cosmos/ibc-go issue 199, PR 200",
    violates=("P19", "P15", "P14"),
    shortest=3,
)
def counters_are_not_exported(protocol: Protocol) -> Protocol:
    """A restart counts from nothing again, and new receipts take the positions of old ones."""
    return _also(
        protocol,
        "restart",
        effects=(each(Channel, lambda c: assign(next_send(c), number(0, next_send.sort))),),
    )


# ---- whom a shard believes ----------------------------------------------------------------------------


@named(
    "B19",
    exactly_once,
    finality,
    trust,
    source="Wormhole incident report, February 2022",
    violates=("P10", "P02"),
    shortest=2,
    differs="shorter: to learn the header is the violation already",
)
def caller_says_it_was_verified(protocol: Protocol) -> Protocol:
    """That the signatures were checked is a field of the request."""
    return _without(protocol, "learn", UNKNOWN_VALIDATORS, TRUST_EXPIRED, TOO_FEW_SIGNATURES)


@named(
    "B20",
    exactly_once,
    finality,
    trust,
    source="Ronin Network, August 2024",
    violates=("P11", "P10"),
    shortest=3,
    differs="shorter: a threshold of nothing is the violation already",
)
def threshold_of_nothing(protocol: Protocol) -> Protocol:
    """One of two initialisers is not run, and the new version asks for no votes at all."""
    upgrade = protocol.action("upgrade")
    d = _parameter(upgrade, Shard, "d")
    return _also(
        _forgetting(protocol, "upgrade", threshold),
        "upgrade",
        effects=(assign(threshold(d), number(0, Count)),),
    )


@named(
    "B21",
    exactly_once,
    finality,
    failures,
    trust,
    source="Poly Network, August 2021",
    violates=("P11",),
    shortest=7,
    differs="as long: new keepers are the violation already, but the old ones have to be known and to sign",
)
def a_message_sets_the_keepers(protocol: Protocol) -> Protocol:
    """What is delivered may call the owner of the keys."""
    deliver = protocol.action("deliver")
    d, m = _parameter(deliver, Shard, "d"), _parameter(deliver, Receipt, "m")
    v = ValidatorSet(Variable("v"))
    return _also(protocol, "deliver", parameters=(v,), effects=(insert(knows(d, source(m), v)),))


@named(
    "B22",
    exactly_once,
    finality,
    trust,
    source="Arbitrum Nitro, delayed inbox, September 2022",
    violates=("P11",),
    shortest=2,
    differs="as long: the second set-up is the violation already, but the first one is a step",
)
def set_up_twice(protocol: Protocol) -> Protocol:
    """An upgrade clears the mark that it was set up, and anybody may set it up again."""
    return _without(protocol, "initialise", ALREADY_INITIALISED)


# ---- finality -----------------------------------------------------------------------------------------


@named(
    "B24",
    exactly_once,
    finality,
    reorganisation,
    source="FuelLabs/fuel-core issue 1336, TOB-FUEL-43; movement-network/movement issue 838",
    violates=("P10", "P02", "P08"),
    shortest=5,
    differs="shorter: to trust what may be dropped is the violation already",
)
def confirmations_for_finality(protocol: Protocol) -> Protocol:
    """A light client takes a block that was produced for one that stays."""
    return _checking(protocol, "learn", NOT_FINAL, lambda a, _: produced(_parameter(a, Header, "h")))


@named(
    "B26",
    exactly_once,
    finality,
    deadlines,
    optimistic,
    source="Rainbow Bridge, May and August 2022",
    violates=("P10",),
    shortest=3,
    differs="as long: to believe the claim is the violation already, but it is a step",
)
def no_watcher(protocol: Protocol) -> Protocol:
    """Nobody objects to a false claim: the assumption, taken away."""
    return _without(protocol, "tick", WATCHED)


# ---- order of effects, rollback -------------------------------------------------------------------------


@named(
    "B27",
    exactly_once,
    failures,
    deadlines,
    outcomes,
    source="cosmos/ibc-go GHSA-j496-crgh-34mx",
    violates=("P17", "P05", "P08"),
    shortest=9,
    differs="shorter: a refund of what is still pending is the violation, and nothing has to be final",
)
def timeout_marked_after_the_callback(protocol: Protocol) -> Protocol:
    """The callback of a timeout runs while the receipt is still pending; it is marked when that returns."""
    m = Receipt(Variable("m"))
    called: Symbol[[Receipt], Bool] = Symbol(
        "called", Kind.STATE, (m,), Bool, FALSE, "The callback of its timeout has not returned.", source(m)
    )
    returns = Action(
        "time_out_returns",
        (m,),
        (require(called(m), NOT_PENDING),),
        (remove(pending(m)), remove(called(m))),
        source(m),
        "The callback has returned.",
    )
    protocol = evolve(_forgetting(protocol, "time_out", pending), symbols=(*protocol.symbols, called))
    calls = insert(called(_parameter(protocol.action("time_out"), Receipt, "m")))
    return _and_action(_also(protocol, "time_out", effects=(calls,)), returns)


@named(
    "B29",
    exactly_once,
    failures,
    callbacks,
    source="ethereum-optimism/optimism PR 5444",
    violates=("P17",),
    shortest=3,
    differs="longer: on record two receipts are sent and proved already, which takes four of our seven steps",
)
def context_is_not_given_back(protocol: Protocol) -> Protocol:
    """When an inner frame returns, who called the outer one is forgotten."""
    finish = protocol.action("finish")
    d, m = _parameter(finish, Shard, "d"), _parameter(finish, Receipt, "m")
    return _also(_forgetting(protocol, "finish", context), "finish", effects=(assign(context(d), m),))


@named(
    "B30",
    exactly_once,
    failures,
    source="Huckleberry, IBC event hallucinations; GO-2024-2874",
    violates=("P16", "P09"),
    shortest=6,
    differs="shorter: the event is the violation already, and nothing has to be final",
)
def events_of_a_failure(protocol: Protocol) -> Protocol:
    """The state of a failed callback is rolled back, and its events stay in the log."""
    deliver = protocol.action("deliver")
    d, m = _parameter(deliver, Shard, "d"), _parameter(deliver, Receipt, "m")
    return _also(_forgetting(protocol, "deliver", announced), "deliver", effects=(insert(announced(d, m)),))


@named(
    "B31",
    exactly_once,
    finality,
    reorganisation,
    source="multiversx/mx-chain-go PR 3637",
    violates=("P26", "P01", "P21"),
    shortest=2,
    differs="longer: on record a receipt is proved and a block made, which takes five of our seven steps",
)
def records_survive_a_reorganisation(protocol: Protocol) -> Protocol:
    """A reorganisation returns what was executed, and leaves what was recorded."""
    return _forgetting(protocol, "revert", consumed)


# ---- timeout, refund, bounce ------------------------------------------------------------------------------


@named(
    "B33",
    exactly_once,
    failures,
    deadlines,
    outcomes,
    source="cosmos/cosmos-sdk issues 5466 and 5471",
    violates=("P04", "Q3"),
    shortest=7,
    differs="shorter: nothing has to be final, and who sends to himself proves all with one block",
)
def timeout_on_the_wrong_clock(protocol: Protocol) -> Protocol:
    """A receipt expires by the clock of its sender."""

    def on_ours(action: Action, _: Bool) -> Bool:
        s, m = _parameter(action, Shard, "s"), _parameter(action, Receipt, "m")
        return deadline(m) <= clock(s)

    return _checking(protocol, "time_out", NOT_ELAPSED, on_ours)


@named(
    "B34",
    exactly_once,
    failures,
    deadlines,
    outcomes,
    source="cosmos/ibc issue 827: a negative control",
)
def timeout_one_tick_later(protocol: Protocol) -> Protocol:
    """At the moment of the deadline neither delivery nor timeout is possible; a tick later it is."""

    def strictly(action: Action, _: Bool) -> Bool:
        m, h = _parameter(action, Receipt, "m"), _parameter(action, Header, "h")
        return deadline(m) < time(h)

    return _checking(protocol, "time_out", NOT_ELAPSED, strictly)


@named(
    "B37",
    exactly_once,
    failures,
    deadlines,
    outcomes,
    source="cosmos/ibc PR 1304; taikoxyz/taiko-mono PR 22097",
    violates=("Q2", "Q3"),
    shortest=1,
    differs="longer: on record clocks and proof are there already, which takes four of our five steps",
)
def heights_of_two_chains_compared(protocol: Protocol) -> Protocol:
    """A valid timeout is let through only when the receiver's clock is ahead of the sender's, by far."""

    def compared(action: Action, was: Bool) -> Bool:
        s, h = _parameter(action, Shard, "s"), _parameter(action, Header, "h")
        return was & (clock(s) + 3 <= time(h))

    return _checking(protocol, "time_out", NOT_ELAPSED, compared)


#: What is on the books of a shard.
LEDGER = (balance, circulating, credited, minted, locked)


@named(
    "B38",
    exactly_once,
    failures,
    deadlines,
    outcomes,
    value,
    forwarding,
    source="cosmos/ibc-apps PRs 170 to 174",
    violates=("P08",),
    shortest=5,
    differs="longer: a block, its proof and two ticks are steps here; the last refund is not needed",
)
def the_middle_keeps_it(protocol: Protocol) -> Protocol:
    """When the second hop fails the first sender is refunded, and the middle keeps what it got."""
    time_out = protocol.action("time_out")

    def gives_back(effect: Effect) -> bool:
        return effect.symbol in LEDGER and onward in symbols_of(effect.where)

    kept = tuple(e for e in time_out.effects if not gives_back(e))
    return with_action(protocol, evolve(time_out, effects=kept))


@named(
    "B40",
    exactly_once,
    failures,
    bouncing,
    source="ton-blockchain, block.tlb, tr_phase_bounce_nofunds; tact-lang/tact PR 3411",
    violates=("P21", "Q2"),
    shortest=2,
    differs="longer: a block and its proof are steps here",
)
def no_funds_no_bounce(protocol: Protocol) -> Protocol:
    """A failure with too little left to pay for an answer is not answered."""
    return _forgetting(protocol, "deliver", owed)


@named(
    "B41",
    exactly_once,
    failures,
    deadlines,
    outcomes,
    value,
    source="taikoxyz/taiko-mono PR 17446; interlay/interbtc-clients PR 196",
    violates=("P05", "P08"),
    shortest=6,
    differs="shorter: who asks for nothing refunds also what was never sent",
)
def refunded_again(protocol: Protocol) -> Protocol:
    """A refund does not ask whether there was one."""
    return _without(protocol, "time_out", NOT_PENDING)


# ---- resharding, queues, progress --------------------------------------------------------------------------


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
    p, a, b = (_parameter(split, Shard, n) for n in "pab")
    to_one = each(Receipt, lambda m: assign(outbox(a, m), outbox(p, m)))
    to_the_other = each(Receipt, lambda m: assign(outbox(b, m), outbox(p, m)))
    gone = each(Receipt, lambda m: remove(outbox(p, m)))
    return _also(_forgetting(protocol, "split", outbox), "split", effects=(to_one, to_the_other, gone))


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
    return _forgetting(protocol, "emit", queued)


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
        s, d = _parameter(action, Shard, "s"), _parameter(action, Shard, "d")
        return was & (queued(s, d) > 0)

    return _checking(protocol, "resume", NOT_DRAINED, with_the_data)


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
    d, m = _parameter(deliver, Shard, "d"), _parameter(deliver, Receipt, "m")
    free = forall(
        Receipt,
        lambda w: implies(consumed(d, key(w)) & (source(w) == source(m)), succeeded(d, w)),
    )
    return _also(protocol, "deliver", clauses=(require(free, STORED),))


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
    h = _parameter(produce, Header, "h")
    well = forall(Receipt, lambda w: implies(consumed(origin(h), key(w)), succeeded(origin(h), w)))
    return _also(protocol, "produce", clauses=(require(well, STORED),))


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
    here = discarded(_parameter(deliver, Shard, "d"), _parameter(deliver, Receipt, "m"))
    protocol = _also(protocol, "deliver", clauses=(require(~here, STORED),))
    return _and_action(evolve(protocol, symbols=(*protocol.symbols, discarded)), drop)


# ---- value at the source ---------------------------------------------------------------------------


@named(
    "B55",
    exactly_once,
    failures,
    value,
    source="Qubit, QBridge, January 2022; axelar-cgp-solidity PR 138",
    violates=("P09", "P08"),
    shortest=5,
    differs="shorter: what is not debited is the violation already",
)
def the_null_asset_is_free(protocol: Protocol) -> Protocol:
    """For one kind of value the transfer succeeds and moves nothing."""
    emit = protocol.action("emit")
    free = Bool(Variable("null_asset"))
    effects = tuple(
        evolve(e, where=e.where & ~free) if e.symbol in (balance, circulating, sent) else e
        for e in emit.effects
    )
    return with_action(protocol, evolve(emit, parameters=(*emit.parameters, free), effects=effects))


@named(
    "B56",
    exactly_once,
    failures,
    value,
    source="Meter Passport, February 2022",
    violates=("P09", "P08"),
    shortest=5,
    differs="shorter: what is not debited is the violation already",
)
def a_second_way_in(protocol: Protocol) -> Protocol:
    """Another entrance takes it that the first one has locked the value already."""
    emit = protocol.action("emit")
    kept = tuple(e for e in emit.effects if e.symbol not in (balance, circulating, sent))
    return _and_action(protocol, evolve(emit, name="emit_wrapped", effects=kept))


@named(
    "B57",
    exactly_once,
    failures,
    value,
    source="THORChain, ETH router exploit 1, July 2021",
    violates=("P09",),
    shortest=2,
    differs="shorter: what is not debited is the violation already",
)
def the_amount_is_what_is_claimed(protocol: Protocol) -> Protocol:
    """The receipt says what the caller claims; what was moved is another amount."""
    emit = protocol.action("emit")
    m = _parameter(emit, Receipt, "m")
    moved = Amount(Variable("moved"))
    debit = (
        add(balance(payer(m)), number(0, Amount) - moved),
        add(circulating(source(m)), number(0, Amount) - moved),
        add(sent(source(m)), moved),
    )
    less = require((moved >= 0) & (moved <= amount(m)), INSUFFICIENT)
    protocol = _forgetting(protocol, "emit", balance, circulating, sent)
    return _also(protocol, "emit", parameters=(moved,), clauses=(less,), effects=debit)


# ---- not in the record, and the oldest of all -----------------------------------------------------


@named(
    "barrier",
    exactly_once,
    source="K. M. Chandy and J. Misra, Distributed Simulation, 1979: waiting for every input",
    violates=("P27", "Q4"),
)
def waits_for_every_shard(protocol: Protocol) -> Protocol:
    """Nothing is executed before every shard has learned something: a global barrier."""
    heard = forall(Shard, lambda e: exists(Header, lambda g: learned(e, g)))
    return _also(protocol, "deliver", clauses=(require(heard, STORED),))


@named(
    "hoarding",
    exactly_once,
    sequencing,
    pruning,
    source="harmony-one/harmony, spent markers of cross-shard receipts, which are never deleted",
    violates=("Q8",),
)
def records_are_kept_for_ever(protocol: Protocol) -> Protocol:
    """Nothing is forgotten while anything at all is recorded."""

    def alone(action: Action, was: Bool) -> Bool:
        d = _parameter(action, Shard, "d")
        return was & forall(Key, lambda k: ~consumed(d, k))

    return _checking(protocol, "prune", NOT_NEXT, alone)


@named(
    "late-collection",
    exactly_once,
    deadlines,
    expiring,
    source="ethresear.ch 6382: the lifetime of an expiring bitfield",
    violates=("Q8",),
)
def records_outlive_what_they_record(protocol: Protocol) -> Protocol:
    """A record is kept for twice the lifetime of its receipt, and then some."""

    def later(action: Action, was: Bool) -> Bool:
        d, k = _parameter(action, Shard, "d"), _parameter(action, Key, "k")
        return was & (key_deadline(k) + key_deadline(k) + 1 <= clock(d))

    return _checking(protocol, "forget", STILL_DELIVERABLE, later)


#: The entries of the record that no change to a relation can make, and what each violates: they are
#: faulty shards only.
IN_BYTES_ONLY: Mapping[str, tuple[str, ...]] = {
    "B06": ("P13", "P01", "Q5"),
    "B07": ("P12", "P13"),
    "B08": ("P13", "P08"),
    "B44": ("P25", "P22"),
    "B52": ("P25",),
}
