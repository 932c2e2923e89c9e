"""`prove`: the model, without bounds or to a depth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from shardproof_models.language.protocol import Protocol
from shardproof_properties.property import Role

from .. import selection
from ..errors import UsageError
from ..progress import Counts
from ..render.report import Answer
from ..selection import MODELLED
from ..settings import Settings
from ..verdict import Report
from .about import model, named
from .answer import about_the_model, answered
from .context import Context
from .deadline import limit, within

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
    system, protocol = model(settings)
    seed = settings.seed or 0
    started = context.clock()
    report = about_the_model(
        proved(settings, context, protocol, seed, limit(settings), certificate, confirmed), system
    )
    return answered("prove", (report,), settings, context, started, protocol, system, seed)


def proved(
    settings: Settings,
    context: Context,
    protocol: Protocol,
    seed: int,
    seconds: float | None,
    certificate: Path | None = None,
    confirmed: bool = False,
) -> Report:
    """What the prover says of `protocol`: by induction, or of every trace of a depth that was asked for."""
    from ..engines.prove import bounded
    from ..engines.prove import prove as engine

    asked = selection.names(settings.properties, protocol, *MODELLED)

    def search(progress: Callable[[Counts], None]) -> Report:
        if settings.depth is not None:
            return bounded(
                protocol,
                named(protocol, asked, Role.SAFETY, Role.STEP),
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
            only=tuple(p.name for p in named(protocol, asked, *MODELLED)) if asked else (),
            certificate=certificate,
            confirmed=confirmed,
            progress=progress,
        )

    return within("prove", seconds, context, search)
