from __future__ import annotations

from attrs import evolve

from sample_systems.quick_relayer import CLOSABLE, World, every_stack, journeys, ordered
from shardproof.adapter import ACCEPTED, Delivery, Message, Outcome, Refused
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.ledger import ENDOWMENT
from shardproof_models.shards.messaging.message import FullReceipt


def presented(honest: Delivery, part: str, changed: bytes) -> Delivery:
    """`honest` with other bytes in one place."""
    match part:
        case "receipt":
            return evolve(honest, receipt=changed)
        case "header":
            return evolve(honest, header=changed)
    return evolve(honest, evidence=changed)


class TestDeliver:
    @every_stack
    def test_moves_value_once(self, stack: str) -> None:
        """
        What the payer loses the payee gets, however often and under whatever header the receipt is shown.
        """
        w = World(stack)
        receipt = w.send("A", "B", b"one", amount=7)
        assert w.balances() == [-7, 0, 0]
        delivery = w.delivery(receipt)

        assert w.system.deliver(delivery) == ACCEPTED
        assert w.system.deliver(delivery) == Refused("consumed")
        assert w.system.reenter(w.delivery(receipt)) == Refused("consumed")
        assert w.effects("B") == [(b"one", "A")]
        assert list(w.system.announced("B", 0)) == [b"one"]
        assert w.balances() == [-7, 7, 0]

    @every_stack
    def test_a_callback_finds_its_receipt_spent(self, stack: str) -> None:
        """
        A receipt that is presented again from inside its own callback takes effect once.
        """
        w = World(stack)

        assert w.system.reenter(w.delivery(w.send("A", "B", b"one", amount=7))) == ACCEPTED
        assert w.effects("B") == [(b"one", "A")]
        assert w.balances() == [-7, 7, 0]

    @every_stack
    def test_a_failure_leaves_nothing_but_the_record(self, stack: str) -> None:
        """
        A callback that fails takes back effects, log and value, and the receipt is spent all the same.
        """
        w = World(stack)
        delivery = w.delivery(w.send("A", "B", b"one", amount=7))

        assert w.system.deliver_failing(delivery) == ACCEPTED
        assert w.system.deliver(delivery) == Refused("consumed")
        assert w.effects("B") == []
        assert not w.system.announced("B", 0)
        assert w.balances() == [-7, 0, 0]

    @every_stack
    def test_names_the_first_clause_that_fails(self, stack: str) -> None:
        """
        The order of refusals is that of the model's clauses: each line also breaks every later clause.
        """
        w = World(stack)
        delivery = w.delivery(w.send("A", "B", b"one"))
        other = w.delivery(w.send("C", "A", b"two"))
        unreadable = "malformed" if stack in ("bridge", "everything") else "unproven"
        assert w.system.deliver(delivery) == ACCEPTED

        def refused(receipt: bytes, header: bytes, evidence: bytes) -> Outcome:
            return w.system.deliver(Delivery("B", receipt, header, evidence))

        assert refused(other.receipt, b"", b"") == Refused("untrusted header")
        assert refused(b"", delivery.header, b"") == Refused(unreadable)
        assert refused(other.receipt, delivery.header, b"") == Refused("wrong source")
        assert refused(other.receipt, other.header, b"") == Refused("unproven")
        assert refused(delivery.receipt, delivery.header, other.evidence + b"\x00") == Refused("unproven")
        assert refused(other.receipt, other.header, other.evidence) == Refused("wrong destination")
        assert refused(delivery.receipt, delivery.header, delivery.evidence) == Refused("consumed")
        assert w.effects("B") == [(b"one", "A")]

    @every_stack
    def test_no_byte_of_what_is_presented_is_loose(self, stack: str) -> None:
        """
        Whichever byte of receipt, header or evidence is changed, nothing is executed, and the honest
        delivery is good afterwards. Only the certificate may be anything: trust is in the hash.
        """
        w = World(stack)
        w.send("A", "C", b"before", amount=3)
        delivery = w.delivery(w.send("A", "B", b"one", amount=7))
        certificate = len(AttestingHeader.decode(delivery.header).certificate)

        for part in ("receipt", "header", "evidence"):
            honest: bytes = getattr(delivery, part)
            loose = certificate if part == "header" else 0
            for at in range(len(honest) - loose):
                changed = honest[:at] + bytes([honest[at] ^ 1]) + honest[at + 1 :]
                assert isinstance(w.system.deliver(presented(delivery, part, changed)), Refused), (part, at)
        assert w.effects("B") == []
        assert w.system.deliver(delivery) == ACCEPTED

    @every_stack
    def test_a_forged_receipt_is_not_committed_to(self, stack: str) -> None:
        """
        Anybody can write a receipt that carries value; no evidence of another receipt proves it.
        """
        w = World(stack)
        delivery = w.delivery(w.send("A", "B", b"one"))
        forged = w.system.forge("A", "B", b"a million")

        assert FullReceipt.decode(forged).amount > 0
        assert w.system.deliver(evolve(delivery, receipt=forged)) == Refused("unproven")

    @every_stack
    def test_evidence_is_assembled_as_it_was_dissected(self, stack: str) -> None:
        """
        Taking evidence apart and putting it together again changes nothing; nonsense can be written, too.
        """
        w = World(stack)
        w.send("A", "C", b"before")
        evidence = w.delivery(w.send("A", "B", b"one")).evidence
        path = w.system.dissect(evidence)

        assert w.system.assemble(path) == evidence
        assert path.siblings == (w.system.leaf(FullReceipt("A", "C", 0, 0, b"before").encode()),)
        assert w.system.assemble(evolve(path, siblings=(bytes(32),), index=-1, count=None)) != evidence


