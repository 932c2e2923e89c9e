"""
Receipts carry value: it is debited at the source, and credited once, somewhere (L3, burn and credit).

A sum over all receipts is not first-order, and a global total has no home that could take it
back in a reorganisation. So each shard keeps its own books, by increments: what its accounts
hold, what was sent, what was credited, what was refunded. That the books of a shard balance
is proved; that they add up to the supply, with what is under way, is checked at finite
scopes and on implementations.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, require
from ..language.protocol import Layer
from ..language.terms import Bool, Entity, Number, implies, ite, number, total
from .closing import time_out_on_close
from .exactly_once import Header, Receipt, Shard, address, deliver, destination, emit, exactly_once, source
from .failures import brings_back, failures, responds
from .outcomes import acknowledge, succeeded_in, time_out


class Account(Entity):
    """Somebody who holds value, at one address."""


class Amount(Number):
    """Value, in the smallest unit."""


value = Layer(
    "value", needs=(exactly_once, failures), doc="receipts carry value: debited once, credited once"
)

INSUFFICIENT = Refusal("insufficient balance")


@value.rigid
def bank(a: Account) -> Shard:
    """The address at which an account is kept."""
    ...


@value.rigid
def payer(m: Receipt) -> Account:
    """Who pays for `m`."""
    ...


@value.rigid
def payee(m: Receipt) -> Account:
    """Who is credited when `m` succeeds."""
    ...


@value.rigid
def amount(m: Receipt) -> Amount:
    """The value that `m` carries."""
    ...


@value.rigid
def endowment(a: Account) -> Amount:
    """What an account holds at the beginning."""
    ...


@value.rigid
def endowed(s: Shard) -> Amount:
    """The sum of the endowments at an address."""
    ...


@value.axiom
def amounts_are_positive(m: Receipt) -> Bool:
    """What carries nothing is a receipt of another layer."""
    return amount(m) >= 1


@value.axiom
def endowments_are_not_negative(a: Account) -> Bool:
    """Nobody begins with a debt."""
    return endowment(a) >= 0


@value.axiom
def accounts_are_where_the_receipt_is(m: Receipt) -> Bool:
    """The source debits its own account, and the destination credits its own."""
    return (bank(payer(m)) == source(m)) & (bank(payee(m)) == destination(m))


@value.axiom
def what_is_brought_back_is_what_was_carried(b: Receipt, m: Receipt) -> Bool:
    """Who paid is credited what he paid, by a receipt that is made from the one that it answers."""
    return implies(brings_back(b, m), (amount(b) == amount(m)) & (payee(b) == payer(m)))


@value.axiom
def what_is_endowed_is_the_sum(s: Shard) -> Bool:
    """A sum is not first-order: only the readings with a scope see this axiom."""
    return endowed(s) == total(Account, lambda a: ite(bank(a) == s, endowment(a), 0), Amount)


@value.state(home=bank)
def balance(a: Account) -> Amount:
    """What an account holds."""
    return endowment(a)


@value.ghost(home=address)
def circulating(s: Shard) -> Amount:
    """What the accounts at an address hold together, by increments."""
    return endowed(s)


@value.ghost(home=address)
def sent(s: Shard) -> Amount:
    """What was debited at an address, for receipts."""
    return number(0, Amount)


@value.ghost(home=address)
def credited(s: Shard) -> Amount:
    """What was credited at an address, by receipts."""
    return number(0, Amount)


@value.ghost(home=address)
def refunded(s: Shard) -> Amount:
    """What was given back at an address."""
    return number(0, Amount)


ZERO = number(0, Amount)


@value.extends(emit)
def debit(m: Receipt) -> Parts:
    """The payer pays; a response carries what the failed receipt carried, and nobody pays for it."""
    yield require(responds(m) | (amount(m) <= balance(payer(m))), INSUFFICIENT)
    yield add(balance(payer(m)), ZERO - amount(m), where=~responds(m))
    yield add(circulating(source(m)), ZERO - amount(m), where=~responds(m))
    yield add(sent(source(m)), amount(m), where=~responds(m))


@value.extends(deliver)
def credit(m: Receipt, ok: Bool) -> Parts:
    """The payee is credited what the payer was debited, if the callback succeeds."""
    yield add(balance(payee(m)), amount(m), where=ok)
    yield add(circulating(destination(m)), amount(m), where=ok)
    yield add(credited(destination(m)), amount(m), where=ok)


def refund(m: Receipt) -> Parts:
    """What was not delivered goes back to its payer."""
    yield add(balance(payer(m)), amount(m))
    yield add(circulating(source(m)), amount(m))
    yield add(refunded(source(m)), amount(m))


for expiry in (time_out, time_out_on_close):
    value.extends(expiry)(refund)


@value.extends(acknowledge)
def refund_failure(m: Receipt, h: Header) -> Parts:
    """What failed goes back to its payer."""
    yield add(balance(payer(m)), amount(m), where=~succeeded_in(h, m))
    yield add(circulating(source(m)), amount(m), where=~succeeded_in(h, m))
    yield add(refunded(source(m)), amount(m), where=~succeeded_in(h, m))
