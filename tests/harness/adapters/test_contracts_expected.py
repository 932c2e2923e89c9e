"""
What is expected of each third-party contract: what holds, what is violated and why, what does not apply.

One seed of each is searched for every change, and five at night. What a search is asked here
is asked of a clock that counts its own looks, so nothing depends on how fast a machine is.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from attrs import field, frozen

from sample_systems.at_hand import must_be_at_hand
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.replay import replay
from shardproof.verdict import Report, Verdict

#: What every one of these is asked.
RELAYED = frozenset(
    {
        "executes-at-most-once",
        "executes-only-what-was-emitted",
        "executes-only-on-final-headers",
        "executes-at-its-destination",
        "executes-only-on-trusted-headers",
        "delivers-what-is-due",
        "waits-for-no-other-shard",
        "is-not-jammed-by-another-receipt",
    }
)

#: What none of these can be asked, because none has the verbs: no light client, nothing is taken back.
LEARNED = frozenset(
    {
        "trusts-only-produced-headers",
        "trusts-only-final-headers",
        "learns-what-is-final",
        "reverts-atomically",
    }
)


@frozen
class Expected:
    """The verdict on one system."""

    parts: tuple[str, ...]
    #: Property -> why it is violated.
    violated: Mapping[str, str] = field(factory=dict)
    #: Property -> how the same mistake violates it too; a short search may not come across it.
    consequences: Mapping[str, str] = field(factory=dict)
    #: The number of steps of the shortest trace that is known.
    steps: int = 0
    #: How many steps a search needs at least to have tried everything.
    enough: int = 700
    #: What is asked besides `RELAYED`.
    also: frozenset[str] = frozenset()


EXPECTED: Mapping[str, Expected] = {
    "hyperlane": Expected(("hyperlane-core",)),
    "hyperlane:noop-ism": Expected(
        ("hyperlane-core",),
        {"executes-only-what-was-emitted": "the security module accepts everything"},
        {"executes-at-most-once": "a message with its nonce changed is another one, with the same body"},
        steps=1,
    ),
    "openzeppelin:4.9.1": Expected(
        ("solc", "openzeppelin-4.9.1"),
        {"executes-only-what-was-emitted": "GHSA-wprv-93r4-jj2p: a node that was never made reads as zero"},
        steps=3,
    ),
    "axelar": Expected(
        ("axelar-gateway",),
        also=frozenset(
            {"books-balance", "emission-debits-what-is-carried", "execution-credits-what-is-carried"}
        ),
    ),
    "nxtp": Expected(
        ("nxtp",),
        enough=1_500,
        also=frozenset(
            {
                "books-balance",
                "emission-debits-what-is-carried",
                "execution-credits-what-is-carried",
                "refund-returns-what-was-carried",
                "failure-credits-nothing",
                "fails-atomically",
                "never-both",
                "has-one-outcome",
                "acknowledges-truthfully",
                "reaches-an-outcome",
                "attains-its-deadline",
            }
        ),
    ),
    "openzeppelin:4.9.2": Expected(("solc", "openzeppelin-4.9.2")),
}


def searched(name: str, steps: int, seed: int) -> Report:
    """A search of so many steps."""
    must_be_at_hand(*EXPECTED[name].parts)
    ticks = itertools.count()
    return fuzz(load(name), name, Plan(seed, steps=steps), clock=lambda: float(next(ticks)))


def agrees(name: str, report: Report) -> None:
    """The report says what is expected, and no more."""
    expected = EXPECTED[name]
    found = {f.property for f in report.findings}
    assert {*expected.violated} <= found <= {*expected.violated, *expected.consequences}, report.findings
    assert report.verdict is (Verdict.VIOLATED if expected.violated else Verdict.HOLDS), report.reasons
    assert {*report.properties} >= RELAYED | expected.also
    assert not {*report.properties} & LEARNED


@pytest.mark.heavy
@pytest.mark.parametrize("name", EXPECTED)
def test_the_verdict_is_the_expected_one(name: str) -> None:
    """One seed: what is violated is found, as short as it is known to be, and replays; nothing else is."""
    report = searched(name, EXPECTED[name].enough, seed=1)

    agrees(name, report)
    for finding in report.findings:
        if finding.property in EXPECTED[name].violated:
            assert len(finding.trace.steps) == EXPECTED[name].steps
        assert replay(load(name), name, finding.trace).reproduced


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", EXPECTED)
def test_the_verdict_does_not_depend_on_the_seed(name: str, seed: int) -> None:
    """Five seeds, and longer."""
    agrees(name, searched(name, 30_000, seed))
