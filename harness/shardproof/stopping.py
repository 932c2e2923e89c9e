"""
A stop that somebody asks for, by Ctrl-C, SIGTERM or SIGHUP: it comes through, wherever it arrives.

It is raised as `KeyboardInterrupt`, where Python happens to be. In a callback of the garbage collector or
in a finaliser nothing can be raised: there Python writes a note and goes on, and a search would go on too.
"""

from __future__ import annotations

import signal
import sys
import threading
from typing import Any

#: What stops a command, besides Ctrl-C; a system need not have all of them.
_SIGNALS = ("SIGTERM", "SIGHUP")

#: Until a stop that was dropped comes again: whatever could not raise it is over by then.
_SECONDS = 0.05


def listen() -> None:
    """Let signals stop a command as Ctrl-C does: what we have started ends with us."""
    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    if hasattr(signal, "pthread_kill"):
        sys.unraisablehook = _dropped


def _dropped(what: Any) -> None:
    if what.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(what)
        return
    # A signal, and not an exception: it also ends a call of the system in which the main thread waits.
    again = threading.Timer(_SECONDS, signal.pthread_kill, (threading.main_thread().ident, signal.SIGTERM))
    again.daemon = True
    again.start()
