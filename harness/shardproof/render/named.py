"""Which adapters may be named in what others paste or run: a file from elsewhere never starts a program."""

from __future__ import annotations

import re

from ..loading import PROCESS
from ..trace import Trace

#: What is longer is a text that looks like a name.
_LONGEST = 200

#: What a trace of the model alone has for an adapter.
MODEL = "model"

_NAME = re.compile(r"[A-Za-z_][\w.-]*(:[A-Za-z0-9_.-]+)?", re.ASCII)


def may_be_named(adapter: str) -> bool:
    """Whether it is a name, or `module:Class`; the command of a process is neither."""
    return (
        len(adapter) <= _LONGEST and bool(_NAME.fullmatch(adapter)) and adapter.partition(":")[0] != PROCESS
    )


def to_run_on(trace: Trace) -> tuple[str, ...]:
    """Whom a line to paste names: those of the trace, and `NAME` where whoever pastes it has to say."""
    if trace.adapter == MODEL:
        return ()
    adapters = trace.adapter.split(" and ") if trace.of_several() else [trace.adapter]
    return tuple(adapter if may_be_named(adapter) else "NAME" for adapter in adapters)
