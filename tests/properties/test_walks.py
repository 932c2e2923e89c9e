"""
What no solver can read, because it is a sum, is true along walks; and so is everything that is proved.

A proof by induction says nothing of a lemma that the reading of the solver gets wrong. Here the
generated reading looks at worlds that are reached, many steps from the first one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import evolve

from shardproof.engines.prove import walks
from shardproof.engines.prove.walks import Watched, walked
from shardproof.readings.scopes import scope_of
from shardproof_models.language.actions import Effect, Write
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol
from shardproof_models.layers.escrow import locked, minted
from shardproof_models.layers.queues import queued
from shardproof_models.layers.value import balance
from shardproof_models.stacks import STACKS, stack
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

pytestmark = pytest.mark.heavy

#: Invariants of any kind, and what must be possible.
STATED = (Role.SAFETY, Role.ENABLED)

#: The largest has copies of copies; its parts are here.
WALKED = tuple(name for name in STACKS if name != "everything")


def denied(protocol: Protocol) -> tuple[Property, ...]:
    """The opposite of each invariant, as something to be reached."""
    return tuple(
        evolve(p, role=Role.WITNESS, body=~p.body) for p in properties_of(protocol) if p.role in STATED
    )


def violated(
    protocol: Protocol, sentences: tuple[Property, ...], monkeypatch: pytest.MonkeyPatch, count: int
) -> set[str]:
    """Which of what was `denied` so many walks come past; they end once all has been seen."""
    monkeypatch.setattr(walks, "WALKS", count)
    found: Watched = walked(protocol, scope_of(protocol, receipts=3), sentences, seed=0)
    return {p.name for p in found.reached}


def sees(sentence: str, protocol: Protocol, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether walks that look at this one sentence, and so at no other at every step, find it violated."""
    (about,) = (p for p in denied(protocol) if p.name == sentence)
    return violated(protocol, (about,), monkeypatch, 200) == {sentence}


@pytest.mark.parametrize("name", WALKED)
def test_no_walk_violates_anything(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sums included: that value is conserved, that counters count."""
    assert violated(stack(name), denied(stack(name)), monkeypatch, 40) == set()


def without(protocol: Protocol, action: str, wrong: Callable[[Effect], bool]) -> Protocol:
    """`action` without the effects that are `wrong`."""
    actions = (
        evolve(a, effects=tuple(e for e in a.effects if not wrong(e))) if a.name == action else a
        for a in protocol.actions
    )
    return evolve(protocol, actions=tuple(actions))


def adds_to(symbol: Symbol[Any, Any]) -> Callable[[Effect], bool]:
    return lambda e: e.symbol is symbol and e.write is Write.ADD


@pytest.mark.parametrize(
    "name, action, symbol, sentence",
    [
        ("near", "emit", balance, "books-say-what-accounts-hold"),
        ("near", "emit", queued, "queues-count-what-they-hold"),
        ("bridge", "deliver", minted, "all-that-is-abroad-is-locked"),
        ("ibc-ordered", "time_out", locked, "all-that-is-abroad-is-locked-or-refunded"),
    ],
)
def test_a_sum_that_is_wrong_is_seen(
    name: str, action: str, symbol: Symbol[Any, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One addition is forgotten, and the books do not say what there is."""
    assert sees(sentence, without(stack(name), action, adds_to(symbol)), monkeypatch)


@pytest.mark.parametrize(
    "name, action, sentence",
    [
        ("bridge", "deliver", "supply-is-constant"),
        ("ibc-allow-timeout", "time_out", "supply-is-constant-with-refunds"),
        ("near", "deliver", "supply-is-constant-with-responses"),
    ],
)
def test_value_that_is_lost_is_missed(
    name: str, action: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was debited is credited to nobody, in accounts and books alike."""

    def of_value(effect: Effect) -> bool:
        return effect.symbol.sort.__name__ == "Amount"

    assert sees(sentence, without(stack(name), action, of_value), monkeypatch)
