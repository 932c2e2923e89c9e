"""
Blocks form a chain, and only final headers are roots of proof (L4).

A header becomes final after its parent, and what is final cannot be reverted. Systems
whose blocks are final at once, or whose headers carry their own certificate, widen
`final` and `trusted`; see `instant_finality` and `self_certified`.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, assign, at, insert, require, waive
from ..language.protocol import Layer
from ..language.terms import PUBLIC, Bool, Number, number
from .exactly_once import (
    UNKNOWN_HEADER,
    Header,
    Shard,
    exactly_once,
    genesis,
    learn,
    origin,
    produce,
    produced,
    trusted,
)


class Height(Number):
    """The position of a block on its chain."""


finality = Layer(
    "finality", needs=(exactly_once,), doc="blocks form a chain; only final headers are roots of proof"
)

NOT_PRODUCED = Refusal("not produced")
NOT_FINAL = Refusal("not final")
ALREADY_FINAL = Refusal("already final")
PARENT_NOT_FINAL = Refusal("parent not final")


@finality.state(home=PUBLIC)
def head(s: Shard) -> Header:
    """The newest block of `s`."""
    return genesis(s)


@finality.state(home=PUBLIC)
def parent(h: Header) -> Header:
    """The block that `h` was produced on."""
    ...


@finality.state(home=PUBLIC)
def height(h: Header) -> Height:
    """How many blocks are before `h` on its chain."""
    return number(0, Height)


@finality.state(home=PUBLIC)
def finalised(h: Header) -> Bool:
    """Consensus has decided that `h` stays."""
    return h == genesis(origin(h))


@finality.defined
def final(h: Header) -> Bool:
    """`h` can no longer be reverted."""
    return finalised(h)


@finality.extends(produce)
def on_the_head(h: Header) -> Parts:
    """A new block is on top of the newest one, and is the newest from then on."""
    yield assign(parent(h), head(origin(h)))
    yield assign(height(h), height(head(origin(h))) + 1)
    yield assign(head(origin(h)), h)


@finality.action
def finalise(h: Header) -> Parts:
    """Consensus can no longer revert `h`."""
    yield at(origin(h))
    yield require(produced(h), NOT_PRODUCED)
    yield require(~final(h), ALREADY_FINAL)
    yield require(final(parent(h)), PARENT_NOT_FINAL)
    yield insert(finalised(h))


@finality.extends(learn)
def learn_final(h: Header) -> Parts:
    """A light client accepts only what stays."""
    # What is final was produced: the ideal clause is replaced by a real one, not added to.
    yield waive(UNKNOWN_HEADER)
    yield require(final(h), NOT_FINAL)


instant_finality = Layer("instant-finality", needs=(finality,), doc="what is produced is final at once")


@instant_finality.widens(final)
def final_at_once(h: Header) -> Bool:
    """What is on the chain stays there."""
    return produced(h)


self_certified = Layer(
    "self-certified", needs=(finality,), doc="a header carries its own certificate: nobody needs to learn it"
)


@self_certified.widens(trusted)
def certified(d: Shard, h: Header) -> Bool:
    """A header that stays is trusted everywhere."""
    return final(h)
