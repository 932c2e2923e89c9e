"""
What a run says of each property, engine by engine: for tables, and for machines that count tests.

An engine answers once, for all that it was asked. So a property of which nothing was found is only
said to hold where the engine says so; where it stopped at something else, or found no answer, neither
is said.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from attrs import frozen

from ..verdict import Finding, Report, Verdict, broken
from ..verdict import State as Deviation


class State(enum.Enum):
    """What is said of one property."""

    HOLDS = "holds"
    VIOLATED = "violated"
    #: Violated, and known to be.
    EXPECTED = "expected"
    #: The search ended with something else that it found.
    NOT_DECIDED = "not decided"
    INCONCLUSIVE = "inconclusive"
    NOT_APPLICABLE = "not applicable"
    #: Known to be violated, and no longer seen to be: the file of known deviations is wrong.
    GONE = "gone"


@frozen
class Outcome:
    """One engine's word on one property."""

    property: str
    state: State
    why: str = ""
    finding: Finding | None = None


def outcomes(report: Report) -> tuple[Outcome, ...]:
    """One for each property that an engine knows of, and at least one: nothing said is no pass."""
    said = {one.property: one for one in _outcomes(report)}
    if not said:
        state = _STATES[report.verdict]
        return (Outcome(report.engine, state, "; ".join(report.reasons) or report.checked),)
    return tuple(said.values())


_STATES = {
    Verdict.HOLDS: State.HOLDS,
    Verdict.VIOLATED: State.VIOLATED,
    Verdict.INCONCLUSIVE: State.INCONCLUSIVE,
}


def _outcomes(report: Report) -> Iterator[Outcome]:
    """As they come; of two of the same name the last one counts."""
    for name, why in report.not_applicable.items():
        yield Outcome(name, State.NOT_APPLICABLE, why)
    for name in report.properties:
        yield Outcome(name, *_unfound(report))
    for one in report.not_proved:
        yield Outcome(one.obligation, State.INCONCLUSIVE, one.result)
    for deviating in report.deviations:
        if deviating.state is Deviation.GONE:
            for name in deviating.names:
                yield Outcome(name, State.GONE, deviating.why or deviating.reason)
    for found in report.findings:
        known = report.expected(found)
        state = State.EXPECTED if known else State.VIOLATED
        for name in broken(found)[1:]:
            yield Outcome(name, state, f"by the same step as {found.property}", found)
    # Its own finding is told before one that only names it.
    for found in report.findings:
        known = report.expected(found)
        yield Outcome(
            broken(found)[0], State.EXPECTED if known else State.VIOLATED, known or found.because, found
        )


def _unfound(report: Report) -> tuple[State, str]:
    if report.verdict is Verdict.VIOLATED:
        # What was expected has ended nothing.
        found = ", ".join(dict.fromkeys(f.property for f in report.findings if not report.expected(f)))
        return State.NOT_DECIDED, f"the search ended with a violation of {found}"
    return _STATES[report.verdict], "; ".join(report.reasons)
