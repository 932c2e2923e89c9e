"""
Files that we write, whole or not at all, and tables that we read; a clear word where that is not possible.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from .errors import UsageError

#: More than any file of settings has: whoever names a device does not wait for its end.
TOML_BYTES_MAX = 4 * 1024 * 1024


def tables(path: Path, cannot: str, expected: str | None = None) -> dict[str, Any]:
    """The TOML in the file at `path`. Raises `UsageError`, which says that it `cannot` be read."""
    try:
        with path.open("rb") as file:
            data = file.read(TOML_BYTES_MAX + 1)
        if len(data) > TOML_BYTES_MAX:
            raise UsageError(cannot, expected=f"at most {TOML_BYTES_MAX >> 20} MiB", got="a longer file")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise UsageError(cannot, expected=expected, got=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        got = f"the byte 0x{data[error.start]:02x} at position {error.start}, which is not UTF-8"
        raise UsageError(cannot, expected=expected, got=got) from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(cannot, expected=expected, got=f"{type(error).__name__}: {error}") from error
    except RecursionError:
        # The chain of frames says nothing.
        raise UsageError(cannot, expected="a handful of levels", got="more") from None


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
