from __future__ import annotations

import json
import platform
import random
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from attrs import evolve

from sample_systems.at_hand import skipped_where_missing
from sample_systems.honest_relayer import emitted, honest, opened, produced, proved
from shardproof.adapter import ACCEPTED, Adapter, Delivery, Execution, Refused, Topology, capabilities
from shardproof.adapters.tvm.system import ForgetfulAdapter, TvmAdapter, variant
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.engines.tour import Plan as TourPlan
from shardproof.engines.tour import tour
from shardproof.errors import AdapterError, MissingPartError, UsageError
from shardproof.loading import load
from shardproof.verdict import Report, Verdict

#: Where the machine has a wheel.
HAS_WHEEL = sys.platform == "linux" and platform.machine() == "x86_64" and sys.version_info < (3, 12)

CONTRACT = Path(__file__).parents[3] / "harness" / "shardproof" / "adapters" / "tvm"


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """The machine and its cells."""
    with skipped_where_missing(expected=HAS_WHEEL):
        TvmAdapter()


@pytest.fixture
def system() -> Iterator[TvmAdapter]:
    yield from opened(TvmAdapter)


class TestHonestTraffic:
    def test_is_executed_once_in_the_name_of_its_source(self, system: TvmAdapter) -> None:
        """
        What A sends to B takes effect at B, and nowhere else; a second delivery is refused.
        """
        delivery = honest(system, b"\x00 not text \xff")

        assert system.deliver(delivery) == ACCEPTED
        assert system.deliver(delivery) == Refused("executed before")
        assert [list(system.executed(shard, 0)) for shard in "ABC"] == [
            [],
            [Execution(b"\x00 not text \xff", "A")],
            [],
        ]

    def test_may_arrive_in_any_order_and_under_any_later_header(self, system: TvmAdapter) -> None:
        """
        There is no order, and a newer header proves older receipts too.
        """
        receipts = [emitted(system, "A", "B", b"%d" % i) for i in range(3)]
        early = produced(system, "A")
        emitted(system, "A", "C", b"more")
        late = produced(system, "A")

        order = ((2, late), (0, early), (1, late), (0, late))
        outcomes = [system.deliver(proved(system, "B", receipts[i], header)) for i, header in order]

        assert outcomes == [ACCEPTED, ACCEPTED, ACCEPTED, Refused("executed before")]
        assert [e.payload for e in system.executed("B", 1)] == [b"0", b"1"]

    @pytest.mark.parametrize("payload", [b"", b"\0", b"x" * 127])
    def test_carries_what_a_cell_can_hold(self, system: TvmAdapter, payload: bytes) -> None:
        """
        A payload comes out as it went in, and one that is too long is refused.
        """
        assert system.deliver(honest(system, payload)) == ACCEPTED

        assert system.executed("B", 0) == [Execution(payload, "A")]
        assert isinstance(system.emit("A", "B", b"x" * 128), Refused)

    def test_survives_a_restart(self, system: TvmAdapter) -> None:
        """
        An account is what can be read back from its bytes.
        """
        delivery = honest(system)
        system.deliver(delivery)
        before = system.state_root("B")

        system.restart("B")

        assert system.state_root("B") == before
        assert system.deliver(delivery) == Refused("executed before")

    def test_is_the_same_each_time(self, system: TvmAdapter) -> None:
        """
        Accounts, headers and proofs are functions of the calls since `open`.
        """
        first = honest(system), system.state_root("A")
        system.open(Topology.of(3))

        assert (honest(system), system.state_root("A")) == first


