"""
A header is believed unless somebody objects in time (L4, optimistic).

Anyone may claim any header, also one that nobody produced. It is believed when a window of
the local clock has passed without a challenge. That this is safe rests on one assumption,
which is written down where it acts: while a false claim stands, some watcher is awake before
the window is over. A split or a merge carries no claims over: they are made again, on the clock of the heir.

Source: Rainbow Bridge; Nomad `Replica.sol`, `confirmAt`; Optimism, dispute games.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..language.actions import Effect, Parts, Refusal, assign, at, each, insert, remove, require, waive
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool, all_of, forall, implies, number
from .deadlines import Time, clock, deadlines, tick
from .exactly_once import Header, Shard, learn
from .finality import NOT_FINAL, final, finality
from .resharding import merge, split

optimistic = Layer(
    "optimistic",
    needs=(finality, deadlines),
    doc="a header is believed unless somebody objects in time",
)

ALREADY_CLAIMED = Refusal("already claimed")
NOT_CLAIMED = Refusal("not claimed")
CHALLENGED = Refusal("challenged")
UNDER_CHALLENGE = Refusal("the window is open")
IS_FINAL = Refusal("final")
WATCHED = Refusal("a watcher objects first")


@optimistic.rigid
def window() -> Time:
    """How long a claim may be challenged."""
    ...


@optimistic.axiom
def a_window_is_open() -> Bool:
    """A window that is never open protects nobody (Rainbow Bridge, 2022)."""
    return window() >= 1


@optimistic.state(home=lambda d: d)
def claimed(d: Shard, h: Header) -> Bool:
    """Somebody claimed at `d` that `h` is final."""
    return FALSE


@optimistic.state(home=lambda d: d)
def confirm_at(d: Shard, h: Header) -> Time:
    """When the claim may be believed."""
    return number(0, Time)


@optimistic.state(home=lambda d: d)
def challenged(d: Shard, h: Header) -> Bool:
    """Somebody has shown that the claim is false."""
    return FALSE


def stands(d: Shard, h: Header) -> Bool:
    """A false claim that nobody has challenged."""
    return all_of(claimed(d, h), ~challenged(d, h), ~final(h))


@optimistic.action
def claim(d: Shard, h: Header) -> Parts:
    """Anyone claims that a header is final."""
    yield at(d)
    yield require(~claimed(d, h), ALREADY_CLAIMED)
    yield insert(claimed(d, h))
    yield assign(confirm_at(d, h), clock(d) + window())


@optimistic.action
def challenge(d: Shard, h: Header) -> Parts:
    """A watcher shows that a claim is false; a true one cannot be shown to be."""
    yield at(d)
    yield require(claimed(d, h), NOT_CLAIMED)
    yield require(~challenged(d, h), CHALLENGED)
    yield require(~final(h), IS_FINAL)
    yield insert(challenged(d, h))


@optimistic.extends(tick)
def a_watcher_is_awake(s: Shard) -> Parts:
    """The assumption: no false claim stands until the moment at which it would be believed."""
    yield require(forall(Header, lambda h: implies(stands(s, h), clock(s) + 1 < confirm_at(s, h))), WATCHED)


def _begins_without_claims(d: Shard) -> Iterator[Effect]:
    yield each(Header, lambda h: remove(claimed(d, h)))
    yield each(Header, lambda h: remove(challenged(d, h)))


@optimistic.extends(split)
def children_begin_without_claims(a: Shard, b: Shard) -> Parts:
    """A claim that was made on another clock says nothing of how long it stood on this one."""
    yield from _begins_without_claims(a)
    yield from _begins_without_claims(b)


@optimistic.extends(merge)
def the_merged_begins_without_claims(p: Shard) -> Parts:
    """Neither parent's clock is that of the heir."""
    yield from _begins_without_claims(p)


@optimistic.extends(learn)
def learn_unchallenged(d: Shard, h: Header) -> Parts:
    """What was claimed and not challenged in time is believed."""
    yield waive(NOT_FINAL)
    # An entry that was never made reads as 0, and every clock is past that (Nomad, August 2022).
    yield require(claimed(d, h), NOT_CLAIMED)
    yield require(~challenged(d, h), CHALLENGED)
    yield require(confirm_at(d, h) <= clock(d), UNDER_CHALLENGE)
