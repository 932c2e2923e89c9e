"""A system whose headers commit to the receipts of their own block alone: said so, and not said so."""

from __future__ import annotations

import itertools

import pytest

from shardproof.adapter import Adapter
from shardproof.adapters.reference import OwnBlocksAdapter
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.verdict import Report, Verdict

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy


class SaysNothing(OwnBlocksAdapter):
    """The same system, held to what later headers of most systems commit to."""

    stack = ""


class WithoutLightClients(OwnBlocksAdapter):
    """Shards that know of each other's final headers by themselves, and never go back."""

    learn, revert = Adapter.learn, Adapter.revert

    def finalise(self, shard: str, header: bytes) -> bytes:
        final = super().finalise(shard, header)
        assert isinstance(final, bytes)
        for other in self._shards.values():
            other.learn(final)
        return final


def searched(make: type[Adapter], steps: int, depth: int = 60) -> Report:
    """A short search."""
    ticks = itertools.count()
    return fuzz(make, "mine", Plan(1, steps=steps, depth=depth), clock=lambda: float(next(ticks)))


@pytest.mark.parametrize("make", [OwnBlocksAdapter, WithoutLightClients])
def test_one_that_says_so_holds(make: type[Adapter]) -> None:
    """
    Also without what the stack has besides: that is a matter of its verbs.
    """
    report = searched(make, 3_000)

    assert (report.verdict, report.reasons) == (Verdict.HOLDS, ())


def test_in_a_long_run_what_no_block_proves_any_more_is_let_go() -> None:
    """
    Old blocks are forgotten, and with them what only they commit to; what is under way is still delivered.
    """
    report = searched(OwnBlocksAdapter, 6_000, depth=2_000)

    assert report.findings == ()
    assert report.work["executed"] > 80


def test_one_that_does_not_is_told_what_to_say() -> None:
    """
    A later header does not prove an earlier receipt, and perhaps need not.
    """
    report = searched(SaysNothing, 1_000)

    (found,) = report.findings
    assert found.property == "delivers-what-is-due"
    assert found.trace.violation is not None
    assert found.trace.violation.actual == "refused, not committed to"
    assert found.trace.explanation is not None
    assert 'say so, by `stack = "own-blocks"` in the adapter' in found.trace.explanation.look_for
