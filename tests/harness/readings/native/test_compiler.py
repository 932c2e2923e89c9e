"""
Kernels in the cache: never out of date, never half written, never somebody else's.

Each test has a cache of its own and a program of its own, a few lines of C.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shardproof.readings.native import compiler
from shardproof.readings.native.compiler import CompilerError, Library, library

SOURCE = "int answer(void) { return 42; }"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "cache" / "kernels"


def kept(cache: Path, source: str = SOURCE) -> Library:
    """A library that was compiled and put into the cache."""
    made = library(source, cache)
    made.keep()
    return made


def entry(cache: Path) -> Path:
    (path,) = cache.iterdir()
    return path


class TestKeeping:
    def test_what_was_kept_is_not_compiled_again(self, cache: Path) -> None:
        """The second time there is no compiler, and no need of one but for its name."""
        assert kept(cache).fresh

        again = library(SOURCE, cache)

        assert not again.fresh
        assert again.functions.answer() == 42

    def test_what_was_not_checked_is_not_kept(self, cache: Path) -> None:
        """Whoever had it made says when it may be believed."""
        assert library(SOURCE, cache).fresh
        assert library(SOURCE, cache).fresh

    def test_another_source_is_another_entry(self, cache: Path) -> None:
        """One letter is enough."""
        kept(cache)

        other = library(SOURCE.replace("42", "43"), cache)

        assert (other.fresh, other.functions.answer()) == (True, 43)

    def test_another_processor_is_another_entry(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A home folder is shared between machines, and one of them may lack an instruction."""
        kept(cache)
        monkeypatch.setattr(compiler, "_processor", lambda: "another")

        assert library(SOURCE, cache).fresh

    def test_nobody_else_can_write_it(self, cache: Path) -> None:
        """What is in the cache is run."""
        old = os.umask(0)
        try:
            kept(cache)
        finally:
            os.umask(old)

        assert [stat.S_IMODE(p.stat().st_mode) & 0o022 for p in (cache, entry(cache))] == [0, 0]


