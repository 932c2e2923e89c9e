"""Shards that believe whom they should not."""

from __future__ import annotations

from ...language.actions import assign, insert
from ...language.protocol import Protocol
from ...language.terms import Variable, number
from ...layers.exactly_once import Count, Receipt, Shard, exactly_once, source
from ...layers.failures import failures
from ...layers.finality import finality
from ...layers.trust import (
    ALREADY_INITIALISED,
    TOO_FEW_SIGNATURES,
    TRUST_EXPIRED,
    UNKNOWN_VALIDATORS,
    ValidatorSet,
    knows,
    threshold,
    trust,
)
from ..named import named
from .changing import also, forgetting, parameter, without


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
    return without(protocol, "learn", UNKNOWN_VALIDATORS, TRUST_EXPIRED, TOO_FEW_SIGNATURES)


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
    d = parameter(upgrade, Shard, "d")
    return also(
        forgetting(protocol, "upgrade", threshold),
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
    d, m = parameter(deliver, Shard, "d"), parameter(deliver, Receipt, "m")
    v = ValidatorSet(Variable("v"))
    return also(protocol, "deliver", parameters=(v,), effects=(insert(knows(d, source(m), v)),))


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
    return without(protocol, "initialise", ALREADY_INITIALISED)
