"""
Do long random and adversarial runs of an implementation agree with the model?

Hypothesis supplies the numbers, a schedule makes moves of them, and the lockstep compares.
A run that reaches something new (a combination of what was tried, what the model said and
how far the receipt had come, never seen before) is kept, and later runs begin with it: so
rare situations are not found once but built upon. This looks only at the model's side, so it
guides the search through implementations in any language.

Nothing is raised inside Hypothesis: a finding is written down, shrunk by our own delta
debugging, confirmed by running it again, and the search goes on for others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import get_args

from attrs import define, field, frozen
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from shardproof_models.language.actions import Action
from shardproof_models.stacks import composed, layers_for
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .. import __version__
from ..adapter import CAPABILITIES, AdapterFactory, Refused, Topology, capabilities
from ..attacks import ATTACKS, NEEDS, WEATHER
from ..coverage import ENVIRONMENT, GuardCoverage
from ..errors import AdapterError, ShardproofError, UsageError
from ..moves import Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Restart, Revert
from ..oracle import Oracle
from ..runs import DETERMINISTIC, Bench, Found, made, trace_of
from ..schedule import Schedule
from ..shrink import Shrinker
from ..trace import Search
from ..traffic import Dice
from ..verdict import Finding, Report, Verdict

#: Runs that Hypothesis makes from one seed, before the next seed: bounds its memory and our reaction time.
RUNS_A_BATCH = 25
#: Moves that one number decides.
MOVES_A_NUMBER = 4
#: Numbers a run: Hypothesis bounds the data of one test case; a longer run makes more of each number.
NUMBERS_MAX = 250
#: Kept beginnings; beyond, the oldest make room.
BEGINNINGS_MAX = 512
#: One run in so many is repeated, to see whether the adapter answers as before.
REPEATED = 61
#: So much of it, so that a long run costs no more a step than a short one.
REPEATED_MOVES = 200
#: One run in so many ends with honest relayers finishing what is under way.
QUIESCED = 3
#: After the first finding the search goes on for as many runs as it took, and these.
RUNS_AFTER_FINDING = 400
#: A property is violated in different ways: so many of them are shrunk, and the shortest is told.
SHRUNK_MAX = 10

Progress = Callable[[Mapping[str, int]], None]


@frozen
class Plan:
    """How much to search, and from which seed."""

    seed: int
    seconds: float | None = None
    steps: int | None = None
    shards: int = 3
    depth: int = 60
    #: Receipts that are kept under way all the time, for systems that are to be tried under load.
    crowd: int = 0
    properties: tuple[str, ...] = ()


#: What is counted.
WORK = (
    "steps",
    "runs",
    "emitted",
    "executed",
    "attempts_refused",
    "reverts",
    "due",
    "quiesced",
    "repeated",
)


@define(eq=False)
class Coverage:
    """What has been seen: situations, exercised properties, attacks."""

    situations: set[int] = field(factory=set)
    beginnings: list[tuple[Move, ...]] = field(factory=list)
    tried: dict[str, int] = field(factory=dict)
    work: dict[str, int] = field(factory=lambda: dict.fromkeys(WORK, 0))
    exercised: dict[str, int] = field(factory=dict)

    def exercise(self, *names: str) -> None:
        """Properties that the last step could have violated."""
        for name in names:
            self.exercised[name] = self.exercised.get(name, 0) + 1


#: The clause of `deliver` that stands between an attempt and the violation of a property.
GUARDS = {
    "untrusted header": ("executes-only-on-trusted-headers", "executes-only-on-final-headers"),
    "wrong source": ("executes-only-what-was-emitted",),
    "unproven": ("executes-only-what-was-emitted",),
    "wrong destination": ("executes-at-its-destination",),
    "consumed": ("executes-at-most-once",),
}


#: What a light client can get wrong; without one, headers certify themselves.
LEARNING = ("trusts-only-final-headers", "trusts-only-produced-headers")


def fuzz(
    make: AdapterFactory,
    name: str,
    plan: Plan,
    *,
    clock: Callable[[], float],
    progress: Progress | None = None,
) -> Report:
    """Search for the plan's time or steps. Raises `AdapterError` if the adapter breaks its contract."""
    if plan.seconds is None and plan.steps is None:
        raise UsageError("a search needs an end", help="give it seconds or steps")
    if plan.shards < 2:
        raise UsageError("messages between shards need at least two of them", got=plan.shards)
    begin = clock()
    adapter = made(make)
    protocol = composed(layers_for(capabilities(adapter)))
    oracle = Oracle.for_run(protocol, plan.shards, plan.depth + 40, plan.crowd)
    bench = Bench(adapter, oracle, Topology.of(plan.shards))
    search = _Search(bench, name, plan, clock, begin, progress)
    try:
        search.go()
    finally:
        bench.close()
    return search.report()


