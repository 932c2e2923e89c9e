"""
A proof is about something: witnesses are reached by traces, and every action can happen.

What was only shown to be consistent with the invariants is not said to have been reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from attrs import evolve

from shardproof.engines.prove import happening, walks
from shardproof.engines.prove.happening import taken_within, without_the_rest
from shardproof.engines.prove.induction import Prover
from shardproof.engines.prove.vacuity import idleness, vacuity
from shardproof.engines.prove.walks import Watched, walked
from shardproof.readings.evaluate import Evaluator, Stepped
from shardproof.readings.scope import Value
from shardproof.readings.scopes import scope_of
from shardproof.readings.walks import walk
from shardproof_models.language.actions import Action, Parts, Refusal, action_of, at, require
from shardproof_models.language.protocol import Protocol
from shardproof_models.layers.exactly_once import Header, genesis, origin, produced
from shardproof_models.layers.finality import parent
from shardproof_models.stacks import stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Role

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

FINAL = stack("final")
WITNESSES = properties_of(FINAL, Role.WITNESS)


def no_walks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walks, "WALKS", 0)


class TestWalks:
    def test_the_same_seed_walks_the_same_way(self) -> None:
        """
        A report can be made again.
        """
        one, other = (walked(FINAL, scope_of(FINAL), WITNESSES, seed=3) for _ in range(2))

        assert one.reached == other.reached
        assert one.taken == other.taken

    def test_every_step_of_a_walk_is_one_of_the_plain_reading(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        The fast reading walks; the plain one takes the same steps from the initial world.
        """
        steps: list[tuple[Action, tuple[Value, ...]]] = []

        def recorded(*args: Any) -> Iterator[Any]:
            for step in walk(*args):
                steps.append(step)
                yield step

        monkeypatch.setattr(walks, "walk", recorded)
        scope = scope_of(stack("near"), receipts=3)
        Watched.at(stack("near"), scope, ()).walk(Random(5))

        evaluator = Evaluator(stack("near"), scope)
        world = evaluator.initial()
        for action, args in steps:
            outcome = evaluator.step(world, action, args)
            assert isinstance(outcome, Stepped), (action.name, args)
            world = outcome.world
        assert len(steps) > 20

    def test_a_walk_does_hardly_anything_twice(self) -> None:
        """
        The clock of a shard does not run away from the receipts that it should execute.
        """
        protocol = stack("actors")
        watched = Watched.at(protocol, scope_of(protocol), ())
        watched.walk(Random(0))

        assert max(watched.taken.values()) <= walks.LENGTH

    def test_what_was_reached_is_the_length_of_a_trace(self) -> None:
        """
        An execution takes five steps at least.
        """
        found = walked(FINAL, scope_of(FINAL), WITNESSES, seed=0)

        lengths = {p.name: length for p, length in found.reached.items()}
        assert lengths["executes"] >= 5
        assert not found.wanted


class TestSearched:
    def test_the_solver_finds_what_walks_miss(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Success that is acknowledged takes fourteen steps, each of which only then makes sense.
        """
        no_walks(monkeypatch)
        protocol = stack("ibc-allow-timeout")
        wanted = tuple(
            p for p in properties_of(protocol) if p.name in ("acknowledges-success", "refunds-a-failure")
        )

        seen = happening.happening(protocol, wanted, seed=0, timeout_ms=10_000)

        assert {p.name for p in seen.reached} == {"acknowledges-success", "refunds-a-failure"}
        assert min(seen.reached.values()) >= 14
        assert {"deliver", "acknowledge"} <= {a.name for a in seen.taken}

    def test_the_solver_finds_actions_that_walks_miss(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Also where no witness is about them.
        """
        no_walks(monkeypatch)

        seen = happening.happening(FINAL, (), seed=0, timeout_ms=10_000)

        assert {a.name for a in seen.taken} == {a.name for a in FINAL.actions}
        assert all(a in FINAL.actions for a in seen.taken)

    def test_what_sweeps_is_left_out_once_it_was_seen(self) -> None:
        """
        And with it all that only it reads; unless what is wanted is about it.
        """
        core = stack("core")
        executes, drops = (
            tuple(p for p in properties_of(core) if p.name == name)
            for name in ("executes", "drops-an-execution")
        )

        smaller = without_the_rest(core, executes, core.actions)

        assert {a.name for a in core.actions} - {a.name for a in smaller.actions} == {"revert"}
        assert not {s for s in smaller.state if s in core.remembers.values()}
        assert "revert" in {a.name for a in without_the_rest(core, drops, core.actions).actions}
        assert "revert" in {a.name for a in without_the_rest(core, executes, ()).actions}

    def test_what_is_out_of_reach_is_said_with_what_was_searched(self) -> None:
        """
        A witness of a protocol in which nobody delivers.
        """
        idle = evolve(FINAL, actions=tuple(a for a in FINAL.actions if a.name != "deliver"))

        about = vacuity(idle, WITNESSES, WITNESSES, Prover())

        assert about.reasons[0] == (
            "the witness executes was not reached by 200 walks at random, "
            "nor by traces of up to 24 steps with 2 shards, 2 receipts and 2 blocks a shard"
        )

    @pytest.mark.parametrize("steps, taken", [(0, set()), (1, {"emit", "produce"}), (5, {"deliver"})])
    def test_what_is_taken_takes_its_steps(self, steps: int, taken: set[str]) -> None:
        """
        Nothing in no step, the first in one, a delivery in five.
        """
        seen = {a.name for a in taken_within(FINAL, steps, seed=0, timeout_ms=10_000)}

        assert taken <= seen
        assert ("deliver" in seen) is (steps >= 5)


def never(h: Header) -> Parts:
    """A block that is its own parent is dropped: the invariants of this stack do not exclude it."""
    yield at(origin(h))
    yield require((parent(h) == h) & produced(h) & (h != genesis(origin(h))), Refusal("no loop"))


def with_never(protocol: Protocol) -> Protocol:
    action, _ = action_of(never)
    return evolve(protocol, actions=(*protocol.actions, action))


class TestVacuity:
    def test_an_action_that_no_trace_takes_is_said_to_be_possible_only(self) -> None:
        """
        That is less than to have been seen, and the row says so.
        """
        about = vacuity(with_never(FINAL), properties_of(FINAL), WITNESSES, Prover())

        rows = dict(about.rows)
        assert rows["never"] == "enabled in a world that satisfies the invariants; no trace took it"
        assert about.reasons == ()
        assert all(rows[p.name].startswith("reached by a trace of ") for p in WITNESSES)

    def test_within_a_depth_it_has_to_be_seen(self) -> None:
        """
        Traces of so many steps say nothing of what takes more.
        """
        about = idleness(with_never(FINAL), properties_of(FINAL), Prover(), 6)

        assert about.reasons == ("never was not seen to happen within 6 steps",)

    def test_what_is_impossible_is_proved_to_be(self) -> None:
        """
        Where blocks are final at once, `finalise` is void.
        """
        protocol = stack("self-certified")

        about = vacuity(protocol, properties_of(protocol), (), Prover())

        assert dict(about.rows) == {"finalise": "cannot happen in this protocol (proved)"}
