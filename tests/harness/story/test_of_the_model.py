"""Traces of the model alone: what was found in a protocol with a mistake, told by the sound one."""

from __future__ import annotations

import pytest
from attrs import evolve

from shardproof.engines.explore import explore
from shardproof.readings.scopes import scope_of
from shardproof.story.telling import tell
from shardproof.story.told import Story
from shardproof.trace import Extent, Search, Step, Trace
from shardproof_models.layers.exactly_once import exactly_once
from shardproof_models.layers.pruning import pruning
from shardproof_models.layers.sequencing import sequencing
from shardproof_models.mistakes import NAMED
from shardproof_models.mistakes.generated import dropped_clauses
from shardproof_models.stacks import composed


def counterexample(name: str) -> Story:
    """The story of the first counterexample that a named mistake has."""
    protocol = NAMED[name]().protocol
    report = explore(protocol, scope_of(protocol, shards=2, receipts=1), worlds_max=200_000)
    return tell(report.findings[0].trace)


def refused_by(story: Story) -> str:
    """Why the model refuses what the mistake let through."""
    assert story.trace.violation is not None
    return story.trace.violation.clause


def test_what_the_mistake_let_through_is_refused_and_happens() -> None:
    """The guard says by which clause, and the facts go on as if it had been taken."""
    story = counterexample("B24")
    learnt = story.moments[-1]

    assert [m.astray for m in story.moments] == [""] * 2
    assert (learnt.step.expected, learnt.model) == ("accepted", "refused, not final")
    assert refused_by(story) == "not final: consensus has not decided that h0 stays (not `finalised(h0)`)"
    assert [str(c.after) for c in learnt.changes] == ["learned h0"]
    assert story.says
    assert story.formula


@pytest.mark.parametrize(
    "mistake, said",
    [
        ("B10", "not canonical: `canonical(1)` is not so"),
        ("B22", "already initialised: `initialised(A, A)` became true at step 1, initialise at A"),
    ],
)
def test_where_there_are_no_plain_words_the_formula_says_it(mistake: str, said: str) -> None:
    """What bytes are and what operators do, no relayer is refused by in any system."""
    assert refused_by(counterexample(mistake)) == said


def test_a_second_execution_counts() -> None:
    """What is refused since the first one is a fact all the same."""
    story = counterexample("B14")

    assert refused_by(story) == "consumed: B had executed r0 at step 4 (`consumed(B, key(r0))`)"
    assert [str(f) for f in story.facts(5) if f.symbol == "executions"] == ["executions r0 = 2"]
    assert [m.evidence.says for m in story.moments if m.evidence] == ["evidence that h0 commits to r0"] * 2


def test_of_two_conditions_in_one_clause_the_one_that_is_to_blame_is_said() -> None:
    """A receipt is refused that is recorded or below the mark; here it is recorded."""
    protocol = dict(dropped_clauses(composed((exactly_once, sequencing, pruning))))[
        "deliver without 'consumed'"
    ]

    found = explore(protocol, scope_of(protocol, shards=2, receipts=1)).findings[0]

    assert refused_by(tell(found.trace)) == "consumed: B had executed r0 at step 4 (`consumed(B, key(r0))`)"


def test_what_nobody_emitted_has_the_name_of_the_trace() -> None:
    """A forgery under the header of no block."""
    story = counterexample("B01")
    last = story.moments[-1]

    assert last.refusing is not None
    assert last.refusing.text == "learned(B, a header that nobody produced)"
    assert "executions forged:A>B:0 = 1" in [str(c.after) for c in last.changes]


def test_what_no_step_says_is_said_by_the_instance() -> None:
    """Deadlines, and how a callback ends: with the names that they have in other traces."""
    expired, failed = counterexample("B33"), counterexample("B30")

    assert [m.astray for m in (*expired.moments, *failed.moments)] == [""] * 9
    assert [str(f) for f in expired.facts(3) if f.symbol == "clock"] == ["clock = 2"]
    assert dict(failed.moments[-1].step.args)["ok"] == "0"
    assert [str(c.after) for c in failed.moments[-1].changes if c.shard == "B"] == [
        "consumed r0",
        "executions r0 = 1",
        "witness r0 = h0",
    ]


def test_channels_amounts_and_accounts_are_called_as_in_other_traces() -> None:
    """A channel by its ends, a number as it is, an account by its shard."""
    ordered, paid = counterexample("B18"), counterexample("B55")

    assert [str(c.after) for c in ordered.moments[0].changes] == ["emitted r0", "next send A>B = 1"]
    assert [(c.shard, str(c.after)) for c in paid.moments[0].changes] == [
        ("A", "emitted r0"),
        ("A", "balance = 2"),
        ("A", "circulating = 2"),
        ("A", "sent = 1"),
    ]


def test_what_a_trace_does_not_say_is_not_made_up() -> None:
    """A deadline in a file that has no instance, and an action that only the mistake has."""
    bare = evolve(counterexample("B33").trace, instance=None)
    unknown = [m.astray for m in counterexample("B54").moments]

    assert {m.astray for m in tell(bare).moments} == {
        "a trace of the model without an instance says nothing of: deadline"
    }
    assert unknown == ["", "", "this protocol has no action 'receive_early'", ""]


def test_a_step_that_leaves_what_there_is_ends_what_is_known() -> None:
    """Its facts are half of it, so neither it nor what follows is told."""
    trace = counterexample("B33").trace
    assert trace.instance is not None
    short = evolve(trace.instance, sorts={**trace.instance.sorts, "Time": Extent(0, 2)})
    moments = tell(evolve(trace, instance=short)).moments

    cut = "clock needs more Time than there are in this scope"
    assert [m.astray for m in moments] == ["", "", cut, cut, cut]


@pytest.mark.parametrize(
    "step, why",
    [
        (Step("emit", "A", {"to": "B"}), "step 1: emit has no receipt"),
        (Step("emit", "A", {"receipt": "r0", "to": "Z"}), "no shard is called 'Z'"),
        (Step("learn", "A", {}), "the step does not say what h of learn is"),
        (Step("deliver", "A", {"receipt": "r7", "header": "h0"}), "step 1: nobody has emitted r7"),
    ],
)
def test_bad_input_is_said_and_no_traceback(step: Step, why: str) -> None:
    """What a step lacks, and names of nothing."""
    trace = Trace("model", ("exactly-once",), ("A", "B"), "", "", "", (step,), None, Search("hand"))

    assert [m.astray for m in tell(trace).moments] == [why]


def test_a_longer_one_than_the_model_is_run_on() -> None:
    """It is told without what the model held."""
    steps = tuple(Step("produce", "A", {"header": f"h{n}"}) for n in range(201))
    trace = Trace("model", ("exactly-once",), ("A", "B"), "", "", "", steps, None, Search("hand"))

    assert {m.astray for m in tell(trace).moments} == {"a trace of the model is told up to 200 steps"}
