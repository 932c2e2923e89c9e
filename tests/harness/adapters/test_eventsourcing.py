from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_systems.at_hand import skipped_where_missing
from sample_systems.honest_relayer import emitted, opened, produced, proved
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
from shardproof.adapters.eventsourcing import (
    AnyOrderAdapter,
    EventSourcingAdapter,
    OvertakenAdapter,
    PushedAdapter,
    variant,
)
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.engines.tour import Plan as TourPlan
from shardproof.engines.tour import tour
from shardproof.errors import AdapterError, MissingPartError, UsageError
from shardproof.loading import load
from shardproof.verdict import Report, Verdict

UNKNOWN = Refused("no such notification in any log")
AGAIN = Refused(
    "IntegrityError: UNIQUE constraint failed: tracking.application_name, tracking.notification_id"
)


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    """The library itself."""
    with skipped_where_missing():
        EventSourcingAdapter()


@pytest.fixture(params=["", "any-order", "overtaken", "pushed"])
def each(request: pytest.FixtureRequest) -> Iterator[Adapter]:
    """Every variant."""
    yield from opened(variant(request.param))


@pytest.fixture
def pulling() -> Iterator[Adapter]:
    """Followers that read on in a log."""
    yield from opened(variant(""))


@pytest.fixture
def pushed() -> Iterator[Adapter]:
    """Followers that believe whoever brings a notification."""
    yield from opened(variant("pushed"))


def honest(system: Adapter, *payloads: bytes) -> list[Delivery]:
    """Messages from A to B, under one header."""
    receipts = [emitted(system, "A", "B", payload) for payload in payloads]
    header = produced(system, "A")
    return [proved(system, "B", receipt, header) for receipt in receipts]


def payloads(system: Adapter, shard: str = "B") -> list[bytes]:
    return [x.payload for x in system.executed(shard, 0) if isinstance(x, Execution)]


class TestHonestTraffic:
    def test_is_executed_once_in_the_name_of_its_source(self, each: Adapter) -> None:
        """
        What A sends to B takes effect at B, nowhere else, and not again at a second delivery.
        """
        (delivery,) = honest(each, b"\x00 not text \xff")

        assert each.deliver(delivery) == ACCEPTED
        each.deliver(delivery)

        assert [list(each.executed(shard, 0)) for shard in "ABC"] == [
            [],
            [Execution(b"\x00 not text \xff", "A")],
            [],
        ]

    def test_survives_a_restart_and_is_still_executed_once(self, each: Adapter) -> None:
        """
        Effect and position are one transaction: a follower that starts again has both, or neither.
        """
        early, late = honest(each, b"early", b"late")
        each.deliver(early)
        before = each.state_root("B")
        for shard in "ABC":
            each.restart(shard)

        assert each.state_root("B") == before
        each.deliver(early)
        assert each.deliver(late) == ACCEPTED
        assert payloads(each) == [b"early", b"late"]
        assert emitted(each, "A", "B", b"more") != late.receipt

    def test_a_message_for_another_shard_has_no_effect(self, each: Adapter) -> None:
        """
        Every follower reads every log, and acts only on what is addressed to it.
        """
        (delivery,) = honest(each, b"x")

        each.deliver(Delivery("C", delivery.receipt, delivery.header, delivery.evidence))

        assert payloads(each, "C") == []
        assert each.deliver(delivery) == ACCEPTED

    def test_reading_on_takes_what_comes_before(self, pulling: Adapter) -> None:
        """
        A follower that is told of a notification reads the log up to it, in its order.
        """
        early, late = honest(pulling, b"early", b"late")

        pulling.deliver(late)
        pulling.deliver(early)

        assert payloads(pulling) == [b"early", b"late"]

    def test_a_row_for_each_notification_keeps_no_order(self) -> None:
        """
        What is overtaken is executed later, and each is refused the second time.
        """
        adapter = AnyOrderAdapter()
        adapter.open(Topology.of(2))
        early, late = honest(adapter, b"early", b"late")

        outcomes = [adapter.deliver(x) for x in (late, early, late, early)]

        assert outcomes == [ACCEPTED, ACCEPTED, AGAIN, AGAIN]
        assert payloads(adapter) == [b"late", b"early"]
        adapter.close()

    def test_is_the_same_each_time(self, pulling: Adapter) -> None:
        """
        Receipts, headers and digests are functions of the calls since `open`: no clock, no chance.
        """
        first = honest(pulling, b"x"), pulling.state_root("A")
        pulling.open(Topology.of(3))
        again = honest(pulling, b"x"), pulling.state_root("A")
        other = EventSourcingAdapter()
        other.open(Topology.of(3))

        assert first == again == (honest(other, b"x"), other.state_root("A"))
        other.close()


