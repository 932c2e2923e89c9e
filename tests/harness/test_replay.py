"""A trace is data: it replays on any adapter that has what it needs, and nothing else happens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from attrs import evolve

from shardproof import trace_file
from shardproof.adapters.faulty import FAULTS
from shardproof.errors import TraceError, UsageError
from shardproof.loading import load
from shardproof.replay import STEPS_MAX, replay, shrink
from shardproof.story.telling import in_words
from shardproof.trace import Step, Trace
from shardproof.verdict import Verdict

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

TRACES = sorted((Path(__file__).parent.parent / "traces").glob("*.trace.json"))


SHOWN = {"receipt": "r0", "header": "h0", "evidence": "none"}


def known(fault: str) -> Trace:
    """The committed trace of a fault."""
    return trace_file.load(next(path for path in TRACES if path.name.startswith(f"{fault}.")))


def test_there_is_a_committed_trace_for_each_fault() -> None:
    """A fault without a trace is one that a regression would not be seen for."""
    assert {path.name.partition(".")[0] for path in TRACES} >= set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_committed_trace_of_a_fault_is_as_long_as_it_says(fault: str) -> None:
    """What a fault says of itself is shown by its trace: the property, and the number of steps."""
    trace = known(fault)

    assert (trace.property, len(trace.steps)) == (FAULTS[fault].violates, FAULTS[fault].shortest)


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.partition(".")[0])
def test_a_committed_trace_goes_as_it_went(path: Path) -> None:
    """
    Whatever has moved in the code since: the same steps, answers and violation, and the same reasons.

    Of why the model refuses it, some say it in the words of then, and are told in those of now.
    With UPDATE_GOLDEN=1 the reasons are written anew, and nothing else.
    """
    trace = trace_file.load(path)

    again = replay(load(trace.adapter), trace.adapter, trace)

    if os.environ.get("UPDATE_GOLDEN") == "1":
        trace = evolve(trace, explanation=again.trace.explanation)
        trace_file.write(trace, path)
    assert again.reproduced
    assert again.trace.steps == trace.steps
    assert in_words(again.trace).violation == in_words(trace).violation
    assert again.trace.explanation == trace.explanation is not None


@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.partition(".")[0])
def test_the_reference_takes_the_steps_of_every_committed_trace(path: Path) -> None:
    """The same steps on a correct shard: refused where they must be, and no violation."""
    trace = trace_file.load(path)
    right = FAULTS[trace.adapter.removeprefix("faulty:")].reference
    again = replay(load(right), right, trace)

    assert again.verdict is not Verdict.VIOLATED, again.summary
    assert again.trace.explanation is None


def test_an_adapter_without_the_capabilities_is_told_which() -> None:
    """A step that cannot be taken is not a step that went well."""
    with pytest.raises(UsageError, match="cannot take the steps") as error:
        replay(load("watermark"), "watermark", known("marked-after-callback"))

    assert "no reenter" in str(error.value)


def test_steps_that_cannot_be_taken_make_it_inconclusive() -> None:
    """A receipt that is delivered but was never emitted in this trace."""
    trace = known("no-deduplication")
    without_emission = evolve(trace, steps=trace.steps[1:])

    again = replay(load("reference"), "reference", without_emission)

    assert again.verdict is Verdict.INCONCLUSIVE
    assert "could not be taken" in again.summary


def test_a_trace_without_steps_shows_nothing() -> None:
    """Nothing ran, so nothing holds."""
    again = replay(load("reference"), "reference", evolve(known("no-deduplication"), steps=()))

    assert again.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "step, said",
    [
        (Step("emit", "Z", {"receipt": "r0", "to": "B"}), "no shard is called 'Z'"),
        (Step("emit", "A", {"receipt": "x0", "to": "B"}), "not a receipt"),
        (Step("emit", "A", {"to": "B"}), "emit has no 'receipt'"),
        (Step("explode", "A", {}), "unknown action 'explode'"),
        (Step("produce", "A", {"header": "h-1"}), "not a header"),
        (
            Step("deliver", "B", {"receipt": "forged:A", "header": "h0", "evidence": "none"}),
            "not a forged receipt",
        ),
        (
            Step(
                "deliver",
                "B",
                {"receipt": "r0", "header": "h0", "evidence": "none", "damage": "evidence:melt:1"},
            ),
            "not a damage",
        ),
    ],
)
def test_a_step_that_makes_no_sense_is_an_error_that_says_where(step: Step, said: str) -> None:
    """What, where, and what was expected."""
    trace = known("no-deduplication")

    with pytest.raises(TraceError, match=said) as error:
        replay(load("reference"), "reference", evolve(trace, steps=(*trace.steps, step)))

    assert f"step {len(trace.steps) + 1}: " in str(error.value)


def test_a_trace_has_a_longest_length() -> None:
    """A million steps are not a counterexample that anybody reads."""
    trace = known("no-deduplication")

    with pytest.raises(TraceError, match="too long to replay"):
        replay(load("reference"), "reference", evolve(trace, steps=trace.steps * (STEPS_MAX // 6 + 1)))


def test_shrinking_a_padded_trace_gives_the_trace_back() -> None:
    """Steps that do not matter go, whatever was put between those that do."""
    name = "faulty:no-deduplication"
    trace = known("no-deduplication")
    padding = [Step("emit", "C", {"receipt": f"r{n}", "to": "A"}) for n in range(10, 40)] + [
        Step("produce", "C", {"header": f"h{n}"}) for n in range(10, 40)
    ]
    padded = evolve(trace, steps=(*padding[:31], *trace.steps[:3], *padding[31:], *trace.steps[3:]))

    shorter = shrink(load(name), name, padded)

    assert shorter.steps == trace.steps
    assert shorter.explanation == trace.explanation


def test_shrinking_what_does_not_reproduce_is_refused() -> None:
    """A shorter trace of nothing would be a trace of nothing."""
    with pytest.raises(UsageError, match="does not violate"):
        shrink(load("reference"), "reference", known("no-deduplication"))


def test_a_receipt_that_asks_for_keys_needs_the_verb_that_writes_it() -> None:
    """On a system without it the trace cannot be replayed, which is no fault of the system."""
    with pytest.raises(UsageError) as caught:
        replay(load("reference:near"), "reference:near", known("message-sets-the-keepers"))

    assert "takeover" in dict(caught.value.facts)["got"]
