"""The story of every past counterexample, and of random runs of the reference, says what was recorded."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
from attrs import evolve

from shardproof import trace_file
from shardproof.adapter import Topology, capabilities
from shardproof.engines.fuzz import RESERVE, mixed
from shardproof.loading import load
from shardproof.oracle import Oracle
from shardproof.runs import Bench
from shardproof.schedule import Schedule
from shardproof.story.telling import tell
from shardproof.story.told import Change, Moment, Story
from shardproof.trace import Search, Step, Trace
from shardproof.traffic import Dice
from shardproof_models.stacks import composed, layers_for

TRACES = sorted((Path(__file__).parents[2] / "traces").glob("*.trace.json"))

#: What the model has no word for, so that the story says what it answered to what was asked.
SAID_BY_OTHERS = re.compile(r"[0-9a-f]{16}|the effects .*")

#: Where the story says something else than the record, and why it is right.
OTHERWISE = {
    # No action of the model was attempted, so "accepted" was recorded; what it comes to is refused.
    ("message-sets-the-keepers", 5): "refused, not final",
    ("set-up-twice", 1): "refused",
    # What was asked for is due; what the model refuses is another receipt that was executed with it.
    ("twice-under-reordering", 6): "accepted",
}

STACKS = (
    "core",
    "near",
    "ton",
    "actors",
    "exactly-once-inbox",
    "bridge",
    "optimistic-bridge",
    "ibc-unordered",
    "ibc-ordered",
    "ibc-allow-timeout",
)


@cache
def recorded(path: Path) -> Story:
    """The story of a past counterexample."""
    return tell(trace_file.load(path))


def named(name: str) -> Story:
    """The same by name."""
    return recorded(next(path for path in TRACES if path.name == f"{name}.trace.json"))


def random_run(stack: str, seed: int, steps: int) -> Trace:
    """A run of the reference that follows a stack, recorded."""
    adapter = load("reference" if stack == "core" else f"reference:{stack}")()
    able = capabilities(adapter)
    reserve = RESERVE if able & {"split", "merge"} else 0
    topology = evolve(Topology.of(3 + reserve), reserve=reserve)
    protocol = composed(layers_for(able, adapter.stack))
    bench = Bench(adapter, Oracle.for_run(protocol, 3 + reserve, steps + 40, reserve=reserve), topology)
    lock = bench.fresh()
    schedule = Schedule(lock, {})
    schedule.begin(Dice(mixed(seed)))
    moves = []
    for number in range(steps):
        moves.append(move := schedule.next(Dice(mixed(seed * 1_000_003 + number))))
        assert lock.run(move) is None
        schedule.note(move)
    done, wrong, _ = bench.record(moves)
    assert wrong is None
    layers = tuple(layer.name for layer in protocol.layers)
    return Trace(
        "reference", layers, topology.shards, "", "", "", done, None, Search("fuzz"), reserve=reserve
    )


def disagreeing(story: Story) -> list[tuple[Step, str, str]]:
    """The steps of which the story says something else than was recorded."""
    adversary = ("forge_header", "initialise")
    return [
        (moment.step, moment.model, moment.astray)
        for moment in story.moments
        if moment.astray or (moment.model != moment.step.expected and moment.step.action not in adversary)
    ]


class TestPastCounterexamples:
    @pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.partition(".")[0])
    def test_the_model_answers_what_was_recorded(self, path: Path) -> None:
        """For each step, up to and including the one that goes wrong; no step is lost."""
        story = recorded(path)
        wrong = story.trace.violation
        assert wrong is not None

        for moment in story.moments:
            at_fault = moment.index == wrong.step and wrong.expected
            expected = wrong.expected if at_fault else moment.step.expected
            expected = OTHERWISE.get((path.name.partition(".")[0], moment.index), expected)
            assert moment.astray == ""
            if SAID_BY_OTHERS.fullmatch(expected):
                expected = "accepted"
            assert moment.model == expected

    @pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.partition(".")[0])
    def test_what_was_executed_is_a_fact_from_there_on(self, path: Path) -> None:
        """Before the step that goes wrong, an execution that was recorded is in the model's world."""
        story = recorded(path)
        assert story.trace.violation is not None

        for moment in story.moments[: story.trace.violation.step]:
            changed = {f"{c.after.shard} {c.after.about[0]}" for c in executions(moment) if c.after}
            said = (re.fullmatch(r"(\S+) (?:executed|dealt with) ([^,]+).*", x) for x in moment.step.changed)
            assert changed == {f"{match[1]} {match[2]}" for match in said if match}

    @pytest.mark.parametrize("path", TRACES, ids=lambda path: path.name.partition(".")[0])
    def test_what_the_model_refuses_changes_nothing_of_it(self, path: Path) -> None:
        """Where the system went wrong, the world is that of one that does as it should."""
        last = recorded(path).moments[-1]

        if last.model.startswith("refused") and last.step.action not in ("reenter", "time_out_again"):
            assert last.changes == ()


