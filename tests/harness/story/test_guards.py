"""Each clause of a guard as it stood, and since when it is false, in a sentence."""

from __future__ import annotations

import pytest

from shardproof.story.telling import tell
from shardproof.story.told import Clause, Moment
from shardproof.trace import Search, Step, Trace
from shardproof_models.stacks import STACKS

CORE = tuple(layer.name for layer in STACKS["core"].layers)

EMIT = Step("emit", "A", {"receipt": "r0", "to": "B"})
PRODUCE = Step("produce", "A", {"header": "h0"})
FINALISE = Step("finalise", "A", {"header": "h0"})
LEARN = Step("learn", "B", {"header": "h0"})
DELIVER = Step("deliver", "B", {"receipt": "r0", "header": "h0", "evidence": "r0@h0"})
ELSEWHERE = Step("deliver", "C", {"receipt": "r0", "header": "h0", "evidence": "r0@h0"})
UNSHOWN = Step("deliver", "B", {"receipt": "forged:A>B:0", "header": "h0", "evidence": "none"})


def last(*steps: Step, layers: tuple[str, ...] = CORE) -> Moment:
    """The last of these steps, which nobody has taken."""
    shards = ("A", "B", "C")
    return tell(Trace("nobody", layers, shards, "", "", "", steps, None, Search("hand"))).moments[-1]


def refusing(*steps: Step, layers: tuple[str, ...] = CORE) -> Clause:
    """The clause by which the last step is refused."""
    found = last(*steps, layers=layers).refusing
    assert found is not None
    return found


def test_every_clause_is_there_in_the_order_in_which_it_is_checked() -> None:
    """With the names of the trace, and what the relations mean."""
    moment = last(EMIT, PRODUCE, DELIVER)

    assert [(c.refusal, c.text, c.holds) for c in moment.guard] == [
        ("untrusted header", "learned(B, h0)", False),
        ("wrong source", "origin(h0) = source(r0)", True),
        ("unproven", "commits(h0, r0)", True),
        ("wrong destination", "B = destination(r0)", True),
        ("consumed", "not consumed(B, key(r0))", True),
    ]
    assert moment.model == "refused, untrusted header"
    assert [c.story for c in moment.guard if c.holds] == [""] * 4
    assert all(c.means for c in moment.guard)


@pytest.mark.parametrize(
    "steps, since, story",
    [
        ((EMIT, PRODUCE, DELIVER), None, "B has not learned h0 (not `learned(B, h0)`)"),
        (
            (EMIT, PRODUCE, FINALISE, LEARN, DELIVER, PRODUCE, DELIVER),
            4,
            "B had executed r0 at step 5 (`consumed(B, key(r0))`)",
        ),
        (
            (EMIT, PRODUCE, FINALISE, Step("learn", "C", {"header": "h0"}), ELSEWHERE),
            None,
            "r0 is for B (not `C = destination(r0)`)",
        ),
        (
            (EMIT, PRODUCE, FINALISE, LEARN, UNSHOWN),
            None,
            (
                "nobody has emitted the receipt that is shown "
                "(not `commits(h0, a receipt that nobody emitted (A>B))`)"
            ),
        ),
    ],
)
def test_since_when(steps: tuple[Step, ...], since: int | None, story: str) -> None:
    """A step that made it false, what no step has made true, or what the topology forbids."""
    found = refusing(*steps)

    assert (found.since, found.story) == (since, story)


TWO_AT_ONCE = (EMIT, Step("emit", "A", {"receipt": "r1", "to": "B"}), PRODUCE, FINALISE, LEARN)
SECOND = Step("deliver", "B", {"receipt": "r1", "header": "h0", "evidence": "r1@h0"})
CLOSE = Step("close_channel", "B", {"other": "A", "number": "0"})
NOWHERE = Step("deliver", "B", {"receipt": "forged:A>B:0", "header": "null", "evidence": "none"})
NOTHING = "a header that nobody produced"


@pytest.mark.parametrize(
    "stack, steps, story",
    [
        (
            "near",
            (EMIT, PRODUCE, FINALISE, LEARN, Step("deliver_failing", "B", DELIVER.args), DELIVER),
            "r0 had run and failed at B at step 5 (`consumed(B, key(r0))`)",
        ),
        (
            "ibc-ordered",
            (*TWO_AT_ONCE, SECOND),
            (
                "r1 is number 1 on its channel, and number 0 is due on the channel A>B "
                "(not `sequence(r1) = next_receive(channel(r1))`)"
            ),
        ),
        (
            "ibc-unordered",
            (EMIT, PRODUCE, FINALISE, LEARN, CLOSE, DELIVER),
            "the channel A>B is closed since step 5, close_channel at B (`closed(channel(r0))`)",
        ),
        # Where one of several would do, none of them is so, and that is said once.
        (
            "self-certified",
            (NOWHERE,),
            (
                "no shard has produced the header that is shown "
                f"(not `learned(B, {NOTHING}) or finalised({NOTHING}) or produced({NOTHING})`)"
            ),
        ),
    ],
)
def test_in_plain_words(stack: str, steps: tuple[Step, ...], story: str) -> None:
    """What is refused in richer stacks, for who knows none of their formulas; these come after it."""
    assert refusing(*steps, layers=tuple(layer.name for layer in STACKS[stack].layers)).story == story


def test_what_is_compared_is_said() -> None:
    """A clock that has come too far."""
    layers = ("exactly-once", "finality", "failures", "deadlines")
    emit = Step("emit", "A", {"receipt": "r0", "to": "B", "deadline": "1"})
    tick = Step("advance_clock", "B", {})
    found = refusing(emit, PRODUCE, FINALISE, LEARN, tick, tick, DELIVER, layers=layers)

    assert found.refusal == "expired"
    assert found.since == 4
    assert found.story == (
        "the clock of B stands at 2, and r0 expires at 1, since step 5, advance_clock at B "
        "(not `clock(B) < deadline(r0)`)"
    )


def test_what_a_reorganisation_made_false() -> None:
    """A light client that went back behind what it had learned."""
    found = refusing(
        EMIT,
        PRODUCE,
        FINALISE,
        Step("produce", "B", {"header": "h1"}),
        LEARN,
        Step("revert", "B", {"header": "h1"}),
        DELIVER,
    )

    assert (found.since, found.story) == (
        5,
        "B has not learned h0 any more since step 6, revert at B (not `learned(B, h0)`)",
    )


def test_a_step_that_nobody_decides_has_no_guard() -> None:
    """What users and consensus do is asked for only where the model allows it."""
    assert last(EMIT).guard == last(EMIT, PRODUCE).guard == ()
