"""Processes that do the work of a command, and end with it, however it ends."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager


@contextmanager
def crew(count: int) -> Iterator[Executor]:
    """So many processes; what ends the command before its time does not wait for what they are at."""
    workers = ProcessPoolExecutor(count, initializer=_leave_signals_to_the_command)
    try:
        yield workers
    except BaseException:
        workers.shutdown(wait=False, cancel_futures=True)
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    workers.shutdown()


def _leave_signals_to_the_command() -> None:
    """Ctrl-C reaches all processes of a terminal, and one of them says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
