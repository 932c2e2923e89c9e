"""
A system under test that is a process, in any language: JSON lines on its stdin and stdout.

`harness/PROTOCOL.md` is for whoever writes one. Here, from the ground up: `values` and `wire` say
what stands on a line, `child` starts a process and ends it, `diagnosis` tells what it did wrong,
`adapter` is what the harness sees, and `serve` makes a process of an adapter in Python.
"""

from .adapter import ProcessAdapter, adapter_for

__all__ = ["ProcessAdapter", "adapter_for"]
