"""Proofs that prove nothing: roots that nobody set, and evidence that brings its own rules."""

from __future__ import annotations

from ...language.actions import Action
from ...language.protocol import Protocol
from ...language.terms import Bool, exists
from ...layers.exactly_once import (
    UNPROVEN,
    UNTRUSTED_HEADER,
    WRONG_SOURCE,
    Header,
    Receipt,
    commits,
    exactly_once,
    origin,
    produced,
    source,
)
from ...layers.finality import finality
from ..named import named
from .changing import checking, parameter, without


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
        protocol = checking(
            protocol, "deliver", refusal, lambda a, was: was | ~produced(parameter(a, Header, "h"))
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
        h = parameter(action, Header, "h")
        return was | exists(Receipt, lambda w: commits(h, w) & (source(w) == origin(h)))

    return checking(protocol, "deliver", UNPROVEN, loose)


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
    return without(protocol, "deliver", UNPROVEN)
