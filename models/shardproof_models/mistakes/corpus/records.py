"""Records of what was executed, kept under the wrong name, forgotten, or not carried along."""

from __future__ import annotations

from attrs import evolve

from ...language.actions import assign, each, insert
from ...language.protocol import Protocol
from ...language.terms import FALSE, Bool, Kind, Symbol, Variable, number
from ...layers.encodings import NOT_CANONICAL, Encoding, encodings, spelt_key
from ...layers.exactly_once import CONSUMED, Shard, consumed, exactly_once
from ...layers.finality import Height, finality
from ...layers.pruning import pruning, watermark
from ...layers.restarts import restarts
from ...layers.sequencing import Channel, next_send, sequencing
from ..named import named
from .changing import also, checking, forgetting, parameter, without


def _recorded_as_spelt(protocol: Protocol) -> Protocol:
    deliver = protocol.action("deliver")
    d, x = parameter(deliver, Shard, "d"), parameter(deliver, Encoding, "x")
    protocol = checking(protocol, "deliver", CONSUMED, lambda _, __: ~consumed(d, spelt_key(x)))
    protocol = forgetting(protocol, "deliver", consumed)
    return also(protocol, "deliver", effects=(insert(consumed(d, spelt_key(x))),))


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
    return without(_recorded_as_spelt(protocol), "deliver", NOT_CANONICAL)


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
    d = parameter(deliver, Shard, "d")
    e, n = Shard(Variable("e")), Height(Variable("n"))
    spent: Symbol[[Shard, Shard, Height], Bool] = Symbol(
        "spent", Kind.STATE, (d, e, n), Bool, FALSE, "What came with the number `n` of `e` was executed.", d
    )
    protocol = checking(protocol, "deliver", CONSUMED, lambda _, __: ~spent(d, e, n))
    protocol = also(protocol, "deliver", parameters=(e, n), effects=(insert(spent(d, e, n)),))
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
    return without(protocol, "deliver", CONSUMED)


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
    return forgetting(protocol, "prune", watermark)


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
    return also(
        protocol,
        "restart",
        effects=(each(Channel, lambda c: assign(next_send(c), number(0, next_send.sort))),),
    )
