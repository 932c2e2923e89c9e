"""Every property, by name and for a protocol."""

from __future__ import annotations

from functools import lru_cache

from shardproof_models.language.protocol import Protocol

from .at_home import at_home
from .claims import claims
from .concrete import concrete
from .enabled import enabled
from .layout import layout
from .lemmas import lemmas
from .losses import after_losses
from .order import order
from .outcomes import outcomes
from .progress import progress
from .property import Property, Role
from .queueing import queueing
from .restoring import restoring
from .safety import safety
from .spelling import spelling
from .trust import trust
from .value import value
from .witnesses import witnesses

_DECLARED = (
    safety,
    lemmas,
    order,
    outcomes,
    value,
    trust,
    claims,
    layout,
    queueing,
    spelling,
    enabled,
    at_home,
    progress,
    concrete,
    witnesses,
)
CATALOGUES = (*_DECLARED, restoring, after_losses(_DECLARED))


def properties_of(protocol: Protocol, *roles: Role) -> tuple[Property, ...]:
    """The properties that apply to `protocol`, all of them or those of some roles."""
    return tuple(p for p in _all_of(protocol) if not roles or p.role in roles)


@lru_cache(maxsize=64)
def _all_of(protocol: Protocol) -> tuple[Property, ...]:
    # Asked for again and again of the same protocol; of mutants there are thousands, each for a while.
    return tuple(p for c in CATALOGUES for p in c.of(protocol))
