"""Value that was never taken from whoever sent it."""

from __future__ import annotations

from attrs import evolve

from ...language.actions import add, require
from ...language.protocol import Protocol
from ...language.terms import Bool, Variable, number
from ...layers.exactly_once import Receipt, exactly_once, source
from ...layers.failures import failures
from ...layers.value import INSUFFICIENT, Amount, amount, balance, circulating, payer, sent, value
from ..mistake import with_action
from ..named import named
from .changing import also, and_action, forgetting, parameter


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
    return and_action(protocol, evolve(emit, name="emit_wrapped", effects=kept))


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
    m = parameter(emit, Receipt, "m")
    moved = Amount(Variable("moved"))
    debit = (
        add(balance(payer(m)), number(0, Amount) - moved),
        add(circulating(source(m)), number(0, Amount) - moved),
        add(sent(source(m)), moved),
    )
    less = require((moved >= 0) & (moved <= amount(m)), INSUFFICIENT)
    protocol = forgetting(protocol, "emit", balance, circulating, sent)
    return also(protocol, "emit", parameters=(moved,), clauses=(less,), effects=debit)