def refused_by(name: str) -> str:
    """Why the model refuses what went wrong in a past counterexample."""
    violation = named(name).trace.violation
    assert violation is not None
    return violation.clause


class TestWhyItIsRefused:
    """The whole sentence, that is; that every form says the same is asked elsewhere."""

    def test_what_was_executed_before(self) -> None:
        """The clause, what made it false in plain words, and that in the words of the model."""
        assert refused_by("no-deduplication") == (
            "consumed: B had executed r0 at step 5 (`consumed(B, key(r0))`)"
        )

    def test_the_second_attempt_inside_a_callback_is_the_one_that_is_refused(self) -> None:
        """It finds the world after the first, in which the receipt is consumed since this very step."""
        last = named("marked-after-callback").moments[-1]

        assert last.refusing is not None
        assert last.refusing.since == last.index
        assert refused_by("marked-after-callback") == (
            "consumed: B had executed r0 earlier in this step (`consumed(B, key(r0))`)"
        )

    def test_what_went_wrong_earlier_is_told_of_the_earlier_step(self) -> None:
        """A refund that came too early shows when the receipt is delivered as well."""
        assert refused_by("timeout-on-the-wrong-clock") == (
            "not elapsed: at step 6, r0 expires at 1, and the clock in h0 stands at 0 "
            "(not `deadline(r0) <= time(h0)`)"
        )

    def test_where_the_model_does_not_know_the_step_the_name_is_said(self) -> None:
        """What else was executed with what was asked for, it was not asked about."""
        assert refused_by("twice-under-reordering") == "consumed"

    def test_where_the_model_cannot_follow_it_stays_as_it_was_recorded(self) -> None:
        """Of layers that there are not, nobody knows more than was written down."""
        recorded = trace_file.load(next(path for path in TRACES if path.name.startswith("no-deduplication.")))

        told = tell(evolve(recorded, layers=("teleportation",))).trace

        assert told == evolve(recorded, layers=("teleportation",))


def executions(moment: Moment) -> list[Change]:
    """The changes that are an execution."""
    return [c for c in moment.changes if c.after is not None and c.after.symbol == "executions"]


class TestRandomRuns:
    @pytest.mark.parametrize("stack", ["core", "near"])
    def test_a_run_is_told_as_it_was_recorded(self, stack: str) -> None:
        """Every answer of the model, with forgeries, failures, reorganisations and splits."""
        assert disagreeing(tell(random_run(stack, 7, 60))) == []

    def test_where_nothing_was_recorded_it_goes_as_the_model_says(self) -> None:
        """A careful system does what the model accepts of honest evidence; that is what was recorded, too."""
        trace = random_run("ibc-unordered", 1, 100)
        bare = evolve(trace, steps=tuple(evolve(s, actual="", changed=()) for s in trace.steps))

        told = tell(bare)

        assert disagreeing(told) == []
        assert told.facts(len(told.moments)) == tell(trace).facts(len(told.moments))

    @pytest.mark.deep
    @pytest.mark.parametrize("seed", range(3))
    @pytest.mark.parametrize("stack", [*STACKS, "everything"])
    def test_so_are_longer_ones_of_every_stack(self, stack: str, seed: int) -> None:
        """The same, for every stack that a reference follows."""
        assert disagreeing(tell(random_run(stack, seed, 150))) == []

    def test_what_was_recorded_decides_where_the_model_leaves_it_open(self) -> None:
        """A system that executes on damaged evidence what is due has executed it; another has not."""
        story = named("totals-only")
        either = story.moments[-1]
        assert either.model == "either"
        refused = evolve(either.step, actual="refused", changed=())
        again = tell(evolve(story.trace, steps=(*story.trace.steps[:-1], refused)))

        assert [c.after.about for c in executions(either) if c.after] == [("r1",)]
        assert executions(again.moments[-1]) == []


