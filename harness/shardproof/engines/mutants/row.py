"""What became of a mistake: a line of the table, and the score that the table adds up to."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from attrs import frozen

from shardproof_models.mistakes import Kind

from ...verdict import Verdict


class Fate(enum.Enum):
    """What became of a mistake, the worst first."""

    #: It makes a difference, and nobody noticed: everything within the scope was looked at.
    SURVIVED = "survived"
    #: A negative control was called a violation.
    FLAGGED = "flagged"
    #: Nobody noticed, but nobody has looked at everything, or it makes no difference where they did.
    UNDECIDED = "undecided"
    #: It is none: the argument was checked by a machine.
    EQUIVALENT = "equivalent"
    #: A negative control was let pass, as it should be.
    PASSED = "let pass"
    #: A property noticed.
    KILLED = "killed"


@frozen
class Row:
    """
    One mistake.

    Rows come from anywhere: of a mistake in the model, `judge` makes one; of one in bytes, whoever
    ran it does.
    """

    #: Unique together with `subject`.
    id: str
    #: What it is a mistake in: a stack, or an adapter.
    subject: str
    kind: Kind
    #: Who made it first; "generated" if nobody has to have.
    source: str
    fate: Fate
    #: Who noticed: the name and the number of a property.
    property: str = ""
    property_id: str = ""
    engine: str = ""
    #: The length of the trace, where there is one.
    steps: int | None = None
    #: Whether no shorter trace shows it, at the scope of the search.
    shortest: bool = False
    #: Its steps, to read; of a survivor, up to where it makes a difference.
    trace: tuple[str, ...] = ()
    #: Of a survivor: why. Of an equivalent one: the argument.
    reason: str = ""
    seconds: float = 0.0


@frozen
class Score:
    """How many mistakes there were, and what became of them."""

    rows: tuple[Row, ...]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Score:
        """The rows in the order of the table: the worst first, else as they came."""
        order = list(Fate)
        return cls(tuple(sorted(rows, key=lambda row: order.index(row.fate))))

    def count(self, *fates: Fate) -> int:
        """How many rows have one of these fates."""
        return sum(row.fate in fates for row in self.rows)

    @property
    def mistakes(self) -> int:
        """How many rows count: an equivalent one is no mistake, and neither is a negative control."""
        return self.count(Fate.KILLED, Fate.SURVIVED, Fate.UNDECIDED)

    @property
    def verdict(self) -> Verdict:
        """Holds if every mistake was noticed; of no mistakes nothing is known."""
        if self.count(Fate.SURVIVED, Fate.FLAGGED):
            return Verdict.VIOLATED
        return Verdict.INCONCLUSIVE if self.count(Fate.UNDECIDED) or not self.rows else Verdict.HOLDS

    def __str__(self) -> str:
        killed, mistakes = self.count(Fate.KILLED), self.mistakes
        share = f", {100 * killed / mistakes:.1f} %" if mistakes else ""
        controls = self.count(Fate.PASSED, Fate.FLAGGED)
        more = f", {self.count(Fate.PASSED)} of {controls} negative controls let pass" if controls else ""
        return (
            f"{killed} of {mistakes} mistakes noticed{share}; {self.count(Fate.EQUIVALENT)} equivalent{more}"
        )
