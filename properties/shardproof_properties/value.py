"""Value is neither made nor lost, and each receipt moves what it carries, once (L3)."""

from __future__ import annotations

from collections.abc import Callable

from shardproof_models.language.terms import Bool, all_of, exists, implies, ite, next_, number, total
from shardproof_models.layers.bouncing import answered, bouncing, response
from shardproof_models.layers.escrow import homeward, locked, minted
from shardproof_models.layers.exactly_once import Receipt, Shard, destination, emitted, executions, source
from shardproof_models.layers.failures import responds, succeeded, took_effect
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
from .safety import ran

value = Catalogue()


@value.invariant("P08", because="value out of thin air, or into it")
def books_balance(s: Shard) -> Bool:
    """What circulates is what there was at the beginning, less what was sent, and what came in or back."""
    return circulating(s) + sent(s) == endowed(s) + credited(s) + refunded(s)


@value.invariant("P08", because="books that do not say what the accounts hold prove nothing")
def books_say_what_accounts_hold(s: Shard) -> Bool:
    """The sum of the balances at an address, kept by increments, is their sum."""
    return circulating(s) == total(Account, lambda a: ite(bank(a) == s, balance(a), 0), Amount)


@value.invariant("P08", because="an overdraft is value out of thin air")
def nobody_overdraws(a: Account) -> Bool:
    """No balance is negative."""
    return balance(a) >= 0


def under_way(m: Receipt) -> Bool:
    """What `m` carries was debited, and has not arrived."""
    return all_of(emitted(m), ~responds(m), ~exists(Shard, lambda e: took_effect(e, m)))


def not_refunded(m: Receipt) -> Bool:
    """What `m` carries was debited, and has neither arrived nor come back."""
    return under_way(m) & (refunds(m) <= 0)


def not_brought_back(m: Receipt) -> Bool:
    """What `m` carries was debited, and has neither arrived nor been brought back."""
    back = exists(Receipt, lambda b: response(b) & (answered(b) == m) & ran(b))
    return under_way(m) & ~back


def conserved(out: Callable[[Receipt], Bool]) -> Bool:
    """What circulates at all addresses, and what is out, is what all were endowed with."""
    circulates = total(Shard, circulating, Amount)
    is_out = total(Receipt, lambda m: ite(out(m), amount(m), number(0, Amount)), Amount)
    return circulates + is_out == total(Shard, endowed, Amount)


@value.invariant(
    "P08", because="what is neither anywhere nor under way is lost", outside=(outcomes, bouncing)
)
def supply_is_constant() -> Bool:
    """All that there was at the beginning is on accounts, or under way."""
    return conserved(under_way)


@value.invariant("P08", outcomes, because="what is neither anywhere nor under way nor refunded is lost")
def supply_is_constant_with_refunds() -> Bool:
    """All that there was at the beginning is on accounts, or under way."""
    return conserved(not_refunded)


@value.invariant("P08", bouncing, because="what is neither somewhere nor on its way there or back is lost")
def supply_is_constant_with_responses() -> Bool:
    """All that there was at the beginning is on accounts, or under way, there or back."""
    return conserved(not_brought_back)


def covered(s: Shard, d: Shard, out: Callable[[Receipt], Bool]) -> Bool:
    """What is locked at `s` for `d` is what was minted there for it, and what is out between them."""

    def moving(m: Receipt) -> Bool:
        there = all_of(source(m) == s, destination(m) == d, ~homeward(m))
        back = all_of(source(m) == d, destination(m) == s, homeward(m))
        return out(m) & (there | back)

    is_out = total(Receipt, lambda m: ite(moving(m), amount(m), number(0, Amount)), Amount)
    return locked(s, d) == minted(d, s) + is_out


@value.invariant(
    "P08",
    because="what is minted and not locked is redeemed by whoever comes first",
    outside=(outcomes,),
)
def all_that_is_abroad_is_locked(s: Shard, d: Shard) -> Bool:
    """What is locked at home is what was minted abroad, and what is under way between the two."""
    return covered(s, d, under_way)


