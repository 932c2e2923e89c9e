"""The commands that start from a saved trace: run it again, make it shorter, show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import evolve, field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property

from .. import files, model_replay, selection, subject, trace_file
from ..errors import UsageError, nearest
from ..itf import reader
from ..render.forms import FORMS, Shown
from ..replay import Replayed, differences
from ..replay import replay as run
from ..replay import shrink as shorter
from ..selection import System
from ..settings import Settings
from ..story.telling import in_words, tell
from ..trace import NOT_ESTABLISHED, PROVED, Trace
from ..verdict import Verdict
from .context import versions


@frozen
class Again:
    """What became of a trace that was run again."""

    path: Path
    #: As it went this time, told as every form tells it.
    trace: Trace = field(converter=in_words)
    verdict: Verdict
    summary: str
    adapter: str = ""
    #: The others, with which it was compared.
    against: tuple[str, ...] = ()
    #: Where a shorter trace was written.
    written: Path | None = None
    #: The protocol that was named for it.
    protocol: str | None = None


def replay(path: Path, settings: Settings) -> Again:
    """Run the trace at `path` on an adapter that the command line names, never on one that the file names."""
    trace = reader.load(path)
    if settings.adapter is None and trace.property and model_replay.is_of_the_model(trace):
        replayed = model_replay.replay(trace, *_modelled(trace, _asked(settings)))
        return Again(path, replayed.trace, replayed.verdict, replayed.summary, protocol=_asked(settings))
    _must_be_of_the_model(_asked(settings))
    system = _system(trace, settings)
    if trace.of_several() or settings.against:
        others = (selection.system(name, settings.call_seconds) for name in settings.against)
        return _together(path, trace, (system, *others))
    return _again(path, run(system.make, system.name, trace), system)


def _together(path: Path, trace: Trace, systems: tuple[System, ...]) -> Again:
    if len(systems) < 2 or not trace.of_several():
        raise UsageError(
            "this trace is about where systems differ"
            if trace.of_several()
            else "this trace is of one system",
            expected="two or more --adapter" if trace.of_several() else "one --adapter",
            got=", ".join(system.name for system in systems),
            help=f"it was recorded on {trace.adapter}",
        )
    replayed = differences([(one.name, one.make) for one in systems], trace)
    first, *others = (system.name for system in systems)
    return Again(path, replayed.trace, replayed.verdict, replayed.summary, first, tuple(others))


def shrink(path: Path, settings: Settings, go_home: Callable[[], None] = lambda: None) -> Again:
    """
    The same finding in fewer steps, as a new file; a trace that does not reproduce is only run.

    `go_home` returns to the folder where the command was typed, which an adapter may have left.
    """
    trace = reader.load(path)
    if settings.adapter is None and trace.property and model_replay.is_of_the_model(trace):
        again = shrink_of_the_model(path, trace, *_modelled(trace, _asked(settings)), settings)
        return evolve(again, protocol=_asked(settings))
    _must_be_of_the_model(_asked(settings))
    system = _system(trace, settings)
    replayed = run(system.make, system.name, trace)
    # Another tool's trace may be about no property of ours, and then whatever it violates is meant.
    if not replayed.reproduced and (trace.property or replayed.verdict is not Verdict.VIOLATED):
        return _again(path, replayed, system)
    found = shorter(system.make, system.name, trace, settings.certify)
    go_home()
    summary = "no step of it can be left out"
    if len(found.steps) < len(trace.steps):
        summary = f"shrunk from {len(trace.steps)} steps to {len(found.steps)}"
    elif settings.certify is None:
        return Again(path, found, Verdict.VIOLATED, summary, system.name)
    return _written(path, found, summary, settings, system.name)


def shrink_of_the_model(
    path: Path, trace: Trace, protocol: Protocol, sentences: Sequence[Property], settings: Settings
) -> Again:
    """The same for a trace of the model alone: every trace within its scope is searched, breadth first."""
    from ..engines.explore import explore

    replayed = model_replay.replay(trace, protocol, sentences)
    if not replayed.reproduced:
        return Again(path, replayed.trace, replayed.verdict, replayed.summary)
    again = replayed.trace
    properties = tuple(p for p in sentences if p.name == trace.property)
    report = explore(
        protocol,
        model_replay.scope_of(trace, protocol),
        properties=properties,
        # No further: it is violated after so many steps, so a search that ends has found something.
        depth_max=len(again.steps),
        worlds_max=settings.worlds_max,
    )
    found = next((finding.trace for finding in report.findings), None)
    if found is None:
        unknown = f"whether a shorter one exists is not established: {'; '.join(report.reasons)}"
        return Again(path, evolve(again, shortest=NOT_ESTABLISHED), Verdict.VIOLATED, unknown)
    if len(found.steps) < len(again.steps):
        summary = f"shrunk from {len(again.steps)} steps to {len(found.steps)}; searched: {report.checked}"
        return _written(path, found, summary, settings)
    summary = f"no shorter trace shows it; searched: {report.checked}"
    return _written(path, evolve(again, shortest=PROVED), summary, settings)


def _written(path: Path, found: Trace, summary: str, settings: Settings, adapter: str = "") -> Again:
    found = in_words(evolve(found, versions={**versions(), **found.versions}))
    return Again(
        path, found, Verdict.VIOLATED, summary, adapter, written=trace_file.save(found, settings.out)
    )


def _again(path: Path, replayed: Replayed, system: System) -> Again:
    return Again(path, replayed.trace, replayed.verdict, replayed.summary, system.name)


def show(
    path: Path,
    form: str,
    width: int,
    out: Path | None = None,
    *,
    ascii_only: bool = False,
    protocol: str | None = None,
) -> str:
    """
    The trace at `path` in the form called `form`, or where the file with it is.

    One of the model alone is told by the `protocol` of this name, if there is one, else by its layers.
    With `out`, and for forms that are no use on a terminal, it becomes a file: in `out`, or beside the
    trace. Raises `UsageError` if there is no such form, or the file cannot be written.
    """
    if form not in FORMS:
        raise UsageError(
            f"a trace cannot be shown as {form!r}", expected=", ".join(FORMS), help=nearest(form, FORMS)
        )
    trace = reader.load(path)
    if protocol is None:
        told = tell(trace)
    else:
        if not model_replay.is_of_the_model(trace):
            _must_be_of_the_model(protocol)
        told = tell(trace, *_modelled(trace, protocol))
    written = FORMS[form].write(Shown(told, path, width, ascii_only)).rstrip("\n")
    if out is None and not FORMS[form].kept:
        return written
    name = path.name.removesuffix(trace_file.SUFFIX).removesuffix(reader.SUFFIX).removesuffix(".json")
    place = (out or path.parent) / f"{name}{FORMS[form].suffix}"
    if place.resolve() == path.resolve():
        raise UsageError(
            f"{place} is the trace itself, and would be written over",
            help="choose another folder: --out FOLDER",
        )
    files.write(place, f"{written}\n".encode())
    return str(place)


def _asked(settings: Settings) -> str | None:
    """The protocol that the command line names. What a project explores says nothing of a trace."""
    return settings.protocol if "protocol" in settings.given else None


def _modelled(trace: Trace, name: str | None) -> tuple[Protocol, Sequence[Property]]:
    """The protocol of this name, or else of the layers of the trace, and the sentences about it."""
    if name is not None and ":" in name:
        own = subject.load(name)
        return own.protocol, own.properties
    try:
        protocol = selection.protocol(name, None if name is not None else trace.layers)
    except UsageError as error:
        if name is not None:
            raise
        raise UsageError(
            error.summary,
            expected="layers of this package, or --protocol module:NAME",
            got=", ".join(trace.layers),
            help="a trace of a protocol of your own is run where that is named",
        ) from error
    return protocol, properties_of(protocol)


def _must_be_of_the_model(name: str | None) -> None:
    if name is not None:
        raise UsageError(
            "a protocol is named, and this is no matter of the model alone",
            got=f"--protocol {name}",
            help="what a system did is judged by the layers that it has: leave --protocol out",
        )


def _system(trace: Trace, settings: Settings) -> System:
    if settings.adapter is None:
        raise UsageError(
            "on which system?",
            expected="--adapter NAME",
            help=f"it was recorded on {trace.adapter!r}, but a file never chooses what is run"
            if trace.property
            else "the trace says of nothing that it is violated: a system shows whether it is",
        )
    return selection.system(settings.adapter, settings.call_seconds)
