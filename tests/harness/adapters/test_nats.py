from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sample_systems.at_hand import skipped_where_missing
from sample_systems.honest_relayer import emitted, opened, produced
from shardproof.adapter import PENDING, Adapter, Delivery, Execution, Outcome, Refused, Topology, capabilities
from shardproof.adapters.nats import InboxAdapter, NatsAdapter, PositionShard, WindowAdapter, variant
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.errors import AdapterError, MissingPartError, UsageError
from shardproof.loading import load
from shardproof.verdict import Report, Verdict

DUPLICATE = Refused("duplicate, within the window")
NEVER_PUBLISHED = Refused("its source does not publish this")


@pytest.fixture(scope="module", autouse=True)
def library() -> None:
    """Client and broker."""
    with skipped_where_missing():
        for _ in opened(NatsAdapter):
            pass


@pytest.fixture(scope="module")
def broker() -> Iterator[Adapter]:
    """One broker for many tests: to open it again takes a tenth of the time."""
    yield from opened(variant(""))


@pytest.fixture
def killed(broker: Adapter) -> Adapter:
    """Shards that remember positions, behind a broker that is killed."""
    broker.open(Topology.of(3))
    return broker


@pytest.fixture
def forgetting() -> Iterator[Adapter]:
    """The same, behind a broker that forgets."""
    yield from opened(variant("window"))


@pytest.fixture
def remembering() -> Iterator[Adapter]:
    """Shards that remember receipts, behind a broker that forgets."""
    yield from opened(variant("inbox"))


def honest(system: Adapter, payload: bytes = b"payload") -> Delivery:
    receipt, header = emitted(system, "A", "B", payload), produced(system, "A")
    assert system.prove(receipt, header) == b""
    return Delivery("B", receipt, header, b"")


def settled(system: Adapter, delivery: Delivery) -> Outcome:
    outcome = system.deliver(delivery)
    if outcome == PENDING:
        system.settle(delivery.destination)
    return outcome


def payloads(system: Adapter, shard: str = "B") -> list[bytes]:
    return [x.payload for x in system.executed(shard, 0) if isinstance(x, Execution)]


class TestHonestTraffic:
    def test_is_executed_when_the_destination_comes_to_rest(self, killed: Adapter) -> None:
        """
        What was published is pending; then it is executed, once, in the name of its source.
        """
        delivery = honest(killed, b"\x00 not text \xff")

        assert killed.deliver(delivery) == PENDING
        assert payloads(killed) == []
        killed.settle("B")
        assert settled(killed, delivery) == DUPLICATE
        assert killed.executed("B", 0) == [Execution(b"\x00 not text \xff", "A")]

    def test_a_shard_refuses_what_is_for_another(self, killed: Adapter) -> None:
        """
        Whoever is given a message that is not for it does nothing, and keeps nobody from it.
        """
        delivery = honest(killed)

        settled(killed, Delivery("C", delivery.receipt, delivery.header, b""))

        assert payloads(killed, "C") == []
        assert settled(killed, delivery) == PENDING
        assert payloads(killed) == [b"payload"]

    def test_a_source_publishes_only_what_it_has_sealed(self, killed: Adapter) -> None:
        """
        Nothing forged, nothing that is not in the batch, nothing under the header of another.
        """
        delivery = honest(killed)
        late = killed.emit("A", "B", b"late")
        killed.emit("C", "B", b"other")
        foreign = killed.produce("C")
        assert isinstance(late, bytes)
        assert isinstance(foreign, bytes)

        for receipt, header in (
            (killed.forge("A", "B", b"mint"), delivery.header),
            (late, delivery.header),
            (delivery.receipt, foreign),
            (delivery.receipt, b""),
            (b"", delivery.header),
            (delivery.receipt + b"\0", delivery.header),
        ):
            assert killed.deliver(Delivery("B", receipt, header, b"")) == NEVER_PUBLISHED

        assert settled(killed, delivery) == PENDING


class TestKilled:
    @pytest.mark.parametrize("writes", range(5))
    def test_at_any_moment_loses_nothing_and_repeats_nothing(self, killed: Adapter, writes: int) -> None:
        """
        Before it is stored, executed, or noted, and after: published again, it is done.
        """
        delivery = honest(killed)
        killed.crash("B", writes)

        settled(killed, delivery)
        interrupted = payloads(killed)
        settled(killed, delivery)

        assert interrupted == ([] if writes == 0 else [b"payload"])
        assert payloads(killed) == [b"payload"]

    def test_it_remembers_what_was_published(self, killed: Adapter) -> None:
        """
        A broker that was killed still drops what it had confirmed before.
        """
        delivery = honest(killed)
        settled(killed, delivery)
        before = killed.state_root("B")

        killed.restart("B")

        assert settled(killed, delivery) == DUPLICATE
        assert killed.state_root("B") == before


class TestWindow:
    def test_once_it_has_passed_a_message_is_executed_again(self, forgetting: Adapter) -> None:
        """
        A shard without a record of its own executes twice, as soon as the broker has forgotten.
        """
        delivery = honest(forgetting)
        settled(forgetting, delivery)
        assert settled(forgetting, delivery) == DUPLICATE

        forgetting.advance_clock("B")

        assert settled(forgetting, delivery) == PENDING
        assert payloads(forgetting) == [b"payload", b"payload"]

    def test_begins_anew_with_what_is_published_again(self, forgetting: Adapter) -> None:
        """
        It is time that makes the broker forget, and only once.
        """
        delivery = honest(forgetting)
        forgetting.advance_clock("B")
        settled(forgetting, delivery)

        assert settled(forgetting, delivery) == DUPLICATE

    def test_does_not_matter_to_a_shard_that_remembers(self, remembering: Adapter) -> None:
        """
        The broker takes it, hands it out, and the shard refuses it; also after a restart.
        """
        delivery = honest(remembering)
        settled(remembering, delivery)
        remembering.restart("B")
        remembering.advance_clock("B")

        assert settled(remembering, delivery) == PENDING
        assert payloads(remembering) == [b"payload"]