@value.invariant("P08", outcomes, because="what is minted and not locked is redeemed by whoever comes first")
def all_that_is_abroad_is_locked_or_refunded(s: Shard, d: Shard) -> Bool:
    """What is locked at home is what was minted abroad, and what is under way between the two."""
    return covered(s, d, not_refunded)


@value.invariant(
    "P08",
    because="who burns what was never minted unlocks what others have locked",
    outside=(forwarding,),
)
def nothing_is_burnt_that_was_not_minted(s: Shard, d: Shard) -> Bool:
    """What was minted for another address is not less than nothing."""
    return minted(s, d) >= 0


@value.step("P08", because="value that leaves its home and is not locked there is in two places")
def emission_locks_or_burns(m: Receipt) -> Bool:
    """What is sent away is locked; what is sent home is burnt."""
    s, d = source(m), destination(m)
    lock = next_(locked(s, d)) == locked(s, d) + ite(homeward(m), number(0, Amount), amount(m))
    burn = next_(minted(s, d)) + ite(homeward(m), amount(m), number(0, Amount)) == minted(s, d)
    return implies(~emitted(m) & next_(emitted(m)), lock & burn)


@value.step("P08", because="value that comes home and is not unlocked is lost")
def success_mints_or_unlocks(e: Shard, m: Receipt) -> Bool:
    """What arrives abroad is minted; what comes home is unlocked."""
    s, d = source(m), destination(m)
    mint = next_(minted(d, s)) == minted(d, s) + ite(homeward(m), number(0, Amount), amount(m))
    unlock = next_(locked(d, s)) + ite(homeward(m), amount(m), number(0, Amount)) == locked(d, s)
    now = (executions(e, m) < next_(executions(e, m))) & next_(succeeded(e, m))
    return implies(now, mint & unlock)


@value.step("P08", because="a refund that leaves its value locked, or burnt, pays it out twice")
def refund_unlocks_or_mints_again(m: Receipt) -> Bool:
    """What comes back undone is unlocked, or minted again."""
    s, d = source(m), destination(m)
    unlock = next_(locked(s, d)) + ite(homeward(m), number(0, Amount), amount(m)) == locked(s, d)
    mint = next_(minted(s, d)) == minted(s, d) + ite(homeward(m), amount(m), number(0, Amount))
    return implies((refunds(m) < next_(refunds(m))) & ~onward(m), unlock & mint)


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


@value.step("P09", because="who keeps what only passed through has what the first sender is refunded")
def refund_returns_what_was_carried_or_passes_it_back(m: Receipt) -> Bool:
    """Who is refunded has that much more, or no more and no less if what comes back only passed through."""
    got = next_(balance(payer(m))) == balance(payer(m)) + ite(onward(m), number(0, Amount), amount(m))
    return implies(refunds(m) < next_(refunds(m)), got)


@value.step("P09", because="who is given back less than he paid has lost the difference")
def responses_return_what_was_carried(e: Shard, b: Receipt) -> Bool:
    """Who paid for what failed has that much more."""
    m = answered(b)
    got = next_(balance(payer(m))) == balance(payer(m)) + amount(m)
    return implies(response(b) & (executions(e, b) < next_(executions(e, b))), got)


@value.sometimes("P08")
def mints(s: Shard, d: Shard) -> Bool:
    """Something is abroad."""
    return minted(s, d) >= 1


@value.sometimes("P08")
def comes_home(d: Shard, m: Receipt) -> Bool:
    """Something is burnt abroad and unlocked at home."""
    return took_effect(d, m) & homeward(m)


@value.sometimes("P08")
def value_arrives(s: Shard) -> Bool:
    """Something is credited."""
    return credited(s) >= 1


@value.sometimes("P08", outcomes)
def value_returns(s: Shard) -> Bool:
    """Something is refunded."""
    return refunded(s) >= 1
