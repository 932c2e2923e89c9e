"""
Do several implementations do the same, whatever the model allows?

The moves of one schedule go to all of them, and the first step at which two part is shrunk and
told. The schedule looks at the first system, as in fuzzing; while all agree, all have seen the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random

from attrs import define, evolve, field, frozen

from ..adapter import AdapterFactory, Topology
from ..compared import Compared
from ..errors import ShardproofError, UsageError
from ..moves import Emit, Move
from ..runs import Found
from ..schedule import Schedule
from ..shrink import Shrinker
from ..together import Together, agreement_on, agreements
from ..trace import Search
from ..traffic import Dice
from ..verdict import INTERRUPTED, Finding, Report, Verdict

#: Shards that may be founded in a run, where shards split and merge.
RESERVE = 4
#: Of each kind of difference, so many are shrunk, and the shortest is told.
SHRUNK_MAX = 5
#: After the first difference the search goes on for as many runs as it took, and these.
RUNS_AFTER_FINDING = 200
#: Runs between two looks at how far it is.
LOOK_EVERY = 10

Progress = Callable[[Mapping[str, int]], None]


@frozen
class Plan:
    """How much to search, and from which seed."""

    seed: int
    seconds: float | None = None
    steps: int | None = None
    shards: int = 3
    depth: int = 60
    #: Differences that are known: the search goes on past them.
    expected: frozenset[str] = frozenset()


def differ(
    systems: Sequence[tuple[str, AdapterFactory]],
    plan: Plan,
    *,
    clock: Callable[[], float],
    progress: Progress | None = None,
) -> Report:
    """
    Ask all systems the same, for the plan's time or steps.

    Raises `AdapterError` if one breaks its contract, and `UsageError` if they cannot be compared.
    """
    if plan.seconds is None and plan.steps is None:
        raise UsageError("a search needs an end", help="give it seconds or steps")
    begin = clock()
    topology = evolve(Topology.of(plan.shards + RESERVE), reserve=RESERVE)
    together = Together.of(systems, topology, plan.depth + 40)
    search = _Search(together, plan, clock, begin, progress or (lambda _: None))
    try:
        search.go()
    except KeyboardInterrupt:
        search.interrupted = True
    except ShardproofError as error:
        error.found = tuple(search.found.values())
        raise
    finally:
        together.close()
    return search.report()


@define(eq=False)
class _Search:
    together: Together
    plan: Plan
    clock: Callable[[], float]
    begin: float
    progress: Progress
    work: dict[str, int] = field(
        factory=lambda: dict.fromkeys(
            ("steps", "runs", "emitted", "executed", "refused", "ended_apart", "ended_early"), 0
        )
    )
    compared: Compared = field(factory=Compared)
    found: dict[str, Finding] = field(factory=dict)
    attempts: dict[str, int] = field(factory=dict)
    #: What all were asked to agree on.
    asked: set[str] = field(factory=set)
    runs_wanted: int | None = None
    #: Whether somebody stopped it.
    interrupted: bool = False

    def go(self) -> None:
        """Run after run, until time, steps or findings say stop."""
        numbers = Random(self.plan.seed)
        schedule = Schedule(self.together.benches[0].lock, {})
        while not self._enough():
            self.work["runs"] += 1
            moves: list[Move] = []
            if found := self._run(numbers, schedule, moves):
                self._keep(found)
            if self.work["runs"] % LOOK_EVERY == 0:
                work = self.work
                self.progress({"steps": work["steps"], "differences": len(self.found), "runs": work["runs"]})

    def _enough(self) -> bool:
        plan, work = self.plan, self.work
        return (
            (plan.steps is not None and work["steps"] >= plan.steps)
            or (plan.seconds is not None and self.clock() - self.begin >= plan.seconds)
            or (self.runs_wanted is not None and work["runs"] >= self.runs_wanted)
        )

    def _run(self, numbers: Random, schedule: Schedule, moves: list[Move]) -> Found | None:
        together, work = self.together, self.work
        together.fresh()
        schedule.begin(Dice(numbers.getrandbits(64)))
        lock = together.benches[0].lock
        for _ in range(self.plan.depth):
            move = schedule.next(Dice(numbers.getrandbits(64)))
            if not together.possible(move):
                continue
            moves.append(move)
            work["steps"] += 1
            self.asked.add(agreement_on(move))
            difference, wrong = together.run(move)
            self.compared.note(move, lock, differs=difference is not None)
            work["emitted"] += isinstance(move, Emit)
            work["executed"] += bool(lock.happened)
            work["refused"] += bool(lock.clause)
            if difference is not None:
                work["ended_apart"] += 1
                return Found(difference, tuple(moves))
            if wrong:
                # All of them do what the model does not allow: the search that judges has it.
                work["ended_early"] += 1
                return None
            schedule.note(move)
        return None

    def _keep(self, found: Found) -> None:
        name = found.wrong.property
        seen = self.attempts[name] = self.attempts.get(name, 0) + 1
        if seen > SHRUNK_MAX:
            return
        shrinker = Shrinker(self.together)
        shrunk = shrinker.shrink_until_stopped(found)
        if name in self.found and len(shrunk.moves) >= len(self.found[name].trace.steps):
            if shrinker.stopped:
                raise KeyboardInterrupt
            return
        search = Search("differ", self.plan.seed, self.work["runs"], self.work["steps"])
        trace = self.together.trace(shrunk, search)
        wrong, before, after = shrunk.wrong, len(found.moves), len(trace.steps)
        told = f"shrunk from {before} steps to {after}" if before > after else ""
        course = shrinker.course
        self.found[name] = Finding(wrong.id, name, wrong.because, wrong.kind, trace, (), told, course)
        if shrinker.stopped:
            raise KeyboardInterrupt
        if self.runs_wanted is None and name not in self.plan.expected:
            self.runs_wanted = 2 * self.work["runs"] + RUNS_AFTER_FINDING

    def report(self) -> Report:
        """What was found, and exactly what was compared."""
        work, names = self.work, self.together.names
        expected = self.plan.expected.intersection(agreements(self.together.benches[0].lock.able))
        reasons = [INTERRUPTED] if self.interrupted else []
        if not work["steps"]:
            reasons.append("nothing was run")
        elif not work["executed"]:
            reasons.append("no receipt was ever executed, so there was nothing to differ in")
        else:
            reasons += [
                f"{name} was never asked: give it more time" for name in sorted(expected - self.asked)
            ]
        # The rest of such a run is not compared, also where it was known that they differ.
        ended = (("ended_apart", "where they differ"), ("ended_early", "where all were wrong"))
        early = "".join(f", {work[word]:,} ended {where}" for word, where in ended if work[word])
        return Report(
            "differ",
            Verdict.VIOLATED if self.found else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS,
            f"{', '.join(names)} asked the same: {work['runs']:,} random and adversarial runs{early}, "
            f"{work['steps']:,} steps with {self.plan.shards} shards, {work['executed']:,} with an effect, "
            f"{work['refused']:,} that the model refuses (seed {self.plan.seed})",
            tuple(self.found.values()),
            reasons=tuple(reasons),
            properties=tuple(sorted(self.asked | expected)),
            work={**work, **self.compared.work},
            tables={
                "verbs that only some have, and nobody was asked for": tuple(
                    (verb, f"only {who}") for verb, who in self.together.left_out.items()
                )
            },
            details={"what all were asked, and what came of it": self.compared.rows},
            seconds=self.clock() - self.begin,
            series=self.compared.series,
        )
