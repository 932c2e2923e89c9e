"""`check`: a system fuzzed, and the protocol that it needs proved and explored, within one budget."""

from __future__ import annotations

from attrs import evolve

from .. import selection
from ..render.report import Answer
from ..selection import OBSERVED
from ..settings import Settings
from . import fuzz, prove, worlds
from .about import for_a_system, known_deviations, must_be_observable
from .answer import about_the_model, answered, covered
from .context import Context

#: Of the time of a `check`, what fuzzing gets even if the proof took longer than expected.
_FUZZ_SHARE = 0.5


def check(settings: Settings, context: Context) -> Answer:
    """The protocol that an adapter needs, proved and explored, and the adapter fuzzed."""
    system = selection.system(settings.adapter, settings.call_seconds)
    protocol = for_a_system(settings, system)
    chosen = selection.names(settings.properties, protocol, *OBSERVED)
    must_be_observable(chosen)
    known = known_deviations(settings, system)
    seed = context.seed(settings.seed)
    started = context.clock()

    def left() -> float:
        return settings.seconds - (context.clock() - started)

    # The solver's own seed stays fixed: it decides how fast an answer comes, and not which.
    whole = evolve(settings, depth=None, properties=())
    proved = about_the_model(prove.proved(whole, context, protocol, 0, settings.seconds), system)
    counted = evolve(settings, properties=(), reduce=False)
    explored = about_the_model(worlds.explored(counted, context, protocol, left()), system)
    share = max(left(), settings.seconds * _FUZZ_SHARE)
    fuzzed = fuzz.fuzzed(settings, context, system, seed, chosen, share, known)
    reports = (proved, covered(settings, explored, of_a_system=True), covered(settings, fuzzed))
    return answered("check", reports, settings, context, started, protocol, system, seed)
