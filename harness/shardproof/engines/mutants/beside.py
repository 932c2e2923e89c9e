"""
A mistake beside the protocol that it is a mistake in: how it may be noticed, and how that is shown.

The two have the same symbols, so both can be in the same world. What one search or another has
noticed is shown by a trace in which no step can be left out, and which the plain reading confirms.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from functools import cached_property

from attrs import define, evolve, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Kind
from shardproof_properties.property import Property, Role

from ...readings.evaluate import Declined, Evaluator, Stepped
from ...readings.generated import Generated
from ...readings.scope import OutOfScope, Value
from .promises import ProgressOf
from .worlds import Attempt, Checks, Packed, Taken, Worlds


class How(enum.Enum):
    """What gave a mistake away."""

    #: A step or a world violates a property.
    VIOLATION = "violation"
    #: An accepted step changed nothing.
    IDLE = "idle"
    #: An attempt was refused that a progress property promises to succeed.
    PROGRESS = "progress"
    #: An attempt was refused that the protocol accepts.
    REFUSED = "refused"
    #: An attempt was refused for another reason.
    REASON = "reason"


#: Under which name it is reported where there is no property of the catalogue to name.
FOLLOWS, REASONS = "follows-the-model", "refuses-for-the-right-reason"


@frozen(eq=False)
class Noticed:
    """How a mistake was noticed: a trace, whose last step is accepted or, wrongly, is not."""

    how: How
    #: What it violates or breaks the promise of; nothing, where it is no property of the catalogue.
    broken: Property | None
    name: str
    steps: tuple[Taken, ...]

    @property
    def id(self) -> str:
        """The number of the property in the catalogue."""
        return self.broken.id if self.broken else "-"


class UnconfirmedError(AssertionError):
    """The plain reading does not confirm a trace: one of two readings is wrong."""


def idle(action: Action) -> str:
    """What is said of every action that is not repeatable, as the prover calls it."""
    return f"{action.name}, if accepted, changes something"


@define(eq=False)
class Beside:
    """One mistake in one scope: `mistaken` has the symbols of the protocol, and other actions."""

    worlds: Worlds
    checks: Checks
    progress: ProgressOf
    mistaken: Protocol
    #: Which names count, of properties and of the two that are none.
    counts: Callable[[str], bool] = lambda _: True
    #: Actions of the protocol, each with what it is taken for.
    changed: tuple[tuple[Action, Action], ...] = field(init=False)
    #: Of the changed actions: when they must be accepted, and what they may change.
    due: Checks = field(init=False)
    #: By number, the attempts that differ.
    attempts: dict[int, Attempt] = field(factory=dict, init=False)
    #: Of the changed actions: how many clauses they begin with that are as they were.
    same: dict[str, int] = field(factory=dict, init=False)
    #: Those of them that change other cells, or to other values.
    moves: set[str] = field(factory=set, init=False)
    #: Whether some step of the protocol may be none of the mistake, so that its worlds may be out of reach.
    loses: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        pairs = zip(self.worlds.protocol.actions, self.mistaken.actions, strict=True)
        self.changed = tuple((a, b) for a, b in pairs if a is not b)
        wrong = tuple(b for _, b in self.changed)
        own = Generated(evolve(self.mistaken, actions=wrong), self.worlds.scope)
        self.checks, self.due = self.checks.about(wrong, self.counts)
        for a, b in self.changed:
            name = a.name
            clauses = zip(a.clauses, b.clauses, strict=False)
            self.same[name] = next(
                (i for i, (x, y) in enumerate(clauses) if x is not y), min(len(a.clauses), len(b.clauses))
            )
            if a.effects != b.effects:
                self.moves.add(name)
            self.loses = self.loses or name in self.moves or not {*b.clauses} <= {*a.clauses}
            for i in self.worlds.places[name]:
                self.attempts[i] = Attempt.of(own, b, self.worlds.attempts[i].args)

    def attempt(self, i: int) -> Attempt:
        """Attempt number `i` of the mistaken protocol."""
        return self.attempts.get(i) or self.worlds.attempts[i]

    @cached_property
    def only_order(self) -> bool:
        """Whether the mistake only asks the same clauses in another order."""
        pairs = zip(self.worlds.protocol.actions, self.mistaken.actions, strict=True)
        return not self.moves and all({*a.clauses} == {*b.clauses} for a, b in pairs if a is not b)

    def shown(self, noticed: Noticed | None) -> Noticed | None:
        """The same with as few steps as are needed, and confirmed."""
        if noticed is None:
            return None
        if len(noticed.steps) > self.worlds.known_depth + 1:
            noticed = evolve(noticed, steps=self._shortened(noticed))
        confirm(self.worlds, self.mistaken, noticed)
        return noticed

    def _shortened(self, noticed: Noticed) -> tuple[Taken, ...]:
        """Steps of which none can be left out: a walk takes many that lead nowhere."""
        steps, tried = list(noticed.steps), 0
        while tried < len(steps) - 1:
            # From the end, because what comes late depends on what came before.
            place = len(steps) - 2 - tried
            fewer = [*steps[:place], *steps[place + 1 :]]
            if self._shows(noticed, fewer):
                steps = fewer
            else:
                tried += 1
        return tuple(steps)

    def _shows(self, noticed: Noticed, steps: Sequence[Taken]) -> bool:
        """Whether these steps give the mistake away in the same manner."""
        index = self.worlds.index
        model: Packed | None = self.worlds.found[0]
        world = self.worlds.found[0]
        try:
            for step in steps[:-1]:
                i = index[step]
                wrong, right = self.attempt(i), self.worlds.attempts[i]
                model = self._accepted(right, model) if model is not None else None
                after = self._accepted(wrong, world)
                if after is None:
                    return False
                world = after
            i = index[steps[-1]]
            wrong, right = self.attempt(i), self.worlds.attempts[i]
            refused = wrong.refuse(self.worlds.rows(world), *wrong.args)
            if noticed.how in (How.VIOLATION, How.IDLE):
                if refused:
                    return False
                after = self.worlds.after(world, self.worlds.rows(world), wrong)
                if noticed.broken is None:
                    return self.checks.idle(wrong.action, world, after)
                return self.checks.broken(world, after) is noticed.broken
            if not refused or model is None:
                return False
            expected = right.refuse(self.worlds.rows(model), *right.args)
            if noticed.how is How.REASON:
                clauses = right.action.clauses[expected - 1], wrong.action.clauses[refused - 1]
                return bool(expected) and model == world and clauses[0].refusal != clauses[1].refusal
            promised = noticed.broken is None or self.progress.promises(noticed.broken, model, steps[-1])
            return not expected and promised
        except OutOfScope:
            return False

    def _accepted(self, attempt: Attempt, world: Packed) -> Packed | None:
        rows = self.worlds.rows(world)
        return None if attempt.refuse(rows, *attempt.args) else self.worlds.after(world, rows, attempt)


def confirm(worlds: Worlds, mistaken: Protocol, noticed: Noticed) -> None:
    """Take the trace again by the plain reading, step by step. Raises `UnconfirmedError`."""
    right, wrong = Evaluator(worlds.protocol, worlds.scope), Evaluator(mistaken, worlds.scope)
    before = world = wrong.initial()
    model: tuple[Value, ...] | None = right.initial()
    if not noticed.steps:
        if noticed.broken is None or wrong.value(wrong.protocol.expand(noticed.broken.formula), world, {}):
            raise UnconfirmedError(f"{noticed.name} at the start")
        return
    *most, (name, args) = noticed.steps
    for action, given in most:
        world = _stepped(wrong.step(world, mistaken.action(action), given))
        outcome = right.step(model, worlds.protocol.action(action), given) if model is not None else None
        model = outcome.world if isinstance(outcome, Stepped) else None
    last = wrong.step(world, mistaken.action(name), args)
    if noticed.how in (How.VIOLATION, How.IDLE):
        before, world = world, _stepped(last)
        if noticed.broken is None:
            cells = zip(wrong.layout.cells, before, world, strict=True)
            agreed = all(o == n for (symbol, _), o, n in cells if symbol.kind is Kind.STATE)
        else:
            formula = wrong.protocol.expand(noticed.broken.formula)
            step = noticed.broken.role is Role.STEP
            value = wrong.value(formula, before, {}, world) if step else wrong.value(formula, world, {})
            agreed = not value
    else:
        expected = right.step(model, worlds.protocol.action(name), args) if model is not None else None
        agreed = isinstance(last, Declined) and (
            isinstance(expected, Declined) and expected.refusal != last.refusal
            if noticed.how is How.REASON
            else isinstance(expected, Stepped)
        )
    if not agreed:
        raise UnconfirmedError(f"{noticed.name} after {noticed.steps}")


def _stepped(outcome: Stepped | Declined) -> tuple[Value, ...]:
    if not isinstance(outcome, Stepped):
        raise UnconfirmedError(f"refused: {outcome.refusal}")
    return outcome.world
