"""Transitions as moves: the names of a scope, the numbers of a run, and what nobody can be asked for."""

from __future__ import annotations

import pytest

from shardproof.adapter import Adapter, capabilities
from shardproof.adapters.reference import ReferenceAdapter, variant
from shardproof.deeds import DEEDS
from shardproof.moves import Act, Deliver, Emit, Learn, Produce, Proof, Terms
from shardproof.readings.generated import Generated
from shardproof.readings.scopes import scope_of
from shardproof.tours.cast import ROAD, VERBS, Cast
from shardproof.tours.graph import Instance
from shardproof_models.stacks import STACKS, composed, layers_for, stack, visible

#: What a shard does by itself, or an operator without anybody noticing: no verb is there for it.
UNASKED = {"write_acknowledgement", "crash", "flush"}


def cast_for(adapter: Adapter) -> Cast:
    """The cast of two shards with two receipts and a block each."""
    able = capabilities(adapter)
    protocol = composed(visible(composed(layers_for(able, adapter.stack)).layers))
    return Cast(Generated(protocol, scope_of(protocol, shards=2, receipts=2, headers=1)), able)


def instance(cast: Cast, name: str, *args: int) -> Instance:
    """An action with arguments."""
    return Instance(cast.generated.protocol.action(name), args)


CORE = cast_for(ReferenceAdapter())
IBC = cast_for(variant("ibc-unordered")())
NEAR = cast_for(variant("near")())


class TestMove:
    def test_names_what_a_run_has_numbered(self) -> None:
        """Block 2 of the scope, the first after two beginnings, is the first block of a run."""
        CORE.clear()
        CORE.note(instance(CORE, "emit", 1))

        assert CORE.move(instance(CORE, "emit", 0)) == Emit(1, 0, 1)
        assert CORE.move(instance(CORE, "produce", 3)) == Produce(1, 1)
        assert CORE.move(instance(CORE, "learn", 0, 3)) == Learn(0, 1)
        assert CORE.move(instance(CORE, "deliver", 0, 1, 3)) == Deliver(0, 0, 1, Proof(0, 1))

    def test_of_what_was_emitted_again_is_about_the_newest(self) -> None:
        """To the model it is the same receipt; to a run, which never gives a number twice, another one."""
        CORE.clear()
        for _ in range(2):
            CORE.note(instance(CORE, "emit", 0))

        assert CORE.move(instance(CORE, "deliver", 1, 0, 2)) == Deliver(1, 1, 0, Proof(1, 0))

    def test_comes_from_the_table_of_deeds(self) -> None:
        """What a relayer presents beside the main road, with honest evidence; what operators do, without."""
        IBC.clear()
        IBC.note(instance(IBC, "emit", 0))

        assert IBC.move(instance(IBC, "time_out", 0, 0, 3)) == Act("time_out", 0, 0, 1, Proof(0, 1))
        assert IBC.move(instance(IBC, "tick", 1)) == Act("advance_clock", 1)
        assert IBC.move(instance(IBC, "close", 1, 0)) == Act("close_channel", 1, other=0, number=0)
        assert NEAR.move(instance(NEAR, "split", 0, 2, 3)) == Act("split", 0, other=2, another=3)

    def test_of_an_emission_has_the_terms_of_its_receipt(self) -> None:
        """Value and deadline as the scope has them, however a user asks for it."""
        IBC.clear()
        plain, *others = IBC.guises()

        assert IBC.emission(0, plain).terms == Terms(deadline=1, amount=1, onward=0)
        assert {IBC.emission(0, guise).terms for guise in others} == {
            Terms(deadline=1, amount=1, onward=0, claimed=2),
            Terms(deadline=1, amount=1, onward=0, entrance=1),
            Terms(deadline=1, amount=1, onward=0, asset=1),
            Terms(deadline=1, amount=1, onward=0, takeover=True),
        }


class TestWhyNot:
    @pytest.mark.parametrize("name", ["produce", "finalise", "revert"])
    def test_of_a_genesis(self, name: str) -> None:
        """A chain begins with a block of which nobody has the bytes."""
        assert "genesis" in CORE.why_not(instance(CORE, name, 0))
        assert not CORE.why_not(instance(CORE, name, 2))

    def test_of_what_an_adapter_lacks(self) -> None:
        """By the verb that it would need."""

        class Shut(ReferenceAdapter):
            learn = Adapter.learn

        lacking = Cast(CORE.generated, capabilities(Shut()))

        assert lacking.why_not(instance(CORE, "learn", 0, 3)) == "the adapter has no learn"

    def test_of_what_a_shard_does_by_itself(self) -> None:
        """A response is emitted by nobody's asking, and follows what it answers at once."""
        assert NEAR.prompt(instance(NEAR, "emit", 1))
        assert NEAR.why_not(instance(NEAR, "emit", 1)) == "a shard does it of its own accord"
        assert not NEAR.why_not(instance(NEAR, "emit", 0))
        assert NEAR.emits(instance(NEAR, "deliver", 1, 0, 4, 0)) == 1

    def test_of_nothing_else(self) -> None:
        """Every action of every layer is on the road, in the table, or is nobody's to ask for."""
        known = {a.name for name in STACKS for a in composed(visible(stack(name).layers)).actions}

        assert known - {*ROAD, *VERBS} <= UNASKED
        assert {deed.action for deed in DEEDS.values() if deed.action} == {*VERBS}
