from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from attrs import evolve

from sample_systems.honest_relayer import emitted, honest, opened, produced, proved
from shardproof.adapter import (
    ACCEPTED,
    Adapter,
    Delivery,
    Execution,
    Outcome,
    Refused,
    Topology,
    capabilities,
)
from shardproof.adapters.evm.extras import keccak
from shardproof.adapters.evm.shards import FIRST_CHAIN
from shardproof.adapters.evm.signer import Signer
from shardproof.adapters.hyperlane import (
    Checkpoint,
    HyperlaneAdapter,
    NoopIsmAdapter,
    ReorgPeriodAdapter,
    checkpoint_digest,
    validators,
    variant,
)
from shardproof.engines.tour import Plan, tour
from shardproof.errors import AdapterError, UsageError
from shardproof.loading import load
from shardproof.verdict import Report, Verdict

pytestmark = pytest.mark.needs("hyperlane-core")

#: The order of the group of secp256k1 (SEC 2, section 2.4.1).
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

UNFIT = Refused("!threshold")
DELIVERED = Refused("Mailbox: already delivered")


@pytest.fixture
def system() -> Iterator[HyperlaneAdapter]:
    yield from opened(HyperlaneAdapter)


def signed_by(system: HyperlaneAdapter, header: bytes, signers: Sequence[Signer]) -> bytes:
    """The checkpoint of A that `header` is, with the signatures of `signers`."""
    shard, checkpoint = system.shards["A"], Checkpoint.of(header)
    index = int.from_bytes(checkpoint.index)
    root = shard.tree.root(index + 1)
    digest = checkpoint_digest(FIRST_CHAIN, checkpoint.hook, root, index, checkpoint.message_id)
    return evolve(checkpoint, signatures=b"".join(signer.sign(digest) for signer in signers)).encoded()


class TestHonestTraffic:
    def test_is_executed_once_in_the_name_of_its_source(self, system: HyperlaneAdapter) -> None:
        """
        What A sends to B takes effect at B, and nowhere else; a second delivery is refused.
        """
        delivery = honest(system, b"\x00 not text \xff")

        first, second = system.deliver(delivery), system.deliver(delivery)

        assert (first, second) == (ACCEPTED, DELIVERED)
        assert [list(system.executed(shard, 0)) for shard in "ABC"] == [
            [],
            [Execution(b"\x00 not text \xff", "A")],
            [],
        ]

    def test_may_arrive_in_any_order_and_under_any_later_checkpoint(self, system: HyperlaneAdapter) -> None:
        """
        A mailbox keeps no order, and a newer checkpoint proves older messages too.
        """
        receipts = [emitted(system, "A", "B", b"%d" % i) for i in range(3)]
        early = produced(system, "A")
        emitted(system, "A", "C", b"more")
        late = produced(system, "A")

        outcomes = [
            system.deliver(proved(system, "B", receipts[i], header))
            for i, header in ((2, late), (0, early), (1, late), (0, late))
        ]

        assert outcomes == [ACCEPTED, ACCEPTED, ACCEPTED, DELIVERED]
        assert [e.payload for e in system.executed("B", 0)] == [b"2", b"0", b"1"]
        assert [e.payload for e in system.executed("B", 2)] == [b"1"]

    def test_flows_between_allshards_and_within_one(self, system: HyperlaneAdapter) -> None:
        """
        Every ordered pair of shards is a channel, a shard and itself among them.
        """
        for source in "ABC":
            receipts = {to: emitted(system, source, to, f"{source}{to}".encode()) for to in "ABC"}
            header = produced(system, source)
            for to, receipt in receipts.items():
                assert system.deliver(proved(system, to, receipt, header)) == ACCEPTED

        assert {to: [(e.source, e.payload) for e in system.executed(to, 0)] for to in "ABC"} == {
            to: [(source, f"{source}{to}".encode()) for source in "ABC"] for to in "ABC"
        }

    @pytest.mark.parametrize("payload", [b"", b"\0", b"x" * 31, b"x" * 32, b"x" * 5_000])
    def test_carries_payloads_of_any_length(self, system: HyperlaneAdapter, payload: bytes) -> None:
        """
        A payload comes out as it went in.
        """
        system.deliver(honest(system, payload))

        assert system.executed("B", 0) == [Execution(payload, "A")]

    def test_takes_any_two_validators(self, system: HyperlaneAdapter) -> None:
        """
        Each pair of the three, in their order, certifies a checkpoint.
        """
        pairs = set()
        for i in range(3):
            delivery = proved(system, "B", emitted(system, "A", "B", b"%d" % i), produced(system, "A"))
            pairs.add(
                tuple(
                    j
                    for j, v in enumerate(validators())
                    if signed_by(system, delivery.header, [v])[:65] in delivery.header
                )
            )
            assert system.deliver(delivery) == ACCEPTED

        assert pairs == {(0, 1), (0, 2), (1, 2)}


