"""
Where a run stands, as a value: equal ones have the same future.

All that the system is (a snapshot of it, which compares by value), and all that the judge knows,
read from its fields one by one, so that a field that somebody adds is compared without being asked
for. Left out is only what is the same in every run on one bench, what `Lockstep.run` sets anew at each
move before it looks at it, and what is only counted for reports.

Evidence that a relayer has asked for he keeps, and it may be worth something later, when the system
would not give it any more. So it is a part of where a run stands, and is kept apart, because a move
that shows some evidence comes to the same whether or not it was had before.
"""

from __future__ import annotations

import enum
from typing import Any

import attrs
from attrs import frozen

from ..adversary import SPLICE
from ..deeds import DEEDS
from ..lockstep import Lockstep
from ..moves import Act, Deliver, Move, Proof
from ..record import Block, Sent

#: The same in every run on a bench.
_OF_THE_BENCH = frozenset(
    {
        "adapter",
        "oracle",
        "topology",
        "system",
        "able",
        "wide",
        "sharded",
        "addresses",
        "watching",
        "telling",
        "bounces",
        "_patient",
    }
)

#: Of the last move, and set anew at the next; of the length of a run; and for reports only.
_OF_THE_MOVE = frozenset(
    {
        "clause",
        "claim",
        "happened",
        "changed",
        "taken_back",
        "attempted",
        "nested",
        "failing",
        "offers",
        "watched",
        "moves",
        "astray_at",
        "declined",
    }
)

#: What is compared apart: the world, and evidence that was had.
_APART = frozenset({"world", "proofs", "attests"})

_LEFT_OUT = _OF_THE_BENCH | _OF_THE_MOVE | _APART
_COMPARED = tuple(a.name for a in attrs.fields(Lockstep) if a.name not in _LEFT_OUT)

#: A verb that gives evidence, and of what.
Asked = tuple[str, Proof]


@frozen
class Standing:
    """Where a run stands."""

    #: The system, and what the judge knows.
    place: tuple[Any, ...]
    #: The evidence that was asked for, with the answers.
    had: frozenset[tuple[Asked, Any]]

    def suffices(self, other: Standing, asks: frozenset[Asked]) -> bool:
        """Whether a move that `asks` for some evidence comes to the same from here as from `other`."""
        more = self.had ^ other.had
        return self.place == other.place and other.had <= self.had and {what for what, _ in more} <= asks


def standing(lock: Lockstep, token: Any) -> Standing:
    """Where a run stands; `token` is a snapshot of the system that compares by value."""
    had = [(("prove", proof), answer) for proof, answer in lock.proofs.items()]
    had += lock.attests.items()
    # The rows of a world are numbers, and tuples of them.
    world = tuple([tuple(rows) for rows in lock.world])
    place = tuple([value(getattr(lock, name)) for name in _COMPARED])
    return Standing((token, world, place), frozenset(had))


def asks(move: Move) -> frozenset[Asked]:
    """The evidence that a move shows, and so asks for where nobody has it yet, before it does anything."""
    if not isinstance(move, Deliver | Act):
        return frozenset()
    verb = DEEDS[move.deed].evidence if isinstance(move, Act) else "prove"
    found = []
    if move.evidence is not None:
        found.append((verb, move.evidence))
        if move.damage is not None and move.damage[:2] == ("evidence", SPLICE):
            found.append((verb, Proof(move.damage.number, move.evidence.header)))
    if isinstance(move, Deliver) and move.inner is not None:
        found.append(("prove", move.inner))
    return frozenset(found)


def value(thing: Any) -> Any:
    """
    Something as a value that can be compared and is not changed later.

    A dictionary in its order, because what looks for the first of several finds another in another order.
    """
    kind = type(thing)
    if kind is list:
        return tuple([value(x) for x in thing])
    if kind in _PLAIN or isinstance(thing, enum.Enum):
        return thing
    if kind is dict:
        return tuple([(value(k), value(x)) for k, x in thing.items()])
    if kind is set or kind is frozenset:
        return frozenset([value(x) for x in thing])
    if isinstance(thing, tuple):
        # With its type: tuples with the same fields are equal, whatever they are called.
        parts = [value(x) for x in thing]
        return tuple(parts) if kind is tuple else (kind.__name__, *parts)
    if kind is Sent:
        others = tuple([x and x.number for x in (thing.answers, thing.answer)])
        return (*others, *[value(getattr(thing, name)) for name in _SENT])
    if kind is Block:
        parent = thing.parent and thing.parent.number
        return (parent, *[value(getattr(thing, name)) for name in _BLOCK])
    assert attrs.has(kind), "the judge keeps values, and records of them"
    return (kind.__name__, *[value(getattr(thing, a.name)) for a in attrs.fields(kind)])


_PLAIN = frozenset({int, bool, str, bytes, type(None)})
_SENT = tuple(a.name for a in attrs.fields(Sent) if a.name not in ("answers", "answer"))
_BLOCK = tuple(a.name for a in attrs.fields(Block) if a.name != "parent")
