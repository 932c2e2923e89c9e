from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from markdown_it import MarkdownIt

from shardproof.render import markdown
from shardproof.render.diagram import STEPS_MAX
from shardproof.story.told import Story

Told = Callable[[str], Story]

PATH = Path("shardproof-out/executes-at-most-once-3f9c.trace.json")


def test_is_an_issue(told: Told, golden: Any) -> None:
    """
    What is violated and what it costs, what happened, why, a diagram, and the line to paste.
    """
    golden("forms/double.md", markdown.write(told("no-deduplication"), PATH))


def test_has_a_row_for_each_step(told: Told) -> None:
    """
    The table is one to whoever reads Markdown.
    """
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown.write(told("no-deduplication"), PATH))

    assert sum(t.type == "tr_open" for t in tokens) == 1 + 6
    assert sum(t.type == "td_open" for t in tokens) == 5 * 6
    assert [t.info for t in tokens if t.type == "fence"] == ["mermaid", "sh"]


def test_what_went_well_is_a_record(told: Told) -> None:
    """
    A trace without a violation has nothing to explain, whether or not it is about a property.
    """
    story = told("no-deduplication")
    sound = evolve(story.trace, violation=None)
    about_nothing = evolve(sound, property="", because="")

    assert markdown.write(evolve(story, trace=sound), PATH).startswith(
        "### Recorded: `executes-at-most-once`"
    )
    written = markdown.write(evolve(story, trace=about_nothing), PATH)
    assert written.startswith("### Recorded: nothing is violated\n")
    assert "**Why**" not in written


def test_of_a_long_trace_the_middle_is_left_out(told: Told) -> None:
    """
    Nobody reads a table of five hundred rows.
    """
    story = told("no-deduplication")
    long = evolve(story.trace, steps=story.trace.steps[:2] * 250, violation=None)

    assert "| | | 300 steps are left out | | |" in markdown.write(evolve(story, trace=long), PATH)
    one = evolve(long, steps=long.steps[: STEPS_MAX + 1])
    assert "| | | 1 step is left out | | |" in markdown.write(evolve(story, trace=one), PATH)


def test_where_systems_differ_each_has_its_answer(told: Told) -> None:
    """
    Such a trace blames nobody, and is run again on all of them.
    """
    story = told("no-deduplication")
    differ = evolve(story.trace, property="agree-on-deliver", adapter="reference and watermark")

    written = markdown.write(evolve(story, trace=differ), PATH)

    assert written.startswith("### Different: `agree-on-deliver`")
    assert "- others: accepted" in written
    assert "--adapter reference --adapter watermark\n```" in written


def test_of_the_model_no_system_is_blamed(told: Told) -> None:
    """
    What a search of the model has found is what is so, and nobody's answer; it is run again without a system.
    """
    trace = told("no-deduplication").trace
    steps = tuple(evolve(step, actual="") for step in trace.steps)
    of_model = evolve(trace, adapter="model", steps=steps)

    written = markdown.write(evolve(told("no-deduplication"), trace=of_model), PATH)

    assert "- what is so: accepted" in written
    assert "- the system" not in written
    assert written.endswith(f"shardproof replay {PATH}\n```\n")


def test_a_command_is_not_put_into_anybodys_mouth(told: Told) -> None:
    """
    Whoever pastes the line chooses which program is run: the file never does.
    """
    story = told("no-deduplication")
    foreign = evolve(story, trace=evolve(story.trace, adapter="cmd:rm -rf ~"))

    assert markdown.write(foreign, PATH).endswith(
        "```sh\nshardproof replay shardproof-out/executes-at-most-once-3f9c.trace.json --adapter NAME\n```\n"
    )


@pytest.mark.parametrize(
    "said, written",
    [
        ("plain words, (and more)", "plain words, (and more)"),
        ("@maintainers", "`@maintainers`"),
        ("see #12", "`see #12`"),
        ("GH-12", "`GH-12`"),
        ("www.example.org", "`www.example.org`"),
        ("in deadbeef1", "`in deadbeef1`"),
        ("*bold*", "`*bold*`"),
        ("`a`", "`` `a` ``"),
        ("a``b", "```a``b```"),
        ("a|b", r"`a\x7cb`"),
        ("a\nb", "a b"),
        ("\u202eabc", r"`\u202eabc`"),
    ],
)
def test_what_is_no_plain_word_is_code(said: str, written: str) -> None:
    """
    Nobody is mentioned, nothing is linked, and no cell ends early.
    """
    assert markdown.prose(said) == written


def test_a_fence_is_longer_than_any_in_it() -> None:
    """
    What stands in a block of code cannot end it.
    """
    assert markdown.fenced("a\n`````\nb", "sh")[0] == "``````sh"
