"""Traces of the model alone: what was found in a protocol with a mistake, told by the sound one."""

from __future__ import annotations

import pytest

from shardproof.engines.explore import explore
from shardproof.readings.scopes import scope_of
from shardproof.story.telling import tell
from shardproof.story.told import Story
from shardproof.trace import Search, Step, Trace
from shardproof_models.mistakes import NAMED


def counterexample(name: str) -> Story:
    """The story of the first counterexample that a named mistake has."""
    protocol = NAMED[name]().protocol
    report = explore(protocol, scope_of(protocol, shards=2, receipts=1), worlds_max=200_000)
    return tell(report.findings[0].trace)


def test_what_the_mistake_let_through_is_refused_and_happens() -> None:
    """The guard says by which clause, and the facts go on as if it had been taken."""
    story = counterexample("B24")
    learnt = story.moments[-1]

    assert [m.astray for m in story.moments] == [""] * 2
    assert (learnt.step.expected, learnt.model) == ("accepted", "refused, not final")
    assert story.refused_by == "not final, never true: no step makes `finalised(h0)` true"
    assert [str(c.after) for c in learnt.changes] == ["learned h0"]
    assert story.says
    assert story.formula


def test_a_second_execution_counts() -> None:
    """What is refused since the first one is a fact all the same."""
    story = counterexample("B14")

    assert story.refused_by == "consumed: `consumed(B, key(r0))` became true at step 4, deliver at B"
    assert [str(f) for f in story.facts(5) if f.symbol == "executions"] == ["executions r0 = 2"]
    assert [m.evidence.says for m in story.moments if m.evidence] == ["evidence that h0 commits to r0"] * 2


def test_what_nobody_emitted_has_the_name_of_the_trace() -> None:
    """A forgery under the header of no block."""
    story = counterexample("B01")
    last = story.moments[-1]

    assert last.refusing is not None
    assert last.refusing.text == "learned(B, a header that nobody produced)"
    assert "executions forged:A>B:0 = 1" in [str(c.after) for c in last.changes]


@pytest.mark.parametrize(
    "name, why",
    [
        ("B33", "a trace of the model says nothing of: deadline"),
        ("B30", "the step does not say what ok of deliver is"),
        ("B54", "this protocol has no action 'receive_early'"),
    ],
)
def test_what_a_trace_does_not_say_is_not_made_up(name: str, why: str) -> None:
    """Deadlines, how a callback ends, and actions that only the mistake has."""
    assert why in {m.astray for m in counterexample(name).moments}


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
