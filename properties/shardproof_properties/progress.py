"""
Something good happens, as far as a finite run can tell.

Safety is cheap for a system that refuses everything. Each sentence here says when an
honest attempt must succeed; its formula is the premise. An engine that sees such an
attempt refused reports it apart from the safety findings. Which of several sentences is
broken is decided by running the same trace again with one thing changed (a twin run).
"""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of
from shardproof_models.layers.closing import closing
from shardproof_models.layers.deadlines import clock, deadline
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
from shardproof_models.layers.finality import final, finality
from shardproof_models.layers.outcomes import (
    acknowledged_in,
    outcomes,
    pending,
    received_in,
    time,
)
from shardproof_models.layers.queues import capacity, queued, queues
from shardproof_models.layers.sequencing import channel, next_receive, sequence
from shardproof_models.layers.skipping import skipping

from .property import Catalogue

progress = Catalogue()


def due(d: Shard, m: Receipt, h: Header) -> Bool:
    """Every clause of `deliver` holds: the attempt is honest, complete and the first."""
    return all_of(trusted(d, h), origin(h) == source(m), commits(h, m), destination(m) == d, ~recorded(d, m))


@progress.progress("Q1", because="a receipt that is due and refused is lost, and what it carries with it")
def delivers_what_is_due(d: Shard, m: Receipt, h: Header) -> Bool:
    """An honest first delivery is accepted and executed; after quiescence nothing is left over."""
    return due(d, m, h)


@progress.progress("Q2", outcomes, because="a sender that is never told waits for ever for what it paid")
def reaches_an_outcome(s: Shard, m: Receipt, h: Header) -> Bool:
    """An honest proof of success, failure or expiry is accepted; after quiescence nobody waits for one."""
    attested = acknowledged_in(h, m) | ((deadline(m) <= time(h)) & ~received_in(h, m))
    return all_of(trusted(s, h), origin(h) == destination(m), source(m) == s, pending(m), attested)


@progress.progress(
    "Q2", closing, because="what is under way when a channel closes is lost unless it is given back"
)
def gives_back_on_close(s: Shard, m: Receipt, h: Header) -> Bool:
    """What was under way on a channel that has closed is refunded on proof of both."""
    return all_of(trusted(s, h), origin(h) == destination(m), source(m) == s, pending(m), ~received_in(h, m))


@progress.progress("Q2", skipping, because="a channel that stops at what has expired delivers nothing more")
def goes_on_past_what_expired(d: Shard, m: Receipt, h: Header) -> Bool:
    """What has expired in its turn is skipped."""
    late = (deadline(m) <= clock(d)) & (sequence(m) == next_receive(channel(m)))
    return due(d, m, h) & late


@progress.progress("Q3", outcomes, because="a deadline on a clock that nobody attests never comes")
def attains_its_deadline(s: Shard, m: Receipt, h: Header) -> Bool:
    """An expiry that is refused would not be accepted if clock or chain of the sender stood elsewhere."""
    expired = (deadline(m) <= time(h)) & ~received_in(h, m)
    return all_of(trusted(s, h), origin(h) == destination(m), source(m) == s, pending(m), expired)


@progress.progress(
    "Q4", because="a chain of shards is as slow as its slowest, and stops with the first that stops"
)
def waits_for_no_other_shard(d: Shard, m: Receipt, h: Header) -> Bool:
    """What is refused would not be accepted just because an unrelated shard had moved."""
    return due(d, m, h)


@progress.progress("Q5", because="one receipt that cannot be applied then holds up all that come after it")
def is_not_jammed_by_another_receipt(d: Shard, m: Receipt, h: Header) -> Bool:
    """What is refused would not be accepted just because another receipt had not been tried before."""
    return due(d, m, h)


@progress.progress("Q6", queues, because="two full queues that wait for each other wait for ever")
def finds_room_again(s: Shard, d: Shard) -> Bool:
    """What waits on a link can be carried away, however full other links are."""
    return queued(s, d) >= 1


@progress.progress(
    "Q7", queues, because="a link that is closed when it is full and not opened when it is empty is cut"
)
def resumes_when_drained(s: Shard, d: Shard) -> Bool:
    """A link from which everything was carried away takes requests again."""
    return (queued(s, d) <= 0) & (queued(s, d) < capacity(s, d))


@progress.progress(
    "Q9", finality, because="a light client that cannot go on believes nothing that comes after"
)
def learns_what_is_final(d: Shard, h: Header) -> Bool:
    """A final header is learned, where the validators that signed it are known and have not expired."""
    return final(h) & (origin(h) != d)
