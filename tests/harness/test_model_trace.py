from __future__ import annotations

import re

import pytest
from attrs import evolve
from hypothesis import assume, example, given
from hypothesis import strategies as st

from drawn import examples
from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof import model_replay
from shardproof.model_trace import Taken, trace_of
from shardproof.moves import move_of
from shardproof.readings.evaluate import Evaluator
from shardproof.readings.scope import OutOfScope
from shardproof.readings.scopes import scope_of
from shardproof.trace import Search, Step, Trace
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of

CORE = stack("core")
SEARCH = Search("explore")


def told(*steps: tuple[str, *tuple[int, ...]]) -> Trace:
    """The trace of `steps` of the core protocol, whatever the guards say."""
    taken: list[Taken] = [(CORE.action(name), tuple(args)) for name, *args in steps]
    chosen = next(p for p in properties_of(CORE) if p.name == "executes-at-most-once")
    return trace_of(CORE, scope_of(CORE), taken, chosen, SEARCH)


def test_names_follow_the_order_in_which_things_come_to_be() -> None:
    """The second receipt of the model is `r0` if it is emitted first; a genesis has no number."""
    trace = told(("emit", 1), ("produce", 3), ("emit", 0), ("produce", 2), ("finalise", 3), ("revert", 2))

    assert [(s.action, s.at, dict(s.args)) for s in trace.steps] == [
        ("emit", "B", {"receipt": "r0", "to": "A"}),
        ("produce", "B", {"header": "h0"}),
        ("emit", "A", {"receipt": "r1", "to": "B"}),
        ("produce", "A", {"header": "h1"}),
        ("finalise", "B", {"header": "h0"}),
        ("revert", "A", {"header": "h1"}),
    ]


def test_what_does_not_exist_is_forged() -> None:
    """A receipt that nobody emitted, the header of no block, evidence that nobody could make."""
    (learn, deliver) = told(("learn", 1, 2), ("deliver", 1, 0, 2)).steps

    assert dict(learn.args) == {"header": "null"}
    assert dict(deliver.args) == {"receipt": "forged:A>B:0", "header": "null", "evidence": "none"}


def test_evidence_is_there_once_the_header_commits_to_the_receipt() -> None:
    """Before that, and in the header of another shard, there is none."""
    trace = told(
        ("produce", 3),
        ("emit", 0),
        ("deliver", 1, 0, 3),
        ("produce", 2),
        ("deliver", 1, 0, 2),
        ("deliver", 0, 0, 2),
    )

    assert [s.args["evidence"] for s in trace.steps if s.action == "deliver"] == ["none", "r0@h1", "r0@h1"]
    assert [s.at for s in trace.steps if s.action == "deliver"] == ["B", "B", "A"]


def test_says_what_was_executed_and_how_the_end_violates_the_property() -> None:
    """The sentence, the elements for which it is false, and the fact."""
    trace = told(("emit", 0), ("produce", 2), ("deliver", 1, 0, 2), ("deliver", 1, 0, 2))

    assert [s.changed for s in trace.steps] == [(), (), ("B executed r0",), ("B executed r0",)]
    assert trace.violation is not None
    assert (
        trace.violation.expected
        == "The executions of a receipt, on all shards together, are never more than one."
    )
    assert trace.violation.actual == "not so where d is B, e is A, m is r0"
    assert trace.violation.differs == "B executed r0 2 times"


def test_a_trace_that_violates_nothing_has_no_violation() -> None:
    """It can still be told."""
    assert told(("emit", 0)).violation is None


def test_its_steps_are_moves_that_an_adapter_can_be_given() -> None:
    """Every step that the model can take has arguments in the format of traces."""
    trace = told(
        ("emit", 0),
        ("produce", 2),
        ("finalise", 2),
        ("learn", 1, 2),
        ("learn", 0, 3),
        ("deliver", 1, 0, 2),
        ("deliver", 0, 1, 3),
        ("revert", 2),
        ("finalise", 3),
    )

    for step in trace.steps:
        move_of(step, trace.shards)


