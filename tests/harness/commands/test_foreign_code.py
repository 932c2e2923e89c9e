"""What an adapter may do to the process that it is in, and what becomes of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from shardproof.commands.presence import present
from shardproof.commands.silence import silent
from shardproof.errors import AdapterError


def in_a_thread() -> None:
    """Prints where no error of ours would be seen."""
    thread = threading.Thread(target=print, args=("DEBUG",))
    thread.start()
    thread.join()


class TestSilence:
    @pytest.mark.parametrize(
        "prints",
        [
            lambda: print("DEBUG"),
            lambda: os.write(1, b"DEBUG\n"),
            lambda: subprocess.run([sys.executable, "-c", "print('DEBUG')"], check=True),
            in_a_thread,
        ],
        ids=["Python", "descriptor", "child", "thread"],
    )
    def test_whatever_reaches_stdout_is_heard(
        self, prints: Callable[[], object], capfd: pytest.CaptureFixture[str]
    ) -> None:
        """
        Also what goes past Python; and nothing of it comes out, where a program reads the result.
        """
        with pytest.raises(AdapterError, match="printed to stdout") as heard, silent("mine:Prints"):
            prints()
        print("result")

        assert ("got", "DEBUG") in heard.value.facts
        assert capfd.readouterr() == ("result\n", "")

    def test_a_stdout_that_was_closed_is_given_back(self, capfd: pytest.CaptureFixture[str]) -> None:
        """
        The result is told on the descriptor that there was before.
        """
        with silent("mine:Closes"):
            os.close(1)
        os.write(1, b"result\n")

        assert capfd.readouterr().out == "result\n"


class TestPresence:
    def test_the_process_is_not_ended_by_an_adapter(self) -> None:
        """
        `os._exit(0)` would say that everything holds; here 9, so that pytest does not pass by it.
        """
        with pytest.raises(AdapterError, match="tried to end the process"), present("mine:Leaves"):
            os._exit(9)

    def test_a_child_ends_as_it_likes(self) -> None:
        """
        Whoever has forked is another process, and for that it is the right way to end.
        """
        with present("mine:Forks"):
            child = os.fork()
            if child == 0:
                os._exit(7)
            _, status = os.waitpid(child, 0)

        assert os.waitstatus_to_exitcode(status) == 7
