"""
Third-party parts: packages that an adapter runs and that are never committed.

Each part is one package at one version with one digest. Its ecosystem's own client
fetches it, into the user's cache, and only when asked: `shardproof doctor --fetch`. The
package is kept as it was published, and its files are read out of it. So there is one
thing to check, the digest, and no unpacked copy that somebody could have changed: where a
program needs files, it gets a copy of its own, which ends with it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Collection, Mapping
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Final

from attrs import field, frozen

from .errors import MissingPartError

FETCH_COMMAND: Final = "shardproof doctor --fetch"

#: A slow line needs half a minute for the largest part; longer than this and nobody is answering.
FETCH_TIMEOUT_S: Final = 180.0

#: Larger than any file we read. An archive may claim to hold more than a machine does.
MEMBER_BYTES_MAX: Final = 64 * 1024 * 1024


@frozen
class Part:
    """One package of another ecosystem, at one version, with the digest that its registry publishes."""

    name: str
    ecosystem: str
    package: str
    version: str
    #: `sha512-` and the digest in base 64, as npm writes it in lock files.
    integrity: str = field(repr=False)
    needed_by: str

    @property
    def filename(self) -> str:
        """Its name in the cache, which differs for each package and version."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.package.lower()).strip("-")
        return f"{self.ecosystem}-{plain}-{self.version}.tgz"


PARTS: Final[Mapping[str, Part]] = {
    part.name: part
    for part in (
        Part(
            name="hyperlane-core",
            ecosystem="npm",
            package="@hyperlane-xyz/core",
            version="9.0.9",
            integrity="sha512-FM6oeOGjN54NO0pIKDmbpgn/Cg/BwEOFHcGqKBA4Wldhy46KcV2e6aq5SRvlOAkmC6gNA5htzpTsM4dZ1fSwvA==",
            needed_by="adapter hyperlane",
        ),
        Part(
            name="anvil",
            ecosystem="npm",
            package="@foundry-rs/anvil-linux-amd64",
            version="1.7.1",
            integrity="sha512-+XmShybEaxfCrr0OUUZwYEy2OnYZt5pHH9TzBtLv3+VrK0O/ANuNSVEahqNhKHlgX7GRJ59383ofNhxkRWIYTg==",
            needed_by="adapters whose name ends in :anvil",
        ),
        Part(
            name="axelar-gateway",
            ecosystem="npm",
            package="@axelar-network/axelar-cgp-solidity",
            version="6.4.0",
            integrity="sha512-Xnw5xi234B1cmTCzgudV8zq+DDjJ1d1U362CM0vKH1FWmZprKIdqgmOYkiRyu+QiVhnznKiBURiSEHVrNjtYpw==",
            needed_by="adapter axelar",
        ),
        Part(
            name="nxtp",
            ecosystem="npm",
            package="@connext/nxtp-contracts",
            version="0.1.42",
            integrity="sha512-BJKHlAoisPh5i/els3jtCXSZQAL2p+KCuoyu0pDHwRpxGooD264r1RlCwN17eJLJp2VJ1fumSmg8MPVQNl4lMg==",
            needed_by="adapter nxtp",
        ),
        Part(
            name="solc",
            ecosystem="npm",
            package="solc",
            version="0.8.30",
            integrity="sha512-9Srk/gndtBmoUbg4CE6ypAzPQlElv8ntbnl6SigUBAzgXKn35v87sj04uZeoZWjtDkdzT0qKFcIo/wl63UMxdw==",
            needed_by="adapter openzeppelin",
        ),
        Part(
            name="openzeppelin-4.9.1",
            ecosystem="npm",
            package="@openzeppelin/contracts",
            version="4.9.1",
            integrity="sha512-aLDTLu/If1qYIFW5g4ZibuQaUsFGWQPBq1mZKp/txaebUnGHDmmiBhRLY1tDNedN0m+fJtKZ1zAODS9Yk+V6uA==",
            needed_by="adapter openzeppelin:4.9.1",
        ),
        Part(
            name="openzeppelin-4.9.2",
            ecosystem="npm",
            package="@openzeppelin/contracts",
            version="4.9.2",
            integrity="sha512-mO+y6JaqXjWeMh9glYVzVu8HYPGknAAnWyxTRhGeckOruyXQMNnlcW6w/Dx9ftLeIQk6N+ZJFuVmTwF7lEIFrg==",
            needed_by="adapter openzeppelin:4.9.2",
        ),
        Part(
            name="sarif-schema",
            ecosystem="npm",
            package="@microsoft/jest-sarif",
            version="1.0.0-beta.0",
            integrity="sha512-A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIEcBbjpVnSmwWGBukASkiQ9A==",
            needed_by="the tests of SARIF",
        ),
        Part(
            name="ton-sandbox",
            ecosystem="npm",
            package="@ton/sandbox",
            version="0.41.0",
            integrity="sha512-+WRWiHfm62xQebVt6BvLb2UhVphpBHCwSby8R5vP9llzdVck+XEs+p4csIkZBh6gRQsy1Xomzh1PpgZS5XVE3A==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="ton-core",
            ecosystem="npm",
            package="@ton/core",
            version="0.63.1",
            integrity="sha512-hDWMjlKzc18W2E4OeV3hUP8ohRJNHPD4Wd1+AQJj8zshZyCRT0usrvnExgbNUTo/vntDqCGMzgYWbXxyaA+L4g==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="ton-crypto",
            ecosystem="npm",
            package="@ton/crypto",
            version="3.3.0",
            integrity="sha512-/A6CYGgA/H36OZ9BbTaGerKtzWp50rg67ZCH2oIjV1NcrBaCK9Z343M+CxedvM7Haf3f/Ee9EhxyeTp0GKMUpA==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="ton-crypto-primitives",
            ecosystem="npm",
            package="@ton/crypto-primitives",
            version="2.1.0",
            integrity="sha512-PQesoyPgqyI6vzYtCXw4/ZzevePc4VGcJtFwf08v10OevVJHVfW238KBdpj1kEDQkxWLeuNHEpTECNFKnP6tow==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="ton-assembly",
            ecosystem="npm",
            package="ton-assembly",
            version="0.6.1",
            integrity="sha512-HZNDD2Cy8DQ9UY+8eCgCFY9RBnHEA+Abxo6chDtZQqsX1xo97UZzhMWzK+bYoe1w9gsGugi+1kOH7cpjzDN6jQ==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="ton-parser-runtime",
            ecosystem="npm",
            package="@tonstudio/parser-runtime",
            version="0.0.1",
            integrity="sha512-5s4fLkXWxa4SAd7QGGvJXe13GakEo0J3VF5dUI/i3A//bGZxMwCp1FcnbErpNs3y0LcAZoXE5FCUnDowDQptqw==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="fflate",
            ecosystem="npm",
            package="fflate",
            version="0.8.3",
            integrity="sha512-tbZNuJrLwGUp3zshBtdy4W+ORxZuIh8a5ilyIEQDC5rY1f3U20JMry0Ll3WBzU58EZKsEuJFXhb5gwv8CsPvgA==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="jssha",
            ecosystem="npm",
            package="jssha",
            version="3.2.0",
            integrity="sha512-QuruyBENDWdN4tZwJbQq7/eAK85FqrI4oDbXjy5IBhYD+2pTJyBUWZe8ctWaCkrV0gy6AaelgOZZBMeswEa/6Q==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="tweetnacl",
            ecosystem="npm",
            package="tweetnacl",
            version="1.0.3",
            integrity="sha512-6rt+RN7aOi1nGMyC4Xa5DdYiukl2UWCbcJft7YhxReBGQD7OAM8Pbxw6YMo4r2diNEA8FEmu32YOn9rhaiE5yw==",
            needed_by="adapter tvm:sandbox",
        ),
        Part(
            name="axe-core",
            ecosystem="npm",
            package="axe-core",
            version="4.14.1",
            integrity="sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
            needed_by="the tests of pages",
        ),
    )
}


