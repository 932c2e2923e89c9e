"""
Do long random and adversarial runs of an implementation agree with the model?

Hypothesis supplies the numbers, a schedule makes moves of them, and the lockstep compares.
A run that reaches something new (a combination of what was tried, what the model said and
how far the receipt had come, never seen before) is kept, and later runs begin with it: so
rare situations are not found once but built upon. This looks only at the model's side, so it
guides the search through implementations in any language.

No system runs inside Hypothesis: a finding is written down, shrunk by our own delta
debugging, confirmed by running it again, and the search goes on for others.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from shardproof_models.stacks import composed, layers_for

from ...adapter import AdapterFactory, Topology, capabilities
from ...errors import ShardproofError, UsageError
from ...oracle import Oracle
from ...runs import Bench, made
from ...verdict import Report
from .answer import OBSERVED, report
from .guards import action_name
from .numbers import mixed
from .plan import RESERVE, Plan, Progress
from .search import RandomSearch
from .seen import LEARNING

__all__ = ["LEARNING", "OBSERVED", "RESERVE", "Plan", "Progress", "action_name", "fuzz", "mixed"]


def fuzz(
    make: AdapterFactory,
    name: str,
    plan: Plan,
    *,
    clock: Callable[[], float],
    progress: Progress | None = None,
) -> Report:
    """Search for the plan's time or steps. Raises `AdapterError` if the adapter breaks its contract."""
    if plan.seconds is None and plan.steps is None:
        raise UsageError("a search needs an end", help="give it seconds or steps")
    if plan.shards < 2:
        raise UsageError("messages between shards need at least two of them", got=plan.shards)
    begin = clock()
    adapter = made(make)
    able = capabilities(adapter)
    protocol = composed(layers_for(able, plan.stack or adapter.stack))
    reserve = RESERVE if able & {"split", "merge"} else 0
    shards = plan.shards + reserve
    oracle = Oracle.for_run(protocol, shards, plan.depth + 40, plan.crowd, reserve)
    bench = Bench(adapter, oracle, evolve(Topology.of(shards), reserve=reserve))
    search = RandomSearch(bench, name, plan, clock, begin, progress)
    try:
        search.go()
        search.certify()
        search.explain()
    except KeyboardInterrupt:
        # What was found until then is no less true.
        search.interrupted = True
    except ShardproofError as error:
        error.found = tuple(search.found.values())
        raise
    finally:
        bench.close()
    return report(search)
