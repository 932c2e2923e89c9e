from __future__ import annotations

import pytest

from shardproof.readings.evaluate import Declined, Evaluator, Stepped, World
from shardproof.readings.scope import Value
from shardproof.readings.scopes import scope_of
from shardproof_models.language.actions import Parts, Refusal, insert
from shardproof_models.language.protocol import CompositionError, Layer, compose
from shardproof_models.language.terms import FALSE, Bool, Kind, Public
from shardproof_models.layers import exactly_once as base
from shardproof_models.layers import finality as chain
from shardproof_models.layers.exactly_once import Receipt, Shard, emit
from shardproof_models.layers.reorganisation import DROPPED, reorganisation
from shardproof_models.stacks import LAYERS, STACKS, composed, layers_for, stack

# With two shards: receipt 0 goes from 0 to 1, receipt 1 back; headers 0 and 1 are geneses, 2 and 4 are
# blocks of shard 0, 3 and 5 of shard 1.


class Run:
    """A run of a stack with two shards, two receipts and two blocks each."""

    def __init__(self, name: str) -> None:
        protocol = stack(name)
        self.evaluator = Evaluator(protocol, scope_of(protocol, headers=2))
        self.world: World = self.evaluator.initial()

    def attempt(self, action: str, *args: Value) -> Refusal | None:
        """The refusal of an attempt; None, and the world after it, if it is accepted."""
        outcome = self.evaluator.step(self.world, self.evaluator.protocol.action(action), args)
        if isinstance(outcome, Declined):
            return outcome.refusal
        self.world = outcome.world
        return None

    def do(self, *steps: str) -> Run:
        """Take steps that must be accepted, written as "emit 0"."""
        for step in steps:
            action, *args = step.split()
            assert self.attempt(action, *map(int, args)) is None, step
        return self

    def read(self, name: str, *args: Value) -> Value:
        """One cell."""
        symbol = next(s for s in self.evaluator.protocol.symbols if s.name == name)
        return self.world[self.evaluator.layout.index(symbol, args)]


TO_DELIVERY = ("emit 0", "produce 2", "finalise 2", "learn 1 2", "deliver 1 0 2")


class TestExactlyOnce:
    def test_an_honest_delivery_runs_once(self) -> None:
        """Emitted, committed, final, learned: accepted, executed, marked."""
        run = Run("core").do(*TO_DELIVERY)

        assert [run.read(n, 1, 0) for n in ("executions", "consumed", "witness")] == [1, 1, 2]

    def test_a_second_delivery_is_refused(self) -> None:
        """Whatever header it comes with."""
        run = Run("core").do(*TO_DELIVERY, "produce 4", "finalise 4", "learn 1 4")

        assert [run.attempt("deliver", 1, 0, h) for h in (2, 4)] == [base.CONSUMED, base.CONSUMED]

    def test_the_first_clause_that_fails_is_the_refusal(self) -> None:
        """The order can be observed: a forged proof of a consumed receipt is not `consumed`."""
        run = Run("core").do(*TO_DELIVERY, "produce 3", "finalise 3", "learn 1 3", "learn 0 2")

        refusals = [run.attempt("deliver", *args) for args in [(1, 0, 4), (1, 0, 3), (1, 1, 3), (0, 0, 2)]]

        assert refusals == [base.UNTRUSTED_HEADER, base.WRONG_SOURCE, base.UNPROVEN, base.WRONG_DESTINATION]

    def test_what_is_emitted_later_is_not_committed(self) -> None:
        """A root is fixed when its block is sealed."""
        run = Run("core").do("produce 2", "emit 0", "finalise 2", "learn 1 2")

        assert run.attempt("deliver", 1, 0, 2) == base.UNPROVEN

    def test_nothing_is_emitted_or_produced_twice(self) -> None:
        """Each has its own refusal."""
        run = Run("core").do("emit 0", "produce 2")

        assert [run.attempt("emit", 0), run.attempt("produce", 2)] == [
            base.ALREADY_EMITTED,
            base.ALREADY_PRODUCED,
        ]

    def test_without_finality_a_header_has_to_be_on_the_chain(self) -> None:
        """The lowest layer alone."""
        run = Run("exactly-once")

        assert run.attempt("learn", 1, 2) == base.UNKNOWN_HEADER
        assert run.do("produce 2").attempt("learn", 1, 2) is None


