"""The commands that start from a saved trace: run it again, make it shorter, show it."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve, frozen

from .. import selection, trace_file
from ..errors import UsageError, nearest
from ..lockstep import Replayed
from ..selection import System
from ..settings import Settings
from ..shrink import shrink as shorter
from ..trace import Trace
from ..verdict import Verdict
from .context import versions

#: What a trace of the model alone has for an adapter.
MODEL = "model"

#: Actions that an adapter need not have, and the verb that each needs.
_OPTIONAL = ("learn", "finalise", "revert", "restart", "reenter")

FORMATS = ("text", "json")


@frozen
class Again:
    """What became of a trace that was run again."""

    path: Path
    recorded: Trace
    #: As it went this time.
    trace: Trace
    verdict: Verdict
    summary: str
    adapter: str = ""
    #: Where a shorter trace was written.
    written: Path | None = None


def replay(path: Path, settings: Settings) -> Again:
    """Run the trace at `path` on an adapter that the command line names, never on one that the file names."""
    trace = trace_file.load(path)
    system = _system(trace, settings)
    replayed = _replayed(trace, system)
    return Again(path, trace, replayed.trace or trace, replayed.verdict, _summary(trace, replayed), system.name)


def shrink(path: Path, settings: Settings) -> Again:
    """The same finding in fewer steps, written beside the others."""
    trace = trace_file.load(path)
    system = _system(trace, settings)
    replayed = _replayed(trace, system)
    if not replayed.reproduced:
        return Again(path, trace, replayed.trace or trace, replayed.verdict, _summary(trace, replayed), system.name)
    found = shorter(system.make, system.name, trace)
    summary = f"shrunk from {len(trace.steps)} steps to {len(found.steps)}"
    if len(found.steps) >= len(trace.steps):
        return Again(path, trace, found, Verdict.VIOLATED, "no step of it can be left out", system.name)
    found = evolve(found, versions={**versions(), **found.versions})
    return Again(path, trace, found, Verdict.VIOLATED, summary, system.name, trace_file.save(found, settings.out))


def show(path: Path, form: str) -> Trace:
    """The trace at `path`. Raises `UsageError` if there is no such form to show it in."""
    if form not in FORMATS:
        raise UsageError(f"a trace cannot be shown as {form!r}", expected=", ".join(FORMATS), help=nearest(form, FORMATS))
    return trace_file.load(path)


def _summary(trace: Trace, replayed: Replayed) -> str:
    """What the replay says of the recorded violation."""
    if replayed.reproduced:
        return f"reproduced: {replayed.summary}"
    if replayed.verdict is Verdict.VIOLATED:
        return f"a different property is violated: {replayed.summary}"
    if replayed.verdict is Verdict.HOLDS and trace.violation is not None:
        return f"not reproduced: {replayed.summary}"
    return replayed.summary


def _replayed(trace: Trace, system: System) -> Replayed:
    from ..lockstep import replay as run

    return run(system.make, system.name, trace)


def _system(trace: Trace, settings: Settings) -> System:
    if settings.adapter is None:
        raise UsageError(
            "on which system?", expected="--adapter NAME",
            help=f"the trace was recorded on {trace.adapter!r}, which is information: a file never chooses what runs",
        )
    system = selection.system(settings.adapter)
    for index, step in enumerate(trace.steps):
        needed = [step.action] if step.action in _OPTIONAL else []
        if step.args.get("receipt", "").startswith("forged:"):
            needed.append("forge")
        for verb in needed:
            if verb not in system.capabilities:
                raise UsageError(
                    f"adapter {system.name!r} cannot run this trace: it has no {verb!r}", expected=", ".join(sorted(
                        {s.action for s in trace.steps} - {"emit", "produce", "deliver"} | {verb}
                    )),
                    got=", ".join(sorted(system.capabilities)) or "no capabilities",
                    help=f"step {index + 1} is {step.action} at {step.at}",
                )
    return system