class TestProcesses:
    def test_none_is_left_when_the_adapter_is_closed(self) -> None:
        """
        The broker ends with `close`, which may come twice.
        """
        adapter = NatsAdapter()
        adapter.open(Topology.of(2))
        process = adapter._broker._process
        folder = adapter._broker._folder
        assert process is not None
        assert folder is not None

        adapter.close()
        adapter.close()

        assert not is_running(process.pid)
        assert not folder.exists()

    @pytest.mark.parametrize("end", ["", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
    def test_none_is_left_when_ours_ends(self, end: str) -> None:
        """
        However that happens: nobody has to be asked to close anything.
        """
        program = (
            "from shardproof.adapter import Topology; from shardproof.adapters.nats import NatsAdapter\n"
            "adapter = NatsAdapter(); adapter.open(Topology.of(2))\n"
            f"print(adapter._broker._process.pid, adapter._broker._folder, flush=True)\n{end}"
        )

        said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

        pid, folder = said.stdout.split()
        for _ in range(500):
            if not is_running(int(pid)):
                break
            time.sleep(0.01)
        assert not is_running(int(pid))
        # Whoever is killed cannot tidy up behind itself.
        assert Path(folder).exists() == bool(end)


def is_running(pid: int) -> bool:
    """Whether there is such a process, and it is not one that has ended and waits for its parent."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


class TestStarting:
    def test_a_broker_that_ends_at_once_is_reported(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        If it cannot start, that is said, and with which code it ended.
        """
        adapter = NatsAdapter()
        monkeypatch.setattr("shardproof.adapters.nats_broker._binary", lambda: "/bin/false")

        with pytest.raises(AdapterError, match="does not start") as caught:
            adapter.open(Topology.of(2))
        adapter.close()

        assert dict(caught.value.facts)["got"] == "exit code 1"


class TestVariants:
    def test_are_loaded_by_name(self) -> None:
        """
        The seam knows each, and says what is near to another.
        """
        assert [load(f"nats{name}") for name in ("", ":window", ":inbox")] == [
            NatsAdapter,
            WindowAdapter,
            InboxAdapter,
        ]
        with pytest.raises(UsageError, match="no variant 'windw'") as caught:
            variant("windw")
        assert dict(caught.value.facts)["help"] == "did you mean 'window'?"

    def test_can_do_what_they_say(self) -> None:
        """
        A broker that is killed loses power; one that forgets has a clock.
        """
        common = {"settle", "state_root", "forge"}

        assert capabilities(NatsAdapter()) == common | {"crash", "restart"}
        assert capabilities(WindowAdapter()) == common | {"advance_clock"}
        assert capabilities(InboxAdapter()) == common | {"advance_clock", "restart"}

    def test_say_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without the client or the broker there is a command to run, and no traceback.
        """
        command = "run: pip install 'shardproof[broker]'"
        monkeypatch.setattr("importlib.metadata.files", lambda _: None)
        adapter = NatsAdapter()
        with pytest.raises(MissingPartError, match="program is not installed") as caught:
            adapter.open(Topology.of(2))
        adapter.close()
        assert dict(caught.value.facts)["help"] == command

        monkeypatch.setitem(sys.modules, "shardproof.adapters.nats_broker", None)
        monkeypatch.delattr("shardproof.adapters.nats_broker")
        with pytest.raises(MissingPartError, match="client library is not installed") as caught:
            NatsAdapter()
        assert dict(caught.value.facts)["help"] == command


def searched(make: type[Adapter], seed: int, steps: int) -> Report:
    """One search, as `shardproof fuzz` would do it."""
    return fuzz(make, "it", Plan(seed, steps=steps), clock=lambda: 0.0)


#: Property -> the length of the shortest trace that shows it: sent, sealed, published, time, published.
EXPECTED: dict[str, dict[str, int]] = {"": {}, "window": {"executes-at-most-once": 5}, "inbox": {}}
STEPS = {"": 200, "window": 40, "inbox": 250}


@pytest.mark.heavy
class TestVerdicts:
    def test_hold_within_the_window(self) -> None:
        """
        Whatever the broker is killed in.
        """
        report = searched(NatsAdapter, 1, STEPS[""])

        assert report.findings == ()
        assert report.verdict is Verdict.HOLDS


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", EXPECTED)
def test_verdicts_do_not_depend_on_the_seed(name: str, seed: int) -> None:
    """
    Five seeds of five; beyond the window, the second execution is found by whoever looks.
    """
    report = searched(type(variant(name)()), seed, 2 * STEPS[name])

    assert {f.property: len(f.trace.steps) for f in report.findings} == EXPECTED[name]


@pytest.mark.deep
def test_who_remembers_nothing_executes_twice() -> None:
    """
    A broker that is killed hands out again also what was acknowledged, which nobody must execute again.
    """

    class Forgetful(PositionShard):
        """Relies on its acknowledgements alone."""

        def is_consumed(self, key: bytes) -> bool:
            return False

    class Relying(NatsAdapter):
        """Shards like that."""

        shard_type = Forgetful

    report = searched(Relying, 1, 150)

    assert [finding.property for finding in report.findings] == ["executes-at-most-once"]
