"""What is asked: of which protocol, in which scope, and which of its properties."""

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

from ..errors import UsageError
from .evaluate import Evaluator
from .scope import Scope

Progress = Callable[[Mapping[str, int]], None]

#: Numbers that only the environment moves. A step that would move one out of its range is a step
#: beyond the scope, as a further block is, so it is left out and counted. Any other number that
#: leaves its range might have been the violation.
ENVIRONMENT: tuple[type[Term], ...] = (Height, Time, Epoch)

#: What is true of a world. Lemmas are: a false one is found here before the prover trips over it.
INVARIANTS = (Role.SAFETY, Role.LEMMA, Role.ENABLED)

#: What is looked at unless somebody asks for something else.
LOOKED_AT = (Role.SAFETY, Role.ENABLED, Role.STEP, Role.WITNESS)


class Way(enum.Enum):
    """How to go from world to world."""

    #: In Python while there is little to do, compiled when there is much, if that is possible.
    EITHER = "either"
    PYTHON = "python"
    #: Compiled from the first world on. An error where it cannot be.
    KERNEL = "kernel"


@frozen(eq=False)
class Asked:
    """What is asked, whether every trace is searched for it or some are walked."""

    protocol: Protocol
    scope: Scope
    chosen: tuple[Property, ...]

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


def must_be_spoken_of(protocol: Protocol, scope: Scope) -> None:
    """Raises `UsageError` where what `protocol` assumes is false in `scope`."""
    if not Evaluator(protocol, scope).axioms_hold():
        raise UsageError(
            f"{protocol.name} does not speak of this scope: what it assumes is false there",
            expected="; ".join(map(str, protocol.axioms)),
            got=scope.said or None,
        )