class TestCommitment:
    def test_has_the_root_of_the_contract(self, system: HyperlaneAdapter) -> None:
        """
        The tree that we keep beside the chain has the hook's root and count after every message.
        """
        shard = system.shards["A"]
        for i in range(40):
            emitted(system, "A", "BC"[i % 2], b"%d" % i)
            assert (shard.tree.root(i + 1), i + 1) == (shard.hook.call("root"), shard.hook.call("count"))

    def test_comes_apart_and_together_again(self, system: HyperlaneAdapter) -> None:
        """
        Dissecting and assembling evidence are inverse, and its path climbs from leaf to root.
        """
        delivery = honest(system)

        path = system.dissect(delivery.evidence)
        node = system.leaf(delivery.receipt)
        for height, sibling in enumerate(path.siblings):
            node = keccak(sibling + node if path.index >> height & 1 else node + sibling)

        assert system.assemble(path) == delivery.evidence
        assert (path.index, path.count, len(path.siblings)) == (2, None, 32)
        assert node == system.shards["A"].hook.call("root")

    def test_assembles_senseless_paths_too(self, system: HyperlaneAdapter) -> None:
        """
        The adversary gets bytes for any path, and the contracts refuse them.
        """
        delivery = honest(system)
        path = system.dissect(delivery.evidence)

        for senseless in (
            evolve(path, index=-1),
            evolve(path, index=1 << 40),
            evolve(path, siblings=()),
            evolve(path, siblings=(b"short", *path.siblings)),
        ):
            evidence = system.assemble(senseless)
            assert isinstance(system.deliver(evolve(delivery, evidence=evidence)), Refused)

        assert system.deliver(delivery) == ACCEPTED


class TestProduce:
    def test_refuses_where_there_is_nothing_to_certify(self, system: HyperlaneAdapter) -> None:
        """
        No checkpoint of an empty tree, and no second one of the same.
        """
        empty = system.produce("A")
        emitted(system, "A", "B", b"x")
        first, second = produced(system, "A"), system.produce("A")
        emitted(system, "A", "B", b"y")

        assert empty == Refused("nothing was ever dispatched")
        assert second == Refused("nothing new to certify")
        assert produced(system, "A") != first


class TestProve:
    def test_refuses_what_a_header_does_not_commit_to(self, system: HyperlaneAdapter) -> None:
        """
        Honest evidence exists only for a message under a checkpoint, of its chain, that covers it.
        """
        receipt = emitted(system, "A", "B", b"x")
        header = produced(system, "A")
        late = emitted(system, "A", "B", b"y")
        emitted(system, "B", "A", b"z")
        foreign = produced(system, "B")

        never = Refused("this message was never dispatched")
        stranger = Refused("this is no checkpoint of the chain that dispatched the message")
        assert system.prove(late, header) == Refused("this checkpoint is older than the message")
        assert system.prove(receipt, foreign) == stranger
        for damaged in (b"", header[:-1], header + b"\0", header[:-1] + bytes([header[-1] ^ 1])):
            assert system.prove(receipt, damaged) == stranger
        unsigned = evolve(Checkpoint.of(header), index=(1).to_bytes(4), message_id=system.leaf(late))
        assert system.prove(receipt, unsigned.encoded()) == stranger
        for unknown in (b"", receipt[:-1], receipt + b"\0", system.forge("A", "B", b"x"), b"\xff" * 90):
            assert system.prove(unknown, header) == never


