"""
A receipt that goes on: its destination sends what it carried to a third shard (L3, several hops).

The first hop is acknowledged only when the outcome of the second is known. If that failed,
the shard in the middle gives back what it was credited, in the same step in which it is
refunded: otherwise it would keep what the first sender is refunded as well. From then on the
first hop counts as failed, and the log of the shard in the middle says so.

Source: cosmos/ibc-apps, packet forward middleware, PRs 170 to 174.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..language.actions import Effect, Parts, Refusal, add, each, insert, remove, require
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool, all_of, exists, implies, number
from .closing import time_out_on_close
from .escrow import escrow, homeward, locked, minted
from .exactly_once import Header, Receipt, Shard, answers, destination, emit, recorded, source
from .failures import announced, succeeded
from .outcomes import acknowledge, outcomes, succeeded_in, time_out, write_acknowledgement
from .value import Amount, amount, balance, circulating, credited, payee, payer, value

forwarding = Layer(
    "forwarding",
    needs=(value, escrow, outcomes),
    touches=(succeeded, announced, balance, circulating, credited, minted, locked),
    doc="a receipt goes on to a third shard, and comes back if the second hop fails",
)

NOT_ARRIVED = Refusal("the first hop has not arrived")
ALREADY_FORWARDED = Refusal("already forwarded")
ON_ITS_WAY = Refusal("the second hop is on its way")


@forwarding.rigid
def onward(w: Receipt) -> Bool:
    """`w` is a second hop."""
    ...


@forwarding.rigid
def first_hop(w: Receipt) -> Receipt:
    """The receipt that a second hop sends on."""
    ...


@forwarding.rigid
def travels(m: Receipt) -> Bool:
    """`m` asks to be sent on."""
    ...


@forwarding.axiom
def the_second_hop_continues_the_first(w: Receipt) -> Bool:
    """From where the first one arrives, with what it carries, paid by who was credited."""
    m = first_hop(w)
    joined = all_of(source(w) == destination(m), payer(w) == payee(m), amount(w) == amount(m))
    return implies(onward(w), joined & travels(m) & ~onward(m))


@forwarding.state(home=destination)
def forwarded(m: Receipt) -> Bool:
    """The second hop of `m` was emitted."""
    return FALSE


@forwarding.state(home=destination)
def arrived(m: Receipt) -> Bool:
    """The second hop of `m` was acknowledged."""
    return FALSE


@forwarding.extends(emit)
def send_on(m: Receipt) -> Parts:
    """A second hop is emitted once, after the first has taken effect."""
    w = first_hop(m)
    here = exists(Shard, lambda s: all_of(answers(s, source(m)), recorded(s, w), succeeded(s, w)))
    yield require(implies(onward(m), here), NOT_ARRIVED)
    yield require(implies(onward(m), ~forwarded(w)), ALREADY_FORWARDED)
    yield insert(forwarded(w), where=onward(m))


@forwarding.extends(write_acknowledgement)
def when_the_outcome_is_known(d: Shard, m: Receipt) -> Parts:
    """What travels has no outcome before its last hop has one."""
    yield require(implies(travels(m) & succeeded(d, m), arrived(m)), ON_ITS_WAY)


def _comes_back(m: Receipt, when: Bool) -> Iterator[Effect]:
    """The first hop of `m` has failed after all, and the middle gives back what it was credited."""
    w = first_hop(m)
    taken = number(0, Amount) - amount(w)
    # Also in what a shard keeps that has retired since: nobody may take an old copy for an effect.
    yield each(Shard, lambda e: remove(succeeded(e, w), where=when))
    yield each(Shard, lambda e: remove(announced(e, w), where=when))
    yield add(balance(payee(w)), taken, where=when)
    yield add(circulating(source(m)), taken, where=when)
    yield add(credited(source(m)), taken, where=when)
    yield add(minted(destination(w), source(w)), taken, where=when & ~homeward(w))
    yield add(locked(destination(w), source(w)), amount(w), where=when & homeward(w))


def come_back(m: Receipt) -> Parts:
    """The second hop expired."""
    yield from _comes_back(m, onward(m))


for expiry in (time_out, time_out_on_close):
    forwarding.extends(expiry)(come_back)


@forwarding.extends(acknowledge)
def come_back_or_arrive(m: Receipt, h: Header) -> Parts:
    """The second hop succeeded, or failed, and then as if it had expired."""
    yield insert(arrived(first_hop(m)), where=onward(m) & succeeded_in(h, m))
    yield from _comes_back(m, onward(m) & ~succeeded_in(h, m))
