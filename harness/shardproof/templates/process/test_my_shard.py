"""
What must be true of the process, the quick things first: python -m pytest test_my_shard.py

While you put your system in the place of the stub, the first test that is red says which verb comes
next. When all are green, `shardproof check` searches longer, and `shardproof doctor` says what more
could be checked.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shardproof.adapter import PENDING, Adapter, Delivery, Execution, Outcome, Refused, Topology, capabilities
from shardproof.loading import load
from shardproof.random_runs import random_runs

#: The process, as `--adapter` names it: another language has another command here.
COMMAND = f"cmd:{shlex.quote(sys.executable)} {shlex.quote(str(Path(__file__).with_name('my_shard.py')))}"


@pytest.fixture
def system() -> Iterator[Adapter]:
    """Two shards, A and B, new and empty: verbs 1 and 2, `open` and `close`."""
    adapter = load(COMMAND)()
    adapter.open(Topology.of(2))
    yield adapter
    adapter.close()


def delivery(system: Adapter, payload: bytes) -> Delivery:
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


def settled(system: Adapter, answer: Outcome) -> Outcome:
    """What B answered, once it has come to rest where it answers later."""
    if answer == PENDING:
        system.settle("B")
    return answer


def payloads(system: Adapter, shard: str, since: int = 0) -> list[bytes]:
    """What took effect at a shard."""
    return [x.payload if isinstance(x, Execution) else x for x in system.executed(shard, since)]


def test_a_message_takes_effect(system: Adapter) -> None:
    """Verbs 6 and 7: what is presented honestly is accepted, and the application sees its payload."""
    answer = settled(system, system.deliver(delivery(system, b"hello")))
    assert not isinstance(answer, Refused), f"an honest delivery is accepted, and not {answer}"

    assert payloads(system, "B") == [b"hello"]
    assert (payloads(system, "B", 1), payloads(system, "A")) == ([], [])


def test_nonsense_has_no_effect(system: Adapter) -> None:
    """An adversary presents any bytes: nothing is raised, and nothing takes effect."""
    honest = delivery(system, b"hello")

    for receipt, header, evidence in (
        (b"", b"", b""),
        (honest.receipt + b"!", honest.header, honest.evidence),
        (honest.receipt, honest.header[:-1], honest.evidence),
    ):
        settled(system, system.deliver(Delivery("B", receipt, header, evidence)))
    assert payloads(system, "B") == []


def test_open_starts_from_nothing(system: Adapter) -> None:
    """A run must not see what the run before has left."""
    settled(system, system.deliver(delivery(system, b"hello")))

    system.open(Topology.of(2))

    assert payloads(system, "B") == []


def test_random_runs() -> None:
    """Random and adversarial runs, each step compared with the model: a failure is a story, and short."""
    random_runs(COMMAND, steps=1_000)
