"""
Does an implementation do, at every world of a scope, all that the model does there, and refuse the rest?

The model is walked along every transition (`tours/`), and the system is driven alongside, judged as in
any other run. At each world a relayer also tries what the model refuses there, and an adversary what only
bytes can show. What a system declines, or an adapter cannot be asked for, is listed, and nothing is
counted for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from attrs import define, evolve, field, frozen

from shardproof_models.stacks import composed, layers_for, visible
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Role

from .. import __version__
from ..adapter import AdapterFactory, capabilities
from ..errors import ShardproofError, UsageError
from ..explanation import allowance, explained
from ..observable import lacking
from ..runs import Bench, Found, made, trace_of
from ..series import Points
from ..shortest import certified_trace
from ..shrink import Shrinker
from ..tours.course import Leg, course
from ..tours.tally import Tally
from ..tours.walker import VIOLATIONS_MAX, Walker
from ..trace import Search
from ..verdict import INTERRUPTED, Finding, Report, Verdict

Progress = Callable[[Mapping[str, int]], None]

#: A property is violated in different ways: so many of them are shrunk, and the shortest is told.
SHRUNK_MAX = 3


@frozen
class Plan:
    """What to walk on, and for how long."""

    #: Sizes of the first leg, as for a search of the model.
    sizes: Mapping[str, int] = field(factory=lambda: {"shards": 2, "receipts": 2, "headers": 1})
    #: Whether only the scope of these sizes is walked.
    alone: bool = False
    seconds: float | None = None
    worlds_max: int = 200_000
    properties: tuple[str, ...] = ()
    #: The stack that the system follows, if it does not say so itself.
    stack: str = ""
    #: Moves to run for each finding, as it is found, to learn whether a shorter one exists.
    certify: int | None = None
    #: Properties that the system is known to violate: nothing to stop for.
    expected: frozenset[str] = frozenset()


def tour(
    make: AdapterFactory,
    name: str,
    plan: Plan,
    *,
    clock: Callable[[], float],
    progress: Progress | None = None,
    legs: Sequence[Leg] | None = None,
) -> Report:
    """
    Walk every transition of the model of a system, leg by leg.

    Raises `AdapterError` if the adapter breaks its contract, and `UsageError` for a scope that is none.
    """
    begin = clock()
    if plan.sizes.get("shards", 2) < 2:
        raise UsageError("messages between shards need at least two of them", got=plan.sizes["shards"])
    adapter = made(make)
    whole = composed(layers_for(capabilities(adapter), plan.stack or adapter.stack))
    protocol = composed(visible(whole.layers))
    tour = _Tour(name, plan, clock, begin, progress or (lambda _: None))
    chosen = legs or course(protocol, plan.sizes, alone=plan.alone)
    for leg in chosen:
        if (ended := tour.ended()) is not None:
            tour.reasons.append(f"{ended} before this leg: {leg.name}")
            continue
        walker = Walker(adapter, whole, protocol, leg, tour.tally, plan.worlds_max, tour.late, tour.keep)
        try:
            walker.walk()
        except KeyboardInterrupt:
            tour.reasons.append(f"{leg.name}: {INTERRUPTED}")
            break
        except ShardproofError as error:
            error.found = tuple(tour.found.values())
            raise
        if not walker.graph.complete:
            full = len(walker.graph.worlds) >= plan.worlds_max
            why = f"the limit of {plan.worlds_max:,} worlds was reached" if full else "the time was over"
            tour.reasons.append(f"{leg.name}: {why}, before all worlds were met")
    judges = properties_of(whole, Role.SAFETY, Role.STEP, Role.PROGRESS, Role.CONCRETE)
    names = tuple(dict.fromkeys(p.name.partition("[")[0] for p in judges))
    return tour.report({name: lacking(name, capabilities(adapter)) for name in names})


@define(eq=False)
class _Tour:
    """What was counted and found, over all legs."""

    name: str
    plan: Plan
    clock: Callable[[], float]
    begin: float
    progress: Progress
    tally: Tally = field(factory=Tally)
    found: dict[str, Finding] = field(factory=dict)
    attempts: Counter[str] = field(factory=Counter)
    #: The same for what it is known to violate.
    expected: Counter[str] = field(factory=Counter)
    reasons: list[str] = field(factory=list)

    def late(self) -> bool:
        """Whether the time is over; also a moment to say how far it is."""
        tally = self.tally
        self.progress(
            {
                "steps": tally.steps,
                "transitions_exercised": tally.taken,
                "findings": len(self.found),
                "legs_done": len(tally.legs),
            }
        )
        return self.plan.seconds is not None and self.clock() - self.begin > self.plan.seconds

    def ended(self) -> str | None:
        """Why no further leg is walked; nothing if one is."""
        if self.attempts.total() >= VIOLATIONS_MAX:
            return "there were violations enough"
        return "the time was over" if self.late() else None

    def keep(self, bench: Bench, found: Found) -> bool:
        """
        Something is wrong: shrunk, run again and written down, if it is the shortest of its name.

        Returns whether it is something to stop for, if there is enough of it.
        """
        name = found.wrong.property
        if self._known(found):
            self._shorten(bench, found, self.expected)
            return False
        if not self.plan.properties or name in self.plan.properties:
            self._shorten(bench, found, self.attempts)
        return True

    def _known(self, found: Found) -> bool:
        broken = (found.wrong.property, *(also.partition("[")[0] for also in found.wrong.also))
        return self.plan.expected.issuperset(broken)

    def _shorten(self, bench: Bench, found: Found, attempts: Counter[str]) -> None:
        name = found.wrong.property
        attempts[name] += 1
        if attempts[name] > SHRUNK_MAX:
            return
        shrinker = Shrinker(bench)
        shrunk = shrinker.shrink_until_stopped(found)
        if name in self.found and len(shrunk.moves) >= len(self.found[name].trace.steps):
            if shrinker.stopped:
                raise KeyboardInterrupt
            return
        work = self.tally.work
        search = Search("tour", None, work["resets"], work["steps"])
        trace = trace_of(bench, self.name, shrunk, search, {"shardproof": __version__})
        wrong, before, after = shrunk.wrong, len(found.moves), len(trace.steps)
        told = f"shrunk from {before} steps to {after}" if before > after else ""
        self.found[name] = Finding(
            wrong.id, name, wrong.because, wrong.kind, trace, wrong.also, told, shrinker.course
        )
        if shrinker.stopped:
            raise KeyboardInterrupt
        if self.plan.certify is not None:
            trace, shorter = certified_trace(bench, shrunk, trace, self.plan.certify)
            told = shorter or told
        trace = explained(bench, trace, allowance(self.clock, self.plan.seconds))
        self.found[name] = evolve(self.found[name], trace=trace, shrunk=told)

    # ---- the answer -------------------------------------------------------------------------------

    def report(self, judges: Mapping[str, Sequence[str]]) -> Report:
        """What was found, and exactly what was exercised; of each property, the verbs that it lacks."""
        work, left = self.tally.work, sum(self.tally.left.values())
        reasons = [*self.reasons]
        if not work["exercised"]:
            reasons.append("no transition was exercised")
        if left:
            reasons.append(f"{left:,} transitions of the model were not exercised")
        verdict = Verdict.VIOLATED if self.found else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS
        stopped = self.found.keys() - self.expected.keys()
        return Report(
            "tour",
            verdict,
            self._checked(),
            tuple(self.found.values()),
            reasons=() if stopped else tuple(reasons),
            work=dict(work),
            properties=tuple(name for name, missing in judges.items() if not missing),
            not_applicable={
                name: f"the adapter has no {', '.join(missing)}"
                for name, missing in judges.items()
                if missing
            },
            tables=self._tables(),
            seconds=self.clock() - self.begin,
            series=self._series(),
        )

    def _series(self) -> dict[str, Points]:
        growth = self.tally.growth
        growth.note(self.tally.steps, self.tally.taken)
        return {"transitions exercised": growth.points} if self.tally.steps else {}

    def _checked(self) -> str:
        work = self.tally.work
        total, done = work["transitions"], work["exercised"]
        # 99.9 % is not everything.
        share = 100 * done // total if total else 0
        told = (
            f"{share} % of {total:,} transitions of the model exercised on {self.name}, from "
            f"{work['worlds']:,} worlds, in {work['walked']:,} steps and {work['resets']:,} resets; on the "
            f"way {work['refusals']:,} attempts that the model refuses, and {work['variants']:,} that only "
            f"bytes tell from what is honest"
        )
        declined = f"; {work['declined']:,} more the system declined" if work["declined"] else ""
        return told + declined

    def _tables(self) -> dict[str, tuple[tuple[str, str], ...]]:
        tally = self.tally
        return {
            "legs": tuple(tally.legs),
            "transitions exercised": tuple(
                (action, f"{tally.exercised[action]:,} of {count:,}") for action, count in tally.there.items()
            ),
            "left": tuple(
                (action, f"{count:,}: {why}, e.g. {tally.examples[action, why]}")
                for (action, why), count in tally.left.items()
            ),
            "declined by the system, and not counted": _reasoned(tally.declined, ""),
            "of the model, and not for this adapter": _reasoned(tally.impossible, " instances"),
            "refused as the model does": tuple((k, f"{n:,}") for k, n in sorted(tally.refused.items())),
            "what the adversary tried": tuple((k, f"{n:,}") for k, n in sorted(tally.tried.items())),
        }


def _reasoned(counted: Counter[tuple[str, str]], of: str) -> tuple[tuple[str, str], ...]:
    return tuple((action, f"{count:,}{of}: {why}") for (action, why), count in counted.items())
