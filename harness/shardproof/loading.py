"""An adapter by its name: built in, an entry point, a class of one's own, or the command of a process."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path

from attrs import frozen

from .adapter import REQUIRED, Adapter, AdapterFactory
from .errors import AdapterError, UsageError, nearest
from .foreign import let_through, raised, shown, where

#: Adapters of this package: name -> (module, attribute). A name may take a variant: `hyperlane:noop-ism`.
BUILT_IN: Mapping[str, tuple[str, str]] = {
    "reference": ("shardproof.adapters.reference", "variant"),
    "watermark": ("shardproof.adapters.watermark", "WatermarkAdapter"),
    "faulty": ("shardproof.adapters.faulty", "variant"),
    "hyperlane": ("shardproof.adapters.hyperlane", "variant"),
    "axelar": ("shardproof.adapters.axelar", "AxelarAdapter"),
    "nxtp": ("shardproof.adapters.nxtp", "NxtpAdapter"),
    "openzeppelin": ("shardproof.adapters.openzeppelin", "variant"),
    "eventsourcing": ("shardproof.adapters.eventsourcing", "variant"),
    "nats": ("shardproof.adapters.nats", "variant"),
    "tvm": ("shardproof.adapters.tvm.system", "variant"),
}

#: Before the command of a process that is an adapter: `cmd:./my-shard --flag`.
PROCESS = "cmd"
_PROCESSES = "shardproof.adapters.process"

ENTRY_POINTS = "shardproof.adapters"


@frozen
class Source:
    """Where the class of an adapter begins: a file, and a line from 1."""

    file: Path
    line: int


def source_of(make: AdapterFactory) -> Source | None:
    """Where an adapter is written; nothing for what is no Python class in a file."""
    if not isinstance(make, type):
        return None
    try:
        file, (_, line) = inspect.getsourcefile(make), inspect.getsourcelines(make)
    except (OSError, TypeError):
        return None
    return None if file is None else Source(Path(file), line)


def load(name: str, call_seconds: float | None = None) -> AdapterFactory:
    """
    The adapter called `name`: built in, an entry point, `module:Class`, or `cmd:` and a command.

    A call of a process may take `call_seconds`. Raises `UsageError` if there is no such adapter,
    `AdapterError` if it lacks a required verb.
    """
    base, _, variant = name.partition(":")
    if base == PROCESS:
        return _checked(importlib.import_module(_PROCESSES).adapter_for(variant, call_seconds), name)
    if base in BUILT_IN:
        home, attribute = BUILT_IN[base]
        found = getattr(importlib.import_module(home), attribute)
        if attribute == "variant":
            return _checked(found(variant), name)
        if variant:
            raise UsageError(f"adapter {base!r} has no variants", got=name, help=f"use --adapter {base}")
        return _checked(found, name)
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        if entry.name == name:
            return _checked(imported(entry.load, name), name)
    if not variant:
        raise UsageError(
            f"unknown adapter {name!r}",
            expected="a name, module:Class of your own, or cmd:COMMAND",
            help=nearest(name, (*BUILT_IN, *(e.name for e in metadata.entry_points(group=ENTRY_POINTS)))),
        )
    if not all(word.isidentifier() for word in base.split(".")):
        raise UsageError(
            f"adapter {name!r} cannot be imported",
            expected="module:Class, where module is as it would be imported: my_folder.my_module",
            got=base,
        )
    module = imported(lambda: importlib.import_module(base), name)
    found = imported(lambda: getattr(module, variant, _NOTHING), name)
    if found is _NOTHING:
        raise UsageError(
            f"module {base!r} has no class {variant!r}",
            help=nearest(variant, [n for n, x in vars(module).items() if isinstance(x, type)]),
        )
    return _checked(found, name)


_NOTHING = object()


def imported(do: Callable[[], object], name: str) -> object:
    """What `do` imports for the adapter called `name`. Raises `UsageError` or `AdapterError`."""
    try:
        return do()
    except ModuleNotFoundError as error:
        raise UsageError(
            f"adapter {name!r} cannot be imported",
            got=str(error),
            help="run from the folder that holds the module, or install it into this environment",
        ) from error
    except BaseException as error:
        let_through(error)
        raise AdapterError(
            f"adapter {name!r} raised while it was imported", got=raised(error), said=where(error)
        ) from error


def _checked(factory: object, name: str) -> AdapterFactory:
    if not callable(factory):
        raise UsageError(
            f"adapter {name!r} is not a class",
            got=shown(factory),
            help="name the class, or a function without arguments that makes an adapter",
        )
    if isinstance(factory, type):
        missing = [v for v in REQUIRED if getattr(factory, v, None) in (None, getattr(Adapter, v))]
        if missing or not issubclass(factory, Adapter):
            base = factory.__bases__[0].__name__
            raise AdapterError(
                f"adapter {name!r} {'lacks a required verb' if missing else 'is not an Adapter'}",
                expected=", ".join(REQUIRED),
                got=f"no {', '.join(missing)}" if missing else f"a class derived from {base}",
                help="derive from shardproof.adapter.Adapter and define every required verb: "
                "harness/README.md",
            )
    return factory
