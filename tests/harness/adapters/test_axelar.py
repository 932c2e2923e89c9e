"""Axelar's gateways: batches that approve, are ignored when they come again, and move tokens."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from attrs import evolve

from sample_systems.honest_relayer import opened, produced, proved
from shardproof.adapter import (
    ACCEPTED,
    Delivery,
    Execution,
    Message,
    Outcome,
    Refused,
    capabilities,
)
from shardproof.adapters.axelar import BATCH, ENDOWMENT, QUORUMS, AxelarAdapter, Call, approval, signed
from shardproof.adapters.evm.interface import encoded
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load

pytestmark = pytest.mark.needs("axelar-gateway")


@pytest.fixture
def system() -> Iterator[AxelarAdapter]:
    yield from opened(AxelarAdapter)


def sent(system: AxelarAdapter, payload: bytes, amount: int = 3, destination: str = "B") -> bytes:
    receipt = system.send(Message("A", destination, payload, amount=amount))
    assert isinstance(receipt, bytes)
    return receipt


def holdings(system: AxelarAdapter) -> list[int]:
    return [system.balance(shard) - ENDOWMENT for shard in "ABC"]


def test_moves_value_and_makes_none(system: AxelarAdapter) -> None:
    """What is burnt here is minted there, once; on the way it is nobody's."""
    receipt = sent(system, b"first")
    on_the_way = holdings(system)
    delivery = proved(system, "B", receipt, produced(system, "A"))

    outcomes = [system.deliver(delivery) for _ in range(3)]

    # The gateway takes the batch each time, and ignores what it has executed.
    assert outcomes == [ACCEPTED] * 3
    assert system.executed("B", 0) == [Execution(b"first", "A")]
    assert (on_the_way, holdings(system)) == ([-3, 0, 0], [-3, 3, 0])


def test_executes_all_of_a_batch(system: AxelarAdapter) -> None:
    """A batch approves every call to its chain that it has; each is executed once, also under a later one."""
    receipts = [sent(system, b"%d" % i, amount=i) for i in range(3)]
    sent(system, b"elsewhere", destination="C")
    system.deliver(proved(system, "B", receipts[1], produced(system, "A")))
    sent(system, b"3")
    system.deliver(proved(system, "B", receipts[0], produced(system, "A")))

    executed = system.executed("B", 0)

    assert sorted(x.payload for x in executed) == [b"0", b"1", b"2", b"3"]
    assert system.executed("C", 0) == []
    assert holdings(system)[1] == 0 + 1 + 2 + 3


def test_refuses_a_batch_that_is_not_signed_for(system: AxelarAdapter) -> None:
    """Too little weight, another chain, another batch, damaged signatures: nothing happens, in its words."""
    delivery = proved(system, "B", sent(system, b"payload"), produced(system, "A"))
    place = delivery.header[:8]
    light, heavy = signed(delivery.evidence, (0, 1)), signed(delivery.evidence, QUORUMS[0])
    low = evolve(delivery, header=place + light.join((bytes(len(heavy)), b"")))

    outcomes = {
        "LowSignaturesWeight()": low,
        "MalformedSigners()": evolve(delivery, evidence=delivery.evidence + bytes(32)),
        "without a reason": evolve(delivery, header=b""),
        "InvalidOperators()": evolve(delivery, header=delivery.header.replace(bytes([3]), bytes([4]))),
    }

    assert {why: system.deliver(shown) for why, shown in outcomes.items()} == {
        why: Refused(why) for why in outcomes
    }
    assert system.executed("B", 0) == []


def test_believes_no_receipt_beside_the_batch(system: AxelarAdapter) -> None:
    """A call that nobody made, or with more value, has no approval, whatever batch it comes with."""
    delivery = proved(system, "B", sent(system, b"payload"), produced(system, "A"))
    richer = evolve(Call.of(delivery.receipt), amount=1_000).encoded()

    for receipt in (richer, system.forge("A", "B", b"mint"), b""):
        system.deliver(evolve(delivery, receipt=receipt))

    # The batch was good, and what it approves is executed as it was sent.
    assert system.executed("B", 0) == [Execution(b"payload", "A")]
    assert holdings(system) == [-3, 3, 0]


@pytest.mark.parametrize(
    "message,why",
    [
        (Message("A", "B", b"x", amount=1, claimed=2), "TokenTransferFailed()"),
        (Message("A", "B", b"x", amount=1, asset=1), "TokenDoesNotExist(TKN1)"),
        (Message("A", "B", b"x", amount=ENDOWMENT + 1), "TokenTransferFailed()"),
        (Message("A", "B", b"x", amount=1, entrance=1), "there is no other way in"),
    ],
)
def test_sends_only_what_is_paid(system: AxelarAdapter, message: Message, why: str) -> None:
    """More than was paid, what is not there, and what is worth nothing: refused, and nothing is taken."""
    answer = system.send(message)

    assert isinstance(answer, Refused)
    assert answer.reason.startswith(why)
    assert holdings(system) == [0, 0, 0]


def test_has_value_and_certifies_itself() -> None:
    """There is no light client to teach, and nothing to finalise or revert."""
    assert capabilities(AxelarAdapter()) == {"send", "balance", "forge", "snapshot", "restore"}
    assert load("axelar") is AxelarAdapter


class ObligingOperators(AxelarAdapter):
    """Operators who sign an approval of whatever call a relayer names."""

    def deliver(self, delivery: Delivery) -> Outcome:
        """By a batch and a proof that are made for the occasion."""
        to = self.shards[delivery.destination]
        call = Call.of(delivery.receipt)
        columns = [(x,) for x in approval(call, to.receiver.address)]
        batch = encoded(BATCH, (to.number, *columns))
        header = bytes(8) + signed(batch, QUORUMS[0]) * 3
        return super().deliver(evolve(delivery, header=header, evidence=batch))


@pytest.mark.heavy
def test_operators_who_sign_anything_are_found_out() -> None:
    """The same gateways and the same search: the verdict is about whose signatures count."""
    ticks = itertools.count()
    plan = Plan(1, steps=300)

    report = fuzz(ObligingOperators, "obliging", plan, clock=lambda: float(next(ticks)))

    assert "executes-only-what-was-emitted" in {f.property for f in report.findings}
