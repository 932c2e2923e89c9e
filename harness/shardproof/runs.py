"""
Running a list of moves from the start: the first divergence, its name, and the run as a trace.

Which progress sentence a refusal breaks is decided by twin runs, the same moves with one thing
changed: if it would be accepted had the unrelated shards moved, or had nothing been sent on other
links, a shard waits for another; if it would be accepted had the attempts that were refused before
it not been made, one receipt jams another; otherwise what is due is not delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from attrs import define, evolve, field, frozen

from .adapter import Adapter, AdapterFactory, Refused, Topology
from .adversary import SPLICE, Damage
from .deeds import DEEDS
from .errors import AdapterError
from .foreign import let_through, raised, shown, where
from .lockstep import Lockstep, Wrong
from .moves import (
    ANSWER,
    Act,
    Deliver,
    Emit,
    Finalise,
    Forged,
    Learn,
    Move,
    Produce,
    Proof,
    Restart,
    Revert,
    step_of,
)
from .oracle import Oracle
from .trace import NOT_ESTABLISHED, Certificate, Search, Step, Trace, Violation
from .verdict import Kind

#: What an adapter owes, for the messages that find it wanting.
DETERMINISTIC = (
    "every answer must be a function of the calls since open(): "
    "no clock, no randomness, no state that outlives open()"
)

WAITS, JAMMED = "waits-for-no-other-shard", "is-not-jammed-by-another-receipt"
ATTAINS = "attains-its-deadline"


@frozen
class Found:
    """The first thing that went wrong in a run, at the last of its moves."""

    wrong: Wrong
    moves: tuple[Move, ...]


@define(eq=False)
class Bench:
    """A system and its oracle, kept open between runs: a run begins where nothing has happened."""

    adapter: Adapter
    oracle: Oracle
    topology: Topology
    lock: Lockstep = field(init=False)
    token: object | None = field(init=False, default=None)

    def __attrs_post_init__(self) -> None:
        self.lock = Lockstep(self.adapter, self.oracle, self.topology)
        if {"snapshot", "restore"} <= self.lock.able:
            self.token = self.lock.system.call("snapshot")

    @classmethod
    def of(cls, make: AdapterFactory, oracle: Oracle, topology: Topology) -> Bench:
        """A bench with a new adapter. Raises `AdapterError` if it cannot be constructed."""
        return cls(made(make), oracle, topology)

    def fresh(self) -> Lockstep:
        """The lockstep, reset."""
        self.lock.reset(self.token)
        return self.lock

    def close(self) -> None:
        """Release the system."""
        try:
            self.lock.system.call("close")
        except AdapterError as error:
            error.located("the end, after the last run")
            raise

    def first(self, moves: Sequence[Move]) -> Found | None:
        """Run `moves`, leaving out what is not possible, to the first divergence."""
        lock = self.fresh()
        taken: list[Move] = []
        for move in moves:
            if not lock.possible(move):
                continue
            taken.append(move)
            if wrong := lock.run(move):
                return Found(self.named(wrong, taken), tuple(taken))
        wrong = lock.sweep()
        return self.at_the_end(wrong, taken) if wrong is not None else None

    def at_the_end(self, wrong: Wrong, moves: Sequence[Move]) -> Found:
        """What shows when a run is over: what broke nothing goes with the move that it came of."""
        if wrong is self.lock.astray:
            return Found(wrong, tuple(moves[: self.lock.astray_at]))
        return Found(self.named(wrong, moves), tuple(moves))

    def named(self, wrong: Wrong, moves: Sequence[Move]) -> Wrong:
        """A refusal, under the progress sentence that it breaks."""
        last = moves[-1]
        for name, twin in self._twins(last) if wrong.kind is Kind.PROGRESS else ():
            if name in self.oracle.catalogue and twin(moves):
                entry = self.oracle.catalogue[name]
                return evolve(wrong, id=entry.id, property=name, because=entry.because)
        return wrong

    def _twins(self, last: Move) -> Iterator[tuple[str, Callable[[Sequence[Move]], bool]]]:
        """What may be to blame that `last` was refused, and the twin run that tells."""
        if isinstance(last, Emit):
            yield WAITS, self._without_other_links
        if not isinstance(last, Deliver | Act) or last.receipt is None:
            return
        if isinstance(last, Act) and DEEDS[last.deed].action == "time_out":
            yield ATTAINS, self._with_the_sender_elsewhere
        yield WAITS, self._with_others_active
        yield JAMMED, self._without_refused_attempts

    def _accepted(self, before: Sequence[Move], last: Move) -> bool:
        lock = self.fresh()
        for move in before:
            if lock.possible(move) and lock.run(move):
                return False
        return lock.possible(last) and lock.run(last) is None

    def _with_others_active(self, moves: Sequence[Move]) -> bool:
        *before, last = moves
        assert isinstance(last, Deliver | Act), "asked of what a relayer presents"
        lock = self.fresh()
        for move in before:
            if lock.possible(move) and lock.run(move):
                return False
        sent = lock.receipts.get(last.receipt) if isinstance(last.receipt, int) else None
        concerned = {last.shard}
        if sent is not None:
            concerned |= {lock.owner(sent.source)}
            concerned |= {lock.owner(sent.destination)} if isinstance(last, Act) else set()
        number = 1 + max(lock.headers, default=0)
        moved = False
        for shard in range(len(self.topology.shards)):
            if shard in concerned or not lock.lives(shard):
                continue
            older = [Finalise(b.number) for b in lock.chains[shard] if not b.final]
            extra: list[Move] = [*older, Produce(number, shard), Finalise(number), Learn(last.shard, number)]
            for move in extra:
                if lock.possible(move):
                    moved = True
                    if lock.run(move):
                        return False
            number += 1
        return moved and lock.possible(last) and lock.run(last) is None

    def _without_other_links(self, moves: Sequence[Move]) -> bool:
        """Whether it would be let in if nothing had been sent on other links: one of them is full."""
        *before, last = moves
        assert isinstance(last, Emit), "asked of what a user sends"
        link = (last.source, last.destination)
        kept = [m for m in before if not isinstance(m, Emit) or (m.source, m.destination) == link]
        return len(kept) < len(before) and self._accepted(kept, last)

    def _with_the_sender_elsewhere(self, moves: Sequence[Move]) -> bool:
        """Whether an expiry would be accepted if the clock, or the chain, of the sender stood elsewhere."""
        *before, last = moves
        assert isinstance(last, Act), "asked of expiries only"
        at = last.shard
        tick = Act("advance_clock", at)
        later = max((m.terms.deadline or 0 for m in before if isinstance(m, Emit) and m.terms), default=0)
        if self._accepted([*before, *([tick] * (later + 1))], last):
            return True
        slower = [m for m in before if m != tick]
        shorter = [m for m in before if not (isinstance(m, Produce) and m.shard == at)]
        return any(len(x) < len(before) and self._accepted(x, last) for x in (slower, shorter))

    def _without_refused_attempts(self, moves: Sequence[Move]) -> bool:
        *before, last = moves
        assert isinstance(last, Deliver | Act), "asked of what a relayer presents"
        lock = self.fresh()
        kept: list[Move] = []
        for move in before:
            if not lock.possible(move):
                continue
            if lock.run(move):
                return False
            in_vain = lock.clause or isinstance(lock.claim, Refused)
            # The same receipt with honest evidence, only too early, is not another one that is in the way.
            its_own = (
                isinstance(move, Deliver)
                and move.damage is None
                and (move.receipt, move.evidence) == (last.receipt, last.evidence)
            )
            if its_own or not (isinstance(move, Deliver | Learn | Act) and in_vain):
                kept.append(move)
        return len(kept) < len(before) and self._accepted(kept, last)

    def record(self, moves: Sequence[Move]) -> tuple[tuple[Step, ...], Wrong | None, tuple[int, ...]]:
        """Run `moves` once more, writing down each step; also which of the moves were taken."""
        run = Recording(self)
        taken: list[int] = []
        for number, move in enumerate(moves):
            if not run.possible(move):
                continue
            taken.append(number)
            if run.take(move) is not None:
                break
        else:
            run.end()
        del taken[len(run.steps) :]
        wrong = self.named(run.wrong, run.moves) if run.wrong is not None else None
        return tuple(run.steps), wrong, tuple(taken)

    def record_again(self, moves: Sequence[Move]) -> tuple[tuple[Step, ...], Wrong | None, tuple[int, ...]]:
        """The same where nothing can have outlived `open`: on another instance, if there can be one."""
        other = self.lock.system.another()
        if other is None:
            return self.record(moves)
        bench = Bench(other, self.oracle, self.topology)
        try:
            return bench.record(moves)
        finally:
            bench.close()


@define(eq=False)
class Recording:
    """A run that is written down as it goes, to its first divergence."""

    bench: Bench
    steps: list[Step] = field(init=False, factory=list)
    moves: list[Move] = field(init=False, factory=list)
    wrong: Wrong | None = field(init=False, default=None)
    _lock: Lockstep = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lock = self.bench.fresh()

    def possible(self, move: Move) -> bool:
        """Whether everything that `move` names is there, and the environment may do it now."""
        return self._lock.possible(move)

    def take(self, move: Move) -> Wrong | None:
        """Take a move that is possible; `None` unless model and system part ways."""
        lock, shards = self._lock, self.bench.topology.shards
        step = step_of(move, shards, shards[lock.home(move)])
        self.wrong = lock.run(move)
        self.moves.append(move)
        expected = _expected(lock, move, self.wrong)
        self.steps.append(evolve(step, expected=expected, actual=str(lock.claim), changed=lock.happened))
        return self.wrong

    def end(self) -> Wrong | None:
        """Look at every shard once more; what went astray earlier is told with the step that it came of."""
        self.wrong = self._lock.sweep()
        if self.wrong is not None and self.wrong is self._lock.astray:
            del self.steps[self._lock.astray_at :], self.moves[self._lock.astray_at :]
        return self.wrong


def _expected(lock: Lockstep, move: Move, wrong: Wrong | None) -> str:
    if wrong is not None and wrong.expected:
        return wrong.expected
    if isinstance(move, Act) and lock.clause and DEEDS[move.deed].action:
        return f"refused, {lock.refusing_clause(DEEDS[move.deed].action, lock.clause)}"
    if isinstance(move, Deliver | Learn) and lock.clause:
        action = "learn" if isinstance(move, Learn) else "deliver"
        return f"refused, {lock.refusing_clause(action, lock.clause)}"
    return "either" if isinstance(move, Deliver) and move.damage else "accepted"


def made(make: AdapterFactory) -> Adapter:
    """A new adapter. Raises `AdapterError`."""
    try:
        adapter = make()
    except BaseException as error:
        let_through(error)
        raise AdapterError(
            "the adapter cannot be constructed", got=raised(error), said=where(error)
        ) from error
    if not isinstance(adapter, Adapter):
        raise AdapterError(
            "this is not an adapter",
            expected="an instance of shardproof.adapter.Adapter",
            got=type(adapter).__name__,
        )
    for word in ("name", "version", "stack"):
        if not isinstance(said := getattr(adapter, word), str):
            raise AdapterError(f"the adapter's {word!r} is not a text", expected="str", got=shown(said))
    return adapter


def trace_of(
    bench: Bench,
    name: str,
    found: Found,
    search: Search,
    versions: dict[str, str],
    shortest: str = NOT_ESTABLISHED,
    certificate: Certificate | None = None,
) -> Trace:
    """The finding as a trace: run once more, written down, with everything numbered from 0."""
    moves = renumbered(found.moves)
    steps, wrong, _ = bench.record_again(moves)
    if wrong is None or wrong.property != found.wrong.property:
        raise AdapterError(
            "the adapter is not deterministic: the same steps gave another answer when they were taken again",
            expected=f"a violation of {found.wrong.property}",
            got=f"a violation of {wrong.property}" if wrong else "no violation",
            help=DETERMINISTIC,
        )
    if bench.adapter.version:
        versions = {bench.adapter.name or "system": bench.adapter.version, **versions}
    return Trace(
        name,
        tuple(layer.name for layer in bench.oracle.protocol.layers),
        bench.topology.shards,
        wrong.property,
        wrong.id,
        wrong.because,
        steps,
        Violation(len(steps) - 1, wrong.expected, wrong.actual, wrong.clause, wrong.differs),
        search,
        shortest,
        versions,
        bench.topology.reserve,
        certificate,
    )


def renumbered(moves: Sequence[Move]) -> tuple[Move, ...]:
    """The same moves with receipts, headers and forgeries numbered from 0 in order of appearance."""
    receipts: dict[int, int] = {}
    headers: dict[int, int] = {}
    forged: dict[int, int] = {}

    def of(known: dict[int, int], number: int) -> int:
        return known.setdefault(number, len(known))

    def receipt(number: int) -> int:
        # What a shard emitted because of a receipt is named after it.
        answers, first = divmod(number, ANSWER)
        return answers * ANSWER + of(receipts, first)

    def header(number: int) -> int:
        return number if number < 0 else of(headers, number)

    def either(r: int | Forged) -> int | Forged:
        return receipt(r) if isinstance(r, int) else r._replace(number=of(forged, r.number))

    def proof(evidence: Proof | None) -> Proof | None:
        return evidence and Proof(receipt(evidence.receipt), header(evidence.header))

    def spliced(damage: Damage | None) -> Damage | None:
        if damage is None or damage.kind != SPLICE:
            return damage
        return damage._replace(number=receipt(damage.number))

    def renamed(move: Move) -> Move:
        match move:
            case Emit():
                return move._replace(receipt=receipt(move.receipt))
            case Produce() | Finalise() | Revert() | Learn():
                return move._replace(header=header(move.header))
            case Deliver(_, r, h, evidence, damage, _, _, inner):
                return move._replace(
                    receipt=either(r),
                    header=header(h),
                    evidence=proof(evidence),
                    damage=spliced(damage),
                    inner=proof(inner),
                )
            case Act(_, _, r, h, evidence, damage):
                return move._replace(
                    receipt=None if r is None else either(r),
                    header=None if h is None else header(h),
                    evidence=proof(evidence),
                    damage=spliced(damage),
                )
            case Restart():
                return move

    return tuple(renamed(move) for move in moves)


def same(found: Found | None, wanted: Wrong) -> bool:
    """Whether a run shows the same finding."""
    return found is not None and found.wrong.property == wanted.property
