"""What facts are called in plain words: every one that decides about what a relayer asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shardproof.story import words
from shardproof.trace import Step
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Op, Symbol, Term
from shardproof_models.stacks import STACKS, composed

ASKED = ("deliver", "learn", "acknowledge", "time_out", "time_out_on_close", "skip")

#: Of these the formula is all that is said: what a decoder makes of bytes, what nobody but a sender knows,
#: and how old the keys of validators are.
UNSAID = {"canonical", "meaning", "made_for", "domain", "response", "term"}

PROTOCOLS = tuple(composed(stack.layers) for stack in STACKS.values())


def decisive(protocol: Protocol, term: Term) -> Iterator[str]:
    """The names of what a condition is about: relations, and the sides of comparisons."""
    if isinstance(term.head, Symbol):
        whole = protocol.expand(term)
        yield from [term.head.name] if whole is term else decisive(protocol, whole)
    elif term.head in (Op.NOT, Op.OR, Op.AND, Op.IMPLIES, Op.EQ, Op.LT, Op.LE):
        for part in term.args:
            if isinstance(part, Bool) or term.head in (Op.EQ, Op.LT, Op.LE):
                yield from decisive(protocol, part)


def test_there_are_words_for_whatever_a_relayer_can_be_refused_by() -> None:
    """In every stack; and none for what there is not."""
    decides = {
        name
        for protocol in PROTOCOLS
        for action in protocol.actions
        if action.name in ASKED
        for clause in action.clauses
        for name in decisive(protocol, clause.condition)
    }

    assert decides - UNSAID == {*words.RELATIONS, *words.VALUES}
    assert decides >= UNSAID


@pytest.mark.parametrize("name", [*words.RELATIONS, *words.VALUES])
def test_words_are_about_what_the_fact_is_about(name: str) -> None:
    """Every argument is named, and no other."""
    (arity,) = {len(s.parameters) for p in PROTOCOLS for s in p.symbols if s.name == name}
    names = [f"<{number}>" for number in range(arity)]

    if name in words.VALUES:
        said = [words.value(name, names, "<value>")]
        names = [*names, "<value>"]
    else:
        said = [words.fact(name, names, holds=holds) for holds in (True, False)]

    assert all(named in one for one in said for named in names)


def test_a_callback_that_failed_is_not_called_an_execution() -> None:
    """By whichever action it is that this is told."""
    about = ("B", "r0")

    assert words.event("consumed", about, Step("deliver", "B", {"ok": "1"})) == "B had executed r0"
    assert {
        words.event("consumed", about, step)
        for step in (Step("deliver_failing", "B", {}), Step("deliver", "B", {"ok": "0"}))
    } == {"r0 had run and failed at B"}
    assert words.event("consumed", about, Step("merge", "B", {})) == ""


def test_of_what_is_not_there_that_is_said() -> None:
    """A header of no block is not called unlearned, as if one could learn it."""
    assert words.fact("learned", ("B", "a header that nobody produced (3)"), holds=False) == (
        "no shard has produced the header that is shown"
    )
    assert words.fact("pending", ("forged:A>B:0",), holds=False) == (
        "nobody has emitted the receipt that is shown"
    )
    assert words.fact("waits", ("r0",), holds=False) == words.value("term", ("v",), "0") == ""
