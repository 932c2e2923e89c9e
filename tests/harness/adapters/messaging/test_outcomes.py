from __future__ import annotations

import pytest
from attrs import evolve

from sample_systems.quick_relayer import CLOSABLE, World, answering, closable, given_bytes
from shardproof.adapter import ACCEPTED, Delivery, Ended, Ending, Message, Outcome, Refused
from shardproof_models.shards.messaging.message import FullReceipt


class TestAcknowledge:
    @answering
    def test_tells_success_once(self, stack: str) -> None:
        """
        The sender is told of a success once, and nothing is given back.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", amount=7)
        assert w.system.deliver(w.delivery(receipt)) == ACCEPTED
        shown = w.outcome(receipt)

        assert w.system.acknowledge(shown) == ACCEPTED
        assert w.system.acknowledge(shown) == Refused("not pending")
        assert w.told("A") == [(b"one", "succeeded")]
        assert w.balances() == [-7, 7, 0]

    @answering
    def test_gives_back_what_failed_once(self, stack: str) -> None:
        """
        A failure is refunded in full, once.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", amount=7)
        assert w.system.deliver_failing(w.delivery(receipt)) == ACCEPTED
        shown = w.outcome(receipt)

        assert w.system.acknowledge(shown) == ACCEPTED
        assert w.system.acknowledge(shown) == Refused("not pending")
        assert list(w.system.ended("A", 0)) == [Ended(b"one", Ending.FAILED)]
        assert not w.system.ended("A", 1)
        assert w.balances() == [0, 0, 0]

    @answering
    def test_names_the_first_clause_that_fails(self, stack: str) -> None:
        """
        The order of refusals is that of the model's clauses.
        """
        w = World(stack)
        receipt, early = w.send("A", "B", b"one"), w.send("A", "B", b"two")
        foreign = w.send("C", "B", b"three")
        for sent in (receipt, foreign):
            assert w.system.deliver(w.delivery(sent)) == ACCEPTED
        shown = w.outcome(receipt)
        assert w.system.acknowledge(shown) == ACCEPTED
        of_foreign = given_bytes(w.system.prove_outcome(foreign, shown.header))

        def refused(receipt: bytes, header: bytes, evidence: bytes) -> Outcome:
            return w.system.acknowledge(Delivery("A", receipt, header, evidence))

        assert refused(receipt, b"", shown.evidence) == Refused("untrusted header")
        assert refused(b"", shown.header, shown.evidence) == Refused("malformed")
        assert refused(receipt, w.final("C"), shown.evidence) == Refused("wrong source")
        assert refused(early, shown.header, shown.evidence) == Refused("no acknowledgement")
        assert refused(early, shown.header, b"") == Refused("no acknowledgement")
        assert refused(foreign, shown.header, of_foreign) == Refused("wrong destination")
        assert refused(receipt, shown.header, shown.evidence) == Refused("not pending")
        assert w.system.prove_outcome(early, shown.header) == Refused("nothing to prove")
        assert w.system.prove_outcome(b"", shown.header) == Refused("nothing to prove")
        assert w.system.prove_outcome(receipt, b"") == Refused("nothing to prove")

    @answering
    def test_no_byte_of_an_outcome_is_loose(self, stack: str) -> None:
        """
        A failure cannot be made to look like a success, nor anything else like either.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", amount=7)
        assert w.system.deliver_failing(w.delivery(receipt)) == ACCEPTED
        shown = w.outcome(receipt)

        for at in range(len(shown.evidence)):
            for bit in range(8):
                forged = bytearray(shown.evidence)
                forged[at] ^= 1 << bit
                answer = w.system.acknowledge(evolve(shown, evidence=bytes(forged)))
                assert answer == Refused("no acknowledgement"), at
        assert w.told("A") == []


class TestTimeOut:
    @answering
    def test_gives_back_what_expired_once(self, stack: str) -> None:
        """
        What was not delivered in time is refunded once, also if the sender's callback asks again, and is
        never delivered after that.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", amount=7, deadline=3)
        delivery = w.delivery(receipt)
        w.wait("B", 3)
        shown = w.absence(receipt)

        assert w.system.time_out_again(shown) == ACCEPTED
        assert w.system.time_out(shown) == Refused("not pending")
        assert w.system.deliver(delivery) == Refused("expired")
        assert w.told("A") == [(b"one", "expired")]
        assert w.balances() == [0, 0, 0]

    @answering
    def test_the_clock_of_the_receiver_counts_and_no_other(self, stack: str) -> None:
        """
        However late it is at the sender: before the deadline at the receiver a receipt is deliverable, and
        not refunded.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", deadline=3)
        w.wait("A", 9)
        w.wait("B", 2)

        assert w.system.time_out(w.absence(receipt)) == Refused("not elapsed")
        assert w.system.deliver(w.delivery(receipt)) == ACCEPTED

    @answering
    def test_names_the_first_clause_that_fails(self, stack: str) -> None:
        """
        The order of refusals is that of the model's clauses.
        """
        w = World(stack)
        received = w.send("A", "B", b"one", deadline=3)
        late, patient = w.send("A", "B", b"two", deadline=3, channel=1), w.send("A", "B", b"three")
        foreign = w.send("C", "B", b"four", deadline=3)
        assert w.system.deliver(w.delivery(received)) == ACCEPTED
        w.wait("B", 3)
        shown = w.absence(late)
        of_foreign = given_bytes(w.system.prove_absence(foreign, shown.header))
        assert w.system.prove_absence(received, shown.header) == Refused("nothing to prove")

        def refused(receipt: bytes, header: bytes, evidence: bytes) -> Outcome:
            return w.system.time_out(Delivery("A", receipt, header, evidence))

        assert refused(late, b"", shown.evidence) == Refused("untrusted header")
        assert refused(b"", shown.header, shown.evidence) == Refused("malformed")
        assert refused(late, w.final("C"), shown.evidence) == Refused("wrong source")
        assert refused(patient, shown.header, b"") == Refused("not elapsed")
        assert refused(late, shown.header, b"") == Refused("unproven")
        assert refused(received, shown.header, shown.evidence) == Refused("received")
        assert refused(foreign, shown.header, of_foreign) == Refused("wrong destination")
        assert refused(late, shown.header, shown.evidence) == ACCEPTED
        assert refused(late, shown.header, shown.evidence) == Refused("not pending")
        assert w.told("A") == [(b"two", "expired")]

    @answering
    def test_what_was_received_is_never_absent(self, stack: str) -> None:
        """
        In a header after its execution a receipt is present, also when it failed.
        """
        w = World(stack)
        receipts = [w.send("A", "B", b"%d" % i, deadline=3) for i in range(2)]
        assert w.system.deliver(w.delivery(receipts[0])) == ACCEPTED
        assert w.system.deliver_failing(w.delivery(receipts[1])) == ACCEPTED
        w.wait("B", 3)
        header = w.final("B")

        for receipt in receipts:
            assert w.system.prove_absence(receipt, header) == Refused("nothing to prove")
            evidence = given_bytes(w.system.prove_outcome(receipt, header))
            # Where channels close, evidence of absence also says whether this one is.
            reason = "unproven" if stack in CLOSABLE else "received"
            assert w.system.time_out(Delivery("A", receipt, header, evidence)) == Refused(reason)

    @answering
    def test_an_early_header_proves_nothing_of_a_late_delivery(self, stack: str) -> None:
        """
        A header from before a delivery attests the absence, and an early clock: it refunds nothing.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", deadline=3)
        early = w.absence(receipt)
        assert w.system.deliver(w.delivery(receipt)) == ACCEPTED
        w.wait("B", 3)
        w.final("B")

        assert w.system.time_out(early) == Refused("not elapsed")

    @answering
    def test_no_byte_of_an_absence_is_loose(self, stack: str) -> None:
        """
        Evidence of absence is refused whichever byte of it is changed, cut off or added.
        """
        w = World(stack)
        for number in range(4):
            assert w.system.deliver(w.delivery(w.send("A", "B", b"%d" % number))) == ACCEPTED
        receipt = w.send("A", "B", b"one", amount=7, deadline=3)
        w.wait("B", 3)
        shown = w.absence(receipt)
        honest = shown.evidence
        flipped = (
            honest[:at] + bytes([honest[at] ^ bit]) + honest[at + 1 :]
            for at in range(len(honest))
            for bit in (1, 128)
        )
        cut = (honest[:at] for at in range(len(honest)))

        for forged in (*flipped, *cut, honest + b"\x00"):
            assert w.system.time_out(evolve(shown, evidence=forged)) == Refused("unproven")
        assert w.told("A") == []
        assert w.system.time_out(shown) == ACCEPTED

    @answering
    def test_evidence_of_one_absence_is_none_of_another(self, stack: str) -> None:
        """
        That one receipt was not received says nothing of another, which was.
        """
        w = World(stack)
        received = [w.send("A", "B", b"%d" % i, deadline=3) for i in range(6)]
        for receipt in received:
            assert w.system.deliver(w.delivery(receipt)) == ACCEPTED
        absent = [w.send("A", "B", b"%d" % i, deadline=3, channel=1) for i in range(6, 12)]
        w.wait("B", 3)
        shown = [w.absence(receipt) for receipt in absent]

        for receipt in received:
            for each in shown:
                assert isinstance(w.system.time_out(evolve(each, receipt=receipt)), Refused)
        assert w.told("A") == []

    @answering
    def test_another_receipt_in_the_same_place_is_not_refunded(self, stack: str) -> None:
        """
        What was sent is what is refunded: the name of a pending receipt with another amount is not it.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", amount=7, deadline=3)
        w.wait("B", 3)
        shown = w.absence(receipt)
        richer = evolve(FullReceipt.decode(receipt), amount=700).encode()

        assert w.system.time_out(evolve(shown, receipt=richer)) == Refused("not pending")
        assert w.balances() == [-7, 0, 0]


class TestClosing:
    @closable
    def test_nothing_is_delivered_on_a_closed_channel(self, stack: str) -> None:
        """
        Closing is for good, for one channel from one source.
        """
        w = World(stack)
        closed = w.delivery(w.send("A", "B", b"one"))
        others = [w.delivery(w.send("A", "B", b"two", channel=1)), w.delivery(w.send("C", "B", b"three"))]

        assert w.system.close_channel("B", "A", 0) == ACCEPTED
        assert w.system.close_channel("B", "A", 0) == Refused("closed")
        assert w.system.deliver(closed) == Refused("closed")
        assert [w.system.deliver(each) for each in others] == [ACCEPTED, ACCEPTED]

    @closable
    def test_gives_back_what_was_under_way(self, stack: str) -> None:
        """
        What a closed channel did not receive is refunded at once, and once; what it received is not.
        """
        w = World(stack)
        received, late = w.send("A", "B", b"one", amount=1), w.send("A", "B", b"two", amount=7)
        assert w.system.deliver(w.delivery(received)) == ACCEPTED
        before = w.absence(late)
        assert w.system.close_channel("B", "A", 0) == ACCEPTED
        shown = w.absence(late)

        assert w.system.time_out_on_close(before) == Refused("not closed")
        assert w.system.time_out_on_close(evolve(before, header=shown.header)) == Refused("not closed")
        assert w.system.time_out_on_close(evolve(shown, header=before.header)) == Refused("unproven")
        assert w.system.time_out_on_close(evolve(shown, receipt=received)) == Refused("received")
        assert w.system.time_out_on_close(evolve(shown, header=b"")) == Refused("untrusted header")
        assert w.system.time_out_on_close(shown) == ACCEPTED
        assert w.system.time_out_on_close(shown) == Refused("not pending")
        assert w.told("A") == [(b"two", "expired")]
        assert w.balances() == [-1, 1, 0]

    @closable
    def test_a_closing_of_one_channel_is_none_of_another(self, stack: str) -> None:
        """
        The evidence names the channel: that another one is closed refunds nothing.
        """
        w = World(stack)
        one, two = w.send("A", "B", b"one"), w.send("A", "B", b"two", channel=1)
        assert w.system.close_channel("B", "A", 0) == ACCEPTED
        shown = w.absence(two)
        closed = given_bytes(w.system.prove_absence(one, shown.header))

        assert w.system.time_out_on_close(shown) == Refused("not closed")
        assert w.system.time_out_on_close(evolve(shown, evidence=closed)) == Refused("not closed")

    @pytest.mark.parametrize("stack", ["ibc-ordered", "everything"])
    def test_an_ordered_channel_ends_with_what_expired(self, stack: str) -> None:
        """
        After an expiry nothing is sent on the channel any more; others go on.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", deadline=1)
        w.wait("B", 1)
        assert w.system.time_out(w.absence(receipt)) == ACCEPTED

        assert w.system.send(Message("A", "B", b"two")) == Refused("ended")
        assert isinstance(w.system.send(Message("A", "B", b"two", channel=1)), bytes)
        assert isinstance(w.system.send(Message("A", "C", b"two")), bytes)
