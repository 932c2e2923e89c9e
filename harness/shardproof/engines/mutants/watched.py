"""What counts as having noticed a mistake: which properties, and what it has in common with the protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.mistakes import Kind, Mistake
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .worlds import of_guards

#: What a trace can violate.
VIOLABLE = (Role.SAFETY, Role.STEP, Role.ENABLED)


def counting(mistake: Mistake) -> Callable[[str], bool]:
    """Which names of properties count as noticing it."""
    if mistake.kind is not Kind.NAMED:
        return lambda _: True
    if mistake.harmless:
        # Of a negative control no property of safety may say a word; it may well delay something.
        violable = {p.name for p in properties_of(mistake.protocol, *VIOLABLE)}
        return lambda name: name in violable
    return lambda name: name in mistake.violates or name.partition("[")[0] in mistake.violates


def violable(right: Protocol, properties: tuple[Property, ...], mistake: Mistake) -> tuple[Property, ...]:
    """What a trace of the mistake can violate and that counts."""
    wanted = counting(mistake)
    if not comparable(right, mistake.protocol):
        known = properties_of(mistake.protocol, *VIOLABLE)
    else:
        always = (p for p in properties if p.role in VIOLABLE and p.role is not Role.ENABLED)
        known = (*always, *of_guards(mistake.protocol))
    return tuple(p for p in known if wanted(p.name) or wanted(p.id))


def changed(right: Protocol, mistake: Mistake) -> Iterator[tuple[Action, Action]]:
    """The actions that are mistaken, each after what it should be."""
    pairs = zip(right.actions, mistake.protocol.actions, strict=True)
    return ((a, b) for a, b in pairs if a is not b)


def comparable(right: Protocol, wrong: Protocol) -> bool:
    """Whether both have the same worlds and attempts, and differ in what they answer and do."""
    return _made_of(right) == _made_of(wrong)


def _made_of(protocol: Protocol) -> object:
    # By identity: between terms, equality is a term.
    return (
        protocol.symbols,
        [*map(id, protocol.axioms)],
        {symbol: id(body) for symbol, body in protocol.definitions.items()},
        [(a.name, *map(id, a.parameters)) for a in protocol.actions],
    )
