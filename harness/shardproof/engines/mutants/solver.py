"""What is asked of engines with a solver, and how far to look for what they do not know."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol as Interface

from attrs import frozen

from shardproof_models.language.protocol import Protocol
from shardproof_properties.property import Property

from ...readings.scope import Scope
from .equivalence import Claim
from .worlds import Taken


@frozen
class Bounded:
    """What bounded model checking found: the first sentence that is violated, and after which steps."""

    property: Property | None
    steps: tuple[Taken, ...] = ()
    #: What was searched, as a sentence, and the number of steps up to which it was.
    scope: str = ""
    depth: int = 0


class Solver(Interface):
    """What is asked of engines with a solver."""

    def proves(self, claim: Claim) -> bool:
        """Whether the claim holds in worlds of any size; False if that is not known."""

    def refutes(self, claim: Claim) -> bool:
        """Whether there is a world in which the claim is false; False if that is not known."""

    def violation(
        self, protocol: Protocol, properties: tuple[Property, ...], depth: int, scope: Scope | None = None
    ) -> Bounded:
        """A shortest trace of up to `depth` steps to a violation, in every topology or in one."""

    def claims(self, protocol: Protocol, properties: tuple[Property, ...]) -> Sequence[Claim]:
        """What has to be shown for `properties` to hold."""


class Effort(enum.Enum):
    """How thoroughly to look."""

    #: Along random walks; what was not noticed there may be proved to be none.
    GLANCE = "glance"
    #: Breadth first, in every scope, and at last by bounded model checking.
    SEARCH = "search"


@frozen
class Budget:
    """How far to look."""

    #: Attempts in worlds of the right protocol, in each scope, at the first look and at the last: a large
    #: protocol has many in each world.
    attempts: int = 400_000
    attempts_most: int = 1_500_000
    #: Attempts in worlds of a mistake that is looked at by itself, in each scope.
    attempts_alone: int = 200_000
    #: Attempts in pairs of worlds, of a mistake and of the protocol, at the first look and at the last.
    pairs: int = 30_000
    pairs_most: int = 500_000
    #: Steps of bounded model checking in every topology, and in the one of a scope.
    depth: int = 6
    depth_in_scope: int = 13
    #: The size of a protocol, in clauses and effects, above which a mistake that nobody has made is not worth
    #: bounded model checking in every topology; and in the one of a scope, how many attempts it may have.
    bounded_max: int = 40
    bounded_attempts_max: int = 200
