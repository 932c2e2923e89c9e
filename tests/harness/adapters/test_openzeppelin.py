"""OpenZeppelin's Merkle proofs: what the inbox takes, and what only the older version lets through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import evolve

from sample_systems.honest_relayer import emitted, opened, produced, proved
from shardproof.adapter import ACCEPTED, Delivery, Execution, Multiproof, Refused, Topology, capabilities
from shardproof.adapters.evm.extras import keccak
from shardproof.adapters.openzeppelin import (
    VARIANTS,
    OpenZeppelin491Adapter,
    OpenZeppelin492Adapter,
    OpenZeppelinAdapter,
    leaf,
    levels,
    variant,
)
from shardproof.errors import UsageError
from shardproof.loading import load
from shardproof.multiproofs import REBUILT, SHAPES, rebuilt

pytestmark = pytest.mark.needs("solc", "openzeppelin-4.9.1", "openzeppelin-4.9.2")


@pytest.fixture(params=VARIANTS)
def system(request: pytest.FixtureRequest) -> Iterator[OpenZeppelinAdapter]:
    yield from opened(VARIANTS[request.param])


def honest(system: OpenZeppelinAdapter, payloads: int = 1, at: int = 0) -> Delivery:
    """The delivery of one of several messages from A to B."""
    receipts = [emitted(system, "A", "B", b"payload %d" % i) for i in range(payloads)]
    return proved(system, "B", receipts[at], produced(system, "A"))


class TestInbox:
    @pytest.mark.parametrize("payloads", [1, 2, 3, 5, 8])
    def test_takes_each_message_once(self, system: OpenZeppelinAdapter, payloads: int) -> None:
        """Trees that are full, and trees that are filled up with zeros."""
        for at in range(payloads):
            system.open(Topology.of(3))
            delivery = honest(system, payloads, at)

            outcomes = [system.deliver(delivery), system.deliver(delivery)]

            assert outcomes == [ACCEPTED, Refused("consumed")]
            assert system.executed("B", 0) == [Execution(b"payload %d" % at, "A")]

    def test_takes_several_leaves_at_once(self, system: OpenZeppelinAdapter) -> None:
        """A multiproof of two leaves is as good as one of each, whichever of them is shown."""
        delivery = honest(system, 5, 2)
        for number in range(2):
            both = rebuilt(system, delivery.evidence, delivery.receipt, "beside", number)
            before = system.snapshot()

            assert both != delivery.evidence
            assert system.deliver(evolve(delivery, evidence=both)) == ACCEPTED
            system.restore(before)

    def test_refuses_in_its_own_words(self, system: OpenZeppelinAdapter) -> None:
        """Strings of the inbox and of the library, and the language's own panic."""
        delivery = honest(system, 2)
        other = system.produce("C")
        assert isinstance(other, bytes)
        nobody = system.assemble_multiproof(Multiproof((), 0, (), ()))

        refusals = {
            "malformed header": evolve(delivery, header=delivery.header[:-1]),
            "ECDSA: invalid signature": evolve(delivery, header=bytes(109)),
            "wrong source": evolve(delivery, header=other),
            "wrong destination": evolve(delivery, destination="C"),
            "unproven": evolve(delivery, receipt=delivery.receipt + b"!"),
            "panic, index out of bounds": evolve(delivery, evidence=nobody),
            "without a reason": evolve(delivery, evidence=b""),
        }

        assert {why: system.deliver(shown) for why, shown in refusals.items()} == {
            why: Refused(why) for why in refusals
        }


@pytest.mark.parametrize("kind", REBUILT)
@pytest.mark.parametrize("payloads", [1, 2, 3])
def test_only_the_older_version_takes_what_it_never_looked_at(kind: str, payloads: int) -> None:
    """
    Of every multiproof that the adversary can write, one kind proves a leaf that is not there, and only
    where zero stands below the root; and the newer version refuses it.
    """
    taken = {}
    for version, make in VARIANTS.items():
        system = make()
        system.open(Topology.of(2))
        delivery = honest(system, payloads)
        forged = system.forge("A", "B", b"mint")
        outcomes = [
            system.deliver(Delivery("B", forged, delivery.header, evidence))
            for number in range(SHAPES)
            for evidence in [rebuilt(system, delivery.evidence, delivery.receipt, kind, number)]
        ]
        taken[version] = (ACCEPTED in outcomes, system.executed("B", 0))

    forgeable = kind == "unread" and payloads == 1
    assert taken["4.9.2"] == (False, [])
    assert taken["4.9.1"] == ((True, [Execution(b"mint", "A")]) if forgeable else (False, []))


def test_the_tree_is_that_of_the_library() -> None:
    """Sorted pairs, leaves hashed twice, zeros where nothing was sent."""
    first, second, third = (leaf(b"%d" % i) for i in range(3))

    def pair(x: bytes, y: bytes) -> bytes:
        return keccak(min(x, y) + max(x, y))

    assert levels(())[-1] == (keccak(bytes(64)),)
    assert levels((first,))[-1] == (pair(first, bytes(32)),)
    assert levels((first, second, third))[-1] == (pair(pair(first, second), pair(third, bytes(32))),)


def test_versions_are_loaded_by_name() -> None:
    """The seam knows both; without a version it is the one that is mended."""
    assert load("openzeppelin:4.9.1") is OpenZeppelin491Adapter
    assert load("openzeppelin") is load("openzeppelin:4.9.2") is OpenZeppelin492Adapter
    with pytest.raises(UsageError, match=r"no version '4\.9'"):
        variant("4.9")


def test_certifies_itself() -> None:
    """There is no light client to teach, and the adversary may write multiproofs."""
    able = {"forge", "dissect", "assemble", "assemble_multiproof", "leaf", "snapshot", "restore"}

    assert capabilities(OpenZeppelin492Adapter()) == able
