"""
Each lemma forgotten: then the proof must not go through any more, or nobody needs it.

The protocol stays as it is, so no trace shows anything. What notices is the proof itself. A lemma
is a sentence that somebody wrote, and is forgotten with all that was made of it: where shards lose
state, what it says after each loss. What was made of a property that is to be proved is no lemma.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol, symbols_of
from shardproof_models.mistakes import GENERATED, Kind
from shardproof_properties.property import Property, Role

from .equivalence import Claim
from .row import Fate, Row
from .solver import Solver

#: What is appended to the name of a sentence by what makes more of it: a part, a symbol, a loss.
_MADE_OF = re.compile(r", part \d+,.*| after a loss at .*|\[.*")


def sentence(p: Property) -> str:
    """The name of the sentence that `p` is, or was made of."""
    return _MADE_OF.sub("", p.name)


def sentences(properties: Sequence[Property]) -> tuple[str, ...]:
    """The names of the lemmas that somebody wrote."""
    proved = {sentence(p) for p in properties if p.role is Role.SAFETY}
    lemmas = (sentence(p) for p in properties if p.role is Role.LEMMA and p.first_order)
    return tuple(dict.fromkeys(name for name in lemmas if name not in proved))


def lemma_rows(
    protocol: Protocol,
    properties: tuple[Property, ...],
    solver: Solver,
    clock: Callable[[], float],
    names: Sequence[str] | None = None,
) -> Iterator[Row]:
    """A row for each lemma, or for those called `names`: without it, the first obligation not proved."""
    for name in sentences(properties) if names is None else names:
        started = clock()
        mine = [p for p in properties if p.role is Role.LEMMA and sentence(p) == name]
        others = tuple(p for p in properties if p not in mine)
        claims = _likely_first(protocol, mine, solver.claims(protocol, others))
        missing = next((c for c in claims if not solver.proves(c)), None)
        yield Row(
            title(name),
            protocol.name,
            Kind.LEMMA,
            GENERATED,
            Fate.SURVIVED if missing is None else Fate.KILLED,
            property=missing.name if missing else "",
            property_id=mine[0].id,
            engine="prove" if missing else "",
            reason="" if missing else "everything is proved without it",
            seconds=clock() - started,
        )


def title(name: str) -> str:
    """What the mistake is called, of forgetting the lemma called `name`."""
    return f"the proof without {name}"


def _likely_first(protocol: Protocol, mine: Sequence[Property], claims: Sequence[Claim]) -> list[Claim]:
    """Claims in the order in which they are likely to need it: those that speak of the same, first."""
    read = symbols_of(*(protocol.expand(p.body) for p in mine))

    def apart(claim: Claim) -> int:
        return len(read - _symbols(claim))

    return sorted(claims, key=apart)


def _symbols(claim: Claim) -> set[Symbol[Any, Any]]:
    return symbols_of(claim.goal, claim.guard)
