from __future__ import annotations

from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.model_trace import Taken, trace_of
from shardproof.moves import move_of
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
