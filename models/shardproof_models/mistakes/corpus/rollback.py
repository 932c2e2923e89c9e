"""Effects in the wrong order, and what a failure or a reorganisation did not take back."""

from __future__ import annotations

from attrs import evolve

from ...language.actions import Action, assign, insert, remove, require
from ...language.protocol import Protocol
from ...language.terms import FALSE, Bool, Kind, Symbol, Variable
from ...layers.callbacks import callbacks, context
from ...layers.deadlines import deadlines
from ...layers.exactly_once import Receipt, Shard, consumed, exactly_once, source
from ...layers.failures import announced, failures
from ...layers.finality import finality
from ...layers.outcomes import NOT_PENDING, outcomes, pending
from ...layers.reorganisation import reorganisation
from ..named import named
from .changing import also, and_action, forgetting, parameter


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
    protocol = evolve(forgetting(protocol, "time_out", pending), symbols=(*protocol.symbols, called))
    calls = insert(called(parameter(protocol.action("time_out"), Receipt, "m")))
    return and_action(also(protocol, "time_out", effects=(calls,)), returns)


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
    d, m = parameter(finish, Shard, "d"), parameter(finish, Receipt, "m")
    return also(forgetting(protocol, "finish", context), "finish", effects=(assign(context(d), m),))


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
    d, m = parameter(deliver, Shard, "d"), parameter(deliver, Receipt, "m")
    return also(forgetting(protocol, "deliver", announced), "deliver", effects=(insert(announced(d, m)),))


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
    return forgetting(protocol, "revert", consumed)
