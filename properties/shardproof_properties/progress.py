"""
Something good happens, as far as a finite run can tell.

Safety is cheap for a system that refuses everything. Each sentence here says when an
honest attempt must succeed; its formula is the premise. An engine that sees such an
attempt refused reports it apart from the safety findings. Which of the three sentences is
broken is decided by running the same trace again with one thing changed (a twin run).
"""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    commits,
    destination,
    origin,
    recorded,
    source,
    trusted,
)

from .property import Catalogue

progress = Catalogue()


def due(d: Shard, m: Receipt, h: Header) -> Bool:
    """Every clause of `deliver` holds: the attempt is honest, complete and the first."""
    return all_of(trusted(d, h), origin(h) == source(m), commits(h, m), destination(m) == d, ~recorded(d, m))


@progress.progress("Q1", because="a receipt that is due and refused is lost, and what it carries with it")
def delivers_what_is_due(d: Shard, m: Receipt, h: Header) -> Bool:
    """An honest first delivery is accepted and executed; after quiescence nothing is left over."""
    return due(d, m, h)


@progress.progress(
    "Q4", because="a chain of shards is as slow as its slowest, and stops with the first that stops"
)
def waits_for_no_other_shard(d: Shard, m: Receipt, h: Header) -> Bool:
    """A delivery that is refused would not be accepted just because an unrelated shard had moved."""
    return due(d, m, h)


@progress.progress("Q5", because="one receipt that cannot be applied then holds up all that come after it")
def is_not_jammed_by_another_receipt(d: Shard, m: Receipt, h: Header) -> Bool:
    """A delivery that is refused would not be accepted just because another one had not been tried before."""
    return due(d, m, h)