class TestLog:
    def test_a_header_names_what_is_new(self, pulling: Adapter) -> None:
        """
        No header of an empty log, and no second one of the same.
        """
        nothing = Refused("nothing new was sent")

        assert pulling.produce("A") == nothing
        (delivery,) = honest(pulling, b"x")
        assert pulling.produce("A") == nothing
        late = emitted(pulling, "A", "B", b"y")
        assert pulling.prove(late, delivery.header) == Refused(
            "this part of the log does not contain the notification"
        )

    def test_a_follower_that_reads_it_is_not_told_lies(self, pulling: Adapter) -> None:
        """
        What is not in the log, to the last byte, is not there: forged, renumbered, or changed.
        """
        (delivery,) = honest(pulling, b"x")
        forged = pulling.forge("A", "B", b"mint")
        renumbered = delivery.receipt.replace(b'"id": 1', b'"id": 2')

        for receipt in (forged, renumbered, delivery.receipt + b" ", b"", b"\xff", b"[]", b'{"id": 1e99}'):
            assert pulling.deliver(Delivery("B", receipt, delivery.header, b"")) == UNKNOWN
        for header in (delivery.header[1:], delivery.receipt, delivery.header + b" ", b""):
            assert pulling.deliver(Delivery("B", delivery.receipt, header, b"")) == UNKNOWN
        assert payloads(pulling) == []


class TestPushed:
    def test_executes_what_nobody_sent(self, pushed: Adapter) -> None:
        """
        Nothing is proved, so a notification at a later position is as good as a true one.
        """
        forged = Delivery("B", pushed.forge("A", "B", b"mint"), b"", b"")

        assert [pushed.deliver(forged), pushed.deliver(forged)] == [ACCEPTED, AGAIN]
        assert pushed.executed("B", 0) == [Execution(b"mint", "A")]

    def test_knows_a_notification_by_its_position_alone(self, pushed: Adapter) -> None:
        """
        The same event under another position is executed again.
        """
        (delivery,) = honest(pushed, b"x")
        renumbered = json.dumps(json.loads(delivery.receipt) | {"id": 2}).encode()

        pushed.deliver(delivery)
        pushed.deliver(Delivery("B", renumbered, b"", b""))

        assert payloads(pushed) == [b"x", b"x"]

    def test_refuses_whatever_is_no_notification(self, pushed: Adapter) -> None:
        """
        Bytes that mean nothing to the library are refused, and nothing is raised.
        """
        fields = json.loads(honest(pushed, b"x")[0].receipt)
        strange = [{"log": "Z"}, {"id": "x"}, {"originator_id": ""}, {"state": "!"}, {"state": "bnVsbA=="}]

        for change in strange:
            receipt = json.dumps(fields | change).encode()
            assert isinstance(pushed.deliver(Delivery("B", receipt, b"", b"")), Refused)
        for receipt in (b"", b"{}", b"\xff\xfe", b"0"):
            assert isinstance(pushed.deliver(Delivery("B", receipt, b"", b"")), Refused)
        # An event of a kind that the follower does not heed is none of its business.
        pushed.deliver(Delivery("B", json.dumps(fields | {"topic": "os:system"}).encode(), b"", b""))
        assert payloads(pushed) == []


class TestFiles:
    def test_are_in_a_folder_of_their_own_until_the_end(self, tmp_path: Path) -> None:
        """
        Nothing is left behind by `close`, nor by an adapter that was opened again with other shards.
        """
        before = tempfile.tempdir
        tempfile.tempdir = str(tmp_path)
        try:
            adapter = EventSourcingAdapter()
            adapter.open(Topology.of(2))
            adapter.open(Topology.of(3))
            inside = [*tmp_path.iterdir()]
            adapter.close()
            adapter.close()
        finally:
            tempfile.tempdir = before

        assert len(inside) == 1
        assert [*tmp_path.iterdir()] == []

    def test_a_snapshot_returns_all_of_them(self, each: Adapter) -> None:
        """
        Effects, positions and what headers name are those of the snapshot, in any order.
        """
        early, late = honest(each, b"early", b"late")
        token = each.snapshot()
        each.deliver(early)
        after = each.snapshot()
        each.restart("B")
        each.restore(token)

        assert payloads(each) == []
        each.deliver(early)
        each.deliver(late)
        assert payloads(each) == [b"early", b"late"]
        each.restore(after)
        assert payloads(each) == [b"early"]

    def test_a_snapshot_of_others_is_refused(self, pulling: Adapter) -> None:
        """
        It means nothing to shards that it was not taken of.
        """
        token = pulling.snapshot()
        pulling.open(Topology.of(2))

        with pytest.raises(AdapterError, match="belongs to other shards"):
            pulling.restore(token)


