"""
Whether a proof is about anything.

From assumptions that contradict each other everything follows, and of a protocol in which
nothing happens every sentence is true. So there has to be a small world of which all is true
that the proof assumes; traces have to reach every witness; and every action has to be
possible, or proved to be impossible, as `finalise` is where blocks are final at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import FALSE, Bool
from shardproof_properties.property import Property, Role

from .counterexample import SIZE_MAX, counterexample
from .induction import Prover
from .obligations import Obligation, assumptions
from .search import WITNESS_STEPS, Seen, witnesses


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
    """Whether a proof that assumes `properties` is about anything; of witnesses, those in `claimed` are sought."""
    assumed = assumptions(protocol, properties)
    if not _satisfiable(
        protocol, Obligation("the assumptions contradict each other", assumed, FALSE), prover
    ):
        return Vacuity(
            reasons=(
                f"nothing is known to satisfy what the proof assumes: no world of up to {SIZE_MAX} elements a sort does",
            )
        )
    wanted = tuple(p for p in claimed if p.role is Role.WITNESS)
    seen = witnesses(protocol, wanted, seed=prover.seed, timeout_ms=prover.timeout_ms) if wanted else Seen()
    rows = [(p.name, f"reached within {steps} steps") for p, steps in seen.reached.items()]
    reasons = [
        f"the witness {p.name} was not reached "
        + ("in the solver's time" if p in seen.undecided else f"in {WITNESS_STEPS} steps")
        for p in wanted
        if p not in seen.reached
    ]
    for name, impossible in _impossible(protocol, assumed, seen, prover):
        if impossible:
            rows.append((name, "cannot happen in this protocol (proved)"))
        else:
            reasons.append(f"nothing shows that {name} can happen")
    return Vacuity(tuple(rows), tuple(reasons))


def _impossible(
    protocol: Protocol, assumed: tuple[Bool, ...], seen: Seen, prover: Prover
) -> Iterator[tuple[str, bool]]:
    """The actions that no small world allows, and whether no world at all does."""
    for action in protocol.actions:
        if action not in seen.actions:
            never = Obligation(f"{action.name} cannot happen", assumed, FALSE, None, action, action.guard)
            if not _satisfiable(protocol, never, prover):
                yield action.name, prover.matched(never)


def _satisfiable(protocol: Protocol, never: Obligation, prover: Prover) -> bool:
    return counterexample(protocol, never, seed=prover.seed, timeout_ms=prover.timeout_ms) is not None