class TestDamage:
    @pytest.mark.parametrize("size", [0, 10, 100, -1])
    def test_a_truncated_entry_is_made_anew(self, cache: Path, size: int) -> None:
        """A machine that lost power, a disk that was full."""
        kept(cache)
        path = entry(cache)
        path.write_bytes(path.read_bytes()[:size])

        again = library(SOURCE, cache)

        assert (again.fresh, again.functions.answer()) == (True, 42)

    def test_a_changed_entry_is_made_anew(self, cache: Path) -> None:
        """One bit in the middle, and the length is right."""
        kept(cache)
        content = bytearray(entry(cache).read_bytes())
        content[len(content) // 2] ^= 1
        entry(cache).write_bytes(content)

        assert kept(cache).fresh
        assert not library(SOURCE, cache).fresh

    def test_an_entry_under_another_name_is_made_anew(self, cache: Path) -> None:
        """It is a good library, and does something else."""
        kept(cache, SOURCE.replace("42", "43"))
        other = entry(cache)
        kept(cache)
        (path,) = set(cache.iterdir()) - {other}
        path.write_bytes(other.read_bytes())

        again = library(SOURCE, cache)

        assert (again.fresh, again.functions.answer()) == (True, 42)

    def test_an_entry_that_others_can_write_is_not_believed(self, cache: Path) -> None:
        """Nor anything in a folder that they can."""
        kept(cache)

        entry(cache).chmod(0o666)
        by_file = library(SOURCE, cache).fresh
        entry(cache).chmod(0o600)
        cache.chmod(0o777)
        by_folder = library(SOURCE, cache).fresh

        assert (by_file, by_folder) == (True, True)

    @pytest.mark.parametrize("blocked", ["a file in its place", "no folder can be made"])
    def test_a_cache_that_cannot_be_written_is_done_without(self, tmp_path: Path, blocked: str) -> None:
        """Every run compiles, and works."""
        (tmp_path / "file").write_text("")
        folder = tmp_path / "file" if blocked == "a file in its place" else tmp_path / "file" / "kernels"

        made = kept(folder)

        assert (made.fresh, made.functions.answer()) == (True, 42)
        assert library(SOURCE, folder).fresh

    def test_nothing_is_left_behind(
        self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither in the cache nor where it was compiled."""
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        kept(cache)
        library(SOURCE, cache)

        assert [p.name for p in tmp_path.iterdir()] == ["cache"]
        assert len(list(cache.iterdir())) == 1


class TestTwoProcesses:
    def test_both_use_what_either_has_kept(self, cache: Path) -> None:
        """Eight of them at once; each gets a library that works, and one entry stays."""
        code = (
            "import sys, pathlib\n"
            "from shardproof.readings.native.compiler import library\n"
            "for _ in range(5):\n"
            f"    made = library({SOURCE!r}, pathlib.Path(sys.argv[1]))\n"
            "    assert made.functions.answer() == 42\n"
            "    made.keep()\n"
        )
        path = os.pathsep.join(p for p in sys.path if p)

        started = [
            subprocess.Popen([sys.executable, "-c", code, str(cache)], env={**os.environ, "PYTHONPATH": path})
            for _ in range(8)
        ]

        assert [p.wait(timeout=120) for p in started] == [0] * 8
        assert not library(SOURCE, cache).fresh
        assert len(list(cache.iterdir())) == 1


class TestKilled:
    @pytest.mark.parametrize("after_s", [0.3, 0.4, 0.5])
    def test_a_process_that_is_killed_leaves_a_cache_that_works(self, cache: Path, after_s: float) -> None:
        """In the middle of compiling, of writing, or in between: it does nothing else."""
        code = (
            "import sys, pathlib\n"
            "from shardproof.readings.native.compiler import library\n"
            "cache = pathlib.Path(sys.argv[1])\n"
            "while True:\n"
            f"    library({SOURCE!r}, cache).keep()\n"
            "    for entry in cache.iterdir():\n"
            "        if entry.is_file():\n"
            "            entry.unlink()\n"
        )
        path = os.pathsep.join(p for p in sys.path if p)
        endless = subprocess.Popen(
            [sys.executable, "-c", code, str(cache)], env={**os.environ, "PYTHONPATH": path}
        )
        with pytest.raises(subprocess.TimeoutExpired):
            endless.wait(timeout=after_s)
        endless.kill()
        endless.wait()

        assert kept(cache).functions.answer() == 42
        assert not library(SOURCE, cache).fresh


class TestNoCompiler:
    def test_a_compiler_that_is_not_there_is_named(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As it was asked for."""
        monkeypatch.setenv("CC", "no-such-compiler")

        with pytest.raises(CompilerError, match="no C compiler was found: there is no no-such-compiler"):
            library(SOURCE, cache)

    def test_what_a_compiler_says_is_shown(self, cache: Path) -> None:
        """It is the only one who knows."""
        with pytest.raises(CompilerError, match=r"failed\n  got       exit code 1\n  said .*\n.*error"):
            library("int answer(void) { return missing; }", cache)

    @pytest.mark.parametrize("body", ["exit 0", "exit 7", 'echo nonsense > "$9"; exit 0'])
    def test_a_compiler_that_makes_nothing_is_an_error(
        self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
    ) -> None:
        """Whatever its exit code says, and also if there is a file that is no library."""
        broken = tmp_path / "broken-cc"
        broken.write_text(f"#!/bin/sh\nfor last; do :; done\n{body.replace('$9', '$last')}\n")
        broken.chmod(0o700)
        monkeypatch.setenv("CC", str(broken))

        with pytest.raises(CompilerError, match="C compiler"):
            library(SOURCE, cache)

    def test_a_compiler_that_hangs_is_ended(
        self, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """After a time that no program needs."""
        slow = tmp_path / "slow-cc"
        slow.write_text("#!/bin/sh\nexec sleep 60\n")
        slow.chmod(0o700)
        monkeypatch.setenv("CC", str(slow))
        monkeypatch.setattr(compiler, "COMPILE_TIMEOUT_S", 0.2)

        with pytest.raises(CompilerError, match="did not finish"):
            library(SOURCE, cache)