class TestFinality:
    def test_blocks_form_a_chain(self) -> None:
        """Each on top of the newest one."""
        run = Run("final").do("produce 2", "produce 4")

        assert [run.read("parent", h) for h in (2, 4)] == [0, 2]
        assert [run.read("height", h) for h in (0, 2, 4)] == [0, 1, 2]
        assert run.read("head", 0) == 4

    def test_finality_goes_up_the_chain(self) -> None:
        """A block after its parent, once, and only if there is one."""
        run = Run("final").do("produce 2", "produce 4")

        assert run.attempt("finalise", 4) == chain.PARENT_NOT_FINAL
        assert run.attempt("finalise", 5) == chain.NOT_PRODUCED
        assert run.do("finalise 2", "finalise 4").attempt("finalise", 2) == chain.ALREADY_FINAL

    def test_a_light_client_waits_for_finality(self) -> None:
        """What is only produced may vanish."""
        run = Run("final").do("produce 2")

        assert run.attempt("learn", 1, 2) == chain.NOT_FINAL
        assert run.do("finalise 2").attempt("learn", 1, 2) is None

    def test_a_header_with_its_own_certificate_needs_no_light_client(self) -> None:
        """Trusted everywhere as soon as it is there."""
        assert Run("self-certified").do("emit 0", "produce 2", "deliver 1 0 2").read("executions", 1, 0) == 1


class TestReorganisation:
    def test_a_block_takes_with_it_what_its_shard_did(self) -> None:
        """What its destination did after its last block that stays never happened, and is due again."""
        run = Run("core").do(*TO_DELIVERY, "produce 3", "revert 3")

        assert [run.read(n, 1, 0) for n in ("executions", "consumed", "learned")] == [0, 0, 0]
        assert run.read("emitted", 0) == 1
        assert [run.read(n, 3) for n in ("produced", "dropped")] == [0, 1]
        assert run.read("head", 1) == 1
        run.do("learn 1 2", "deliver 1 0 2")

    def test_what_the_parent_had_sealed_is_kept(self) -> None:
        """Only what came after it is lost."""
        run = Run("core").do(*TO_DELIVERY, "produce 3", "produce 5", "revert 5")

        assert [run.read(n, 1, 0) for n in ("executions", "consumed")] == [1, 1]
        assert run.attempt("deliver", 1, 0, 2) == base.CONSUMED

    def test_all_that_is_above_goes_too(self) -> None:
        """And nothing of another chain."""
        run = Run("core").do("produce 2", "produce 4", "produce 3", "revert 2")

        assert [run.read("produced", h) for h in range(6)] == [1, 1, 0, 1, 0, 0]

    def test_what_is_final_stays(self) -> None:
        """And what is not there cannot go."""
        run = Run("core").do("produce 2", "finalise 2")

        assert [run.attempt("revert", h) for h in (2, 4)] == [chain.ALREADY_FINAL, chain.NOT_PRODUCED]

    def test_a_dropped_block_does_not_return(self) -> None:
        """A block with other contents is another block."""
        assert Run("core").do("produce 2", "revert 2").attempt("produce", 2) == DROPPED

    def test_every_state_is_public_or_remembered(self) -> None:
        """What a shard keeps comes back as a whole; what is released cannot be taken back."""
        core = stack("core")

        kept = {s.name for s in core.state if s.home is not Public.PUBLIC}

        assert (
            {s.name for s in core.remembers}
            == kept
            == {
                "emitted",
                "learned",
                "consumed",
                "executions",
                "witness",
            }
        )
        assert {s.name for s in core.remembers.values()} == {f"{name}_sealed" for name in kept}
        assert all(copy.kind is symbol.kind for symbol, copy in core.remembers.items())

    def test_state_without_a_home_is_an_error(self) -> None:
        """Nobody could say whether a reorganisation takes it back."""
        counter = Layer("counter", needs=(base.exactly_once,))

        @counter.state
        def counted(m: Receipt) -> Bool:
            return FALSE

        @counter.extends(emit)
        def count(m: Receipt) -> Parts:
            yield insert(counted(m))

        with pytest.raises(
            CompositionError, match="counted has no home, so nobody knows whether a reorganisation"
        ):
            compose("broken", reorganisation, counter)

    def test_state_of_a_new_layer_is_remembered_without_a_word(self) -> None:
        """The layer has to say only where it lives."""
        counter = Layer("counter", needs=(base.exactly_once,))

        @counter.state(home=lambda d: d)
        def seen(d: Shard, m: Receipt) -> Bool:
            return FALSE

        protocol = compose("counted", reorganisation, counter)

        assert "seen_sealed(h, d, m) := seen(d, m) where d = origin(h)" in str(
            [str(e) for e in protocol.action("produce").effects]
        )

    def test_what_nobody_has_sealed_is_not_what_shards_begin_with(self) -> None:
        """So a block, or the genesis of an heir, that is not sealed is told from one that is, at once."""
        run = Run("core")
        assert [run.read("executions_sealed", h, h % 2, 0) for h in (0, 1, 2)] == [0, 0, 1]
        assert run.do("produce 2").read("executions_sealed", 2, 0, 0) == 0

        heirs = Run("everything")
        assert [heirs.read("consumed_sealed", s, s, 0) for s in (0, 2, 3)] == [False, True, True]
        heirs.do("split 0 2 3")
        assert [heirs.read("consumed_sealed", s, s, 0) for s in (2, 3)] == [False, False]


