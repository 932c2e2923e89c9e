"""
The standard streams as a command may find them: closed, full, or with nobody who reads.

A verdict is reached before it is told. So what cannot be written to stderr is lost and no more; whoever
stops reading stdout has seen enough; and a stdout that is full is an error that says so, once.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, TextIO

from .errors import UsageError

#: The descriptors of stdin, stdout and stderr.
STDIN, STDOUT, STDERR = range(3)


class UnwritableError(UsageError):
    """stdout takes no more, and not because nobody reads it."""


class _Descriptor(io.RawIOBase):
    """A descriptor that is written to as long as it takes anything."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._takes = True

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        if not self._takes:
            return len(data)
        try:
            return os.write(self._descriptor, data)
        except OSError as error:
            self._takes = False
            if self._descriptor == STDOUT and error.errno != errno.EPIPE:
                raise UnwritableError(
                    "the result cannot be written to stdout",
                    got=error.strerror,
                    help="make room, or send it elsewhere; what was found is in its file all the same",
                ) from error
            return len(data)


class _Stream(io.TextIOWrapper):
    """Text for a descriptor; whoever closes it has no say in whether the rest is told."""

    def close(self) -> None:
        self.flush()


def _stream(descriptor: int, found: TextIO | None) -> TextIO:
    """A stream that takes the place of the one that Python has made."""
    raw = _Descriptor(descriptor)
    return _Stream(
        io.BufferedWriter(raw),
        encoding="utf-8" if found is None else found.encoding,
        # A character that a terminal cannot show must not end a run that took an hour.
        errors="backslashreplace",
        line_buffering=descriptor == STDERR or raw.isatty(),
    )


def prepare() -> None:
    """Make sure that there are three streams, and that writing to them ends no command before its time."""
    for descriptor in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(descriptor)
        except OSError:
            # Else the next file that is opened would get this number, and what is written there.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(STDIN, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays open
    # Whoever has put something else in their place listens to us, and is not a terminal, a file or a pipe.
    if sys.stdout is sys.__stdout__:
        sys.stdout = _stream(STDOUT, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _stream(STDERR, sys.stderr)
