"""
A command ends with the exit code of its answer: no adapter ends it with one of its own.

`os._exit` asks nobody, prints nothing, and may leave a 0, which means that everything holds. What
native code does to the process cannot be caught here: such a system is better run as `cmd:`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from ..errors import AdapterError


@contextmanager
def present(name: str | None) -> Iterator[None]:
    """While code of the adapter called `name` may run: `os._exit` raises `AdapterError` in this process."""
    leave, here = os._exit, os.getpid()

    def stay(status: int) -> NoReturn:
        if os.getpid() != here:
            # A child that somebody has forked ends like this, and should.
            leave(status)
        raise AdapterError(
            f"adapter {name!r} tried to end the process",
            expected="an answer: Refused(reason), if the system is not there any more",
            got=f"os._exit({status})",
            help="a system that may end is run as a process of its own: cmd:COMMAND",
        )

    os._exit = stay
    try:
        yield
    finally:
        os._exit = leave
