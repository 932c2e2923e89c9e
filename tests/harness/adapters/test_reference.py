from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from shardproof.adapter import (
    ACCEPTED,
    Accepted,
    Adapter,
    Delivery,
    Execution,
    Path,
    Refused,
    Topology,
    capabilities,
)
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adapters.watermark import WatermarkAdapter
from shardproof.loading import load
from shardproof_models.shards.header import Header
from shardproof_models.shards.receipt import Receipt

SHARDS = Topology.of(3)
CORRECT = (ReferenceAdapter, WatermarkAdapter)


def opened(adapter: Adapter) -> Adapter:
    adapter.open(SHARDS)
    return adapter


def given_bytes(answer: bytes | Refused) -> bytes:
    assert isinstance(answer, bytes), answer
    return answer


def sent(system: Adapter, payload: bytes, source: str = "A", destination: str = "B") -> Delivery:
    """A receipt that is final at its source, on a header that its destination has learned."""
    receipt = given_bytes(system.emit(source, destination, payload))
    header = given_bytes(system.finalise(source, given_bytes(system.produce(source))))
    assert system.learn(destination, header) == ACCEPTED
    return Delivery(destination, receipt, header, given_bytes(system.prove(receipt, header)))


@pytest.fixture(params=CORRECT, ids=lambda kind: kind.name)
def system(request: pytest.FixtureRequest) -> Adapter:
    return opened(request.param())


