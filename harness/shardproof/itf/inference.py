"""
Which steps lead from state to state: every one is tried on the model, and exactly one must explain a change.

What a guard allows is tried first; where nothing that is allowed explains a state, what the actions
do in spite of their guards, because a state that no sound protocol has is what a finding ends with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from attrs import define, field

from shardproof_models.stacks import STACKS

from ..adapter import Topology
from ..errors import nearest
from ..moves import Deliver, Emit, Finalise, Learn, Move, Produce, Proof, Revert, step_of
from ..schema import shown
from ..story.telling import Foretold
from ..strict_json import Json, MismatchError
from ..trace import Search, Step, Trace
from .names import DESTINATION, ORIGIN, PARAMETERS, SHARDS, SOURCE, plain
from .states import State, cells, is_named, protocol_of, symbols, variables
from .values import Map, Value
from .values import read as value_of

#: What such a file is about: what is richer says what it does.
_LAYERS = tuple(layer.name for layer in STACKS["core"].layers)

#: States, shards, receipts and headers beyond which nobody tries everything.
_STATES_MAX, _NAMES_MAX = 60, 12


def trace_of(states: Sequence[Mapping[str, Json]]) -> Trace:
    """The trace of the steps that explain `states`. Raises `MismatchError` where some are not explained."""
    read = [
        {
            plain(name): value_of(value, f"states[{i}].{name}")
            for name, value in state.items()
            if name != "#meta"
        }
        for i, state in enumerate(states)
    ]
    known = {symbol.name: symbol for symbol in symbols(protocol_of(_LAYERS))}
    said = {name for state in read for name in state}
    if unknown := sorted(said - known.keys() - set(PARAMETERS)):
        raise MismatchError(
            f"no state symbol of ours is called {unknown[0]!r}, and no state says which action led to it",
            expected="variables of Quint (mbt::actionTaken), or state symbols of the core",
            help=nearest(unknown[0], (*known, *PARAMETERS)),
        )
    if not said & known.keys():
        raise MismatchError("the states say nothing", expected="e.g. 'emitted', 'learned', 'executions'")
    return _Search(read, _Names.of(read), tuple(known[name] for name in known if name in said)).trace()


@define
class _Names:
    """What states speak of."""

    shards: tuple[str, ...]
    receipts: tuple[int, ...]
    headers: tuple[int, ...]

    @classmethod
    def of(cls, states: Sequence[Mapping[str, Value]]) -> _Names:
        words = dict.fromkeys(word for state in states for value in state.values() for word in _words(value))
        receipts = sorted(int(w[1:]) for w in words if re.fullmatch(r"r[0-9]{1,6}", w))
        headers = sorted(int(w[1:]) for w in words if re.fullmatch(r"h[0-9]{1,6}", w))
        given = states[0].get(SHARDS)
        if isinstance(given, frozenset):
            given = tuple(sorted(map(str, given)))
        if isinstance(given, tuple):
            shards = tuple(map(str, given))
        else:
            others = [w for w in words if not re.fullmatch(r"[rh][0-9]{1,6}|the genesis of .*", w, re.DOTALL)]
            shards = tuple(others) if len(others) > 1 else Topology.of(2).shards
        if len(states) > _STATES_MAX or max(len(shards), len(receipts), len(headers)) > _NAMES_MAX:
            raise MismatchError(
                "there are too many things to try every action",
                expected=f"at most {_STATES_MAX} states, and {_NAMES_MAX} of each kind",
                help="a file that says which action was taken (mbt::actionTaken) may be longer",
            )
        return cls(shards, tuple(receipts), tuple(headers))


def _words(value: Value) -> Iterator[str]:
    match value:
        case str():
            yield value
        case tuple():
            for one in value:
                yield from _words(one)
        case frozenset():
            # In an order that does not change from run to run.
            yield from sorted(word for one in value for word in _words(one))
        case Map():
            yield from sorted(word for pair in value.pairs for one in pair for word in _words(one))


def _agrees(made: Value, said: Value, symbol: State) -> bool:
    """Whether the model holds what is said. A name that is not said is one that nobody has asked for."""
    made, said = _bare(made), _bare(said)
    if is_named(symbol.sort) and isinstance(made, Map) and isinstance(said, Map):
        return said.pairs <= made.pairs
    return made == said


def _bare(value: Value) -> Value:
    """Without what is nothing: first headers, which every shard has, and places where a number is zero."""
    match value:
        case frozenset():
            return frozenset(one for one in value if not _of_genesis(one))
        case Map():
            return Map(frozenset((k, v) for k, v in value.pairs if v != 0 and not _of_genesis(k, v)))
    return value


def _of_genesis(*values: Value) -> bool:
    return any(word.startswith("the genesis of ") for value in values for word in _words(value))


@define
class _Search:
    states: Sequence[Mapping[str, Value]]
    names: _Names
    symbols: tuple[State, ...]
    model: Foretold = field(init=False)

    def __attrs_post_init__(self) -> None:
        names = self.names
        self.model = Foretold.of(_LAYERS, names.shards, len(names.receipts), len(names.headers))

    def trace(self) -> Trace:
        """One move for each state after the first."""
        if not self._explains((), self.states[0]):
            raise MismatchError(
                "states[0] is not how the model begins", expected="what nothing has happened to"
            )
        moves: tuple[Move, ...] = ()
        for i, state in enumerate(self.states[1:], 1):
            moves = (*moves, self._only(i, moves, state))
        shards = self.names.shards
        steps = tuple(step_of(move, shards, self._home(move, moves)) for move in moves)
        return Trace("model", _LAYERS, shards, "", "", "", steps, None, Search("ITF"))

    def _home(self, move: Move, moves: Sequence[Move]) -> str:
        made = {m.header: m.shard for m in moves if isinstance(m, Produce)}
        return self.names.shards[made[move.header]] if isinstance(move, Finalise | Revert) else ""

    def _only(self, index: int, before: tuple[Move, ...], state: Mapping[str, Value]) -> Move:
        if all(state.get(s.name) == self.states[index - 1].get(s.name) for s in self.symbols):
            raise MismatchError(
                f"states[{index}] is like the one before it: anything that is refused explains that",
                help="leave it out, or say what was tried (mbt::actionTaken)",
            )
        found: list[Move] = []
        for forced in (False, True):
            tried = ((*before, move) for move in self._candidates())
            found = [moves[-1] for moves in tried if self._explains(moves, state, forced=forced)]
            if found:
                break
        if len(found) != 1:
            told = [self._told(move, (*before, move)) for move in found]
            raise MismatchError(
                f"{len(found)} steps explain states[{index}]"
                if found
                else f"no step explains states[{index}]",
                expected="one step of the core from each state to the next",
                got="; ".join(told[:4]) if found else shown(sorted(state)),
                help=f"say more: the parameters {SOURCE}, {DESTINATION}, {ORIGIN}, or more variables"
                if found
                else "each state is what one action makes of the one before it",
            )
        return found[0]

    def _told(self, move: Move, moves: Sequence[Move]) -> str:
        step: Step = step_of(move, self.names.shards, self._home(move, moves))
        return f"{step.action} at {step.at} ({', '.join(f'{k} {v}' for k, v in step.args.items())})"

    def _explains(self, moves: tuple[Move, ...], state: Mapping[str, Value], *, forced: bool = False) -> bool:
        outlook = self.model.after(moves)
        if outlook is None or (moves and outlook[1] != forced):
            return False
        *_, held = cells(outlook[0], self.symbols)
        made = variables(self.symbols, held)
        return all(
            _agrees(value_of(made[symbol.name], symbol.name), state[symbol.name], symbol)
            for symbol in self.symbols
            if symbol.name in state
        )

    def _candidates(self) -> Iterator[Move]:
        shards, receipts, headers = range(len(self.names.shards)), self.names.receipts, self.names.headers
        for r in receipts:
            for s, d in ((s, d) for s in shards for d in shards):
                if s != d and self._may(SOURCE, f"r{r}", s) and self._may(DESTINATION, f"r{r}", d):
                    yield Emit(r, s, d)
        for h in headers:
            yield from (Produce(h, s) for s in shards if self._may(ORIGIN, f"h{h}", s))
            yield Finalise(h)
            yield Revert(h)
            yield from (Learn(d, h) for d in shards)
            yield from (Deliver(d, r, h, Proof(r, h)) for d in shards for r in receipts)

    def _may(self, parameter: str, name: str, shard: int) -> bool:
        """Whether the file leaves it open, or says so."""
        said = self.states[0].get(parameter)
        given = said.get(name) if isinstance(said, Map) else None
        return given is None or given == self.names.shards[shard]
