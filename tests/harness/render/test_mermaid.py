from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import evolve

from shardproof.render import mermaid
from shardproof.render.diagram import STEPS_MAX
from shardproof.story.told import Story

Told = Callable[[str], Story]


def test_is_a_sequence_diagram(told: Told, golden: Any) -> None:
    """
    A lane for each shard that takes part, an arrow for what is carried, a note for what changed.
    """
    golden("forms/double.mmd", mermaid.write(told("no-deduplication").trace))


def test_the_violation_is_marked(told: Told) -> None:
    """
    The step that went wrong stands in a coloured box, with both answers and what refuses it.
    """
    drawn = mermaid.write(told("no-deduplication").trace)

    *before, box = drawn.split("  rect rgb(255, 225, 225)\n")
    assert len(before) == 1
    inside, after = box.split("\n  end\n")
    assert after == ""
    for said in (
        "6 deliver r0",
        "model: refused, consumed",
        "system: accepted",
        "violated executes-at-most-once",
    ):
        assert said in inside


def test_a_word_that_ends_a_block_ends_none() -> None:
    """
    A shard may be called `end`, and Mermaid must not take it for its own word.
    """
    assert mermaid.escaped("end") == "#101;nd"
    assert mermaid.escaped("the End, ending") == "the #69;nd, ending"


def test_what_means_something_to_mermaid_is_written_as_its_number() -> None:
    """
    Ends of statements, comments, directives and markup are characters, and nothing else.
    """
    assert mermaid.escaped("a;b#c%%{x}") == "a#59;b#35;c#37;#37;#123;x#125;"
    assert mermaid.escaped("<b>") == "#60;b#62;"
    assert mermaid.escaped("wrap: x") == "wrap#58; x"
    assert mermaid.escaped("model: x") == "model: x"


def test_a_long_trace_is_cut(told: Told) -> None:
    """
    Of many steps, the first few and the last are drawn, and how many are between them is said.
    """
    trace = told("no-deduplication").trace
    long = evolve(trace, steps=(trace.steps[0], trace.steps[3]) * 250, violation=None)

    drawn = mermaid.write(long)

    assert drawn.count("->>") == STEPS_MAX
    assert "300 steps are left out" in drawn


def test_one_step_that_is_cut_is_said_too(told: Told) -> None:
    """
    Of one step more than there is room for, one is left out.
    """
    trace = told("no-deduplication").trace
    longer = evolve(trace, steps=(trace.steps[:2] * STEPS_MAX)[: STEPS_MAX + 1], violation=None)

    assert "Note over relayer: 1 step is left out" in mermaid.write(longer)
    assert "left out" not in mermaid.write(evolve(longer, steps=longer.steps[1:]))


def test_whom_a_receipt_is_for_has_a_lane(told: Told) -> None:
    """
    Also where nothing happens there yet; who takes no part has none.
    """
    trace = told("no-deduplication").trace
    drawn = mermaid.write(evolve(trace, steps=trace.steps[:1], violation=None))

    lanes = [line.split(" as ")[1] for line in drawn.splitlines() if "participant" in line]
    assert lanes == ["A", "relayer", "B"]
