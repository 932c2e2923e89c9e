"""What a search says in the end: what was found, and exactly what was checked."""

from __future__ import annotations

from shardproof_properties.property import Property, Role

from ...attacks import ATTACKS, NEEDS, WEATHER
from ...observable import OBSERVABLE, lacking
from ...verdict import INTERRUPTED, Report, Verdict
from .memory import FORGOTTEN
from .search import RandomSearch
from .seen import LEARNING

#: What can be said of an implementation.
ROLES = (Role.SAFETY, Role.STEP, Role.PROGRESS, Role.CONCRETE)

#: What the series of a search is called: a combination of what was tried, said and standing, see `seen`.
SITUATIONS = "different situations"

#: Properties that a run of an implementation can violate in the open.
OBSERVED = (
    "executes-at-most-once",
    "executes-only-what-was-emitted",
    "executes-only-on-final-headers",
    "executes-at-its-destination",
    "trusts-only-final-headers",
    "trusts-only-produced-headers",
    "executes-only-on-trusted-headers",
    "reverts-atomically",
    "delivers-what-is-due",
    "waits-for-no-other-shard",
    "is-not-jammed-by-another-receipt",
    *OBSERVABLE,
)


def report(search: RandomSearch) -> Report:
    """What was found, and exactly what was checked."""
    work, tried = search.seen.work, search.schedule.tried
    growth = search.seen.growth
    # That nothing new turned up for long is part of the line.
    growth.note(work["steps"], len(search.seen.situations))
    reasons = [*([INTERRUPTED] if search.interrupted else []), *_reasons(search)]
    verdict = Verdict.VIOLATED if search.found else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS
    applicable = [kind for kind in ATTACKS if kind in search.schedule.applicable]
    return Report(
        engine="fuzz",
        verdict=verdict,
        checked=(
            f"{work['runs']:,} random and adversarial runs of {search.name}, "
            f"{work['steps']:,} steps with {search.plan.shards} shards, "
            f"{work['emitted']:,} receipts emitted, {work['executed']:,} executed, "
            f"{work['attempts_refused']:,} attempts refused (seed {search.plan.seed})"
        ),
        findings=tuple(search.found.values()),
        reasons=tuple(reasons),
        work={
            **work,
            "situations": len(search.seen.situations),
            "refused_after_others": search.memory.refused_after,
        },
        not_applicable=_not_applicable(search),
        properties=tuple(p.name.partition("[")[0] for p in _judged(search)),
        tables={
            "what the adversary tried": tuple(
                (k, f"{tried[k]:,}" if tried.get(k) else "never tried") for k in (*applicable, *WEATHER)
            ),
            "what does not apply": tuple(
                (k, f"needs {', '.join(NEEDS[k])}") for k in ATTACKS if k not in applicable
            ),
            **_remembered(search),
            **search.guards.coverage.tables(),
        },
        never_exercised=search.guards.coverage.never_exercised(),
        seconds=search.clock() - search.begin,
        series={SITUATIONS: growth.points} if work["steps"] else {},
    )


def _remembered(search: RandomSearch) -> dict[str, tuple[tuple[str, str], ...]]:
    """How far it was looked for what a shard forgets."""
    others = search.memory.refused_after
    if not others or FORGOTTEN in search.found:
        return {}
    said = f"refused when {others:,} others were executed after it; what is forgotten later nobody looked for"
    return {"how long a shard remembers": (("the first receipt", said),)}


def _judged(search: RandomSearch) -> list[Property]:
    names: dict[str, Property] = {}
    able = search.bench.lock.able
    for p in search.bench.oracle.catalogue.values():
        name = p.name.partition("[")[0]
        asked = not search.plan.properties or name in search.plan.properties
        if name in OBSERVED and p.role in ROLES and asked and not lacking(name, able):
            names.setdefault(name, p)
    if "learn" not in able:
        names = {name: p for name, p in names.items() if name not in LEARNING}
    return list(names.values())


def _not_applicable(search: RandomSearch) -> dict[str, str]:
    able = search.bench.lock.able
    told: dict[str, str] = {}
    if "revert" not in able:
        told["reverts-atomically"] = "the adapter has no revert"
    if "learn" not in able:
        told.update(dict.fromkeys(LEARNING, "the adapter has no learn: headers certify themselves"))
    for name in search.bench.oracle.catalogue:
        if missing := lacking(name, able):
            told[name] = f"the adapter has no {', '.join(missing)}"
    return told


def _reasons(search: RandomSearch) -> list[str]:
    work, lock = search.seen.work, search.bench.lock
    if not work["steps"]:
        return ["nothing was run"]
    if not _judged(search):
        return [f"{', '.join(search.plan.properties)} cannot be observed on an implementation"]
    if not work["emitted"]:
        refused = f"{lock.declined.get('emit', 0)} in the last run"
        return [f"no receipt could be emitted: the adapter refused every emit ({refused})"]
    if not work["executed"]:
        return ["no receipt was ever executed, so there was nothing to get wrong"]
    return [
        f"{p.name.partition('[')[0]} was never exercised: give it more time"
        for p in _judged(search)
        if not search.seen.exercised.get(p.name.partition("[")[0])
    ]
