"""
What can happen: for each witness a trace that reaches it, for each action one that takes it.

Random walks show most of it in no time. What needs a long preparation they miss, and the solver
finds: it looks for all traces of a length at once, in the plain topology, which is known, so that
it can look far. The shortest lengths come first, because they cost least.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term
from shardproof_models.layers.exactly_once import Count
from shardproof_models.layers.reorganisation import FOUNDED
from shardproof_models.layers.value import Amount
from shardproof_properties.property import Property

from ...readings.scope import Scope
from ...readings.scopes import scope_of
from .unrolled import GaveUpError, Unrolled
from .walks import WALKS, Watched, walked

#: Where walks go.
WALKED: Mapping[str, int] = {"receipts": 3, "headers": 2}

#: Where the solver looks for what walks have missed, and how far, the cheapest place first.
SEARCHED: tuple[tuple[Mapping[str, int], tuple[int, ...]], ...] = (
    ({"receipts": 1, "headers": 1}, (15,)),
    ({"receipts": 3, "headers": 1}, (16, 20)),
    ({"receipts": 2, "headers": 2}, (24,)),
)

#: Where the solver looks, nobody executes twice, and nobody is rich: each number costs it.
FEW: Mapping[type[Term], int | range] = {Count: range(3), Amount: range(-1, 5)}


@frozen(eq=False)
class Happened:
    """Witnesses and actions that traces have shown, and the lengths of the traces."""

    reached: Mapping[Property, int]
    taken: Mapping[Action, int]
    #: What was searched for what is missing.
    searched: str


def happening(protocol: Protocol, wanted: tuple[Property, ...], *, seed: int, timeout_ms: int) -> Happened:
    """Which of `wanted` some trace reaches, and which actions some trace takes."""
    watched = walked(protocol, scope_of(protocol, **WALKED), wanted, seed)
    reached, taken = dict(watched.reached), dict(watched.taken)
    searched = f"{WALKS} walks at random"
    # A split or a merge writes nearly every cell. Where one was seen, no other witness needs one.
    calm = evolve(
        protocol, actions=tuple(a for a in protocol.actions if a.name not in FOUNDED or a not in taken)
    )
    for sizes, lengths in SEARCHED:
        missing = tuple(p for p in wanted if p not in reached)
        if not missing:
            break
        scope = scope_of(calm, **sizes, reserves=0)
        found = _reached(calm, _cheap(scope), missing, lengths, seed, timeout_ms)
        reached |= found.reached
        taken = {**found.taken, **taken}
        searched = f"{WALKS} walks at random, nor by traces of up to {lengths[-1]} steps with {scope.said}"
    return Happened(reached, taken, searched)


def _cheap(scope: Scope) -> Scope:
    return evolve(scope, sizes={**scope.sizes, **FEW})


def _reached(
    protocol: Protocol,
    scope: Scope,
    wanted: tuple[Property, ...],
    lengths: tuple[int, ...],
    seed: int,
    timeout_ms: int,
) -> Watched:
    """Which of `wanted` traces of up to one of `lengths` reach, as the solver says."""
    watched = Watched.at(protocol, scope, wanted)
    traces = Unrolled(protocol, scope, seed, timeout_ms, idle=True)
    for length in lengths:
        while traces.length < length:
            traces.extend()
        for p in wanted:
            if p in watched.wanted:
                try:
                    path = traces.find(traces.last(traces.translated(protocol.expand(p.formula))))
                except GaveUpError:
                    return watched
                if path is not None:
                    watched.follow(path.steps)
    return watched


def taken_within(protocol: Protocol, steps: int, *, seed: int, timeout_ms: int) -> frozenset[Action]:
    """The actions that some trace of up to so many steps takes, in the plain topology."""
    scope = _cheap(scope_of(protocol))
    traces = Unrolled(protocol, scope, seed, timeout_ms, idle=True)
    for _ in range(steps):
        traces.extend()
    taken: set[Action] = set()
    for action in protocol.actions:
        if action not in taken:
            try:
                path = traces.find(traces.taken(action))
            except GaveUpError:
                continue
            if path is not None:
                taken |= {a for a, _ in path.steps}
    return frozenset(taken)