class TestSend:
    @every_stack
    def test_the_books_follow_the_ledger(self, stack: str) -> None:
        """
        Whatever is claimed, by whichever entrance: what is credited is what was debited.
        """
        w = World(stack)
        for number, terms in enumerate(({"claimed": 500}, {"entrance": 1}, {"entrance": 2, "claimed": 0})):
            receipt = w.send("A", "B", b"%d" % number, amount=7, **terms)
            assert w.system.deliver(w.delivery(receipt)) == ACCEPTED

        assert w.balances() == [-21, 21, 0]

    @every_stack
    def test_refuses_what_it_cannot_move(self, stack: str) -> None:
        """
        An asset that does not exist, more than there is, and numbers without an encoding are refused.
        """
        w = World(stack)
        message = Message("A", "B", b"one")

        assert w.system.send(evolve(message, asset=1, amount=7)) == Refused("unknown asset")
        assert w.system.send(evolve(message, amount=ENDOWMENT + 1)) == Refused("insufficient balance")
        for amount in (-1, 1 << 64):
            refused = w.system.send(evolve(message, amount=amount))
            assert refused == Refused("a number without an encoding")
        assert isinstance(w.system.send(evolve(message, amount=ENDOWMENT)), bytes)
        assert w.balances() == [-ENDOWMENT, 0, 0]

    @every_stack
    def test_channels_are_counted_apart(self, stack: str) -> None:
        """
        A position is one of a channel: each channel to each destination counts from nothing.
        """
        w = World(stack)
        ends = [("B", 0), ("B", 0), ("B", 1), ("C", 0)]
        sent = [w.send("A", to, b"x", channel=channel) for to, channel in ends]

        assert [FullReceipt.decode(r).sequence for r in sent] == [0, 1, 0, 0]


