"""
Names from a command line, a setting or a trace, and the things that they stand for.

A name that stands for nothing is answered with the nearest one that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen
from shardproof_models.language.protocol import CompositionError, Layer, Protocol
from shardproof_models.stacks import LAYERS, STACKS, composed, layers_for, stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .adapter import CAPABILITIES, Adapter, AdapterFactory, capabilities, load
from .errors import AdapterError, ShardproofError, UsageError, nearest

#: What the theorem is about.
DEFAULT_STACK = "core"

#: What can be seen of an implementation.
OBSERVED = (Role.SAFETY, Role.STEP, Role.PROGRESS)

#: What is said of the model.
MODELLED = (Role.SAFETY, Role.STEP, Role.ISOLATION, Role.LEMMA, Role.WITNESS)


@frozen
class System:
    """An adapter under its name, and what it can do."""

    name: str
    make: AdapterFactory
    capabilities: frozenset[str]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The smallest stack that it needs."""
        return layers_for(self.capabilities)


def system(name: str | None) -> System:
    """The adapter called `name`. Raises `UsageError` or `AdapterError`."""
    if name is None:
        raise UsageError(
            "which system?", expected="--adapter NAME, or module:Class of your own",
            help="try --adapter reference; `shardproof list adapters` has all names",
        )
    make = load(name)
    return System(name, make, capabilities(made(make, name)))


def made(make: AdapterFactory, name: str) -> Adapter:
    """A new adapter. Raises `AdapterError` if it cannot be made."""
    try:
        adapter = make()
    except ShardproofError:
        raise
    except Exception as error:
        raise AdapterError(
            f"adapter {name!r} raised while it was constructed", got=f"{type(error).__name__}: {error}",
            help="an adapter is constructed without arguments; what it needs, it takes in `open`",
        ) from error
    if not isinstance(adapter, Adapter):
        raise AdapterError(f"adapter {name!r} is not an Adapter", got=type(adapter).__name__)
    return adapter


def protocol(
    stack_name: str | None, layers: Sequence[str] | None, needed: tuple[Layer, ...] = STACKS[DEFAULT_STACK],
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


def catalogue(*roles: Role) -> tuple[Property, ...]:
    """Every property of some role, over all that the layers of this package can say."""
    everything = properties_of(composed(tuple(LAYERS.values())), *roles)
    return tuple(everything)


def names(asked: Iterable[str], within: Protocol, *roles: Role) -> tuple[str, ...]:
    """
    The properties that are asked for by name or number, as names; those with a symbol in brackets by their sentence.

    Raises `UsageError` if there is no such property, or if it says nothing of this protocol.
    """
    known = catalogue(*roles)
    chosen: dict[str, None] = {}
    for word in asked:
        meant = [p for p in known if word in (p.name, base(p.name), p.id)]
        if not meant:
            elsewhere = [p for p in catalogue() if word in (p.name, base(p.name), p.id)]
            raise UsageError(
                f"property {word!r} cannot be checked here" if elsewhere else f"unknown property {word!r}",
                got=f"it is a {elsewhere[0].role.value} property" if elsewhere else None,
                help=nearest(word, {base(p.name) for p in known} | {p.id for p in known}),
            )
        applies = [p for p in properties_of(within, *roles) if p.name in {m.name for m in meant}]
        if not applies:
            raise UsageError(
                f"property {word!r} says nothing of this protocol", expected=_needed(meant[0]),
                got=f"layers {', '.join(layer.name for layer in within.layers)}",
                help="`shardproof doctor --adapter NAME` says what an adapter must be able to do",
            )
        chosen |= dict.fromkeys(base(p.name) for p in applies)
    return tuple(chosen)


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


def applicable(capable: frozenset[str]) -> Iterator[Applicable]:
    """Every sentence that can be checked on some implementation, for one with these capabilities."""
    here = {base(p.name) for p in properties_of(composed(layers_for(capable)), *OBSERVED)}
    for name, p in {base(p.name): p for p in catalogue(*OBSERVED)}.items():
        yield Applicable(p.id, name, p.because, "" if name in here else _lacking(p, capable))


def _lacking(missing: Property, capable: frozenset[str]) -> str:
    for verb in CAPABILITIES:
        if verb not in capable and missing in properties_of(composed(layers_for(capable | {verb})), *OBSERVED):
            return f"the adapter has no {verb!r}"
    return f"it needs {_needed(missing)}"