def test_another_protocol_is_told_in_its_own_words() -> None:
    """What is not of the core has no format to fit."""
    protocol, (at_most_once, _) = benchmark()
    steps = [(protocol.action("emit"), (1,)), (protocol.action("relay"), (0, 1, 1))]

    trace = trace_of(protocol, benchmark_scope(2, 2, 1), steps, at_most_once, SEARCH)

    assert trace.steps == (
        Step("emit", "", {"r": "1"}, "accepted"),
        Step("relay", "", {"s": "0", "d": "1", "h": "1"}, "accepted"),
    )


# ---- what the steps say, and what they do not ----------------------------------------------------

#: The core, and nobody refuses anything.
LAWLESS = evolve(CORE, actions=tuple(evolve(action, clauses=()) for action in CORE.actions))

ATTEMPTS = tuple(
    (action.name, *args)
    for action, args in Evaluator(LAWLESS, scope_of(LAWLESS, shards=2, receipts=2, headers=2)).instances()
)


@pytest.mark.parametrize(
    "steps, said",
    [
        ((("emit", 0), ("produce", 2), ("learn", 1, 2), ("deliver", 1, 0, 2)), True),
        ((("learn", 0, 2), ("deliver", 1, 0, 2)), True),
        ((("learn", 1, 2), ("deliver", 1, 0, 2)), False),
        ((("emit", 0), ("emit", 0)), False),
        ((("deliver", 1, 0, 2), ("emit", 0)), False),
        ((("produce", 2), ("produce", 2)), False),
        ((("learn", 1, 2), ("produce", 2)), False),
        ((("finalise", 2),), False),
        ((("learn", 1, 0),), False),
        ((("learn", 1, 2),), False),
        ((("deliver", 1, 0, 3),), False),
    ],
)
def test_an_instance_is_where_a_name_would_stand_for_two_things(
    steps: tuple[tuple[str, *tuple[int, ...]], ...], said: bool
) -> None:
    """Something used before it is there, made twice, a genesis, and the null header of another shard."""
    assert (told(*steps).instance is None) is said


def test_an_instance_is_where_layers_have_more_to_say() -> None:
    """Channels are no names; where keys are shared, or copies begin elsewhere, the scope is no plain one."""
    shared = scope_of(CORE)
    shared = evolve(shared, rigid={**shared.rigid, "key": lambda _: 0})
    chosen = properties_of(CORE)[0]
    taken: list[Taken] = [(CORE.action("emit"), (0,))]

    assert trace_of(CORE, scope_of(CORE), taken, chosen, SEARCH).instance is None
    for scope in (shared, evolve(scope_of(CORE), openings={"any": 0})):
        assert trace_of(CORE, scope, taken, chosen, SEARCH).instance is not None


def numbered(trace: Trace) -> str:
    """The steps, with forged receipts counted in order of appearance: their numbers mean nothing."""
    text = "\n".join(map(str, trace.steps))
    found = dict.fromkeys(re.findall(r"forged:[^']+?:\d+", text))
    numbers = {name: f"{name.rpartition(':')[0]}:{number}" for number, name in enumerate(found)}
    return re.sub(r"forged:[^']+?:\d+", lambda match: numbers[match[0]], text)


@pytest.mark.heavy
@examples(150)
@given(st.lists(st.sampled_from(ATTEMPTS), min_size=1, max_size=6))
@example([("deliver", 1, 0, 2), ("emit", 0), ("produce", 2), ("deliver", 1, 0, 2)])
@example([("learn", 1, 2), ("learn", 1, 4), ("produce", 4), ("learn", 0, 2)])
def test_whatever_happens_happens_again(attempts: list[tuple[str, *tuple[int, ...]]]) -> None:
    """With an instance or without, steps mean in their file what they meant when they were taken."""
    scope = scope_of(LAWLESS, shards=2, receipts=2, headers=2)
    taken: list[Taken] = [(LAWLESS.action(name), tuple(args)) for name, *args in attempts]
    chosen = next(p for p in properties_of(LAWLESS) if p.name == "executes-at-most-once")
    try:
        trace = trace_of(LAWLESS, scope, taken, chosen, SEARCH)
    except OutOfScope:
        assume(False)

    again = model_replay.replay(trace, LAWLESS).trace

    assert numbered(again) == numbered(trace)
    assert (again.violation is None) == (trace.violation is None)
