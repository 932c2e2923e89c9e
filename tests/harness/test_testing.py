from __future__ import annotations

from collections.abc import Sequence

import pytest

from shardproof.adapter import Execution
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.errors import TraceError, UsageError
from shardproof.testing import NotTakenError, Run, ViolationError, run


def committed(shards: Run) -> None:
    """r0 is emitted at A, and h0 proves it to B."""
    shards.emit("r0", "A", to="B")
    shards.produce("h0", "A")
    shards.finalise("h0")
    shards.learn("h0", at="B")


class TestCalls:
    def test_are_steps_of_a_trace(self) -> None:
        """
        Each call is the step that a trace would have, with honest evidence where none is given.
        """
        with run("reference:ibc-unordered", steps_max=12) as shards:
            committed(shards)
            shards.emit("r1", "A", to="B", channel=0, amount=1, deadline=0)
            shards.deliver("r0", at="B", under="h0")
            shards.produce("h1", "B")
            shards.finalise("h1")
            shards.learn("h1", at="A")
            shards.acknowledge("r0", at="A", under="h1")
            shards.time_out("r1", at="A", under="h1")
            shards.produce("h2", "A")

        done = [(step.action, step.at, step.args, step.actual) for step in shards.steps[4:]]
        assert done[0][2] == {"receipt": "r1", "to": "B", "channel": "0", "amount": "1", "deadline": "0"}
        assert done[5] == (
            "acknowledge",
            "A",
            {"receipt": "r0", "header": "h1", "evidence": "r0@h1"},
            "accepted",
        )
        assert (done[6][0], done[6][3]) == ("time_out", "accepted")

    def test_consensus_drops_blocks(self) -> None:
        """
        The shard of a block is known by the block.
        """
        with run("reference", steps_max=10) as shards:
            shards.produce("h0", "B")
            shards.revert("h0")

        assert [(step.action, step.at) for step in shards.steps] == [("produce", "B"), ("revert", "B")]


class TestRun:
    def test_what_goes_as_the_model_says_passes(self) -> None:
        """
        Acceptance and refusal alike: a second delivery is refused, and that is as it should be.
        """
        with run(ReferenceAdapter, steps_max=10) as shards:
            committed(shards)
            shards.deliver("r0", at="B", under="h0", damage="evidence:flip:3")
            shards.deliver("r0", at="B", under="h0")
            shards.deliver("r0", at="B", under="h0")
            shards.restart("B")

        assert [step.actual.partition(",")[0] for step in shards.steps[4:]] == [
            "refused",
            "accepted",
            "refused",
            "accepted",
        ]
        assert shards.steps[5].changed == ("B executed r0",)

    def test_a_violation_is_a_story(self) -> None:
        """
        The failure says what is violated, what happened, and by what the model refuses it.
        """
        with run("faulty:no-deduplication", steps_max=10) as shards:
            committed(shards)
            shards.deliver("r0", at="B", under="h0")
            with pytest.raises(ViolationError) as failed:
                shards.deliver("r0", at="B", under="h0")

        said = str(failed.value)
        assert said.startswith("violated  executes-at-most-once")
        assert "consumed: B had executed r0 at step 5" in said
        assert "here" in said
        assert failed.value.trace.violation is not None
        assert failed.value.trace.violation.step == 5

    def test_what_shows_at_the_end_fails_as_well(self) -> None:
        """
        Each shard is looked at once more before a test passes.
        """
        looked = []

        class Watched(ReferenceAdapter):
            def executed(self, shard: str, since: int) -> Sequence[Execution]:
                looked.append(shard)
                return super().executed(shard, since)

        with run(Watched, steps_max=10) as shards:
            shards.emit("r0", "A", to="B")
            looked.clear()

        assert set(looked) == {"A", "B"}

    def test_a_step_that_cannot_be_taken_is_no_pass(self) -> None:
        """
        A receipt that is not there leaves everything open: inconclusive, and never a pass.
        """
        with (
            pytest.raises(NotTakenError, match="inconclusive: step 1"),
            run("reference", steps_max=10) as shards,
        ):
            shards.deliver("r0", at="B", under="h0")

    def test_an_error_of_the_test_is_its_own(self) -> None:
        """
        What goes wrong in between is what is reported, and the system is closed all the same.
        """
        closed = []

        class Closing(ReferenceAdapter):
            def close(self) -> None:
                closed.append(True)
                super().close()

        with pytest.raises(KeyError), run(Closing, steps_max=10):
            raise KeyError("of the test")

        assert closed == [True]

    @pytest.mark.parametrize(
        "system, error",
        [(None, "on which system"), ("refrence", "unknown adapter 'refrence'")],
    )
    def test_a_system_has_to_be_named(self, system: str | None, error: str) -> None:
        """
        Nothing is run that nobody has named.
        """
        with pytest.raises(UsageError, match=error):
            run(system)

    def test_what_makes_no_sense_is_said(self) -> None:
        """
        A shard that does not exist, a damage that is none, a verb that the system lacks.
        """
        with run("reference", steps_max=10) as shards:
            with pytest.raises(TraceError, match="no shard is called 'C'"):
                shards.emit("r0", "A", to="C")
            with pytest.raises(TraceError, match="not a damage"):
                shards.learn("h0", at="B", damage="flip")
            with pytest.raises(UsageError, match="cannot take step 1"):
                shards.step("crash", "A", number=1)

    def test_room_is_made_where_it_is_asked_for(self) -> None:
        """
        The model is made for so many steps, and says so where there are more.
        """
        with run("reference", steps_max=1) as shards:
            shards.produce("h0", "A")
            with pytest.raises(UsageError, match="no room"):
                shards.produce("h1", "A")
