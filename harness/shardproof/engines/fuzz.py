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
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

from attrs import define, evolve, field, frozen
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from shardproof_models.language.actions import Action
from shardproof_models.stacks import composed, layers_for, visible
from shardproof_properties.property import Property, Role

from .. import __version__
from ..adapter import CAPABILITIES, AdapterFactory, Ending, Refused, Topology, capabilities
from ..attacks import ATTACKS, NEEDS, WEATHER
from ..coverage import ENVIRONMENT, GuardCoverage
from ..deeds import DEEDS, Decides
from ..errors import AdapterError, ShardproofError, UsageError
from ..moves import Act, Deliver, Emit, Finalise, Forged, Learn, Move, Produce, Restart, Revert
from ..observable import EXERCISED, OBSERVABLE, lacking
from ..oracle import Oracle
from ..record import Sent
from ..relaying import next_step_regardless
from ..runs import DETERMINISTIC, Bench, Found, made, trace_of
from ..schedule import Schedule
from ..shortest import certified_trace
from ..shrink import Shrinker
from ..tours.rare import KEPT, RareWorlds
from ..trace import Search
from ..traffic import Dice
from ..verdict import Finding, Report, Verdict

#: Of runs that may begin in a rare world of the model, one in so many does.
RARE = 8
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
#: Steps by which an honest relayer brings one receipt to its end: clocks have to run, blocks to follow.
FINISHED_MAX = 40
#: Steps at the end of a run that look for what comes of something which breaks nothing yet.
PURSUED_MAX = 24
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
    #: Whether some runs begin with what leads to a rare world of the model.
    rare: bool = False
    properties: tuple[str, ...] = ()
    #: The stack that the system follows, if it does not say so itself.
    stack: str = ""
    #: Moves to run for each finding, when the search is over, to learn whether a shorter one exists.
    certify: int | None = None
    #: Properties that the system is known to violate: nothing to stop for.
    expected: frozenset[str] = frozenset()


#: Shards that may be founded in a run, where shards split and merge.
RESERVE = 4

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


