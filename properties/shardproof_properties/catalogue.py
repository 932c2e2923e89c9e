"""Every property, by name and for a protocol."""

from __future__ import annotations

from shardproof_models.language.protocol import Protocol

from .lemmas import lemmas
from .progress import progress
from .property import Property, Role
from .safety import safety

CATALOGUES = (safety, lemmas, progress)


def properties_of(protocol: Protocol, *roles: Role) -> tuple[Property, ...]:
    """The properties that apply to `protocol`, all of them or those of some roles."""
    return tuple(p for c in CATALOGUES for p in c.of(protocol) if not roles or p.role in roles)
