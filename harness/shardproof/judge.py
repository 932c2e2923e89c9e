"""
What it means that model and system part ways: which sentence is broken, if any.

Where the system does what the model refuses, the model is forced to follow, and the safety
properties judge the world that comes of it; so a finding has the name of the sentence that is
broken. Some mistakes break none at once: a refund that comes too early harms nobody until the
receipt is delivered as well. Where a stack has such consequences, the run goes on, what is
suspect is watched, and what comes of nothing is told at its end as a plain divergence.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, evolve, field, frozen

from shardproof_models.layers.exactly_once import Header, Receipt, Shard

from .adapter import ACCEPTED, Outcome, Refused
from .readings.rows import World
from .record import Record, Sent
from .verdict import Kind


@frozen
class Wrong:
    """The first divergence of a run."""

    kind: Kind
    id: str
    property: str
    because: str
    expected: str
    actual: str
    clause: str = ""
    differs: str = ""
    also: tuple[str, ...] = ()


#: Layers by which a divergence that breaks nothing yet may break something later.
_CONSEQUENTIAL = frozenset({"outcomes", "ordering", "bouncing", "resharding"})


@define(eq=False)
class Judge(Record):
    """One run, and how its divergences are named."""

    #: What became of the last move: the model's clause (0 accepted), and the system's claim.
    clause: int = field(init=False, default=0)
    claim: Outcome = field(init=False, default=ACCEPTED)
    happened: tuple[str, ...] = field(init=False, default=())
    #: The receipts whose standing the last move has changed.
    changed: list[Sent] = field(init=False, factory=list)
    #: Slots of receipts with which something happened that the model refuses, and the first such thing.
    suspects: set[int] = field(init=False, factory=set)
    astray: Wrong | None = field(init=False, default=None)
    #: How many moves the run has had, and had then.
    moves: int = field(init=False, default=0)
    astray_at: int = field(init=False, default=0)
    _patient: bool = field(init=False, default=False)

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        super().reset(token)
        self.suspects.clear()
        self.astray, self.moves = None, 0
        self._patient = bool(_CONSEQUENTIAL & self.oracle.layers)

    def force(
        self, action: str, args: tuple[int, ...], touched: dict[type, Sequence[int]], differs: str = ""
    ) -> Wrong | None:
        """Let the model take an action that it refuses, and say what that breaks."""
        before = self.oracle.generated.copy(self.world)
        self.oracle.generated.apply[action](self.world, *args)
        return self.judged(before, touched, action, differs)

    def judged(
        self, before: World, touched: dict[type, Sequence[int]], action: str, differs: str
    ) -> Wrong | None:
        """What is broken in the world as it is now; `None` where it is not known yet."""
        clause = self.refusing_clause(action, self.clause)
        expected = f"refused, {clause}" if clause else "another outcome"
        broken = self.oracle.broken(before, self.world, touched, self._live())
        if broken:
            first = broken[0]
            also = tuple(p.name for p in broken[1:])
            return Wrong(
                Kind.SAFETY,
                first.id,
                first.name,
                first.because,
                expected,
                str(self.claim),
                clause,
                differs,
                also,
            )
        wrong = Wrong(
            Kind.DIVERGENCE,
            "-",
            "follows-the-model",
            "an implementation that does what the model refuses is not covered by its proof",
            expected,
            str(self.claim),
            clause,
            differs,
        )
        if not self._patient:
            return wrong
        self.suspects |= {*touched.get(Receipt, ())}
        if self.astray is None:
            self.astray, self.astray_at = wrong, self.moves
        return None

    def consequence(self, before: World, header: int) -> Wrong | None:
        """What the last move has broken of receipts that are suspect."""
        touched: dict[type, Sequence[int]] = {
            Receipt: sorted(self.suspects),
            Header: [header],
            Shard: range(self.oracle.shards),
        }
        broken = self.oracle.broken(before, self.world, touched, self._live())
        if not broken or self.astray is None:
            return None
        first = broken[0]
        return evolve(
            self.astray,
            kind=Kind.SAFETY,
            id=first.id,
            property=first.name,
            because=first.because,
            expected="",
            actual=str(self.claim),
            differs="; ".join(x for x in (self.astray.differs, *self.happened) if x),
            also=tuple(p.name for p in broken[1:]),
        )

    def _live(self) -> list[int]:
        """The slots of what is kept in mind."""
        return [sent.slot for sent in self.receipts.values()]

    def refusing_clause(self, action: str, number: int) -> str:
        """The refusal that a clause number stands for; empty for 0."""
        refusals = self.oracle.refusals[action]
        return refusals[number] if 0 < number < len(refusals) else ""

    def progress(self, differs: str, name: str = "delivers-what-is-due") -> Wrong:
        """Something good did not happen."""
        return self.named(name, "accepted", str(self.claim), differs, Kind.PROGRESS)

    def named(self, name: str, expected: str, actual: str, differs: str, kind: Kind = Kind.SAFETY) -> Wrong:
        """A finding under the sentence of this name."""
        found = self.oracle.catalogue[name]
        return Wrong(kind, found.id, name, found.because, expected, actual, "", differs)

    def decline(self, verb: str, answer: Refused) -> None:
        """The system declined what the environment may always do."""
        self.claim = answer
        self.declined[verb] = self.declined.get(verb, 0) + 1
