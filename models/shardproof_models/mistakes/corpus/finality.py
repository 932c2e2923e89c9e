"""What was not final was believed."""

from __future__ import annotations

from ...language.protocol import Protocol
from ...layers.deadlines import deadlines
from ...layers.exactly_once import Header, exactly_once, produced
from ...layers.finality import NOT_FINAL, finality
from ...layers.optimistic import WATCHED, optimistic
from ...layers.reorganisation import reorganisation
from ..named import named
from .changing import checking, parameter, without


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
    return checking(protocol, "learn", NOT_FINAL, lambda a, _: produced(parameter(a, Header, "h")))


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
    return without(protocol, "tick", WATCHED)
