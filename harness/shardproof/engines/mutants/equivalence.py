"""
When a mistake is none: in every world that the invariants allow, it answers and acts as it should.

That is a statement about two actions in one world, for any number of shards, receipts and
headers, and a solver proves it. From it follows by induction that both protocols reach the same
worlds: the invariants are proved of the right one, and a step from a world that satisfies them
is the same step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from attrs import frozen

from shardproof_models.language.actions import Action, Clause
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    FALSE,
    TRUE,
    Bool,
    Variable,
    all_of,
    any_of,
    equal,
    implies,
    is_first_order,
)
from shardproof_properties.property import Property, Role


@frozen(eq=False)
class Claim:
    """`hypotheses` and `guard` imply `goal`, whatever the variables that are free in them."""

    name: str
    hypotheses: tuple[Bool, ...]
    goal: Bool
    guard: Bool = TRUE


def hypotheses(protocol: Protocol, properties: Sequence[Property]) -> tuple[Bool, ...]:
    """What is true of every reachable world: axioms, and the invariants among `properties`."""
    invariants = (p for p in properties if p.role in (Role.SAFETY, Role.LEMMA) and p.first_order)
    return (
        *(a for a in protocol.axioms if is_first_order(a)),
        *(protocol.expand(p.formula) for p in invariants),
    )


def same_answers(known: tuple[Bool, ...], right: Action, wrong: Action) -> Iterator[Claim]:
    """What has to be shown for the two to accept the same, and to refuse the rest for the same reasons."""
    pairs = itertools.takewhile(lambda p: p[0] is p[1], zip(right.clauses, wrong.clauses, strict=False))
    before = tuple(a for a, _ in pairs)
    ours, theirs = right.clauses[len(before) :], wrong.clauses[len(before) :]
    for refusal in dict.fromkeys(c.refusal for c in (*ours, *theirs)):
        goal = equal(_refused(ours, refusal), _refused(theirs, refusal))
        guard = all_of(*(c.condition for c in before))
        yield Claim(f"{right.name} refuses the same as {refusal}", known, goal, guard)


def same_acceptance(known: tuple[Bool, ...], right: Action, wrong: Action) -> Iterator[Claim]:
    """What has to be shown for the two to accept the same."""
    yield Claim(f"{right.name} accepts the same", known, equal(right.guard, wrong.guard))


def accepts_no_less(right: Action, wrong: Action) -> Claim:
    """What is false in a world in which `wrong` refuses what `right` accepts."""
    return Claim(f"{wrong.name} accepts no less", (), wrong.guard, right.guard)


def always(claim: Claim, action: Action) -> Property:
    """The claim as a property, of which bounded model checking finds a world in which it is false."""
    return Property(
        "-",
        claim.name,
        Role.SAFETY,
        action.parameters,
        implies(claim.guard, claim.goal),
        "a mistake is no mistake if nobody can tell the difference",
    )


def same_effects(known: tuple[Bool, ...], right: Action, wrong: Action) -> Iterator[Claim]:
    """What has to be shown for the two, where both accept, to make the same of every cell."""
    for symbol in dict.fromkeys(e.symbol for e in (*right.effects, *wrong.effects)):
        if right.writes(symbol) != wrong.writes(symbol):
            cell = symbol(*(type(p)(Variable(p.head.name)) for p in symbol.parameters))
            goal = equal(right.after(cell), wrong.after(cell))
            yield Claim(f"{right.name} makes the same of {symbol.name}", known, goal, right.guard)


def _refused(clauses: tuple[Clause, ...], refusal: object) -> Bool:
    """That the first of `clauses` that fails refuses by `refusal`."""
    before = TRUE
    cases = [FALSE]
    for clause in clauses:
        if clause.refusal == refusal:
            cases.append(all_of(before, ~clause.condition))
        before = all_of(before, clause.condition)
    return any_of(*cases)
