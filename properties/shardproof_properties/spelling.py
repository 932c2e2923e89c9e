"""Bytes are read in one way, and only where they were meant to be read (L11)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, exists, implies, next_
from shardproof_models.layers.encodings import (
    Encoding,
    accepted,
    canonical,
    domain,
    made_for,
    meaning,
    spelt_key,
)
from shardproof_models.layers.exactly_once import Receipt, Shard, destination, executions

from .property import Catalogue

spelling = Catalogue()


@spelling.invariant("P14", because="a receipt with two names is executed twice")
def spellings_lead_to_one_key(d: Shard, e: Shard, x: Encoding, y: Encoding) -> Bool:
    """Whatever was accepted for one receipt, anywhere, gives one key."""
    both = accepted(d, x) & accepted(e, y) & (meaning(x) == meaning(y))
    return implies(both, spelt_key(x) == spelt_key(y))


@spelling.invariant("P15", because="what is meant for one network, version or fork runs on another as well")
def bytes_count_where_they_were_made_for(d: Shard, x: Encoding) -> Bool:
    """What was accepted names the domain of the address that it is for."""
    return implies(accepted(d, x), made_for(x) == domain(destination(meaning(x))))


@spelling.invariant(
    "P14", because="whoever keeps books by the bytes takes a second spelling for a second receipt"
)
def only_canonical_spellings_are_accepted(d: Shard, x: Encoding) -> Bool:
    """What was accepted was spelt as an honest sender spells."""
    return implies(accepted(d, x), canonical(x))


@spelling.invariant(
    "P14", because="bytes that say one receipt and run another pay somebody whom nobody has paid"
)
def what_is_accepted_is_what_runs(d: Shard, x: Encoding) -> Bool:
    """What was accepted has run as the receipt that it decodes to, at the shard that accepted it."""
    return implies(accepted(d, x), executions(d, meaning(x)) >= 1)


@spelling.step("P14", because="what runs and was never read came from no bytes that anybody can be shown")
def what_runs_is_accepted(d: Shard, m: Receipt) -> Bool:
    """What is executed, some bytes say that are accepted then."""
    read = exists(Encoding, lambda x: (meaning(x) == m) & ~accepted(d, x) & next_(accepted(d, x)))
    return implies(executions(d, m) < next_(executions(d, m)), read)


@spelling.sometimes("P14")
def accepts_a_spelling(d: Shard, x: Encoding) -> Bool:
    """Bytes are read, and executed."""
    return accepted(d, x)
