"""What is counted on a tour, over all of its legs: for the report, and for nothing else."""

from __future__ import annotations

from collections import Counter

from attrs import define, field

from ..series import Series

#: What is counted.
WORK = (
    "transitions",
    "exercised",
    "declined",
    "worlds",
    "steps",
    "walked",
    "resets",
    "resets_needed",
    "branches",
    "refusals",
    "variants",
)

#: Something of an action, and why.
Why = tuple[str, str]


@define(eq=False)
class Tally:
    """Transitions that were exercised, that are left and why, and what was tried on the way."""

    work: dict[str, int] = field(factory=lambda: dict.fromkeys(WORK, 0))
    #: What the model refuses, by action and clause; what only bytes tell apart, by kind.
    refused: Counter[str] = field(factory=Counter)
    tried: Counter[str] = field(factory=Counter)
    #: Action -> how many of its transitions there are, and how many were exercised.
    there: Counter[str] = field(factory=Counter)
    exercised: Counter[str] = field(factory=Counter)
    #: Transitions that are left, with an example of each sort; that the system declined; that none can cast.
    left: Counter[Why] = field(factory=Counter)
    examples: dict[Why, str] = field(factory=dict)
    declined: Counter[Why] = field(factory=Counter)
    impossible: Counter[Why] = field(factory=Counter)
    #: A line for each leg.
    legs: list[tuple[str, str]] = field(factory=list)
    #: So far, also in a leg that is not over: steps, and transitions that were exercised by then.
    steps: int = 0
    taken: int = 0
    growth: Series = field(factory=Series)

    def take(self, action: str) -> None:
        """A transition was exercised."""
        self.exercised[action] += 1
        self.taken += 1
        self.growth.note(self.steps, self.taken)

    def leave(self, action: str, why: str, example: str) -> None:
        """A transition was not exercised."""
        self.left[action, why] += 1
        self.examples.setdefault((action, why), example)
