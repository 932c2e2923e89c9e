"""Queues are bounded, what waits moves on in its turn, and frames are closed in order (L9, L10)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of, implies, ite, next_, number, total
from shardproof_models.layers.callbacks import context, depth, innermost, interrupted, level, running
from shardproof_models.layers.exactly_once import (
    Receipt,
    Shard,
    answers,
    destination,
    emitted,
    recorded,
    source,
)
from shardproof_models.layers.failures import responds
from shardproof_models.layers.queues import Length, capacity, drained, place, queued, waits
from shardproof_models.layers.suspension import suspended

from .losses import TAKEN_BACK
from .property import Catalogue

queueing = Catalogue()


def in_line(m: Receipt, s: Shard, d: Shard) -> Bool:
    """`m` is a request that waits on the link."""
    return all_of(waits(m), ~responds(m), source(m) == s, destination(m) == d)


def in_one_line(m: Receipt, w: Receipt) -> Bool:
    """Both are requests that wait on one link."""
    return in_line(m, source(w), destination(w)) & waits(w) & ~responds(w)


@queueing.invariant("P23", because="an unbounded queue is a memory exhaustion attack")
def queues_are_bounded(s: Shard, d: Shard) -> Bool:
    """A queue holds from nothing up to its capacity."""
    return (queued(s, d) >= 0) & (queued(s, d) <= capacity(s, d))


@queueing.invariant("P23", because="a counter that is not what it counts refuses for ever, or never")
def queues_count_what_they_hold(s: Shard, d: Shard) -> Bool:
    """The counter of a queue is the number of requests in it."""
    return queued(s, d) == total(Receipt, lambda m: ite(in_line(m, s, d), number(1, Length), 0), Length)


@queueing.invariant("P24", because="what is on its way without having been sent is somebody else's")
def only_what_was_emitted_waits(m: Receipt) -> Bool:
    """What is in a queue was emitted."""
    return implies(waits(m), emitted(m))


@queueing.invariant("P24", because="two receipts in one place: one of them is overwritten")
def places_are_taken_once(m: Receipt, w: Receipt) -> Bool:
    """One request a place."""
    return implies(in_one_line(m, w) & (place(m) == place(w)), m == w)


@queueing.step("P24", because="who can jump the queue can starve it")
def joins_at_the_end(m: Receipt, w: Receipt) -> Bool:
    """A request that joins a queue is behind all that wait there."""
    joins = all_of(~emitted(m), next_(emitted(m)), ~responds(m))
    there = in_line(w, source(m), destination(m)) & next_(waits(w))
    return implies(joins & there, next_(place(w)) < next_(place(m)))


@queueing.step(
    "P24",
    because="a receipt that is overtaken acts on a past that never was",
    # A shard that loses state may never have sent the later one.
    outside=TAKEN_BACK,
)
def leaves_in_the_order_of_joining(m: Receipt, w: Receipt) -> Bool:
    """No request leaves a queue before one that joined earlier."""
    overtakes = in_one_line(m, w) & (place(m) < place(w)) & next_(waits(m))
    return implies(overtakes, next_(waits(w)))


@queueing.step("P23", because="a link that takes what it cannot carry is full for ever")
def suspended_links_take_no_requests(m: Receipt) -> Bool:
    """Nobody sends a request on a link that is suspended."""
    sends = ~emitted(m) & next_(emitted(m)) & ~responds(m)
    return implies(sends, ~suspended(source(m), destination(m)))


@queueing.step(
    "P23",
    because="links that flap between the two carry signals, and nothing else",
    # A shard that loses state has its links as they were then.
    outside=TAKEN_BACK,
)
def suspends_when_full_and_resumes_when_empty(s: Shard, d: Shard) -> Bool:
    """A link is suspended once it is full, and resumed once it is empty."""
    off = implies(~suspended(s, d) & next_(suspended(s, d)), capacity(s, d) <= queued(s, d))
    return off & implies(suspended(s, d) & ~next_(suspended(s, d)), queued(s, d) <= 0)


@queueing.invariant("P17", because="a frame whose receipt is not recorded can be re-entered")
def runs_only_what_is_recorded(d: Shard, m: Receipt) -> Bool:
    """Whoever answers for its destination has the record of a receipt whose callback has begun."""
    return implies(running(m) & answers(d, destination(m)), recorded(d, m))


@queueing.invariant("P17", because="code that mistakes who called it obeys whoever called before")
def callbacks_know_who_called(a: Shard) -> Bool:
    """What runs right now at an address answers the receipt of the innermost frame that is open."""
    m = innermost(a)
    return implies(depth(a) >= 1, all_of(context(a) == m, running(m), destination(m) == a))


@queueing.invariant(
    "P17", because="an address that looks idle while a callback runs takes whoever calls for the first"
)
def open_frames_are_counted(m: Receipt) -> Bool:
    """While a callback runs, a frame is open at its address; and never are fewer open than none."""
    here = depth(destination(m))
    return (here >= 0) & implies(running(m), here >= 1)


@queueing.step(
    "P17",
    because="a frame that stays open when its callback is over holds what it holds for ever",
    # A shard that loses state loses the frames as well, which nobody returns from.
    outside=TAKEN_BACK,
)
def callbacks_return_to_where_they_began(m: Receipt) -> Bool:
    """When a callback returns, those frames are open that were open when it began, and no more."""
    returns = running(m) & ~next_(running(m))
    return implies(returns, next_(depth(destination(m))) + 1 == level(m))


# ---- lemmas -----------------------------------------------------------------------------------------


@queueing.lemma(supports="P23")
def what_waits_has_a_place(m: Receipt) -> Bool:
    """From the first in line, which is next, to the last."""
    s, d = source(m), destination(m)
    placed = (drained(s, d) <= place(m)) & (place(m) < drained(s, d) + queued(s, d))
    return implies(waits(m) & ~responds(m), placed)


@queueing.lemma(supports="P17")
def frames_are_numbered(m: Receipt) -> Bool:
    """From the outermost, which is 1, to the innermost."""
    here = depth(destination(m))
    return implies(running(m), (level(m) >= 1) & (level(m) <= here)) & (here >= 0)


@queueing.lemma(supports="P17")
def numbers_of_frames_are_unique(m: Receipt, w: Receipt) -> Bool:
    """One frame a number."""
    here = running(m) & running(w) & (destination(m) == destination(w))
    return implies(here & (level(m) == level(w)), m == w)


@queueing.lemma(supports="P17")
def the_innermost_frame_is_last(a: Shard) -> Bool:
    """Its number is how many are open."""
    return implies(depth(a) >= 1, level(innermost(a)) == depth(a))


@queueing.lemma(supports="P17")
def frames_are_linked(m: Receipt) -> Bool:
    """Each but the outermost has interrupted the one before it, which has not returned."""
    w = interrupted(m)
    below = all_of(running(w), destination(w) == destination(m), level(w) + 1 == level(m))
    return implies(running(m) & (level(m) >= 2), below)


# ---- witnesses --------------------------------------------------------------------------------------


@queueing.sometimes("P23")
def fills_a_queue(s: Shard, d: Shard) -> Bool:
    """A queue is full."""
    return queued(s, d) == capacity(s, d)


@queueing.sometimes("P24")
def waits_in_line(m: Receipt, w: Receipt) -> Bool:
    """One request is behind another."""
    return in_one_line(m, w) & (place(m) < place(w))


@queueing.sometimes("P17")
def runs_two_frames(a: Shard) -> Bool:
    """A callback is interrupted by another."""
    return depth(a) >= 2


@queueing.sometimes("Q7")
def suspends(s: Shard, d: Shard) -> Bool:
    """A link is suspended."""
    return suspended(s, d)
