"""
A callback runs in a frame, and other receipts may be delivered before it returns (L10).

What a callback reads as "who sent this" is the context of its own frame; a frame within it
must give it back. Frames are a stack at each address, linked from the innermost outwards, and
go where the address goes. What a re-entrant delivery could repeat is recorded before the
callback begins.

Source: GHSA-j496-crgh-34mx; ethereum-optimism/optimism PR 5444.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, insert, remove, require
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool, Number, number
from .exactly_once import (
    WRONG_DESTINATION,
    Receipt,
    Shard,
    address,
    answers,
    deliver,
    destination,
    exactly_once,
)


class Depth(Number):
    """How many frames are open."""


callbacks = Layer(
    "callbacks",
    needs=(exactly_once,),
    doc="a callback runs in a frame; others may be delivered before it returns",
)

RUNNING = Refusal("running")
NOT_INNERMOST = Refusal("not the innermost frame")


@callbacks.state(home=address)
def depth(a: Shard) -> Depth:
    """How many frames are open at an address."""
    return number(0, Depth)


@callbacks.state(home=address)
def innermost(a: Shard) -> Receipt:
    """The receipt whose callback runs in the innermost frame at an address, if there is one."""
    ...


@callbacks.state(home=destination)
def interrupted(m: Receipt) -> Receipt:
    """The receipt whose frame the callback of `m` interrupted, if there was one."""
    ...


@callbacks.state(home=address)
def context(a: Shard) -> Receipt:
    """The receipt that the code at an address that runs right now takes itself to answer."""
    ...


@callbacks.state(home=destination)
def running(m: Receipt) -> Bool:
    """The callback of `m` has begun and not returned."""
    return FALSE


@callbacks.ghost(home=destination)
def level(m: Receipt) -> Depth:
    """How many frames were open when that of `m` was, its own included."""
    return number(0, Depth)


@callbacks.extends(deliver)
def begin(m: Receipt) -> Parts:
    """The callback of `m` begins, in a frame of its own."""
    here = destination(m)
    yield require(~running(m), RUNNING)
    yield add(depth(here), 1)
    yield assign(interrupted(m), innermost(here))
    yield assign(innermost(here), m)
    yield assign(context(here), m)
    yield insert(running(m))
    yield assign(level(m), depth(here) + 1)


@callbacks.action
def finish(d: Shard, m: Receipt) -> Parts:
    """The innermost callback returns, to the one that it interrupted."""
    here = destination(m)
    yield at(d)
    yield require(answers(d, here), WRONG_DESTINATION)
    yield require(running(m) & (innermost(here) == m), NOT_INNERMOST)
    yield add(depth(here), -1)
    yield assign(innermost(here), interrupted(m))
    yield assign(context(here), interrupted(m))
    yield remove(running(m))
