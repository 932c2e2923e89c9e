"""What a command is about: the protocol, the properties, and what a system is known to violate."""

from __future__ import annotations

from collections.abc import Sequence

from shardproof_models.language.protocol import Protocol
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .. import selection
from ..deviations import Deviation, load, of_several, of_system
from ..errors import UsageError
from ..readings.asked import LOOKED_AT
from ..selection import OBSERVED, System
from ..settings import Settings


def model(settings: Settings) -> tuple[System | None, Protocol]:
    """The protocol to look at; an adapter only says which layers it needs."""
    named = "adapter" in settings.given
    if settings.adapter is None or ((settings.stack or settings.layers) and not named):
        # The adapter of a project is not the answer to a question about a stack.
        return None, selection.protocol(settings.stack, settings.layers)
    system = selection.system(settings.adapter, settings.call_seconds)
    return system, for_a_system(settings, system)


def for_a_system(settings: Settings, system: System) -> Protocol:
    """A system is judged by the layers that it has: by others, it would be another system."""
    needed = selection.protocol(None, None, system.layers)
    if settings.stack or settings.layers:
        asked = selection.protocol(settings.stack, settings.layers)
        if asked.layers != needed.layers:
            raise UsageError(
                f"adapter {system.name!r} is judged by other layers",
                expected=", ".join(layer.name for layer in needed.layers),
                got=", ".join(layer.name for layer in asked.layers),
                help="its layers follow from what it can do: leave --stack and --layers out",
            )
    return needed


def named(protocol: Protocol, asked: tuple[str, ...], *roles: Role) -> tuple[Property, ...]:
    """The properties of these roles that are asked for by name; all of them, if none is."""
    return tuple(p for p in properties_of(protocol, *roles) if not asked or selection.base(p.name) in asked)


def observable(asked: tuple[str, ...], protocol: Protocol) -> tuple[str, ...]:
    """Those of the properties that are asked for which an implementation can be seen to violate."""
    known = {selection.base(p.name) for p in properties_of(protocol, *OBSERVED)}
    return tuple(name for name in selection.names(asked, protocol, *LOOKED_AT) if name in known)


def must_be_observable(chosen: tuple[str, ...]) -> None:
    """Raises `UsageError` for a name of what can be seen of no implementation."""
    from ..engines.fuzz import OBSERVED as SEEN

    for name in chosen:
        if name not in SEEN:
            raise UsageError(
                f"property {name!r} cannot be seen from outside a system",
                expected=", ".join(SEEN),
                help="it is a sentence about the model: shardproof prove or explore",
            )


def known_deviations(settings: Settings, system: System) -> tuple[Deviation, ...]:
    """What the system is known to violate."""
    return of_system(load(settings.deviations), system) if settings.deviations is not None else ()


def known_differences(settings: Settings, systems: Sequence[System]) -> tuple[Deviation, ...]:
    """What the systems are known to differ in."""
    return of_several(load(settings.deviations), systems) if settings.deviations is not None else ()
