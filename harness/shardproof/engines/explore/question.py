"""What is searched, for what, and how far."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping

from attrs import frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term
from shardproof_models.layers.deadlines import Time
from shardproof_models.layers.finality import Height
from shardproof_models.layers.trust import Epoch
from shardproof_properties.property import Property, Role

from ...readings.native.reduction import Reductions
from ...readings.scope import Scope

Progress = Callable[[Mapping[str, int]], None]

#: Numbers that only the environment moves. A step that would move one out of its range is a step
#: beyond the scope, as a further block is, so the search leaves it out and counts it. Any other
#: number that leaves its range might have been the violation.
ENVIRONMENT: tuple[type[Term], ...] = (Height, Time, Epoch)

#: Lemmas are invariants too: a false one is found here before the prover trips over it.
INVARIANTS = (Role.SAFETY, Role.LEMMA, Role.ENABLED)

#: What is looked at unless somebody asks for something else.
EXPLORED = (Role.SAFETY, Role.ENABLED, Role.STEP, Role.WITNESS)


class Way(enum.Enum):
    """How to search."""

    #: In Python while there are few worlds, compiled when there are many, if that is possible.
    EITHER = "either"
    PYTHON = "python"
    #: Compiled from the first world on. An error where it cannot be.
    KERNEL = "kernel"


@frozen(eq=False)
class Question:
    """What is searched, for what, and how far."""

    protocol: Protocol
    scope: Scope
    chosen: tuple[Property, ...]
    worlds_max: int
    depth_max: int | None
    #: Bytes for worlds and the table of them.
    memory_max: int
    threads: int
    progress: Progress
    #: What may be left out; nothing, if there is none.
    reductions: Reductions | None = None

    def of_role(self, *roles: Role) -> tuple[Property, ...]:
        """The chosen properties of these roles."""
        return tuple(p for p in self.chosen if p.role in roles)

    @property
    def invariants(self) -> tuple[Property, ...]:
        """What is asked of every world."""
        return self.of_role(*INVARIANTS)

    @property
    def steps(self) -> tuple[Property, ...]:
        """What is asked of every step."""
        return self.of_role(Role.STEP)

    @property
    def witnesses(self) -> tuple[Property, ...]:
        """What must happen somewhere."""
        return self.of_role(Role.WITNESS)
