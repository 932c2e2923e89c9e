"""
What makes the safety properties inductive.

Each lemma is needed: drop it, and the proof of the core fails with a counterexample to
induction. The first group is about receipts, the second about the chain of blocks, the
third about how far a chain can be taken back. What becomes of all of them when shards lose state
is not said here; see `restoring`.
"""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of, durable, implies
from shardproof_models.layers.closing import closed
from shardproof_models.layers.deadlines import clock, deadline
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    commits,
    destination,
    emitted,
    executions,
    genesis,
    issued,
    origin,
    produced,
    recorded,
    source,
)
from shardproof_models.layers.failures import succeeded
from shardproof_models.layers.finality import final, finality, head, height, parent
from shardproof_models.layers.forwarding import forwarding
from shardproof_models.layers.outcomes import outcomes, timed_out, timed_out_by
from shardproof_models.layers.reorganisation import last_final, reorganisation
from shardproof_models.layers.resharding import fresh, live, owner, resharding
from shardproof_models.layers.sequencing import channel

from .property import Catalogue

lemmas = Catalogue()


@lemmas.lemma(supports="P01", outside=(resharding,))
def executed_is_recorded(d: Shard, m: Receipt) -> Bool:
    """A shard knows of every execution of its own."""
    return implies(executions(d, m) >= 1, recorded(d, m))


@lemmas.lemma(supports="P02")
def committed_was_emitted(h: Header, m: Receipt) -> Bool:
    """In its own name, a header on the chain commits only to what its shard has emitted."""
    return implies(all_of(produced(h), commits(h, m), issued(h, source(m))), emitted(m))


@lemmas.lemma(finality, supports="P10")
def final_is_produced(h: Header) -> Bool:
    """What is final is on the chain."""
    return implies(final(h), produced(h))


# ---- the chain of blocks ----------------------------------------------------------------------


@lemmas.lemma(reorganisation, supports="P10")
def the_head_is_highest(h: Header) -> Bool:
    """No block of a chain is higher than its newest."""
    return implies(produced(h), height(h) <= height(head(origin(h))))


@lemmas.lemma(reorganisation, supports="P26")
def heads_are_produced(s: Shard) -> Bool:
    """The newest block of a shard is a block of that shard."""
    return produced(head(s)) & (origin(head(s)) == s)


@lemmas.lemma(reorganisation, supports="P26")
def a_parent_is_one_below(h: Header) -> Bool:
    """The parent of a block is on the same chain, right below it."""
    p = parent(h)
    below = all_of(produced(p), origin(p) == origin(h), height(p) + 1 == height(h))
    return implies(produced(h) & (h != genesis(origin(h))), below)


@lemmas.lemma(reorganisation, supports="P10")
def a_genesis_is_final(s: Shard) -> Bool:
    """A chain begins with a block that stays."""
    return final(genesis(s))


@lemmas.lemma(reorganisation, supports="P10")
def a_chain_does_not_branch(g: Header, h: Header) -> Bool:
    """One block a height."""
    return implies(all_of(produced(g), produced(h), origin(g) == origin(h), height(g) == height(h)), g == h)


@lemmas.lemma(reorganisation, supports="P10")
def what_is_below_final_is_final(g: Header, h: Header) -> Bool:
    """Finality reaches down the whole chain."""
    return implies(all_of(final(g), produced(h), origin(g) == origin(h), height(h) <= height(g)), final(h))


# ---- how far a chain can be taken back ------------------------------------------------------------


@lemmas.lemma(reorganisation, supports="P02")
def nothing_final_is_above_the_last(h: Header) -> Bool:
    """No final block is higher than the last one."""
    return implies(final(h), height(h) <= height(last_final(origin(h))))


@lemmas.lemma(reorganisation, supports="P02")
def the_last_final_is_final(s: Shard) -> Bool:
    """The last final block of a shard is a block of that shard, and final."""
    return final(last_final(s)) & (origin(last_final(s)) == s)


@lemmas.lemma(reorganisation, outcomes, supports="P04")
def a_timeout_rests_on_what_stays(m: Receipt) -> Bool:
    """The proof that a receipt expired is a block that cannot be taken back."""
    return implies(timed_out(m), final(timed_out_by(m)))


@lemmas.lemma(supports="P06", outside=(resharding,))
def succeeds_at_its_destination(d: Shard, m: Receipt) -> Bool:
    """Nothing succeeds but where it is executed."""
    return implies(succeeded(d, m), destination(m) == d)


@lemmas.lemma(reorganisation, resharding, supports="P22")
def who_takes_part_has_its_address(s: Shard) -> Bool:
    """A shard that has not retired answers for its own address."""
    return implies(live(s) | fresh(s), owner(s) == s)


@lemmas.lemma(reorganisation, resharding, supports="P22")
def who_takes_part_executes_what_is_its_own(d: Shard, m: Receipt) -> Bool:
    """What a shard that takes part has executed is addressed to it, still."""
    return implies(live(d) & (executions(d, m) >= 1), owner(destination(m)) == d)


# ---- what is durable, and what is not yet -------------------------------------------------------


@lemmas.lemma(supports="P04")
def what_is_not_durable_was_in_time(d: Shard, m: Receipt) -> Bool:
    """An execution that a crash would take is one for which, in what is durable, there is still time."""
    fresh_one = (executions(d, m) >= 1) & (durable(executions(d, m)) <= 0)
    return implies(fresh_one, durable(clock(d)) < deadline(m))


@lemmas.lemma(outcomes, supports="P06", outside=(forwarding,))
def durable_success_is_settled(d: Shard, m: Receipt) -> Bool:
    """What came of an execution that is durable is durable too, and is what came of it."""
    return implies(durable(executions(d, m)) >= 1, durable(succeeded(d, m)) == succeeded(d, m))


@lemmas.lemma(supports="P04")
def what_is_not_durable_was_on_an_open_channel(d: Shard, m: Receipt) -> Bool:
    """An execution that a crash would take is one on a channel that, in what is durable, is open."""
    fresh_one = (executions(d, m) >= 1) & (durable(executions(d, m)) <= 0)
    return implies(fresh_one, ~durable(closed(channel(m))))
