"""
Where the like has happened: incidents on record that broke the same sentence.

The record is that of mistakes that were made (`shardproof_models.mistakes`), and that of the faulty
systems of this package, which say whom they follow.
"""

from __future__ import annotations

from collections.abc import Iterator

from shardproof_models.mistakes import NAMED

from ..adapters.faulty import CONTROLS, FAULTS, Fault
from ..trace import Trace

#: So many are told at most.
MOST = 5

_FAULTY = "faulty:"


def incidents(trace: Trace) -> tuple[tuple[str, str], ...]:
    """What happened and where that is told: of the very mistake first, then of the same sentence."""
    found: dict[str, str] = {}
    for says, source in _matching(trace):
        found.setdefault(source, says)
    return tuple((says, source) for source, says in found.items())[:MOST]


def _matching(trace: Trace) -> Iterator[tuple[str, str]]:
    own = _own(trace.adapter)
    if own is not None:
        yield _sentence(own.summary), own.source
        for name in own.corpus:
            if name in NAMED:
                yield _sentence(NAMED[name].says), NAMED[name].source
    if not trace.property:
        return
    wanted = {trace.property, trace.property.partition("[")[0]}
    # A name says more than a number, which stands for several sentences.
    for words in (wanted, {trace.property_id}):
        for fault in FAULTS.values():
            if fault.violates in words:
                yield _sentence(fault.summary), fault.source
        for entry in NAMED.values():
            if words.intersection(entry.violates):
                yield _sentence(entry.says), entry.source


def _own(adapter: str) -> Fault | None:
    if not adapter.startswith(_FAULTY):
        return None
    name = adapter.removeprefix(_FAULTY)
    known = {**FAULTS, **CONTROLS}
    return known.get(name) or next((fault for fault in known.values() if name in fault.corpus), None)


def _sentence(said: str) -> str:
    return " ".join(said.split("\n\n", maxsplit=1)[0].split())