class TestAdversary:
    def test_gets_no_message_executed_on_evidence_of_another(self, system: HyperlaneAdapter) -> None:
        """
        Evidence belongs to one message.
        """
        delivery = honest(system)
        other = emitted(system, "A", "B", b"not certified")

        assert system.deliver(evolve(delivery, receipt=other)) == UNFIT
        assert system.deliver(delivery) == ACCEPTED

    def test_cannot_change_a_byte_of_the_message(self, system: HyperlaneAdapter) -> None:
        """
        Version, nonce, origin, sender, destination, recipient and body are all under the proof.
        """
        delivery = honest(system)

        for i in range(len(delivery.receipt)):
            changed = flipped(delivery.receipt, i)
            assert isinstance(system.deliver(evolve(delivery, receipt=changed)), Refused), i

        assert system.deliver(delivery) == ACCEPTED
        assert len(system.executed("B", 0)) == 1

    @pytest.mark.parametrize("part", ["header", "evidence"])
    def test_cannot_change_a_byte_of_header_or_evidence(self, system: HyperlaneAdapter, part: str) -> None:
        """
        Every byte is read: one bit flipped in any of them, and the delivery is refused.
        """
        delivery = honest(system)
        data: bytes = getattr(delivery, part)

        for i in range(len(data)):
            assert isinstance(system.deliver(replaced(delivery, part, flipped(data, i))), Refused), i

        assert system.deliver(delivery) == ACCEPTED

    @pytest.mark.parametrize("part", ["receipt", "header", "evidence"])
    def test_gets_nowhere_by_cutting_extending_or_emptying(self, system: HyperlaneAdapter, part: str) -> None:
        """
        Bytes of a wrong length are refused by the contracts, and nothing is raised.
        """
        delivery = honest(system)
        data: bytes = getattr(delivery, part)

        for wrong in (
            *(data[:length] for length in range(0, len(data), 13)),
            data[:-1],
            data[1:],
            data + b"\0",
            data + b"\xff" * 65,
            b"\0" + data,
            data + data,
            bytes(len(data)),
            b"\xff" * len(data),
        ):
            assert isinstance(system.deliver(replaced(delivery, part, wrong)), Refused)

        assert system.deliver(delivery) == ACCEPTED

    def test_is_refused_and_never_raises_with_random_bytes(self, system: HyperlaneAdapter) -> None:
        """
        Whatever is presented, the answer is an outcome.
        """
        choose = random.Random(2)
        delivery = honest(system)
        parts = [delivery.receipt, delivery.header, delivery.evidence, b""]

        for _ in range(300):
            a, b, c = (choose.choice([*parts, choose.randbytes(choose.randrange(2_000))]) for _ in range(3))
            if (a, b, c) != (delivery.receipt, delivery.header, delivery.evidence):
                assert isinstance(system.deliver(Delivery("B", a, b, c)), Refused)

        assert system.deliver(delivery) == ACCEPTED

    def test_cannot_let_one_validator_sign_twice(self, system: HyperlaneAdapter) -> None:
        """
        Two signatures are two validators, in their order.
        """
        delivery = honest(system)
        first, second, _ = validators()

        for signers in ((first, first), (second, second), (second, first), (first,)):
            header = signed_by(system, delivery.header, signers)
            assert isinstance(system.deliver(evolve(delivery, header=header)), Refused)

        fit = signed_by(system, delivery.header, (first, second))
        assert system.deliver(evolve(delivery, header=fit)) == ACCEPTED

    def test_cannot_sign_as_an_outsider(self, system: HyperlaneAdapter) -> None:
        """
        A signature of somebody else counts for nothing, also beside one that counts.
        """
        delivery = honest(system)
        outsiders = [Signer.named(b"outsider %d" % i) for i in range(2)]

        for signers in (outsiders, [validators()[0], outsiders[0]], [outsiders[0], validators()[2]]):
            header = signed_by(system, delivery.header, signers)
            assert system.deliver(evolve(delivery, header=header)) == UNFIT

    def test_cannot_use_the_other_form_of_a_signature(self, system: HyperlaneAdapter) -> None:
        """
        For each signature there is a second one, with s negated; it is not taken (EIP-2).
        """
        delivery = honest(system)
        r, s, v = delivery.header[:32], int.from_bytes(delivery.header[32:64]), delivery.header[64]
        twin = r + (CURVE_ORDER - s).to_bytes(32) + bytes([27 + 28 - v])

        outcome = system.deliver(evolve(delivery, header=twin + delivery.header[65:]))

        assert outcome == Refused("ECDSA: invalid signature 's' value")
        assert system.deliver(delivery) == ACCEPTED

    def test_cannot_deliver_to_another_chain(self, system: HyperlaneAdapter) -> None:
        """
        A message is for one destination, although the contracts have the same addresses everywhere.
        """
        delivery = honest(system)

        for shard in "AC":
            wrong = system.deliver(evolve(delivery, destination=shard))
            assert wrong == Refused("Mailbox: unexpected destination")

        assert system.shards["B"].recipient.address == system.shards["C"].recipient.address
        assert system.deliver(delivery) == ACCEPTED

    def test_cannot_use_a_checkpoint_of_another_chain(self, system: HyperlaneAdapter) -> None:
        """
        Validators sign for one chain: a message of A is not proved by a checkpoint of C.
        """
        delivery = honest(system, others=0)
        emitted(system, "C", "B", b"payload")
        foreign = produced(system, "C")

        assert system.deliver(evolve(delivery, header=foreign)) == UNFIT

    def test_cannot_write_a_message_of_its_own(self, system: HyperlaneAdapter) -> None:
        """
        A forged message is well formed, was never dispatched, and is refused for want of proof alone.
        """
        delivery = honest(system)
        forged = system.forge("A", "B", b"mint")

        assert forged[9:77] == delivery.receipt[9:77]
        assert system.deliver(evolve(delivery, receipt=forged)) == UNFIT
        assert system.executed("B", 0) == []


