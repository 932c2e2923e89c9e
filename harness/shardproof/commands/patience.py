"""
A call that does not come back ends the run, with the name of the verb and exit code 3.

An adapter runs in this process, so nothing can take its place while it hangs; but once a
second somebody can look. A call that is the same one at look after look is given up. What
hangs in native code and never returns to Python cannot be interrupted like this: run such a
system as a process of its own, `cmd:`, which has deadlines of its own for each call.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from ..errors import AdapterError
from ..loading import PROCESS, imported
from ..runs import made
from ..system import System

#: How long one call of an adapter may take, in seconds: longer than a slow machine needs for any verb.
CALL_SECONDS_MAX = 30


@contextmanager
def patient(name: str | None, call_seconds_max: float | None = None) -> Iterator[None]:
    """While calls of the adapter called `name` may run. Raises `AdapterError` in one that takes too long."""
    waits_itself = (name or "").startswith(f"{PROCESS}:")
    in_main = threading.current_thread() is threading.main_thread()
    if waits_itself or not in_main or not hasattr(signal, "setitimer"):
        yield
        return
    looks_max = max(1, round(CALL_SECONDS_MAX if call_seconds_max is None else call_seconds_max))
    seen: FrameType | None = None
    looks = 0

    def look(_: int, frame: FrameType | None) -> None:
        nonlocal seen, looks
        call = _call_in(frame)
        looks = looks + 1 if call is not None and call is seen else 0
        seen = call
        if call is None:
            return
        # What it imports takes the time that it takes, however short its calls should be.
        most = max(looks_max, CALL_SECONDS_MAX) if call.f_code is imported.__code__ else looks_max
        if looks >= most:
            # Counted anew: an adapter that catches this too is told again.
            looks = 0
            raise AdapterError(
                f"adapter {name!r} did not come back from {_named(call)!r}",
                expected=f"an answer within {most} s",
                got="none",
                help="a deadline inside the adapter can turn a wait into Refused or PENDING",
            )

    before = signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, 1.0, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def _call_in(frame: FrameType | None) -> FrameType | None:
    """What of an adapter is under way in the stack of `frame`: its import, its making, or a verb."""
    while frame is not None and frame.f_code not in _FOREIGN:
        frame = frame.f_back
    return frame


_FOREIGN = (System.call.__code__, made.__code__, imported.__code__)


def _named(call: FrameType) -> str:
    if call.f_code is imported.__code__:
        return "its import"
    return str(call.f_locals.get("verb", "its constructor"))
