"""Facts read as a person would say them, and nothing is said twice."""

from __future__ import annotations

from shardproof.story.telling import tell
from shardproof.story.told import Fact, Story
from shardproof.trace import Search, Step, Trace
from shardproof_models.stacks import STACKS

CORE = tuple(layer.name for layer in STACKS["core"].layers)
IBC = ("exactly-once", "sequencing", "finality", "failures", "deadlines", "outcomes", "closing", "value")
SPLITTING = ("exactly-once", "finality", "failures", "bouncing", "value", "resharding")


def story(*steps: Step, layers: tuple[str, ...] = CORE, reserve: int = 0) -> Story:
    """What the model holds along these steps, which nobody has taken."""
    shards = ("A", "B", "C", "D", "E") if reserve else ("A", "B")
    return tell(Trace("nobody", layers, shards, "", "", "", steps, None, Search("hand"), reserve=reserve))


def emit(receipt: str, **terms: str) -> Step:
    """A sends to B."""
    return Step("emit", "A", {"receipt": receipt, "to": "B", **terms})


def deliver(receipt: str, header: str, action: str = "deliver") -> Step:
    """B is shown what A has sent."""
    return Step(action, "B", {"receipt": receipt, "header": header, "evidence": f"{receipt}@{header}"})


def header(action: str, number: int, at: str = "A") -> Step:
    """Something is done with a header."""
    return Step(action, at, {"header": f"h{number}"})


def changes(told: Story, index: int) -> list[str]:
    """What a step has changed, as text; what has gone is in brackets."""
    return [
        f"{c.shard}: {c.after}" if c.after is not None else f"{c.shard}: ({c.before})"
        for c in told.moments[index].changes
    ]


def test_a_block_says_what_its_parent_does_not_say() -> None:
    """The second header commits to both receipts, and only the new one is news."""
    told = story(emit("r0"), header("produce", 0), emit("r1"), header("produce", 1))

    assert changes(told, 1) == [
        "A: produced h0",
        "A: commits h0 r0",
        "A: head = h0",
        "A: parent h0 = the genesis of A",
        "A: height h0 = 1",
    ]
    assert changes(told, 3) == [
        "A: produced h1",
        "A: commits h1 r1",
        "A: head = h1",
        "A: parent h1 = h0",
        "A: height h1 = 2",
    ]


def test_what_a_header_says_for_others_is_not_said() -> None:
    """Which channels of others are closed, which receipts of others there are, nobody believes it."""
    told = story(
        emit("r0", channel="1"),
        Step("close_channel", "B", {"other": "A", "number": "1"}),
        header("produce", 0),
        header("produce", 1, at="B"),
        layers=IBC,
    )

    assert changes(told, 1) == ["B: closed A>B:1"]
    assert [said for said in changes(told, 2) if "closed" in said or "commits" in said] == [
        "A: commits h0 r0"
    ]
    assert [said for said in changes(told, 3) if "closed" in said or "commits" in said] == [
        "B: closed in h1 A>B:1"
    ]


def test_a_reorganisation_takes_facts_back() -> None:
    """What the parent had not seen is gone, from the changes and from what is held."""
    told = story(
        emit("r0"),
        header("produce", 0),
        header("finalise", 0),
        header("produce", 1, at="B"),
        header("learn", 0, at="B"),
        deliver("r0", "h0"),
        header("revert", 1, at="B"),
    )

    assert changes(told, 5) == ["B: consumed r0", "B: executions r0 = 1", "B: witness r0 = h0"]
    assert changes(told, 6) == [
        "B: (produced h1)",
        "B: (learned h0)",
        "B: (consumed r0)",
        "B: (executions r0 = 1)",
        "B: (witness r0 = h0)",
        "B: (head = h1)",
        "B: dropped h1",
    ]
    assert [f.shard for f in told.facts(7) if f.symbol in ("consumed", "learned")] == []
    assert [str(f) for f in told.facts(6) if f.shard == "B" and f.symbol == "consumed"] == ["consumed r0"]