class State(Enum):
    """What the cache holds of a part."""

    PRESENT = "present"
    MISSING = "missing"
    DAMAGED = "damaged"


@frozen
class Status:
    """One line of `doctor`: the part, what the cache holds of it, where, and what to run."""

    part: Part
    state: State
    path: Path
    command: str


def cache_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`$SHARDPROOF_CACHE`, else `$XDG_CACHE_HOME/shardproof`, else `~/.cache/shardproof`."""
    settings = os.environ if environ is None else environ
    if chosen := settings.get("SHARDPROOF_CACHE"):
        return Path(chosen).expanduser()
    if shared := settings.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser() / "shardproof"
    return Path.home() / ".cache" / "shardproof"


def status() -> list[Status]:
    """Every part that some adapter needs, and what the cache holds of it."""
    return [
        Status(part, _state(part), _path(part), "" if _state(part) is State.PRESENT else FETCH_COMMAND)
        for part in PARTS.values()
    ]


def located(part: Part) -> Path:
    """The part's archive in the cache, its digest checked. Raises `MissingPartError` if it cannot be used."""
    state, path = _state(part), _path(part)
    if state is State.PRESENT:
        return path
    raise MissingPartError(
        f"{part.package} {part.version} is not on this machine"
        if state is State.MISSING
        else f"the cached copy of {part.package} {part.version} is damaged",
        expected=f"{path}, for {part.needed_by}" if state is State.MISSING else part.integrity,
        got=None if state is State.MISSING else f"another digest for {path}",
        help=f"run: {FETCH_COMMAND}",
    )


