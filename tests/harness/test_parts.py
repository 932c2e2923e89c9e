from __future__ import annotations

import base64
import hashlib
import io
import re
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from attrs import evolve

from shardproof import parts
from shardproof.errors import MissingPartError
from shardproof.parts import FETCH_COMMAND, PARTS, Part, State, Status

CONTENT = b"const _abi = [];"


def archive(*members: tuple[str, bytes | str]) -> bytes:
    """A package; a member whose content is text is a symbolic link to it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                packed.addfile(info)
            else:
                info.size = len(content)
                packed.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def integrity(data: bytes) -> str:
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


PACKAGE = archive(("package/other.js", b"other"), ("package/dist/mailbox.js", CONTENT))
PART = Part(
    name="toy",
    ecosystem="npm",
    package="@toys/Ledger",
    version="1.2.3",
    integrity=integrity(PACKAGE),
    needed_by="adapter toy",
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache; the archive of the toy part goes here."""
    monkeypatch.setenv("SHARDPROOF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "parts" / "npm-toys-ledger-1.2.3.tgz"


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeNpm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return FakeNpm(folder)


class FakeNpm:
    """The only `npm` on the path: a few lines that notes how it was called, and does as told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def does(self, body: str) -> None:
        script = self._folder / "npm"
        script.write_text(
            f"#!{sys.executable}\nimport pathlib, sys, time\n"
            f"calls = open({str(self._folder / 'calls')!r}, 'a')\n"
            f"print(*sys.argv[1:4], file=calls, flush=True)\n{body}\n"
        )
        script.chmod(0o755)

    def serves(self, data: bytes) -> None:
        self.does(f"pathlib.Path('toys-ledger-1.2.3.tgz').write_bytes({data!r})")

    def calls(self) -> list[str]:
        log = self._folder / "calls"
        return log.read_text().splitlines() if log.exists() else []


def left_behind(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.parent.iterdir())


class TestFetch:
    def test_stores_what_has_the_right_digest(self, npm: FakeNpm, cache: Path) -> None:
        """
        The client is asked for exactly one package at one version, and runs nothing out of it.
        """
        npm.serves(PACKAGE)

        path = parts.fetch(PART)

        assert (path, path.read_bytes()) == (cache, PACKAGE)
        assert npm.calls() == ["pack @toys/Ledger@1.2.3 --ignore-scripts"]
        assert left_behind(cache) == [cache.name]

    def test_asks_nobody_for_what_is_there(self, npm: FakeNpm) -> None:
        """
        A part that is present and whole is not fetched again.
        """
        npm.serves(PACKAGE)
        parts.fetch(PART)

        parts.fetch(PART)

        assert len(npm.calls()) == 1

    def test_keeps_nothing_whose_digest_differs(self, npm: FakeNpm, cache: Path) -> None:
        """
        A registry that serves other bytes is caught by our own check, and its bytes are not stored.
        """
        npm.serves(PACKAGE + b"x")

        with pytest.raises(MissingPartError, match="its digest differs") as caught:
            parts.fetch(PART)

        assert dict(caught.value.facts)["expected"] == PART.integrity
        assert dict(caught.value.facts)["got"] == integrity(PACKAGE + b"x")
        assert left_behind(cache) == []

    def test_says_that_npm_is_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without npm, the message says how to get it, and how to do without.
        """
        monkeypatch.setenv("PATH", str(tmp_path))

        with pytest.raises(MissingPartError, match=r"npm is needed to fetch @toys/Ledger@1\.2\.3") as caught:
            parts.fetch(PART)

        assert "npm pack @toys/Ledger@1.2.3" in dict(caught.value.facts)["help"]

    def test_tells_no_network_from_other_failures(self, npm: FakeNpm) -> None:
        """
        What npm says about the network becomes one sentence; anything else is shown as it is.
        """
        npm.does("sys.exit('npm error code ENOTFOUND\\nnpm error getaddrinfo ENOTFOUND registry')")
        with pytest.raises(MissingPartError, match="npm cannot reach its registry"):
            parts.fetch(PART)

        npm.does("sys.exit('npm error code E404')")
        with pytest.raises(MissingPartError, match="npm did not fetch") as caught:
            parts.fetch(PART)

        assert dict(caught.value.facts)["said"] == "npm error code E404"

    def test_does_not_wait_for_ever(self, npm: FakeNpm, cache: Path) -> None:
        """
        A registry that never answers is given up, and the message says so.
        """
        npm.does("time.sleep(60)")

        with pytest.raises(MissingPartError, match=r"did not fetch @toys/Ledger@1\.2\.3 within 0\.5 s"):
            parts.fetch(PART, timeout_s=0.5)

        assert left_behind(cache) == []

    def test_repairs_a_truncated_copy(self, npm: FakeNpm, cache: Path) -> None:
        """
        A damaged copy is replaced, not trusted and not in the way.
        """
        npm.serves(PACKAGE)
        cache.parent.mkdir(parents=True)
        cache.write_bytes(PACKAGE[:-10])

        parts.fetch(PART)

        assert cache.read_bytes() == PACKAGE

    def test_may_run_several_times_at_once(self, npm: FakeNpm, cache: Path) -> None:
        """
        Whoever fetches at the same time gets a whole archive, and no half of one is ever in place.
        """
        npm.does(
            f"time.sleep(0.2)\nwith open('x.tgz', 'wb') as f: f.write({PACKAGE[:50]!r}); f.flush(); "
            f"time.sleep(0.2); f.write({PACKAGE[50:]!r})"
        )

        with ThreadPoolExecutor(4) as pool:
            paths = list(pool.map(lambda _: parts.fetch(PART), range(4)))

        assert [path.read_bytes() for path in paths] == [PACKAGE] * 4
        assert left_behind(cache) == [cache.name]

    def test_says_that_the_cache_cannot_be_written(
        self, npm: FakeNpm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A cache that is no folder is the user's to mend, and the message names the setting.
        """
        npm.serves(PACKAGE)
        (tmp_path / "file").touch()
        monkeypatch.setenv("SHARDPROOF_CACHE", str(tmp_path / "file"))

        with pytest.raises(MissingPartError, match="cache cannot be written") as caught:
            parts.fetch(PART)

        assert "SHARDPROOF_CACHE" in dict(caught.value.facts)["help"]


class TestLocated:
    def test_names_the_one_command_that_gets_a_missing_part(self) -> None:
        """
        A part that was never fetched is missing, and the message says what to run.
        """
        with pytest.raises(MissingPartError, match="is not on this machine") as caught:
            parts.located(PART)

        assert dict(caught.value.facts)["help"] == f"run: {FETCH_COMMAND}"

    @pytest.mark.parametrize(
        "stored", [b"", PACKAGE[:-1], PACKAGE + b"\0", archive(("package/evil.js", b"x"))]
    )
    def test_refuses_a_copy_that_is_truncated_or_foreign(self, cache: Path, stored: bytes) -> None:
        """
        Whatever is in the place of the archive is not used unless it is the archive.
        """
        cache.parent.mkdir(parents=True)
        cache.write_bytes(stored)

        with pytest.raises(MissingPartError, match="is damaged"):
            parts.located(PART)

    def test_notices_a_copy_that_changed_after_it_was_checked(self, cache: Path) -> None:
        """
        The digest is taken once per process only as long as the file stays the same.
        """
        cache.parent.mkdir(parents=True)
        cache.write_bytes(PACKAGE)
        parts.located(PART)

        cache.write_bytes(PACKAGE + b"x")

        with pytest.raises(MissingPartError, match="is damaged"):
            parts.located(PART)

    def test_compares_with_the_digest_of_the_part_asked_for(self, cache: Path) -> None:
        """
        A check that succeeded for one digest is no check of another.
        """
        cache.parent.mkdir(parents=True)
        cache.write_bytes(PACKAGE)
        parts.located(PART)

        with pytest.raises(MissingPartError, match="is damaged"):
            parts.located(evolve(PART, integrity=integrity(b"")))


class TestRead:
    def test_returns_the_files_asked_for(self, cache: Path) -> None:
        """
        Files are named without the folder that a package is packed in.
        """
        cache.parent.mkdir(parents=True)
        cache.write_bytes(PACKAGE)

        assert parts.read(PART, ["dist/mailbox.js"]) == {"dist/mailbox.js": CONTENT}

    def test_says_which_file_a_package_lacks(self, cache: Path) -> None:
        """
        A file that is not there is an error, and so is a link in its place.
        """
        data = archive(("package/link.js", "/etc/passwd"))
        cache.parent.mkdir(parents=True)
        cache.write_bytes(data)

        with pytest.raises(MissingPartError, match="does not contain what adapter toy needs") as caught:
            parts.read(evolve(PART, integrity=integrity(data)), ["link.js"])

        assert dict(caught.value.facts)["got"] == "no link.js"

    def test_says_that_a_package_is_no_archive(self, cache: Path) -> None:
        """
        A digest may be right, and of something that cannot be read.
        """
        cache.parent.mkdir(parents=True)
        cache.write_bytes(b"not an archive")

        with pytest.raises(MissingPartError, match="cannot be read"):
            parts.read(evolve(PART, integrity=integrity(b"not an archive")), ["a"])


class TestUnpack:
    def test_writes_files_below_a_folder(self, cache: Path, tmp_path: Path) -> None:
        """
        Files of the kinds asked for, without the folder that a package is packed in, and no links.
        """
        data = archive(
            ("package/main.js", b"main"),
            ("package/a/b/c.json", b"{}"),
            ("package/readme.md", b"read"),
            ("package/link.js", "/etc/passwd"),
        )
        cache.parent.mkdir(parents=True)
        cache.write_bytes(data)

        parts.unpack(evolve(PART, integrity=integrity(data)), tmp_path / "to", (".js", ".json"))

        assert contents(tmp_path / "to") == {"main.js": b"main", "a/b/c.json": b"{}"}

    def test_writes_nothing_elsewhere(self, cache: Path, tmp_path: Path) -> None:
        """
        Names that lead out of the folder are left out, whatever their digest says.
        """
        outside = tmp_path / "outside.js"
        data = archive(("package/../outside.js", b"1"), (f"package/{outside}", b"2"), ("package/in.js", b"3"))
        cache.parent.mkdir(parents=True)
        cache.write_bytes(data)

        parts.unpack(evolve(PART, integrity=integrity(data)), tmp_path / "to", (".js",))

        assert not outside.exists()
        assert contents(tmp_path / "to") == {"in.js": b"3"}

    def test_takes_only_what_was_checked(self, cache: Path, tmp_path: Path) -> None:
        """
        What has another digest is not unpacked, and what is no archive cannot be.
        """
        cache.parent.mkdir(parents=True)
        cache.write_bytes(PACKAGE + b"x")

        with pytest.raises(MissingPartError, match="damaged"):
            parts.unpack(PART, tmp_path / "to", (".js",))
        cache.write_bytes(b"not an archive")
        with pytest.raises(MissingPartError, match="cannot be unpacked"):
            parts.unpack(evolve(PART, integrity=integrity(b"not an archive")), tmp_path / "to", (".js",))

        assert not (tmp_path / "to").exists()


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


class TestStatus:
    def test_tells_present_missing_and_damaged_apart(
        self, cache: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Each part has one line, and a command exactly where there is something to do.
        """
        monkeypatch.setattr(parts, "PARTS", {"toy": PART})
        missing = parts.status()
        cache.parent.mkdir(parents=True)
        cache.write_bytes(PACKAGE)
        present = parts.status()
        cache.write_bytes(b"")
        damaged = parts.status()

        assert missing == [Status(PART, State.MISSING, cache, FETCH_COMMAND)]
        assert present == [Status(PART, State.PRESENT, cache, "")]
        assert damaged == [Status(PART, State.DAMAGED, cache, FETCH_COMMAND)]


class TestCacheFolder:
    def test_is_what_the_user_chose_then_what_the_desktop_chose(self) -> None:
        """
        Our own setting comes before the common one, and that before the custom; an empty one is none.
        """
        home = Path.home() / ".cache" / "shardproof"

        assert parts.cache_folder({"SHARDPROOF_CACHE": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
        assert parts.cache_folder({"SHARDPROOF_CACHE": "", "XDG_CACHE_HOME": "/b"}) == Path("/b/shardproof")
        assert parts.cache_folder({}) == home


@pytest.mark.parametrize("part", PARTS.values(), ids=lambda part: part.name)
def test_every_part_is_pinned(part: Part) -> None:
    """
    A part has an exact version and a whole SHA-512 digest.
    """
    kind, _, digest = part.integrity.partition("-")

    assert re.fullmatch(r"\d+(\.\d+)+(-[a-z]+\.\d+)?", part.version)
    assert (kind, len(base64.b64decode(digest, validate=True))) == ("sha512", 64)