class TestBadInput:
    def test_layers_that_there_are_not(self) -> None:
        """The moments say so, and the trace is all that is told."""
        story = tell(evolve(named("null-root").trace, layers=("exactly-once", "teleportation")))

        none = tell(evolve(named("null-root").trace, layers=()))

        assert [m.astray for m in story.moments] == ["unknown layer 'teleportation'"]
        assert [m.astray for m in none.moments] == ["these layers deliver nothing"]
        assert story.facts(1) == none.facts(1) == ()

    def test_what_speaks_of_what_is_not_there(self) -> None:
        """A step that presupposes what is missing is left out, and says what it misses."""
        trace = named("no-deduplication").trace
        story = tell(evolve(trace, steps=trace.steps[1:], violation=None))

        assert [m.astray for m in story.moments if m.astray] == ["nobody has emitted r0"] * 2

    @pytest.mark.parametrize(
        "more, why",
        [
            ({"evidence": "r9@h0"}, "nobody has emitted r9"),
            ({"evidence": "r0@h9"}, "no shard has produced h9"),
            ({"header": "h9"}, "no shard has produced h9"),
            ({"header": "null", "receipt": "r9", "evidence": "none"}, "nobody has emitted r9"),
            ({"header": "null", "evidence": "r0@h9"}, "no shard has produced h9"),
        ],
    )
    def test_of_a_delivery_whatever_is_missing_is_named(self, more: dict[str, str], why: str) -> None:
        """The receipt, the header, and what the evidence is of."""
        trace = named("no-deduplication").trace
        last = trace.steps[-1]
        steps = (*trace.steps[:-1], evolve(last, args={**last.args, **more}))

        assert tell(evolve(trace, steps=steps, violation=None)).moments[-1].astray == why

    def test_a_trace_that_is_too_long_or_too_wide(self) -> None:
        """It is not run, and each step says why."""
        trace = named("null-root").trace
        produce = [Step("produce", "A", {"header": f"h{n}"}) for n in range(100_000)]
        wide = tuple(f"S{n}" for n in range(1_000))
        long = tell(evolve(trace, steps=tuple(produce), violation=None))
        broad = tell(
            evolve(
                trace,
                steps=tuple(evolve(s, at="S0") for s in produce[:500]),
                shards=wide,
                violation=None,
            )
        )

        assert {m.astray for m in long.moments} == {
            "a trace of 100,000 steps and 3 shards is too long to be told"
        }
        assert {m.astray for m in broad.moments} == {
            "a trace of 500 steps and 1,000 shards is too long to be told"
        }

    @pytest.mark.parametrize("layers", ["exactly-once", "exactly-once finality failures"])
    def test_the_steps_of_other_layers(self, layers: str) -> None:
        """A step that these layers do not have is left out; no verb is asked for what the model has not."""
        trace = named("records-survive-revert").trace
        story = tell(evolve(trace, layers=tuple(layers.split())))

        assert "revert" in {m.step.action for m in story.moments if m.astray}

    def test_names_and_changes_that_mean_harm(self) -> None:
        """What a record says is executed only if the run has it; names are names."""
        trace = named("no-deduplication").trace
        said = (
            "\x1b[2J executed r0",
            "B executed r99",
            "C executed",
            "A executed r0 executed r0",
            "B executed r0",
        )
        shards = tuple({"C": "executed r0"}.get(name, name) for name in trace.shards)
        steps = [evolve(s, changed=said if s.action == "deliver" else s.changed) for s in trace.steps]
        story = tell(evolve(trace, shards=shards, steps=tuple(steps)))

        assert [str(f) for f in story.facts(5) if f.symbol == "executions"] == ["executions r0 = 1"]