def replaced(delivery: Delivery, part: str, data: bytes) -> Delivery:
    fields = {name: getattr(delivery, name) for name in ("receipt", "header", "evidence")}
    return Delivery(delivery.destination, **(fields | {part: data}))


def flipped(data: bytes, i: int) -> bytes:
    return data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :]


class TestSnapshots:
    def test_return_everything_at_any_time(self, system: HyperlaneAdapter) -> None:
        """
        Trees, deliveries, effects and what was certified are those of the snapshot, in any order.
        """
        delivery = honest(system)
        before = system.snapshot()
        system.deliver(delivery)
        late = emitted(system, "A", "C", b"late")
        after = system.snapshot()
        header = produced(system, "A")

        system.restore(before)
        at_before = (system.executed("B", 0), system.prove(late, header), system.deliver(delivery))
        system.restore(after)
        at_after = (system.executed("B", 0), system.produce("A"), system.deliver(delivery))
        system.restore(before)
        again = (system.executed("B", 0), system.emit("A", "C", b"late"), system.deliver(delivery))

        assert at_before == ([], Refused("this message was never dispatched"), ACCEPTED)
        assert at_after == ([Execution(b"payload", "A")], header, DELIVERED)
        assert again == ([], late, ACCEPTED)

    def test_of_other_chains_are_refused(self, system: HyperlaneAdapter) -> None:
        """
        A snapshot means nothing to chains that it was not taken of.
        """
        token = system.snapshot()
        system.open(Topology.of(2))

        with pytest.raises(AdapterError, match="belongs to other chains"):
            system.restore(token)


