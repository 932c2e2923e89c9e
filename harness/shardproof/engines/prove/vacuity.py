"""
Whether a proof is about anything.

From assumptions that contradict each other everything follows, and of a protocol in which
nothing happens every sentence is true. So there has to be a small world of which all is true
that the proof assumes; traces have to reach every witness; and every action has to be seen
to happen, or at least to be enabled in a world that satisfies all that is assumed, or proved to
be impossible, as `finalise` is where blocks are final at once. Which of these it was, is said.
"""

from __future__ import annotations

from attrs import frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import FALSE
from shardproof_properties.property import Property, Role

from ...readings.evaluate import Evaluator
from ...readings.scopes import scope_of
from .counterexample import possible
from .happening import happening, taken_within
from .induction import Prover
from .obligations import Obligation, assumptions


@frozen
class Vacuity:
    """What was seen to happen, and why the proof may be about nothing."""

    #: Names of witnesses and actions -> what is known of them.
    rows: tuple[tuple[str, str], ...] = ()
    reasons: tuple[str, ...] = ()


def vacuity(
    protocol: Protocol,
    properties: tuple[Property, ...],
    claimed: tuple[Property, ...],
    prover: Prover,
) -> Vacuity:
    """Whether a proof that assumes `properties` is about anything; witnesses are those in `claimed`."""
    if (contradiction := _contradicted(protocol, properties)) is not None:
        return Vacuity(reasons=(contradiction,))
    wanted = tuple(p for p in claimed if p.role is Role.WITNESS)
    seen = happening(protocol, wanted, seed=prover.seed, timeout_ms=prover.timeout_ms)
    rows = [(p.name, f"reached by a trace of {seen.reached[p]} steps") for p in wanted if p in seen.reached]
    reasons = [
        f"the witness {p.name} was not reached by {seen.searched}" for p in wanted if p not in seen.reached
    ]
    assumed = assumptions(protocol, properties)
    for action in protocol.actions:
        if action not in seen.taken:
            never = Obligation(f"{action.name} cannot happen", assumed, FALSE, None, action, action.guard)
            if possible(protocol, never, seed=prover.seed, timeout_ms=prover.timeout_ms):
                rows.append(
                    (action.name, "enabled in a world that satisfies the invariants; no trace took it")
                )
            elif prover.matched(never):
                rows.append((action.name, "cannot happen in this protocol (proved)"))
            else:
                reasons.append(f"{action.name} was not seen to happen, and is enabled in no small world")
    return Vacuity(tuple(rows), tuple(reasons))


def idleness(protocol: Protocol, properties: tuple[Property, ...], prover: Prover, steps: int) -> Vacuity:
    """Whether traces of up to `steps` steps are about anything: sentences about what takes more are not."""
    if (contradiction := _contradicted(protocol, ())) is not None:
        return Vacuity(reasons=(contradiction,))
    assumed = assumptions(protocol, properties)
    seen = taken_within(protocol, steps, seed=prover.seed, timeout_ms=prover.timeout_ms)
    rows, reasons = [], []
    for action in protocol.actions:
        if action not in seen:
            never = Obligation(f"{action.name} cannot happen", assumed, FALSE, None, action, action.guard)
            if prover.matched(never):
                rows.append((action.name, "cannot happen in this protocol (proved)"))
            else:
                reasons.append(f"{action.name} was not seen to happen within {steps} steps")
    return Vacuity(tuple(rows), tuple(reasons))


def _contradicted(protocol: Protocol, properties: tuple[Property, ...]) -> str | None:
    """What is assumed and false in the first world of the plain topology, where all of it should be true."""
    evaluator = Evaluator(protocol, scope_of(protocol))
    world = evaluator.initial()
    first = next((a for a in assumptions(protocol, properties) if not evaluator.value(a, world, {})), None)
    if first is None:
        return None
    where = f"at the start with {evaluator.scope.said}"
    return f"nothing is known to satisfy what the proof assumes: {where}, not {first}"
