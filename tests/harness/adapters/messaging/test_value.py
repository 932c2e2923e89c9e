from __future__ import annotations

import pytest
from attrs import evolve

from sample_systems.quick_relayer import World, journeys
from shardproof.adapter import ACCEPTED, Refused, Response
from shardproof_models.shards.messaging.ledger import Escrow
from shardproof_models.shards.messaging.message import FullReceipt


class TestEscrow:
    @pytest.mark.parametrize("stack", ["bridge", "optimistic-bridge", "ibc-unordered", "ibc-ordered"])
    def test_what_comes_back_is_burnt_and_unlocked(self, stack: str) -> None:
        """
        Outward, value is locked and minted; homeward it is burnt and unlocked; in between both ends agree.
        """
        w = World(stack)
        assert w.system.deliver(w.delivery(w.send("A", "B", b"there", amount=7))) == ACCEPTED
        assert (w.books("A"), w.books("B")) == (({"B": 7}, {}), ({}, {"A": 7}))

        back = w.send("B", "A", b"back", amount=5)
        assert FullReceipt.decode(back).homeward
        assert w.system.deliver(w.delivery(back)) == ACCEPTED
        assert (w.books("A"), w.books("B")) == (({"B": 2}, {}), ({}, {"A": 2}))
        assert not FullReceipt.decode(w.send("B", "A", b"more", amount=3)).homeward
        assert w.balances() == [-2, -1, 0]

    @pytest.mark.parametrize("stack", ["ibc-unordered", "ibc-ordered"])
    def test_a_refund_undoes_what_the_emission_did(self, stack: str) -> None:
        """
        A receipt that failed leaves the books as they were, outward and homeward.
        """
        w = World(stack)
        outward = w.send("A", "B", b"there", amount=7)
        assert w.system.deliver_failing(w.delivery(outward)) == ACCEPTED
        assert w.system.acknowledge(w.outcome(outward)) == ACCEPTED
        assert (w.books("A"), w.books("B")) == (({"B": 0}, {}), ({}, {}))

        assert w.system.deliver(w.delivery(w.send("A", "B", b"again", amount=7))) == ACCEPTED
        homeward = w.send("B", "A", b"back", amount=7)
        assert w.system.deliver_failing(w.delivery(homeward)) == ACCEPTED
        assert w.system.acknowledge(w.outcome(homeward)) == ACCEPTED
        assert (w.books("A"), w.books("B")) == (({"B": 7}, {}), ({}, {"A": 7}))
        assert w.balances() == [-7, 7, 0]

    def test_no_more_is_unlocked_than_is_locked(self) -> None:
        """
        A shard that has minted too much can take no more from another than that one has locked for it.
        """
        w = World("ibc-unordered")
        w.system.at("B", Escrow).minted["A"] = 50
        receipt = w.send("B", "A", b"too much", amount=50)
        assert FullReceipt.decode(receipt).homeward

        assert w.system.deliver(w.delivery(receipt)) == ACCEPTED
        assert w.effects("A") == []
        assert w.system.acknowledge(w.outcome(receipt)) == ACCEPTED
        assert w.told("B") == [(b"too much", "failed")]


class TestForwarding:
    @journeys
    def test_arrives_and_tells_back(self, stack: str) -> None:
        """
        The second hop is sent of the middle's own accord; the first is acknowledged once the second was.
        """
        w = World(stack)
        first = w.send("A", "B", b"one", amount=7, onward="C")
        assert w.system.deliver(w.delivery(first)) == ACCEPTED
        (response,) = w.system.responses("B", 0)
        assert evolve(response, receipt=b"") == Response(b"", "C", b"onward:one", b"one", 7)
        assert not w.system.responses("B", 1)
        assert w.balances() == [-7, 0, 0]

        header = w.final("B")
        assert w.system.prove_outcome(first, header) == Refused("nothing to prove")
        assert w.system.prove_absence(first, header) == Refused("nothing to prove")
        assert w.system.deliver(w.delivery(response.receipt)) == ACCEPTED
        assert w.system.acknowledge(w.outcome(response.receipt)) == ACCEPTED
        assert w.system.acknowledge(w.outcome(first)) == ACCEPTED
        assert (w.told("B"), w.told("A")) == ([(b"onward:one", "succeeded")], [(b"one", "succeeded")])
        assert w.effects("C") == [(b"onward:one", "B")]
        assert w.balances() == [-7, 0, 7]

    @journeys
    @pytest.mark.parametrize("how", ["fails", "closes"])
    def test_comes_back(self, stack: str, how: str) -> None:
        """
        If the second hop fails, the middle keeps nothing, and the first sender has everything again.
        """
        w = World(stack)
        first = w.send("A", "B", b"one", amount=7, onward="C")
        assert w.system.deliver(w.delivery(first)) == ACCEPTED
        second = w.system.responses("B", 0)[0].receipt
        if how == "fails":
            assert w.system.deliver_failing(w.delivery(second)) == ACCEPTED
            assert w.system.acknowledge(w.outcome(second)) == ACCEPTED
        else:
            assert w.system.close_channel("C", "B", 0) == ACCEPTED
            assert w.system.time_out_on_close(w.absence(second)) == ACCEPTED
        assert w.balances() == [-7, 0, 0]

        assert w.system.acknowledge(w.outcome(first)) == ACCEPTED
        assert w.told("A") == [(b"one", "failed")]
        assert w.balances() == [0, 0, 0]
        assert [w.books(name) for name in "ABC"] == [
            ({"B": 0}, {}),
            ({"C": 0}, {"A": 0}),
            ({}, {}),
        ]

    @journeys
    @pytest.mark.parametrize("onward", ["B", "nowhere"])
    def test_what_cannot_go_on_fails(self, stack: str, onward: str) -> None:
        """
        A journey to nowhere is a failed receipt like any other.
        """
        w = World(stack)
        first = w.send("A", "B", b"one", amount=7, onward=onward)
        assert w.system.deliver(w.delivery(first)) == ACCEPTED

        assert not w.system.responses("B", 0)
        assert w.effects("B") == []
        assert w.system.acknowledge(w.outcome(first)) == ACCEPTED
        assert w.balances() == [0, 0, 0]

    @journeys
    def test_a_callback_that_fails_sends_nothing_on(self, stack: str) -> None:
        """
        What a failed callback sent was never sent, and its position is used by the next receipt.
        """
        w = World(stack)
        assert w.system.deliver_failing(w.delivery(w.send("A", "B", b"one", onward="C"))) == ACCEPTED

        assert not w.system.responses("B", 0)
        assert FullReceipt.decode(w.send("B", "C", b"two")).sequence == 0
        assert w.system.deliver(w.delivery(w.send("A", "B", b"three", onward="C"))) == ACCEPTED
        assert w.system.deliver(w.delivery(w.system.responses("B", 0)[0].receipt)) == (
            ACCEPTED if stack == "ibc-unordered" else Refused("out of order")
        )

    def test_what_is_on_its_way_is_not_spent_at_home(self) -> None:
        """
        Vouchers that travel on are owed to their home if they come back, so nobody else can send them home.
        """
        w = World("ibc-unordered")
        first = w.send("A", "B", b"one", amount=7, onward="C")
        assert w.system.deliver(w.delivery(first)) == ACCEPTED

        assert not FullReceipt.decode(w.send("B", "A", b"two", amount=7)).homeward
