"""
A process of a system under test: started, spoken to line by line, and ended with all that it started.

It leads a process group and a session of its own, so it can be ended with its children, even where
we are ended first (`watch.py`); it works in a folder of its own, empty or with what it was given,
which goes with it. Nothing here waits without a deadline: a process that does not read, does not
answer, floods, or leaves its pipes to others ends in a `SilencedError` that says which.

What it says on stderr is read while it is waited for, and only the end of it is kept.
"""

from __future__ import annotations

import enum
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from .watch import Watch
from .wire import LINE_BYTES_MAX

#: Of stderr, the last bytes that are kept.
STDERR_BYTES = 4096

#: How long a process that was told to end may take for it, in seconds.
GRACE_SECONDS = 0.5

_CHUNK = 1 << 16
_READABLE = select.POLLIN | select.POLLHUP | select.POLLERR


class Silence(enum.Enum):
    """Why there is no answer."""

    LATE = "it did not answer in time"
    DEAF = "it does not read its requests"
    HALF = "it began an answer and did not end the line"
    LONG = "its answer has no end"
    GONE = "it has ended"
    CLOSED = "it has closed its stdout and lives on"
    SHUT = "it has closed its stdin and lives on"


class SilencedError(Exception):
    """There is no answer: why, and what there was of one."""

    def __init__(self, why: Silence, begun: bytes = b"") -> None:
        super().__init__(why.value)
        self.why, self.begun = why, begun


#: Puts into the folder of a process what it shall find there.
Furnish = Callable[[Path], None]


def left_empty(_: Path) -> None:
    """Put nothing there."""


