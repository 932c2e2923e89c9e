"""
Traces from files in the Informal Trace Format: ours, those of Quint, and states by themselves.

Ours says under `#meta` what a trace says besides its steps. Another tool's need only speak of our
actions, in the variables that Quint adds; receipts, headers and shards may be names or numbers.
Where a file has nothing but states, `inference.py` finds the steps. What comes of it is checked
like any other trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from shardproof_models.stacks import STACKS, stack

from .. import trace_file
from ..adapter import Topology
from ..deeds import DEEDS
from ..errors import nearest
from ..schema import shown
from ..strict_json import Json, MismatchError, parse
from ..trace import ARGUMENTS, FORMAT, MODEL, Trace
from . import inference
from .names import ACTION, OURS, PICKS, plain
from .values import Value, fields, option
from .values import read as value_of

SUFFIX = ".itf.json"

#: What another tool may call the shard at which something happens, and the others of ours.
_AT = ("at", "shard")
_ALIASES: Mapping[str, tuple[str, ...]] = {
    "emit": ("source", "from"),
    "produce": ("origin",),
    **dict.fromkeys(("learn", "deliver", "reenter", "deliver_failing", "nest"), ("destination",)),
}
_TO = ("to", "destination")

#: Everything that may be picked.
_PICKED = frozenset((*_AT, *_TO)).union(*ARGUMENTS.values(), *_ALIASES.values())

#: Arguments by what they name.
_SHARDS = frozenset({"to", "onward", "other", "another"})

_State = Mapping[str, Json]


def load(path: Path) -> Trace:
    """The trace in the file at `path`, whichever of the two formats it has. Raises `TraceError`."""
    data = trace_file.read(path)
    with trace_file.blaming(path):
        document = parse(data)
        return of_document(document) if is_itf(document) else trace_file.of_document(document)


def is_itf(document: Json) -> bool:
    """Whether a document has what every file of the format has, and no trace of ours."""
    return isinstance(document, dict) and "format" not in document and {"vars", "states"} <= document.keys()


def of_document(document: dict[str, Json]) -> Trace:
    """The trace that a document of this format tells. Raises `MismatchError`."""
    states = _states(document)
    meta = document.get("#meta", {})
    ours = meta.get(OURS) if isinstance(meta, dict) else None
    if ours is not None:
        if not isinstance(ours, dict) or "steps" in ours:
            raise MismatchError(f"#meta.{OURS} is not what a trace says", expected="an object without steps")
        steps = [_our_step(i, state) for i, state in enumerate(states) if i]
        return trace_file.of_document({**ours, "steps": steps})
    if any(ACTION in state for state in states):
        return _of_another(_Foreign(states))
    return inference.trace_of(states)


def _states(document: dict[str, Json]) -> list[_State]:
    states, names = document["states"], document["vars"]
    if document.get("loop") is not None:
        raise MismatchError(
            "a run that never ends cannot be run again", expected="no 'loop'", got=shown(document["loop"])
        )
    if not isinstance(states, list) or not all(isinstance(state, dict) for state in states) or not states:
        raise MismatchError("states are missing", expected="a list of objects", got=shown(states))
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MismatchError("vars is no list of names", got=shown(names))
    for i, state in enumerate(states):
        if missing := [name for name in names if name not in state]:
            raise MismatchError(f"states[{i}] lacks the variable {missing[0]!r}", expected=", ".join(names))
    return states


def _our_step(index: int, state: _State) -> Json:
    where = f"states[{index}]"
    picks = {
        name: _text(found, f"{where}: {name}")
        for name, value in _picks(state, where).items()
        if (found := option(value)) is not None
    }
    said = state.get("#meta", {})
    if not isinstance(said, dict) or "at" not in picks:
        raise MismatchError(f"{where} is not as it was written", expected="'#meta', and a pick called 'at'")
    return {
        "action": _action(state, where),
        "at": picks.pop("at"),
        "args": picks,
        **{key: said[key] for key in ("expected", "actual", "changed") if key in said},
    }


def _action(state: _State, where: str) -> str:
    action = state.get(ACTION)
    if not isinstance(action, str):
        raise MismatchError(
            f"{where} lacks {ACTION!r}", expected="the action that led to it", got=shown(action)
        )
    return action


def _picks(state: _State, where: str) -> dict[str, Value]:
    if PICKS not in state:
        raise MismatchError(f"{where} lacks {PICKS!r}", expected="what the action was taken with")
    return dict(fields(value_of(state[PICKS], f"{where}.{PICKS}"), f"{where}.{PICKS}"))


def _text(value: Value, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MismatchError(f"{what} is neither a name nor a number", got=str(value))
    return str(value)


# ---- of another tool -----------------------------------------------------------------------------


def _of_another(foreign: _Foreign) -> Trace:
    steps = list(foreign.steps())
    trace = {
        "format": FORMAT,
        "adapter": MODEL,
        "layers": list(_layers(steps)),
        "shards": list(foreign.shards()),
        "property": "",
        "property_id": "",
        "because": "",
        "steps": steps,
        "violation": None,
        "search": {"engine": "ITF", "seed": None, "traces": 0, "steps": 0},
    }
    return trace_file.of_document(trace)


def _layers(steps: Sequence[Json]) -> tuple[str, ...]:
    """The layers of the first stack that has all of these actions."""
    verbs = {step["action"] for step in steps}
    needed = {DEEDS[verb].action or verb if verb in DEEDS else verb for verb in verbs}
    needed = {"deliver" if verb in ("reenter", "deliver_failing", "nest") else verb for verb in needed}
    for name in ("core", "core-restarts", *STACKS):
        if needed <= {action.name for action in stack(name).actions}:
            break
    return tuple(layer.name for layer in stack(name).layers)


@define
class _Foreign:
    """Steps in the words of another tool, and what these words are in ours."""

    states: Sequence[_State]
    #: Names of theirs, by kind, and the numbers that they have here.
    _known: dict[str, dict[str, int]] = field(init=False, factory=lambda: {"receipt": {}, "header": {}})
    #: Of what kinds there are names like ours.
    _ours: set[str] = field(init=False, factory=set)
    _named: list[str] = field(init=False, factory=list)
    _numbered: int = field(init=False, default=0)
    _homes: dict[str, Any] = field(init=False, factory=dict)

    def steps(self) -> Iterator[Json]:
        """Each as the document of a step."""
        for i, state in enumerate(self.states):
            where = f"states[{i}]"
            action = plain(_action(state, where))
            if i == 0 and action not in ARGUMENTS:
                # Whatever their first state came by is none of our actions.
                continue
            if action not in ARGUMENTS:
                raise MismatchError(
                    f"{where}: no action of ours is called {action!r}", help=nearest(action, ARGUMENTS)
                )
            yield self._step(action, _picks(state, where), where)

    def shards(self) -> tuple[str, ...]:
        """The shards that were spoken of: as they are called, or by their numbers; two at least."""
        if self._named and self._numbered:
            raise MismatchError("shards are names here and numbers there", got=", ".join(self._named))
        if self._numbered:
            return Topology.of(max(self._numbered, 2)).shards
        spare = (name for name in Topology.of(len(self._named) + 2).shards if name not in self._named)
        return (*self._named, *(next(spare) for _ in range(2 - len(self._named))))

    def _step(self, action: str, given: dict[str, Value], where: str) -> Json:
        picked = {plain(name): found for name, v in given.items() if (found := option(v)) is not None}
        at = self._taken(picked, _AT, where)
        if at is None:
            at = self._taken(picked, _ALIASES.get(action, ()), where)
        args: dict[str, Any] = {}
        if "to" in ARGUMENTS[action] and (to := self._taken(picked, _TO, where)) is not None:
            args["to"] = to
        for name in ARGUMENTS[action]:
            if name in picked:
                args[name] = self._argument(name, picked.pop(name), where)
        # What was picked for all actions at once is said of each; what none is taken with is a mistake.
        if unknown := sorted(picked.keys() - _PICKED):
            raise MismatchError(
                f"{where}: no action of ours is taken with {unknown[0]!r}",
                expected=", ".join(("at", *ARGUMENTS[action])),
                help=nearest(unknown[0], _PICKED),
            )
        if (
            "evidence" in ARGUMENTS[action]
            and "evidence" not in args
            and {"receipt", "header"} <= args.keys()
        ):
            honest = args["header"] != "null" and not args["receipt"].startswith("forged:")
            args["evidence"] = f"{args['receipt']}@{args['header']}" if honest else "none"
        home = self._homes.get(args.get("header", "")) if action in ("finalise", "revert") else None
        place = home if at is None else at
        if place is None:
            raise MismatchError(f"{where}: at which shard?", expected="a pick called 'at'")
        if action == "produce" and "header" in args:
            self._homes[args["header"]] = place
        return {"action": action, "at": place, "args": args}

    def _taken(self, picked: dict[str, Value], names: Sequence[str], where: str) -> str | None:
        """The shard that is picked under one of `names`."""
        found = [name for name in names if name in picked]
        if len(found) > 1:
            raise MismatchError(f"{where} says twice at which shard", got=" and ".join(found))
        return self._shard(picked.pop(found[0]), where) if found else None

    def _argument(self, name: str, value: Value, where: str) -> str:
        if name in _SHARDS:
            return self._shard(value, where)
        if name in ("receipt", "header"):
            return self._entity(name, value, where)
        return _text(value, f"{where}: {name}")

    def _shard(self, value: Value, where: str) -> str:
        if isinstance(value, int) and not isinstance(value, bool):
            if not 0 <= value < 1_000:
                raise MismatchError(f"{where}: no number of a shard", expected="0, 1, ...", got=value)
            self._numbered = max(self._numbered, value + 1)
            return Topology.of(value + 1).shards[value]
        name = _text(value, f"{where}: the shard")
        if name not in self._named:
            self._named.append(name)
        return name

    def _entity(self, kind: str, value: Value, where: str) -> str:
        """`r0` or `h0`, whatever they call it: their numbers are ours, their names are counted."""
        letter, known = kind[0], self._known[kind]
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{letter}{value}"
        name = _text(value, f"{where}: the {kind}")
        if name == "null" or name.startswith("forged:"):
            return name
        if ours := re.fullmatch(rf"(answer:)*{letter}[0-9]+", name):
            self._ours.add(kind)
        else:
            known.setdefault(name, len(known))
        if known and kind in self._ours:
            raise MismatchError(
                f"{where}: each {kind} is called as ours are, or none", expected=f"{letter}0", got=min(known)
            )
        return name if ours else f"{letter}{known[name]}"
