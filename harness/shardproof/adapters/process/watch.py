"""
What ends a process of a system under test where we can no longer do it ourselves.

A harness that is killed outright (out of memory, a cancelled job) runs nothing of its own any
more, and a process that hangs would outlive it. So a shell of three words waits beside each: its
stdin is a pipe that only we hold, which the kernel closes with us, and then it ends the group.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress

_SCRIPT = 'cat >/dev/null; kill -s KILL -- "-$1"; rm -rf -- "$2"'


class Watch:
    """Waits for our own end, to end the process group `group` and to remove its `folder`."""

    def __init__(self, group: int, folder: str) -> None:
        self._shell: subprocess.Popen[bytes] | None = None
        # Where there is no shell nobody watches; what ends in the ordinary way is ended all the same.
        with suppress(OSError):
            self._shell = subprocess.Popen(
                ("/bin/sh", "-c", _SCRIPT, "shardproof-watch", str(group), folder),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # What interrupts us must not end it: we may not come to an end ourselves.
                start_new_session=True,
            )

    def dismiss(self) -> None:
        """There is nothing to watch any more. Before the group is collected: its number may come again."""
        if self._shell is None:
            return
        self._shell.kill()
        self._shell.wait()
        if self._shell.stdin is not None:
            self._shell.stdin.close()
