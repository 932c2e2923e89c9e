"""
Every shorter run of a system, the shortest first: is there one with the same finding?

What is wrong with an implementation nobody knows, so only it can be asked. A certificate says that
every sequence of up to n moves was run, of a stated alphabet and within a stated scope (`tries.py`), and
that none of them violates the property; the finding has n + 1. Every shard is looked at after every
move, and a run ends with the first thing that is wrong, whatever that is.

Two kinds of sequences are left out, and neither may hide anything. A move that is void where a run
stands is no move. And of two runs that stand at the same place (`standing.py`), one is continued:
whatever follows is a function of where they stand. That can be said only of a system whose snapshots
compare by value. Without them every sequence is run from the start, also after attempts in vain: a
system may remember what it has refused.

With such snapshots an attempt that changes nothing needs no new start either, so most sequences cost a
move. Where a system has to be brought back, the moves are taken again: that is cheaper than to copy
what the judge knows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from hashlib import sha256
from typing import Any

from attrs import define, evolve, field, frozen

from ..errors import AdapterError
from ..lockstep import Lockstep, Wrong
from ..moves import Move
from ..oracle import Oracle
from ..runs import DETERMINISTIC, Bench, Found, renumbered, same, trace_of
from ..shrink import Shrinker, length, weight
from ..trace import NOT_ESTABLISHED, PROVED, Certificate, Trace
from .standing import Standing, asks, standing
from .tries import Scope, kind_of, tries

#: A sequence that is to be continued, and where it stands, if that is known.
_Waiting = tuple[tuple[Move, ...], Standing | None]

#: Moves that are run for one finding unless somebody says how many.
BUDGET = 200_000


@frozen
class Certified:
    """A finding, or a shorter one that was met instead, and what is known of shorter ones."""

    found: Found
    certificate: Certificate
    #: "proved" or "not established".
    shortest: str


def certified(bench: Bench, found: Found, budget: int = BUDGET) -> Certified:
    """
    Run everything that is shorter than `found` on the bench that found it, in up to `budget` moves.

    Where a shorter run has the same finding, it takes its place. Raises `AdapterError` where the
    adapter breaks its contract, or answers differently when it is asked again.
    """
    found = evolve(found, moves=renumbered(found.moves))
    bench = _small(bench, len(found.moves))
    spent = 0
    while True:
        search = _Search(bench, found, budget - spent)
        shorter = search.run()
        spent += search.moves
        if shorter is None:
            return Certified(found, search.certificate(), PROVED if search.complete else NOT_ESTABLISHED)
        found = Shrinker(bench).shrink(shorter)
        found = evolve(found, moves=renumbered(found.moves))
        if length(found.moves) == search.steps:
            # Everything below its length was run before it was met.
            return Certified(found, search.certificate(), PROVED if search.certain else NOT_ESTABLISHED)


def certified_trace(bench: Bench, found: Found, trace: Trace, budget: int = BUDGET) -> tuple[Trace, str]:
    """
    `trace`, which is of `found`, or that of a shorter run, with what is known of shorter ones.

    And where it was made shorter, how. Raises as `certified` does.
    """
    known = certified(bench, found, budget)
    again = trace_of(
        bench, trace.adapter, known.found, trace.search, {**trace.versions}, known.shortest, known.certificate
    )
    before, after = len(trace.steps), len(again.steps)
    return again, f"shrunk from {before} steps to {after}" if before > after else ""


def _small(bench: Bench, moves: int) -> Bench:
    """A bench for the same system with no more room than so many moves need: its worlds are soon compared."""
    oracle, topology = bench.oracle, bench.topology
    # A move may bring with it what a shard emits of its own accord.
    small = Oracle.for_run(oracle.whole, len(topology.shards), 2 * moves, reserve=oracle.reserve)
    return Bench(bench.adapter, small, topology)


@define(eq=False)
class _Search:
    """Breadth first below the length of one finding."""

    bench: Bench
    found: Found
    budget: int
    scope: Scope = field(init=False)
    #: Every sequence of up to so many moves was run.
    steps: int = field(init=False, default=0)
    sequences: int = field(init=False, default=0)
    moves: int = field(init=False, default=0)
    #: Whether everything that is shorter was run, and nothing was seen that cannot be told.
    complete: bool = field(init=False, default=False)
    certain: bool = field(init=False, default=True)
    kinds: set[str] = field(init=False, factory=set)
    seen: set[Standing] = field(init=False, factory=set)
    #: Whether snapshots of the system say where it stands.
    by_value: bool = field(init=False)

    def __attrs_post_init__(self) -> None:
        shards = len(self.bench.topology.shards)
        self.scope = Scope.of(self.found.moves, shards - self.bench.topology.reserve)
        self.by_value = _compares_by_value(self.bench)

    def certificate(self) -> Certificate:
        """What was run."""
        return Certificate(self.steps, self.sequences, self.moves, str(self.scope), tuple(sorted(self.kinds)))

    def run(self) -> Found | None:
        """A shortest run with the finding, if one is shorter, and the budget is not spent before."""
        longest = length(self.found.moves) - 1
        # By length, because some moves count twice. What two of them have in common is found out when one
        # is continued, the shortest first.
        waiting: list[list[_Waiting]] = [[] for _ in range(longest + 1)]
        waiting[0].append(((), None))
        best: Found | None = None
        for steps in range(longest):
            for before, place in waiting[steps]:
                if place is not None:
                    if place in self.seen:
                        continue
                    self.seen.add(place)
                for moves, there, shorter in self._extended(before, longest - steps):
                    if shorter is None:
                        if length(moves) < longest:
                            waiting[length(moves)].append((moves, there))
                    elif best is None or length(shorter.moves) < length(best.moves):
                        best = shorter
                if self.moves >= self.budget:
                    return best
            waiting[steps] = []
            self.steps = steps + 1
            if best is not None and length(best.moves) <= self.steps:
                return best
        self.complete = self.certain
        return None

    def _extended(
        self, before: tuple[Move, ...], left: int
    ) -> Iterator[tuple[tuple[Move, ...], Standing | None, Found | None]]:
        """Each sequence of one move more, and where it stands, or what it finds."""
        lock = self._again(before)
        start = self._standing(lock)
        here: Standing | None = start
        for move in sorted(tries(lock, self.scope), key=_in_groups):
            if weight(move) > left:
                continue
            if self.moves >= self.budget:
                return
            if here is None or start is None or not here.suffices(start, asks(move)):
                lock = self._again(before)
            self.kinds.add(kind_of(move))
            self.sequences += 1
            wrong = self._take(lock, move)
            moves = (*before, move)
            if wrong is not None:
                here = None
                if (shorter := self._told(wrong, moves)) is not None:
                    yield moves, None, shorter
                continue
            here = self._standing(lock)
            if here is None or (here != start and here not in self.seen):
                yield moves, here, None

    def _again(self, moves: tuple[Move, ...]) -> Lockstep:
        """The run that has had these moves."""
        lock = self.bench.fresh()
        for r in self.scope.forged:
            lock.payloads[b"f%d" % r.number] = r
        for move in moves:
            if not lock.possible(move) or self._take(lock, move) is not None:
                raise AdapterError(
                    "the adapter is not deterministic: the same moves went differently when they were "
                    "taken again",
                    help=DETERMINISTIC,
                )
        return lock

    def _take(self, lock: Lockstep, move: Move) -> Wrong | None:
        """One move, and a look at every shard."""
        self.moves += 1
        # All are looked at anyhow, so it does not matter which comes first.
        lock.watched = 0
        wrong = lock.run(move) or lock.sweep()
        lock.ledger.kinds = []
        if wrong is lock.astray and (wrong is None or wrong.property != self.found.wrong.property):
            # It may come to something yet, and then has another name.
            return None
        return wrong

    def _told(self, wrong: Wrong, moves: tuple[Move, ...]) -> Found | None:
        """The run as a finding, if it is the one that is looked for."""
        wanted = self.found.wrong
        if wrong.kind is not wanted.kind:
            return None
        if wrong is not self.bench.lock.astray and self.bench.named(wrong, moves).property != wanted.property:
            return None
        shorter = self.bench.first(moves)
        if shorter is not None and same(shorter, wanted) and length(shorter.moves) <= length(moves):
            return shorter
        # Seen only by who looks more closely than a replay does: it is no trace, nor is there none.
        self.certain = False
        return None

    def _standing(self, lock: Lockstep) -> Standing | None:
        """Where the run stands, if that can be said."""
        if not self.by_value:
            return None
        token = lock.system.call("snapshot")
        # Many are kept.
        return standing(lock, sha256(token).digest() if isinstance(token, bytes) else token)


def _compares_by_value(bench: Bench) -> bool:
    """Whether two snapshots of one state are equal. That equal ones are of one state, `restore` promises."""
    if bench.token is None:
        return False
    system = bench.fresh().system
    first, second = system.call("snapshot"), system.call("snapshot")
    return first is not second and first == second and isinstance(first, Hashable)


def _in_groups(move: Move) -> tuple[Any, ...]:
    """Moves that show the same evidence one after the other: then it has to be asked for once."""
    return tuple(sorted(asks(move)))
