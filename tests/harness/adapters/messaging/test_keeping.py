from __future__ import annotations

from collections.abc import Callable

import pytest

from sample_systems.quick_relayer import ANSWERING, VERBS, World, every_stack, given_bytes
from shardproof.adapter import ACCEPTED, Outcome, Refused
from shardproof_models.shards.messaging.messenger import Messenger


class TestKeeping:
    def test_a_block_that_is_dropped_takes_everything_with_it(self) -> None:
        """
        Effects, records, value, the clock, outcomes, what was sent and what was learned are as the parent had
        them.
        """
        w = World("everything")
        w.final("B")
        given_bytes(w.system.produce("B"))
        before = contents(w)
        delivery = w.delivery(w.send("A", "B", b"one", amount=7, onward="C"))
        other = w.delivery(w.send("A", "B", b"two", amount=3, channel=1))
        w.wait("B", 2)
        assert w.system.deliver(delivery) == ACCEPTED
        assert w.system.deliver_failing(other) == ACCEPTED
        assert w.system.close_channel("B", "A", 0) == ACCEPTED
        doomed = given_bytes(w.system.produce("B"))
        given_bytes(w.system.produce("B"))
        w.send("B", "C", b"three", amount=5)

        assert w.system.revert("B", doomed) == ACCEPTED
        assert contents(w) == before
        assert w.system.deliver(delivery) == Refused("untrusted header")
        assert w.system.learn("B", delivery.header) == ACCEPTED
        assert w.system.deliver(delivery) == ACCEPTED
        assert w.system.produce("B") != doomed

    def test_what_is_final_stays(self) -> None:
        """
        A final block is not dropped, nor one that was never produced.
        """
        w = World("everything")

        assert w.system.revert("B", w.final("B")) == Refused("already final")
        assert w.system.revert("B", w.final("A")) == Refused("not produced")

    def test_forgets_records_and_not_what_they_said(self) -> None:
        """
        What was pruned is still spent, its outcome can still be shown, and it is never absent.
        """
        w = World("everything")
        receipts = [w.send("A", "B", b"%d" % i, deadline=9) for i in range(3)]
        deliveries = [w.delivery(receipt) for receipt in receipts]
        for delivery in deliveries[:2]:
            assert w.system.deliver(delivery) == ACCEPTED
        assert len(w.system.at("B", Messenger).consumed) == 2
        w.system.prune("B")
        assert not w.system.at("B", Messenger).consumed

        assert [w.system.deliver(delivery) for delivery in deliveries] == [
            *[Refused("consumed")] * 2,
            ACCEPTED,
        ]
        w.system.prune("B")
        w.wait("B", 9)
        assert w.system.prove_absence(receipts[0], w.final("B")) == Refused("nothing to prove")
        assert w.system.acknowledge(w.outcome(receipts[0])) == ACCEPTED

    @pytest.mark.parametrize("verb", ["learn", "deliver", "acknowledge", "time_out", "time_out_on_close"])
    def test_power_may_fail_between_any_two_writes(self, verb: str) -> None:
        """
        Whenever power fails, the operation has happened wholly or not at all, and can be tried again if not.
        """
        for writes in range(40):
            w = World("everything")
            shard, ask = prepared(w, verb)
            before = w.system.state_root(shard)
            w.system.crash(shard, writes)

            if ask() == ACCEPTED:
                assert w.system.state_root(shard) != before
                assert writes > 0
                return
            assert w.system.state_root(shard) == before
            assert ask() == ACCEPTED
        pytest.fail("no operation writes so much")

    @every_stack
    def test_a_restart_loses_nothing_and_another_node_agrees(self, stack: str) -> None:
        """
        In the middle of everything that a stack can do, a shard that is started again is the same shard, and
        one that has executed the same inputs elsewhere is, too.
        """
        w = World(stack)
        verbs = VERBS[stack]
        before = w.delivery(
            w.send("A", "B", b"one", amount=7, **({"onward": "C"} if "nest" in verbs else {}))
        )
        failing = w.delivery(w.send("A", "B", b"two", amount=3, deadline=50))
        late = w.send("A", "B", b"three", deadline=20, channel=1)

        def agree() -> None:
            for shard in "ABC":
                root = w.system.state_root(shard)
                assert w.system.replicate(shard) == root
                w.system.restart(shard)
                assert w.system.state_root(shard) == root

        agree()
        assert w.system.deliver(before) == ACCEPTED
        agree()
        assert w.system.deliver_failing(failing) == ACCEPTED
        assert w.system.deliver(before) == Refused("consumed")
        agree()
        if "acknowledge" in verbs:
            w.wait("B", 20)
            assert w.system.time_out(w.absence(late)) == ACCEPTED
            agree()
            assert w.system.acknowledge(w.outcome(failing.receipt)) == ACCEPTED
            assert w.told("A") == [(b"three", "expired"), (b"two", "failed")]
        if "responses" in verbs:
            second = w.system.responses("B", 0)[0].receipt
            assert w.system.deliver(w.delivery(second)) == ACCEPTED
            agree()
            assert w.system.acknowledge(w.outcome(second)) == ACCEPTED
            assert w.system.acknowledge(w.outcome(before.receipt)) == ACCEPTED
            assert w.balances() == [-7, 0, 7]
        agree()

    @every_stack
    def test_old_headers_are_proved_against_after_a_restart(self, stack: str) -> None:
        """
        What a block attested before a stop, it attests after it: receipts, outcomes and absences.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one")
        early = w.final("B")
        delivery = w.delivery(receipt)
        assert w.system.deliver(delivery) == ACCEPTED
        w.send("A", "B", b"two")
        w.final("A")
        w.system.restart("A")
        w.system.restart("B")

        assert w.system.prove(receipt, delivery.header) == delivery.evidence
        if stack in ANSWERING:
            late = w.final("B")
            w.system.restart("B")
            assert isinstance(w.system.prove_absence(receipt, early), bytes)
            assert isinstance(w.system.prove_outcome(receipt, late), bytes)
            assert w.system.prove_outcome(receipt, early) == Refused("nothing to prove")


def contents(w: World) -> dict[str, dict[object, object]]:
    """What B keeps in its tables."""
    return {table.name: dict(table) for table in w.system.at("B", Messenger).tables.all()}


def prepared(w: World, verb: str) -> tuple[str, Callable[[], Outcome]]:
    """A shard, and something that it should accept."""
    system = w.system
    late = w.send("C", "B", b"late", amount=3, deadline=2)
    receipt = w.send("A", "B", b"one", amount=7)
    delivery = w.delivery(receipt)
    if verb == "learn":
        header = given_bytes(system.finalise("C", given_bytes(system.produce("C"))))
        return "B", lambda: system.learn("B", header)
    if verb == "deliver":
        return "B", lambda: system.deliver(delivery)
    if verb == "acknowledge":
        assert system.deliver(delivery) == ACCEPTED
        outcome = w.outcome(receipt)
        return "A", lambda: system.acknowledge(outcome)
    if verb == "time_out":
        w.wait("B", 2)
        expired = w.absence(late)
        return "C", lambda: system.time_out(expired)
    assert system.close_channel("B", "C", 0) == ACCEPTED
    closed = w.absence(late)
    return "C", lambda: system.time_out_on_close(closed)
