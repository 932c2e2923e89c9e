from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
COMMAND = f"{sys.executable} -c 'from shardproof.cli import main; main()'"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """What a shell makes of a line, in which `shardproof` is the command."""
    path = ":".join(str(TOP / root) for root in ("harness", "models", "properties"))
    return subprocess.run(
        ["bash", "-c", line.replace("shardproof", COMMAND)],
        env={"PYTHONPATH": path, "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
class TestFull:
    def test_stdout_is_an_error_that_says_so_once(self) -> None:
        """
        Whoever does not get the result is told, also with --json, and not by Python at its end.
        """
        done = shell("shardproof list layers --json > /dev/full")

        assert (done.returncode, done.stderr.splitlines()) == (
            2,
            [
                "error: the result cannot be written to stdout",
                "  got       No space left on device",
                "  help      make room, or send it elsewhere; what was found is in its file all the same",
            ],
        )

    def test_stderr_changes_no_exit_code(self) -> None:
        """
        What cannot be said is lost, and no more.
        """
        assert shell("shardproof fzz 2> /dev/full").returncode == 2


class TestClosed:
    @pytest.mark.parametrize(
        "line, status",
        [
            ("shardproof --version >&-", 0),
            ("shardproof fzz 2>&-", 2),
            ("shardproof fzz <&- >&- 2>&-", 2),
            ("shardproof --version <&-", 0),
        ],
    )
    def test_streams_change_no_exit_code(self, line: str, status: int) -> None:
        """
        A command that nobody listens to does what it was asked for.
        """
        done = shell(line)

        assert (done.returncode, done.stderr if status == 0 else "") == (status, "")

    def test_a_reader_that_has_left_changes_no_exit_code(self) -> None:
        """
        The verdict is reached before it is told.
        """
        done = shell("shardproof --help | true; echo ${PIPESTATUS[0]}")

        assert (done.stdout, done.stderr) == ("0\n", "")
