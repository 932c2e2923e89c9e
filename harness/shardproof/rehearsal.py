"""
An adapter, driven for a while with everything measured, before anybody judges its system.

Which verbs could be asked, how long an answer takes, whether each has the type that the verb
promises; and the contract that no single answer shows: the same calls give the same answers, in a
new instance as in an old one, `open` leaves nothing of the run before, and `restore` returns to
where `snapshot` was. What the system violates on the way is another question, and only noted.
"""

from __future__ import annotations

import copy
import typing
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from attrs import define, evolve, field, frozen

from shardproof_models.stacks import composed, layers_for

from .adapter import Adapter, AdapterFactory, Refused, Topology, capabilities
from .engines.fuzz import RESERVE, mixed
from .lockstep import Lockstep
from .moves import Emit, Move
from .oracle import Oracle
from .runs import Bench, made
from .schedule import Schedule
from .system import System
from .traffic import Dice

SHARDS = 3
#: Steps of one run, and how many there are at least and at most before it is enough.
DEPTH, STEPS_MIN, STEPS_MAX = 60, 600, 6_000
#: A slow system has shown by then how slow it is.
SECONDS_MAX = 10.0
#: Runs that are repeated, step for step: of those in which a verb was asked for the first time.
REPEATED_MAX = 8
#: Of an answer, what is shown.
_SHOWN = 60


@frozen
class Asked:
    """How often a verb was asked, and how long its answers took together, in seconds."""

    count: int = 0
    seconds: float = 0.0


@frozen
class Rehearsal:
    """What was seen."""

    steps: int
    seconds: float
    #: Each verb that the adapter has, in the order of the seam; also those that nothing asked for.
    verbs: dict[str, Asked]
    #: What the contract demands -> what was done to see it, and the sentence that it is broken by.
    kept: dict[str, str]
    broken: dict[str, str]
    #: Properties that were violated on the way.
    violated: tuple[str, ...]

    @property
    def calls(self) -> int:
        """How often the adapter was asked for anything."""
        return sum(asked.count for asked in self.verbs.values())

    @property
    def calls_a_second(self) -> float:
        """Of the time that was spent inside the adapter."""
        spent = sum(asked.seconds for asked in self.verbs.values())
        return self.calls / spent if spent else 0.0


def rehearse(make: AdapterFactory, name: str, verbs: Sequence[str], clock: Callable[[], float]) -> Rehearsal:
    """Drive an adapter. Raises `AdapterError` where it breaks a contract that each answer must keep."""
    return _Rehearsal(make, name, tuple(verbs), clock).go()


# ---- watching ----------------------------------------------------------------------------------------


@define(eq=False)
class _Watched(System):
    """A system whose calls are counted and timed, and whose answers are kept if somebody wants them."""

    clock: Callable[[], float]
    asked: dict[str, Asked] = field(factory=dict)
    answers: list[tuple[str, object]] | None = None
    #: Verbs that should answer nothing, and what they answered.
    ignored: dict[str, object] = field(factory=dict)

    def done(self, verb: str, *args: Any) -> None:
        """What it answers all the same is told when all is over, with what else is broken."""
        self.call(verb, *args)

    def call(self, verb: str, *args: Any) -> Any:
        started = self.clock()
        # By name: `attrs` makes another class of this one, which a bare `super()` does not know.
        answer = System.call(self, verb, *args)
        before = self.asked.get(verb, Asked())
        self.asked[verb] = Asked(before.count + 1, before.seconds + self.clock() - started)
        if answer is not None and _answers_nothing(verb):
            self.ignored.setdefault(verb, answer)
        if self.answers is not None and verb != "snapshot":
            self.answers.append((verb, answer))
        return answer


def _answers_nothing(verb: str) -> bool:
    """Whether the seam has no answer to a verb; the type of any other answer the system sees to."""
    return typing.get_type_hints(getattr(Adapter, verb))["return"] is type(None)


# ---- driving -----------------------------------------------------------------------------------------


