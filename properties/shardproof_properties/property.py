"""
A property is one formula, declared once, with the cost of its being wrong.

It has three uses: a proof obligation, a check on every world that a search visits, and a
check on what an implementation lets us observe.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from attrs import field, frozen

from shardproof_models.language.protocol import Layer, Protocol
from shardproof_models.language.terms import TRUE, Bool, Term, close, is_first_order, parameters_of, some


class Role(enum.Enum):
    """How a formula is used."""

    #: True of every reachable world.
    SAFETY = "safety"
    #: True of every step: relates the world before and after, see `next_`.
    STEP = "step"
    #: An invariant that makes another one inductive.
    LEMMA = "lemma"
    #: Some reachable world satisfies it: guards against vacuous truth.
    WITNESS = "witness"
    #: In every reachable world an action is accepted if the premise holds: one formula with its guard.
    ENABLED = "enabled"
    #: No guard of a shard depends on what other shards keep to themselves (two worlds at once).
    ISOLATION = "isolation"
    #: Something good happens; checked by a finite schedule on an implementation.
    PROGRESS = "progress"
    #: Said in words, and checked on implementations only: by twin runs, by a ledger, on real bytes.
    CONCRETE = "concrete"


@frozen(eq=False)
class Property:
    """One sentence about the protocol that could be false."""

    #: Its number in the catalogue, e.g. "P01". Several sentences may share one.
    id: str
    name: str
    role: Role
    variables: tuple[Term, ...]
    body: Bool
    because: str
    doc: str = ""
    #: It is only claimed where these layers are present.
    within: tuple[Layer, ...] = ()
    #: And where none of these is.
    outside: tuple[Layer, ...] = ()

    @cached_property
    def formula(self) -> Bool:
        """Closed: for all variables, or for some if it is a witness."""
        return (
            some(self.variables, self.body) if self.role is Role.WITNESS else close(self.variables, self.body)
        )

    @cached_property
    def first_order(self) -> bool:
        """Whether a solver can read it."""
        return is_first_order(self.body)

    def __str__(self) -> str:
        return self.name


Schema = Callable[[Protocol], Iterable[Property]]
Declared = Callable[[Callable[..., Bool]], Property]


@frozen
class Catalogue:
    """Properties in order of declaration, and schemas that make one for each symbol of a protocol."""

    entries: list[Property] = field(factory=list)
    schemas: list[Schema] = field(factory=list)

    def _entry(
        self,
        id: str,
        role: Role,
        because: str,
        within: tuple[Layer, ...],
        outside: tuple[Layer, ...] = (),
    ) -> Declared:
        def decorate(function: Callable[..., Bool]) -> Property:
            variables = parameters_of(function)
            name = function.__name__.replace("_", "-")
            doc = inspect.getdoc(function) or ""
            entry = Property(id, name, role, variables, function(*variables), because, doc, within, outside)
            self.entries.append(entry)
            return entry

        return decorate

    def invariant(self, id: str, *within: Layer, because: str, outside: tuple[Layer, ...] = ()) -> Declared:
        """True of every reachable world."""
        return self._entry(id, Role.SAFETY, because, within, outside)

    def step(self, id: str, *within: Layer, because: str, outside: tuple[Layer, ...] = ()) -> Declared:
        """True of every step."""
        return self._entry(id, Role.STEP, because, within, outside)

    def lemma(self, *within: Layer, supports: str, outside: tuple[Layer, ...] = ()) -> Declared:
        """Needed to make the properties `supports` inductive."""
        return self._entry(supports, Role.LEMMA, "without it the proof by induction fails", within, outside)

    def sometimes(self, id: str, *within: Layer) -> Declared:
        """Some reachable world satisfies it."""
        return self._entry(id, Role.WITNESS, "if it never happens, nothing was checked", within)

    def progress(self, id: str, *within: Layer, because: str) -> Declared:
        """The formula is the premise under which an honest attempt must succeed."""
        return self._entry(id, Role.PROGRESS, because, within)

    def concrete(self, id: str, name: str, *within: Layer, because: str, doc: str) -> Property:
        """What no formula over worlds can say, in words; `doc` says what is compared with what."""
        entry = Property(id, name, Role.CONCRETE, (), TRUE, because, doc, within)
        self.entries.append(entry)
        return entry

    def isolation(self, id: str, name: str, because: str, doc: str) -> Property:
        """A statement about two worlds, for which the prover makes its own formula."""
        entry = Property(id, name, Role.ISOLATION, (), TRUE, because, doc)
        self.entries.append(entry)
        return entry

    def schema(self, function: Schema) -> Schema:
        """A property for each symbol of a protocol."""
        self.schemas.append(function)
        return function

    def of(self, protocol: Protocol) -> tuple[Property, ...]:
        """Those that speak of nothing that the protocol lacks."""
        layers = {*protocol.layers}
        return tuple(
            p
            for p in self._all(protocol)
            if {*p.within} <= layers and not layers & {*p.outside} and protocol.speaks(p.body)
        )

    def _all(self, protocol: Protocol) -> Iterator[Property]:
        yield from self.entries
        for schema in self.schemas:
            yield from schema(protocol)