class TestOpen:
    def test_starts_from_nothing_with_the_same_answers(self, system: HyperlaneAdapter) -> None:
        """
        Opening again, with as many shards or others, gives what a new adapter would.
        """
        first = honest(system)
        system.deliver(first)
        system.open(Topology.of(3))
        second = honest(system)
        empty = list(system.executed("B", 0))
        system.open(Topology(("X", "B", "A", "C")))
        renamed = emitted(system, "A", "B", b"x")

        assert (second, empty) == (first, [])
        assert int.from_bytes(renamed[5:9]) == FIRST_CHAIN + 2

    def test_may_follow_close_and_close_may_come_twice(self) -> None:
        """
        Closing lets go of everything, at any time.
        """
        adapter = HyperlaneAdapter()
        adapter.close()
        adapter.open(Topology.of(2))
        adapter.close()
        adapter.close()
        adapter.open(Topology.of(2))

        assert adapter.deliver(honest_between_two(adapter)) == ACCEPTED


def honest_between_two(system: Adapter) -> Delivery:
    return proved(system, "B", emitted(system, "A", "B", b"x"), produced(system, "A"))


class TestVariants:
    def test_are_loaded_by_name(self) -> None:
        """
        The seam knows both, and says what is near to a third.
        """
        assert [load(f"hyperlane{name}") for name in ("", ":noop-ism", ":reorg-period")] == [
            HyperlaneAdapter,
            NoopIsmAdapter,
            ReorgPeriodAdapter,
        ]
        with pytest.raises(UsageError, match="no variant 'noop-ims'") as caught:
            variant("noop-ims")
        assert dict(caught.value.facts)["help"] == "did you mean 'noop-ism'?"

    def test_certify_themselves(self) -> None:
        """
        There is no light client to teach, nothing to finalise or revert, and no callback to re-enter.
        """
        able = {"forge", "dissect", "assemble", "leaf", "snapshot", "restore"}

        assert capabilities(HyperlaneAdapter()) == able

    def test_noop_ism_executes_what_was_never_committed(self) -> None:
        """
        With a module that accepts everything, a message nobody sent is executed, once.
        """
        adapter = NoopIsmAdapter()
        adapter.open(Topology.of(2))
        forged = Delivery("B", adapter.forge("A", "B", b"mint"), b"", b"")

        outcomes = [adapter.deliver(forged), adapter.deliver(forged)]

        assert outcomes == [ACCEPTED, DELIVERED]
        assert adapter.executed("B", 0) == [Execution(b"mint", "A")]

    def test_noop_ism_tells_an_origin_that_is_nobody(self) -> None:
        """
        A message in the name of a domain that no shard has is reported under that domain.
        """
        adapter = NoopIsmAdapter()
        adapter.open(Topology.of(2))
        forged = adapter.forge("A", "B", b"mint")
        nobody = forged[:5] + (77).to_bytes(4) + forged[9:]

        adapter.deliver(Delivery("B", nobody, b"", b""))

        assert adapter.executed("B", 0) == [Execution(b"mint", "domain 77")]


@pytest.fixture
def waiting() -> Iterator[ReorgPeriodAdapter]:
    """Two chains that may drop their newest blocks."""
    yield from opened(ReorgPeriodAdapter, 2)


def final(system: Adapter, shard: str, header: bytes) -> bytes:
    certified = system.finalise(shard, header)
    assert isinstance(certified, bytes)
    return certified


