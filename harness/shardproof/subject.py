"""
A protocol of somebody's own, for a search of every trace: with its scope and its sentences.

The scopes of this package are scopes of its own layers. Who writes another protocol in the same
language says how large its sorts are, what its rigid symbols mean, and what must be true of it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from attrs import frozen

from shardproof_models.language.protocol import Protocol
from shardproof_properties.property import Property

from .errors import UsageError, nearest
from .foreign import let_through, raised, shown
from .readings.scope import Scope


@frozen(eq=False)
class Subject:
    """What is searched."""

    protocol: Protocol
    scope: Scope
    #: Sentences about it; of those of this package, none are added.
    properties: tuple[Property, ...]


def load(name: str) -> Subject:
    """The subject that `module:NAME` names, or that the function of this name makes. Raises `UsageError`."""
    base, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(base)
        found = getattr(module, attribute, _NOTHING)
    except BaseException as error:
        let_through(error)
        raise UsageError(
            f"protocol {name!r} cannot be imported",
            got=raised(error),
            help="run from the folder that holds the module, or install it into this environment",
        ) from error
    if found is _NOTHING:
        raise UsageError(f"module {base!r} has no {attribute!r}", help=nearest(attribute, vars(module)))
    if callable(found):
        found = _made(found, name)
    if not isinstance(found, Subject):
        raise UsageError(
            f"protocol {name!r} is no subject of a search",
            expected="a shardproof.subject.Subject, or a function without arguments that makes one",
            got=shown(found),
        )
    return found


_NOTHING = object()


def _made(make: Callable[[], object], name: str) -> object:
    try:
        return make()
    except BaseException as error:
        let_through(error)
        raise UsageError(
            f"protocol {name!r} cannot be made",
            expected="a shardproof.subject.Subject, or a function without arguments that makes one",
            got=raised(error),
        ) from error
