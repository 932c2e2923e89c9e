"""Named compositions of layers, and the smallest one that a set of capabilities needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from .language.protocol import Layer, Protocol, compose
from .layers.exactly_once import exactly_once
from .layers.finality import finality, instant_finality, self_certified
from .layers.reorganisation import reorganisation
from .layers.restarts import restarts

LAYERS: Mapping[str, Layer] = {
    layer.name: layer
    for layer in (exactly_once, finality, instant_finality, self_certified, reorganisation, restarts)
}

#: Stack -> its layers. `core` is what the theorem is about.
STACKS: Mapping[str, tuple[Layer, ...]] = {
    "exactly-once": (exactly_once,),
    "final": (exactly_once, finality),
    "core": (exactly_once, finality, reorganisation),
    "core-restarts": (exactly_once, finality, reorganisation, restarts),
    "self-certified": (exactly_once, finality, instant_finality, self_certified),
}


@cache
def stack(name: str) -> Protocol:
    """The composition called `name`. Raises `KeyError`."""
    return compose(name, *STACKS[name])


def layers_for(capabilities: Collection[str]) -> tuple[Layer, ...]:
    """
    The layers of a system with these capabilities.

    What it lacks is a fact of its stack: without finality it is instant, without a light client
    headers certify themselves.
    """
    chosen = [exactly_once, finality]
    if "finalise" not in capabilities:
        chosen.append(instant_finality)
    if "learn" not in capabilities:
        chosen.append(self_certified)
    if "revert" in capabilities:
        chosen.append(reorganisation)
    if "restart" in capabilities:
        chosen.append(restarts)
    return tuple(chosen)


@cache
def composed(layers: tuple[Layer, ...]) -> Protocol:
    """The composition of `layers`, under the name of the stack that has exactly these, if there is one."""
    named = next((name for name, known in STACKS.items() if known == layers), None)
    return stack(named) if named else compose("+".join(layer.name for layer in layers), *layers)
