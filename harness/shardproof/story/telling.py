"""
Running the model along a trace, and writing down what it held.

The other half of the lockstep is `player.py`, which does what was recorded (`script.py`), and at
the step where the recorded system went wrong, what the model says. So the worlds are those of the
run up to that step, and after it those of a system that does as it should. Nothing of an adapter is
imported or run. A trace of the model alone is told by `of_the_model.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from attrs import define, evolve, field

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Bool, Term
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard, destination, source
from shardproof_models.layers.sequencing import Channel
from shardproof_models.layers.value import Account, Amount
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property

from .. import model_replay, selection
from ..acts import RECENT
from ..adapter import Topology
from ..deeds import DEEDS, Decides
from ..errors import TraceError, UsageError
from ..lockstep import Lockstep
from ..moves import (
    NULL,
    Act,
    Deliver,
    Emit,
    Finalise,
    Learn,
    Move,
    Produce,
    Proof,
    Revert,
    receipt_name,
)
from ..oracle import CHANNELS, ENDOWMENT, FORGED, Oracle
from ..replay import NEEDED, moves_of, verbs_of
from ..trace import Search, Step, Trace
from . import of_the_model
from .cells import Cells
from .chronicle import Chronicle
from .evidence import evidence_of
from .guards import Guards
from .hindsight import as_it_was
from .incidents import incidents
from .player import Player, player
from .refusal import worded
from .script import Prompter
from .told import Change, Clause, Fact, Moment, Story

#: A trace of more steps is not told: nobody reads it, and its worlds grow with the square.
STEPS_MAX = 10_000

#: Shards times steps, beyond which a world is too wide to be told.
WIDTH_MAX = 200_000


def tell(
    trace: Trace, protocol: Protocol | None = None, properties: Sequence[Property] | None = None
) -> Story:
    """
    The story of a trace, by `protocol` with its `properties`, or else by the layers that it names.

    Where the protocol of this package cannot follow (layers that it does not have, steps that it
    does not know) the moments say so and hold nothing, and the trace itself is all that is told.
    """
    glossary: dict[str, str] = {}
    start: list[Fact] = []
    known: Property | None = None
    try:
        if protocol is None:
            protocol = selection.protocol(None, trace.layers)
        among = properties_of(protocol) if properties is None else properties
        known = next((p for p in among if p.name == trace.property), None)
        moments = tuple(_moments(trace, protocol, glossary, start))
    except (TraceError, UsageError) as error:
        why = error.summary
        moments = tuple(Moment(step, i, step.expected, astray=why) for i, step in enumerate(trace.steps))
        start.clear()
    told = worded(trace, moments)
    return Story(told, moments, _formula(known), _says(known), incidents(trace), glossary, tuple(start))


def in_words(trace: Trace) -> Trace:
    """A trace as every form tells it: with the sentence about the clause by which the model refuses."""
    return trace if trace.violation is None else tell(trace).trace


def _formula(known: Property | None) -> str:
    return "" if known is None else str(known.formula)


def _says(known: Property | None) -> str:
    return "" if known is None else " ".join(known.doc.split("\n\n")[0].split())


def _moments(
    trace: Trace, protocol: Protocol, glossary: dict[str, str], start: list[Fact]
) -> Iterator[Moment]:
    if len(trace.steps) > STEPS_MAX or len(trace.steps) * len(trace.shards) > WIDTH_MAX:
        raise TraceError(
            f"a trace of {len(trace.steps):,} steps and {len(trace.shards):,} shards is too long to be told",
            expected=f"at most {STEPS_MAX:,} steps, and {WIDTH_MAX:,} steps times shards",
        )
    if model_replay.is_of_the_model(trace):
        yield from of_the_model.moments(trace, protocol, glossary, start)
        return
    if all(action.name != "deliver" for action in protocol.actions):
        raise TraceError("these layers deliver nothing", got=", ".join(trace.layers) or "no layers")
    telling = _Telling.of(trace, protocol)
    start += telling.cells.beginning()
    yield from telling.moments()
    glossary.update(telling.cells.glossary)


@define(eq=False)
class _Overheard(Lockstep):
    """A lockstep that remembers what the model was asked about the move that it takes, and its past."""

    asked: dict[str, tuple[int, ...]] = field(init=False, factory=dict)
    chronicle: Chronicle = field(init=False)

    def reset(self, token: object | None = None) -> None:
        """Start again: a new system, and the model at its initial world."""
        super().reset(token)
        self.chronicle = Chronicle(self.world)
        self.world = self.chronicle.world

    def refuses(self, action: str, *args: int) -> int:
        """0 if the model would accept, else the number of the clause that refuses."""
        self.asked.setdefault(action, args)
        return super().refuses(action, *args)


@define(eq=False)
class _Telling:
    trace: Trace
    moves: tuple[Move, ...]
    lock: _Overheard
    prompter: Prompter
    cells: Cells = field(init=False)
    guards: Guards = field(init=False)
    #: What is in each slot of the model: the names of receipts and headers.
    _receipts: dict[int, str] = field(init=False, factory=dict)
    _headers: dict[int, str] = field(init=False, factory=dict)

    def __attrs_post_init__(self) -> None:
        oracle = self.lock.oracle
        self.cells = Cells(oracle.protocol, oracle.generated, oracle.start, self._name)
        self.guards = Guards(
            oracle.protocol, oracle.generated, self.lock.chronicle, self._name, self.trace.steps
        )

    @classmethod
    def of(cls, trace: Trace, protocol: Protocol) -> _Telling:
        moves = moves_of(trace)
        lock, one = _opened(trace, protocol, moves)
        return cls(trace, moves, lock, Prompter(lock, one))

    # ---- along the trace --------------------------------------------------------------------------

    def moments(self) -> Iterator[Moment]:
        """One for each step."""
        lock, wrong = self.lock, self.trace.violation
        for index, (step, move) in enumerate(zip(self.trace.steps, self.moves, strict=True)):
            lock.chronicle.begin(index)
            if not lock.possible(move):
                yield Moment(step, index, step.expected, astray=self._missing(move))
                continue
            went_wrong = wrong is not None and wrong.step == index
            took = as_it_was(lock, move, step)
            self.prompter.prompt(took, step, recorded=bool(step.actual) and not went_wrong)
            lock.asked.clear()
            lock.run(took)
            shown = evidence_of(lock, move, took) if isinstance(move, Deliver | Act) else None
            yield evolve(self._moment(took, step, index, went_wrong=went_wrong), evidence=shown)

    def _moment(self, move: Move, step: Step, index: int, *, went_wrong: bool) -> Moment:
        self._name_what_is_new()
        answer, guard = self._answer(move, index)
        if went_wrong and answer == "accepted" and _tries_twice(move):
            # What was asked once more from inside the callback finds the world after the first time.
            again = self._guard(_action_of(move), index + 1, again=True)
            refusing = next((c for c in again if not c.holds), None)
            if refusing is not None and step.expected == f"refused, {refusing.refusal}":
                answer, guard = step.expected, again
        return Moment(step, index, answer, guard, self.changes(move))

    def changes(self, move: Move) -> tuple[Change, ...]:
        """What the move has changed that was just taken."""
        self._name_what_is_new()
        made = self.lock.headers.get(move.header) if isinstance(move, Produce) else None
        return tuple(self.cells.changes(self.lock.chronicle, made.slot if made is not None else None))

    def reset(self) -> None:
        """Start again, before the first step."""
        self.lock.reset()
        self._receipts.clear()
        self._headers.clear()

    def _answer(self, move: Move, index: int) -> tuple[str, tuple[Clause, ...]]:
        """What the model answers, and by which guard."""
        if isinstance(move, Act) and DEEDS[move.deed].decides is Decides.ADVERSARY:
            return self._tempted(move, index)
        action = _action_of(move)
        if not action:
            return "accepted", ()
        clause = self.lock.refusing_clause(action, self.lock.clause) if self._was_refused(action) else ""
        open_ = isinstance(move, Deliver) and move.damage is not None
        answer = f"refused, {clause}" if clause else "either" if open_ else "accepted"
        return answer, self._guard(action, index)

    def _was_refused(self, action: str) -> bool:
        args = self.lock.asked.get(action)
        if args is None:
            return False
        check = self.lock.oracle.generated.refusal[action]
        self.lock.clause = check(self.lock.chronicle.at(self.lock.chronicle.step), *args)
        return bool(self.lock.clause)

    def _tempted(self, move: Act, index: int) -> tuple[str, tuple[Clause, ...]]:
        """
        What an adversary asks for is refused, whatever he signs with.

        A trace says "accepted" of such a step where the system has refused it too, because it is no
        action of the model that was attempted; here it is told as what it comes to.
        """
        if move.deed != "forge_header" or "learn" not in self.lock.oracle.generated.refusal:
            return "refused", ()
        self.lock.asked["learn"] = (move.shard, self.lock.oracle.null)
        guard = self._guard("learn", index)
        refusing = next((c for c in guard if not c.holds), None)
        return (f"refused, {refusing.refusal}" if refusing is not None else "refused"), guard

    def _guard(self, action: str, at: int, *, again: bool = False) -> tuple[Clause, ...]:
        args = self.lock.asked.get(action)
        if args is None:
            return ()
        return tuple(self.guards.clauses(self.lock.oracle.protocol.action(action), args, at, again=again))

    def _missing(self, move: Move) -> str:
        """Why a step cannot be taken."""
        lock = self.lock
        for r in _receipts_of(move):
            if r not in lock.receipts:
                return f"nobody has emitted {receipt_name(r)}"
        for h in _headers_of(move):
            if h != NULL and h not in lock.headers:
                return f"no shard has produced h{h}"
        if isinstance(move, Emit) and move.receipt in lock.receipts:
            return f"{receipt_name(move.receipt)} was emitted before"
        if isinstance(move, Produce) and move.header in lock.headers:
            return f"h{move.header} was produced before"
        return "the model does not allow it here, or its layers have no such step"

    # ---- names ------------------------------------------------------------------------------------

    def _name_what_is_new(self) -> None:
        lock = self.lock
        for sent in islice(lock.receipts.values(), len(self._receipts), None):
            self._receipts[sent.slot] = receipt_name(sent.number)
        for block in islice(lock.headers.values(), len(self._headers), None):
            self._headers[block.slot] = f"h{block.number}"

    def _name(self, sort: type[Term], value: int) -> str:
        """What a person calls an element."""
        oracle, shards = self.lock.oracle, self.trace.shards
        if issubclass(sort, Bool):
            return "true" if value else "false"
        if issubclass(sort, Shard | Account):
            return shards[value]
        if issubclass(sort, Receipt | Key):
            if value == FORGED:
                ends = (oracle.generated.constant(end, FORGED) for end in (source, destination))
                return "a receipt that nobody emitted ({}>{})".format(*(shards[e] for e in ends))
            return self._receipts.get(value, "a receipt")
        if issubclass(sort, Header):
            if value < oracle.shards:
                return f"the genesis of {shards[value]}"
            return "a header that nobody produced" if value == oracle.null else self._headers.get(value, "?")
        if issubclass(sort, Channel):
            link, number = divmod(value, CHANNELS)
            s, d = divmod(link, oracle.shards)
            return f"{shards[s]}>{shards[d]}" + (f":{number}" if number else "")
        if issubclass(sort, Amount) and value > ENDOWMENT // 2:
            more = value - ENDOWMENT
            return "its endowment" + (f" {'+' if more > 0 else '-'} {abs(more)}" if more else "")
        return str(value)


@define(eq=False)
class Foretold:
    """What the model makes of moves that nobody has taken yet: for whoever looks for the moves of a trace."""

    _telling: _Telling

    @classmethod
    def of(cls, layers: tuple[str, ...], shards: tuple[str, ...], receipts: int, headers: int) -> Foretold:
        """With room for so many receipts and headers."""
        trace = Trace("model", layers, shards, "", "", "", (), None, Search(""))
        room: list[Move] = [Learn(0, 0), Finalise(0), Revert(0)]
        room += [Emit(number, 0, 1) for number in range(receipts)]
        room += [Produce(number, 0) for number in range(headers)]
        lock, one = _opened(trace, selection.protocol(None, layers), tuple(room))
        return cls(_Telling(trace, (), lock, Prompter(lock, one)))

    def after(self, moves: Sequence[Move]) -> tuple[Story, bool] | None:
        """
        The story of `moves`, and whether the model refuses the last.

        Nothing where one of them cannot be taken. What the model refuses happens in spite of it.
        """
        telling = self._telling
        lock = telling.lock
        telling.reset()
        start = tuple(telling.cells.beginning())
        moments = []
        for index, move in enumerate(moves):
            lock.chronicle.begin(index)
            if not lock.possible(move):
                return None
            telling.prompter.force(move)
            lock.run(move)
            moments.append(Moment(Step("", ""), index, "", changes=telling.changes(move)))
        return Story(telling.trace, tuple(moments), start=start), lock.clause != 0


def _opened(trace: Trace, protocol: Protocol, moves: tuple[Move, ...]) -> tuple[_Overheard, Player]:
    """A lockstep with room for everything that `moves` bring forth, so that nothing is forgotten."""
    verbs = {verb for move in moves for verb in verbs_of(move)}
    names = {layer.name for layer in protocol.layers}
    verbs |= {"ended"} if "outcomes" in names else set()
    verbs |= {"responses"} if names & {"bouncing", "forwarding"} else set()
    # Other layers than these have no such action, so nobody can take it.
    known = {action.name for action in protocol.actions}
    verbs -= {verb for verb in NEEDED.values() if verb != "restart" and verb not in known}
    one = player(verbs)
    # A shard may emit of its own accord for whatever is delivered to it.
    emitting = Emit | Deliver if "responses" in verbs else Emit
    receipts = sum(isinstance(move, emitting) for move in moves)
    headers = sum(isinstance(move, Produce) for move in moves)
    shards = len(trace.shards)
    oracle = Oracle(protocol, shards, receipts + 4, shards + headers + 4, trace.reserve)
    lock = _Overheard(one, oracle, Topology(trace.shards, trace.reserve))

    def seen(name: str) -> tuple[int, Sequence[bytes]]:
        shard = trace.shards.index(name)
        payloads = [
            lock.receipts[n].payload if n in lock.receipts else b"" for n in lock.effects[shard][-RECENT:]
        ]
        return lock.effects_at(shard), payloads

    one.seen = seen
    one.takeovers = lambda: sum(sent.terms.takeover for sent in lock.receipts.values())
    return lock, one


def _action_of(move: Move) -> str:
    """The action by the guard of which a system decides; empty where it has nothing to decide."""
    match move:
        case Deliver():
            return "deliver"
        case Learn():
            return "learn"
        case Act() if DEEDS[move.deed].decides is Decides.SYSTEM:
            return DEEDS[move.deed].action
    return ""


def _tries_twice(move: Move) -> bool:
    return (isinstance(move, Deliver) and move.again) or (
        isinstance(move, Act) and move.deed == "time_out_again"
    )


def _receipts_of(move: Move) -> Iterator[int]:
    """The receipts that a move presupposes."""
    if isinstance(move, Deliver | Act) and isinstance(move.receipt, int):
        yield move.receipt
    yield from (proof.receipt for proof in _proofs_of(move))


def _headers_of(move: Move) -> Iterator[int]:
    if isinstance(move, Finalise | Revert | Learn | Deliver | Act) and move.header is not None:
        yield move.header
    yield from (proof.header for proof in _proofs_of(move))


def _proofs_of(move: Move) -> Iterator[Proof]:
    if isinstance(move, Deliver | Act) and move.evidence is not None:
        yield move.evidence
    if isinstance(move, Deliver) and move.inner is not None:
        yield move.inner
