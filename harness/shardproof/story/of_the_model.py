"""
The story of a trace of the model alone: its steps are actions, and nobody's answer was asked for.

Such a trace may be of a protocol with a mistake. It is told by the sound one: where that refuses a
step, the guard says by which clause, and the facts go on as if it had been taken, as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from shardproof_models.language.protocol import Protocol

from ..errors import TraceError
from ..trace import Trace
from .told import Moment


def moments(trace: Trace, protocol: Protocol, glossary: dict[str, str]) -> Iterator[Moment]:
    raise TraceError("not yet")
    yield
