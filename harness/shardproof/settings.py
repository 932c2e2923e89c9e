"""
Where a setting comes from: the command line, then the environment, then `[tool.shardproof]`
in the nearest pyproject.toml, then the profile.

All four are read by the same words, as text or as TOML, so a wrong value gets the same
answer wherever it stands, and the answer says where that is.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from .errors import UsageError, nearest
from .files import tables

PREFIX = "SHARDPROOF_"

#: Variables with our prefix that are read elsewhere.
_OTHERS = frozenset({"SHARDPROOF_CACHE"})

PROFILES_FILE = Path(__file__).with_name("profiles.toml")

SEED_MAX = (1 << 64) - 1
SHARDS_MAX = 1_000
DEPTH_MAX = 100_000
THREADS_MAX = 64
#: A call that takes an hour is none that anybody waits for thousands of.
CALL_SECONDS_MIN, CALL_SECONDS_MAX = 0.05, 3600.0

DEFAULT_OUT = Path("shardproof-out")


@frozen
class Settings:
    """What a command was asked to do; None where nobody said."""

    profile: str
    #: Engines' budgets, from the profile.
    shards: int
    explore_scope: Mapping[str, int]
    worlds_max: int
    tour_worlds_max: int
    solver_timeout_ms: int
    seconds: float
    depth_of_profile: int
    adapter: str | None = None
    #: Further ones, with which it is compared; named on the command line only.
    against: tuple[str, ...] = ()
    stack: str | None = None
    #: A stack, or `module:NAME` of a protocol of somebody's own.
    protocol: str | None = None
    layers: tuple[str, ...] | None = None
    properties: tuple[str, ...] = ()
    seed: int | None = None
    #: What was asked for, and only that; `shards` and `explore_scope` have it worked in.
    scope: Mapping[str, int] | None = None
    depth: int | None = None
    steps: int | None = None
    #: Steps of random walks of the model, in place of every trace.
    walk: int | None = None
    #: Bytes that a search of the model may take.
    memory: int | None = None
    threads: int = 1
    #: Whether some fuzzed runs begin in rare worlds of the model.
    from_rare_worlds: bool = False
    #: Whether a search of the model may leave out what its verdict does not depend on.
    reduce: bool = False
    #: How long one call of an adapter may take, where not as long as usual.
    call_seconds: float | None = None
    #: Whether a clause that was never exercised makes an answer inconclusive.
    require_coverage: bool = False
    #: Moves that may be run for a finding, to learn whether a shorter one exists; none unless asked for.
    certify: int | None = None
    #: The settings that somebody asked for, and that are not only the profile's.
    asked: frozenset[str] = frozenset()
    #: Those of them that stand on the command line.
    given: frozenset[str] = frozenset()
    out: Path = DEFAULT_OUT
    #: The file of what the system is known to violate.
    deviations: Path | None = None


# ---- words to values -----------------------------------------------------------------------------


def _whole(name: str, low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        digits = text.replace("_", "")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 20 and low <= int(digits) <= high):
            raise UsageError(
                f"{name} is not a whole number in range", expected=f"{low:,} to {high:,}", got=text
            )
        return int(digits)

    return parse


def _call_seconds(text: str) -> float:
    seconds = _length(text, "call_seconds")
    if not CALL_SECONDS_MIN <= seconds <= CALL_SECONDS_MAX:
        raise UsageError(
            "call_seconds is out of range",
            expected=f"{CALL_SECONDS_MIN:g} to {CALL_SECONDS_MAX:g} seconds",
            got=text,
        )
    return seconds


def _length(text: str, name: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not math.isfinite(seconds) or seconds < 0:
        raise UsageError(
            f"{name} is not a length of time", expected="a number of seconds, e.g. 60 or 0.5", got=text
        )
    return seconds


def _seconds(text: str) -> float:
    seconds = _length(text, "seconds")
    if seconds == 0:
        raise UsageError(
            "0 seconds are no time to check anything",
            expected="a number of seconds above 0",
            got=text,
            help="what was not checked does not hold, so there is no answer to give",
        )
    return seconds


#: Bytes in what memory is counted by.
_UNITS = {"M": 1 << 20, "G": 1 << 30}


def _memory(text: str) -> int:
    number, unit = text[:-1], text[-1:].upper()
    if unit not in _UNITS or not (
        number.isascii() and number.isdecimal() and 0 < len(number) <= 6 and int(number)
    ):
        raise UsageError("memory is not a size", expected="a number of M or G, e.g. 500M or 4G", got=text)
    return int(number) * _UNITS[unit]


_SIZES = ("shards", "receipts", "headers")


def _scope(text: str) -> Mapping[str, int]:
    sizes: dict[str, int] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.partition("="))
        if name not in _SIZES or not equals:
            raise UsageError(
                "scope is not written as it must be",
                expected="shards=2,receipts=2,headers=1, or some of it",
                got=text,
                help=nearest(name, _SIZES) if equals else "each part is NAME=NUMBER",
            )
        if name in sizes:
            raise UsageError(f"scope says {name} twice", got=text)
        sizes[name] = _whole(f"scope: {name}", 1, SHARDS_MAX)(number)
    return sizes


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError("an empty list of names", expected="names, separated by commas", got=repr(text))
    return names


def _name(text: str) -> str:
    if not text.strip():
        raise UsageError("an empty name", expected="a name, or the setting left out")
    if "\0" in text:
        raise UsageError("a name with a null byte", expected="a name as a system knows it", got=text)
    return text.strip()


def _yes_or_no(name: str) -> Callable[[str], bool]:
    def parse(text: str) -> bool:
        if text.lower() not in ("true", "false"):
            raise UsageError(f"{name} is neither true nor false", expected="true or false", got=text)
        return text.lower() == "true"

    return parse


_READ: Mapping[str, Callable[[str], Any]] = {
    "adapter": _name,
    "stack": _name,
    "protocol": _name,
    "layers": _names,
    "property": _names,
    "profile": _name,
    "seed": _whole("seed", 0, SEED_MAX),
    "scope": _scope,
    "depth": _whole("depth", 1, DEPTH_MAX),
    "seconds": _seconds,
    "steps": _whole("steps", 1, 10**12),
    "walk": _whole("walk", 1, 10**12),
    "memory": _memory,
    "threads": _whole("threads", 1, THREADS_MAX),
    "from_rare_worlds": _yes_or_no("from_rare_worlds"),
    "reduce": _yes_or_no("reduce"),
    "call_seconds": _call_seconds,
    "require_coverage": _yes_or_no("require_coverage"),
    "certify": _whole("certify", 1, 10**12),
    "out": lambda text: Path(_name(text)),
    "deviations": lambda text: Path(_name(text)),
}


def folder(where: str, text: str) -> Path:
    """The folder that a flag names which only one command has. Raises `UsageError` if it names none."""
    if not text.strip():
        raise UsageError(f"{where}: an empty name", expected="a folder, or the flag left out")
    return Path(text)


@frozen
class _Said:
    """One setting as somebody wrote it, and where."""

    value: Any
    where: str


def _read(name: str, raw: object, where: str) -> _Said:
    if isinstance(raw, list | tuple):
        raw = ",".join(map(str, raw))
    elif isinstance(raw, Mapping):
        raw = ",".join(f"{key}={value}" for key, value in raw.items())
    try:
        return _Said(_READ[name](str(raw)), where)
    except UsageError as error:
        facts = dict(error.facts)
        raise UsageError(
            f"{where}: {error.summary}",
            expected=facts.get("expected"),
            got=facts.get("got"),
            help=facts.get("help"),
        ) from None


# ---- the four sources ----------------------------------------------------------------------------


@cache
def profiles() -> Mapping[str, Mapping[str, Any]]:
    """Every profile of this package by name."""
    return tomllib.loads(PROFILES_FILE.read_text(encoding="utf-8"))


def resolve(given: Mapping[str, object], environ: Mapping[str, str], folder: Path) -> Settings:
    """
    The settings of a run: what the command line gave, the environment, and the project around `folder`.

    Raises `UsageError` for a value that cannot be read, or a name that nobody knows.
    """
    sources = (_given(given), _from_environment(environ), _from_project(folder))
    said: dict[str, _Said] = {}
    for source in sources:
        # Which protocol is one question, whichever of the two words answers it.
        both = {"stack", "layers"}
        taken = both if both & said.keys() else set()
        if both <= source.keys() and not taken:
            raise UsageError(
                "both a stack and layers",
                got=f"{source['stack'].where} and {source['layers'].where}",
                help="a stack is a name for some layers: give one of the two",
            )
        said |= {name: one for name, one in source.items() if name not in said and name not in taken}
    return _settings(said, frozenset(sources[0]))


def _given(given: Mapping[str, object]) -> dict[str, _Said]:
    return {
        name: _read(name, raw, f"--{name.replace('_', '-')}")
        for name, raw in given.items()
        if name in _READ and raw is not None and raw != ()
    }


def _from_environment(environ: Mapping[str, str]) -> dict[str, _Said]:
    said = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in _OTHERS:
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in _READ:
            raise UsageError(
                f"unknown setting {variable} in the environment",
                help=nearest(variable, (*(f"{PREFIX}{known.upper()}" for known in _READ), *_OTHERS)),
            )
        said[name] = _read(name, environ[variable], variable)
    return said


def _from_project(folder: Path) -> dict[str, _Said]:
    path = next((p for p in _projects(folder) if p.is_file()), None)
    if path is None:
        return {}
    tools = tables(path, f"{path} cannot be read").get("tool", {})
    # Whatever else it is, it says nothing to us.
    table = tools.get("shardproof", {}) if isinstance(tools, Mapping) else {}
    where = f"{path}, [tool.shardproof]"
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: not a table", got=repr(table))
    for name in table:
        if name not in _READ:
            raise UsageError(f"{where}: unknown setting {name!r}", help=nearest(name, _READ))
    said = {name: _read(name, raw, f"{where}, {name}") for name, raw in table.items()}
    if "deviations" in said:
        # A file of the project: it is the same one in whichever of its folders somebody works.
        said["deviations"] = evolve(said["deviations"], value=path.parent / said["deviations"].value)
    return said


def _projects(folder: Path) -> Iterator[Path]:
    return (parent / "pyproject.toml" for parent in (folder, *folder.parents))


def _settings(said: Mapping[str, _Said], given: frozenset[str]) -> Settings:
    def value(name: str, otherwise: Any = None) -> Any:
        return said[name].value if name in said else otherwise

    name = value("profile", "dev")
    if name not in profiles():
        raise UsageError(
            f"{said['profile'].where}: unknown profile {name!r}",
            help=nearest(name, profiles()),
        )
    profile, scope = profiles()[name], value("scope", {})
    return Settings(
        profile=name,
        shards=scope.get("shards", profile["shards"]),
        explore_scope={**_scope(profile["explore_scope"]), **scope},
        worlds_max=profile["worlds_max"],
        tour_worlds_max=profile["tour_worlds_max"],
        solver_timeout_ms=profile["solver_timeout_ms"],
        seconds=value("seconds", profile["seconds"]),
        asked=frozenset(said),
        given=given,
        depth_of_profile=profile["depth"],
        adapter=value("adapter"),
        stack=value("stack"),
        protocol=value("protocol"),
        layers=value("layers"),
        properties=value("property", ()),
        seed=value("seed"),
        scope=value("scope"),
        depth=value("depth"),
        steps=value("steps"),
        walk=value("walk"),
        memory=value("memory"),
        threads=value("threads", 1),
        from_rare_worlds=value("from_rare_worlds", False),
        reduce=value("reduce", False),
        call_seconds=value("call_seconds"),
        require_coverage=value("require_coverage", False),
        certify=value("certify"),
        out=value("out", DEFAULT_OUT),
        deviations=value("deviations"),
    )
