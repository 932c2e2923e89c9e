"""
Headers are believed on the certificate of a validator set, and validator sets change (L5).

The ideal clause "final" of `learn` is waived here and replaced by what a light client can
really check: enough signatures, of validators that it knows, not too old. That what it
trusts is final all the same is then a theorem, not a guard. Epochs are time in the real
world, which no shard can take back and each can see.

Source: Tendermint light client specification, trusting period; ICS-07.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, each, insert, require, waive
from ..language.protocol import Layer
from ..language.terms import FALSE, PUBLIC, Bool, Entity, Number, ite, number
from .exactly_once import (
    UNTRUSTED_HEADER,
    Count,
    Header,
    Receipt,
    Shard,
    deliver,
    genesis,
    learn,
    origin,
    source,
    trusted,
)
from .finality import NOT_FINAL, final, finalise, finality
from .resharding import carried_over, merge, split


class Epoch(Number):
    """The term of office of a validator set."""


class ValidatorSet(Entity):
    """Keys that sign together. Anyone can make one up."""


trust = Layer(
    "trust", needs=(finality,), doc="headers are believed on the certificate of validators, which change"
)

TOO_FEW_SIGNATURES = Refusal("too few signatures")
UNKNOWN_VALIDATORS = Refusal("unknown validators")
TRUST_EXPIRED = Refusal("trust expired")
TOO_RECENT = Refusal("too recent")
WRONG_EPOCH = Refusal("wrong epoch")
NO_KEYS = Refusal("no keys")
NOT_ELECTED = Refusal("not elected")
NO_AUTHORITY = Refusal("no authority")
ALREADY_INITIALISED = Refusal("already initialised")


@trust.rigid
def epoch(h: Header) -> Epoch:
    """The epoch in which `h` was produced."""
    ...


@trust.rigid
def announces(h: Header) -> ValidatorSet:
    """The next validators, according to `h`."""
    ...


@trust.rigid
def term(v: ValidatorSet) -> Epoch:
    """The epoch that a validator set claims as its own."""
    ...


@trust.rigid
def genuine(s: Shard, v: ValidatorSet) -> Bool:
    """Shard `s` really elected `v`."""
    ...


@trust.rigid
def trusting_period() -> Epoch:
    """For how many epochs the keys of a set are safe after its term."""
    ...


@trust.rigid
def quorum() -> Count:
    """How many distinct known signers make a certificate."""
    ...


@trust.rigid
def acts_for(m: Receipt) -> Shard:
    """The address in whose name `m` asks to act, as its payload says."""
    ...


@trust.axiom
def trust_lasts() -> Bool:
    """Keys are safe for at least one epoch more."""
    return trusting_period() >= 1


@trust.axiom
def a_quorum_is_somebody() -> Bool:
    """No signature at all is never enough (Ronin, August 2024)."""
    return quorum() >= 1


@trust.axiom
def terms_begin_at_zero(v: ValidatorSet) -> Bool:
    """The first term is number 0."""
    return term(v) >= 0


@trust.axiom
def a_genesis_announces_the_elected(s: Shard) -> Bool:
    """Nobody else could: what a chain begins with is agreed on outside."""
    return genuine(s, announces(genesis(s)))


@trust.state(home=PUBLIC)
def current(s: Shard) -> Epoch:
    """The epoch of `s`."""
    return number(0, Epoch)


@trust.state(home=PUBLIC)
def exposed(s: Shard, e: Epoch) -> Bool:
    """The keys of an epoch may be in the hands of the adversary."""
    return FALSE


@trust.state(home=PUBLIC)
def signatures(h: Header, v: ValidatorSet) -> Count:
    """How many distinct members of `v` have signed `h`."""
    return number(0, Count)


@trust.state(home=lambda d: d)
def knows(d: Shard, s: Shard, v: ValidatorSet) -> Bool:
    """The light client of `s` at `d` knows the validators `v`."""
    return FALSE


@trust.state(home=lambda d: d)
def initialised(d: Shard, s: Shard) -> Bool:
    """The light client of `s` at `d` was set up."""
    return FALSE


@trust.state(home=lambda d: d)
def threshold(d: Shard) -> Count:
    """How many signatures the light clients at `d` ask for."""
    return quorum()


@trust.ghost(home=lambda d: d)
def initialisations(d: Shard, s: Shard) -> Count:
    """How often the light client of `s` at `d` was set up."""
    return number(0, Count)


@trust.action
def initialise(d: Shard, s: Shard, v: ValidatorSet) -> Parts:
    """The operator of `d` sets up the light client of `s`, once, with the validators that `s` began with."""
    yield at(d)
    yield require(~initialised(d, s), ALREADY_INITIALISED)
    yield require(genuine(s, v) & (term(v) == 0), NOT_ELECTED)
    yield insert(initialised(d, s))
    yield insert(knows(d, s, v))
    yield add(initialisations(d, s), 1)


@trust.action
def upgrade(d: Shard) -> Parts:
    """A new version of the light client is installed; what it asks for is set again."""
    yield at(d)
    yield assign(threshold(d), quorum())


@trust.action
def next_epoch(s: Shard) -> Parts:
    """Validators hand over."""
    yield at(s)
    yield add(current(s), 1)


@trust.action
def expose(s: Shard, e: Epoch) -> Parts:
    """Old keys leak: allowed to the adversary once the trusting period is over."""
    yield at(s)
    yield require(e < current(s) - trusting_period(), TOO_RECENT)
    yield insert(exposed(s, e))


@trust.extends(finalise)
def finalise_election(h: Header) -> Parts:
    """What consensus decides announces validators that were elected."""
    yield require(genuine(origin(h), announces(h)), NOT_ELECTED)


@trust.action
def certify(h: Header, v: ValidatorSet) -> Parts:
    """A quorum signs a final header of its own epoch: all that the honest sign, elected or not."""
    yield at(origin(h))
    yield require(epoch(h) == term(v), WRONG_EPOCH)
    yield require(final(h), NOT_FINAL)
    yield assign(signatures(h, v), quorum())


@trust.action
def forge_certificate(h: Header, v: ValidatorSet) -> Parts:
    """The adversary signs anything, with leaked keys or in the name of a set of its own."""
    yield at(origin(h))
    yield require(~genuine(origin(h), v) | exposed(origin(h), term(v)), NO_KEYS)
    yield assign(signatures(h, v), quorum())


@trust.extends(learn)
def learn_certified(d: Shard, h: Header, v: ValidatorSet) -> Parts:
    """A light client counts signatures of validators that it knows, if they are not too old."""
    yield waive(NOT_FINAL)
    yield require(knows(d, origin(h), v), UNKNOWN_VALIDATORS)
    yield require(current(origin(h)) - trusting_period() <= term(v), TRUST_EXPIRED)
    yield require(threshold(d) <= signatures(h, v), TOO_FEW_SIGNATURES)


@trust.extends(deliver)
def in_its_own_name(m: Receipt) -> Parts:
    """Who proves what an address has sent has proved what it may ask for in its own name, and no more."""
    yield require(acts_for(m) == source(m), NO_AUTHORITY)


@trust.action
def learn_validators(d: Shard, h: Header) -> Parts:
    """A trusted header announces the next validators."""
    yield at(d)
    yield require(trusted(d, h), UNTRUSTED_HEADER)
    yield insert(knows(d, origin(h), announces(h)))


@trust.extends(split)
def children_keep_the_thresholds(p: Shard, a: Shard, b: Shard) -> Parts:
    """What was asked for before the split is asked for after it, and what was set up stays so."""
    yield assign(threshold(a), threshold(p))
    yield assign(threshold(b), threshold(p))
    yield each(Shard, lambda s: assign(initialisations(a, s), initialisations(p, s)))
    yield each(Shard, lambda s: assign(initialisations(b, s), initialisations(p, s)))


@trust.extends(merge)
def the_stricter_threshold_counts(a: Shard, b: Shard, p: Shard) -> Parts:
    """Of two, the higher; and what was set up at either was set up."""
    yield each(
        Shard,
        lambda s: assign(
            initialisations(p, s),
            ite(initialisations(a, s) <= initialisations(b, s), initialisations(b, s), initialisations(a, s)),
        ),
    )
    yield assign(threshold(p), ite(threshold(a) <= threshold(b), threshold(b), threshold(a)))


carried_over(trust, knows)
carried_over(trust, initialised)
