"""Running variations of a finding on its system, up to a number of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from attrs import define, field, frozen

from ..adapter import Refused
from ..deeds import DEEDS, Decides
from ..errors import AdapterError
from ..judge import Wrong
from ..lockstep import Lockstep
from ..moves import Act, Deliver, Move
from ..oracle import Oracle
from ..relaying import next_step
from ..runs import Bench
from ..traffic import Traffic
from ..verdict import Kind

#: Runs for one finding: a tenth of what making it shorter may cost.
RUNS_MAX = 300

#: A trace with more steps is not explained: nobody reads it step by step either.
STEPS_MAX = 60

#: Moves by which honest relayers bring one receipt to its end.
FINISHED_MAX = 40

#: Blocks and receipts that a variation may have besides those of the finding.
_ROOM = 24

#: Runs that it takes to name a refusal after what is to blame for it; see `runs.py`.
_TWINS = 3

#: Characters of what a broken adapter says that are kept.
SAID_MAX = 300

#: Of the time of a search, what it may take longer to explain its findings.
SHARE = 0.1


def allowance(clock: Callable[[], float], seconds: float | None) -> Callable[[], bool]:
    """Whether a share of the `seconds` of a search is over, counted from now; never, if it has no limit."""
    begin = clock()
    return lambda: seconds is not None and clock() - begin > seconds * SHARE


@frozen
class Ran:
    """One variation, as it went."""

    #: Places of moves that could not be taken where the run stood.
    void: tuple[int, ...]
    #: What the system answered to each move that was taken, by its place, in its own words.
    answers: dict[int, str]
    #: The first thing that went wrong.
    wrong: Wrong | None
    #: The place of the move that it came of; of the last move, where nothing did.
    at: int
    #: Whether the last move that was taken was refused, or changed nothing that can be seen.
    refused: bool
    #: Where honest relayers went on: whether everything that was sent has come to its end.
    finished: bool = False


class OutOfRunsError(Exception):
    """No further variation is run: enough were, the time is over, or the adapter broke its contract."""


class BrokeError(OutOfRunsError):
    """The adapter broke its contract in this variation."""


@define(eq=False)
class Trials:
    """A finding, and the system on which variations of it are run."""

    bench: Bench
    moves: tuple[Move, ...]
    #: Asked before each run: whether there is no time for another one.
    late: Callable[[], bool]
    #: What it shows, once it was run.
    wrong: Wrong | None = field(init=False, default=None)
    runs: int = field(init=False, default=0)
    #: Why no further variation is run; empty as long as there may be one.
    over: str = field(init=False, default="")

    @classmethod
    def of(cls, bench: Bench, moves: tuple[Move, ...], late: Callable[[], bool]) -> Trials:
        """On the system of `bench`, with room for what variations have besides `moves`."""
        oracle = bench.oracle
        if oracle.receipts < room_for(moves):
            roomy = Oracle.for_run(
                oracle.whole, len(bench.topology.shards), room_for(moves), reserve=oracle.reserve
            )
            bench = Bench(bench.adapter, roomy, bench.topology)
        return cls(bench, moves, late)

    def same(self, ran: Ran) -> bool:
        """Whether a variation shows the same finding."""
        wanted = self.wrong
        return ran.wrong is not None and wanted is not None and ran.wrong.property == wanted.property

    @contextmanager
    def fresh(self) -> Iterator[Lockstep]:
        """
        One more run, from its beginning. Raises `OutOfRunsError`.

        Once an adapter has broken its contract, nobody knows what it would answer, so it is asked no more.
        """
        if not self.over and self.runs >= RUNS_MAX:
            self.over = f"{RUNS_MAX} variations were run, which is the limit"
        if not self.over and self.late():
            self.over = "the time for it was over"
        if self.over:
            raise OutOfRunsError
        self.runs += 1
        try:
            yield self.bench.fresh()
        except AdapterError as error:
            self.over = f"in one of the runs that would tell, {_broken(error)}"
            raise BrokeError from error

    def run(self, moves: Sequence[Move]) -> Ran:
        """Run `moves`, leaving out what is not possible. Raises `OutOfRunsError`."""
        return self._run(moves, lambda _traffic, _taken: None)

    def run_on(self, moves: Sequence[Move]) -> Ran:
        """
        The same, and then honest relayers bring everything that was sent to its end.

        Whoever was refused with what is not damaged tries it once more, as relayers do after a loss of power.
        """
        return self._run(moves, self._relayed)

    def _run(self, moves: Sequence[Move], go_on: Callable[[Traffic, list[Move]], Wrong | None]) -> Ran:
        with self.fresh() as lock:
            return self._taken(lock, moves, go_on)

    def _taken(
        self,
        lock: Lockstep,
        moves: Sequence[Move],
        go_on: Callable[[Traffic, list[Move]], Wrong | None],
    ) -> Ran:
        traffic = Traffic(lock, {})
        void: list[int] = []
        answers: dict[int, str] = {}
        taken: list[Move] = []
        places: list[int] = []
        wrong: Wrong | None = None
        refused = False
        for place, move in enumerate(moves):
            traffic.follow(move)
            if not lock.possible(move):
                void.append(place)
                continue
            places.append(place)
            taken.append(move)
            wrong = lock.run(move)
            answers[place] = str(lock.claim)
            refused = in_vain(lock, move)
            if wrong is not None:
                break
            traffic.note(move)
        else:
            wrong = go_on(traffic, taken)
        finished = bool(lock.receipts) and all(
            sent.executed_at >= 0 or sent.told is not None or not lock.emitted(sent)
            for sent in lock.receipts.values()
        )
        at = places[-1] if places else 0
        if wrong is None and taken:
            wrong = lock.sweep()
        if wrong is not None and wrong is lock.astray:
            # What broke nothing goes with the move that it came of.
            at = places[min(lock.astray_at, len(places)) - 1]
        elif wrong is not None:
            self.runs += _TWINS if wrong.kind is Kind.PROGRESS else 0
            wrong = self.bench.named(wrong, taken)
        return Ran(tuple(void), answers, wrong, at, refused, finished)

    def _relayed(self, traffic: Traffic, taken: list[Move]) -> Wrong | None:
        lock = traffic.lock
        last = taken[-1] if taken else None
        tried = isinstance(last, Deliver) and isinstance(last.receipt, int) and last.damage is None
        if tried and last is not None and isinstance(lock.claim, Refused):
            taken.append(last)
            if (wrong := lock.run(last)) is not None:
                return wrong
            traffic.note(last)
        for sent in list(lock.receipts.values()):
            for _ in range(FINISHED_MAX):
                if sent.executed_at >= 0 or sent.told is not None:
                    break
                move = next_step(traffic, sent) if lock.wide else traffic.towards(sent)
                if move is None or not lock.possible(move):
                    break
                declined = sum(lock.declined.values())
                taken.append(move)
                if (wrong := lock.run(move)) is not None:
                    return wrong
                traffic.note(move)
                if sum(lock.declined.values()) > declined:
                    break
        return None


def _broken(error: AdapterError) -> str:
    """What happened, on one line, with the verb that it happened in."""
    got = dict(error.facts).get("got", "none")
    silent = got in ("none", "nothing")
    said = " ".join((error.summary if silent else f"{error.summary} ({got})").split())
    return said if len(said) <= SAID_MAX else f"{said[:SAID_MAX]}..."


def room_for(moves: Sequence[Move]) -> int:
    """How many receipts and blocks a variation of `moves` may have."""
    # A move may bring with it what a shard emits of its own accord.
    return 2 * len(moves) + _ROOM


def presents(move: Move) -> bool:
    """Whether what becomes of a move is seen by its effects, whatever is answered."""
    return isinstance(move, Deliver) or (isinstance(move, Act) and DEEDS[move.deed].decides is Decides.SYSTEM)


def in_vain(lock: Lockstep, move: Move) -> bool:
    """Whether `move`, the last one that was taken, was refused, or changed nothing that can be seen."""
    return not lock.happened if presents(move) else isinstance(lock.claim, Refused)


def fewer(moves: Sequence[Move], place: int) -> tuple[Move, ...]:
    """`moves` without the one at `place`."""
    return (*moves[:place], *moves[place + 1 :])
