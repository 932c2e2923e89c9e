"""Value is neither made nor lost, and each receipt moves what it carries, once (L3)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, implies, ite, next_, number, total
from shardproof_models.layers.exactly_once import Receipt, Shard, emitted, executions
from shardproof_models.layers.failures import responds, succeeded
from shardproof_models.layers.forwarding import forwarding, onward
from shardproof_models.layers.outcomes import outcomes, refunds
from shardproof_models.layers.value import (
    Account,
    Amount,
    amount,
    balance,
    bank,
    circulating,
    credited,
    endowed,
    payee,
    payer,
    refunded,
    sent,
)

from .property import Catalogue

value = Catalogue()


@value.invariant("P08", because="value out of thin air, or into it")
def books_balance(s: Shard) -> Bool:
    """What circulates at an address is what it was endowed with, less what it sent, and what came back or in."""
    return circulating(s) + sent(s) == endowed(s) + credited(s) + refunded(s)


@value.invariant("P08", because="books that do not say what the accounts hold prove nothing")
def books_say_what_accounts_hold(s: Shard) -> Bool:
    """The sum of the balances at an address, kept by increments, is their sum."""
    return circulating(s) == total(Account, lambda a: ite(bank(a) == s, balance(a), 0), Amount)


@value.invariant("P08", because="an overdraft is value out of thin air")
def nobody_overdraws(a: Account) -> Bool:
    """No balance is negative."""
    return balance(a) >= 0


@value.step("P09", because="a credit without its debit is value out of thin air")
def emission_debits_what_is_carried(m: Receipt) -> Bool:
    """Who pays for a receipt has that much less."""
    paid = next_(balance(payer(m))) + amount(m) == balance(payer(m))
    return implies(~emitted(m) & next_(emitted(m)) & ~responds(m), paid)


@value.step("P09", because="a credit of another amount than the debit makes or loses the difference")
def execution_credits_what_is_carried(d: Shard, m: Receipt) -> Bool:
    """Who is paid by a receipt that succeeds has that much more."""
    got = next_(balance(payee(m))) == balance(payee(m)) + amount(m)
    now = (executions(d, m) < next_(executions(d, m))) & next_(succeeded(d, m))
    return implies(now, got)


@value.step("P09", because="a failure that is credited all the same is paid twice once it is refunded")
def failure_credits_nothing(d: Shard, m: Receipt) -> Bool:
    """Who would have been paid by a receipt that fails has no more than before."""
    got = next_(balance(payee(m))) == balance(payee(m))
    now = (executions(d, m) < next_(executions(d, m))) & ~next_(succeeded(d, m))
    return implies(now, got)


@value.step(
    "P09",
    because="a refund of another amount than the debit makes or loses the difference",
    outside=(forwarding,),
)
def refund_returns_what_was_carried(m: Receipt) -> Bool:
    """Who is refunded has that much more."""
    got = next_(balance(payer(m))) == balance(payer(m)) + amount(m)
    return implies(refunds(m) < next_(refunds(m)), got)


@value.step("P09", because="who passes on what comes back, and keeps it, has what the first sender is refunded")
def refund_returns_what_was_carried_or_passes_it_back(m: Receipt) -> Bool:
    """Who is refunded has that much more, or no more and no less if what comes back only passed through."""
    got = next_(balance(payer(m))) == balance(payer(m)) + ite(onward(m), number(0, Amount), amount(m))
    return implies(refunds(m) < next_(refunds(m)), got)


@value.sometimes("P08")
def value_arrives(s: Shard) -> Bool:
    """Something is credited."""
    return credited(s) >= 1


@value.sometimes("P08", outcomes)
def value_returns(s: Shard) -> Bool:
    """Something is refunded."""
    return refunded(s) >= 1
