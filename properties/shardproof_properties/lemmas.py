"""
What makes the safety properties inductive.

Each lemma is needed: drop it, and the proof of the core fails with a counterexample to
induction. The first group is about receipts, the second about the chain of blocks, the
third about what headers remember, which is what a reorganisation returns to.
"""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of, implies, sealed
from shardproof_models.layers.exactly_once import (
    Header,
    Receipt,
    Shard,
    commits,
    consumed,
    destination,
    emitted,
    executions,
    genesis,
    key,
    learned,
    origin,
    produced,
    recorded,
    source,
    trusted,
    witness,
)
from shardproof_models.layers.finality import final, finality, head, height, parent
from shardproof_models.layers.reorganisation import reorganisation

from .property import Catalogue

lemmas = Catalogue()


@lemmas.lemma(supports="P01")
def executed_is_recorded(d: Shard, m: Receipt) -> Bool:
    """The table of consumed receipts knows of every execution."""
    return implies(executions(d, m) >= 1, recorded(d, m))


@lemmas.lemma(supports="P02")
def committed_was_emitted(h: Header, m: Receipt) -> Bool:
    """In its own name, a header on the chain commits only to what its shard has emitted."""
    return implies(all_of(produced(h), commits(h, m), source(m) == origin(h)), emitted(m))


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


# ---- what headers remember ----------------------------------------------------------------------


@lemmas.lemma(reorganisation, supports="P02")
def later_blocks_remember_what_was_committed(g: Header, h: Header, m: Receipt) -> Bool:
    """What a block commits to in its own name, every later block of its chain knows to be emitted."""
    later = all_of(produced(g), produced(h), origin(g) == origin(h), height(h) <= height(g))
    return implies(all_of(later, commits(h, m), source(m) == origin(h)), sealed(g, emitted(m)))


@lemmas.lemma(reorganisation, supports="P02")
def remembered_executions_were_right(g: Header, d: Shard, m: Receipt) -> Bool:
    """
    What a block remembers as executed was executed once, rightly, on final evidence.

    What it remembers as consumed was executed.
    """
    w = sealed(g, witness(d, m))
    held = produced(g) & (origin(g) == d)
    right = all_of(
        final(w),
        origin(w) == source(m),
        commits(w, m),
        destination(m) == d,
        sealed(g, executions(d, m)) <= 1,
        sealed(g, consumed(d, key(m))),
        sealed(g, trusted(d, w)),
    )
    marked = sealed(g, consumed(d, key(m))) & (destination(m) == d)
    some = sealed(g, executions(d, m)) >= 1
    return implies(
        held, all_of(sealed(g, executions(d, m)) >= 0, implies(some, right), implies(marked, some))
    )


@lemmas.lemma(reorganisation, supports="P10")
def remembered_trust_is_final(g: Header, h: Header) -> Bool:
    """What a block remembers as learned is final."""
    return implies(produced(g) & sealed(g, learned(origin(g), h)), final(h))
