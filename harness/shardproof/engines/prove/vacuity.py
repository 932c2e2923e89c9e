"""
Whether a proof is about anything.

From assumptions that contradict each other everything follows, and of a protocol in which
nothing happens every sentence is true. So there has to be a small world of which all is true
that the proof assumes; traces have to reach every witness; and every action has to be seen
to happen, or proved to be impossible, as `finalise` is where blocks are final at once.
"""

from __future__ import annotations

from attrs import frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import FALSE
from shardproof_properties.property import Property, Role

from .counterexample import SIZE_MAX, counterexample
from .induction import Prover
from .obligations import Obligation, assumptions
from .search import WITNESS_STEPS, witnesses


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
    steps: int = WITNESS_STEPS,
) -> Vacuity:
    """Whether a proof that assumes `properties` is about anything; witnesses are those in `claimed`."""
    assumed = assumptions(protocol, properties)
    if not _satisfiable(protocol, Obligation("nothing is possible", assumed, FALSE), prover):
        sizes = f"no world of up to {SIZE_MAX} elements a sort does"
        return Vacuity(reasons=(f"nothing is known to satisfy what the proof assumes: {sizes}",))
    wanted = tuple(p for p in claimed if p.role is Role.WITNESS)
    seen = witnesses(protocol, wanted, seed=prover.seed, timeout_ms=prover.timeout_ms, steps=steps)
    rows = [(p.name, f"reached within {steps} steps") for p in seen.reached]
    reasons = [
        f"the witness {p.name} was not reached "
        + ("in the solver's time" if p in seen.undecided else f"within {steps} steps")
        for p in wanted
        if p not in seen.reached
    ]
    for action in protocol.actions:
        if action not in seen.actions:
            never = Obligation(f"{action.name} cannot happen", assumed, FALSE, None, action, action.guard)
            if not _satisfiable(protocol, never, prover) and prover.matched(never):
                rows.append((action.name, "cannot happen in this protocol (proved)"))
            else:
                reasons.append(f"{action.name} was not seen to happen within {steps} steps")
    return Vacuity(tuple(rows), tuple(reasons))


def _satisfiable(protocol: Protocol, never: Obligation, prover: Prover) -> bool:
    return counterexample(protocol, never, seed=prover.seed, timeout_ms=prover.timeout_ms) is not None
