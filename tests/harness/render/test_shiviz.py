from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from attrs import evolve, frozen

from shardproof.render import shiviz
from shardproof.story.told import Story
from shardproof.trace import Step, Trace

Told = Callable[[str], Story]

#: As ShiViz has it in its examples.
DEFAULT = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)"

KEPT = ("no-deduplication", "middle-keeps-it", "every-child-claims-it", "timeout-on-the-wrong-clock")


@frozen
class Event:
    host: str
    clock: dict[str, int]
    event: str


def events(log: str) -> list[Event]:
    """What ShiViz makes of a log: the first line takes the rest apart, the second separates runs."""
    parser, delimiter, body = log.split("\n", 2)
    assert parser == DEFAULT
    assert delimiter == ""
    # JavaScript's names of groups, in Python's spelling.
    pattern = re.compile(parser.replace("(?<", "(?P<"))
    found = list(pattern.finditer(body))
    # Nothing between the events is left over.
    assert "".join(match[0] + "\n" for match in found) == body
    return [Event(m["host"], json.loads(m["clock"]), m["event"]) for m in found]


def before(one: Event, other: Event) -> bool:
    """Whether one happened before the other, by their clocks."""
    return one.clock != other.clock and all(other.clock.get(h, 0) >= n for h, n in one.clock.items())


def causes(trace: Trace) -> Iterator[tuple[int, int]]:
    """Pairs of steps of which the second has seen what the first made."""
    for i, later in enumerate(trace.steps):
        for j, earlier in enumerate(trace.steps[:i]):
            same = earlier.at == later.at
            emitted = earlier.action == "emit" and earlier.args["receipt"] == later.args.get("receipt")
            sealed = earlier.action == "produce" and earlier.args["header"] == later.args.get("header")
            if same or emitted or sealed:
                yield j, i


@pytest.mark.parametrize("name", KEPT)
def test_clocks_are_consistent(name: str, told: Told) -> None:
    """
    Each host counts its own events from 1, and knows no more of another than that has counted.
    """
    trace = told(name).trace
    counted: dict[str, int] = {}

    for step, event in zip(trace.steps, events(shiviz.write(trace)), strict=True):
        counted[event.host] = counted.get(event.host, 0) + 1
        assert event.host == shiviz.hosts(trace.shards)[step.at]
        assert event.clock[event.host] == counted[event.host]
        assert all(n <= counted[host] for host, n in event.clock.items())


@pytest.mark.parametrize("name", KEPT)
def test_what_was_made_happened_before_what_was_done_with_it(name: str, told: Told) -> None:
    """
    Emit before produce before learn before deliver, whatever shards they were at.
    """
    trace = told(name).trace
    log = events(shiviz.write(trace))
    pairs = list(causes(trace))

    assert pairs
    assert all(before(log[j], log[i]) for j, i in pairs)
    assert not any(before(log[i], log[j]) for j, i in pairs)


def test_what_knows_nothing_of_each_other_is_concurrent(told: Told) -> None:
    """
    Two shards that no relayer has served have no order.
    """
    emit, produce, *_ = told("no-deduplication").trace.steps
    trace = evolve(told("no-deduplication").trace, steps=(emit, evolve(produce, at="B")), violation=None)

    one, other = events(shiviz.write(trace))

    assert not before(one, other)
    assert not before(other, one)


def test_what_is_carried_is_as_it_was_when_it_was_made(told: Told) -> None:
    """
    Who has a receipt does not know what came after it; who has a header that is final knows that it is.
    """
    trace = told("no-deduplication").trace
    emit, produce, finalise, learn, *_ = trace.steps
    shown = Step("deliver", "B", {"receipt": "r0", "header": "null", "evidence": "none"})
    steps = (emit, produce, shown, finalise, learn)

    found = events(shiviz.write(evolve(trace, steps=steps, violation=None)))

    assert [step.action for step in steps] == ["emit", "produce", "deliver", "finalise", "learn"]
    assert [event.clock for event in found if event.host == "B"] == [{"A": 1, "B": 1}, {"A": 3, "B": 2}]


def test_evidence_and_answers_are_carried_too(told: Told) -> None:
    """
    A proof is of something in some header, and a shard answers a receipt that it was shown.
    """
    trace = told("no-deduplication").trace
    emit, produce, *_ = trace.steps
    none = {"header": "null", "evidence": "none"}
    steps = (
        emit,
        produce,
        Step("deliver", "B", {"receipt": "forged:A>B:0", "header": "null", "evidence": "r0@h0"}),
        Step("deliver_failing", "B", {"receipt": "r0", **none}),
        Step("deliver", "C", {"receipt": "answer:r0", **none}),
        Step("nest", "D", {"receipt": "forged:A>B:1", **none, "inner": "r9@h0"}),
    )

    found = events(shiviz.write(evolve(trace, shards=("A", "B", "C", "D"), steps=steps, violation=None)))

    assert [event.clock for event in found[2:]] == [
        {"A": 2, "B": 1},
        {"A": 2, "B": 2},
        {"A": 2, "B": 2, "C": 1},
        {"A": 2, "D": 1},
    ]


def test_hosts_have_no_spaces_and_differ() -> None:
    """
    Names that are alike once they are cut or written without spaces are numbered.
    """
    named = shiviz.hosts(("a b", "a%20b", *("x" * 100 + end for end in "123"), "\ud800", "{"))

    assert len(set(named.values())) == 7
    assert all(re.fullmatch(r"[\x21-\x7e]+", host) for host in named.values())
    assert named["{"] == "%7B"


def test_what_happens_elsewhere_is_no_shard(told: Told) -> None:
    """
    A place that is none of the shards has a host of its own, which is as short as theirs.
    """
    trace = told("no-deduplication").trace
    emit, produce, *_ = trace.steps
    steps = (emit, *(evolve(produce, at=place) for place in ("a%20b", "", "x" * 100)))

    found = events(shiviz.write(evolve(trace, shards=("A", "a b"), steps=steps, violation=None)))

    assert [event.host for event in found] == ["A", "a%2520b", "-", "x" * 60 + "..."]


def test_the_violation_is_named(told: Told) -> None:
    """
    Whoever looks for it in a long log finds it.
    """
    last = events(shiviz.write(told("no-deduplication").trace))[-1]

    assert last.event.startswith("VIOLATION 6 deliver r0")
