"""
Running the model along a trace, and writing down what it held.

The other half of the lockstep is `player.py`: it accepts what the model accepts. So the worlds
are those of a system that does as it should, up to and including the step where the recorded
one did not. Nothing of an adapter is imported or run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from attrs import define, field

from shardproof_models.language.actions import Action
from shardproof_models.language.terms import Bool, Public, Symbol, Term, Variable, substitute, subterms
from shardproof_models.layers.exactly_once import Header, Key, Receipt, Shard, origin
from shardproof_models.layers.sequencing import Channel
from shardproof_models.layers.value import Account
from shardproof_properties.property import Property

from .. import selection
from ..adapter import Topology
from ..deeds import DEEDS
from ..errors import TraceError, UsageError
from ..lockstep import Lockstep
from ..moves import Act, Deliver, Learn, Move, receipt_name
from ..oracle import CHANNELS, FORGED, Oracle
from ..readings.generated import Check
from ..readings.rows import World, bits
from ..replay import moves_of, verbs_of
from ..trace import Search, Step, Trace
from .player import player
from .told import NOWHERE, Change, Clause, Fact, Moment, Story

#: What is called so is nothing that a trace speaks of.
_NAMELESS = ("a receipt", "a header")


def tell(trace: Trace) -> Story:
    """
    The story of a trace.

    Where the protocol of this package cannot follow (layers that it does not have, steps that it
    does not know) the moments say so and hold nothing, and the trace itself is all that is told.
    """
    known = next(
        (
            p
            for p in selection.catalogue(*selection.MODELLED, *selection.OBSERVED)
            if p.name == trace.property
        ),
        None,
    )
    try:
        telling = _Telling.of(trace)
        moments = tuple(telling.moments())
    except (TraceError, UsageError) as error:
        why = error.summary
        moments = tuple(Moment(step, i, step.expected, astray=why) for i, step in enumerate(trace.steps))
        return Story(trace, moments, _formula(known), _says(known))
    start = tuple(telling.start())
    return Story(trace, moments, _formula(known), _says(known), glossary=telling.glossary, start=start)


def _formula(known: Property | None) -> str:
    return "" if known is None else str(known.formula)


def _says(known: Property | None) -> str:
    return "" if known is None else " ".join(known.doc.split("\n\n")[0].split())


@define(eq=False)
class _Overheard(Lockstep):
    """A lockstep that remembers what the model was asked about the move that it takes."""

    asked: dict[str, tuple[int, ...]] = field(init=False, factory=dict)

    def refuses(self, action: str, *args: int) -> int:
        self.asked.setdefault(action, args)
        return super().refuses(action, *args)


@define(eq=False)
class _Telling:
    trace: Trace
    moves: tuple[Move, ...]
    lock: _Overheard
    #: The model's world before each step, and after the last.
    worlds: list[World] = field(init=False, factory=list)
    glossary: dict[str, str] = field(init=False, factory=dict)
    _checks: dict[str, tuple[Check, ...]] = field(init=False, factory=dict)
    _recorded: str = field(init=False, default="")

    @classmethod
    def of(cls, trace: Trace) -> _Telling:
        moves = moves_of(trace)
        verbs = {verb for move in moves for verb in verbs_of(move)}
        oracle = Oracle.for_run(
            selection.protocol(None, trace.layers), len(trace.shards), 2 * len(moves), reserve=trace.reserve
        )
        system = player(verbs | {"forge", "dissect", "assemble", "leaf"})
        telling = cls(trace, moves, _Overheard(system, oracle, Topology(trace.shards, trace.reserve)))
        system.may = telling.may
        return telling

    def may(self) -> bool:
        """What the player answers: as the model says, and as recorded where the model leaves it open."""
        return self.lock.clause == 0 and not self._recorded.startswith("refused")

    # ---- along the trace --------------------------------------------------------------------------

    def moments(self) -> Iterator[Moment]:
        """One for each step."""
        generated = self.lock.oracle.generated
        self.worlds = [generated.copy(self.lock.world)]
        for index, (step, move) in enumerate(zip(self.trace.steps, self.moves, strict=True)):
            if not self.lock.possible(move):
                self.worlds.append(self.worlds[-1])
                yield Moment(step, index, step.expected, astray="what it speaks of is not there")
                continue
            # Only where an implementation may choose does the record decide what the model goes on with.
            self._recorded = step.actual if step.expected == "either" else ""
            self.lock.asked.clear()
            self.lock.run(move)
            self.worlds.append(generated.copy(self.lock.world))
            action = _action_of(move)
            guard = tuple(self._guard(action, index)) if action in self.lock.asked else ()
            yield Moment(step, index, self._answer(move), guard, tuple(self.changes(index)))

    def _answer(self, move: Move) -> str:
        if not isinstance(move, Deliver | Learn | Act):
            return "accepted"
        clause = self.lock.refusing_clause(_action_of(move), self.lock.clause)
        damaged = getattr(move, "damage", None) is not None
        return f"refused, {clause}" if clause else "either" if damaged else "accepted"

    # ---- guards -----------------------------------------------------------------------------------

    def _guard(self, name: str, index: int) -> Iterator[Clause]:
        action = self.lock.oracle.protocol.action(name)
        args = self.lock.asked[name]
        names = {p.head: self._name(type(p), a) for p, a in zip(action.parameters, args, strict=True)}
        for check, clause in zip(self._checked(action), action.clauses, strict=True):
            holds = check(self.worlds[index], *args)
            since = None if holds else self._since(check, args, index)
            yield Clause(
                str(clause.refusal), _with(clause.condition, names), holds, _means(clause.condition), since
            )

    def _checked(self, action: Action) -> tuple[Check, ...]:
        if action.name not in self._checks:
            generated = self.lock.oracle.generated
            self._checks[action.name] = tuple(
                generated.check(action.parameters, c.condition) for c in action.clauses
            )
        return self._checks[action.name]

    def _since(self, check: Check, args: tuple[int, ...], index: int) -> int | None:
        """The step that made a condition false, which is false before step `index`."""
        for earlier in range(index - 1, -1, -1):
            if check(self.worlds[earlier], *args):
                return earlier
        return None

    # ---- facts ------------------------------------------------------------------------------------

    def start(self) -> Iterator[Fact]:
        """What holds before the first step, of what is there: no receipt, and of headers the first ones."""
        oracle = self.lock.oracle
        for symbol, place in oracle.generated.index.items():
            if symbol in self._copies or {Receipt, Key} & {type(p) for p in symbol.parameters}:
                continue
            for row, values in enumerate(oracle.start[place]):
                for column in bits(values) if isinstance(values, int) else range(len(values)):
                    args = self._args(symbol, row, column)
                    late = any(
                        type(p) is Header and a >= oracle.shards
                        for p, a in zip(symbol.parameters, args, strict=True)
                    )
                    value = _at(values, column)
                    # No number is nothing to speak of; the first of the shards, or of their headers, is.
                    nothing = 0 if issubclass(symbol.sort, Bool) or not self._named(symbol.sort) else -1
                    fact = None if late else self._fact(symbol, args, value, nothing)
                    if fact is not None and fact.value not in _NAMELESS:
                        yield fact

    @cached_property
    def _copies(self) -> frozenset[Symbol[Any, Any]]:
        return frozenset(self.lock.oracle.protocol.remembers.values())

    def changes(self, index: int) -> Iterator[Change]:
        """What step `index` changed."""
        generated, start = self.lock.oracle.generated, self.lock.oracle.start
        before, after = self.worlds[index], self.worlds[index + 1]
        for symbol, place in generated.index.items():
            if symbol in self._copies or before[place] == after[place]:
                continue
            for row, (old, new) in enumerate(zip(before[place], after[place], strict=True)):
                if old is new or old == new:
                    continue
                for column in _columns(old, new):
                    args = self._args(symbol, row, column)
                    base = _at(start[place][row], column)
                    facts = (self._fact(symbol, args, _at(x, column), base) for x in (old, new))
                    change = Change(*facts)
                    if change.before != change.after:
                        yield change

    def _args(self, symbol: Symbol[Any, Any], row: int, column: int) -> tuple[int, ...]:
        scope = self.lock.oracle.generated.scope
        *leading, last = symbol.parameters or (None,)
        args: list[int] = []
        for p in reversed(leading):
            domain = scope.domain(type(p))
            row, place = divmod(row, len(domain))
            args.insert(0, domain.start + place)
        return (*args, scope.domain(type(last)).start + column) if last is not None else ()

    def _fact(self, symbol: Symbol[Any, Any], args: tuple[int, ...], value: int, base: int) -> Fact | None:
        if value == base:
            return None
        if symbol.doc:
            self.glossary.setdefault(symbol.name, symbol.doc.split("\n")[0])
        at = self._home(symbol, args)
        about = [self._name(type(p), a) for p, a in zip(symbol.parameters, args, strict=True)]
        if about and about[0] == at and issubclass(type(symbol.parameters[0]), Shard):
            del about[0]
        said = ("yes" if value else "no") if issubclass(symbol.sort, Bool) else self._name(symbol.sort, value)
        return Fact(at, symbol.name, tuple(about), said)

    def _home(self, symbol: Symbol[Any, Any], args: tuple[int, ...]) -> str:
        """The shard that keeps a cell; what is public belongs with the shard of its header."""
        by_sort = {type(p): a for p, a in zip(symbol.parameters, args, strict=True)}
        if isinstance(symbol.home, Public) or symbol.home is None:
            if Header in by_sort:
                return self._shard(self.lock.oracle.rigid(origin, by_sort[Header]))
            return self._shard(by_sort[Shard]) if Shard in by_sort else NOWHERE
        value = self._value(symbol.home, {p.head: a for p, a in zip(symbol.parameters, args, strict=True)})
        return NOWHERE if value is None else self._shard(value)

    def _value(self, term: Term, env: dict[Variable, int]) -> int | None:
        """A home: a parameter, or rigid functions of one."""
        if isinstance(term.head, Variable):
            return env.get(term.head)
        if isinstance(term.head, Symbol) and len(term.args) == 1:
            inner = self._value(term.args[0], env)
            if inner is None or term.head.name == "address":
                return inner
            if term.head in self.lock.oracle.generated.rigid_index:
                return self.lock.oracle.rigid(term.head, inner)
        return None

    # ---- names ------------------------------------------------------------------------------------

    def _named(self, sort: type[Term]) -> bool:
        return issubclass(sort, Shard | Account | Receipt | Key | Header | Channel)

    def _shard(self, value: int) -> str:
        return self.trace.shards[value]

    def _name(self, sort: type[Term], value: int) -> str:
        """What a person calls an element."""
        oracle = self.lock.oracle
        if issubclass(sort, Shard | Account):
            return self._shard(value)
        if issubclass(sort, Receipt | Key):
            if value == FORGED:
                return "a receipt that nobody emitted"
            sent = next((s for s in self.lock.receipts.values() if s.slot == value), None)
            return receipt_name(sent.number) if sent else _NAMELESS[0]
        if issubclass(sort, Header):
            if value < oracle.shards:
                return f"the genesis of {self._shard(value)}"
            if value == oracle.null:
                return "a header that nobody produced"
            block = next((b for b in self.lock.headers.values() if b.slot == value), None)
            return f"h{block.number}" if block else _NAMELESS[1]
        if issubclass(sort, Channel):
            link, number = divmod(value, CHANNELS)
            s, d = divmod(link, oracle.shards)
            return f"{self._shard(s)}>{self._shard(d)}" + (f":{number}" if number else "")
        return str(value)


@define(eq=False)
class Foretold:
    """What the model makes of moves that nobody has taken yet: for whoever looks for the moves of a trace."""

    _telling: _Telling

    @classmethod
    def of(cls, layers: tuple[str, ...], shards: tuple[str, ...], moves_max: int) -> Foretold:
        """With room for so many moves."""
        trace = Trace("model", layers, shards, "", "", "", (), None, Search(""))
        oracle = Oracle.for_run(selection.protocol(None, layers), len(shards), 2 * moves_max)
        system = player(("learn", "finalise", "revert", "restart"))
        # It accepts everything, so that also what the model refuses can be seen to happen.
        system.may = lambda: True
        return cls(_Telling(trace, (), _Overheard(system, oracle, Topology(shards))))

    def after(self, moves: Sequence[Move]) -> tuple[Story, bool] | None:
        """
        What is held after `moves`, as a story of one moment, and whether the model refuses the last.

        Nothing where one of them cannot be taken. What the model refuses happens in spite of it.
        """
        telling = self._telling
        lock = telling.lock
        lock.reset()
        for move in moves:
            if not lock.possible(move):
                return None
            lock.run(move)
        telling.worlds = [lock.oracle.start, lock.world]
        moment = Moment(Step("", ""), 0, "", changes=tuple(telling.changes(0)))
        return Story(telling.trace, (moment,), start=tuple(telling.start())), lock.clause != 0


def _action_of(move: Move) -> str:
    match move:
        case Deliver():
            return "deliver"
        case Learn():
            return "learn"
        case Act():
            return DEEDS[move.deed].action
    return ""


def _at(row: Any, column: int) -> int:
    return row >> column & 1 if isinstance(row, int) else int(row[column])


def _columns(old: Any, new: Any) -> Iterator[int]:
    if isinstance(old, int):
        yield from bits(old ^ new)
    else:
        yield from (i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)


def _with(term: Term, names: dict[Any, str]) -> str:
    """The term, with what its variables stand for."""
    return str(
        substitute(term, {v: type(v_term)(Variable(name)) for v_term, v, name in _variables(term, names)})
    )


def _variables(term: Term, names: dict[Any, str]) -> Iterator[tuple[Term, Any, str]]:
    for t in subterms(term):
        if isinstance(t.head, Variable) and t.head in names:
            yield t, t.head, names[t.head]


def _means(term: Term) -> tuple[str, ...]:
    docs = dict.fromkeys(
        t.head.doc.split("\n")[0] for t in subterms(term) if isinstance(t.head, Symbol) and t.head.doc
    )
    return tuple(docs)
