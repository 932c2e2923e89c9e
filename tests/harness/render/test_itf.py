from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shardproof import trace_file
from shardproof.errors import UsageError
from shardproof.itf import reader
from shardproof.render import itf
from shardproof.story.telling import tell
from shardproof.story.told import Moment, Story
from shardproof.trace import Certificate, Explanation, Trace

Told = Callable[[str], Story]

#: Published without types.
itf_py: Any = importlib.import_module("itf_py")

TRACES = Path(__file__).parents[2] / "traces"


def document(story: Story) -> dict[str, Any]:
    """What the file says."""
    made: dict[str, Any] = json.loads(itf.write(story))
    return made


def untold(trace: Trace) -> Story:
    """A story in which the model held nothing."""
    return Story(trace, tuple(Moment(step, i, "") for i, step in enumerate(trace.steps)))


@pytest.mark.parametrize("path", sorted(TRACES.glob("*.trace.json")), ids=lambda p: p.name.split(".")[0])
def test_every_kept_trace_comes_back(path: Path) -> None:
    """
    What is written gives the same trace back, and also after another library has read and written it.
    """
    trace = trace_file.load(path)
    said = document(untold(trace))

    through = itf_py.trace_to_json(itf_py.trace_from_json(said))

    assert reader.of_document(said) == trace
    assert reader.of_document(json.loads(json.dumps(through))) == trace


def test_everything_that_a_trace_says_comes_back(told: Told) -> None:
    """
    A certificate, an explanation, a reserve and versions are part of it.
    """
    full = evolve(
        told("no-deduplication").trace,
        certificate=Certificate(3, 10, 20, "two shards", ("emit",)),
        explanation=Explanation(("",) * 6, 5, "", "a check that is missing"),
        versions={"x": "1", "y": "2"},
        reserve=1,
    )

    assert reader.of_document(document(untold(full))) == full


def test_states_are_what_the_model_holds(told: Told) -> None:
    """
    One state before the first step and one after each, with a value for every variable of the protocol.
    """
    said = document(told("no-deduplication"))
    states = said["states"]

    assert len(states) == 7
    assert all({*said["vars"]} <= {*state} for state in states)
    assert [state["mbt::actionTaken"] for state in states] == [
        "init",
        "emit",
        "produce",
        "finalise",
        "learn",
        "deliver",
        "deliver",
    ]
    assert states[0]["executions"] == {"#map": []}
    assert states[5]["executions"] == {"#map": [[{"#tup": ["B", "r0"]}, {"#bigint": "1"}]]}
    assert states[2]["commits"] == {"#set": [{"#tup": ["h0", "r0"]}]}
    assert states[1]["head"]["#map"] == [[s, f"the genesis of {s}"] for s in "ABC"]
    assert states[2]["head"]["#map"][0] == ["A", "h0"]
    assert said["params"] == ["shards", "source", "destination", "origin"]
    assert states[0]["source"] == {"#map": [["r0", "A"]]}
    assert said["#meta"]["varTypes"]["executions"] == "<<Str, Str>> -> Int"


def test_a_block_holds_what_its_parent_does(told: Told) -> None:
    """
    Of a second block, people are told what is new; its state has all that it commits to.
    """
    emitted, produced, *_ = told("no-deduplication").trace.steps
    again = evolve(produced, args={"header": "h1"})
    trace = evolve(told("no-deduplication").trace, steps=(emitted, produced, again), violation=None)

    said = document(tell(trace))

    assert said["states"][3]["commits"] == {"#set": [{"#tup": ["h0", "r0"]}, {"#tup": ["h1", "r0"]}]}


def test_amounts_are_numbers(told: Told) -> None:
    """
    What people are told of as an endowment is the number that it is.
    """
    said = document(told("refunded-again"))

    balances = {pair[1]["#bigint"] for state in said["states"] for pair in state["balance"]["#map"]}
    assert all(int(text) > 0 for text in balances)
    assert len(balances) > 1


def test_another_library_reads_the_values(told: Told) -> None:
    """
    Sets, maps, tuples and numbers are those of the format, and not of ours.
    """
    read = itf_py.trace_from_json(document(told("no-deduplication")))

    last = read.states[-1].values
    assert last["executions"] == {("B", "r0"): 1}
    assert last["learned"] == frozenset({("B", "h0")})
    assert last["mbt::nondetPicks"].receipt.value == "r0"


def test_more_than_anybody_opens_is_not_written(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Each state says everything, so a long trace says it again and again.
    """
    monkeypatch.setattr(itf, "CELLS_MAX", 50)

    with pytest.raises(UsageError, match="too much to be written out"):
        itf.write(told("no-deduplication"))


@pytest.mark.parametrize("wrong, status", [(True, "violation"), (False, "ok")])
def test_the_status_is_that_of_the_trace(wrong: bool, status: str) -> None:
    """
    Whoever reads only that knows whether something is violated.
    """
    trace = trace_file.load(TRACES / "no-deduplication.trace.json")
    trace = trace if wrong else evolve(trace, violation=None)

    assert document(untold(trace))["#meta"]["status"] == status


def test_what_is_as_it_began_is_said_to_be(told: Told) -> None:
    """
    A block that is taken back leaves the shard at its first header, which is a header and not nothing.
    """
    story = told("effects-survive-revert")
    at = next(i for i, step in enumerate(story.trace.steps, 1) if step.action == "revert")
    shard = story.trace.steps[at - 1].at
    before, after = (dict(document(story)["states"][i]["head"]["#map"]) for i in (at - 1, at))

    assert before[shard].startswith("h")
    assert after[shard] == f"the genesis of {shard}"
