"""Which adapters may be named in what others paste or run: a file from elsewhere never starts a program."""

from __future__ import annotations

import re

from ..adapter import PROCESS

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
