"""What several systems were asked together, what came of it, and how that went on as the steps went by."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define, field

from .adapter import Pending, Refused
from .lockstep import Lockstep
from .moves import Act, Deliver, Learn, Move
from .series import Points, Series
from .together import asked

#: What the lines are called. A kind of question is a verb with its damage, the clause by which the model
#: refuses, and what all of them made of it.
DIFFERENCES, REFUSALS, KINDS = "differences", "steps that all refused", "different kinds of questions"

#: What can come of a question, in the order in which it is told.
_ANSWERS = ("accepted", "refused", "later", "different")


@define(eq=False)
class Compared:
    """Counts of questions that went to all systems of a search, and of their answers."""

    steps: int = 0
    differences: int = 0
    refusals: int = 0
    #: Question -> what came of it -> how often.
    _answers: dict[str, dict[str, int]] = field(factory=dict)
    _kinds: set[tuple[object, ...]] = field(factory=set)
    _course: dict[str, Series] = field(
        factory=lambda: {name: Series() for name in (DIFFERENCES, REFUSALS, KINDS)}
    )

    def note(self, move: Move, first: Lockstep, *, differs: bool) -> None:
        """One step that all have taken; while they agree, what the `first` says is what all say."""
        self.steps += 1
        claim = first.claim
        answer = (
            "different"
            if differs
            else "later"
            if isinstance(claim, Pending)
            else "refused"
            if isinstance(claim, Refused)
            else "accepted"
        )
        counts = self._answers.setdefault(asked(move), dict.fromkeys(_ANSWERS, 0))
        counts[answer] += 1
        self.differences += answer == "different"
        self.refusals += answer == "refused"
        damage = move.damage if isinstance(move, Deliver | Learn | Act) else None
        harm = (damage.part, damage.kind) if damage is not None else ()
        self._kinds.add((asked(move), *harm, first.clause, answer, bool(first.happened)))
        for name, number in (
            (DIFFERENCES, self.differences),
            (REFUSALS, self.refusals),
            (KINDS, len(self._kinds)),
        ):
            self._course[name].note(self.steps, number)

    @property
    def series(self) -> Mapping[str, Points]:
        """How differences, refusals and kinds of questions grew by steps; nothing where there was no step."""
        return {name: course.points for name, course in self._course.items() if course.points}

    @property
    def work(self) -> Mapping[str, int]:
        """In how many steps all did the same."""
        return {"agreed": self.steps - self.differences}

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """For each question, what came of it: `accepted 12, refused 3, different 1`."""
        return tuple(
            (question, ", ".join(f"{answer} {count:,}" for answer, count in counts.items() if count))
            for question, counts in sorted(self._answers.items())
        )
