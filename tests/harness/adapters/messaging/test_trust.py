from __future__ import annotations

import pytest
from attrs import evolve

from sample_systems.quick_relayer import ORDERED, World, given_bytes, trusting
from shardproof.adapter import ACCEPTED, Delivery, Outcome, Refused
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.messenger import Messenger
from shardproof_models.shards.messaging.optimistic import WINDOW
from shardproof_models.shards.messaging.validators import Certificate


class TestTrust:
    @trusting
    def test_believes_validators_as_they_hand_over(self, stack: str) -> None:
        """
        Each set is announced by the one before it; headers of a set that was not announced are not believed.
        """
        w = World(stack)
        announcing = w.final("A")
        w.system.rotate("A")
        header = given_bytes(w.system.finalise("A", given_bytes(w.system.produce("A"))))

        assert w.system.learn("B", header) == Refused("unknown validators")
        assert w.system.learn_validators("B", header) == Refused("untrusted header")
        assert w.system.learn_validators("B", announcing) == ACCEPTED
        assert w.system.learn("B", header) == ACCEPTED

    @trusting
    def test_old_validators_are_believed_for_a_while(self, stack: str) -> None:
        """
        Within the trusting period a header of the former set is good, after it never, whoever has the keys.
        """
        w = World(stack)
        old = given_bytes(w.system.finalise("A", given_bytes(w.system.produce("A"))))
        w.system.rotate("A")
        assert w.system.learn("B", old) == ACCEPTED
        w.system.rotate("A")

        assert w.system.learn("C", old) == Refused("trust expired")
        assert w.system.learn("B", old) == Refused("trust expired")
        receipt = w.system.forge("A", "B", b"forged")
        header, _ = w.system.forge_header("A", receipt, 2)
        assert AttestingHeader.decode(header).certificate
        assert w.system.learn("B", header) == Refused("trust expired")

    @trusting
    @pytest.mark.parametrize(
        "how, reason", [(0, "too few signatures"), (1, "unknown validators"), (2, "too few signatures")]
    )
    def test_refuses_what_an_adversary_signs(self, stack: str, how: int, reason: str) -> None:
        """
        Nobody's signature, and that of validators who were never elected, make no header; while no keys
        have leaked, the adversary has none.
        """
        w = World(stack)
        receipt = w.system.forge("A", "B", b"forged")
        header, evidence = w.system.forge_header("A", receipt, how)

        assert w.system.learn("B", header) == Refused(reason)
        assert w.system.deliver(Delivery("B", receipt, header, evidence)) == Refused("untrusted header")

    @trusting
    def test_a_forged_header_is_as_good_as_an_honest_one_but_for_the_signatures(self, stack: str) -> None:
        """
        Otherwise a light client that believes too much would never be caught: here it is made to.
        """
        w = World(stack)
        receipt = w.system.forge("A", "B", b"forged")
        header, evidence = w.system.forge_header("A", receipt, 0)
        w.system.at("B", Messenger).learned[AttestingHeader.decode(header).hash] = True

        assert w.system.deliver(Delivery("B", receipt, header, evidence)) == (
            Refused("out of order") if stack in ORDERED else ACCEPTED
        )

    @trusting
    def test_signatures_are_counted(self, stack: str) -> None:
        """
        Two of four are too few, one three times is one, and three are enough.
        """
        w = World(stack)
        header = AttestingHeader.decode(
            given_bytes(w.system.finalise("A", given_bytes(w.system.produce("A"))))
        )
        whole = Certificate.decode(header.certificate)
        first, second, third = whole.signatures

        def learned(*signatures: tuple[int, bytes]) -> Outcome:
            certificate = evolve(whole, signatures=signatures).encode()
            return w.system.learn("B", header.certified(certificate).encode())

        assert learned(first, second) == Refused("too few signatures")
        assert learned(first, first, first) == Refused("too few signatures")
        assert learned(first, second, (3, third[1])) == Refused("too few signatures")
        assert learned(first, second, (9, third[1])) == Refused("too few signatures")
        assert learned(first, second, third) == ACCEPTED

    @trusting
    def test_is_set_up_once_and_upgraded_without_loss(self, stack: str) -> None:
        """
        Nobody sets up a light client again, neither before nor after an upgrade, and a takeover is a payload.
        """
        w = World(stack)
        receipt = w.system.forge("A", "B", b"forged")
        assert w.system.initialise("B", "A") == Refused("already initialised")
        assert w.system.deliver(w.delivery(w.send("A", "B", w.system.takeover()))) == ACCEPTED
        w.system.upgrade("B")
        w.system.restart("B")

        assert w.system.initialise("B", "A") == Refused("already initialised")
        for how in range(3):
            assert isinstance(w.system.learn("B", w.system.forge_header("A", receipt, how)[0]), Refused)
        assert w.system.deliver(w.delivery(w.send("A", "B", b"two"))) == ACCEPTED

    @trusting
    def test_an_upgrade_forgets_nothing(self, stack: str) -> None:
        """
        What was spent before a new version was installed is spent after it.
        """
        w = World(stack)
        delivery = w.delivery(w.send("A", "B", b"one"))
        assert w.system.deliver(delivery) == ACCEPTED
        w.system.upgrade("B")

        assert w.system.deliver(delivery) == Refused("consumed")

    @trusting
    def test_produced_is_not_final(self, stack: str) -> None:
        """
        A block that nobody has signed yet is refused, and so is a final one without its certificate.
        """
        w = World(stack)
        block = given_bytes(w.system.produce("A"))
        final = AttestingHeader.decode(given_bytes(w.system.finalise("A", block)))

        assert w.system.learn("B", block) == Refused("too few signatures")
        assert w.system.learn("B", final.certified(b"").encode()) == Refused("too few signatures")
        assert w.system.learn("B", b"") == Refused("malformed")
        assert w.system.learn("B", final.encode()) == ACCEPTED


