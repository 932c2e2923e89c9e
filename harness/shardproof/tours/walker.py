"""
Walking a leg to its end: every transition taken, or a reason for each that was not.

A transition counts when the system accepted it, or was seen to do it, and the judge then stands where
the model does. A system declines what the environment asks for, or waits, as it may; it is asked a few
times, by the ways that there are, and then that is not counted against it. Where it can return to a
snapshot, a walk branches instead of starting again.
"""

from __future__ import annotations

import copy
from collections import Counter

from attrs import define, field

from ..adapter import ACCEPTED, Refused
from ..deeds import DEEDS, Decides
from ..lockstep import Lockstep
from ..moves import Act, Deliver, Emit, Finalise, Move, Produce, Restart, Revert
from .graph import Instance
from .run import WalkOver
from .visits import Visits
from .walks import Place, walks_needed

#: How often a transition is tried before it is given up.
TRIES_MAX = 3

#: Walks that violate something, before a leg is broken off, and the tour with it.
VIOLATIONS_MAX = 12

#: Why an edge is closed that is not counted, since the system need not let it happen.
DECLINED = "declined"


@define(eq=False)
class _Saved:
    """A place to come back to."""

    node: int
    token: object
    lock: Lockstep
    numbers: dict[int, list[int]]
    emitted: int
    moves: list[Move]


