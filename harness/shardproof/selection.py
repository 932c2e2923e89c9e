"""
Names from a command line, a setting or a trace, and the things that they stand for.

A name that stands for nothing is answered with the nearest one that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache

from attrs import evolve, frozen

from shardproof_models.language.protocol import CompositionError, Layer, Protocol
from shardproof_models.stacks import LAYERS, STACKS, composed, layers_for, stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .adapter import AdapterFactory, capabilities
from .errors import UsageError, nearest
from .loading import load
from .observable import lacking
from .runs import made

#: What the theorem is about.
DEFAULT_STACK = "core"

#: What can be seen of an implementation.
OBSERVED = (Role.SAFETY, Role.STEP, Role.PROGRESS, Role.CONCRETE)

#: What is said of the model.
MODELLED = (Role.SAFETY, Role.STEP, Role.ENABLED, Role.ISOLATION, Role.LEMMA, Role.WITNESS)


@frozen
class System:
    """An adapter under its name, and what it can do."""

    name: str
    make: AdapterFactory
    capabilities: frozenset[str]
    #: The stack that it says it follows.
    stack: str = ""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The stack that it follows, or the smallest one that it needs."""
        return layers_for(self.capabilities, self.stack)


def system(name: str | None, call_seconds: float | None = None) -> System:
    """The adapter called `name`; see `loading.load`. Raises `UsageError` or `AdapterError`."""
    if name is None:
        raise UsageError(
            "which system?",
            expected="--adapter NAME, or module:Class or cmd:COMMAND of your own",
            help="try --adapter reference; `shardproof list adapters` has all names",
        )
    make = load(name, call_seconds)
    adapter = made(make)
    if adapter.stack and adapter.stack not in STACKS:
        raise UsageError(
            f"the adapter {name} follows a stack that there is not",
            got=adapter.stack,
            help=nearest(adapter.stack, STACKS),
        )
    return System(name, make, capabilities(adapter), adapter.stack)


def protocol(
    stack_name: str | None,
    layers: Sequence[str] | None,
    needed: tuple[Layer, ...] = STACKS[DEFAULT_STACK].layers,
) -> Protocol:
    """The stack or the layers of these names, else the composition of `needed`. Raises `UsageError`."""
    if stack_name is not None:
        if stack_name not in STACKS:
            raise UsageError(f"unknown stack {stack_name!r}", help=nearest(stack_name, STACKS))
        return stack(stack_name)
    if layers is None:
        return composed(needed)
    for name in layers:
        if name not in LAYERS:
            raise UsageError(f"unknown layer {name!r}", help=nearest(name, LAYERS))
    try:
        return composed(tuple(LAYERS[name] for name in layers))
    except CompositionError as error:
        raise UsageError("these layers do not fit together", got=str(error)) from error


# ---- properties ------------------------------------------------------------------------------------


def base(name: str) -> str:
    """The sentence that a property is an instance of: `reverts-atomically[consumed]` says one of many."""
    return name.partition("[")[0]


@cache
def catalogue(*roles: Role) -> tuple[Property, ...]:
    """Every property of some role, over all that the stacks of this package can say."""
    # Not over all layers at once: some exclude each other.
    known = {p.name: p for name in STACKS for p in properties_of(stack(name), *roles)}
    return tuple(known.values())


def names(asked: Iterable[str], within: Protocol, *roles: Role) -> tuple[str, ...]:
    """
    The properties that are asked for by name or number, as names of sentences (see `base`).

    Raises `UsageError` if there is no such property, or if it says nothing of this protocol.
    """
    known = catalogue(*roles)
    chosen: dict[str, None] = {}
    for word in asked:
        meant = [p for p in known if word in (p.name, base(p.name), p.id)]
        if not meant:
            raise _unknown(word, known)
        applies = [p for p in properties_of(within, *roles) if p.name in {m.name for m in meant}]
        if not applies:
            raise UsageError(
                f"property {word!r} says nothing of this protocol",
                expected=_needed(meant[0]),
                got=f"layers {', '.join(layer.name for layer in within.layers)}",
                help="`shardproof doctor --adapter NAME` says what an adapter must be able to do",
            )
        chosen |= dict.fromkeys(base(p.name) for p in applies)
    return tuple(chosen)


def _unknown(word: str, known: tuple[Property, ...]) -> UsageError:
    elsewhere = next((p for p in catalogue() if word in (p.name, base(p.name), p.id)), None)
    if elsewhere is None:
        near = nearest(word, {base(p.name) for p in known} | {p.id for p in known})
        return UsageError(f"unknown property {word!r}", help=near)
    where = "shardproof fuzz" if elsewhere.role is Role.PROGRESS else "shardproof prove"
    return UsageError(
        f"property {word!r} cannot be checked by this command",
        got=f"a property of the kind {elsewhere.role.value}",
        help=f"it is checked by: {where}",
    )


def _needed(asked: Property) -> str:
    layers = ", ".join(layer.name for layer in asked.within)
    return f"the layer {layers}" if layers else "other layers"


@frozen
class Applicable:
    """A sentence about implementations: its number and name, and why it does not apply, if so."""

    id: str
    name: str
    because: str
    not_applicable: str = ""


#: Of a system that does what the model refuses, and breaks no sentence by it.
_DIVERGENCE = Applicable("-", "follows-the-model", "what the model refuses, no proof about the model covers")


@cache
def sentences() -> tuple[Applicable, ...]:
    """Every sentence that can be checked on some implementation."""
    from .engines.fuzz import OBSERVED as SEEN

    known = {base(p.name): p for p in catalogue(*OBSERVED)}
    return (*(Applicable(p.id, name, p.because) for name, p in known.items() if name in SEEN), _DIVERGENCE)


def applicable(capable: frozenset[str], follows: str = "") -> tuple[Applicable, ...]:
    """The same, with the reason for those that say nothing of a system with these capabilities."""
    from .engines.fuzz import LEARNING

    said = {base(p.name) for p in properties_of(composed(layers_for(capable, follows)), *OBSERVED)} | {
        _DIVERGENCE.name
    }

    def why(name: str) -> str:
        if "learn" not in capable and name in LEARNING:
            return "the adapter has no learn: headers certify themselves"
        if missing := lacking(name, capable):
            return f"the adapter has no {', '.join(missing)}"
        if name not in said:
            lost = name == "reverts-atomically" and "revert" not in capable
            return "the adapter has no revert" if lost else "its layers say nothing of it"
        return ""

    return tuple(evolve(s, not_applicable=why(s.name)) for s in sentences())
