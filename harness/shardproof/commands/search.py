"""The commands that search: each engine on its own, and `check`, which is all of them in one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import evolve

from shardproof_models.language.protocol import Protocol
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .. import selection, subject, trace_file
from ..coverage import ENVIRONMENT
from ..deviations import Deviation, excused, judged, load, of_system
from ..errors import UsageError
from ..readings.asked import LOOKED_AT
from ..readings.scope import Scope
from ..render.report import Answer
from ..selection import MODELLED, OBSERVED, System
from ..settings import Settings
from ..subject import Subject
from ..verdict import Report, Verdict
from .context import Context, versions

Counts = Mapping[str, int]

#: Of the time of a `check`, what fuzzing gets even if the proof took longer than expected.
_FUZZ_SHARE = 0.5

#: How deep the prover looks for a reachable world like the one in which an induction failed.
_SEARCH_DEPTH = 8


def prove(settings: Settings, context: Context, certificate: Path | None, confirmed: bool = False) -> Answer:
    """Without bounds, or with a depth every trace of so many steps; obligations go to `certificate`."""
    if certificate is not None and settings.depth is not None:
        raise UsageError(
            "a bounded search has no certificate", got="--certificate and --depth", help="leave --depth out"
        )
    if confirmed and settings.depth is not None:
        raise UsageError(
            "a bounded search has no obligations to confirm",
            got="--confirm and --depth",
            help="leave --depth out",
        )
    system, protocol = _model(settings)
    seed = settings.seed or 0
    started = context.clock()
    report = _about_the_model(
        _prove(settings, context, protocol, seed, _limit(settings), certificate, confirmed), system
    )
    return _answer("prove", (report,), settings, context, started, protocol, system, seed)


def explore(settings: Settings, context: Context) -> Answer:
    """
    Every trace of the model within a scope; and of an adapter, a tour of every transition.

    With a number of steps to `walk`, random walks of the model instead.
    """
    _must_be_of_use(settings)
    if settings.reduce and settings.require_coverage:
        raise UsageError(
            "a search that leaves something out does not count what each clause did",
            got="both --reduce and --require-coverage",
            help="leave one of them out; each may also be set by the environment or the project",
        )
    if settings.protocol is not None:
        if other := next((n for n in ("adapter", "stack", "layers") if getattr(settings, n)), None):
            raise UsageError(f"both a protocol and {other}", got=f"--protocol {settings.protocol}")
        if ":" in settings.protocol:
            return _explore_own(settings, context, subject.load(settings.protocol))
        settings = evolve(settings, stack=settings.protocol)
    system, protocol = _model(settings)
    if system is None and "deviations" in settings.given:
        raise UsageError(
            "known deviations are of an adapter, and none is looked at",
            got=f"--deviations {settings.deviations}",
            help="name one with --adapter, and leave --stack and --layers out",
        )
    known = _known(settings, system) if system is not None else ()
    started = context.clock()
    if settings.walk is not None:
        asked, scope = _asked(settings, protocol)
        seed = context.seed(settings.seed)
        report = _about_the_model(_walked(settings, context, protocol, scope, asked, seed), system)
        report = _covered(settings, report)
        return _answer("explore", (report,), settings, context, started, protocol, system, seed)
    report = _about_the_model(_explore(settings, context, protocol, _limit(settings)), system)
    reports = [_covered(settings, report)]
    seen = _seen(settings.properties, protocol)
    if system is not None and (seen or not settings.properties):
        reports.append(_tour(settings, context, system, seen, known))
    return _answer("explore", tuple(reports), settings, context, started, protocol, system)


def fuzz(settings: Settings, context: Context) -> Answer:
    """Random and adversarial runs against an adapter."""
    system = selection.system(settings.adapter, settings.call_seconds)
    protocol = _for_a_system(settings, system)
    if "scope" in settings.given and (extra := {*(settings.scope or {})} - {"shards"}):
        raise UsageError(
            f"fuzz has no bound on {', '.join(sorted(extra))}",
            expected="--scope shards=N, or none",
            help="a bounded search is `shardproof explore`",
        )
    seconds = None if settings.steps is not None and "seconds" not in settings.asked else settings.seconds
    chosen = selection.names(settings.properties, protocol, *OBSERVED)
    _must_be_observable(chosen)
    known = _known(settings, system)
    if settings.against:
        return _fuzz_together(settings, context, system, chosen, seconds)
    seed = context.seed(settings.seed)
    started = context.clock()
    report = _covered(settings, _fuzz(settings, context, system, seed, chosen, seconds, known))
    return _answer("fuzz", (report,), settings, context, started, protocol, system, seed)


def _fuzz_together(
    settings: Settings, context: Context, system: System, chosen: tuple[str, ...], seconds: float | None
) -> Answer:
    """Each of several systems by itself, as ever; and then all of them asked the same."""
    from ..engines.differ import Plan
    from ..engines.differ import differ as engine

    systems = (system, *(selection.system(name, settings.call_seconds) for name in settings.against))
    if len({one.name for one in systems}) < len(systems):
        raise UsageError(
            "a system is not compared with itself",
            got=", ".join(one.name for one in systems),
            help="name two different ones",
        )
    known = [_known(settings, one) for one in systems]
    seed = context.seed(settings.seed)
    started = context.clock()
    # Half of the time for each by itself, half for all together.
    share = None if seconds is None else seconds / 2 / len(systems)
    reports = [
        _covered(settings, evolve(report, engine=f"fuzz {one.name}"))
        for one, deviates in zip(systems, known, strict=True)
        for report in (_fuzz(settings, context, one, seed, chosen, share, deviates),)
    ]
    plan = Plan(
        seed=seed,
        seconds=None if seconds is None else seconds / 2,
        steps=settings.steps,
        shards=settings.shards,
        depth=settings.depth or settings.depth_of_profile,
    )
    names = tuple(one.name for one in systems)
    with context.progress.running(f"differ {', '.join(names)}") as progress:
        made = [(one.name, one.make) for one in systems]
        report = engine(made, plan, clock=context.clock, progress=progress)
    reports.append(evolve(report, systems=names))
    common = frozenset.intersection(*(one.capabilities for one in systems))
    protocol = selection.protocol(None, None, evolve(system, capabilities=common).layers)
    return _answer("fuzz", tuple(reports), settings, context, started, protocol, system, seed)


def check(settings: Settings, context: Context) -> Answer:
    """The protocol that an adapter needs, proved and explored, and the adapter fuzzed."""
    system = selection.system(settings.adapter, settings.call_seconds)
    protocol = _for_a_system(settings, system)
    chosen = selection.names(settings.properties, protocol, *OBSERVED)
    _must_be_observable(chosen)
    known = _known(settings, system)
    seed = context.seed(settings.seed)
    started = context.clock()

    def left() -> float:
        return settings.seconds - (context.clock() - started)

    # The solver's own seed stays fixed: it decides how fast an answer comes, and not which.
    whole = evolve(settings, depth=None, properties=())
    proved = _about_the_model(_prove(whole, context, protocol, 0, settings.seconds), system)
    counted = evolve(settings, properties=(), reduce=False)
    explored = _about_the_model(_explore(counted, context, protocol, left()), system)
    share = max(left(), settings.seconds * _FUZZ_SHARE)
    fuzzed = _fuzz(settings, context, system, seed, chosen, share, known)
    reports = (proved, _covered(settings, explored, of_a_system=True), _covered(settings, fuzzed))
    return _answer("check", reports, settings, context, started, protocol, system, seed)


# ---- one engine ------------------------------------------------------------------------------------


def _prove(
    settings: Settings,
    context: Context,
    protocol: Protocol,
    seed: int,
    seconds: float | None,
    certificate: Path | None = None,
    confirmed: bool = False,
) -> Report:
    from ..engines.prove import bounded
    from ..engines.prove import prove as engine

    asked = selection.names(settings.properties, protocol, *MODELLED)

    def search(progress: Callable[[Counts], None]) -> Report:
        if settings.depth is not None:
            return bounded(
                protocol,
                _chosen(protocol, asked, Role.SAFETY, Role.STEP),
                settings.depth,
                seed=seed,
                timeout_ms=settings.solver_timeout_ms,
                progress=progress,
            )
        return engine(
            protocol,
            seed=seed,
            timeout_ms=settings.solver_timeout_ms,
            depth=_SEARCH_DEPTH,
            only=tuple(p.name for p in _chosen(protocol, asked, *MODELLED)) if asked else (),
            certificate=certificate,
            confirmed=confirmed,
            progress=progress,
        )

    return _within("prove", seconds, context, search)


def _explore_own(settings: Settings, context: Context, own: Subject) -> Answer:
    if "scope" in settings.given or settings.properties:
        raise UsageError(
            "a protocol of your own has a scope and properties of its own",
            got=f"--protocol {settings.protocol}, and --scope or --property",
            help="say both where you say the protocol",
        )
    started, seed = context.clock(), None
    if settings.walk is not None:
        seed = context.seed(settings.seed)
        report = _walked(settings, context, own.protocol, own.scope, own.properties, seed)
    else:
        report = _searched(settings, context, own.protocol, own.scope, own.properties, _limit(settings))
    report = _covered(settings, report)
    return _answer("explore", (report,), settings, context, started, own.protocol, None, seed)


def _must_be_of_use(settings: Settings) -> None:
    """Raises `UsageError` for a flag that means nothing where one walks, or where one does not."""
    without = ("seed",) if settings.walk is None else ("memory", "threads")
    if (idle := next((name for name in without if name in settings.given), None)) is None:
        return
    why = "nothing is drawn in a search of every trace" if settings.walk is None else "walks keep no worlds"
    raise UsageError(
        f"--{idle} means nothing here: {why}",
        help="--walk STEPS takes random walks" if settings.walk is None else f"leave --{idle} out",
    )


def _asked(settings: Settings, protocol: Protocol) -> tuple[tuple[Property, ...] | None, Scope]:
    """The properties that are asked for, none if all are, and the scope."""
    from ..readings.scopes import scope_of

    asked = selection.names(settings.properties, protocol, *LOOKED_AT)
    chosen = None
    if asked:
        # The witnesses stay: without them a property might hold of nothing.
        wanted, witnesses = _chosen(protocol, asked, *LOOKED_AT), _unasked_witnesses(protocol, asked)
        chosen = (*wanted, *(_in_sight(protocol, wanted, witnesses) if settings.reduce else witnesses))
    return chosen, scope_of(protocol, **settings.explore_scope)


def _explore(settings: Settings, context: Context, protocol: Protocol, seconds: float | None) -> Report:
    chosen, scope = _asked(settings, protocol)
    return _searched(settings, context, protocol, scope, chosen, seconds)


def _walked(
    settings: Settings,
    context: Context,
    protocol: Protocol,
    scope: Scope,
    chosen: tuple[Property, ...] | None,
    seed: int,
) -> Report:
    """Random walks; what they find is made as short as a search of every trace can, if it comes so far."""
    from ..engines.simulate import LENGTH, simulate

    with context.progress.running("simulate") as progress:
        report = simulate(
            protocol,
            scope,
            seed=seed,
            steps=settings.walk,
            seconds=_limit(settings),
            clock=context.clock,
            length=settings.depth or LENGTH,
            properties=chosen,
            progress=progress,
        )
    if not report.findings:
        return report
    (found,) = report.findings
    known = properties_of(protocol) if chosen is None else chosen
    wanted = tuple(p for p in known if p.name == found.property)
    as_short = evolve(settings, depth=len(found.trace.steps))
    shortest = _searched(as_short, context, protocol, scope, wanted, settings.seconds)
    if not shortest.findings:
        return report
    (shorter,) = shortest.findings
    trace = evolve(shorter.trace, search=found.trace.search)
    told = (
        found.shrunk
        if len(trace.steps) == len(found.trace.steps)
        else "found again by a search of every trace"
    )
    return evolve(report, findings=(evolve(shorter, trace=trace, shrunk=told),))


def _searched(
    settings: Settings,
    context: Context,
    protocol: Protocol,
    scope: Scope,
    chosen: tuple[Property, ...] | None,
    seconds: float | None,
) -> Report:
    from ..engines.explore import MEMORY_MAX, WORLDS_MAX
    from ..engines.explore import explore as engine

    return _within(
        "explore",
        seconds,
        context,
        lambda progress: engine(
            protocol,
            scope,
            properties=chosen,
            # Whoever says how much memory there is, does not count worlds.
            worlds_max=settings.worlds_max if settings.memory is None else WORLDS_MAX,
            depth_max=settings.depth,
            memory_max=settings.memory or MEMORY_MAX,
            threads=settings.threads,
            progress=progress,
            reductions=settings.reduce,
        ),
    )


def _chosen(protocol: Protocol, asked: tuple[str, ...], *roles: Role) -> tuple[Property, ...]:
    return tuple(p for p in properties_of(protocol, *roles) if not asked or selection.base(p.name) in asked)


def _unasked_witnesses(protocol: Protocol, asked: tuple[str, ...]) -> tuple[Property, ...]:
    return tuple(p for p in properties_of(protocol, Role.WITNESS) if selection.base(p.name) not in asked)


def _in_sight(
    protocol: Protocol, wanted: tuple[Property, ...], witnesses: tuple[Property, ...]
) -> tuple[Property, ...]:
    """Those witnesses that see nothing that what is wanted does not see; all of them, if there are none."""
    from ..readings.native.slicing import symbols_seen_by

    seen = symbols_seen_by(protocol, (p.formula for p in wanted))
    return tuple(w for w in witnesses if symbols_seen_by(protocol, (w.formula,)) <= seen) or witnesses


class _OutOfTimeError(Exception):
    """The time that a search was given is over."""


def _limit(settings: Settings) -> float | None:
    """Proving and exploring end by themselves; a time for them is one that somebody asked for."""
    return settings.seconds if "seconds" in settings.asked else None


def _within(
    engine: str,
    seconds: float | None,
    context: Context,
    search: Callable[[Callable[[Counts], None]], Report],
) -> Report:
    """What `search` reports, or an inconclusive report if it takes too long."""
    started = context.clock()
    last: Counts = {}

    with context.progress.running(engine) as progress:

        def look(counts: Counts) -> None:
            nonlocal last
            last = dict(counts)
            progress(counts)
            if seconds is not None and context.clock() - started > seconds:
                raise _OutOfTimeError

        try:
            return search(look)
        except _OutOfTimeError:
            took = context.clock() - started
            reason = f"stopped after {took:.1f} s, before everything was checked: give it more time"
            return Report(
                engine,
                Verdict.INCONCLUSIVE,
                "nothing to the end",
                reasons=(reason,),
                work=last,
                seconds=context.clock() - started,
            )


def _fuzz(
    settings: Settings,
    context: Context,
    system: System,
    seed: int,
    chosen: tuple[str, ...],
    seconds: float | None,
    known: tuple[Deviation, ...],
) -> Report:
    from ..engines.fuzz import Plan
    from ..engines.fuzz import fuzz as engine

    plan = Plan(
        seed=seed,
        seconds=seconds,
        steps=settings.steps,
        shards=settings.shards,
        depth=settings.depth or settings.depth_of_profile,
        rare=settings.from_rare_worlds,
        properties=chosen,
        certify=settings.certify,
        expected=excused(known),
    )
    with context.progress.running(f"fuzz {system.name}") as progress:
        report = engine(system.make, system.name, plan, clock=context.clock, progress=progress)
    return evolve(judged(report, known), systems=(system.name,))


def _known(settings: Settings, system: System) -> tuple[Deviation, ...]:
    """What the system is known to violate."""
    return of_system(load(settings.deviations), system) if settings.deviations is not None else ()


def _seen(asked: tuple[str, ...], protocol: Protocol) -> tuple[str, ...]:
    """Those of the properties that are asked for which an implementation can be seen to violate."""
    known = {selection.base(p.name) for p in properties_of(protocol, *OBSERVED)}
    return tuple(name for name in selection.names(asked, protocol, *LOOKED_AT) if name in known)


def _tour(
    settings: Settings,
    context: Context,
    system: System,
    seen: tuple[str, ...],
    known: tuple[Deviation, ...],
) -> Report:
    from ..engines.tour import Plan
    from ..engines.tour import tour as engine

    plan = Plan(
        settings.explore_scope,
        # Who names a scope wants that one.
        alone=settings.scope is not None,
        seconds=_limit(settings),
        worlds_max=settings.worlds_max,
        properties=seen,
        certify=settings.certify,
        expected=excused(known),
    )
    with context.progress.running(f"tour {system.name}") as progress:
        report = engine(system.make, system.name, plan, clock=context.clock, progress=progress)
    return evolve(judged(report, known), systems=(system.name,))


# ---- what they have in common -----------------------------------------------------------------------


def _model(settings: Settings) -> tuple[System | None, Protocol]:
    """The protocol to look at; an adapter only says which layers it needs."""
    if settings.stack or settings.layers or settings.adapter is None:
        return None, selection.protocol(settings.stack, settings.layers)
    system = selection.system(settings.adapter, settings.call_seconds)
    return system, selection.protocol(None, None, system.layers)


def _for_a_system(settings: Settings, system: System) -> Protocol:
    """A system is judged by the layers that it has: by others, it would be another system."""
    needed = selection.protocol(None, None, system.layers)
    if settings.stack or settings.layers:
        asked = selection.protocol(settings.stack, settings.layers)
        if asked.layers != needed.layers:
            raise UsageError(
                f"adapter {system.name!r} is judged by other layers",
                expected=", ".join(layer.name for layer in needed.layers),
                got=", ".join(layer.name for layer in asked.layers),
                help="its layers follow from what it can do: leave --stack and --layers out",
            )
    return needed


def _must_be_observable(chosen: tuple[str, ...]) -> None:
    from ..engines.fuzz import OBSERVED as SEEN

    for name in chosen:
        if name not in SEEN:
            raise UsageError(
                f"property {name!r} cannot be seen from outside a system",
                expected=", ".join(SEEN),
                help="it is a sentence about the model: shardproof prove or explore",
            )


def _covered(settings: Settings, report: Report, *, of_a_system: bool = False) -> Report:
    """
    Where coverage is required, what holds although a clause was never exercised is inconclusive.

    `of_a_system`: what the model's consensus never had to refuse says nothing of an implementation.
    """
    missing = [
        f"{clause} ({why})"
        for clause, why in report.never_exercised.items()
        if not (of_a_system and clause.partition(":")[0] in ENVIRONMENT)
    ]
    if not settings.require_coverage or not missing or report.verdict is Verdict.VIOLATED:
        return report
    reason = f"coverage is required, and was not reached: {'; '.join(missing)}"
    return evolve(report, verdict=Verdict.INCONCLUSIVE, reasons=(*report.reasons, reason))


def _about_the_model(report: Report, system: System | None) -> Report:
    """Nobody must read a proof of the model as one of the implementation."""
    if system is None:
        return report
    return evolve(report, checked=f"the model with the layers that {system.name} needs: {report.checked}")


def _answer(
    command: str,
    reports: tuple[Report, ...],
    settings: Settings,
    context: Context,
    started: float,
    protocol: Protocol,
    system: System | None,
    seed: int | None = None,
) -> Answer:
    files = {
        (report.engine, found.property): trace_file.save(
            evolve(found.trace, versions={**versions(), **found.trace.versions}), settings.out
        )
        for report in reports
        for found in report.findings
    }
    return Answer(
        command,
        reports,
        versions(),
        system.name if system else "",
        tuple(layer.name for layer in protocol.layers),
        seed,
        context.clock() - started,
        files,
    )