class Child:
    """One process. Raises `OSError` where it cannot be started, and whatever `furnish` raises."""

    def __init__(self, words: Sequence[str], furnish: Furnish = left_empty) -> None:
        folder = tempfile.mkdtemp(prefix="shardproof-process-")
        try:
            furnish(Path(folder))
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd=folder,
                start_new_session=True,
            )
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._in, self._out, self._err = (s.fileno() for s in streams if s is not None)
        for descriptor in (self._in, self._out, self._err):
            os.set_blocking(descriptor, False)
        self._answers = select.poll()
        self._answers.register(self._out, select.POLLIN)
        self._answers.register(self._err, select.POLLIN)
        self._said = b""
        #: Whether its stderr is open.
        self._talks = True
        self._begun = bytearray()
        #: Whatever happens to us: also when nobody asks any more, and when the interpreter ends.
        watch = Watch(self._process.pid, folder)
        self._end = weakref.finalize(self, _end, self._process, watch, folder, os.getpid())

    @property
    def process_id(self) -> int:
        """The number of the process, which is also that of its group."""
        return self._process.pid

    def exchange(self, line: bytes, seconds: float) -> bytes:
        """Send `line`, with its end, and return the next line, without. Raises `SilencedError`."""
        begun, deadline = self._begun, time.monotonic() + seconds
        if not begun and len(line) <= select.PIPE_BUF:
            # As nearly always: it is written at once, and the answer comes in one piece.
            try:
                os.write(self._in, line)
            except BlockingIOError:
                return self._slowly(line, deadline)
            except BrokenPipeError:
                raise self._gone(Silence.SHUT) from None
            ready = self._answers.poll(seconds * 1000)
            if len(ready) == 1 and ready[0][0] == self._out:
                data = os.read(self._out, _CHUNK)
                if data.endswith(b"\n") and data.find(b"\n") == len(data) - 1:
                    return data[:-1]
                if not data:
                    raise self._gone(Silence.CLOSED)
                begun += data
            return self._slowly(b"", deadline)
        return self._slowly(line, deadline)

    def _slowly(self, rest: bytes, deadline: float) -> bytes:
        """The same for a request or an answer in pieces, beside whatever comes on stderr."""
        begun, searched = self._begun, 0
        view = memoryview(rest)
        while True:
            end = begun.find(b"\n", searched)
            # Lines that nobody asked for, while the request is still on its way, have no end either.
            if len(begun) > LINE_BYTES_MAX and (view or not 0 <= end <= LINE_BYTES_MAX):
                raise SilencedError(Silence.LONG, bytes(begun[:_CHUNK]))
            if end >= 0 and not view:
                line = bytes(begun[:end])
                del begun[: end + 1]
                return line
            searched = len(begun) if end < 0 else 0
            left = deadline - time.monotonic()
            if left <= 0:
                why = Silence.DEAF if view else Silence.HALF if begun else Silence.LATE
                raise SilencedError(why, bytes(begun[:_CHUNK]))
            view = self._wait(view, left)

    def _wait(self, view: memoryview, seconds: float) -> memoryview:
        """Whatever can be read or written next; what is then left to write."""
        waiting = self._answers
        if view:
            waiting = select.poll()
            waiting.register(self._out, select.POLLIN)
            waiting.register(self._in, select.POLLOUT)
            if self._talks:
                waiting.register(self._err, select.POLLIN)
        for descriptor, event in waiting.poll(seconds * 1000):
            if descriptor == self._err:
                self._listen()
            elif descriptor == self._out and event & _READABLE:
                data = os.read(self._out, _CHUNK)
                if not data:
                    raise self._gone(Silence.CLOSED)
                self._begun += data
            elif descriptor == self._in:
                try:
                    view = view[os.write(self._in, view[:_CHUNK]) :]
                except BlockingIOError:
                    continue
                except BrokenPipeError:
                    raise self._gone(Silence.SHUT) from None
        return view

    def _listen(self) -> bool:
        """Take what there is on stderr, and keep the end of it; whether there was anything."""
        try:
            data = os.read(self._err, _CHUNK)
        except BlockingIOError:
            return False
        if not data:
            if self._talks:
                self._talks = False
                self._answers.unregister(self._err)
            return False
        self._said = (self._said + data)[-STDERR_BYTES:]
        return True

    def _gone(self, otherwise: Silence) -> SilencedError:
        """Its end of a pipe is closed: it has ended, is about to, or has thrown the pipe away."""
        lives = self.status(GRACE_SECONDS) is None
        return SilencedError(otherwise if lives else Silence.GONE, bytes(self._begun))

    def surplus(self) -> bytes:
        """What it has said beyond its answers, as far as that has come."""
        with suppress(OSError):
            self._begun += os.read(self._out, _CHUNK)
        return bytes(self._begun[:_CHUNK])

    def stderr(self) -> str:
        """The end of what it has said on stderr."""
        for _ in range(2 * _CHUNK // STDERR_BYTES):
            if not self._listen():
                break
        return self._said.decode(errors="replace")

    def status(self, seconds: float = 0) -> str | None:
        """How it has ended, within so many seconds, e.g. "with exit code 1"; `None` while it lives."""
        deadline = time.monotonic() + seconds
        pause = 0.001
        while (code := self._code()) is None:
            if time.monotonic() >= deadline:
                return None
            time.sleep(pause)
            pause = min(2 * pause, 0.02)
        if code >= 0:
            return f"with exit code {code}"
        try:
            return f"by signal {signal.Signals(-code).name}"
        except ValueError:
            return f"by signal {-code}"

    def _code(self) -> int | None:
        if not hasattr(os, "waitid") or self._process.returncode is not None:
            return self._process.poll()
        # Left where it is: until it is collected, its number, and so its group, is nobody else's.
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status

    def end(self, *, kindly: bool) -> None:
        """End it and all of its group; `kindly`, it may first do so itself, because its stdin is closed."""
        if kindly:
            self.dismiss()
        self._end()

    def dismiss(self) -> None:
        """Close its stdin, and give it time to end by itself, with all that it still has to say."""
        if self._end.alive and self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            self.status(GRACE_SECONDS)


def _end(process: subprocess.Popen[bytes], watch: Watch, folder: str, owner: int) -> None:
    """The end of a process, its group and its folder, if it is we who started it."""
    if os.getpid() != owner:
        return
    watch.dismiss()
    # Before it is collected, because then its number may be given to another.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_SECONDS)
    shutil.rmtree(folder, ignore_errors=True)
