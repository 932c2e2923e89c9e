"""What an engine says: holds, violated or inconclusive, and exactly what was checked."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping

from attrs import field, frozen

from .errors import EXIT_HOLDS, EXIT_INCONCLUSIVE, EXIT_VIOLATED
from .series import Points
from .trace import Trace

#: Why a search that somebody stopped decides nothing beyond what it has found.
INTERRUPTED = "interrupted, before the search was over"


class Verdict(enum.Enum):
    """Three values: what was not checked does not hold."""

    HOLDS = "holds"
    VIOLATED = "violated"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """As the command reports it."""
        return {
            Verdict.HOLDS: EXIT_HOLDS,
            Verdict.VIOLATED: EXIT_VIOLATED,
            Verdict.INCONCLUSIVE: EXIT_INCONCLUSIVE,
        }[self]

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """Of several parts: violated beats inconclusive beats holds; of nothing: inconclusive."""
        found = set(verdicts)
        if cls.VIOLATED in found:
            return cls.VIOLATED
        return cls.HOLDS if found == {cls.HOLDS} else cls.INCONCLUSIVE


class Kind(enum.Enum):
    """What sort of thing was found."""

    #: Something bad happened.
    SAFETY = "safety"
    #: Something good did not.
    PROGRESS = "progress"
    #: The implementation and the model disagree, and no property says which of them is wrong.
    DIVERGENCE = "divergence"
    #: Two implementations disagree; whether one of them is wrong is another question.
    DIFFERENCE = "difference"


@frozen
class Finding:
    """A property that is violated, and the trace that shows it."""

    id: str
    property: str
    because: str
    kind: Kind
    trace: Trace
    #: Further properties that the last step violates as well.
    also: tuple[str, ...] = ()
    #: How the trace became as short as it is, e.g. "shrunk from 41 steps to 3".
    shrunk: str = ""
    #: The same move by move: candidates that were run, and the steps that were left by then.
    shrinking: Points = ()


def broken(found: Finding) -> tuple[str, ...]:
    """All sentences that a finding violates; `reverts-atomically[consumed]` is an instance of one."""
    return tuple(dict.fromkeys(name.partition("[")[0] for name in (found.property, *found.also)))


@frozen
class NotProved:
    """An obligation that the solver refuted or could not decide: not (yet) a violation of anything."""

    obligation: str
    result: str
    #: A small world and a step, as text; it may be unreachable. Never called a counterexample.
    counterexample_to_induction: str = ""
    #: What the search for a reachable one did.
    searched: str = ""


class State(enum.Enum):
    """What became of a known deviation."""

    #: It was seen, as expected.
    SEEN = "expected"
    #: It no longer happens, where it would have been seen.
    GONE = "gone"
    #: It was not seen, and not enough was run to say that it is gone.
    NOT_SEEN = "not seen"
    #: The property says nothing here, or nobody asked for it.
    NOT_APPLICABLE = "not applicable"


@frozen
class Deviating:
    """A known deviation, and what became of it in one search."""

    #: As its file calls it, and the sentences that this means.
    property: str
    names: tuple[str, ...]
    #: Why it is expected.
    reason: str
    state: State
    #: Why it has this state, where that is not plain.
    why: str = ""


@frozen
class Report:
    """One engine's answer."""

    engine: str
    verdict: Verdict
    #: A sentence that says exactly what was checked, e.g. "every trace of up to 9 steps with 2 shards".
    checked: str
    findings: tuple[Finding, ...] = ()
    not_proved: tuple[NotProved, ...] = ()
    #: Why it is inconclusive, if it is.
    reasons: tuple[str, ...] = ()
    work: Mapping[str, int] = field(factory=dict)
    #: Property name -> why it does not apply.
    not_applicable: Mapping[str, str] = field(factory=dict)
    #: Properties that were checked, by name.
    properties: tuple[str, ...] = ()
    #: Tables for people: title -> rows of (label, value).
    tables: Mapping[str, tuple[tuple[str, str], ...]] = field(factory=dict)
    #: Clause of a guard -> that it never refused, or was never passed, where it could have been.
    never_exercised: Mapping[str, str] = field(factory=dict)
    #: What this system was expected to violate.
    deviations: tuple[Deviating, ...] = ()
    seconds: float = 0.0
    #: The systems that were run, as the command line names them; none for the model alone.
    systems: tuple[str, ...] = ()
    #: How the search went on, never by a clock: what was counted -> points of (steps, count). A name
    #: that ends with "by depth" or "by effort" says what stands in place of steps.
    series: Mapping[str, Points] = field(factory=dict)
    #: Further tables, for who reads the page of a run, or its files: a terminal does not show them.
    details: Mapping[str, tuple[tuple[str, str], ...]] = field(factory=dict)

    def expected(self, found: Finding) -> str:
        """Why a finding was expected; empty if it was not, or if it breaks more than was expected."""
        known = {name: one.reason for one in self.deviations for name in one.names}
        names = broken(found)
        return known[names[0]] if known.keys() >= set(names) else ""
