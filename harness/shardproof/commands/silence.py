"""
stdout belongs to the result: what an adapter prints there is a broken contract, and is told as one.

With `--json` a single stray line would make the answer unreadable, and without it could
pass for a verdict. So it is caught, and the run ends with exit code 3 and what was said.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

from ..errors import AdapterError

#: Kept of what was said; the rest would tell nothing new.
_KEPT = 500


class _Overheard(io.TextIOBase):
    """A stream that remembers how it began."""

    def __init__(self) -> None:
        self.said = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if len(self.said) < _KEPT:
            self.said += text
        return len(text)


@contextmanager
def silent(name: str | None) -> Iterator[None]:
    """While code of the adapter called `name` may run. Raises `AdapterError` at the end if it printed."""
    overheard = _Overheard()
    with redirect_stdout(overheard):
        yield
    if said := overheard.said.strip():
        raise AdapterError(
            f"adapter {name!r} printed to stdout",
            expected="only the result goes there",
            got=said[:_KEPT],
            help="write log lines to stderr: print(..., file=sys.stderr), or logging",
        )
