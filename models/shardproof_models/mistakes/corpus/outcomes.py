"""Timeouts, refunds and bounces: what the sender is told, too early, twice or never."""

from __future__ import annotations

from attrs import evolve

from ...language.actions import Action, Effect
from ...language.protocol import Protocol
from ...language.terms import Bool, symbols_of
from ...layers.bouncing import bouncing, owed
from ...layers.deadlines import clock, deadline, deadlines
from ...layers.escrow import locked, minted
from ...layers.exactly_once import Header, Receipt, Shard, exactly_once
from ...layers.failures import failures
from ...layers.forwarding import forwarding, onward
from ...layers.outcomes import NOT_ELAPSED, NOT_PENDING, outcomes, time
from ...layers.value import balance, circulating, credited, value
from ..mistake import with_action
from ..named import named
from .changing import checking, forgetting, parameter, without


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
        s, m = parameter(action, Shard, "s"), parameter(action, Receipt, "m")
        return deadline(m) <= clock(s)

    return checking(protocol, "time_out", NOT_ELAPSED, on_ours)


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
        m, h = parameter(action, Receipt, "m"), parameter(action, Header, "h")
        return deadline(m) < time(h)

    return checking(protocol, "time_out", NOT_ELAPSED, strictly)


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
        s, h = parameter(action, Shard, "s"), parameter(action, Header, "h")
        return was & (clock(s) + 3 <= time(h))

    return checking(protocol, "time_out", NOT_ELAPSED, compared)


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
    return forgetting(protocol, "deliver", owed)


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
    return without(protocol, "time_out", NOT_PENDING)