#: What happens to a shard without being asked for by name. It writes outcomes down with the execution.
UNASKED = {
    "write_acknowledgement": "no relayer asks for it",
    "crash": "power fails while something else is asked for",
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
    able = capabilities(adapter)
    protocol = composed(layers_for(able, plan.stack or adapter.stack))
    reserve = RESERVE if able & {"split", "merge"} else 0
    shards = plan.shards + reserve
    oracle = Oracle.for_run(protocol, shards, plan.depth + 40, plan.crowd, reserve)
    bench = Bench(adapter, oracle, evolve(Topology.of(shards), reserve=reserve))
    search = _Search(bench, name, plan, clock, begin, progress)
    try:
        search.go()
        search.certify()
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
    #: Property -> its finding as a run.
    shrunk: dict[str, Found] = field(factory=dict)
    #: Property -> how many runs have violated it.
    attempts: dict[str, int] = field(factory=dict)
    runs_wanted: int | None = None
    over: bool = False
    #: Attempts that were refused in the runs before this one.
    refused_before: int = 0
    broke: ShardproofError | None = None
    guards: GuardCoverage = field(init=False)
    rare: RareWorlds | None = field(init=False, default=None)
    #: What each kind of move attempts.
    actions: dict[type[Move], Action] = field(init=False)
    deeds: dict[str, Action] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.schedule = Schedule(self.bench.lock, self.coverage.tried, self.plan.crowd)
        actions, able = self.bench.oracle.protocol.actions, self.bench.lock.able
        if self.plan.rare:
            seen = composed(visible(self.bench.oracle.protocol.layers))
            self.rare = RareWorlds(seen, able, self.plan.seed, self.bench.topology)
        # Of several verbs that attempt one action, the first is the plain one.
        offered = {deed.action: deed.verb for deed in reversed([*DEEDS.values()]) if deed.action}
        verbs = {a.name: offered.get(a.name, a.name) for a in actions}
        missing = {name: verb for name, verb in verbs.items() if verb in CAPABILITIES and verb not in able}
        impossible = {name: f"the adapter has no {verb}" for name, verb in missing.items()}
        impossible |= {a.name: UNASKED[a.name] for a in actions if a.name in UNASKED}
        arranged = {deed.action for deed in DEEDS.values() if deed.decides is Decides.ENVIRONMENT}
        self.guards = GuardCoverage(actions, ENVIRONMENT | arranged, impossible)
        by_name = {a.name: a for a in actions}
        kinds = {kind: action_name(kind) for kind in get_args(Move)}
        self.actions = {kind: by_name[name] for kind, name in kinds.items() if name in by_name}
        self.deeds = {deed.verb: by_name[deed.action] for deed in DEEDS.values() if deed.action in by_name}

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
        room = 0
        if self.rare is not None and dice.roll(RARE) == 0:
            found = self._to_a_rare_world(self.rare, dice, moves)
            room = len(moves)
        elif beginnings and dice.roll(2):
            recent = dice.roll(2)
            kept = dice.pick(beginnings[-16:][::-1] if recent else beginnings)
            for move in kept:
                schedule.follow(move)
                if lock.possible(move) and (found := self._step(move, moves)):
                    break
        depth = room + (self.plan.depth >> dice.roll(3))
        pursued = False
        while found is None and len(moves) < depth:
            number = numbers[len(moves) // MOVES_A_NUMBER % len(numbers)] + len(moves)
            found = self._step(schedule.next(Dice(mixed(number))), moves)
            if found is None and lock.suspects and not pursued:
                # At once: a little later it may be too late for anything to come of it.
                pursued, found = True, self._pursue(moves)
        if found is None and work["runs"] % QUIESCED == 0:
            found = self._quiesce(moves)
        for turn in range(PURSUED_MAX):
            if found is not None or not lock.suspects:
                break
            next_one = schedule.pursue(Dice(mixed(numbers[-1] + turn)))
            if next_one is not None and lock.possible(next_one):
                found = self._step(next_one, moves)
        if found is None and (wrong := lock.sweep()):
            found = self.bench.at_the_end(wrong, moves)
        lost = len(schedule.waiting)
        if lost:
            self.coverage.tried["loss"] = self.coverage.tried.get("loss", 0) + 1
        if found is not None:
            self._keep(found)
        elif work["runs"] % REPEATED == 1:
            self._repeat(moves[:REPEATED_MOVES])
        if self.progress is not None and work["runs"] % RUNS_A_BATCH == 0:
            self.progress({**work, "situations": len(self.coverage.situations), "findings": len(self.found)})

    def _to_a_rare_world(self, rare: RareWorlds, dice: Dice, moves: list[Move]) -> Found | None:
        """The system is led to a world that the model seldom comes to."""
        for move in rare.moves(rare.beginning(dice.roll(KEPT)), self.bench.lock):
            self.schedule.follow(move)
            if found := self._step(move, moves):
                return found
        return None

    def _step(self, move: Move, moves: list[Move]) -> Found | None:
        lock = self.bench.lock
        moves.append(move)
        before = self._situation(move)
        relieved = isinstance(move, Emit) and move[1:3] in lock.emptied
        wrong = lock.run(move)
        self.coverage.work["steps"] += 1
        action = self.deeds.get(move.deed) if isinstance(move, Act) else self.actions.get(type(move))
        if action is not None:
            taken = bool(lock.happened) or not isinstance(lock.claim, Refused)
            # Where they part ways, the clause may be that of a delivery which nobody asked for.
            astray = wrong is not None or bool(lock.suspects)
            answer = self.guards.number(action, wrong.clause if wrong else "") if astray else lock.clause
            self.guards.rows[action.name][answer << 1 | taken] += 1
        if wrong is not None:
            return Found(self.bench.named(wrong, moves), tuple(moves))
        self.schedule.note(move)
        if lock.wide:
            self._exercise(move, relieved=relieved)
        self._cover(move, before, moves)
        return None

    def _exercise(self, move: Move, *, relieved: bool) -> None:
        """Note what the last move has exercised beside the main road."""
        for event in self._events(move, relieved=relieved):
            self.coverage.exercise(*EXERCISED.get(event, ()))

    def _events(self, move: Move, *, relieved: bool) -> Iterator[str]:
        lock = self.bench.lock
        accepted = not isinstance(lock.claim, Refused)
        match move:
            case Deliver():
                if lock.clause and not lock.suspects:
                    yield f"deliver: {lock.refusing_clause('deliver', lock.clause)}"
                elif lock.happened:
                    yield "nest" if move.inner else "failure" if move.fails else "deliver"
            case Act(deed):
                action = DEEDS[deed].action
                if action and lock.clause and not lock.suspects:
                    yield f"{action}: {lock.refusing_clause(action, lock.clause)}"
                elif lock.happened or accepted or deed in ("initialise", "forge_header"):
                    yield action or deed
            case Emit() if accepted and move.terms is not None:
                yield "send"
                if relieved:
                    yield "send on an emptied link"
            case Learn() if accepted and not lock.clause:
                block = lock.headers.get(move.header)
                if block is not None and block.epoch:
                    yield "learn of a new epoch"
            case Restart():
                yield "restart"
        if any(sent.told is not None and sent.told is not Ending.SUCCEEDED for sent in lock.changed):
            yield "refund"

    def _situation(self, move: Move) -> int:
        """How far the receipt of a delivery had come, in a few bits."""
        lock = self.bench.lock
        if isinstance(move, Act):
            return self._standing(move)
        if not isinstance(move, Deliver):
            return 0
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

    def _standing(self, move: Act) -> int:
        """The same for one of the other deeds."""
        lock = self.bench.lock
        sent = lock.receipts.get(move.receipt) if isinstance(move.receipt, int) else None
        block = lock.headers.get(move.header) if move.header is not None else None
        bits = 1 << 9 if sent is None else 2 << 9
        if sent is not None:
            bits |= (sent.executed_at >= 0) << 2 | (sent.told is not None) << 3 | sent.failed << 4
        if block is not None:
            bits |= block.final << 6 | block.produced << 7 | lock.trusts(move.shard, block) << 8
        return bits

    def _cover(self, move: Move, before: int, moves: list[Move]) -> None:
        lock, coverage, work = self.bench.lock, self.coverage, self.coverage.work
        refused = isinstance(lock.claim, Refused)
        kind = 0
        match move:
            case Deliver(_, receipt, _, evidence, damage, again, fails, inner):
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
                kind |= fails << 13 | (inner is not None) << 14
            case Act(deed):
                work["attempts_refused"] += bool(lock.clause) and not lock.happened
                kind = hash_of(deed) << 15 | 8 * (hash_of(str(move.damage)[:16]) if move.damage else 0)
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
        situation = (((kind << 12 | before) << 3 | lock.clause) << 1 | refused) << 4 | height
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
        for sent in [*schedule.untold[-6:], *schedule.waiting[-12:]]:
            # A shard that has stopped keeps nobody else from finishing (Q4).
            if {lock.owner(sent.source), lock.owner(sent.destination)} & schedule.stopped:
                continue
            if lock.wide:
                if found := self._finish(sent, moves):
                    return found
                continue
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

    def _finish(self, sent: Sent, moves: list[Move]) -> Found | None:
        """Honest relayers do for one receipt all that is to be done, until its sender knows its outcome."""
        schedule, lock = self.schedule, self.bench.lock
        for _ in range(FINISHED_MAX):
            move = schedule.towards(sent)
            if move is None or not lock.possible(move):
                return None
            declined = sum(lock.declined.values())
            if found := self._step(move, moves):
                return found
            if sum(lock.declined.values()) > declined:
                return None
        return None

    def _pursue(self, moves: list[Move]) -> Found | None:
        """Something has happened that the model refuses, and broke nothing yet: see what comes of it."""
        schedule, lock = self.schedule, self.bench.lock
        for sent in [r for r in lock.receipts.values() if r.slot in lock.suspects]:
            for _ in range(FINISHED_MAX):
                move = next_step_regardless(schedule, sent)
                if move is None or not lock.possible(move):
                    break
                if found := self._step(move, moves):
                    return found
        return None

    def _repeat(self, moves: list[Move]) -> None:
        self.coverage.work["repeated"] += 1
        first, _, _ = self.bench.record(moves)
        second, _, _ = self.bench.record_again(moves)
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
        self.shrunk[name] = shrunk
        known = self.plan.expected.issuperset((name, *(also.partition("[")[0] for also in wrong.also)))
        if self.runs_wanted is None and not known:
            self.runs_wanted = 2 * work["runs"] + RUNS_AFTER_FINDING

    def certify(self) -> None:
        """When all are found: whether there are shorter ones, which so costs the search no time."""
        if self.plan.certify is None:
            return
        for name, shrunk in self.shrunk.items():
            finding = self.found[name]
            trace, told = certified_trace(self.bench, shrunk, finding.trace, self.plan.certify)
            self.found[name] = evolve(finding, trace=trace, shrunk=told or finding.shrunk)

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
        able = self.bench.lock.able
        for p in self.bench.oracle.catalogue.values():
            name = p.name.partition("[")[0]
            asked = not self.plan.properties or name in self.plan.properties
            if name in OBSERVED and p.role in ROLES and asked and not lacking(name, able):
                names.setdefault(name, p)
        if "learn" not in able:
            names = {name: p for name, p in names.items() if name not in LEARNING}
        return list(names.values())

    def _not_applicable(self) -> dict[str, str]:
        able = self.bench.lock.able
        told: dict[str, str] = {}
        if "revert" not in able:
            told["reverts-atomically"] = "the adapter has no revert"
        if "learn" not in able:
            told.update(dict.fromkeys(LEARNING, "the adapter has no learn: headers certify themselves"))
        for name in self.bench.oracle.catalogue:
            if missing := lacking(name, able):
                told[name] = f"the adapter has no {', '.join(missing)}"
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


#: What can be said of an implementation.
ROLES = (Role.SAFETY, Role.STEP, Role.PROGRESS, Role.CONCRETE)

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
    *OBSERVABLE,
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
