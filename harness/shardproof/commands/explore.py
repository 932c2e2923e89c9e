"""`explore`: every trace of a model within a scope, or random walks of it; and a tour of an adapter."""

from __future__ import annotations

from attrs import evolve

from .. import subject
from ..deviations import Deviation, excused, judged
from ..errors import UsageError
from ..render.report import Answer
from ..selection import System
from ..settings import Settings
from ..subject import Subject
from ..verdict import Report
from . import worlds
from .about import known_deviations, model, observable
from .answer import about_the_model, answered, covered, keeping
from .context import Context
from .deadline import limit


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
    system, protocol = model(settings)
    if system is None and "deviations" in settings.given:
        raise UsageError(
            "known deviations are of an adapter, and none is looked at",
            got=f"--deviations {settings.deviations}",
            help="name one with --adapter, and leave --stack and --layers out",
        )
    known = known_deviations(settings, system) if system is not None else ()
    started = context.clock()
    if settings.walk is not None:
        asked, scope = worlds.asked(settings, protocol)
        seed = context.seed(settings.seed)
        report = about_the_model(worlds.walked(settings, context, protocol, scope, asked, seed), system)
        report = covered(settings, report)
        return answered("explore", (report,), settings, context, started, protocol, system, seed)
    report = about_the_model(worlds.explored(settings, context, protocol, limit(settings)), system)
    reports = [covered(settings, report)]
    seen = observable(settings.properties, protocol)
    if system is not None and (seen or not settings.properties):
        reports.append(_tour(settings, context, system, seen, known))
    return answered("explore", tuple(reports), settings, context, started, protocol, system)


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
        report = worlds.walked(settings, context, own.protocol, own.scope, own.properties, seed)
    else:
        report = worlds.searched(settings, context, own.protocol, own.scope, own.properties, limit(settings))
    report = covered(settings, report)
    answer = answered("explore", (report,), settings, context, started, own.protocol, None, seed)
    return evolve(answer, protocol=settings.protocol)


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
        seconds=limit(settings),
        worlds_max=settings.tour_worlds_max,
        properties=seen,
        certify=settings.certify,
        expected=excused(known),
    )
    with keeping(settings, context), context.progress.running(f"tour {system.name}") as progress:
        report = engine(system.make, system.name, plan, clock=context.clock, progress=progress)
    return evolve(judged(report, known), systems=(system.name,))