class TestRestarts:
    def test_a_restart_changes_nothing(self) -> None:
        """Everything that the protocol speaks of is durable."""
        run = Run("core-restarts").do(*TO_DELIVERY)
        before = run.world

        assert run.do("restart 0", "restart 1").world == before


class TestOwnBlocks:
    def test_a_later_block_does_not_commit_to_what_an_earlier_one_does(self) -> None:
        """One header proves a receipt, and the next one does not."""
        run = Run("own-blocks").do(
            "emit 0", "produce 2", "produce 4", "finalise 2", "finalise 4", "learn 1 4"
        )

        assert [run.read("commits", h, 0) for h in (2, 4)] == [1, 0]
        assert run.attempt("deliver", 1, 0, 4) == base.UNPROVEN
        assert run.do("learn 1 2").attempt("deliver", 1, 0, 2) is None

    def test_what_is_emitted_later_is_in_the_next_block(self) -> None:
        """Each block has what is new since the one before."""
        run = Run("own-blocks").do("produce 2", "emit 0", "produce 4")

        assert [run.read("commits", h, 0) for h in (2, 4)] == [0, 1]


class TestStacks:
    @pytest.mark.parametrize("name", STACKS)
    def test_every_action_happens_at_a_shard(self, name: str) -> None:
        """Otherwise nobody could say whose state its guard may read, and a trace could not say where."""
        assert [a.name for a in stack(name).actions if not isinstance(a.actor, Shard)] == []

    @pytest.mark.parametrize("name", STACKS)
    def test_every_stack_starts_in_a_world_of_its_own(self, name: str) -> None:
        """Its axioms hold at its scopes, and something can happen."""
        protocol = stack(name)
        evaluator = Evaluator(protocol, scope_of(protocol))

        assert evaluator.axioms_hold()
        assert any(True for _ in evaluator.enabled(evaluator.initial()))

    @pytest.mark.parametrize("name", LAYERS)
    def test_every_layer_is_documented(self, name: str) -> None:
        """With a sentence that `shardproof list` shows."""
        assert LAYERS[name].doc

    @pytest.mark.parametrize(
        "capabilities, expected",
        [
            ((), "self-certified"),
            (("learn",), "exactly-once+finality+instant-finality"),
            (("learn", "finalise"), "final"),
            (("learn", "finalise", "revert"), "core"),
            (("learn", "finalise", "revert", "restart"), "core-restarts"),
        ],
    )
    def test_the_stack_follows_from_what_a_system_can_do(
        self, capabilities: tuple[str, ...], expected: str
    ) -> None:
        """What it lacks is a fact of its stack, not a divergence."""
        assert composed(layers_for(capabilities)).name == expected

    def test_ghosts_are_copied_as_ghosts(self) -> None:
        """A guard could otherwise read history through a header."""
        assert {s.name for s in stack("core").state if s.kind is Kind.GHOST} == {
            "executions",
            "witness",
            # Public, so nothing remembers it.
            "last_final",
            "executions_sealed",
            "witness_sealed",
        }


def test_an_outcome_is_one_of_two() -> None:
    """An attempt is accepted with the world after it, or declined with a reason."""
    run = Run("core")
    action = run.evaluator.protocol.action("emit")

    accepted = run.evaluator.step(run.world, action, (0,))

    assert isinstance(accepted, Stepped)
    assert run.evaluator.step(accepted.world, action, (0,)) == Declined(base.ALREADY_EMITTED)