@define(eq=False)
class Walker(Visits):
    """Takes the transitions of one leg."""

    saved: list[_Saved] = field(init=False, factory=list)
    tries: Counter[Place] = field(init=False, factory=Counter)
    exercised: int = field(init=False, default=0)
    walked: int = field(init=False, default=0)

    def walk(self) -> None:
        """Take every transition, or as many as there is time for."""
        try:
            while not self.planner.over and not self._enough():
                self._walk()
        finally:
            self.bench.close()
        self._account()

    def _enough(self) -> bool:
        return self.over or self.violations >= VIOLATIONS_MAX

    def _walk(self) -> None:
        self.begin()
        self.saved = []
        way = self.planner.way()
        try:
            while way is not None:
                for place in way:
                    self.visit()
                    if self.node != place[0] or place in self.planner.closed or not self._take(place):
                        break
                self.visit()
                here = self.planner.here(self.node)
                way = [here] if here is not None else self._back() or self.planner.onward(self.node)
            if wrong := self.lock.sweep():
                self.found(self.bench.at_the_end(wrong, self.moves))
        except WalkOver:
            pass

    # ---- one transition ---------------------------------------------------------------------------

    def _take(self, place: Place) -> bool:
        """Take a transition. False where the system does not let it happen."""
        edge = self.planner.edge(place)
        instance, lock = self.graph.instances[edge.instance], self.lock
        if edge.target != self.node:
            self._save(place)
        move = self._asked_for(instance)
        if not lock.possible(move):
            self._give_up(place, "it is not possible in a run")
            return False
        self.tries[place] += 1
        self.walked += 1
        self.agreement.expect(lock, instance)
        try:
            move = self._do(move, instance)
        except WalkOver:
            if not self.over:
                self._give_up(place, "what came of it is wrong")
            raise
        if self._declined(move):
            self._decline(place, "")
            return False
        self.cast.note(instance)
        if not self._accepted(move) or not self.agreement.holds(lock, edge.target):
            return self._refused(place, move)
        self.node = edge.target
        if self.planner.take(place):
            self.exercised += 1
            self.tally.take(instance.name)
        return True

    def _asked_for(self, instance: Instance) -> Move:
        """The move of a transition; what users ask for they ask for in one way in this walk."""
        if instance.name == "emit":
            move = self.cast.emission(instance.args[0], self.cast.guises()[self.guise])
            if self.lock.possible(move):
                return move
        return self.cast.move(instance)

    def _do(self, move: Move, instance: Instance) -> Move:
        self.step(move)
        if self._declined(move) and move != (plainly := self.cast.move(instance)):
            # Nobody has to let in what is asked for in another way than the plain one.
            move = plainly
            self.step(move)
        if isinstance(move, Finalise) and not self._declined(move):
            self._claim(move.header)
        return move

    def _claim(self, header: int) -> None:
        """Whoever wants a final header to be believed claims it everywhere, at once: it takes its time."""
        for s in self.lock.living():
            if self.lock.possible(claim := Act("claim", s, header=header)):
                self.step(claim)
        # What was claimed is no answer to what was asked for.
        self.lock.claim = ACCEPTED

    def _refused(self, place: Place, move: Move) -> bool:
        """What the model does was not done, and nobody calls it wrong."""
        lock = self.lock
        if self.tries[place] >= TRIES_MAX:
            if isinstance(lock.claim, Refused) and not lock.clause:
                self._decline(place, "it waits, as it may: ")
            else:
                self._give_up(place, self._why(move, self.planner.edge(place).target))
        if not self.agreement.holds(lock, self.node):
            raise WalkOver
        # Perhaps it does it when it is asked by another way.
        self.planner.shy.add(place)
        return False

    def _declined(self, move: Move) -> bool:
        """Whether the system declined what the environment may ask for."""
        environment = isinstance(move, Emit | Produce | Finalise | Revert) or (
            isinstance(move, Act) and DEEDS[move.deed].decides is Decides.ENVIRONMENT
        )
        return environment and isinstance(self.lock.claim, Refused)

    def _accepted(self, move: Move) -> bool:
        """Whether the model accepts a move and the system did it, as far as there is something to see."""
        lock = self.lock
        if lock.clause:
            return False
        if isinstance(move, Deliver) or (
            isinstance(move, Act) and DEEDS[move.deed].decides is Decides.SYSTEM
        ):
            return bool(lock.happened)
        return isinstance(move, Restart) or not isinstance(lock.claim, Refused)

    def _why(self, move: Move, target: int) -> str:
        if self.lock.clause:
            return "the judge refuses it"
        if not self._accepted(move):
            return "the system does not do it"
        return f"the judge stands elsewhere: {self.agreement.difference(self.lock, target)}"

    def _decline(self, place: Place, how: str) -> None:
        claim, instance = self.lock.claim, self.graph.instances[self.planner.edge(place).instance]
        reason = claim.reason if isinstance(claim, Refused) else ""
        if place not in self.planner.done:
            self.tally.declined[instance.name, f"{how}{reason or 'it says no more'}"] += 1
        self.planner.close(place, DECLINED)

    def _give_up(self, place: Place, why: str) -> None:
        if place in self.planner.closed or place[1] not in self.planner.left[place[0]]:
            return
        instance = self.graph.instances[self.planner.edge(place).instance]
        self.tally.leave(instance.name, why, str(instance))
        self.planner.close(place, why)

    # ---- branching --------------------------------------------------------------------------------

    def _save(self, place: Place) -> None:
        """Where a system can return to a snapshot, a world with more to do is one to return to."""
        if self.bench.token is None or (self.saved and self.saved[-1].node == self.node):
            return
        left = self.planner.left[self.node]
        if len(left) > (place[1] in left):
            token = self.lock.system.call("snapshot")
            numbers = copy.deepcopy(self.cast.numbers)
            saved = _Saved(self.node, token, _copied(self.lock), numbers, self.cast.emitted, [*self.moves])
            self.saved.append(saved)

    def _back(self) -> list[Place] | None:
        """To the last world that was saved and has something left."""
        while self.saved:
            last = self.saved[-1]
            here = self.planner.here(last.node)
            if here is None:
                self.saved.pop()
                continue
            self.lock.system.call("restore", last.token)
            self.branches += 1
            self.bench.lock = _copied(last.lock)
            self.node, self.moves = last.node, [*last.moves]
            self.cast.numbers, self.cast.emitted = copy.deepcopy(last.numbers), last.emitted
            return [here]
        return None

    # ---- the account ------------------------------------------------------------------------------

    def _account(self) -> None:
        """What there was to take, what was taken, and why the rest was not."""
        graph, planner, tally = self.graph, self.planner, self.tally
        beyond = planner.beyond(DECLINED)
        declined = sum(why == DECLINED for place, why in planner.closed.items() if place not in planner.done)
        why = "the time was over" if self.over else "there were violations enough"
        counted: set[Place] = set()
        for world, edges in enumerate(graph.edges):
            for i, edge in enumerate(edges):
                if planner.closed.get((world, i)) == DECLINED and (world, i) not in planner.done:
                    continue
                if world in beyond:
                    declined += 1
                    tally.declined["what comes after", "worlds to which only what it declined leads"] += 1
                    continue
                counted.add((world, i))
                name = graph.instances[edge.instance].name
                tally.there[name] += 1
                if i in planner.left[world]:
                    lost = planner.over and not self._enough()
                    told = "only what is left leads to it" if lost else why
                    tally.leave(name, told, str(graph.instances[edge.instance]))
        total, needed = len(counted), walks_needed(graph, counted)
        for key, n in (
            ("transitions", total),
            ("exercised", self.exercised),
            ("declined", declined),
            ("worlds", len(graph.worlds)),
            ("steps", self.steps),
            ("walked", self.walked),
            ("resets", self.resets),
            ("resets_needed", needed),
            ("branches", self.branches),
        ):
            tally.work[key] += n
        branched = f", {self.branches:,} returns to a snapshot" if self.branches else ""
        line = (
            f"{self.exercised:,} of {total:,} transitions from {len(graph.worlds):,} worlds, in "
            f"{self.walked:,} steps and {self.resets:,} resets (at least {needed:,}){branched}"
        )
        tally.legs.append((self.leg.name, line if graph.complete else f"{line}; not all worlds were met"))


def _copied(lock: Lockstep) -> Lockstep:
    """What a run knows, apart from the system and the model."""
    shared = (lock.adapter, lock.oracle, lock.topology, lock.system)
    return copy.deepcopy(lock, {id(x): x for x in shared})