class TestOrder:
    @ordered
    def test_takes_what_is_next(self, stack: str) -> None:
        """
        A receipt waits for those before it on its channel, and for no others.
        """
        w = World(stack)
        receipts = [w.send("A", "B", b"%d" % i) for i in range(2)]
        header = w.final("A")
        first, second = (w.delivery(receipt, header) for receipt in receipts)

        assert w.system.deliver(second) == Refused("out of order")
        assert w.system.deliver(w.delivery(w.send("A", "B", b"2", channel=1))) == ACCEPTED
        assert w.system.deliver(first) == ACCEPTED
        assert w.system.deliver(second) == ACCEPTED

    @ordered
    def test_a_failure_holds_nothing_up(self, stack: str) -> None:
        """
        A receipt whose callback failed was dealt with: the next one is next.
        """
        w = World(stack)
        receipts = [w.send("A", "B", b"%d" % i) for i in range(2)]

        assert w.system.deliver_failing(w.delivery(receipts[0])) == ACCEPTED
        assert w.system.deliver(w.delivery(receipts[1])) == ACCEPTED

    @ordered
    def test_names_the_first_clause_that_fails(self, stack: str) -> None:
        """
        Too late comes before out of order, and that before closed.
        """
        w = World(stack)
        w.send("A", "B", b"zero")
        late, early = w.send("A", "B", b"one", deadline=1), w.send("A", "B", b"two")
        if stack in CLOSABLE:
            w.system.close_channel("B", "A", 0)
        w.wait("B", 1)

        assert w.system.deliver(w.delivery(late)) == Refused("expired")
        assert w.system.deliver(w.delivery(early)) == Refused("out of order")

    def test_goes_on_past_what_expired(self) -> None:
        """
        Skipped in its turn, a receipt has no effect, its sender is refunded, and the next one is executed.
        """
        w = World("ibc-allow-timeout")
        first, late, last = (
            w.send("A", "B", b"%d" % i, amount=7, deadline=d) for i, d in enumerate((9, 2, 9))
        )
        skipped = w.delivery(late)
        assert w.system.skip(skipped) == Refused("not expired")
        w.wait("B", 2)

        assert w.system.skip(skipped) == Refused("out of order")
        assert w.system.deliver(w.delivery(first)) == ACCEPTED
        assert w.system.skip(evolve(skipped, header=b"")) == Refused("untrusted header")
        assert w.system.skip(evolve(skipped, evidence=b"")) == Refused("unproven")
        assert w.system.skip(skipped) == ACCEPTED
        assert w.system.skip(skipped) == w.system.deliver(skipped) == Refused("consumed")
        assert w.system.deliver(w.delivery(last)) == ACCEPTED
        assert w.system.prove_outcome(late, w.final("B")) == Refused("nothing to prove")
        assert w.system.time_out(w.absence(late)) == ACCEPTED
        assert w.effects("B") == [(b"0", "A"), (b"2", "A")]
        assert w.told("A") == [(b"1", "expired")]
        assert w.balances() == [-14, 14, 0]


class TestNesting:
    @journeys
    def test_each_frame_knows_who_called_it(self, stack: str) -> None:
        """
        After another callback has run within it, a callback still acts in the name of its own sender.
        """
        w = World(stack)
        outer, inner = w.delivery(w.send("A", "B", b"outer")), w.delivery(w.send("C", "B", b"inner"))

        assert w.system.nest(outer, inner) == ACCEPTED
        assert w.effects("B") == [(b"inner", "C"), (b"outer", "A")]

    @journeys
    def test_what_is_refused_within_disturbs_nobody(self, stack: str) -> None:
        """
        An inner delivery that is refused leaves the outer one as it was; a refused outer one runs nothing.
        """
        w = World(stack)
        outer, inner = w.delivery(w.send("A", "B", b"outer")), w.delivery(w.send("C", "B", b"inner"))

        assert w.system.nest(outer, evolve(inner, evidence=b"")) == ACCEPTED
        assert w.system.nest(outer, inner) == Refused("consumed")
        assert w.effects("B") == [(b"outer", "A")]
        assert w.system.deliver(inner) == ACCEPTED
