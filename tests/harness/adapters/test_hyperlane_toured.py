"""Tours of Hyperlane's contracts: every transition that they let happen, and an adversary at each world."""

from __future__ import annotations

import itertools

import pytest

from shardproof.adapters.hyperlane import HyperlaneAdapter, NoopIsmAdapter
from shardproof.engines.tour import Plan, tour
from shardproof.verdict import Report, Verdict

pytestmark = pytest.mark.needs("hyperlane-core")

#: Small enough for a test: two receipts that cross.
CROSSING = {"shards": 2, "receipts": 2, "headers": 1}


def toured(make: type[HyperlaneAdapter]) -> Report:
    """A tour of the small scope, by a clock that counts its own looks."""
    ticks = itertools.count()
    return tour(make, make.name, Plan(CROSSING, alone=True), clock=lambda: float(next(ticks)))


def test_every_transition_is_exercised_by_branching() -> None:
    """
    The contracts return to snapshots, so there is one reset. A checkpoint over nothing they do not
    certify: that is declined, and what only such a checkpoint leads to is not counted either.
    """
    report = toured(HyperlaneAdapter)

    assert report.verdict is Verdict.HOLDS
    assert report.work["exercised"] == report.work["transitions"] == 24
    assert report.work["resets"] == 1
    assert report.work["branches"] > 0
    declined = report.tables["declined by the system, and not counted"]
    assert ("produce", "8: nothing was ever dispatched") in declined


def test_a_module_that_accepts_everything_is_found_out() -> None:
    """Mailboxes have been deployed like that."""
    report = toured(NoopIsmAdapter)

    assert "executes-only-what-was-emitted" in {f.property for f in report.findings}
