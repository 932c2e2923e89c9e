"""One mistake: a protocol that differs from the right one, and what is known of the difference."""

from __future__ import annotations

import enum

from attrs import evolve, frozen

from ..language.actions import Action
from ..language.protocol import Protocol


class Kind(enum.Enum):
    """What sort of change it is."""

    #: A clause of an action is not checked.
    CLAUSE = "clause"
    #: Two neighbouring clauses are checked the other way round.
    ORDER = "order"
    #: An effect of an action does not happen.
    EFFECT = "effect"
    #: A comparison is off by one, or an equality of numbers is an inequality.
    COMPARISON = "comparison"
    #: The proof does without an invariant; the protocol is as it was.
    LEMMA = "lemma"
    #: Somebody has made it.
    NAMED = "named"


#: Where a mistake comes from that nobody has to have made.
GENERATED = "generated"


@frozen(eq=False)
class Mistake:
    """
    A changed protocol under a name of its own.

    Of a generated one nothing is expected but that somebody notices. A named one says which
    properties it violates, and in how few steps; one that violates none is a negative control, and
    whoever calls it a violation is wrong.
    """

    name: str
    kind: Kind
    #: The protocol with the mistake.
    protocol: Protocol
    #: The stack that it is a change to.
    stack: str
    #: What it does, as a sentence.
    says: str
    source: str = GENERATED
    #: Names or numbers of properties; one of them has to notice.
    violates: tuple[str, ...] = ()
    #: The steps of the shortest trace that is on record.
    shortest: int | None = None
    #: The protocol without the mistake, where it is not that of a stack.
    right: Protocol | None = None
    #: Why the shortest trace here is not as long as the one on record, or goes another way, where it does.
    differs: str = ""

    @property
    def harmless(self) -> bool:
        """Whether it is a negative control."""
        return self.kind is Kind.NAMED and not self.violates

    def __str__(self) -> str:
        return self.name


def with_action(protocol: Protocol, changed: Action) -> Protocol:
    """`protocol` with `changed` in the place of its action of that name. Raises `KeyError`."""
    right = protocol.action(changed.name)
    return evolve(protocol, actions=tuple(changed if a is right else a for a in protocol.actions))
