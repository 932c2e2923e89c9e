"""
The system's C compiler, and a cache of what it has made.

An entry's name is a digest of the source, the flags, the compiler and the processor, so nothing is ever
out of date. An entry is the library and, behind it, a digest of it, written in one step: whoever
reads one that was cut short or changed sees that, and makes it anew. An entry is kept only after
whoever had it made has checked it: see `Library.keep`.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from attrs import field, frozen

from ...errors import ShardproofError
from ...parts import cache_folder

FLAGS: Final = ("-march=native", "-fno-strict-aliasing", "-shared", "-fPIC", "-w", "-pthread")

#: Of a program that is longer than this, a second level of optimisation takes longer than it saves.
LONG: Final = 60_000

#: The largest stack takes a few seconds; a compiler that takes longer than this hangs.
COMPILE_TIMEOUT_S: Final = 300.0

_DIGEST_BYTES: Final = hashlib.sha256().digest_size


class CompilerError(ShardproofError):
    """There is no compiler, or it made nothing that can be used: Python has to do."""


@frozen(eq=False)
class Library:
    """A compiled program, loaded."""

    functions: ctypes.CDLL = field(repr=False)
    #: Whether it was compiled just now, and not taken from the cache.
    fresh: bool
    _bytes: bytes = field(repr=False)
    _entry: Path = field(repr=False)

    def keep(self) -> None:
        """Put what was compiled into the cache; a cache that cannot be written is done without."""
        if not self.fresh:
            return
        try:
            folder = _private(self._entry.parent)
            # Inside the cache, because a move is one step only within one file system.
            with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as made:
                new = Path(made) / self._entry.name
                new.touch(mode=0o600)
                new.write_bytes(self._bytes + _seal(self._entry.name, self._bytes))
                new.replace(self._entry)
        except OSError:
            return


def library(source: str, cache: Path | None = None) -> Library:
    """The library that `source` compiles to, from the cache if it has it. Raises `CompilerError`."""
    if (found := cached(source, cache)) is not None:
        return found
    compiler = _compiler()
    with _folder() as folder:
        path = folder / "kernel.so"
        _compile(compiler, source, path)
        return Library(_loaded(path), True, path.read_bytes(), _entry(compiler, source, cache))


def cached(source: str, cache: Path | None = None) -> Library | None:
    """The library that `source` compiles to, if the cache has it. Raises `CompilerError`."""
    entry = _entry(_compiler(), source, cache)
    if (content := _kept(entry)) is None:
        return None
    # It is loaded from a file of its own: the entry may be replaced at any time.
    with _folder() as folder:
        path = folder / "kernel.so"
        path.write_bytes(content)
        return Library(_loaded(path), False, content, entry)


def tried() -> str:
    """The compiler that is there, after it has made a library that can be loaded. Raises `CompilerError`."""
    compiler = _compiler()
    with _folder() as folder:
        path = folder / "tried.so"
        _compile(compiler, "int tried;", path)
        _loaded(path)
    return compiler


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for a moment: a library that is loaded needs its file no longer."""
    try:
        with tempfile.TemporaryDirectory(prefix="shardproof-") as folder:
            yield Path(folder)
    except OSError as error:
        raise CompilerError("there is no room to compile in", got=str(error), help="set TMPDIR") from error


def _loaded(path: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        raise CompilerError(
            "what the C compiler made cannot be loaded", got=str(error), help="is TMPDIR mounted noexec?"
        ) from error


def _entry(compiler: str, source: str, cache: Path | None) -> Path:
    said = "\0".join((source, *_flags(source), *_version(compiler), _processor()))
    folder = cache_folder() / "kernels" if cache is None else cache
    return folder / hashlib.sha256(said.encode()).hexdigest()[:40]


def _flags(source: str) -> tuple[str, ...]:
    return ("-O1" if len(source) > LONG else "-O2", *FLAGS)


def _compiler() -> str:
    if os.name != "posix":
        raise CompilerError("the compiled search needs a POSIX system", got=os.name)
    named = os.environ.get("CC") or "cc"
    found = shutil.which(named)
    if found is None:
        raise CompilerError(f"no C compiler was found: there is no {named}")
    return str(Path(found).resolve())


@cache
def _version(compiler: str) -> tuple[str, ...]:
    stat = Path(compiler).stat()
    return compiler, str(stat.st_size), str(stat.st_mtime_ns)


@cache
def _processor() -> str:
    """What `-march=native` depends on: a home folder may be shared between machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told = {line.partition(":")[0].strip(): line for line in lines}
    return "\n".join(
        (
            platform.system(),
            platform.machine(),
            *(told.get(k, "") for k in ("model name", "flags", "Features")),
        )
    )


def _compile(compiler: str, source: str, target: Path) -> None:
    code = target.with_suffix(".c")
    code.write_text(source, encoding="utf-8")
    try:
        done = subprocess.run(
            [compiler, *_flags(source), str(code), "-o", str(target)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMPILE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilerError(f"the C compiler {compiler} did not finish", got=str(error)) from error
    if done.returncode or not target.exists():
        raise CompilerError(
            f"the C compiler {compiler} failed",
            got=f"exit code {done.returncode}",
            said=done.stderr.decode(errors="replace")[-1_000:].strip() or None,
        )


def _private(folder: Path) -> Path:
    """A folder that nobody else can write: what is in it will be run. Raises `OSError`."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _is_private(folder):
        raise PermissionError(f"others can write {folder}")
    return folder


def _is_private(path: Path) -> bool:
    stat = path.stat()
    return stat.st_uid == os.getuid() and not stat.st_mode & 0o022


def _seal(name: str, content: bytes) -> bytes:
    return hashlib.sha256(name.encode() + content).digest()


def _kept(entry: Path) -> bytes | None:
    """The library in `entry`, if it is there and as it was written."""
    try:
        if not _is_private(entry.parent) or not _is_private(entry):
            return None
        content = entry.read_bytes()
    except OSError:
        return None
    kept, seal = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    return kept if seal == _seal(entry.name, kept) else None
