"""
Does it hold for any number of shards, receipts and headers?

`prove` shows every obligation of a protocol by induction, and that what it is about can
happen at all. Where an obligation fails it shows a counterexample to induction, which is no
violation, and then looks for a real one: a trace from the initial world, by bounded model
checking. Only such a trace makes the answer "violated". `bounded` is that search alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from attrs import evolve

from shardproof_models.language.protocol import Protocol
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role
from shardproof_properties.safety import REPEATABLE

from ...errors import UsageError, nearest
from ...series import Points, thinned
from ...verdict import NotProved, Report, Verdict
from .certificate import write
from .counterexample import SIZE_MAX, counterexample
from .course import EFFORT_BY_DEPTH, Course
from .induction import Decision, Prover
from .obligations import INVARIANTS, PROVED, Obligation, obligations
from .search import Searched, finding, violation
from .second import Confirmed, confirm, must_be_installed
from .vacuity import Vacuity, idleness, vacuity

Progress = Callable[[Mapping[str, int]], None]

#: Of the obligations that fail, how many are explained: mostly they fail for one reason.
EXPLAINED_MAX = 3

#: What a trace can violate.
_VIOLABLE = (Role.SAFETY, Role.STEP)


def prove(
    protocol: Protocol,
    properties: tuple[Property, ...] | None = None,
    *,
    seed: int = 0,
    timeout_ms: int = 10_000,
    depth: int = 8,
    only: Collection[str] = (),
    progress: Progress | None = None,
    certificate: Path | None = None,
    confirmed: bool = False,
) -> Report:
    """
    What can be shown of `properties`, by default all that apply, for worlds of any size.

    `only` picks sentences by name or number. A proof by induction leans on every invariant, so
    these are proved in any case. Where something fails, traces of up to `depth` steps are
    searched for a violation. With `certificate`, every obligation is written there, for other
    solvers, with the hypotheses that it was proved from; with `confirmed`, a second solver is asked
    of each at once. Raises `UsageError` for a name that is none, or a folder that cannot be written.
    """
    tell = progress or _silently
    known = properties_of(protocol) if properties is None else properties
    claimed = _chosen(known, only)
    todo = _todo(protocol, known, claimed)
    if confirmed:
        must_be_installed()
    prover = Prover(seed, timeout_ms)
    failed: list[Obligation] = []
    reduced: list[Obligation] = []
    course = Course()
    for done, obligation in enumerate(todo, 1):
        needed = prover.reduced(obligation)
        course.note(obligation, proved=needed is not None)
        reduced.append(needed or obligation)
        if needed is None:
            failed.append(obligation)
        tell({"obligations": done, "not proved": len(failed)})
    if certificate is not None:
        write(certificate, protocol, tuple(reduced))
    second = (
        confirm((o for o in reduced if o not in failed), timeout_ms=timeout_ms, progress=tell)
        if confirmed
        else None
    )
    about = vacuity(protocol, known, claimed, prover)
    missing = list(_explained(protocol, failed, prover))
    grown = course.series(len(todo) - len(missing))
    searched = None
    if missing:
        violable = tuple(p for p in known if p.role in _VIOLABLE and p.first_order)
        searched = violation(
            protocol, violable, depth, seed=seed, timeout_ms=timeout_ms, progress=lambda k: tell({"steps": k})
        )
    report = evolve(
        _proved(protocol, claimed, todo, missing, about, searched, seed),
        details=course.tables({obligation for obligation, _ in missing}) if todo else {},
        series={**grown, **_deepened(searched)},
    )
    return report if second is None else _with_opinion(report, second)


def _with_opinion(report: Report, second: Confirmed) -> Report:
    """The report, with what cvc5 says; what it does not know is said, and is no doubt about the proof."""
    rows = (
        ("confirmed", f"{_many(second.count, 'obligation')}"),
        *(("unknown", name) for name in second.unknown),
    )
    return evolve(
        report,
        tables={**report.tables, "second solver, cvc5": rows},
        work={**report.work, "confirmed": second.count, "unconfirmed": len(second.unknown)},
    )


def bounded(
    protocol: Protocol,
    properties: tuple[Property, ...] | None,
    depth: int,
    *,
    seed: int = 0,
    timeout_ms: int = 10_000,
    progress: Progress | None = None,
) -> Report:
    """What every trace of up to `depth` steps in small worlds of every topology says of `properties`."""
    if depth < 0:
        raise UsageError("a trace has no negative length", got=depth)
    tell = progress or _silently
    known = properties_of(protocol)
    chosen = tuple(
        p for p in (known if properties is None else properties) if p.role in _VIOLABLE and p.first_order
    )
    searched = violation(
        protocol, chosen, depth, seed=seed, timeout_ms=timeout_ms, progress=lambda k: tell({"steps": k})
    )
    found = (finding(protocol, searched.found, seed),) if searched.found else ()
    about = Vacuity()
    reasons: list[str] = []
    if not found:
        # Sentences about what takes more steps than these are true of these traces, and of nothing.
        about = idleness(protocol, known, Prover(seed, timeout_ms), searched.steps)
        reasons += about.reasons
        if not chosen:
            reasons.append("there was no property to check")
        if searched.cut:
            reasons.append("some steps were left out because a number would have left its range")
        if searched.gave_up:
            reasons.append(f"the solver gave no answer in its time at {_many(searched.steps + 1, 'step')}")
    return Report(
        "prove",
        Verdict.VIOLATED if found else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS,
        f"{searched.scope} of {_named(protocol)}",
        found,
        reasons=tuple(reasons),
        work={"steps": searched.steps, "properties": len(chosen)},
        properties=tuple(p.name for p in chosen),
        tables={"not vacuous": about.rows} if about.rows else {},
        series=_deepened(searched),
    )


def _deepened(searched: Searched | None) -> Mapping[str, Points]:
    """What each length of a trace took the solver; nothing for a search that ended before any."""
    return {EFFORT_BY_DEPTH: thinned(searched.course)} if searched and searched.course else {}


def _silently(_: Mapping[str, int]) -> None:
    """Progress that nobody wants to see."""


#: What is said of implementations.
UNPROVED = (Role.PROGRESS, Role.CONCRETE)


def _chosen(known: tuple[Property, ...], only: Collection[str]) -> tuple[Property, ...]:
    """The properties of these names, also of all that a schema makes, or numbers; all if there are none."""
    names = {p: {p.name, p.name.partition("[")[0], p.id} for p in known if p.role not in UNPROVED}
    for name in only:
        if not any(name in own for own in names.values()):
            raise UsageError(
                f"unknown property {name!r}", help=nearest(name, {n for own in names.values() for n in own})
            )
    return tuple(p for p, own in names.items() if not only or own & {*only})


def _todo(
    protocol: Protocol, known: tuple[Property, ...], claimed: tuple[Property, ...]
) -> tuple[Obligation, ...]:
    inductive = any(p.role in (*INVARIANTS, Role.STEP) for p in claimed)
    leaned_on = tuple(p for p in known if p.role in INVARIANTS) if inductive else ()
    asked = (*leaned_on, *(p for p in claimed if p.role in PROVED and p not in leaned_on))
    return tuple(obligations(protocol, asked, REPEATABLE)) if asked else ()


def _explained(
    protocol: Protocol, failed: list[Obligation], prover: Prover
) -> Iterator[tuple[Obligation, NotProved]]:
    """What is known of the obligations that did not match; those that are proved after all are left out."""
    explained = 0
    for obligation in failed:
        if explained == EXPLAINED_MAX:
            yield obligation, NotProved(obligation.name, "not proved")
            continue
        found = counterexample(protocol, obligation, seed=prover.seed, timeout_ms=prover.timeout_ms)
        if found is not None:
            explained += 1
            yield obligation, NotProved(obligation.name, Decision.REFUTED.value, f"{found}\n{_CAVEAT}")
        elif (decision := prover.decide(obligation)) is not Decision.PROVED:
            none = f"no counterexample to induction was found with up to {SIZE_MAX} elements a sort"
            yield obligation, NotProved(obligation.name, f"{decision.value}; {none}")


#: Below each counterexample to induction.
_CAVEAT = "This is not a bug yet: the world before may be one that no trace reaches."


def _proved(
    protocol: Protocol,
    claimed: tuple[Property, ...],
    todo: tuple[Obligation, ...],
    missing: list[tuple[Obligation, NotProved]],
    about: Vacuity,
    searched: Searched | None,
    seed: int,
) -> Report:
    found = (finding(protocol, searched.found, seed),) if searched and searched.found else ()
    said = _said(searched) if searched else ""
    reasons = [
        *([f"{_many(len(missing), 'obligation')} not proved, and {said}"] if said else []),
        *about.reasons,
    ]
    if not todo and not about.rows:
        reasons.append("there was nothing to prove")
    unproved = {o.about for o, _ in missing}
    done = len(todo) - len(missing)
    counts = f"{done} of {_many(len(todo), 'obligation')}" if missing else _many(done, "obligation")
    return Report(
        "prove",
        Verdict.VIOLATED if found else Verdict.INCONCLUSIVE if reasons else Verdict.HOLDS,
        f"{counts} of {_named(protocol)}, for any number of {_elements(protocol)}",
        found,
        tuple(evolve(m, searched=said) if m.counterexample_to_induction else m for _, m in missing),
        () if found else tuple(reasons),
        {"obligations": len(todo), "proved": done},
        {p.name: "it is not first-order: explore checks it" for p in claimed if not p.first_order},
        tuple(p.name for p in claimed if p.first_order and p not in unproved),
        {"not vacuous": about.rows} if about.rows else {},
    )


def _said(searched: Searched) -> str:
    if searched.found is not None:
        return f"a trace of {_many(len(searched.found.path.steps), 'step')} is a violation"
    gave_up = ", where the solver gave up" if searched.gave_up else ""
    return f"no violation was found in {searched.scope}{gave_up}"


def _named(protocol: Protocol) -> str:
    return f"{protocol.name} ({', '.join(layer.name for layer in protocol.layers)})"


def _elements(protocol: Protocol) -> str:
    *most, last = [f"{s.__name__.lower()}s" for s in protocol.sorts]
    return f"{', '.join(most)} and {last}" if most else last


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
