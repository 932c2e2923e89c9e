"""
Mistakes that were made, tied to where that is told.

An entry is a function from the protocol of a stack to the protocol with the mistake. It changes
anything that it likes: clauses, effects, definitions, even what a world consists of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from attrs import frozen

from ..language.protocol import Layer, Protocol
from ..stacks import composed
from .mistake import Kind, Mistake

Make = Callable[[Protocol], Protocol]


@frozen(eq=False)
class Entry:
    """What is on record of a mistake, and how to make it again."""

    name: str
    #: The layers that it takes to make it: the fewer, the shorter the trace that shows it.
    layers: tuple[Layer, ...]
    says: str
    source: str
    violates: tuple[str, ...]
    #: The steps of the trace on record, and why ours is longer, shorter or another one, where it is.
    shortest: int | None
    make: Make
    differs: str = ""

    def __call__(self) -> Mistake:
        """The mistake, made."""
        right = composed(self.layers)
        return Mistake(
            self.name,
            Kind.NAMED,
            self.make(right),
            right.name,
            self.says,
            self.source,
            self.violates,
            self.shortest,
            right,
            self.differs,
        )


_NAMED: dict[str, Entry] = {}

#: Every entry by name.
NAMED: Mapping[str, Entry] = _NAMED


def named(
    name: str,
    *layers: Layer,
    source: str,
    violates: tuple[str, ...] = (),
    shortest: int | None = None,
    differs: str = "",
) -> Callable[[Make], Make]:
    """
    Enter a mistake into `NAMED`; the docstring of what makes it is what it says.

    `violates` are names or numbers of properties, one of which has to notice; none of them makes it
    a negative control.
    """

    def enter(make: Make) -> Make:
        _NAMED[name] = Entry(name, layers, make.__doc__ or "", source, violates, shortest, make, differs)
        return make

    return enter