class TestBothCorrectSystems:
    def test_executes_what_was_sent(self, system: Adapter) -> None:
        """
        Payload and source arrive, at the destination and nowhere else.
        """
        assert system.deliver(sent(system, b"one")) == ACCEPTED
        assert system.deliver(sent(system, b"two", source="C")) == ACCEPTED

        assert list(system.executed("B", 0)) == [Execution(b"one", "A"), Execution(b"two", "C")]
        assert list(system.executed("B", 1)) == [Execution(b"two", "C")]
        assert not system.executed("A", 0)

    def test_executes_once_in_any_order(self, system: Adapter) -> None:
        """
        Receipts may come in any order, and come again; each takes effect once.
        """
        deliveries = [sent(system, b"%d" % i) for i in range(4)]

        for i in (2, 0, 3, 1):
            assert system.deliver(deliveries[i]) == ACCEPTED
        assert [system.deliver(d) for d in deliveries] == [Refused("consumed")] * 4
        assert list(system.executed("B", 0)) == [Execution(b"%d" % i, "A") for i in (2, 0, 3, 1)]

    def test_names_the_first_clause_that_fails(self, system: Adapter) -> None:
        """
        The order of refusals is the order of the model's clauses.
        """
        honest = sent(system, b"one")
        elsewhere = sent(system, b"two", source="C", destination="A")
        assert system.learn("B", elsewhere.header) == ACCEPTED
        forged = system.forge("A", "B", b"three")
        assert system.deliver(honest) == ACCEPTED

        assert [
            system.deliver(Delivery("B", forged, b"", b"")),
            system.deliver(Delivery("C", honest.receipt, honest.header, honest.evidence)),
            system.deliver(Delivery("B", elsewhere.receipt, honest.header, b"")),
            system.deliver(Delivery("B", forged, honest.header, honest.evidence)),
            system.deliver(Delivery("B", b"", honest.header, honest.evidence)),
            system.deliver(Delivery("B", honest.receipt, honest.header, b"")),
            system.deliver(Delivery("B", elsewhere.receipt, elsewhere.header, elsewhere.evidence)),
            system.deliver(honest),
        ] == [
            Refused(reason)
            for reason in (
                "untrusted header",
                "untrusted header",
                "wrong source",
                "unproven",
                "unproven",
                "unproven",
                "wrong destination",
                "consumed",
            )
        ]
        assert list(system.executed("B", 0)) == [Execution(b"one", "A")]

    def test_opening_again_starts_from_nothing(self, system: Adapter) -> None:
        """
        `open` may be called at any time, and forgets everything; equal calls give equal bytes.
        """
        first = sent(system, b"one")
        assert system.deliver(first) == ACCEPTED

        opened(system)

        assert not system.executed("B", 0)
        assert sent(system, b"one") == first
        system.close()
        system.close()

    def test_proves_only_what_is_committed(self, system: Adapter) -> None:
        """
        No evidence for a later receipt, a forged one, or a block that was taken back.
        """
        honest = sent(system, b"one")
        later = given_bytes(system.emit("A", "B", b"two"))
        reverted = given_bytes(system.produce("A"))
        assert system.revert("A", reverted) == ACCEPTED

        for receipt, header in (
            (later, honest.header),
            (system.forge("A", "B", b"three"), honest.header),
            (honest.receipt, reverted),
            (honest.receipt, b""),
            (b"", honest.header),
        ):
            assert isinstance(system.prove(receipt, header), Refused)

    def test_every_bit_of_the_evidence_counts(self, system: Adapter) -> None:
        """
        Honest evidence with any byte changed is refused: nobody can present a receipt in two ways.
        """
        system.emit("A", "B", b"one")
        honest = sent(system, b"two")

        for at in range(len(honest.evidence)):
            changed = bytearray(honest.evidence)
            changed[at] ^= 1
            assert system.deliver(evolve(honest, evidence=bytes(changed))) == Refused("unproven")
        assert system.deliver(honest) == ACCEPTED

    def test_a_forged_receipt_is_one_that_no_run_emits(self, system: Adapter) -> None:
        """
        Its bytes are well formed, depend on what is asked for, and are not those of the next receipt.
        """
        forged = system.forge("A", "B", b"one")

        assert forged == system.forge("A", "B", b"one") != system.forge("A", "B", b"two")
        assert system.emit("A", "B", b"one") != forged

    def test_a_revert_takes_back_effects_and_records(self, system: Adapter) -> None:
        """
        What was executed since the parent is undone, and can be executed again.
        """
        delivery = sent(system, b"one")
        assert system.deliver(delivery) == ACCEPTED
        header = given_bytes(system.produce("B"))

        assert system.revert("B", header) == ACCEPTED
        assert not system.executed("B", 0)
        assert system.deliver(delivery) == Refused("untrusted header")
        assert system.learn("B", delivery.header) == ACCEPTED
        assert system.deliver(delivery) == ACCEPTED
        assert given_bytes(system.produce("B")) != header

    @given(receipt=st.binary(max_size=60), header=st.binary(max_size=200), evidence=st.binary(max_size=60))
    @pytest.mark.parametrize("kind", CORRECT)
    def test_refuses_any_bytes(
        self, kind: type[Adapter], receipt: bytes, header: bytes, evidence: bytes
    ) -> None:
        """
        Nothing that a relayer can send raises, and nothing that is not proved is executed.
        """
        system = opened(kind())
        honest = sent(system, b"one")

        for delivery in (
            Delivery("B", receipt, header, evidence),
            Delivery("B", receipt, honest.header, evidence),
            Delivery("B", receipt, honest.header, honest.evidence),
            Delivery("B", honest.receipt, honest.header, evidence),
        ):
            assert isinstance(system.deliver(delivery), Refused)
        assert isinstance(system.learn("B", header), Refused)
        assert isinstance(system.finalise("B", header), Refused)
        assert isinstance(system.revert("B", header), Refused)
        assert not system.executed("B", 0)


@frozen
class Named:
    """The same receipt or header in both systems, and the shard that it concerns."""

    shard: str
    bytes: tuple[bytes, ...]


#: `relay` and what feeds it are drawn more often than what gets in its way.
ACTIONS = ("forge", "finalise", "revert", "learn", "deliver", *("emit", "produce") * 3, *("relay",) * 2)


