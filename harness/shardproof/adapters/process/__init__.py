"""
A system under test that is a process, in any language: JSON lines on its stdin and stdout.

`harness/PROTOCOL.md` is for whoever writes one. Here, from the ground up: `values` and `wire` say
what stands on a line, `child` starts a process and ends it, `diagnosis` tells what it did wrong,
`adapter` is what the harness sees, and `serve` makes a process of an adapter in Python.
"""

import select

from ...errors import UsageError

if not hasattr(select, "poll"):
    raise UsageError(
        "a process cannot be an adapter on this system",
        expected="a system with poll, process groups and signals: Linux, macOS, BSD",
        help="an adapter in Python runs everywhere: module:Class",
    )

from .adapter import ProcessAdapter, adapter_for, adapter_of

__all__ = ["ProcessAdapter", "adapter_for", "adapter_of"]