def read(part: Part, names: Collection[str]) -> dict[str, bytes]:
    """The files called `names` out of the part's archive; a name is what follows its leading folder."""
    path = located(part)
    wanted, found = set(names), dict[str, bytes]()
    try:
        with tarfile.open(path, "r:gz") as archive:
            # In the archive's order and no further than needed: it is one compressed stream.
            for member in archive:
                name = member.name.partition("/")[2]
                if name not in wanted or not member.isreg() or member.size > MEMBER_BYTES_MAX:
                    continue
                content = archive.extractfile(member)
                if content is not None:
                    found[name] = content.read()
                if len(found) == len(wanted):
                    break
    except (tarfile.TarError, OSError, EOFError) as error:
        raise MissingPartError(
            f"{part.package} {part.version} cannot be read",
            got=f"{type(error).__name__}: {error}",
        ) from error
    if absent := sorted(wanted - found.keys()):
        raise MissingPartError(
            f"{part.package} {part.version} does not contain what {part.needed_by} needs",
            got=f"no {absent[0]}",
        )
    return found


def unpack(part: Part, folder: Path, suffixes: tuple[str, ...]) -> None:
    """
    Write the part's files whose names end in one of `suffixes` below `folder`, which is made.

    Only files, and only below it, whatever the archive says. What was written is the caller's, to use at
    once and to remove: whoever comes later cannot know that nobody has changed it.
    """
    path, made = located(part), set[Path]()
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name.partition("/")[2])
                if not member.isreg() or name.suffix not in suffixes or member.size > MEMBER_BYTES_MAX:
                    continue
                content = archive.extractfile(member)
                if content is None or name.is_absolute() or ".." in name.parts:
                    continue
                target = folder / name
                if target.parent not in made:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    made.add(target.parent)
                target.write_bytes(content.read())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise MissingPartError(
            f"{part.package} {part.version} cannot be unpacked",
            got=f"{type(error).__name__}: {error}",
        ) from error


def fetch(part: Part, timeout_s: float = FETCH_TIMEOUT_S) -> Path:
    """
    Bring the part into the cache, and return its archive.

    Any number of processes may do so at once: each downloads into a folder of its own, and
    moves what it has checked into place in one step. What fails the check is not kept.
    """
    path = _path(part)
    if _state(part) is State.PRESENT:
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Inside the cache, because a move is one step only within one file system.
        with tempfile.TemporaryDirectory(prefix="fetching-", dir=path.parent) as folder:
            archive = _packed(part, Path(folder), timeout_s)
            if (got := _digest(archive)) != part.integrity:
                raise MissingPartError(
                    f"{part.package} {part.version} is not the package it should be: its digest differs",
                    expected=part.integrity,
                    got=got,
                    help="nothing was kept; the registry or something on the way to it served other bytes",
                )
            archive.replace(path)
    except OSError as error:
        raise MissingPartError(
            "the cache cannot be written",
            got=f"{type(error).__name__}: {error}",
            help="set SHARDPROOF_CACHE to a folder that can",
        ) from error
    return path


def _packed(part: Part, folder: Path, timeout_s: float) -> Path:
    npm = shutil.which("npm")
    spec = f"{part.package}@{part.version}"
    if npm is None:
        raise MissingPartError(
            f"npm is needed to fetch {spec}, and is not on this machine",
            help=f"install Node.js, which brings npm, and run: {FETCH_COMMAND}\n"
            f"or run `npm pack {spec}` elsewhere and put the file at {_path(part)}",
        )
    try:
        done = subprocess.run(
            [npm, "pack", spec, "--ignore-scripts", "--no-update-notifier", "--loglevel=error"],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingPartError(
            f"npm did not fetch {spec} within {timeout_s:g} s",
            help="the network is slow or blocked; try again",
        ) from error
    archives = sorted(folder.glob("*.tgz"))
    if done.returncode == 0 and len(archives) == 1:
        return archives[0]
    said = done.stderr.decode(errors="replace").strip()[-1_000:]
    if re.search(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT", said):
        raise MissingPartError(
            f"npm cannot reach its registry to fetch {spec}",
            said=said,
            help=f"connect to the network, or set npm's registry or proxy, and run: {FETCH_COMMAND}",
        )
    raise MissingPartError(
        f"npm did not fetch {spec}",
        expected="exit code 0 and one archive",
        got=f"exit code {done.returncode} and {len(archives)} archives",
        said=said or None,
    )


def _path(part: Part) -> Path:
    return cache_folder() / "parts" / part.filename


#: Archives whose digest was right, and how each file was then: megabytes are hashed once per process.
_checked: dict[tuple[Path, str], tuple[int, int, int]] = {}


def _state(part: Part) -> State:
    path = _path(part)
    try:
        stat = path.stat()
        stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if _checked.get((path, part.integrity)) == stamp:
            return State.PRESENT
        if _digest(path) != part.integrity:
            return State.DAMAGED
    except FileNotFoundError:
        return State.MISSING
    except OSError:
        # A folder in its place, or a file that we may not read.
        return State.DAMAGED
    _checked[path, part.integrity] = stamp
    return State.PRESENT


def _digest(path: Path) -> str:
    with path.open("rb") as archive:
        return "sha512-" + base64.b64encode(hashlib.file_digest(archive, "sha512").digest()).decode()
