"""
stdout belongs to the result: what an adapter prints there is a broken contract, and is told as one.

With `--json` a single stray line would make the answer unreadable, and without it could
pass for a verdict. So it is caught, and the run ends with exit code 3 and what was said. What Python
prints is noticed at once; what goes past it, of a child process or of native code, when the run is over.
"""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress

from ..errors import AdapterError
from ..streams import STDOUT

#: Characters that are shown of what was printed.
_SHOWN = 500


class _Overheard(io.TextIOBase):
    """A stream on which nobody may write, and which remembers what somebody did."""

    def __init__(self, name: str | None) -> None:
        self._name = name
        self.error: AdapterError | None = None

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self.error is None and text.strip():
            error = self.heard(text)
            if threading.current_thread() is threading.main_thread():
                # At once: there is no reason to let it run to the end.
                raise error
        return len(text)

    def heard(self, text: str) -> AdapterError:
        """What to say of somebody who has written `text`."""
        self.error = AdapterError(
            f"adapter {self._name!r} printed to stdout",
            expected="only the result goes there",
            got=text[:_SHOWN].rstrip(),
            help="write log lines to stderr: print(..., file=sys.stderr), or logging",
        )
        return self.error


@contextmanager
def silent(name: str | None) -> Iterator[None]:
    """While code of the adapter called `name` may run. Raises `AdapterError` if it printed."""
    overheard = _Overheard(name)
    try:
        with _underneath(overheard), redirect_stdout(overheard):
            yield
    except Exception:
        # What came of it, where the adapter or somebody else has caught the error and gone on.
        if overheard.error is not None:
            raise overheard.error from None
        raise
    if overheard.error is not None:
        raise overheard.error


@contextmanager
def _underneath(overheard: _Overheard) -> Iterator[None]:
    """Hear what is written to the descriptor of stdout, and give it back as it was."""
    with ExitStack() as opened:
        kept = None
        # No stdout, or no place for a file: then what goes past Python is not noticed.
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            written = opened.enter_context(tempfile.TemporaryFile())
            kept = os.dup(STDOUT)
            opened.callback(os.close, kept)
            os.dup2(written.fileno(), STDOUT)
        try:
            yield
        finally:
            if kept is not None:
                with suppress(OSError, ValueError, AttributeError):
                    # What waits in the stream that Python began with; an adapter may have closed that.
                    sys.__stdout__.flush()  # type: ignore[union-attr]  # there may be none
                os.dup2(kept, STDOUT)
                written.seek(0)
                text = written.read(4 * _SHOWN).decode("utf-8", "backslashreplace")
                if overheard.error is None and text.strip():
                    overheard.heard(text)