class TestOptimistic:
    def test_believes_what_nobody_has_challenged(self) -> None:
        """
        A claim is believed once the window is over, by the clock of who is to believe it.
        """
        w = World("optimistic-bridge")
        header = given_bytes(w.system.finalise("A", given_bytes(w.system.produce("A"))))

        assert w.system.learn("B", header) == Refused("not claimed")
        assert w.system.claim("B", header) == ACCEPTED
        assert w.system.claim("B", header) == Refused("already claimed")
        w.wait("B", WINDOW - 1)
        assert w.system.learn("B", header) == Refused("the window is open")
        assert w.system.challenge("B", header) == Refused("final")
        w.wait("B", 1)
        assert w.system.learn("B", header) == ACCEPTED
        assert w.system.learn("C", header) == Refused("not claimed")

    def test_a_false_claim_is_challenged(self) -> None:
        """
        A header that nobody produced, or that is not final, can be claimed, and be shown to be false.
        """
        w = World("optimistic-bridge")
        receipt = w.system.forge("A", "B", b"forged")
        forged, evidence = w.system.forge_header("A", receipt, 0)
        for header in (forged, given_bytes(w.system.produce("A"))):
            assert w.system.challenge("B", header) == Refused("not claimed")
            assert w.system.claim("B", header) == ACCEPTED
            assert w.system.challenge("B", header) == ACCEPTED
            assert w.system.challenge("B", header) == Refused("challenged")
            w.wait("B", WINDOW)
            assert w.system.learn("B", header) == Refused("challenged")
        assert w.system.deliver(Delivery("B", receipt, forged, evidence)) == Refused("untrusted header")
        assert w.system.claim("B", b"") == w.system.challenge("B", b"") == Refused("malformed")

    def test_without_a_watcher_anything_is_believed(self) -> None:
        """
        That is the assumption, and a forged header shows what it is worth.
        """
        w = World("optimistic-bridge")
        receipt = w.system.forge("A", "B", b"forged")
        forged, evidence = w.system.forge_header("A", receipt, 0)
        w.system.claim("B", forged)
        w.wait("B", WINDOW)

        assert w.system.learn("B", forged) == ACCEPTED
        assert w.system.deliver(Delivery("B", receipt, forged, evidence)) == ACCEPTED