class TestProofs:
    def test_contain_no_more_than_they_need(self, system: TvmAdapter) -> None:
        """
        Everything beside the path is pruned: a proof grows with the logarithm of the dictionary.
        """
        few, many = honest(system, others=6), honest(system, others=60)

        assert len(many.evidence) < 2 * len(few.evidence)
        assert b"before 1" not in many.evidence
        assert system.deliver(many) == ACCEPTED

    def test_exist_only_for_what_is_committed(self, system: TvmAdapter) -> None:
        """
        Not under an older header, one of another shard, or one that nobody signed.
        """
        delivery = honest(system)
        late = emitted(system, "A", "B", b"late")
        emitted(system, "C", "B", b"other")
        foreign = produced(system, "C")
        none = Refused("this header does not commit to this receipt")

        assert system.prove(late, delivery.header) == none
        assert system.prove(delivery.receipt, foreign) == none
        assert system.prove(delivery.receipt, delivery.header[:-1]) == none
        assert system.prove(b"", delivery.header) == none
        assert system.produce("B") == Refused("nothing was ever sent")


class TestAdversary:
    def test_is_told_why(self, system: TvmAdapter) -> None:
        """
        Each check of the contract refuses what it is there for.
        """
        delivery = honest(system)
        other = proved(system, "B", emitted(system, "A", "B", b"other"), produced(system, "A"))
        emitted(system, "C", "B", b"foreign")
        foreign = produced(system, "C")

        for wrong, why in (
            (evolve(delivery, destination="C"), "wrong destination"),
            (evolve(delivery, receipt=system.forge("A", "B", b"mint")), "not in the dictionary"),
            (evolve(delivery, receipt=delivery.receipt[:-1] + b"?"), "not in the dictionary"),
            (evolve(delivery, header=other.header), "proof of another root"),
            (evolve(delivery, header=foreign), "proof of another root"),
            (evolve(delivery, receipt=b"\0\0\0\2" + delivery.receipt[4:]), "receipt of another source"),
            (evolve(delivery, header=b"\0\0\0\x07" + delivery.header[4:]), "unknown source"),
            (evolve(delivery, header=delivery.header[:-1] + b"?"), "not signed by its validators"),
            (evolve(delivery, header=foreign[:4] + delivery.header[4:]), "not signed by its validators"),
            (evolve(delivery, evidence=system._cell(delivery.receipt).to_boc()), "not a Merkle proof"),
        ):
            assert system.deliver(wrong) == Refused(why)

        assert system.deliver(delivery) == ACCEPTED

    def test_cannot_claim_the_root_of_another_tree(self, system: TvmAdapter) -> None:
        """
        A Merkle-proof cell with a hash that its content does not have is no cell at all.
        """
        library = system._library
        delivery = honest(system)
        evil = TvmAdapter()
        evil.open(Topology.of(3))
        forged = honest(evil, b"mint")
        true, made_up = (library.Cell.one_from_boc(x.evidence) for x in (delivery, forged))
        lie = library.Cell(true.bits, made_up.refs, true.type_).to_boc()

        assert isinstance(system.deliver(Delivery("B", forged.receipt, delivery.header, lie)), Refused)
        assert system.executed("B", 0) == []

    @pytest.mark.parametrize("part", ["receipt", "header"])
    def test_cannot_change_a_byte(self, system: TvmAdapter, part: str) -> None:
        """
        One bit flipped in any byte of receipt or header, and the delivery is refused.
        """
        delivery = honest(system)
        data: bytes = getattr(delivery, part)

        for i in range(len(data)):
            flipped = data[:i] + bytes([data[i] ^ 1 << i % 8]) + data[i + 1 :]
            changed = {"receipt": delivery.receipt, "header": delivery.header} | {part: flipped}
            assert isinstance(
                system.deliver(Delivery("B", changed["receipt"], changed["header"], delivery.evidence)),
                Refused,
            ), i

        assert system.deliver(delivery) == ACCEPTED

    def test_is_refused_and_never_raises_with_random_bytes(self, system: TvmAdapter) -> None:
        """
        Whatever is presented, the answer is an outcome, and nothing is executed.
        """
        choose = random.Random(2)
        delivery = honest(system)
        parts = [delivery.receipt, delivery.header, delivery.evidence, b""]

        for _ in range(200):
            a, b, c = (choose.choice([*parts, choose.randbytes(choose.randrange(300))]) for _ in range(3))
            if (a, b, c) != (delivery.receipt, delivery.header, delivery.evidence):
                assert isinstance(system.deliver(Delivery("B", a, b, c)), Refused)

        assert system.executed("B", 0) == []


