"""
Each lemma forgotten: then the proof must not go through any more, or nobody needs it.

The protocol stays as it is, so no trace shows anything. What notices is the proof itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol, symbols_of
from shardproof_models.mistakes import GENERATED, Kind
from shardproof_properties.property import Property, Role

from .equivalence import Claim
from .judge import Solver
from .row import Fate, Row


def lemma_rows(
    protocol: Protocol, properties: tuple[Property, ...], solver: Solver, clock: Callable[[], float]
) -> Iterator[Row]:
    """A row for each lemma: without it, the first obligation that is no longer proved."""
    for lemma in (p for p in properties if p.role is Role.LEMMA and p.first_order):
        started = clock()
        claims = solver.claims(protocol, tuple(p for p in properties if p is not lemma))
        missing = next((c for c in _likely_first(protocol, lemma, claims) if not solver.proves(c)), None)
        yield Row(
            f"the proof without {lemma.name}",
            protocol.name,
            Kind.LEMMA,
            GENERATED,
            Fate.SURVIVED if missing is None else Fate.KILLED,
            property=missing.name if missing else "",
            property_id=lemma.id,
            engine="prove" if missing else "",
            reason="" if missing else "everything is proved without it",
            seconds=clock() - started,
        )


def _likely_first(protocol: Protocol, lemma: Property, claims: Sequence[Claim]) -> list[Claim]:
    """Claims in the order in which they are likely to need the lemma: those that speak of the same, first."""
    read = symbols_of(protocol.expand(lemma.body))

    def apart(claim: Claim) -> int:
        return len(read - _symbols(claim))

    return sorted(claims, key=apart)


def _symbols(claim: Claim) -> set[Symbol[Any, Any]]:
    return symbols_of(claim.goal, claim.guard)
