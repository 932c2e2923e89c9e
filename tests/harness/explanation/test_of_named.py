"""
The mistakes on record, in the model: the clause that is named is the one that was forgotten.

Each is found again by a search of its own protocol, and told by what the right one says of each step: by
the story of the trace where that can follow, else by the guards themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import frozen

from shardproof.commands.mutants import ON_RECORD, Asked
from shardproof.engines.mutants.alone import first_violation
from shardproof.engines.mutants.beside import Noticed
from shardproof.engines.mutants.watched import comparable, violable
from shardproof.engines.mutants.worlds import Checks, Worlds
from shardproof.model_trace import trace_of
from shardproof.readings.evaluate import Declined, Evaluator
from shardproof.readings.scope import Scope
from shardproof.story.telling import tell
from shardproof.trace import Search
from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import NAMED, Mistake
from shardproof_properties.catalogue import properties_of

pytestmark = pytest.mark.deep

STRICTER = "it refuses what is due, so the right protocol has nothing to refuse"
EFFECT = "it does something else where the right protocol accepts as well"
REMEMBERED = "it forgets by an effect, and what the right protocol has not forgotten refuses a later step"
ANOTHER_ACTION = (
    "it acts in a way that the right protocol does not know, so nothing of it is a clause of that"
)
TOGETHER = "only two worlds side by side show it, or a longer search"

#: Why the clause that is named is not one that was forgotten, and which it is instead.
OTHERWISE = {
    "barrier": ("", TOGETHER),
    "hoarding": ("", STRICTER),
    "late-collection": ("", STRICTER),
    "B37": ("", STRICTER),
    "B38": ("", TOGETHER),
    "B40": ("", EFFECT),
    "B42": ("", EFFECT),
    "B47": ("", EFFECT),
    "B48": ("", STRICTER),
    "B50": ("", STRICTER),
    "B51": ("", STRICTER),
    "B54": ("", STRICTER),
    "B16": ("", EFFECT),
    "B18": ("out of sequence", REMEMBERED),
    "B27": ("", ANOTHER_ACTION),
    "B29": ("", EFFECT),
    "B30": ("", EFFECT),
    "B31": ("", EFFECT),
    "B20": ("", EFFECT),
    "B21": ("", ANOTHER_ACTION),
    "B55": ("", ANOTHER_ACTION),
    "B56": ("", ANOTHER_ACTION),
    "B57": ("", ANOTHER_ACTION),
}


@frozen
class Shown:
    """A mistake, and the shortest trace that a search of its protocol finds."""

    right: Protocol
    mistake: Mistake
    scope: Scope
    noticed: Noticed

    def clause(self) -> str:
        """The first refusal of the right protocol, along the trace; empty if it refuses nothing."""
        wrong, steps = self.mistake.protocol, self.noticed.steps
        assert self.noticed.broken is not None
        taken = [(wrong.action(name), args) for name, args in steps]
        story = tell(trace_of(wrong, self.scope, taken, self.noticed.broken, Search("explore")))
        told = [m.refusing.refusal for m in story.moments if m.refusing is not None]
        if told and not any(moment.astray for moment in story.moments):
            return told[0]
        # The story is told by what judges systems, which leaves out what only bytes show, as encodings.
        return next(self._declined(), "") if comparable(self.right, wrong) else ""

    def _declined(self) -> Iterator[str]:
        mistaken = Evaluator(self.mistake.protocol, self.scope)
        right = Evaluator(self.right, self.scope)
        world = mistaken.initial()
        for name, args in self.noticed.steps:
            answer = right.step(world, self.right.action(name), args)
            if isinstance(answer, Declined):
                yield str(answer.refusal)
            world = mistaken.effects(world, self.mistake.protocol.action(name), args)


def shown(mistake: Mistake) -> Shown | None:
    """As the engine of mistakes looks for those on record."""
    right = mistake.right
    assert right is not None
    best: Shown | None = None
    for scope in Asked(lambda: 0.0, 0, 10_000, None).scopes(mistake.protocol):
        worlds = Worlds(mistake.protocol, scope, 0)
        checks = Checks(worlds, violable(right, properties_of(right), mistake))
        worlds_max = ON_RECORD.attempts_alone // len(worlds.attempts)
        steps_max = len(best.noticed.steps) - 1 if best is not None else None
        found = first_violation(worlds, checks, worlds_max, steps_max).found
        best = Shown(right, mistake, scope, found) if found is not None else best
    return best


def forgotten(mistake: Mistake) -> set[str]:
    """The refusals of clauses that the right protocol has, and the mistaken one has not."""
    assert mistake.right is not None
    wrong = {action.name: action for action in mistake.protocol.actions}
    return {
        str(clause.refusal)
        for action in mistake.right.actions
        for clause in action.clauses
        if action.name not in wrong or clause not in wrong[action.name].clauses
    }


@pytest.mark.parametrize("name", sorted(name for name in NAMED if NAMED[name].violates))
def test_the_clause_that_is_named_is_one_that_was_forgotten(name: str) -> None:
    """
    Or it is said here which one is named, and why.
    """
    mistake = NAMED[name]()
    told = shown(mistake)
    clause = told.clause() if told is not None else ""

    if name in OTHERWISE:
        assert (clause, clause in forgotten(mistake)) == (OTHERWISE[name][0], False)
    else:
        assert clause in forgotten(mistake)


def test_whatever_is_said_is_said_of_a_mistake_on_record() -> None:
    """
    Nothing is left over from one that is no longer there.
    """
    assert {*OTHERWISE} <= {name for name in NAMED if NAMED[name].violates}