class TestSnapshots:
    def test_return_everything_at_any_time(self, system: TvmAdapter) -> None:
        """
        Accounts, and what was signed, are those of the snapshot, in any order.
        """
        delivery = honest(system)
        before = system.snapshot()
        system.deliver(delivery)
        after = system.snapshot()

        system.restore(before)
        assert system.executed("B", 0) == []
        system.restore(after)
        assert system.deliver(delivery) == Refused("executed before")

    def test_of_other_shards_are_refused(self, system: TvmAdapter) -> None:
        """
        A snapshot means nothing to shards that it was not taken of.
        """
        token = system.snapshot()
        system.open(Topology.of(2))

        with pytest.raises(AdapterError, match="belongs to other shards"):
            system.restore(token)


class TestContract:
    def test_is_compiled_from_the_source_beside_it(self) -> None:
        """
        What runs is what can be read.
        """
        compiled = json.loads((CONTRACT / "shard.json").read_text())

        assert compiled["source_sha256"] == sha256((CONTRACT / "shard.fc").read_bytes()).hexdigest()
        assert compiled["compiler"].startswith("FunC 0.4.6")


class TestVariants:
    def test_are_loaded_by_name(self) -> None:
        """
        The seam knows both, and says what is near to a third.
        """
        assert [load("tvm"), load("tvm:forgetful")] == [TvmAdapter, ForgetfulAdapter]
        with pytest.raises(UsageError, match="no variant 'forgetfull'") as caught:
            variant("forgetfull")
        assert dict(caught.value.facts)["help"] == "did you mean 'forgetful'?"

    def test_certify_themselves(self) -> None:
        """
        There is no light client to teach, and nothing to finalise or revert.
        """
        able = {"restart", "state_root", "forge", "snapshot", "restore"}

        assert capabilities(TvmAdapter()) == able

    def test_say_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without the libraries there is a command to run, and no traceback.
        """
        monkeypatch.setitem(sys.modules, "shardproof.adapters.tvm.contract", None)
        monkeypatch.delattr("shardproof.adapters.tvm.contract")

        with pytest.raises(MissingPartError) as caught:
            TvmAdapter()

        assert (
            dict(caught.value.facts)["help"]
            == "run, with Python 3.11 on Linux (x86-64): pip install 'shardproof[tvm]'"
        )


def searched(make: type[Adapter], seed: int, steps: int) -> Report:
    """One search, as `shardproof fuzz` would do it."""
    return fuzz(make, "it", Plan(seed, steps=steps), clock=lambda: 0.0)


#: Property -> the length of the shortest trace that shows it: sent, sealed, delivered, delivered.
EXPECTED: dict[str, dict[str, int]] = {"": {}, "forgetful": {"executes-at-most-once": 4}}


@pytest.mark.heavy
class TestVerdicts:
    @pytest.mark.parametrize("name", EXPECTED)
    def test_are_as_expected(self, name: str) -> None:
        """
        Held by a contract that remembers; without its dictionary, a receipt is executed twice.
        """
        report = searched(type(variant(name)()), 1, 150)

        assert {f.property: len(f.trace.steps) for f in report.findings} == EXPECTED[name]
        assert report.verdict is (Verdict.VIOLATED if EXPECTED[name] else Verdict.HOLDS)


@pytest.mark.deep
def test_every_transition_is_exercised() -> None:
    """
    A tour of two shards and two receipts, by the machine itself.
    """
    report = tour(
        TvmAdapter,
        "it",
        TourPlan({"shards": 2, "receipts": 2, "headers": 1}, alone=True),
        clock=lambda: 0.0,
    )

    assert report.verdict is Verdict.HOLDS
    assert report.work["exercised"] == report.work["transitions"]


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", EXPECTED)
def test_verdicts_do_not_depend_on_the_seed(name: str, seed: int) -> None:
    """
    Five seeds of five, for longer.
    """
    report = searched(type(variant(name)()), seed, 1_500)

    assert {f.property: len(f.trace.steps) for f in report.findings} == EXPECTED[name]
