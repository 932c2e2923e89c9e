"""Connext's swaps: each transfer is fulfilled and claimed, or cancelled, or it expires and is given back."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from attrs import evolve

from sample_systems.honest_relayer import opened, produced
from shardproof.adapter import (
    ACCEPTED,
    Delivery,
    Ended,
    Ending,
    Execution,
    Message,
    Refused,
    capabilities,
)
from shardproof.adapters.evm.extras import keccak
from shardproof.adapters.evm.signer import Signer, recovered
from shardproof.adapters.nxtp import ENDOWMENT, LIQUIDITY, NxtpAdapter, Transfer, router
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load

pytestmark = pytest.mark.needs("nxtp")


@pytest.fixture
def system() -> Iterator[NxtpAdapter]:
    yield from opened(NxtpAdapter)


def sent(system: NxtpAdapter, payload: bytes = b"payload", amount: int = 3, deadline: int = 2) -> bytes:
    receipt = system.send(Message("A", "B", payload, amount=amount, deadline=deadline))
    assert isinstance(receipt, bytes)
    return receipt


def shown(at: str, receipt: bytes, header: bytes, evidence: bytes | Refused) -> Delivery:
    assert isinstance(evidence, bytes)
    return Delivery(at, receipt, header, evidence)


def delivery(system: NxtpAdapter, receipt: bytes) -> Delivery:
    header = produced(system, "A")
    return shown("B", receipt, header, system.prove(receipt, header))


def users_hold(system: NxtpAdapter) -> list[int]:
    return [system.balance(shard) - ENDOWMENT for shard in "ABC"]


def locked(system: NxtpAdapter) -> list[int]:
    """What managers hold beyond the liquidity that they began with."""
    shards = system.shards.values()
    return [x.token.call("balanceOf", x.manager.address) - LIQUIDITY for x in shards]


def liquid(system: NxtpAdapter) -> list[int]:
    """What the router can take back, beyond what it began with."""
    shards = system.shards.values()
    return [x.manager.call("routerBalances", router().address, x.token.address) - LIQUIDITY for x in shards]


def test_a_transfer_is_fulfilled_and_claimed(system: NxtpAdapter) -> None:
    """The user pays here and is paid there, the router the other way round; each step once."""
    receipt = sent(system)
    honest = delivery(system, receipt)
    delivered = [system.deliver(honest), system.deliver(honest)]
    header = produced(system, "B")
    outcome = shown("A", receipt, header, system.prove_outcome(receipt, header))
    told = [system.acknowledge(outcome), system.acknowledge(outcome)]

    assert delivered == told == [ACCEPTED, Refused("#F:019")]
    assert system.executed("B", 0) == [Execution(b"payload", "A")]
    assert system.ended("A", 0) == [Ended(b"payload", Ending.SUCCEEDED)]
    assert system.prove_absence(receipt, header) == Refused("nobody has signed that")
    assert (users_hold(system), locked(system), liquid(system)) == ([-3, 3, 0], [3, -3, 0], [3, -3, 0])


def test_a_transfer_expires_and_is_given_back(system: NxtpAdapter) -> None:
    """At its deadline and not before, on the clock of its destination; then nobody can fulfil it."""
    receipt = sent(system)
    honest = delivery(system, receipt)
    system.advance_clock("B")
    header = produced(system, "B")
    early = system.prove_absence(receipt, header)
    system.advance_clock("B")
    header = produced(system, "B")
    expiry = shown("A", receipt, header, system.prove_absence(receipt, header))
    outcomes = [system.deliver(honest), system.time_out(expiry), system.time_out(expiry)]

    assert early == Refused("nobody has signed that")
    assert outcomes[1] == ACCEPTED
    assert all(isinstance(outcome, Refused) for outcome in (outcomes[0], outcomes[2]))
    assert system.executed("B", 0) == []
    assert system.ended("A", 0) == [Ended(b"payload", Ending.EXPIRED)]
    assert (users_hold(system), locked(system), liquid(system)) == ([0, 0, 0], [0, 0, 0], [0, 0, 0])


def test_a_transfer_is_cancelled_and_given_back(system: NxtpAdapter) -> None:
    """By the user's own signature, before it expires; then it is neither fulfilled nor said to expire."""
    receipt = sent(system)
    honest = delivery(system, receipt)
    unsigned = system.deliver_failing(evolve(honest, header=honest.header[:8] + bytes(130)))
    outcomes = [system.deliver_failing(honest), system.deliver(honest), system.deliver_failing(honest)]
    for _ in range(2):
        system.advance_clock("B")
    header = produced(system, "B")
    outcome = shown("A", receipt, header, system.prove_outcome(receipt, header))
    told = [system.acknowledge(outcome), system.acknowledge(outcome)]

    assert isinstance(unsigned, Refused)
    assert outcomes == [ACCEPTED, Refused("#F:019"), Refused("#C:019")]
    assert told == [ACCEPTED, Refused("#C:019")]
    assert system.prove_absence(receipt, header) == Refused("nobody has signed that")
    assert system.executed("B", 0) == []
    assert system.ended("A", 0) == [Ended(b"payload", Ending.FAILED)]
    assert (users_hold(system), locked(system), liquid(system)) == ([0, 0, 0], [0, 0, 0], [0, 0, 0])


