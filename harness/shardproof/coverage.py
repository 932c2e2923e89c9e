"""
How often each clause of each guard decided something, and how often each action happened.

A green run says little of a clause that never had to refuse. The clauses of a guard stand in an
observable order, so one answer of the model tells of all of them: refused by the third, the
first two were passed. So an attempt costs one count, of the action, the model's answer and what
came of it; everything else is derived when somebody asks. (The model checker TLC reports the
same of its actions, for the same reason: Lamport, "Specifying Systems", chapter 14.)

What is counted is read from the protocol, so an action that a layer adds is counted as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import define, field, frozen

from shardproof_models.language.actions import Action

#: What users, consensus and operators do. A system is asked for it only where the model allows it (see
#: `Record.possible`): refusing the rest is the business of consensus. What is not named here is tried
#: by relayers whether or not it is allowed, so each of its clauses has to refuse something.
ENVIRONMENT = frozenset({"emit", "produce", "finalise", "revert", "restart"})


@frozen
class ClauseCount:
    """What a clause did: refused, after all before it were passed; or was passed."""

    refused: int
    passed: int


@frozen
class ActionCount:
    """
    What became of the attempts of an action.

    Enabled is what the model would accept; taken is what was accepted or took effect, and refused
    is the rest. Of a system these differ: its evidence may be spoiled where the guard holds.
    """

    enabled: int
    taken: int
    refused: int


@define(eq=False)
class GuardCoverage:
    """Attempts of the actions of a protocol, counted."""

    actions: tuple[Action, ...]
    #: Actions that are only attempted where the model allows them: their clauses are not meant to refuse.
    allowed_only: frozenset[str] = frozenset()
    #: Action -> why it cannot be attempted at all.
    impossible: Mapping[str, str] = field(factory=dict)
    #: Action -> its attempts, at twice the model's answer (0, or the number of the clause that refused),
    #: plus one where it was taken: `rows[action][answer << 1 | taken] += 1` counts an attempt.
    rows: Mapping[str, list[int]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.rows = {a.name: [0] * (2 * len(a.clauses) + 2) for a in self.actions}

    def number(self, action: Action, refusal: str) -> int:
        """The number of the clause of `action` that refuses by `refusal`; 0 if it has none."""
        return next((i for i, c in enumerate(action.clauses, 1) if str(c.refusal) == refusal), 0)

    # ---- what was counted -------------------------------------------------------------------------

    def of(self, action: Action) -> ActionCount:
        """What became of the attempts of `action`."""
        row = self.rows[action.name]
        return ActionCount(enabled=sum(row[:2]), taken=sum(row[1::2]), refused=sum(row[::2]))

    def clauses(self, action: Action) -> tuple[ClauseCount, ...]:
        """What each clause of `action` did, in their order."""
        row = self.rows[action.name]
        reached, counts = sum(row), []
        for number in range(1, len(action.clauses) + 1):
            refused = sum(row[2 * number : 2 * number + 2])
            reached -= refused
            counts.append(ClauseCount(refused, reached))
        return tuple(counts)

    def never_exercised(self) -> dict[str, str]:
        """Each clause that never refused or was never passed, though it could have been, and which it is."""
        return dict(self._never_exercised())

    def _never_exercised(self) -> Iterator[tuple[str, str]]:
        for action in self.actions:
            if action.name in self.impossible:
                continue
            if not action.clauses and not sum(self.rows[action.name]):
                yield action.name, "never attempted"
            for clause, count in zip(action.clauses, self.clauses(action), strict=True):
                name = f"{action.name}: {clause.refusal}"
                if not count.passed:
                    yield name, "never passed" if count.refused else "never reached"
                elif not count.refused and action.name not in self.allowed_only:
                    yield name, "never the reason for a refusal"

    # ---- for people -------------------------------------------------------------------------------

    def tables(self) -> dict[str, tuple[tuple[str, str], ...]]:
        """The tables of a report: every action, and every clause."""
        return {"actions": tuple(self._action_rows()), "clauses": tuple(self._clause_rows())}

    def _action_rows(self) -> Iterator[tuple[str, str]]:
        for action in self.actions:
            count = self.of(action)
            told = f"enabled {count.enabled:,}, taken {count.taken:,}, refused {count.refused:,}"
            yield action.name, self._impossible(action) or told

    def _clause_rows(self) -> Iterator[tuple[str, str]]:
        for action in self.actions:
            for clause, count in zip(action.clauses, self.clauses(action), strict=True):
                if action.name in self.allowed_only:
                    told = f"passed {count.passed:,}, a refusal is not attempted by design"
                else:
                    told = f"refused {count.refused:,}, passed {count.passed:,}"
                yield f"{action.name}: {clause.refusal}", self._impossible(action) or told

    def _impossible(self, action: Action) -> str:
        why = self.impossible.get(action.name)
        return f"cannot be attempted: {why}" if why else ""
