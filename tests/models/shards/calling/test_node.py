from __future__ import annotations

import pytest

from shardproof_models.shards.calling.call import Call, Request
from shardproof_models.shards.calling.call_shard import CallShard, Objection
from shardproof_models.shards.calling.layout import merge, split
from shardproof_models.shards.calling.node import Input
from shardproof_models.shards.calling.presentation import Presentation
from shardproof_models.shards.calling.systems import ActorsShard, NearShard, TonShard
from shardproof_models.shards.header import consensus_key

KEYS = {name: consensus_key(name) for name in "ABCDE"}


class HonestyDependsOnTheNode(NearShard):
    """Writes something else into a response when it is not the first node."""

    def reason(self, call: Call, key: bytes) -> bytes:
        return b"caught up" if self.catching_up else super().reason(call, key)


def delivered(kind: type[NearShard]) -> NearShard:
    """A shard at which a call has failed."""
    a, b = kind("A", KEYS), kind("B", KEYS)
    for shard in (a, b):
        shard.found((shard.name,))
    receipt = a.send(Request("A", "B", b"one", amount=3))
    header = a.finalise(a.produce())
    assert isinstance(receipt, bytes)
    assert isinstance(header, bytes)
    assert b.learn(header) is None
    assert b.receive(Presentation(receipt, header, a.prove(receipt, header) or b""), fails=True) is None
    return b


class TestTwin:
    def test_does_everything_again_by_itself(self) -> None:
        """
        Another node holds the same in objects of its own.
        """
        shard = delivered(NearShard)
        twin = shard.twin()

        assert twin is not shard
        assert twin.outgoing is not shard.outgoing
        assert twin.state_root() == shard.state_root()

    def test_goes_on_where_it_had_stopped(self) -> None:
        """
        It catches up as often as it is asked to, and each input is done again once.
        """
        shard = delivered(NearShard)
        early = shard.twin().state_root()
        shard.send(Request("B", "A", b"more"))

        assert early != shard.state_root()
        assert shard.twin().state_root() == shard.state_root()
        assert shard.twin().state_root() == shard.state_root()

    def test_shows_what_depends_on_the_node(self) -> None:
        """
        A shard that does something else when it catches up comes apart.
        """
        shard = delivered(HonestyDependsOnTheNode)

        assert shard.twin().state_root() != shard.state_root()

    def test_runs_the_parents_of_a_shard_by_itself(self) -> None:
        """
        What an heir got from a parent, its twin gets from the twin of the parent.
        """
        parent, left, right = delivered(NearShard), NearShard("C", KEYS), NearShard("D", KEYS)
        assert split(parent, (left, right)) is None

        for shard in (parent, left, right):
            assert shard.twin().state_root() == shard.state_root()
        assert right.twin().balances == right.balances != {}
        assert left.balances == {}

    def test_an_input_is_what_was_asked_from_outside(self) -> None:
        """
        What a verb does by means of another is not an input of its own, or it would be done twice.
        """
        shard = delivered(NearShard)

        assert [step.verb for step in shard.inputs] == ["found", "learn", "receive"]
        assert shard.inputs[0] == Input("found", (("B",),), {})
        assert shard.twin().inputs == []


class Interrupted(NearShard):
    """Is asked to retire by the callback of a call."""

    told: Objection | None = None

    def succeed(self, call: Call) -> None:
        super().succeed(call)
        self.told = merge((self, NearShard("E", KEYS)), NearShard("C", KEYS))
        if self.told is Objection.NOT_LIVE:
            self.told = split(self, (NearShard("C", KEYS), NearShard("D", KEYS)))


def test_nothing_is_split_within_a_frame() -> None:
    """
    A callback does not outlive the shard that runs it.
    """
    a, b = Interrupted("A", KEYS), Interrupted("B", KEYS)
    for shard in (a, b):
        shard.found((shard.name,))
    receipt, header = a.send(Request("A", "B", b"one")), a.finalise(a.produce())
    assert isinstance(receipt, bytes)
    assert isinstance(header, bytes)
    b.learn(header)

    assert b.receive(Presentation(receipt, header, a.prove(receipt, header) or b"")) is None
    assert b.told is Objection.FRAMES_OPEN
    assert split(b, (NearShard("C", KEYS), NearShard("D", KEYS))) is None


@pytest.mark.parametrize("kind", [NearShard, TonShard, ActorsShard])
def test_the_verbs_of_the_core_are_not_a_way_in(kind: type[CallShard]) -> None:
    """
    `emit` and `deliver` of the core know nothing of the clauses of the layers, and cannot be used.
    """
    shard = kind("A", KEYS)

    with pytest.raises(TypeError):
        shard.emit("B", b"one")
    with pytest.raises(TypeError):
        shard.deliver(b"", b"", b"")


def test_an_address_is_answered_for_by_its_shard_only() -> None:
    """
    A shard sends nothing in the name of an address that is not its own.
    """
    shard = NearShard("A", KEYS)
    shard.found(("A",))

    assert shard.send(Request("B", "A", b"one")) is Objection.NOT_AN_ADDRESS


def test_nobody_emits_a_response_that_is_not_owed() -> None:
    """
    A response needs a failure that was not answered yet.
    """
    shard = delivered(NearShard)
    (answered,) = shard.responses

    assert shard.unsendable(answered.response) is Objection.NOT_OWED
