"""`fuzz`: random and adversarial runs of one system, or of several and then of all together."""

from __future__ import annotations

from attrs import evolve

from .. import selection
from ..deviations import Deviation, excused, judged
from ..errors import UsageError
from ..render.report import Answer
from ..selection import OBSERVED, System
from ..settings import Settings
from ..verdict import Report
from .about import for_a_system, known_deviations, known_differences, must_be_observable
from .answer import answered, covered, interrupted, keeping
from .context import Context


def fuzz(settings: Settings, context: Context) -> Answer:
    """Random and adversarial runs against an adapter."""
    system = selection.system(settings.adapter, settings.call_seconds)
    protocol = for_a_system(settings, system)
    if "scope" in settings.given and (extra := {*(settings.scope or {})} - {"shards"}):
        raise UsageError(
            f"fuzz has no bound on {', '.join(sorted(extra))}",
            expected="--scope shards=N, or none",
            help="a bounded search is `shardproof explore`",
        )
    seconds = None if settings.steps is not None and "seconds" not in settings.asked else settings.seconds
    chosen = selection.names(settings.properties, protocol, *OBSERVED)
    must_be_observable(chosen)
    known = known_deviations(settings, system)
    if settings.against:
        return _fuzz_together(settings, context, system, chosen, seconds)
    seed = context.seed(settings.seed)
    started = context.clock()
    report = covered(settings, fuzzed(settings, context, system, seed, chosen, seconds, known))
    return answered("fuzz", (report,), settings, context, started, protocol, system, seed)


def fuzzed(
    settings: Settings,
    context: Context,
    system: System,
    seed: int,
    chosen: tuple[str, ...],
    seconds: float | None,
    known: tuple[Deviation, ...],
) -> Report:
    """Runs of one system, with what it is known to violate told apart."""
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
    with keeping(settings, context), context.progress.running(f"fuzz {system.name}") as progress:
        report = engine(system.make, system.name, plan, clock=context.clock, progress=progress)
    return evolve(judged(report, known), systems=(system.name,))


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
    known = [known_deviations(settings, one) for one in systems]
    differences = known_differences(settings, systems)
    seed = context.seed(settings.seed)
    started = context.clock()
    # Half of the time for each by itself, half for all together.
    share = None if seconds is None else seconds / 2 / len(systems)
    reports: list[Report] = []
    for one, deviates in zip(systems, known, strict=True):
        report = fuzzed(settings, context, one, seed, chosen, share, deviates)
        reports.append(covered(settings, evolve(report, engine=f"fuzz {one.name}")))
        if interrupted(report):
            break
    else:
        plan = Plan(
            seed=seed,
            seconds=None if seconds is None else seconds / 2,
            steps=settings.steps,
            shards=settings.shards,
            depth=settings.depth or settings.depth_of_profile,
            expected=excused(differences),
        )
        names = tuple(one.name for one in systems)
        with keeping(settings, context), context.progress.running(f"differ {', '.join(names)}") as progress:
            made = [(one.name, one.make) for one in systems]
            report = engine(made, plan, clock=context.clock, progress=progress)
        reports.append(evolve(judged(report, differences), systems=names))
    common = frozenset.intersection(*(one.capabilities for one in systems))
    protocol = selection.protocol(None, None, evolve(system, capabilities=common).layers)
    return answered("fuzz", tuple(reports), settings, context, started, protocol, system, seed)