@define(eq=False)
class _Search:
    bench: Bench
    name: str
    plan: Plan
    clock: Callable[[], float]
    begin: float
    progress: Progress | None
    coverage: Coverage = field(factory=Coverage)
    schedule: Schedule = field(init=False)
    found: dict[str, Finding] = field(factory=dict)
    #: Property -> how many runs have violated it.
    attempts: dict[str, int] = field(factory=dict)
    runs_wanted: int | None = None
    over: bool = False
    #: Attempts that were refused in the runs before this one.
    refused_before: int = 0
    broke: ShardproofError | None = None
    guards: GuardCoverage = field(init=False)
    #: What each kind of move attempts.
    actions: dict[type[Move], Action] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.schedule = Schedule(self.bench.lock, self.coverage.tried, self.plan.crowd)
        actions, able = self.bench.oracle.protocol.actions, self.bench.lock.able
        lacking = {a.name for a in actions if a.name in CAPABILITIES and a.name not in able}
        self.guards = GuardCoverage(
            actions, ENVIRONMENT, {name: f"the adapter has no {name}" for name in lacking}
        )
        by_name = {a.name: a for a in actions}
        kinds = {kind: action_name(kind) for kind in get_args(Move)}
        self.actions = {kind: by_name[name] for kind, name in kinds.items() if name in by_name}

    def go(self) -> None:
        """Batch after batch, until time, steps or findings say stop."""
        batch = 0
        while not self._enough():
            self._batch(batch)
            batch += 1

    def _batch(self, number: int) -> None:
        # One draw of fixed size a run. Where an integer is drawn, Hypothesis now and then takes one that
        # stands in the source files of the project it finds itself in, and then a seed would mean
        # something else on another machine; bytes of this size stand in nobody's files.
        size = 8 * min(NUMBERS_MAX, 2 + self.plan.depth // MOVES_A_NUMBER)

        @seed(self.plan.seed * 1_000_003 + number)
        @settings(
            max_examples=RUNS_A_BATCH,
            phases=[Phase.generate],
            database=None,
            deadline=None,
            verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
            report_multiple_bugs=False,
        )
        @given(st.binary(min_size=size, max_size=size))
        def batch(drawn: bytes) -> None:
            if not self._enough():
                numbers = [int.from_bytes(drawn[i : i + 8], "big") for i in range(0, size, 8)]
                # Hypothesis would run it again to explain it; an adapter that broke stays broken.
                try:
                    self._run(numbers)
                except ShardproofError as error:
                    self.broke = error
                    self.over = True

        batch()
        if self.broke is not None:
            raise self.broke

    def _enough(self) -> bool:
        plan, work = self.plan, self.coverage.work
        if not self.over:
            self.over = (
                (plan.steps is not None and work["steps"] >= plan.steps)
                or (plan.seconds is not None and self.clock() - self.begin >= plan.seconds)
                or (self.runs_wanted is not None and work["runs"] >= self.runs_wanted)
            )
        return self.over

    # ---- one run ----------------------------------------------------------------------------------

    def _run(self, numbers: list[int]) -> None:
        lock, schedule, work = self.bench.fresh(), self.schedule, self.coverage.work
        work["runs"] += 1
        self.refused_before = work["attempts_refused"]
        dice = Dice(mixed(numbers[-1]))
        schedule.begin(dice)
        moves: list[Move] = []
        found: Found | None = None
        beginnings = self.coverage.beginnings
        if beginnings and dice.roll(2):
            recent = dice.roll(2)
            kept = dice.pick(beginnings[-16:][::-1] if recent else beginnings)
            for move in kept:
                schedule.follow(move)
                if lock.possible(move) and (found := self._step(move, moves)):
                    break
        depth = self.plan.depth >> dice.roll(3)
        while found is None and len(moves) < depth:
            number = numbers[len(moves) // MOVES_A_NUMBER % len(numbers)] + len(moves)
            found = self._step(schedule.next(Dice(mixed(number))), moves)
        if found is None and work["runs"] % QUIESCED == 0 and not (schedule.stopped or schedule.slow):
            found = self._quiesce(moves)
        if found is None and (wrong := lock.sweep()):
            found = Found(self.bench.named(wrong, moves), tuple(moves))
        lost = len(schedule.waiting)
        if lost:
            self.coverage.tried["loss"] = self.coverage.tried.get("loss", 0) + 1
        if found is not None:
            self._keep(found)
        elif work["runs"] % REPEATED == 1:
            self._repeat(moves[:REPEATED_MOVES])
        if self.progress is not None and work["runs"] % RUNS_A_BATCH == 0:
            self.progress({**work, "situations": len(self.coverage.situations), "findings": len(self.found)})

    def _step(self, move: Move, moves: list[Move]) -> Found | None:
        lock = self.bench.lock
        moves.append(move)
        before = self._situation(move)
        wrong = lock.run(move)
        self.coverage.work["steps"] += 1
        action = self.actions[type(move)]
        taken = bool(lock.happened) or not isinstance(lock.claim, Refused)
        # Where they part ways, the clause may be that of a delivery which nobody asked for.
        answer = lock.clause if wrong is None else self.guards.number(action, wrong.clause)
        self.guards.rows[action.name][answer << 1 | taken] += 1
        if wrong is not None:
            return Found(self.bench.named(wrong, moves), tuple(moves))
        self.schedule.note(move)
        self._cover(move, before, moves)
        return None

    def _situation(self, move: Move) -> int:
        """How far the receipt of a delivery had come, in a few bits."""
        if not isinstance(move, Deliver):
            return 0
        lock = self.bench.lock
        sent = lock.receipts.get(move.receipt) if isinstance(move.receipt, int) else None
        block = lock.headers.get(move.header)
        bits = 1 if sent is None else 2
        if sent is not None:
            bits |= (sent.executed_at >= 0) << 2 | (move.shard == sent.destination) << 3
            if block is not None:
                bits |= lock.commits(block, sent) << 4 | (block.shard == sent.source) << 5
        if block is not None:
            bits |= block.final << 6 | block.produced << 7 | lock.trusts(move.shard, block) << 8
        return bits

    def _cover(self, move: Move, before: int, moves: list[Move]) -> None:
        lock, coverage, work = self.bench.lock, self.coverage, self.coverage.work
        refused = isinstance(lock.claim, Refused)
        kind = 0
        match move:
            case Deliver(_, receipt, _, evidence, damage, again):
                # Judged by effects: some systems answer an attempt that they ignore with success.
                work["attempts_refused"] += bool(lock.clause) and not lock.happened
                work["executed"] += bool(lock.happened)
                if lock.clause:
                    coverage.exercise(*GUARDS.get(lock.refusing_clause("deliver", lock.clause), ()))
                elif lock.happened:
                    work["due"] += 1
                    coverage.exercise("delivers-what-is-due", "waits-for-no-other-shard")
                    if work["attempts_refused"] > self.refused_before:
                        coverage.exercise("is-not-jammed-by-another-receipt")
                kind = 8 + again + 2 * isinstance(receipt, Forged) + 4 * (evidence is not None)
                kind += 8 * (hash_of(damage.part + damage.kind) if damage else 0)
            case Learn(_, _, damage):
                if lock.clause:
                    coverage.exercise(*LEARNING)
                kind = 1 + 8 * (damage is not None)
            case Emit():
                work["emitted"] += not refused
                kind = 2
            case Revert():
                work["reverts"] += not refused
                # Where nothing was taken back there was nothing to forget.
                if lock.taken_back:
                    coverage.exercise("reverts-atomically")
                kind = 3
            case Restart():
                kind = 4
            case Produce() | Finalise():
                kind = 5
        height = min(3, len(lock.receipts)) << 2 | min(3, len(self.schedule.done))
        situation = (((kind << 9 | before) << 3 | lock.clause) << 1 | refused) << 4 | height
        if situation not in coverage.situations:
            coverage.situations.add(situation)
            if len(moves) > 1:
                if len(coverage.beginnings) >= BEGINNINGS_MAX:
                    del coverage.beginnings[: BEGINNINGS_MAX // 2]
                coverage.beginnings.append(tuple(moves))

    def _quiesce(self, moves: list[Move]) -> Found | None:
        """Honest relayers finish what is under way: each receipt that is waiting must be executed (Q1)."""
        self.coverage.work["quiesced"] += 1
        schedule, lock = self.schedule, self.bench.lock
        for sent in list(schedule.waiting[-12:]):
            # A receipt needs a block, its finality and that of those before, a light client, a delivery.
            for _ in range(6 + len(schedule.pending(sent.source))):
                move = schedule.towards(sent)
                if move is None or not lock.possible(move):
                    break
                declined = sum(lock.declined.values())
                if found := self._step(move, moves):
                    return found
                if sent.executed_at >= 0 or sum(lock.declined.values()) > declined:
                    break
        return None

    def _repeat(self, moves: list[Move]) -> None:
        self.coverage.work["repeated"] += 1
        first, _, _ = self.bench.record(moves)
        second, _, _ = self.bench.record(moves)
        for number, (a, b) in enumerate(zip(first, second, strict=False)):
            if a != b:
                raise AdapterError(
                    f"the adapter is not deterministic: step {number + 1} ({a.action} at {a.at}) "
                    "went differently when it was taken again",
                    expected=f"{a.actual} {' '.join(a.changed)}".strip(),
                    got=f"{b.actual} {' '.join(b.changed)}".strip(),
                    help=DETERMINISTIC,
                )
        if len(first) != len(second):
            raise AdapterError(
                "the adapter is not deterministic: the same run had another length when it was taken again",
                expected=f"{len(first)} steps",
                got=f"{len(second)} steps",
                help=DETERMINISTIC,
            )

    def _keep(self, found: Found) -> None:
        work, name = self.coverage.work, found.wrong.property
        if self.plan.properties and name not in self.plan.properties:
            return
        seen = self.attempts[name] = self.attempts.get(name, 0) + 1
        if seen > SHRUNK_MAX:
            return
        shrunk = Shrinker(self.bench).shrink(found)
        if name in self.found and len(shrunk.moves) >= len(self.found[name].trace.steps):
            return
        search = Search("fuzz", self.plan.seed, work["runs"], work["steps"])
        trace = trace_of(self.bench, self.name, shrunk, search, {"shardproof": __version__})
        wrong = shrunk.wrong
        before, after = len(found.moves), len(trace.steps)
        told = f"shrunk from {before} steps to {after}" if before > after else ""
        self.found[name] = Finding(wrong.id, name, wrong.because, wrong.kind, trace, wrong.also, told)
        if self.runs_wanted is None:
            self.runs_wanted = 2 * work["runs"] + RUNS_AFTER_FINDING

    # ---- the answer -------------------------------------------------------------------------------

    def report(self) -> Report:
        """What was found, and exactly what was checked."""
        work, tried = self.coverage.work, self.coverage.tried
        reasons = self._reasons()
        verdict = Verdict.VIOLATED if self.found else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS
        applicable = [kind for kind in ATTACKS if kind in self.schedule.applicable]
        return Report(
            engine="fuzz",
            verdict=verdict,
            checked=(
                f"{work['runs']:,} random and adversarial runs of {self.name}, "
                f"{work['steps']:,} steps with {self.plan.shards} shards, "
                f"{work['emitted']:,} receipts emitted, {work['executed']:,} executed, "
                f"{work['attempts_refused']:,} attempts refused (seed {self.plan.seed})"
            ),
            findings=tuple(self.found.values()),
            reasons=tuple(reasons),
            work={**work, "situations": len(self.coverage.situations)},
            not_applicable=self._not_applicable(),
            properties=tuple(p.name.partition("[")[0] for p in self._judged()),
            tables={
                "what the adversary tried": tuple(
                    (k, f"{tried[k]:,}" if tried.get(k) else "never tried") for k in (*applicable, *WEATHER)
                ),
                "what does not apply": tuple(
                    (k, f"needs {', '.join(NEEDS[k])}") for k in ATTACKS if k not in applicable
                ),
                **self.guards.tables(),
            },
            never_exercised=self.guards.never_exercised(),
            seconds=self.clock() - self.begin,
        )

    def _judged(self) -> list[Property]:
        names: dict[str, Property] = {}
        for p in properties_of(self.bench.oracle.protocol, Role.SAFETY, Role.STEP, Role.PROGRESS):
            name = p.name.partition("[")[0]
            if name in OBSERVED and (not self.plan.properties or name in self.plan.properties):
                names.setdefault(name, p)
        if "learn" not in self.bench.lock.able:
            names = {name: p for name, p in names.items() if name not in LEARNING}
        return list(names.values())

    def _not_applicable(self) -> dict[str, str]:
        able = self.bench.lock.able
        told: dict[str, str] = {}
        if "revert" not in able:
            told["reverts-atomically"] = "the adapter has no revert"
        if "learn" not in able:
            told.update(dict.fromkeys(LEARNING, "the adapter has no learn: headers certify themselves"))
        return told

    def _reasons(self) -> list[str]:
        work, lock = self.coverage.work, self.bench.lock
        if not work["steps"]:
            return ["nothing was run"]
        if not self._judged():
            return [f"{', '.join(self.plan.properties)} cannot be observed on an implementation"]
        if not work["emitted"]:
            refused = f"{lock.declined.get('emit', 0)} in the last run"
            return [f"no receipt could be emitted: the adapter refused every emit ({refused})"]
        if not work["executed"]:
            return ["no receipt was ever executed, so there was nothing to get wrong"]
        return [
            f"{p.name.partition('[')[0]} was never exercised: give it more time"
            for p in self._judged()
            if not self.coverage.exercised.get(p.name.partition("[")[0])
        ]


#: Properties that a run of an implementation can violate in the open.
OBSERVED = (
    "executes-at-most-once",
    "executes-only-what-was-emitted",
    "executes-only-on-final-headers",
    "executes-at-its-destination",
    "trusts-only-final-headers",
    "trusts-only-produced-headers",
    "executes-only-on-trusted-headers",
    "reverts-atomically",
    "delivers-what-is-due",
    "waits-for-no-other-shard",
    "is-not-jammed-by-another-receipt",
)


def action_name(kind: type[Move]) -> str:
    """The action of the protocol that a kind of move attempts: `TimeOut` attempts `time_out`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def mixed(number: int) -> int:
    """
    A number that has nothing to do with its neighbours (the finaliser of SplitMix64, Steele et al. 2014).

    Several moves are made of one drawn number and their place in the run.
    """
    number = (number + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return number ^ number >> 31


def hash_of(text: str) -> int:
    """A small number for a word, the same on every machine."""
    number = 0
    for c in text:
        number = (number * 31 + ord(c)) % 251
    return 1 + number