def test_value_is_said_against_what_there_was_at_first() -> None:
    """How much an account begins with is for the model only; a receipt knows its channel by name."""
    told = story(emit("r0", amount="3", channel="1", deadline="9"), layers=IBC)

    assert changes(told, 0) == [
        "A: emitted r0",
        "A: next send A>B:1 = 1",
        "A: pending r0",
        "A: balance = its endowment - 3",
        "A: circulating = its endowment - 3",
        "A: sent = 3",
    ]


def test_each_fact_is_of_the_shard_that_keeps_it() -> None:
    """Shards that come, go and answer for addresses; what they keep goes along."""
    told = story(
        emit("r0", amount="1", channel="0"),
        Step("split", "A", {"other": "D", "another": "E"}),
        layers=SPLITTING,
        reserve=2,
    )

    assert changes(told, 1) == [
        "A: not live",
        "D: live",
        "E: live",
        "D: not fresh",
        "E: not fresh",
        "A: owner = D",
        "A: (outbox r0)",
        "D: outbox r0",
        "A: successions = 1",
    ]


def test_a_shard_answers_what_has_failed() -> None:
    """The answer is a receipt of its own, named after the one that it answers."""
    told = story(
        emit("r0", amount="1", channel="0"),
        header("produce", 0),
        header("finalise", 0),
        header("learn", 0, at="B"),
        deliver("r0", "h0", "deliver_failing"),
        layers=SPLITTING,
        reserve=2,
    )

    assert "B: emitted answer:r0" in changes(told, 4)


def test_every_symbol_that_a_fact_speaks_of_is_explained() -> None:
    """The glossary has them all, in a sentence each."""
    told = story(emit("r0"), header("produce", 0), header("finalise", 0))

    symbols = {fact.symbol for fact in told.facts(3)}
    assert symbols == set(told.glossary)
    assert told.glossary["emitted"].endswith(".")


def test_a_fact_reads_like_a_sentence() -> None:
    """A relation holds, or does not; everything else has a value."""
    said = [
        str(Fact("A", *rest))
        for rest in (("received_in", ("h0", "r1"), "yes"), ("live", (), "no"), ("clock", (), "3"))
    ]

    assert said == ["received in h0 r1", "not live", "clock = 3"]


def test_the_beginning_says_where_each_shard_stands() -> None:
    """The first of the shards, or of the headers, is something; a number that is zero is nothing."""
    start = [f"{fact.shard}: {fact}" for fact in story(layers=SPLITTING, reserve=2).start]

    assert {"A: head = the genesis of A", "A: owner = A", "B: owner = B"} <= {*start}
    assert [said for said in start if said.endswith("= 0")] == []


def test_the_hundredth_receipt_is_called_by_its_number() -> None:
    """However wide the row is that it stands in."""
    sent = (emit(f"r{number}") for number in range(100))
    known = (header("produce", 0), header("finalise", 0), header("learn", 0, at="B"))
    told = story(*sent, *known, deliver("r99", "h0"))

    assert changes(told, 103) == ["B: consumed r99", "B: executions r99 = 1", "B: witness r99 = h0"]


def test_what_a_loss_of_power_has_not_interrupted_is_a_fact_still() -> None:
    """All that was executed before stays, and what is asked then takes place."""
    done = (deliver(f"r{number}", "h0") for number in range(3))
    told = story(
        *(emit(f"r{number}") for number in range(4)),
        header("produce", 0),
        header("finalise", 0),
        header("learn", 0, at="B"),
        *done,
        Step("crash", "B", {"number": "1"}),
        deliver("r3", "h0"),
        layers=tuple(layer.name for layer in STACKS["core-durable"].layers),
    )

    assert changes(told, 11) == ["B: consumed r3", "B: executions r3 = 1", "B: witness r3 = h0"]
    executed = [fact.about[0] for fact in told.facts(12) if fact.symbol == "executions"]
    assert executed == ["r0", "r1", "r2", "r3"]
