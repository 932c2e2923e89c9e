"""Each receipt is somebody's business, before and after a split or a merge (L8)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, equal, implies
from shardproof_models.layers.exactly_once import (
    Receipt,
    Shard,
    answers,
    consumed,
    destination,
    emitted,
    excused,
    executions,
    key,
    recorded,
    source,
)
from shardproof_models.layers.resharding import fresh, live, outbox, owner, reserve, resharding, successions

from .property import Catalogue
from .safety import ran

layout = Catalogue()


@layout.invariant("P22", because="a receipt that two shards see to is delivered twice")
def one_shard_sees_to_it(a: Shard, b: Shard, m: Receipt) -> Bool:
    """Each receipt is in one outbox."""
    return implies(outbox(a, m) & outbox(b, m), a == b)


@layout.invariant("P22", because="a receipt that no shard sees to is lost")
def some_shard_sees_to_it(m: Receipt) -> Bool:
    """What was emitted is in the outbox of whoever answers for its source."""
    return implies(emitted(m), outbox(owner(source(m)), m))


@layout.invariant("P22", because="an address without a shard is a hole")
def every_address_is_answered_for(a: Shard) -> Bool:
    """The shard that answers for an address takes part."""
    return implies(~reserve(a), live(owner(a)))


@layout.invariant("P22", because="two sets of heirs both execute what is addressed to the dead")
def is_succeeded_once(s: Shard) -> Bool:
    """A shard is split or merged at most once."""
    return successions(s) <= 1


@layout.invariant(
    "P22",
    because="who retires without heirs leaves nobody to answer, and who has heirs and stays is one too many",
)
def the_retired_were_succeeded(s: Shard) -> Bool:
    """Who took part and does not was succeeded; the others were not."""
    nobody = equal(live(s) | fresh(s), successions(s) == 0)
    return nobody & ~(live(s) & fresh(s)) & (successions(s) >= 0)


@layout.invariant("P22", resharding, because="an heir who does not know what was executed executes it again")
def heirs_know_what_was_executed(d: Shard, e: Shard, m: Receipt) -> Bool:
    """Whoever answers for its destination now has the record of a receipt, whoever executed it."""
    return implies((executions(e, m) >= 1) & answers(d, destination(m)), recorded(d, m))


@layout.lemma(resharding, supports="P21")
def what_is_marked_was_executed(d: Shard, m: Receipt) -> Bool:
    """No shard has a record of what nobody executed, or had reason to record: heirs unite records."""
    return implies(consumed(d, key(m)), ran(m) | excused(d, m))


@layout.lemma(supports="P22")
def the_fresh_have_done_nothing(s: Shard, m: Receipt) -> Bool:
    """What a shard executed it executed while it took part."""
    return implies(fresh(s), executions(s, m) <= 0)


@layout.lemma(supports="P22")
def only_addresses_are_posted(s: Shard, m: Receipt) -> Bool:
    """What is in an outbox was emitted, at an address that its shard answers for."""
    return implies(outbox(s, m), emitted(m) & (owner(source(m)) == s))


@layout.sometimes("P22", resharding)
def splits(s: Shard) -> Bool:
    """A shard retires, and others take over."""
    return successions(s) >= 1
