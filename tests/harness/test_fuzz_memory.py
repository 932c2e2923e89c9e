"""What a shard executes again after many others: with the fewest of them, or how far it was looked."""

from __future__ import annotations

import itertools

import pytest

from shardproof.adapter import ACCEPTED, Delivery, Outcome, Topology
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.engines.fuzz.memory import BATCH, Memory
from shardproof.lockstep import Lockstep
from shardproof.moves import Move
from shardproof.oracle import SLOTS_MAX, Oracle
from shardproof.record import Sent
from shardproof.render import text
from shardproof.runs import Bench, Found
from shardproof.schedule import Schedule
from shardproof.templates.python.my_adapter import MyAdapter
from shardproof.verdict import Report, Verdict
from shardproof_models.stacks import composed, layers_for

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy


class Window(set[bytes]):
    """The last few of what was added."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.order: list[bytes] = []

    def add(self, element: bytes) -> None:
        super().add(element)
        self.order.append(element)
        if len(self.order) > self.size:
            self.discard(self.order.pop(0))


class Forgetful(MyAdapter):
    """Remembers the last twenty receipts of each shard."""

    size = 20

    def open(self, topology: Topology) -> None:
        super().open(topology)
        self._system.consumed = {shard: Window(self.size) for shard in topology.shards}


class RemembersHundreds(Forgetful):
    """Remembers more than the harness has room for."""

    size = SLOTS_MAX + 44


class TakesFew(MyAdapter):
    """Executes nothing after the first ten: a system that is full learns nothing about its memory."""

    def open(self, topology: Topology) -> None:
        super().open(topology)
        self._system.consumed = {shard: Full() for shard in topology.shards}


class ExecutesAllThatIsThere(MyAdapter):
    """Executes, with what is delivered, everything else that its header commits to."""

    def deliver(self, delivery: Delivery) -> Outcome:
        answer = super().deliver(delivery)
        if answer == ACCEPTED:
            for other in self._system.blocks[delivery.header]:
                evidence = self.prove(other, delivery.header)
                assert isinstance(evidence, bytes)
                super().deliver(Delivery(delivery.destination, other, delivery.header, evidence))
        return answer


class Full(set[bytes]):
    """Says of everything that it is there, once ten things are."""

    def __contains__(self, element: object) -> bool:
        return len(self) >= 10 or super().__contains__(element)


def searched(make: type[MyAdapter], steps: int) -> Report:
    """A short search."""
    ticks = itertools.count()
    return fuzz(make, "mine", Plan(1, steps=steps), clock=lambda: float(next(ticks)))


def test_the_fewest_others_are_found_and_told() -> None:
    """
    A window of twenty: after nineteen others the receipt is refused, and after twenty executed again.
    """
    report = searched(Forgetful, 2_500)

    (found,) = report.findings
    assert found.property == "executes-at-most-once"
    assert len(found.trace.steps) == 2 * 21 + 2
    told = found.trace.explanation
    assert told is not None
    assert told.refused_instead == (
        "the same is refused (executed before) where 19 others, and not 20, are executed in between"
    )
    assert told.look_for.startswith("Look at how much is remembered of what was executed")
    assert "how long a shard remembers" not in report.tables
    drawn = text.trace(found.trace, 96, ascii_only=True)
    assert drawn.count("... 18 steps like these are left out ...") == 2


def test_what_holds_says_how_far_it_was_looked() -> None:
    """
    What is forgotten after more others is not said to be remembered.
    """
    report = searched(MyAdapter, 2_500)

    assert report.verdict is Verdict.HOLDS
    assert report.work["refused_after_others"] == 32
    ((_, said),) = report.tables["how long a shard remembers"]
    assert said == "refused when 32 others were executed after it; what is forgotten later nobody looked for"


def test_a_first_receipt_outlasts_what_is_kept_in_mind() -> None:
    """
    A long run forgets what was executed long ago, but not the receipt that it is about.
    """
    memory, bench = a_memory(RemembersHundreds)
    memory.others, memory.refused_after = 320, 256

    found = memory.longer(bench.fresh)

    assert found is not None
    assert RemembersHundreds.size > BATCH
    assert memory.refused_after == RemembersHundreds.size - 1


def test_a_system_that_takes_no_more_ends_it() -> None:
    """
    Nothing is found, nothing is claimed, and it is not tried again.
    """
    memory, bench = a_memory(TakesFew)

    assert memory.longer(bench.fresh) is None or memory.over
    assert memory.refused_after == 0
    assert not memory.due(1_000_000)


def test_what_is_executed_along_with_another_is_one_of_the_others() -> None:
    """
    Of a system that executes a whole block at once, no more is sent than there are to be others.
    """
    memory, bench = a_memory(ExecutesAllThatIsThere)
    memory.others = 64

    assert memory.longer(bench.fresh) is None
    assert memory.refused_after == 64
    assert isinstance(bench.adapter, ExecutesAllThatIsThere)
    assert len(bench.adapter._system.outgoing["A"]) == 1 + 64


def test_what_is_executed_by_no_delivery_cannot_be_delivered_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where a block executes what waits for it, nothing is learned of memory, and nothing is claimed.
    """
    memory, bench = a_memory(MyAdapter)
    executed = Memory._executed

    def by_something_else(self: Memory, lock: Lockstep, sent: Sent, moves: list[Move]) -> None:
        executed(self, lock, sent, moves)

    monkeypatch.setattr(Memory, "_executed", by_something_else)

    assert memory.longer(bench.fresh) is None
    assert (memory.over, memory.refused_after) == (True, 0)


def test_a_run_that_is_not_over_in_time_says_nothing() -> None:
    """
    It is given up between two batches, and what was known before is all that is known.
    """
    memory, bench = a_memory(MyAdapter)
    memory.late = lambda: True

    assert memory.longer(bench.fresh) is None
    assert (memory.over, memory.refused_after) == (True, 0)


def a_memory(make: type[MyAdapter]) -> tuple[Memory, Bench]:
    """Long runs of one system, without the search around them."""
    adapter = make()
    bench = Bench(adapter, Oracle.for_run(composed(layers_for(frozenset())), 2, 100), Topology.of(2))
    schedule = Schedule(bench.lock, {})

    def take(move: Move, moves: list[Move]) -> Found | None:
        moves.append(move)
        wrong = bench.lock.run(move)
        if wrong is not None:
            return Found(bench.named(wrong, moves), tuple(moves))
        schedule.note(move)
        return None

    return Memory(schedule, take), bench
