"""
A mistake beside the protocol that it is a mistake in, step by step, breadth first.

As long as the two do the same they are in the same world, and those worlds are known. Here are
the others: the first step at which they part, and what can come of it. They part where

* the mistake accepts what the protocol refuses. Then it goes on alone: only a property can say
  that this matters, because refusing is for the sake of the properties;
* both accept, and the worlds after it differ. Both go on, with the same attempts;
* the mistake refuses what the protocol accepts. If a property says when the attempt must be
  accepted, the world in which it is not is a violation, without the attempt being made. Else an
  honest attempt fails, after a trace that the protocol accepts step by step: that is seen from
  outside, under the name of the progress property that promises it to succeed, if there is one;
* both refuse, by different clauses. A relayer is told something else, and nothing is different
  otherwise. This is said only of a mistake that accepts exactly what it should.

The search is breadth first, so the first violation has the fewest steps that any has in its scope.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from attrs import define, evolve, field, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Kind
from shardproof_properties.property import Property, Role

from ...readings.evaluate import Declined, Evaluator, Stepped
from ...readings.generated import Generated
from ...readings.scope import OutOfScope, Value
from .worlds import UNKNOWN, Attempt, Checks, Packed, Worlds

#: An action, by name, and the elements that it is taken with.
Taken = tuple[str, tuple[Value, ...]]

#: How many steps a trace to a property of the catalogue may be longer than one to the first wrong refusal.
FURTHER = 4

#: How many worlds are looked at to see which action a progress property is about.
SAMPLE = 2_000


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


@frozen(eq=False)
class Looked:
    """What a search found, and whether it saw everything there is at its scope."""

    noticed: Noticed | None
    #: A refusal for another reason, if nothing else was seen to differ.
    reason: Noticed | None
    complete: bool
    #: A shortest trace after which the two are in different worlds, or one has accepted what it must not.
    parted: tuple[Taken, ...] | None
    #: Whether the mistake was seen to accept what the protocol refuses.
    accepts_more: bool

    @property
    def differs(self) -> bool:
        """Whether the two were seen to differ in any way."""
        return self.noticed is not None or self.reason is not None or self.parted is not None


class UnconfirmedError(AssertionError):
    """The plain reading does not confirm a trace: one of two readings is wrong."""


def idle(action: Action) -> str:
    """What is said of every action that is not repeatable, as the prover calls it."""
    return f"{action.name}, if accepted, changes something"


#: A pair of worlds: the protocol's, if it still takes part, and the mistake's.
Pair = tuple[int | None, Packed]


@define(eq=False)
class Lockstep:
    """The search for one mistake: `mistaken` has the symbols of the protocol, and other actions."""

    worlds: Worlds
    checks: Checks
    progress: ProgressOf
    mistaken: Protocol
    pairs_max: int
    #: Which names count, of properties and of the two that are none.
    counts: Callable[[str], bool] = lambda _: True
    #: Of the changed actions: when they must be accepted, and what they may change.
    _due: Checks = field(init=False)
    _attempts: dict[int, Attempt] = field(factory=dict, init=False)
    #: Of the changed actions: how many clauses they begin with that are as they were.
    _same: dict[str, int] = field(factory=dict, init=False)
    #: Those of them that change other cells, or to other values.
    _moves: set[str] = field(factory=set, init=False)
    #: Whether some step of the protocol may be none of the mistake, so that its worlds may be out of reach.
    _loses: bool = field(default=False, init=False)
    _came_from: dict[Pair, tuple[Pair, int]] = field(factory=dict, init=False)
    #: The pairs of one level that are not the same world twice, and of the next.
    _frontier: list[Pair] = field(factory=list, init=False)
    _next: list[Pair] = field(factory=list, init=False)
    #: Common worlds that the mistake reaches, of this level, of the next, and of all: if it `loses` some.
    _common: list[int] = field(factory=list, init=False)
    _rejoined: list[int] = field(factory=list, init=False)
    _reached: set[int] = field(factory=set, init=False)
    _fallback: Noticed | None = field(default=None, init=False)
    _reason: Noticed | None = field(default=None, init=False)
    _found: Noticed | None = field(default=None, init=False)
    _parted: tuple[Taken, ...] | None = field(default=None, init=False)
    _accepts_more: bool = field(default=False, init=False)
    _cut: bool = field(default=False, init=False)
    _level: int = field(default=0, init=False)
    _pairs: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        changed = {
            b.name: (a, b)
            for a, b in zip(self.worlds.protocol.actions, self.mistaken.actions, strict=True)
            if a is not b
        }
        own = Generated(
            evolve(self.mistaken, actions=tuple(b for _, b in changed.values())), self.worlds.scope
        )
        self.checks, self._due = self.checks.about([b for _, b in changed.values()], self.counts)
        for name, (a, b) in changed.items():
            pairs = zip(a.clauses, b.clauses, strict=False)
            self._same[name] = next(
                (i for i, (x, y) in enumerate(pairs) if x is not y), min(len(a.clauses), len(b.clauses))
            )
            if a.effects != b.effects:
                self._moves.add(name)
            self._loses = self._loses or name in self._moves or not {*b.clauses} <= {*a.clauses}
            for i in self.worlds.places[name]:
                self._attempts[i] = Attempt.of(own, b, self.worlds.attempts[i].args)

    # ---- the search -----------------------------------------------------------------------------

    def look(self) -> Looked:
        """Search level by level, until something is noticed, nothing is left, or there are too many pairs."""
        self._common, self._reached = [0], {0}
        exhausted = False
        while not self._too_many:
            level = self._of_level()
            if not level and not self._frontier:
                exhausted = True
                break
            self._next, self._rejoined = [], []
            if (
                any(map(self._is_wrong, level))
                or any(map(self._from_common, level))
                or any(map(self._from_pair, self._frontier))
            ):
                break
            self._advance(level)
        noticed = self._found or self._fallback
        reason = None if self._accepts_more or self._parted or noticed else self._reason
        noticed, reason = map(self._shown, (noticed, reason))
        unread = self.checks.unread or self._due.unread
        complete = exhausted and self.worlds.complete and not self._cut and not unread
        return Looked(noticed, reason, complete, self._parted, self._accepts_more)

    def _shown(self, noticed: Noticed | None) -> Noticed | None:
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
                wrong, right = self._attempts.get(i) or self.worlds.attempts[i], self.worlds.attempts[i]
                model = self._accepted(right, model) if model is not None else None
                after = self._accepted(wrong, world)
                if after is None:
                    return False
                world = after
            i = index[steps[-1]]
            wrong, right = self._attempts.get(i) or self.worlds.attempts[i], self.worlds.attempts[i]
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

    @property
    def _too_many(self) -> bool:
        # That the model is not followed is a last resort: look a little further for a better name.
        further = self._fallback is not None and self._level > len(self._fallback.steps) + FURTHER
        return self._pairs > self.pairs_max or further

    def _of_level(self) -> Sequence[int]:
        known = self.worlds.level(self._level)
        if not self._loses:
            return known
        return [w for w in self._common if w in self.worlds.answers]

    def _advance(self, level: Sequence[int]) -> None:
        self._frontier = self._next
        self._level += 1
        if self._loses:
            after = dict.fromkeys(self._rejoined)
            for world in level:
                for i, successor in self.worlds.successors[world].items():
                    if successor in self._reached or i in self._attempts:
                        continue
                    self._reached.add(successor)
                    self._came_from[successor, self.worlds.found[successor]] = (
                        (world, self.worlds.found[world]),
                        i,
                    )
                    after[successor] = None
            self._common = list(after)

    def _is_wrong(self, world: int) -> bool:
        """Whether what is said of the changed actions is false in a world where the two are together."""
        packed = self.worlds.found[world]
        if broken := self._due.broken_in(packed):
            self._found = Noticed(How.VIOLATION, broken, broken.name, self._path((world, packed)))
        return self._found is not None

    def _from_common(self, world: int) -> bool:
        """What the mistake does in a world where it is with the protocol. True if that ends the search."""
        answers = self.worlds.answers[world]
        packed = self.worlds.found[world]
        rows: list[list[Any]] | None = None
        for name, same in self._same.items():
            place = self.worlds.places[name]
            part = answers[place.start : place.stop]
            if name not in self._moves and max(part) <= same and min(part) > 0:
                continue
            for k, answer in enumerate(part):
                if answer == UNKNOWN or 0 < answer <= same:
                    continue
                i = place.start + k
                rows = rows or self.worlds.rows(packed)
                if self._step((world, packed), i, answer, rows):
                    return True
        return False

    def _from_pair(self, pair: Pair) -> bool:
        world, packed = pair
        answers = None if world is None else self.worlds.answers.get(world)
        rows = self.worlds.rows(packed)
        if self._too_many:
            return True
        for i in range(len(self.worlds.attempts)):
            answer = UNKNOWN if answers is None else answers[i]
            if self._step(pair, i, answer, rows):
                return True
        return False

    def _step(self, pair: Pair, i: int, answer: int, rows: list[list[Any]]) -> bool:
        """Attempt number `i` in a pair of worlds, where the protocol gives `answer`."""
        world, packed = pair
        attempt = self._attempts.get(i) or self.worlds.attempts[i]
        together = world is not None and self.worlds.found[world] == packed
        try:
            mistaken = attempt.refuse(rows, *attempt.args)
            if mistaken:
                return self._refused(pair, i, answer, mistaken, together=together)
            after = self.worlds.after(packed, rows, attempt)
        except OutOfScope:
            self._cut = True
            return False
        model = self.worlds.successors[world].get(i) if world is not None and answer == 0 else None
        if together and model is not None and self.worlds.found[model] == after:
            if self._loses and model not in self._reached:
                self._reached.add(model)
                self._came_from[model, after] = (pair, i)
                self._rejoined.append(model)
            return False
        if together and answer == 0 and model is None and self._beyond(i, packed, rows) == after:
            return False
        if broken := self.checks.broken(packed, after):
            self._found = Noticed(How.VIOLATION, broken, broken.name, self._path(pair, i))
            return True
        if self.checks.idle(attempt.action, packed, after):
            name = idle(attempt.action)
            if self.counts(name):
                self._found = Noticed(How.IDLE, None, name, self._path(pair, i))
                return True
        if together and (answer != 0 or model is None):
            self._accepts_more = self._accepts_more or answer not in (0, UNKNOWN)
        if self._parted is None:
            self._parted = self._path(pair, i)
        self._enter((model, after), pair, i)
        return False

    def _beyond(self, i: int, packed: Packed, rows: list[list[Any]]) -> Packed:
        """Where the protocol goes, if that is further than its worlds were followed."""
        return self.worlds.after(packed, rows, self.worlds.attempts[i])

    def _enter(self, new: Pair, pair: Pair, i: int) -> None:
        world, packed = new
        known = self.worlds.number.get(packed)
        if known is not None and (world is None or world == known):
            # The mistake is in a world where it was, or will be, with the protocol.
            if self._loses and world == known and known not in self._reached:
                self._reached.add(known)
                self._came_from[new] = (pair, i)
                self._rejoined.append(known)
                return
            seen = known in self._reached if self._loses else self.worlds.depth[known] <= self._level + 1
            if seen:
                return
        if new not in self._came_from:
            self._came_from[new] = (pair, i)
            self._next.append(new)
            self._pairs += 1

    def _refused(self, pair: Pair, i: int, answer: int, mistaken: int, *, together: bool) -> bool:
        attempt = self._attempts.get(i) or self.worlds.attempts[i]
        if answer == UNKNOWN:
            return False
        if answer == 0:
            world = pair[0]
            assert world is not None
            promise = self.progress.of(world, attempt.action.name, attempt.args, self.counts)
            if promise is not None:
                self._found = Noticed(How.PROGRESS, promise, promise.name, self._path(pair, i))
                return True
            if self._fallback is None and self.counts(FOLLOWS):
                self._fallback = Noticed(How.REFUSED, None, FOLLOWS, self._path(pair, i))
            return False
        original = self.worlds.attempts[i].action.clauses[answer - 1].refusal
        other = attempt.action.clauses[mistaken - 1].refusal != original
        if other and together and self._reason is None and self.counts(REASONS):
            self._reason = Noticed(How.REASON, None, REASONS, self._path(pair, i))
            # Where nothing else can differ, nothing else has to be looked for.
            return self._only_order
        return False

    @cached_property
    def _only_order(self) -> bool:
        """Whether the mistake only asks the same clauses in another order."""
        pairs = zip(self.worlds.protocol.actions, self.mistaken.actions, strict=True)
        return not self._moves and all({*a.clauses} == {*b.clauses} for a, b in pairs if a is not b)

    def _path(self, pair: Pair, *last: int) -> tuple[Taken, ...]:
        steps = [*map(self._taken, last)]
        while True:
            if (before := self._came_from.get(pair)) is not None:
                pair, i = before
            elif (origin := self.worlds.came_from[pair[0]] if pair[0] is not None else None) is not None:
                pair, i = (origin[0], self.worlds.found[origin[0]]), origin[1]
            else:
                return tuple(reversed(steps))
            steps.append(self._taken(i))

    def _taken(self, i: int) -> Taken:
        attempt = self.worlds.attempts[i]
        return attempt.action.name, attempt.args


# ---- a second opinion ---------------------------------------------------------------------------------


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


# ---- which attempts are promised to succeed ----------------------------------------------------------


@define(eq=False)
class ProgressOf:
    """
    Which progress property promises an attempt to succeed.

    A progress property is a premise, and does not say which action it is about. It is about one
    whose parameters it speaks of, and which is accepted wherever the premise is true.
    """

    worlds: Worlds
    properties: tuple[Property, ...]

    @cached_property
    def _promises(self) -> Mapping[str, tuple[tuple[Property, Callable[..., bool], tuple[int, ...]], ...]]:
        checks = [
            (p, self.worlds.generated.check(p.variables, p.body))
            for p in self.properties
            if p.role is Role.PROGRESS
        ]
        return {
            action.name: tuple(
                (p, holds, places)
                for p, holds in checks
                if (places := places_of(p, action)) is not None and self._is_about(action, holds, places)
            )
            for action in self.worlds.protocol.actions
        }

    def about(self, action: str) -> tuple[Property, ...]:
        """The progress properties that are about an action."""
        return tuple(p for p, _, _ in self._promises[action])

    def promises(self, p: Property, world: Packed, step: Taken) -> bool:
        """Whether `p` promises the attempt to succeed."""
        rows = self.worlds.rows(world)
        name, args = step
        return any(
            q is p and is_true(holds, rows, [args[k] for k in places])
            for q, holds, places in self._promises[name]
        )

    def _is_about(self, action: Action, holds: Callable[..., bool], places: tuple[int, ...]) -> bool:
        ever = False
        for world in self._sample():
            answers = self.worlds.answers[world]
            rows = self.worlds.rows(self.worlds.found[world])
            for i in self.worlds.places[action.name]:
                args = self.worlds.attempts[i].args
                if answers[i] != UNKNOWN and is_true(holds, rows, [args[k] for k in places]):
                    if answers[i]:
                        return False
                    ever = True
        return ever

    def _sample(self) -> Iterator[int]:
        depth = 0
        while level := self.worlds.level(depth):
            for world in level:
                if world >= SAMPLE:
                    return
                yield world
            depth += 1

    def of(
        self, world: int, action: str, args: tuple[Value, ...], counts: Callable[[str], bool]
    ) -> Property | None:
        """The property that promises this attempt, accepted in `world`, to succeed."""
        rows = self.worlds.rows(self.worlds.found[world])
        for p, holds, places in self._promises[action]:
            if (counts(p.name) or counts(p.id)) and is_true(holds, rows, [args[k] for k in places]):
                return p
        return None


def places_of(p: Property, action: Action) -> tuple[int, ...] | None:
    """Where the variables of a property are among the parameters of an action."""
    known = {(q.head.name, type(q)): i for i, q in enumerate(action.parameters)}
    places = [known.get((v.head.name, type(v))) for v in p.variables]
    return None if None in places else tuple(i for i in places if i is not None)


def is_true(holds: Callable[..., bool], rows: Any, values: list[Value]) -> bool:
    """Whether a formula holds of these values, as far as the scope can say."""
    try:
        return holds(rows, *values)
    except OutOfScope:
        return False
