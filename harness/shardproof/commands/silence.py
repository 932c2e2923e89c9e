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


class _Overheard(io.TextIOBase):
    """A stream on which nobody may write, and which remembers what somebody did."""

    def __init__(self, name: str | None) -> None:
        self._name = name
        self.error: AdapterError | None = None

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.error is None and text.strip():
            self.error = AdapterError(
                f"adapter {self._name!r} printed to stdout",
                expected="only the result goes there",
                got=text[:500].rstrip(),
                help="write log lines to stderr: print(..., file=sys.stderr), or logging",
            )
            # At once: there is no reason to let it run to the end.
            raise self.error
        return len(text)


@contextmanager
def silent(name: str | None) -> Iterator[None]:
    """While code of the adapter called `name` may run. Raises `AdapterError` if it printed."""
    overheard = _Overheard(name)
    try:
        with redirect_stdout(overheard):
            yield
    except Exception:
        # What came of it, where the adapter or somebody else has caught the error and gone on.
        if overheard.error is not None:
            raise overheard.error from None
        raise
    if overheard.error is not None:
        raise overheard.error
