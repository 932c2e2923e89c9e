"""
Run after run: how each begins, goes on, ends, and what becomes of a finding.

Hypothesis supplies the numbers of a run, the schedule makes moves of them. A run begins where
nothing has happened, with what an earlier run met something new by, or on the way to a rare
world; some end with honest relayers finishing what is under way.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import define, evolve, field

from shardproof_models.stacks import composed, visible

from ... import __version__
from ...errors import AdapterError
from ...explanation import allowance, explained
from ...moves import Emit, Move
from ...record import Sent
from ...relaying import next_step_regardless
from ...runs import DETERMINISTIC, Bench, Found, trace_of
from ...schedule import Schedule
from ...shortest import certified_trace
from ...shrink import Shrinker
from ...tours.rare import KEPT, RareWorlds
from ...trace import Explanation, Search
from ...traffic import Dice
from ...verdict import Finding
from .drawn import numbers_of_runs
from .guards import Guards
from .memory import FORGOTTEN, Memory
from .numbers import mixed
from .plan import Plan, Progress
from .seen import Seen

#: Of runs that may begin in a rare world of the model, one in so many does.
RARE = 8
#: Runs that Hypothesis draws from one seed, before the next seed: bounds its memory, and draws in vain.
RUNS_A_BATCH = 25
#: Moves that one number decides.
MOVES_A_NUMBER = 4
#: Numbers a run: Hypothesis bounds the data of one test case; a longer run makes more of each number.
NUMBERS_MAX = 250
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


@define(eq=False)
class RandomSearch:
    """A search for the time or steps of a plan, and what it has found."""

    bench: Bench
    name: str
    plan: Plan
    clock: Callable[[], float]
    begin: float
    progress: Progress | None
    schedule: Schedule = field(init=False)
    seen: Seen = field(init=False)
    guards: Guards = field(init=False)
    memory: Memory = field(init=False)
    rare: RareWorlds | None = field(init=False, default=None)
    found: dict[str, Finding] = field(factory=dict)
    #: Property -> its finding as a run.
    shrunk: dict[str, Found] = field(factory=dict)
    #: Property -> how many runs have violated it.
    attempts: dict[str, int] = field(factory=dict)
    runs_wanted: int | None = None
    over: bool = False
    #: Whether somebody stopped it.
    interrupted: bool = False

    def __attrs_post_init__(self) -> None:
        lock = self.bench.lock
        self.schedule = Schedule(lock, {}, self.plan.crowd)
        self.seen = Seen(self.schedule)
        self.guards = Guards.of(lock)
        self.memory = Memory(self.schedule, self._plain_step, self._late)
        if self.plan.rare:
            seen = composed(visible(self.bench.oracle.protocol.layers))
            self.rare = RareWorlds(seen, lock.able, self.plan.seed, self.bench.topology)

    def go(self) -> None:
        """Batch after batch, until time, steps or findings say stop."""
        batch = 0
        while not self._enough():
            self._batch(batch)
            batch += 1
            if self.memory.due(self.seen.work["steps"]) and not self._enough():
                self._remember()

    def _batch(self, number: int) -> None:
        size = min(NUMBERS_MAX, 2 + self.plan.depth // MOVES_A_NUMBER)
        for numbers in numbers_of_runs(self.plan.seed * 1_000_003 + number, RUNS_A_BATCH, size):
            if self._enough():
                break
            self._run(numbers)

    def _remember(self) -> None:
        """A long run that shows at its end what was executed at its beginning."""
        memory = self.memory
        found = memory.longer(self.bench.fresh)
        if found is None:
            return
        if found.wrong.property == FORGOTTEN and memory.refused_after:
            # Its length is what it is about, and is the least already.
            self._keep(found, memory.explanation(found))
        else:
            self._keep(found)

    def _late(self) -> bool:
        return self.plan.seconds is not None and self.clock() - self.begin >= self.plan.seconds

    def _enough(self) -> bool:
        plan, work = self.plan, self.seen.work
        if not self.over:
            self.over = (
                (plan.steps is not None and work["steps"] >= plan.steps)
                or self._late()
                or (self.runs_wanted is not None and work["runs"] >= self.runs_wanted)
            )
        return self.over

    # ---- one run ----------------------------------------------------------------------------------

    def _run(self, numbers: list[int]) -> None:
        lock, schedule, work = self.bench.fresh(), self.schedule, self.seen.work
        self.seen.begin()
        dice = Dice(mixed(numbers[-1]))
        schedule.begin(dice)
        moves: list[Move] = []
        found: Found | None = None
        beginnings = self.seen.beginnings
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
            schedule.count("loss")
        if found is not None:
            self._keep(found)
        elif work["runs"] % REPEATED == 1:
            self._repeat(moves[:REPEATED_MOVES])
        if self.progress is not None and (found is not None or work["runs"] % RUNS_A_BATCH == 0):
            # In the order of what matters, since a terminal may be narrow.
            self.progress(
                {
                    "steps": work["steps"],
                    "situations": len(self.seen.situations),
                    "findings": len(self.found),
                    "clauses_never_exercised": len(self.guards.coverage.never_exercised()),
                    "runs": work["runs"],
                }
            )

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
        before = self.seen.situation(move)
        relieved = isinstance(move, Emit) and move[1:3] in lock.emptied
        wrong = lock.run(move)
        self.seen.work["steps"] += 1
        self.guards.count(move, wrong)
        if wrong is not None:
            return Found(self.bench.named(wrong, moves), tuple(moves))
        self.schedule.note(move)
        if lock.wide:
            self.seen.note(move, relieved=relieved)
        self.seen.count(move)
        self.seen.cover(move, before, moves)
        return None

    def _plain_step(self, move: Move, moves: list[Move]) -> Found | None:
        """A step of a run that is not one to begin others with."""
        lock = self.bench.lock
        moves.append(move)
        wrong = lock.run(move)
        self.seen.work["steps"] += 1
        self.guards.count(move, wrong)
        if wrong is not None:
            return Found(self.bench.named(wrong, moves), tuple(moves))
        self.schedule.note(move)
        self.seen.count(move)
        return None

    def _quiesce(self, moves: list[Move]) -> Found | None:
        """Honest relayers finish what is under way: each receipt that is waiting must be executed (Q1)."""
        self.seen.work["quiesced"] += 1
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
        self.seen.work["repeated"] += 1
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

    def _keep(self, found: Found, explanation: Explanation | None = None) -> None:
        """Shrink a finding, if it is not explained already, and keep it if it is the shortest of its kind."""
        work, name = self.seen.work, found.wrong.property
        if self.plan.properties and name not in self.plan.properties:
            return
        seen = self.attempts[name] = self.attempts.get(name, 0) + 1
        if seen > SHRUNK_MAX:
            return
        shrinker = Shrinker(self.bench)
        shrunk = found if explanation else shrinker.shrink_until_stopped(found)
        if name in self.found and len(shrunk.moves) >= len(self.found[name].trace.steps):
            if shrinker.stopped:
                raise KeyboardInterrupt
            return
        search = Search("fuzz", self.plan.seed, work["runs"], work["steps"])
        trace = trace_of(self.bench, self.name, shrunk, search, {"shardproof": __version__})
        trace = evolve(trace, explanation=explanation)
        wrong = shrunk.wrong
        before, after = len(found.moves), len(trace.steps)
        told = f"shrunk from {before} steps to {after}" if before > after else ""
        self.found[name] = Finding(
            wrong.id, name, wrong.because, wrong.kind, trace, wrong.also, told, shrinker.course
        )
        self.shrunk[name] = shrunk
        if shrinker.stopped:
            raise KeyboardInterrupt
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

    def explain(self) -> None:
        """At the very end: why each of them goes wrong; a slow system gets but a share of the time."""
        late = allowance(self.clock, self.plan.seconds)
        for name, finding in self.found.items():
            if finding.trace.explanation is not None:
                continue
            self.found[name] = evolve(finding, trace=explained(self.bench, finding.trace, late))