@define(eq=False)
class _Rehearsal:
    make: AdapterFactory
    name: str
    verbs: tuple[str, ...]
    clock: Callable[[], float]
    oracle: Oracle = field(init=False)
    topology: Topology = field(init=False)
    steps: int = 0
    violated: dict[str, None] = field(factory=dict)
    kept: dict[str, str] = field(factory=dict)
    broken: dict[str, str] = field(factory=dict)

    def go(self) -> Rehearsal:
        begin = self.clock()
        adapter = made(self.make)
        able = capabilities(adapter)
        reserve = RESERVE if able & {"split", "merge"} else 0
        shards = SHARDS + reserve
        protocol = composed(layers_for(able, adapter.stack))
        self.oracle = Oracle.for_run(protocol, shards, DEPTH + 40, reserve=reserve)
        self.topology = evolve(Topology.of(shards), reserve=reserve)
        bench, system = self._bench(adapter)
        try:
            runs = self._drive(bench, system, begin)
            took = self.clock() - begin
            asked = dict(system.asked)
            calls = self._contract(runs)
        finally:
            bench.close()
        # It must bear this twice, and after anything.
        bench.close()
        asked["close"] = system.asked["close"]
        self._ignored(system)
        calls += sum(each.count for each in asked.values())
        answers = self.broken.keys() - {"deterministic", "open", "snapshot, restore"}
        if not answers:
            self.kept["answers"] = f"all {calls:,} of the promised types"
        verbs = {verb: asked.get(verb, Asked()) for verb in self.verbs}
        return Rehearsal(self.steps, took, verbs, self.kept, self.broken, tuple(self.violated))

    def _bench(self, adapter: Adapter) -> tuple[Bench, _Watched]:
        """A bench whose system is watched from now on; that it is opened once before counts for nothing."""
        bench = Bench(adapter, self.oracle, self.topology)
        system = bench.lock.system = _Watched(adapter, self.clock)
        bench.lock.reset()
        if bench.token is not None:
            bench.token = system.call("snapshot")
        return bench, system

    def _drive(self, bench: Bench, system: _Watched, begin: float) -> list[tuple[Move, ...]]:
        """Honest and adversarial runs until every verb was asked for; those that asked for a new one."""
        schedule = Schedule(bench.lock, {})
        # Where messages carry something, nobody sends a plain one; the verb is there all the same.
        plain = Emit(0, 0, 1)
        bench.fresh().run(plain)
        runs: list[tuple[Move, ...]] = [(plain,)]
        wanted = {*self.verbs} - {"close"}
        while self.steps < STEPS_MIN or (wanted - system.asked.keys() and self.steps < STEPS_MAX):
            if self.clock() - begin > SECONDS_MAX and len(runs) > 1:
                break
            known = len(system.asked)
            moves = tuple(self._run(bench, schedule))
            if len(system.asked) > known or len(runs) == 1:
                runs.append(moves)
            if not moves:
                break
        return runs[:REPEATED_MAX]

    def _run(self, bench: Bench, schedule: Schedule) -> Iterator[Move]:
        lock = bench.fresh()
        schedule.begin(Dice(mixed(self.steps)))
        for _ in range(DEPTH):
            move = schedule.next(Dice(mixed(self.steps)))
            self.steps += 1
            yield move
            if wrong := lock.run(move):
                self.violated[wrong.property] = None
                return
            schedule.note(move)

    # ---- what no single answer shows ------------------------------------------------------------

    def _contract(self, runs: Sequence[tuple[Move, ...]]) -> int:
        """See whether what no single answer shows is kept; returns how many calls that took."""
        calls = 0
        for moves in runs:
            # Of the same age: what an instance has been through is another question.
            (one, system), (other, watched) = (self._bench(made(self.make)) for _ in range(2))
            try:
                said = self._compared(one, system, other, watched, moves)
            finally:
                one.close()
                other.close()
            self._ignored(system)
            calls += sum(asked.count for each in (system, watched) for asked in each.asked.values())
            if said:
                return calls
        steps = sum(map(len, runs))
        self.kept["deterministic"] = f"{steps:,} steps gave the same answers in two instances, to the byte"
        self.kept["open"] = "it leaves nothing: the same steps after it gave the same answers again"
        if {"snapshot", "restore"} <= {*self.verbs}:
            self.kept["snapshot, restore"] = "the same steps after it gave the same answers again"
        return calls

    def _compared(
        self, one: Bench, system: _Watched, other: Bench, watched: _Watched, moves: Sequence[Move]
    ) -> bool:
        """Whether one of the promises is seen broken in a run."""
        first = self._answers(one, system, moves)
        if said := _first_difference(first, self._answers(other, watched, moves)):
            self.broken["deterministic"] = f"a new instance, asked the same, answers otherwise: {said}"
        elif said := self._left_over(one, system):
            self.broken["open"] = said
        elif said := _first_difference(first, self._answers(one, system, moves)):
            self.broken["open"] = f"it leaves something of the run before: {said}"
        elif one.token is not None and (said := self._not_restored(one, system, moves)):
            self.broken["snapshot, restore"] = said
        return bool(said)

    def _answers(
        self, bench: Bench, system: _Watched, moves: Sequence[Move], token: object = None
    ) -> list[tuple[str, object]]:
        bench.lock.reset(token)
        return _taken(bench.lock, system, moves)

    def _left_over(self, bench: Bench, system: _Watched) -> str:
        """What there still is after `open`, in words."""
        bench.lock.reset()
        for verb in ("executed", "ended", "responses", "announced"):
            if verb != "executed" and verb not in bench.lock.able:
                continue
            for shard in self.topology.shards:
                if left := system.call(verb, shard, 0):
                    return f"after it, {verb} still has {len(left)} of the run before at {shard}"
        return ""

    def _not_restored(self, bench: Bench, system: _Watched, moves: Sequence[Move]) -> str:
        """From the middle of a run, and from its beginning: where an answer is another one, in words."""
        half = len(moves) // 2
        self._answers(bench, system, moves[:half])
        token = system.call("snapshot")
        shared = (bench.adapter, bench.oracle, bench.topology, system)
        there = copy.deepcopy(bench.lock, {id(x): x for x in shared})
        first = _taken(bench.lock, system, moves[half:])
        system.call("restore", token)
        bench.lock = there
        if said := _first_difference(first, _taken(there, system, moves[half:])):
            return f"after a return to the middle of a run, the same steps are answered otherwise: {said}"
        whole = self._answers(bench, system, moves)
        if said := _first_difference(whole, self._answers(bench, system, moves, bench.token)):
            return f"a snapshot of the beginning brings back something else than open: {said}"
        return ""

    def _ignored(self, system: _Watched) -> None:
        for verb, answer in system.ignored.items():
            told = "a refusal that nobody hears" if isinstance(answer, Refused) else "an answer nobody reads"
            self.broken[verb] = f"it should answer None, and answers {_short(answer)}: {told}"
        if not system.ignored:
            self.kept["answers"] = (
                f"all {sum(a.count for a in system.asked.values()):,} of the promised types"
            )


def _taken(lock: Lockstep, system: _Watched, moves: Sequence[Move]) -> list[tuple[str, object]]:
    """What the system answers to these moves, as far as they can be taken."""
    answers = system.answers = []
    for move in moves:
        if lock.possible(move) and lock.run(move):
            break
    system.answers = None
    # What `open` or `restore` answered before is no part of it.
    return answers


def _first_difference(first: Sequence[tuple[str, object]], second: Sequence[tuple[str, object]]) -> str:
    for number, (a, b) in enumerate(zip(first, second, strict=False), 1):
        if a != b:
            if a[0] != b[0]:
                return f"call {number} was of {a[0]} and then of {b[0]}"
            return f"call {number}, of {a[0]}: {_apart(a[1], b[1])}"
    return "" if len(first) == len(second) else f"{len(first)} calls, and then {len(second)}"


def _apart(a: object, b: object) -> str:
    if isinstance(a, bytes) and isinstance(b, bytes):
        at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
        return f"{len(a)} bytes, and then {len(b)} bytes, apart from byte {at} on"
    return f"{_short(a)}, and then {_short(b)}"


def _short(answer: object) -> str:
    text = str(answer) if hasattr(type(answer), "__attrs_attrs__") else repr(answer)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
