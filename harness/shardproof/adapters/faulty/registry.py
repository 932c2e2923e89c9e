"""
Every mistake by name, and what is known of it.

A mistake is a shard that differs from a reference shard in one method or one collaborator; the
decorators here put it behind the reference's own adapter, so that a faulty system can be asked
for exactly what the right one can, and for snapshots besides. A control differs too, and is not
wrong: whoever calls it a violation is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from attrs import frozen

from ...adapter import Adapter
from ...errors import UsageError, nearest
from ..reference import ReferenceAdapter
from ..snapshots import InstanceSnapshots

S = TypeVar("S", bound=type)

#: The stack of the reference shard that has no further name.
CORE = "core"


@frozen
class Fault:
    """One mistake: what it is, which property it violates, and how few steps show that."""

    name: str
    summary: str
    #: The name of a property; empty for a control.
    violates: str
    #: Emit, produce, finalise, learn, deliver and every other move count, on a new system, with payloads
    #: that the sender of the receipt did not choose for the purpose; a forged receipt costs nothing.
    shortest: int
    #: Who made it first, or where it is described.
    source: str
    factory: Callable[[], Adapter]
    #: The entries of the record (`shardproof_models.mistakes`) that this is.
    corpus: tuple[str, ...] = ()
    #: The steps of the trace on record, and why ours is longer or shorter, where it is.
    recorded: int | None = None
    differs: str = ""
    #: Which reference shard it is made from: the name of a stack.
    stack: str = CORE
    #: The refusal that it forgets, of all that the model has; empty where what it gets wrong is no refusal.
    clause: str = ""

    @property
    def reference(self) -> str:
        """The adapter without the mistake, by name."""
        return "reference" if self.stack == CORE else f"reference:{self.stack}"


_FAULTS: dict[str, Fault] = {}
_CONTROLS: dict[str, Fault] = {}

#: Every mistake by name.
FAULTS: Mapping[str, Fault] = _FAULTS

#: What looks like a mistake, and must not be flagged.
CONTROLS: Mapping[str, Fault] = _CONTROLS


def variant(name: str) -> Callable[[], Adapter]:
    """What makes the adapter with a mistake, by its name or its entry in the record. Raises `UsageError`."""
    return found(name).factory


def found(name: str) -> Fault:
    """The mistake called `name`, or the one that is entry `name` of the record. Raises `UsageError`."""
    known = {**FAULTS, **CONTROLS}
    if name in known:
        return known[name]
    of_record = next((fault for fault in known.values() if name in fault.corpus), None)
    if of_record is None:
        raise UsageError(
            f"unknown mistake {name!r}" if name else "which mistake?",
            expected="--adapter faulty:NAME",
            help=nearest(name, known) if name else "shardproof list adapters",
        )
    return of_record


def fault(
    name: str,
    *,
    violates: str,
    shortest: int,
    source: str,
    corpus: tuple[str, ...] = (),
    recorded: int | None = None,
    differs: str = "",
    clause: str = "",
    adapter: type[Adapter] = ReferenceAdapter,
) -> Callable[[S], S]:
    """Enter a faulty shard into `FAULTS`, behind `adapter`; its docstring is the summary."""

    def enter(shard: S) -> S:
        _FAULTS[name] = Fault(
            name,
            shard.__doc__ or "",
            violates,
            shortest,
            source,
            _behind(adapter, shard, name),
            corpus,
            recorded,
            differs,
            adapter.stack or CORE,
            clause,
        )
        return shard

    return enter


def control(
    name: str, *, source: str, corpus: tuple[str, ...], adapter: type[Adapter] = ReferenceAdapter
) -> Callable[[S], S]:
    """Enter a shard that is different, and right, into `CONTROLS`."""

    def enter(shard: S) -> S:
        made = _behind(adapter, shard, name)
        summary = shard.__doc__ or ""
        _CONTROLS[name] = Fault(name, summary, "", 0, source, made, corpus, stack=adapter.stack or CORE)
        return shard

    return enter


class _Kept(InstanceSnapshots):
    """A faulty adapter can be kept with all that is in it, also where it has another node in it."""

    def __reduce__(self) -> tuple[object, ...]:
        return _new, (self.name.removeprefix("faulty:"),), self.__dict__


def _new(name: str) -> Adapter:
    return found(name).factory()


def _behind(adapter: type[Adapter], shard: type, name: str) -> type[Adapter]:
    told = {"__doc__": shard.__doc__, "name": f"faulty:{name}", "shard_type": shard}
    return type("FaultyAdapter", (adapter, _Kept), told)
