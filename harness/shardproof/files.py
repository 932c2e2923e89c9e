"""Files that we write: whole or not at all, and with a clear word where that is not possible."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from .errors import UsageError


def clear(folder: Path, names: Collection[str]) -> None:
    """Make `folder`, see that one can write there, and remove files of these names. Raises `UsageError`."""
    for name in names:
        # Written first: where that is not possible, nothing is taken away.
        write(folder / name, b"")
        (folder / name).unlink(missing_ok=True)


def append(path: Path, data: bytes) -> None:
    """Add `data` to the end of the file at `path`, which others write to as well. Raises `UsageError`."""
    try:
        with path.open("ab") as file:
            file.write(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written", got=error.strerror or str(error)) from error


def write(path: Path, data: bytes) -> None:
    """Put `data` at `path`, and make the folders that lead there. Raises `UsageError`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written",
            got=error.strerror or str(error),
            help="choose a folder that can be written: --out FOLDER",
        ) from error