class Twins:
    """One random run on both correct systems, told in symbolic names, because their bytes differ."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.systems = [opened(kind()) for kind in CORRECT]
        self.receipts: list[Named] = []
        self.headers: list[Named] = []
        self.outcomes: list[object] = []

    def step(self, number: int) -> None:
        shard, other = self.any_shard(), self.any_shard()
        match self.random.choice(ACTIONS):
            case "emit":
                self.note(self.receipts, other, [s.emit(shard, other, b"%d" % number) for s in self.systems])
            case "forge":
                self.note(self.receipts, other, [s.forge(shard, other, b"forged") for s in self.systems])
            case "produce":
                self.note(self.headers, shard, [s.produce(shard) for s in self.systems])
            case "finalise" if self.headers:
                self.finalise(self.random.choice(self.headers))
            case "revert" if self.headers:
                # The newest ones, of which some are not final yet.
                header = self.random.choice(self.headers[-3:])
                at = self.mostly(header.shard)
                self.agree(*(s.revert(at, h) for s, h in zip(self.systems, header.bytes, strict=True)))
            case "learn" if self.headers:
                self.learn(shard, self.random.choice(self.headers))
            case "deliver" if self.headers and self.receipts:
                self.deliver(self.random.choice(self.receipts), self.random.choice(self.headers))
            case "relay":
                self.relay(shard, other)
        for name in SHARDS.shards:
            effects = [list(s.executed(name, 0)) for s in self.systems]
            assert effects[0] == effects[1]

    def relay(self, source: str, destination: str) -> None:
        """What an honest relayer does, for once without interruption; chance alone brings little home."""
        for header in [h for h in self.headers if h.shard == source]:
            self.finalise(header)
        for header in [h for h in self.headers if h.shard == source][-2:]:
            self.learn(destination, header)
            for receipt in [r for r in self.receipts if r.shard == destination]:
                self.deliver(receipt, header)

    def finalise(self, header: Named) -> None:
        at = self.mostly(header.shard)
        answers = [s.finalise(at, h) for s, h in zip(self.systems, header.bytes, strict=True)]
        if self.agree(*answers):
            self.note(self.headers, header.shard, answers)

    def learn(self, shard: str, header: Named) -> None:
        self.agree(*(s.learn(shard, h) for s, h in zip(self.systems, header.bytes, strict=True)))

    def deliver(self, receipt: Named, header: Named) -> None:
        both = list(zip(self.systems, receipt.bytes, header.bytes, strict=True))
        evidence = [s.prove(r, h) for s, r, h in both]
        self.agree(*evidence)
        at = self.mostly(receipt.shard)
        self.agree(
            *(
                s.deliver(Delivery(at, r, h, e if isinstance(e, bytes) else b""))
                for (s, r, h), e in zip(both, evidence, strict=True)
            )
        )

    def any_shard(self) -> str:
        return self.random.choice(SHARDS.shards)

    def mostly(self, shard: str) -> str:
        return shard if self.random.random() < 0.9 else self.any_shard()

    def note(self, where: list[Named], shard: str, answers: Sequence[bytes | Refused]) -> None:
        where.append(Named(shard, tuple(given_bytes(answer) for answer in answers)))

    def agree(self, first: object, second: object) -> bool:
        """Compare two answers, whose bytes may differ; says whether they are bytes."""
        said = [b"" if isinstance(answer, bytes) else answer for answer in (first, second)]
        assert said[0] == said[1]
        self.outcomes.append(said[0])
        return isinstance(first, bytes)


@pytest.mark.heavy
@given(st.randoms(use_true_random=False))
def test_two_designs_agree(random: Random) -> None:
    """
    The reference and the watermark design give the same outcomes and effects on the same run.
    """
    twins = Twins(random)
    for number in range(80):
        twins.step(number)


def test_the_designs_agree_on_every_kind_of_outcome() -> None:
    """
    Runs as above do accept deliveries and meet every refusal, so the agreement is not an empty one.
    """
    seen: set[object] = set()
    executed = 0
    for seed in range(60):
        twins = Twins(Random(seed))
        for number in range(80):
            twins.step(number)
        seen |= set(twins.outcomes)
        executed += sum(len(twins.systems[0].executed(shard, 0)) for shard in SHARDS.shards)

    # Measured: 280.
    assert executed > 100
    assert {o.reason for o in seen if isinstance(o, Refused)} == {
        "untrusted header",
        "wrong source",
        "unproven",
        "wrong destination",
        "consumed",
        "not produced",
        "already final",
        "parent not final",
        "not committed to",
    }


class TestReference:
    @pytest.fixture
    def system(self) -> ReferenceAdapter:
        adapter = ReferenceAdapter()
        adapter.open(SHARDS)
        return adapter

    def test_a_callback_cannot_execute_its_receipt_again(self, system: ReferenceAdapter) -> None:
        """
        The delivery inside the callback is refused, and later deliveries have no callback left.
        """
        delivery = sent(system, b"one")

        assert system.reenter(delivery) == ACCEPTED
        assert list(system.executed("B", 0)) == [Execution(b"one", "A")]
        assert system.reenter(delivery) == Refused("consumed")
        assert system.deliver(sent(system, b"two")) == ACCEPTED
        assert len(system.executed("B", 0)) == 2

    def test_a_refused_callback_leaves_nothing_behind(self, system: ReferenceAdapter) -> None:
        """
        What was to be presented again inside a callback that never ran is not presented later.
        """
        now = sent(system, b"two")
        receipt = given_bytes(system.emit("A", "B", b"three"))
        header = given_bytes(system.finalise("A", given_bytes(system.produce("A"))))
        early = Delivery("B", receipt, header, given_bytes(system.prove(receipt, header)))

        assert system.reenter(early) == Refused("untrusted header")
        assert system.learn("B", header) == ACCEPTED
        assert system.deliver(now) == ACCEPTED
        assert list(system.executed("B", 0)) == [Execution(b"two", "A")]

    def test_remembers_across_a_restart(self, system: ReferenceAdapter) -> None:
        """
        A receipt that was executed before is refused after.
        """
        delivery = sent(system, b"one")
        assert system.deliver(delivery) == ACCEPTED

        system.restart("B")

        assert system.deliver(delivery) == Refused("consumed")
        assert list(system.executed("B", 0)) == [Execution(b"one", "A")]

    def test_shows_how_its_proofs_are_made(self, system: ReferenceAdapter) -> None:
        """
        A dissected proof is position, number of leaves and siblings; assembled again it is the same bytes.
        """
        first = given_bytes(system.emit("A", "B", b"one"))
        second = sent(system, b"two")

        path = system.dissect(second.evidence)

        assert path == Path(1, 2, (system.leaf(first),))
        assert system.assemble(path) == second.evidence

    @given(
        st.builds(
            Path,
            st.integers(),
            st.none() | st.integers(),
            st.lists(st.binary(max_size=40), max_size=3).map(tuple),
        )
    )
    def test_assembles_any_path(self, path: Path) -> None:
        """
        The adversary may write a senseless proof; it proves nothing.
        """
        system = ReferenceAdapter()
        system.open(SHARDS)
        honest = sent(system, b"one")

        outcome = system.deliver(Delivery("B", honest.receipt, honest.header, system.assemble(path)))

        assert isinstance(outcome, Accepted) == (system.assemble(path) == honest.evidence)

    def test_reads_as_what_it_is(self, system: ReferenceAdapter) -> None:
        """
        What the adapter hands out are the encodings of the models, so that a trace can be explained.
        """
        delivery = sent(system, b"one")

        assert Receipt.decode(delivery.receipt) == Receipt("A", "B", 0, b"one")
        assert Header.decode(delivery.header).leaf_count == 1


def test_capabilities_are_what_is_promised() -> None:
    """
    The reference has every verb of its layers; the second design has no restart, callback or open proofs.
    """
    verbs = {"learn", "finalise", "revert", "forge"}

    assert capabilities(WatermarkAdapter()) == verbs
    assert capabilities(ReferenceAdapter()) == verbs | {"restart", "reenter", "dissect", "assemble", "leaf"}


@pytest.mark.parametrize("kind", CORRECT)
def test_is_found_by_name(kind: type[Adapter]) -> None:
    """
    `--adapter reference` and `--adapter watermark` load these classes.
    """
    assert load(kind.name) is kind
