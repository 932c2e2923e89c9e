"""
What can be done to a system, as compact values for engines and as steps of a trace.

A move names things by number: receipt 3, header 2, shard 0. It says nothing of bytes, so it
can be applied to another system, or to the same one after other moves were taken away; a
move that names something that is not there is void.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from .adversary import BLIND, INFORMED, INNER_NODE, SPLICE, Damage
from .errors import TraceError, nearest
from .trace import Step

#: The header that nobody produced: no bytes at all.
NULL = -1


class Forged(NamedTuple):
    """A receipt that nobody emitted, written by the adversary in the name of `source`."""

    number: int
    source: int
    destination: int


class Proof(NamedTuple):
    """What proves `receipt` in `header`; nothing at all where the header does not commit to it."""

    receipt: int
    header: int


class Emit(NamedTuple):
    """A user of `source` sends receipt number `receipt` to `destination`."""

    receipt: int
    source: int
    destination: int


class Produce(NamedTuple):
    """`shard` seals a block."""

    header: int
    shard: int


class Finalise(NamedTuple):
    """Consensus can no longer revert `header`."""

    header: int


class Revert(NamedTuple):
    """Consensus drops `header` and all after it."""

    header: int


class Restart(NamedTuple):
    """`shard` is stopped and started again."""

    shard: int


class Learn(NamedTuple):
    """A relayer shows `header`, perhaps damaged, to the light client at `shard`."""

    shard: int
    header: int
    damage: Damage | None = None


class Deliver(NamedTuple):
    """A relayer presents `receipt` to `shard` under `header`; with `again`, also from inside its callback."""

    shard: int
    receipt: int | Forged
    header: int
    evidence: Proof | None
    damage: Damage | None = None
    again: bool = False


Move = Emit | Produce | Finalise | Revert | Restart | Learn | Deliver


def step_of(move: Move, shards: Sequence[str], home: str) -> Step:
    """`move` as a step of a trace; `home` is the shard at which it happens."""
    match move:
        case Emit(r, s, d):
            return Step("emit", shards[s], {"receipt": f"r{r}", "to": shards[d]})
        case Produce(h, s):
            return Step("produce", shards[s], {"header": f"h{h}"})
        case Finalise(h):
            return Step("finalise", home, {"header": f"h{h}"})
        case Revert(h):
            return Step("revert", home, {"header": f"h{h}"})
        case Restart(s):
            return Step("restart", shards[s], {})
        case Learn(d, h, damage):
            return Step(
                "learn", shards[d], {"header": _header(h), **({"damage": str(damage)} if damage else {})}
            )
        case Deliver(d, r, h, evidence, damage, again):
            args = {
                "receipt": f"forged:{shards[r.source]}>{shards[r.destination]}:{r.number}"
                if isinstance(r, Forged)
                else f"r{r}",
                "header": _header(h),
                "evidence": f"r{evidence.receipt}@h{evidence.header}" if evidence else "none",
            }
            return Step(
                "reenter" if again else "deliver",
                shards[d],
                args | ({"damage": str(damage)} if damage else {}),
            )


def move_of(step: Step, shards: Sequence[str], where: str = "") -> Move:
    """The inverse of `step_of`. Raises `TraceError`."""
    names = {name: i for i, name in enumerate(shards)}

    def shard(name: str) -> int:
        if name not in names:
            raise TraceError(f"{where}no shard is called {name!r}", help=nearest(name, shards))
        return names[name]

    def numbered(text: str, letter: str, what: str) -> int:
        if not (match := re.fullmatch(rf"{letter}(\d{{1,9}})", text)):
            raise TraceError(f"{where}not a {what}", expected=f"{letter}0, {letter}1, ...", got=text)
        return int(match[1])

    def header(text: str) -> int:
        return NULL if text == "null" else numbered(text, "h", "header")

    def receipt(text: str) -> int | Forged:
        if not text.startswith("forged:"):
            return numbered(text, "r", "receipt")
        if not (match := re.fullmatch(r"forged:([^>]+)>([^:]+):(\d{1,9})", text)):
            raise TraceError(
                f"{where}not a forged receipt", expected="forged:SOURCE>DESTINATION:NUMBER", got=text
            )
        return Forged(int(match[3]), shard(match[1]), shard(match[2]))

    def evidence(text: str) -> Proof | None:
        if text == "none":
            return None
        first, _, second = text.partition("@")
        return Proof(numbered(first, "r", "receipt"), numbered(second, "h", "header"))

    def get(name: str) -> str:
        if name not in step.args:
            raise TraceError(
                f"{where}{step.action} has no {name!r}", got=", ".join(step.args) or "no arguments"
            )
        return step.args[name]

    damage = damage_of(step.args["damage"], where) if "damage" in step.args else None
    at = shard(step.at)
    match step.action:
        case "emit":
            return Emit(numbered(get("receipt"), "r", "receipt"), at, shard(get("to")))
        case "produce":
            return Produce(numbered(get("header"), "h", "header"), at)
        case "finalise":
            return Finalise(numbered(get("header"), "h", "header"))
        case "revert":
            return Revert(numbered(get("header"), "h", "header"))
        case "restart":
            return Restart(at)
        case "learn":
            return Learn(at, header(get("header")), damage)
        case "deliver" | "reenter":
            return Deliver(
                at,
                receipt(get("receipt")),
                header(get("header")),
                evidence(get("evidence")),
                damage,
                step.action == "reenter",
            )
    raise TraceError(
        f"{where}unknown action {step.action!r}",
        help=nearest(
            step.action, ("emit", "produce", "finalise", "revert", "restart", "learn", "deliver", "reenter")
        ),
    )


#: Kinds of damage to what a run has several of.
SPLICED = {**BLIND, SPLICE: None}


def damage_of(text: str, where: str = "") -> Damage:
    """A damage from its text, PART:KIND:NUMBER. Raises `TraceError`."""
    part, _, rest = text.partition(":")
    kind, _, number = rest.partition(":")
    kinds = {
        "receipt": SPLICED,
        "header": BLIND,
        "evidence": SPLICED,
        "path": {**INFORMED, INNER_NODE: None},
    }.get(part)
    if kinds is None or kind not in kinds or not re.fullmatch(r"\d{1,9}", number):
        raise TraceError(
            f"{where}not a damage",
            expected="PART:KIND:NUMBER, e.g. evidence:flip:17",
            got=text,
            help=nearest(kind, kinds) if kinds else nearest(part, ("receipt", "header", "evidence", "path")),
        )
    return Damage(part, kind, int(number))


def _header(number: int) -> str:
    return "null" if number == NULL else f"h{number}"


def named_receipts(moves: Sequence[Move]) -> set[int]:
    """The numbers of emitted receipts that any of `moves` speaks of."""
    found: set[int] = set()
    for move in moves:
        if isinstance(move, Emit):
            found.add(move.receipt)
        elif isinstance(move, Deliver):
            found |= {
                r
                for r in (move.receipt, move.evidence.receipt if move.evidence else None)
                if isinstance(r, int)
            }
    return found