class TestVariants:
    def test_are_loaded_by_name(self) -> None:
        """
        The seam knows each, and says what is near to another.
        """
        names = ("", ":any-order", ":overtaken", ":pushed")
        classes = [EventSourcingAdapter, AnyOrderAdapter, OvertakenAdapter, PushedAdapter]
        assert [load(f"eventsourcing{name}") for name in names] == classes
        with pytest.raises(UsageError, match="no variant 'pushd'") as caught:
            variant("pushd")
        assert dict(caught.value.facts)["help"] == "did you mean 'pushed'?"

    def test_have_no_light_clients_and_nothing_to_prove(self) -> None:
        """
        They can be restarted and looked at as a whole; receipts can be made up.
        """
        able = {"restart", "state_root", "forge", "snapshot", "restore"}

        assert capabilities(EventSourcingAdapter()) == able

    def test_say_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without the library there is a command to run, and no traceback.
        """
        monkeypatch.setitem(sys.modules, "shardproof.adapters.event_sourced_shard", None)
        monkeypatch.delattr("shardproof.adapters.event_sourced_shard")

        with pytest.raises(MissingPartError) as caught:
            EventSourcingAdapter()

        assert dict(caught.value.facts)["help"] == "run: pip install 'shardproof[events]'"


def searched(make: type[Adapter], seed: int, steps: int) -> Report:
    """One search, as `shardproof fuzz` would do it."""
    return fuzz(make, "it", Plan(seed, steps=steps), clock=lambda: 0.0)


def violated(report: Report) -> list[str]:
    return sorted(finding.property for finding in report.findings)


#: What each variant is expected to violate, in the shortest trace that shows it.
EXPECTED: dict[str, dict[str, int]] = {
    "": {},
    "any-order": {},
    # Emitted twice, produced, the later one delivered, then the earlier one.
    "overtaken": {"delivers-what-is-due": 5},
    # What somebody has made up.
    "pushed": {"executes-only-what-was-emitted": 1},
}

#: What some searches find besides: the same event, brought once more under another position.
ALSO = dict.fromkeys(EXPECTED, frozenset[str]()) | {"pushed": frozenset({"executes-at-most-once"})}


@pytest.mark.heavy
class TestVerdicts:
    @pytest.mark.parametrize("name", EXPECTED)
    def test_are_as_expected(self, name: str) -> None:
        """
        Once, whatever is tried; lost, where one position is kept and order is not; forged, if pushed.
        """
        report = searched(type(variant(name)()), 1, 200)

        found = {f.property: len(f.trace.steps) for f in report.findings if f.property not in ALSO[name]}
        assert found == EXPECTED[name]
        assert report.verdict is (Verdict.VIOLATED if EXPECTED[name] else Verdict.HOLDS)

    def test_every_transition_is_exercised(self) -> None:
        """
        A tour of two shards and two receipts, restarts included.
        """
        scope = {"shards": 2, "receipts": 2, "headers": 1}

        report = tour(AnyOrderAdapter, "it", TourPlan(scope, alone=True), clock=lambda: 0.0)

        assert report.verdict is Verdict.HOLDS
        assert report.work["exercised"] == report.work["transitions"]
        assert dict(report.tables["transitions exercised"])["restart"] == "32 of 32"

    def test_an_effect_in_a_transaction_of_its_own_is_found(self) -> None:
        """
        A follower that does not record the position with the effect executes twice.
        """

        class Careless(AnyOrderAdapter):
            """Records the effect, and no position."""

            def deliver(self, delivery: Delivery) -> Outcome:
                found = self._found(delivery.receipt, delivery.header)
                if isinstance(found, Refused):
                    return found
                source, position = found
                follower = self._shards[delivery.destination]
                tracked = follower.recorder._insert_tracking
                follower.recorder._insert_tracking = lambda *_: None
                self._follow(follower, source, position)
                follower.recorder._insert_tracking = tracked
                return ACCEPTED

        assert violated(searched(Careless, 1, 100)) == ["executes-at-most-once"]


@pytest.mark.deep
def test_every_transition_is_exercised_by_reading_on() -> None:
    """
    The same tour of the library as it comes, with a block more.
    """
    scope = {"shards": 2, "receipts": 2, "headers": 2}

    report = tour(EventSourcingAdapter, "it", TourPlan(scope, alone=True), clock=lambda: 0.0)

    assert report.verdict is Verdict.HOLDS


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", EXPECTED)
def test_verdicts_do_not_depend_on_the_seed(name: str, seed: int) -> None:
    """
    Five seeds of five, for longer.
    """
    report = searched(type(variant(name)()), seed, 2_000)

    assert {*violated(report)} - ALSO[name] == {*EXPECTED[name]}