class TestReorgPeriod:
    def test_a_checkpoint_is_signed_once_its_block_is_final(self, waiting: ReorgPeriodAdapter) -> None:
        """Before, nobody can deliver on it, although it commits to the message."""
        receipt = emitted(waiting, "A", "B", b"x")
        header = produced(waiting, "A")
        early = waiting.deliver(proved(waiting, "B", receipt, header))
        certified = final(waiting, "A", header)

        late = waiting.deliver(proved(waiting, "B", receipt, certified))

        assert isinstance(early, Refused)
        assert late == ACCEPTED

    def test_blocks_are_final_in_order_and_for_good(self, waiting: ReorgPeriodAdapter) -> None:
        """A parent first; and what is final is not dropped, nor certified twice."""
        emitted(waiting, "A", "B", b"1")
        first = produced(waiting, "A")
        emitted(waiting, "A", "B", b"2")
        second = produced(waiting, "A")

        assert waiting.finalise("A", second) == Refused("its parent is not final")
        final(waiting, "A", first)
        for again in (waiting.finalise("A", first), waiting.revert("A", first)):
            assert again == Refused("this is no block that may still be dropped")
        final(waiting, "A", second)

    def test_a_dropped_block_takes_with_it_what_was_sent_and_delivered(
        self, waiting: ReorgPeriodAdapter
    ) -> None:
        """Messages, effects and the record of what was delivered: all of it is as its parent left it."""
        receipt = emitted(waiting, "A", "B", b"x")
        delivery = proved(waiting, "B", receipt, final(waiting, "A", produced(waiting, "A")))
        emitted(waiting, "B", "A", b"kept")
        kept = produced(waiting, "B")
        assert waiting.deliver(delivery) == ACCEPTED
        gone = emitted(waiting, "B", "A", b"gone")
        dropped = produced(waiting, "B")

        assert waiting.revert("B", dropped) == ACCEPTED

        assert list(waiting.executed("B", 0)) == []
        assert isinstance(waiting.prove(gone, dropped), Refused)
        assert waiting.deliver(delivery) == ACCEPTED
        final(waiting, "B", kept)

    def test_a_dropped_parent_takes_its_children_with_it(self, waiting: ReorgPeriodAdapter) -> None:
        """And the first block of all leads back to the beginning."""
        emitted(waiting, "A", "B", b"1")
        first = produced(waiting, "A")
        emitted(waiting, "A", "B", b"2")
        second = produced(waiting, "A")

        assert waiting.revert("A", first) == ACCEPTED

        assert isinstance(waiting.finalise("A", second), Refused)
        assert waiting.produce("A") == Refused("nothing new in this block")

    def test_a_snapshot_knows_which_blocks_may_be_dropped(self, waiting: ReorgPeriodAdapter) -> None:
        """Whatever has been made final, or dropped, since."""
        emitted(waiting, "A", "B", b"1")
        header = produced(waiting, "A")
        token = waiting.snapshot()
        certified = final(waiting, "A", header)
        waiting.restore(token)
        assert waiting.revert("A", header) == ACCEPTED
        waiting.restore(token)

        assert final(waiting, "A", header) == certified

    @pytest.mark.heavy
    def test_every_transition_is_exercised_reorganisations_included(self) -> None:
        """A tour of two shards, two receipts and a block each, by the contracts themselves."""
        report = _toured(ReorgPeriodAdapter)

        assert report.verdict is Verdict.HOLDS
        assert report.work["exercised"] == report.work["transitions"]
        assert dict(report.tables["transitions exercised"])["revert"] == "16 of 16"

    @pytest.mark.heavy
    def test_a_chain_that_drops_a_block_and_keeps_its_effects_is_found(self) -> None:
        """What a dropped block has sent and executed must go with it."""

        class Keeping(ReorgPeriodAdapter):
            """Drops the block, and nothing that was in it."""

            def revert(self, shard: str, header: bytes) -> Outcome:
                kept = self.shards[shard].chain.snapshot()
                outcome = super().revert(shard, header)
                self.shards[shard].chain.restore(kept)
                return outcome

        assert _toured(Keeping).verdict is Verdict.VIOLATED


def _toured(make: type[ReorgPeriodAdapter]) -> Report:
    scope = {"shards": 2, "receipts": 2, "headers": 1}
    return tour(make, "it", Plan(scope, alone=True), clock=lambda: 0.0)
