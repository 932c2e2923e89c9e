"""
What leaves its home is locked there and minted abroad; what comes back is burnt (L3, lock and mint).

The books of the two ends are kept apart, by direction, and nobody burns what was not minted.
So a shard can take back from another no more than that one has locked for it.

Source: ICS-20; the escrow contracts of lock-and-mint bridges.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, require
from ..language.protocol import Layer
from ..language.terms import Bool, implies, number
from .closing import time_out_on_close
from .exactly_once import Header, Receipt, Shard, address, deliver, destination, emit, source
from .outcomes import acknowledge, succeeded_in, time_out
from .value import Amount, amount, value

escrow = Layer("escrow", needs=(value,), doc="what leaves its home is locked there and minted abroad")

NOT_MINTED = Refusal("not minted")


@escrow.rigid
def homeward(m: Receipt) -> Bool:
    """`m` brings back what came from where it goes."""
    ...


@escrow.state(home=address)
def locked(s: Shard, d: Shard) -> Amount:
    """What is locked at `s` for what stands for it at `d`."""
    return number(0, Amount)


@escrow.state(home=address)
def minted(s: Shard, d: Shard) -> Amount:
    """What was minted at `s` for what is locked at `d`."""
    return number(0, Amount)


def _less(m: Receipt) -> Amount:
    return number(0, Amount) - amount(m)


@escrow.extends(emit)
def lock_or_burn(m: Receipt) -> Parts:
    """Outward it is locked; homeward it is burnt."""
    s, d = source(m), destination(m)
    yield require(implies(homeward(m), amount(m) <= minted(s, d)), NOT_MINTED)
    yield add(locked(s, d), amount(m), where=~homeward(m))
    yield add(minted(s, d), _less(m), where=homeward(m))


@escrow.extends(deliver)
def mint_or_unlock(m: Receipt, ok: Bool) -> Parts:
    """Outward it is minted; homeward it is unlocked."""
    s, d = source(m), destination(m)
    yield add(minted(d, s), amount(m), where=ok & ~homeward(m))
    yield add(locked(d, s), _less(m), where=ok & homeward(m))


def undo(m: Receipt) -> Parts:
    """A refund undoes what the emission did."""
    s, d = source(m), destination(m)
    yield add(locked(s, d), _less(m), where=~homeward(m))
    yield add(minted(s, d), amount(m), where=homeward(m))


for expiry in (time_out, time_out_on_close):
    escrow.extends(expiry)(undo)


@escrow.extends(acknowledge)
def undo_failure(m: Receipt, h: Header) -> Parts:
    """A failure is undone like an expiry."""
    s, d = source(m), destination(m)
    failed = ~succeeded_in(h, m)
    yield add(locked(s, d), _less(m), where=failed & ~homeward(m))
    yield add(minted(s, d), amount(m), where=failed & homeward(m))
