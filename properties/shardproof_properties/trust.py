"""What a light client can check is enough for what it concludes (L4 optimistic, L5)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of, exists, implies, next_
from shardproof_models.layers.deadlines import clock
from shardproof_models.layers.exactly_once import Header, Receipt, Shard, executions, origin, source
from shardproof_models.layers.finality import final
from shardproof_models.layers.optimistic import challenged, claimed, confirm_at, stands
from shardproof_models.layers.trust import (
    Epoch,
    ValidatorSet,
    acts_for,
    announces,
    current,
    epoch,
    exposed,
    genuine,
    initialisations,
    initialised,
    knows,
    quorum,
    signatures,
    term,
    threshold,
    trusting_period,
)

from .property import Catalogue

trust = Catalogue()


@trust.invariant("P11", because="a threshold of nothing is met by nobody's signatures")
def asks_for_a_quorum(d: Shard) -> Bool:
    """No light client asks for fewer signatures than a quorum; nor for more, which nobody could show it."""
    return quorum() == threshold(d)


@trust.invariant("P11", because="who can set up a light client again can set it up for himself")
def is_set_up_once(d: Shard, s: Shard) -> Bool:
    """A light client is set up at most once."""
    return initialisations(d, s) <= 1


@trust.invariant("P11", because="who may choose the validators to begin with chooses some whose keys he has")
def begins_with_the_first_validators(d: Shard, s: Shard) -> Bool:
    """A light client that is set up knows validators that its shard began with."""
    known = exists(ValidatorSet, lambda v: all_of(knows(d, s, v), genuine(s, v), term(v) == 0))
    return implies(initialised(d, s), known)


@trust.invariant("P11", because="made-up validators certify what they like")
def knows_only_elected_validators(d: Shard, s: Shard, v: ValidatorSet) -> Bool:
    """The validators that a light client knows were elected by the shard that it is a client of."""
    return implies(knows(d, s, v), genuine(s, v))


@trust.step("P11", because="an epoch that goes back revives leaked keys")
def epochs_only_advance(s: Shard) -> Bool:
    """Time in the real world goes one way."""
    return current(s) <= next_(current(s))


@trust.step("P11", because="a message that may change whom its receiver believes has taken it over")
def deliveries_change_nobody_who_is_believed(
    d: Shard, s: Shard, v: ValidatorSet, e: Shard, m: Receipt
) -> Bool:
    """Whatever is executed, known validators and thresholds stay as they are."""
    same = (next_(knows(d, s, v)) == knows(d, s, v)) & (next_(threshold(d)) == threshold(d))
    return implies(executions(e, m) < next_(executions(e, m)), same)


@trust.invariant("P28", because="a payload that is believed about its own sender is sent by whoever likes")
def acts_in_its_own_name(d: Shard, m: Receipt) -> Bool:
    """What was executed acts for the address that has sent it, and for nobody else."""
    return implies(executions(d, m) >= 1, acts_for(m) == source(m))


@trust.invariant("P10", because="who signs outside of its term has nothing left to lose by it")
def unexposed_signatures_are_honest(h: Header, v: ValidatorSet) -> Bool:
    """Validators whose keys are their own have signed final headers of their term."""
    honest = genuine(origin(h), v) & ~exposed(origin(h), term(v))
    return implies((signatures(h, v) >= 1) & honest, final(h) & (epoch(h) == term(v)))


@trust.invariant("P10", because="whoever a block announces may sign the next ones")
def final_headers_announce_the_elected(h: Header) -> Bool:
    """What consensus has decided announces real validators."""
    return implies(final(h), genuine(origin(h), announces(h)))


@trust.lemma(supports="P10")
def exposed_is_old(s: Shard, e: Epoch) -> Bool:
    """Keys leak when the trusting period is over."""
    return implies(exposed(s, e), e < current(s) - trusting_period())


@trust.invariant("P11", because="a set-up that leaves no mark can be done again")
def set_up_is_remembered(d: Shard, s: Shard) -> Bool:
    """What was set up says so, and nothing else does."""
    return (initialisations(d, s) >= 0) & ((initialisations(d, s) >= 1) == initialised(d, s))


@trust.lemma(supports="P10")
def a_false_claim_is_still_open(d: Shard, h: Header) -> Bool:
    """A false claim that nobody has challenged cannot be believed yet."""
    return implies(stands(d, h), clock(d) < confirm_at(d, h))


@trust.sometimes("P10")
def exposes_keys(s: Shard, e: Epoch) -> Bool:
    """Old keys leak."""
    return exposed(s, e)


@trust.sometimes("P11")
def learns_new_validators(d: Shard, s: Shard, v: ValidatorSet) -> Bool:
    """Validators change."""
    return knows(d, s, v) & (term(v) >= 1)


@trust.sometimes("P10")
def forges_a_certificate(h: Header, v: ValidatorSet) -> Bool:
    """The adversary signs a header that is not final, with real keys."""
    return (signatures(h, v) >= 1) & genuine(origin(h), v) & ~final(h)


@trust.sometimes("P10")
def challenges_a_claim(d: Shard, h: Header) -> Bool:
    """A watcher objects."""
    return claimed(d, h) & challenged(d, h)
