"""
What must be true of the adapter, the quick things first: python -m pytest test_my_adapter.py

While you put your system in the place of the stub, the first test that is red says which verb comes
next. When all are green, `shardproof check` searches longer, and `shardproof doctor` says what more
could be checked.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shardproof.adapter import PENDING, Delivery, Outcome, Refused, Topology, capabilities
from shardproof.random_runs import random_runs
from shardproof.templates.python.my_adapter import MyAdapter


@pytest.fixture
def system() -> Iterator[MyAdapter]:
    """Two shards, A and B, new and empty: verbs 1 and 2, `open` and `close`."""
    adapter = MyAdapter()
    adapter.open(Topology.of(2))
    yield adapter
    adapter.close()


def delivery(system: MyAdapter, payload: bytes) -> Delivery:
    """A message from A to B, as an honest relayer presents it: verbs 3, 4 and 5."""
    receipt = system.emit("A", "B", payload)
    assert isinstance(receipt, bytes), f"emit returns the receipt, and not {receipt}"
    header = system.produce("A")
    assert isinstance(header, bytes), f"produce returns the header, and not {header}"
    if "finalise" in capabilities(system):
        final = system.finalise("A", header)
        assert isinstance(final, bytes), f"finalise returns the header, and not {final}"
        header = final
    if "learn" in capabilities(system):
        settled(system, system.learn("B", header))
    evidence = system.prove(receipt, header)
    assert isinstance(evidence, bytes), f"prove returns the evidence, and not {evidence}"
    return Delivery("B", receipt, header, evidence)


def settled(system: MyAdapter, answer: Outcome) -> Outcome:
    """What B answered, once it has come to rest where it answers later."""
    if answer == PENDING:
        system.settle("B")
    return answer


def test_a_message_takes_effect(system: MyAdapter) -> None:
    """Verbs 6 and 7: what is presented honestly is accepted, and the application sees its payload."""
    answer = settled(system, system.deliver(delivery(system, b"hello")))
    assert not isinstance(answer, Refused), f"an honest delivery is accepted, and not {answer}"

    assert list(system.executed("B", 0)) == [b"hello"]
    assert list(system.executed("B", 1)) == []
    assert list(system.executed("A", 0)) == []


def test_nonsense_has_no_effect(system: MyAdapter) -> None:
    """An adversary presents any bytes: nothing is raised, and nothing takes effect."""
    honest = delivery(system, b"hello")

    for receipt, header, evidence in (
        (b"", b"", b""),
        (honest.receipt + b"!", honest.header, honest.evidence),
        (honest.receipt, honest.header[:-1], honest.evidence),
    ):
        settled(system, system.deliver(Delivery("B", receipt, header, evidence)))
    assert list(system.executed("B", 0)) == []


def test_open_starts_from_nothing(system: MyAdapter) -> None:
    """A run must not see what the run before has left."""
    settled(system, system.deliver(delivery(system, b"hello")))

    system.open(Topology.of(2))

    assert list(system.executed("B", 0)) == []


def test_random_runs() -> None:
    """Random and adversarial runs, each step compared with the model: a failure is a story, and short."""
    random_runs(MyAdapter, steps=2_000)
