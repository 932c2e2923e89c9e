"""Files that we write: whole or not at all, and with a clear word where that is not possible."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import UsageError


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
