"""
What can be done to a system, as compact values for engines and as steps of a trace.

A move names things by number: receipt 3, header 2, shard 0. It says nothing of bytes, so it
can be applied to another system, or to the same one after other moves were taken away; a
move that names something that is not there is void.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from attrs import frozen

from .adversary import BLIND, INFORMED, INNER_NODE, MULTIPROOF, SPLICE, Damage
from .deeds import DEEDS
from .errors import TraceError, nearest
from .multiproofs import REBUILT
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


class Terms(NamedTuple):
    """What a receipt is sent with, where it is more than a payload: see `adapter.Message`."""

    channel: int = 0
    deadline: int | None = None
    amount: int = 0
    claimed: int | None = None
    asset: int = 0
    entrance: int = 0
    onward: int | None = None
    #: It asks the receiving application for the keys of a shard.
    takeover: bool = False


#: What a receipt has that was emitted without terms.
PLAIN = Terms()


class Emit(NamedTuple):
    """A user of `source` sends receipt number `receipt` to `destination`."""

    receipt: int
    source: int
    destination: int
    terms: Terms | None = None


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
    """
    A relayer presents `receipt` to `shard` under `header`; with `again`, also from inside its callback.

    With `fails` its callback fails; with `inner` it presents another receipt, by that proof, meanwhile.
    """

    shard: int
    receipt: int | Forged
    header: int
    evidence: Proof | None
    damage: Damage | None = None
    again: bool = False
    fails: bool = False
    inner: Proof | None = None


class Act(NamedTuple):
    """One of `DEEDS`, at `shard`; what it has no use for is not there."""

    deed: str
    shard: int
    receipt: int | Forged | None = None
    header: int | None = None
    evidence: Proof | None = None
    damage: Damage | None = None
    other: int | None = None
    another: int | None = None
    number: int | None = None


Move = Emit | Produce | Finalise | Revert | Restart | Learn | Deliver | Act

#: A receipt that a shard emits of its own accord, because of receipt n, has number n + ANSWER.
ANSWER = 100_000_000


def answer_to(number: int) -> int:
    """The number of the receipt that answers receipt `number`, or sends on what it brought."""
    return number + ANSWER


def receipt_name(number: int) -> str:
    """How traces and people call a receipt: `r3`, and `answer:r3` what a shard emitted because of it."""
    answers, first = divmod(number, ANSWER)
    return "answer:" * answers + f"r{first}"


#: The actions of traces that present a receipt, and what they have besides.
DELIVERIES = ("deliver", "reenter", "deliver_failing", "nest")


def verb_of(move: Move) -> str:
    """The verb of the seam by which `move` is asked of a system."""
    match move:
        case Emit():
            return "emit" if move.terms is None else "send"
        case Deliver():
            if move.inner:
                return "nest"
            return "deliver_failing" if move.fails else "reenter" if move.again else "deliver"
        case Act():
            return move.deed
        case _:
            return type(move).__name__.lower()


def step_of(move: Move, shards: Sequence[str], home: str) -> Step:
    """`move` as a step of a trace; `home` is the shard at which it happens."""
    match move:
        case Emit(r, s, d, terms):
            args = {"receipt": receipt_name(r), "to": shards[d]}
            return Step("emit", shards[s], args | (_terms(terms, shards) if terms else {}))
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
        case Deliver(d, r, h, evidence, damage, again, fails, inner):
            args = {"receipt": _receipt(r, shards), "header": _header(h), "evidence": _evidence(evidence)}
            args |= {"damage": str(damage)} if damage else {}
            args |= {"inner": _evidence(inner)} if inner else {}
            action = "nest" if inner else "reenter" if again else "deliver_failing" if fails else "deliver"
            return Step(action, shards[d], args)
        case Act():
            return Step(move.deed, shards[move.shard], _arguments(move, shards))


def _arguments(move: Act, shards: Sequence[str]) -> dict[str, str]:
    args: dict[str, str] = {}
    if move.receipt is not None:
        args["receipt"] = _receipt(move.receipt, shards)
    if move.header is not None:
        args["header"] = _header(move.header)
    if "evidence" in DEEDS[move.deed].arguments:
        args["evidence"] = _evidence(move.evidence)
    if move.damage is not None:
        args["damage"] = str(move.damage)
    args |= {
        name: shards[s] for name, s in (("other", move.other), ("another", move.another)) if s is not None
    }
    if move.number is not None:
        args["number"] = str(move.number)
    return args


def _receipt(r: int | Forged, shards: Sequence[str]) -> str:
    if isinstance(r, Forged):
        return f"forged:{shards[r.source]}>{shards[r.destination]}:{r.number}"
    return receipt_name(r)


def _evidence(evidence: Proof | None) -> str:
    return f"{receipt_name(evidence.receipt)}@h{evidence.header}" if evidence else "none"


def _terms(terms: Terms, shards: Sequence[str]) -> dict[str, str]:
    args = {"channel": str(terms.channel), "amount": str(terms.amount)}
    if terms.deadline is not None:
        args["deadline"] = str(terms.deadline)
    if terms.claimed is not None:
        args["claimed"] = str(terms.claimed)
    args |= {name: str(n) for name, n in (("asset", terms.asset), ("entrance", terms.entrance)) if n}
    if terms.onward is not None:
        args["onward"] = shards[terms.onward]
    return args | ({"payload": "takeover"} if terms.takeover else {})


def move_of(step: Step, shards: Sequence[str], where: str = "") -> Move:
    """The inverse of `step_of`. Raises `TraceError`."""
    return _Reader(step, shards, where).move()


@frozen
class _Reader:
    """A step that is read, and what is said where it makes no sense."""

    step: Step
    shards: Sequence[str]
    where: str

    def move(self) -> Move:
        step = self.step
        args = step.args
        damage = damage_of(args["damage"], self.where) if "damage" in args else None
        at = self._shard(step.at)
        match step.action:
            case "emit":
                receipt = self._receipt_number(self._get("receipt"))
                return Emit(receipt, at, self._shard(self._get("to")), self._terms())
            case "produce":
                return Produce(self._numbered(self._get("header"), "h", "header"), at)
            case "finalise":
                return Finalise(self._numbered(self._get("header"), "h", "header"))
            case "revert":
                return Revert(self._numbered(self._get("header"), "h", "header"))
            case "restart":
                return Restart(at)
            case "learn":
                return Learn(at, self._header(self._get("header")), damage)
            case action if action in DELIVERIES:
                return Deliver(
                    at,
                    self._receipt(self._get("receipt")),
                    self._header(self._get("header")),
                    self._evidence(self._get("evidence")),
                    damage,
                    action == "reenter",
                    action == "deliver_failing",
                    self._evidence(self._get("inner")) if action == "nest" else None,
                )
            case action if action in DEEDS:
                given = {name: self._argument(name) for name in DEEDS[action].arguments}
                return Act(action, at, damage=damage, **given)
        known = ("emit", "produce", "finalise", "revert", "restart", "learn", *DELIVERIES, *DEEDS)
        raise TraceError(f"{self.where}unknown action {step.action!r}", help=nearest(step.action, known))

    def _argument(self, name: str) -> Any:
        text = self._get(name)
        if name == "receipt":
            return self._receipt(text)
        if name == "header":
            return self._header(text)
        if name == "evidence":
            return self._evidence(text)
        return self._number(text) if name == "number" else self._shard(text)

    def _terms(self) -> Terms | None:
        args = self.step.args
        if not {*args} - {"receipt", "to"}:
            return None
        numbers = ("channel", "deadline", "amount", "claimed", "asset", "entrance")
        given: dict[str, Any] = {name: self._number(args[name]) for name in numbers if name in args}
        if "onward" in args:
            given["onward"] = self._shard(args["onward"])
        return Terms(**given, takeover=args.get("payload") == "takeover")

    def _get(self, name: str) -> str:
        step = self.step
        if name not in step.args:
            raise TraceError(
                f"{self.where}{step.action} has no {name!r}", got=", ".join(step.args) or "no arguments"
            )
        return step.args[name]

    def _shard(self, name: str) -> int:
        if name not in self.shards:
            raise TraceError(f"{self.where}no shard is called {name!r}", help=nearest(name, self.shards))
        return self.shards.index(name)

    def _number(self, text: str) -> int:
        if not re.fullmatch(r"\d{1,9}", text):
            raise TraceError(f"{self.where}not a number", expected="0, 1, ...", got=text)
        return int(text)

    def _numbered(self, text: str, letter: str, what: str) -> int:
        if not (match := re.fullmatch(rf"{letter}(\d{{1,9}})", text)):
            raise TraceError(f"{self.where}not a {what}", expected=f"{letter}0, {letter}1, ...", got=text)
        return int(match[1])

    def _receipt_number(self, text: str) -> int:
        first = text
        while first.startswith("answer:"):
            first = first.removeprefix("answer:")
        return self._numbered(first, "r", "receipt") + ANSWER * text.count("answer:")

    def _header(self, text: str) -> int:
        return NULL if text == "null" else self._numbered(text, "h", "header")

    def _receipt(self, text: str) -> int | Forged:
        if not text.startswith("forged:"):
            return self._receipt_number(text)
        if not (match := re.fullmatch(r"forged:([^>]+)>([^:]+):(\d{1,9})", text)):
            raise TraceError(
                f"{self.where}not a forged receipt", expected="forged:SOURCE>DESTINATION:NUMBER", got=text
            )
        return Forged(int(match[3]), self._shard(match[1]), self._shard(match[2]))

    def _evidence(self, text: str) -> Proof | None:
        if text == "none":
            return None
        first, _, second = text.partition("@")
        return Proof(self._receipt_number(first), self._numbered(second, "h", "header"))


#: Kinds of damage to what a run has several of.
SPLICED = {**BLIND, SPLICE: None}

#: What can be damaged, and the kinds of damage to each.
PARTS: Mapping[str, Mapping[str, object]] = {
    "receipt": SPLICED,
    "header": BLIND,
    "evidence": SPLICED,
    "path": {**INFORMED, INNER_NODE: None},
    MULTIPROOF: REBUILT,
}


def damage_of(text: str, where: str = "") -> Damage:
    """A damage from its text, PART:KIND:NUMBER. Raises `TraceError`."""
    part, _, rest = text.partition(":")
    kind, _, number = rest.partition(":")
    kinds = PARTS.get(part)
    if kinds is None or kind not in kinds or not re.fullmatch(r"\d{1,9}", number):
        raise TraceError(
            f"{where}not a damage",
            expected="PART:KIND:NUMBER, e.g. evidence:flip:17",
            got=text,
            help=nearest(kind, kinds) if kinds else nearest(part, PARTS),
        )
    return Damage(part, kind, int(number))


def _header(number: int) -> str:
    return "null" if number == NULL else f"h{number}"


def presented_receipts(move: Move) -> tuple[int | Forged | None, ...]:
    """The receipts that a move presents or proves something by."""
    match move:
        case Deliver():
            return (move.receipt, *(p.receipt for p in (move.evidence, move.inner) if p))
        case Act():
            return (move.receipt, move.evidence.receipt if move.evidence else None)
    return ()
