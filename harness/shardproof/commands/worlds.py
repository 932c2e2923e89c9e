"""The worlds of a model within a scope: searched by every trace, or walked about in at random."""

from __future__ import annotations

from attrs import evolve

from shardproof_models.language.protocol import Protocol
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .. import selection
from ..readings.asked import LOOKED_AT
from ..readings.scope import Scope
from ..settings import Settings
from ..verdict import Report
from .about import named
from .context import Context
from .deadline import limit, within


def asked(settings: Settings, protocol: Protocol) -> tuple[tuple[Property, ...] | None, Scope]:
    """The properties that are asked for, none if all are, and the scope."""
    from ..readings.scopes import scope_of

    names = selection.names(settings.properties, protocol, *LOOKED_AT)
    chosen = None
    if names:
        # The witnesses stay: without them a property might hold of nothing.
        wanted, witnesses = named(protocol, names, *LOOKED_AT), _unasked_witnesses(protocol, names)
        chosen = (*wanted, *(_in_sight(protocol, wanted, witnesses) if settings.reduce else witnesses))
    return chosen, scope_of(protocol, **settings.explore_scope)


def explored(settings: Settings, context: Context, protocol: Protocol, seconds: float | None) -> Report:
    """Every trace, in the scope and for the properties that are asked for."""
    chosen, scope = asked(settings, protocol)
    return searched(settings, context, protocol, scope, chosen, seconds)


def searched(
    settings: Settings,
    context: Context,
    protocol: Protocol,
    scope: Scope,
    chosen: tuple[Property, ...] | None,
    seconds: float | None,
) -> Report:
    """Every trace in this scope, for properties that are `chosen`, or all."""
    from ..engines.explore import MEMORY_MAX, WORLDS_MAX
    from ..engines.explore import explore as engine

    return within(
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


def walked(
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
            seconds=limit(settings),
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
    shortest = searched(as_short, context, protocol, scope, wanted, settings.seconds)
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


def _unasked_witnesses(protocol: Protocol, asked: tuple[str, ...]) -> tuple[Property, ...]:
    return tuple(p for p in properties_of(protocol, Role.WITNESS) if selection.base(p.name) not in asked)


def _in_sight(
    protocol: Protocol, wanted: tuple[Property, ...], witnesses: tuple[Property, ...]
) -> tuple[Property, ...]:
    """Those witnesses that see nothing that what is wanted does not see; all of them, if there are none."""
    from ..readings.native.slicing import symbols_seen_by

    seen = symbols_seen_by(protocol, (p.formula for p in wanted))
    return tuple(w for w in witnesses if symbols_seen_by(protocol, (w.formula,)) <= seen) or witnesses
