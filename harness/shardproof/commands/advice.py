"""
Which verb to write next: the one that opens most properties, or most attacks, for the least work.

No table says what a verb is good for. Each candidate is added to what the adapter can do, and the
sentences, or the kinds of attack, that then apply are counted; so the advice is what the harness will
do with it.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from shardproof_models.language.protocol import CompositionError, Layer
from shardproof_models.language.terms import Kind
from shardproof_models.layers.deadlines import deadlines
from shardproof_models.layers.exactly_once import Receipt, exactly_once
from shardproof_models.stacks import layers_for

from ..adapter import CAPABILITIES
from ..attacks import NEEDS
from ..deeds import DEEDS
from ..observable import OBSERVABLE, lacking
from ..selection import Applicable, applicable

#: So many pieces of advice are enough for one day.
ADVICE_MAX = 3


@frozen
class Advice:
    """Verbs to write together, and what they open."""

    verbs: tuple[str, ...]
    opens: tuple[Applicable, ...]


def advice(capable: frozenset[str], follows: str = "") -> tuple[Advice, ...]:
    """What to write next, best first: most sentences for each verb, then fewest verbs."""
    now = {s.name for s in applicable(capable, follows) if not s.not_applicable}
    found: dict[frozenset[str], Advice] = {}
    for wanted in _candidates(capable):
        try:
            verbs = wanted | (_resting_on(wanted, capable, follows) - capable)
            then = applicable(capable | verbs, follows)
        except CompositionError:
            # It would be two systems in one: expiry told by proof and by response, for example.
            continue
        opens = tuple(s for s in then if not s.not_applicable and s.name not in now)
        if opens:
            ordered = tuple(v for v in CAPABILITIES if v in verbs)
            found[frozenset(s.name for s in opens)] = Advice(ordered, opens)
    best = sorted(found.values(), key=lambda a: (-len(a.opens) / len(a.verbs), len(a.verbs), a.verbs))
    return tuple(best[:ADVICE_MAX])


#: Verbs by which an adversary comes to know what bytes mean. They open no property, and are worth as much.
UNDERSTANDING = frozenset({"forge", "dissect", "assemble", "assemble_multiproof", "leaf", "reenter"})


@frozen
class Sharper:
    """Verbs to write together, and the kinds of attack that they make possible."""

    verbs: tuple[str, ...]
    attacks: tuple[str, ...]


def sharper(capable: frozenset[str]) -> tuple[Sharper, ...]:
    """What would let the adversary try more, best first: most kinds of attack for each verb."""
    found = []
    for wanted in {frozenset(needs) - capable for needs in NEEDS.values()} - {frozenset()}:
        if wanted <= UNDERSTANDING:
            opens = (
                kind for kind, needs in NEEDS.items() if wanted & {*needs} and {*needs} <= wanted | capable
            )
            found.append(Sharper(tuple(v for v in CAPABILITIES if v in wanted), tuple(opens)))
    best = sorted(found, key=lambda a: (-len(a.attacks) / len(a.verbs), len(a.verbs), a.verbs))
    return tuple(best[:ADVICE_MAX])


def _candidates(capable: frozenset[str]) -> Iterator[frozenset[str]]:
    """Each missing verb, and the verbs that a sentence lacks together."""
    alone = (frozenset({verb}) for verb in CAPABILITIES if verb not in capable)
    together = (frozenset(lacking(name, capable)) for name in OBSERVABLE)
    # The largest first: of two that open the same, the smaller one is kept.
    yield from sorted({*alone, *together} - {frozenset()}, key=lambda v: (-len(v), sorted(v)))


def _resting_on(verbs: frozenset[str], capable: frozenset[str], follows: str) -> frozenset[str]:
    """Without what other verbs a system would never come to do these."""
    needed = {deed.evidence for verb in verbs if (deed := DEEDS.get(verb))} & {*CAPABILITIES}
    brought = {*layers_for(capable | verbs, follows)} - {*layers_for(capable, follows)}
    whole = brought | {below for layer in brought for below in layer.needs if below is not exactly_once}
    if any(_carried(layer) for layer in whole):
        # What a receipt carries is said when it is sent, and in no other way.
        needed.add("send")
    if deadlines in whole:
        # Without time nothing expires.
        needed.add("advance_clock")
    return frozenset(needed)


def _carried(layer: Layer) -> bool:
    """Whether receipts have something more where this layer is."""
    return any(s.kind is Kind.RIGID and tuple(map(type, s.parameters)) == (Receipt,) for s in layer.symbols)