def test_the_user_alone_releases_what_the_router_has_locked(system: NxtpAdapter) -> None:
    """His signature is about one transfer; no other one, no other bytes, nobody else's will do."""
    first, second = sent(system, b"first"), sent(system, b"second", amount=1)
    honest = delivery(system, first)
    other = system.prove(second, honest.header)
    assert isinstance(other, bytes)
    richer = evolve(Transfer.of(first), amount=1_000).encoded()
    stranger = Signer.named(b"stranger").sign_personally(keccak(b""))

    refused = [
        system.deliver(evolve(honest, evidence=other)),
        system.deliver(evolve(honest, receipt=richer)),
        system.deliver(evolve(honest, header=honest.header[:8] + stranger + bytes(65))),
        system.deliver(evolve(honest, header=b"")),
        system.deliver(evolve(honest, receipt=system.forge("A", "B", b"mint"))),
    ]

    assert all(isinstance(outcome, Refused) for outcome in refused)
    assert users_hold(system) == [-4, 0, 0]


def test_the_router_alone_gives_up_before_the_source_expires(system: NxtpAdapter) -> None:
    """A cancellation that somebody else has signed is his own transaction, and the manager refuses it."""
    receipt = sent(system)
    delivery(system, receipt)
    at = system.shards["A"]
    cancellation = system._cancellation(at, Transfer.of(receipt), Ending.EXPIRED)
    digest = at.digest("cancel", (cancellation,))
    stranger = Signer.named(b"stranger").sign(digest)

    assert recovered(digest, stranger) == Signer.named(b"stranger").address
    assert at.send_signed(stranger, "cancel", cancellation) == Refused("#C:025")
    assert at.send_signed(bytes(65), "cancel", cancellation) == Refused("a transaction without a signature")
    assert users_hold(system) == [-3, 0, 0]


@pytest.mark.parametrize(
    "message",
    [
        Message("A", "B", b"x", amount=1, claimed=2, deadline=1),
        Message("A", "B", b"x", amount=1, asset=1, deadline=1),
        Message("A", "B", b"x", amount=ENDOWMENT + 1, deadline=1),
        Message("A", "B", b"x", amount=1, entrance=1, deadline=1),
        Message("A", "B", b"x", amount=1),
        Message("A", "B", b"x", amount=1, deadline=0),
    ],
)
def test_takes_only_what_is_paid_and_expires(system: NxtpAdapter, message: Message) -> None:
    """More than was paid, what is no asset here, what nobody has, another way in, and what never expires."""
    assert isinstance(system.send(message), Refused)
    assert (users_hold(system), locked(system)) == ([0, 0, 0], [0, 0, 0])


def test_has_outcomes_and_value_and_certifies_itself() -> None:
    """There is no light client to teach, and nothing to finalise or revert."""
    outcomes = {
        "deliver_failing",
        "acknowledge",
        "time_out",
        "prove_outcome",
        "prove_absence",
        "ended",
        "advance_clock",
    }

    assert capabilities(NxtpAdapter()) == outcomes | {"send", "balance", "forge", "snapshot", "restore"}
    assert load("nxtp") is NxtpAdapter


class HastyRouter(NxtpAdapter):
    """A router that gives up a transfer as soon as it sees it, and not once it has expired."""

    def _outcome(self, transfer: Transfer) -> dict[tuple[str, bytes], bytes]:
        at = self._at(transfer.source)
        given_up = at.signed_call("cancel", self._cancellation(at, transfer, Ending.EXPIRED))
        return super()._outcome(transfer) | {("time out", transfer.id): bytes(65) + given_up}


@pytest.mark.heavy
def test_a_router_who_gives_up_too_early_is_found_out() -> None:
    """The same managers and the same search: what was given back is fulfilled as well."""
    ticks = itertools.count()

    report = fuzz(HastyRouter, "hasty", Plan(1, steps=1_000), clock=lambda: float(next(ticks)))

    assert "never-both" in {f.property for f in report.findings}
