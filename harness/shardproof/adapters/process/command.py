"""
The command of a process: words as a shell would split them, without a shell.

A process runs in a folder of its own, so what names a file where the harness was started is made
absolute; everything else is passed on as it stands.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from ...errors import UsageError


def words(command: str, folder: Path) -> tuple[str, ...]:
    """
    The program and its arguments, with the paths among them absolute, seen from `folder`.

    A word is a path if it names a file or folder that exists; of `--flag=path`, what follows the
    sign. Raises `UsageError` if there is no such program.
    """
    try:
        program, *arguments = shlex.split(command)
    except ValueError as error:
        raise UsageError(
            "the command of a process cannot be read",
            expected="--adapter 'cmd:PROGRAM ARGUMENT ...'",
            got=str(error).lower() if command.strip() else "no command",
        ) from error
    return (_program(program, folder), *(_absolute(word, folder) for word in arguments))


def _program(name: str, folder: Path) -> str:
    path = folder / name
    if os.sep in name:
        if not path.is_file():
            raise UsageError("there is no such program", expected="a file that can be executed", got=name)
        if not os.access(path, os.X_OK):
            raise UsageError(
                "the program of a process may not be executed",
                got=name,
                help=f"chmod +x {name}, or name its interpreter first: cmd:python3 {name}",
            )
        return str(path)
    found = shutil.which(name)
    if found is None:
        beside = f"write cmd:./{name} for the file in this folder" if path.is_file() else "is it on the PATH?"
        raise UsageError("there is no such program", got=name, help=beside)
    return os.path.abspath(found)  # noqa: PTH100 - the link itself: programs look at the name they have


def _absolute(word: str, folder: Path) -> str:
    flag, sign, value = word.rpartition("=") if word.startswith("-") else ("", "", word)
    if value in ("", ".", "..") or not (folder / value).exists():
        return word
    return f"{flag}{sign}{folder / value}"
