"""
A transition of the model as a move: which part each name of a scope plays in a run.

A scope has receipt 0 and header 3; a run has the third receipt that was emitted, because a
reorganisation took the first one back and it was emitted again, and the second block that was made.
`Cast` keeps that up to date. What presents something is read from `deeds.py`, so a new verb there needs
nothing here. What nobody can be asked for is said with the reason, and not driven.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from attrs import define, field

from shardproof_models.layers.exactly_once import Shard

from ..deeds import DEEDS
from ..lockstep import Lockstep
from ..moves import (
    PLAIN,
    Act,
    Deliver,
    Emit,
    Finalise,
    Learn,
    Move,
    Produce,
    Proof,
    Restart,
    Revert,
    Terms,
    answer_to,
)
from ..readings.generated import Generated
from .graph import Instance

#: Actions of the protocol that are moves of their own, with the verb that they need.
ROAD: Mapping[str, str] = {
    "emit": "emit",
    "produce": "produce",
    "finalise": "finalise",
    "revert": "revert",
    "restart": "restart",
    "learn": "learn",
    "deliver": "deliver",
}

#: Action -> the verb of `DEEDS` that attempts it, the first where there are several.
VERBS: Mapping[str, str] = {deed.action: deed.verb for deed in reversed([*DEEDS.values()]) if deed.action}


@define(eq=False)
class Cast:
    """Who plays what: the entities of a scope, and the numbers of a run."""

    generated: Generated
    able: Collection[str]
    #: Receipt of the scope -> the numbers under which it was emitted, the newest last.
    numbers: dict[int, list[int]] = field(init=False, factory=dict)
    emitted: int = field(init=False, default=0)
    _shards: int = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._shards = len(self.generated.scope.domain(Shard))

    @property
    def shards(self) -> int:
        """How many shards there are, or may be."""
        return self._shards

    @staticmethod
    def given(instance: Instance) -> dict[str, int]:
        """The shard, receipt and header of an instance, as far as it has them."""
        return _given(instance)

    def clear(self) -> None:
        """A new run: nothing was emitted."""
        self.numbers = {}
        self.emitted = 0

    # ---- what can be asked for --------------------------------------------------------------------

    def why_not(self, instance: Instance) -> str:
        """Why an instance cannot be cast as a move; empty if it can."""
        name = instance.name
        verb = ROAD.get(name) or VERBS.get(name)
        if verb is None:
            return "nobody can be asked for it"
        if verb not in self.able and verb not in ("emit", "produce", "deliver"):
            return f"the adapter has no {verb}"
        deed = DEEDS.get(verb)
        if deed is not None and deed.evidence not in ("", "prove") and deed.evidence not in self.able:
            return f"the adapter has no {deed.evidence}"
        given = _given(instance)
        if given.get("header", self._shards) < self._shards and name != "restart":
            return "it is about a genesis, of which there are no bytes"
        if name == "emit" and self.prompt(instance):
            return "a shard does it of its own accord"
        if name == "deliver" and self.fails(instance) and "deliver_failing" not in self.able:
            return "the adapter has no deliver_failing"
        if name == "deliver" and self.fails(instance) and self._unanswerable(instance.args[1]):
            return "the scope has no receipt for the answer to its failure"
        return ""

    def _unanswerable(self, m: int) -> bool:
        answers = "response" in self.generated.scope.rigid and not self.rigid("response", m)
        return answers and all(first != m for _, first in self._following())

    def prompt(self, instance: Instance) -> bool:
        """Whether a shard does it of its own accord, as soon as it may."""
        if instance.name == "write_acknowledgement":
            return True
        if instance.name != "emit":
            return False
        m = instance.args[0]
        return bool(self.rigid("response", m) or self.rigid("onward", m))

    # ---- moves ------------------------------------------------------------------------------------

    def move(self, instance: Instance) -> Move:
        """What is to be done. Of receipts that were not emitted there is nothing to present."""
        given = _given(instance)
        make = _MOVES.get(instance.name)
        if make is not None:
            return make(self, instance, given)
        deed = DEEDS[VERBS[instance.name]]
        told = dict(zip(deed.takes, instance.args, strict=True))
        number, header = None, None
        if "receipt" in told:
            number = self.number(told["receipt"])
        if "header" in told:
            header = self.header(told["header"])
        proof = None
        if "evidence" in deed.arguments:
            assert number is not None, "evidence is of something"
            assert header is not None, "and in something"
            proof = Proof(number, header)
        other, another = told.get("other"), told.get("another")
        if "channel" in told:
            other = self.rigid("sender", told["channel"])
        counted = 0 if "number" in deed.arguments else None
        return Act(deed.verb, told["shard"], number, header, proof, None, other, another, counted)

    def presents(self, instance: Instance) -> bool:
        """Whether all that an instance speaks of has been there, so that it can be shown."""
        given = _given(instance)
        return "receipt" not in given or instance.name == "emit" or bool(self.numbers.get(given["receipt"]))

    def emits(self, instance: Instance) -> int | None:
        """The receipt that a shard emits in an instance, of its own accord or not; nothing if none."""
        if instance.name == "emit":
            return instance.args[0]
        if instance.name != "deliver":
            return None
        first = instance.args[1]
        return next((m for m, n in self._following() if n == first), None)

    def _following(self) -> list[tuple[int, int]]:
        """Receipts that shards emit of their own accord, each with the one because of which they do."""
        pairs = [(m, self.rigid(s, m)) for s in ("answered", "first_hop") for m in self._domain(s)]
        return [(m, n) for m, n in pairs if m != n]

    def note(self, instance: Instance) -> None:
        """An emission was made."""
        if instance.name == "emit":
            self.numbers.setdefault(instance.args[0], []).append(self.emitted)
            self.emitted += 1

    def answered(self, lock: Lockstep) -> None:
        """Keep track of what shards have emitted of their own accord."""
        for m, first in self._following():
            if not self.numbers.get(first):
                continue
            number = answer_to(self.numbers[first][-1])
            known = self.numbers.setdefault(m, [])
            if number in lock.receipts and number not in known:
                known.append(number)

    def number(self, m: int) -> int:
        """The number under which a receipt was emitted last."""
        return self.numbers[m][-1]

    def header(self, h: int) -> int:
        """The number of a block in traces."""
        return h - self._shards

    def rigid(self, name: str, place: int) -> int:
        """What a rigid function of one thing is; 0 where the protocol has no such function."""
        read = self.generated.scope.rigid.get(name)
        return int(read(place)) if read is not None else 0

    def _domain(self, name: str) -> range:
        for symbol in self.generated.protocol.rigid:
            if symbol.name == name:
                return self.generated.scope.domain(type(symbol.parameters[0]))
        return range(0)

    def guises(self) -> tuple[Terms, ...]:
        """The ways in which a user may ask for one and the same emission; the plain one first."""
        plain = Terms()
        if "send" not in self.able:
            return (plain,)
        found = [plain]
        if "balance" in self.able:
            found += [plain._replace(claimed=1), plain._replace(entrance=1), plain._replace(asset=1)]
        if "takeover" in self.able:
            found.append(plain._replace(takeover=True))
        return tuple(found)

    def terms(self, m: int, guise: Terms) -> Terms | None:
        """On what terms a receipt is sent; nothing where it is only a payload."""
        if "send" not in self.able:
            return None
        known = {s.name for s in self.generated.protocol.symbols}
        onward = None
        if "travels" in known and self.rigid("travels", m):
            onward = next(
                (self.rigid("destination", n) for n, first in self._following() if first == m), None
            )
        amount = self.rigid("amount", m) if "amount" in known else 0
        return guise._replace(
            deadline=self.rigid("deadline", m) if "deadline" in known else None,
            amount=amount,
            # More than is paid.
            claimed=None if guise.claimed is None else amount + guise.claimed,
            onward=onward,
        )

    def emission(self, m: int, guise: Terms) -> Emit:
        """A user sends a receipt of the scope."""
        return Emit(self.emitted, self.rigid("source", m), self.rigid("destination", m), self.terms(m, guise))

    @staticmethod
    def fails(instance: Instance) -> bool:
        """Whether it is a delivery whose callback fails."""
        return len(instance.args) > 3 and not instance.args[3]


def _given(instance: Instance) -> dict[str, int]:
    """The arguments of an instance, by what they are."""
    kinds = {"Shard": "shard", "Receipt": "receipt", "Header": "header"}
    found: dict[str, int] = {}
    for p, value in zip(instance.action.parameters, instance.args, strict=True):
        kind = kinds.get(type(p).__name__)
        if kind is not None:
            found.setdefault(kind, value)
    return found


def _deliver(cast: Cast, instance: Instance, given: Mapping[str, int]) -> Move:
    number, header = cast.number(given["receipt"]), cast.header(given["header"])
    return Deliver(given["shard"], number, header, Proof(number, header), fails=cast.fails(instance))


_MOVES: Mapping[str, Callable[[Cast, Instance, Mapping[str, int]], Move]] = {
    "emit": lambda c, _, x: c.emission(x["receipt"], PLAIN),
    "produce": lambda c, _, x: Produce(c.header(x["header"]), c.rigid("origin", x["header"])),
    "finalise": lambda c, _, x: Finalise(c.header(x["header"])),
    "revert": lambda c, _, x: Revert(c.header(x["header"])),
    "restart": lambda _c, _, x: Restart(x["shard"]),
    "learn": lambda c, _, x: Learn(x["shard"], c.header(x["header"])),
    "deliver": _deliver,
}
