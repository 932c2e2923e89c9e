"""
What can happen: for each witness a trace that reaches it, for each action one that takes it.

Random walks show most of it in no time. What needs a long preparation they miss, and the solver
finds: it looks for all traces of a length at once, in the plain topology, which is known, so that
it can look far. The shortest lengths come first, because they cost least.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import evolve, frozen

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term, symbols_of
from shardproof_models.layers.exactly_once import Count
from shardproof_models.layers.reorganisation import FOUNDED, revert
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

#: What changes nearly every cell at once, and which few witnesses are about.
SWEEPING = (*FOUNDED, revert.name, "crash")

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
    for place, (sizes, lengths) in enumerate(SEARCHED):
        missing = tuple(p for p in wanted if p not in reached)
        # Some actions are impossible, and that is proved elsewhere: they are looked for in one place.
        if not missing and (place or len(taken) == len(protocol.actions)):
            break
        smaller = without_the_rest(protocol, missing, taken)
        scope = scope_of(protocol, **sizes, reserves=0)
        unseen = {a.name for a in protocol.actions if a not in taken}
        found = _reached(smaller, _cheap(scope), missing, unseen, lengths, seed, timeout_ms)
        reached |= found.reached
        taken = {**{protocol.action(a.name): n for a, n in found.taken.items()}, **taken}
        searched = f"{WALKS} walks at random, nor by traces of up to {lengths[-1]} steps with {scope.said}"
    return Happened(reached, taken, searched)


def without_the_rest(protocol: Protocol, wanted: tuple[Property, ...], taken: Collection[Action]) -> Protocol:
    """
    A protocol with fewer actions and symbols, whose traces are traces of this one, to look for `wanted` in.

    Actions that write nearly every cell are left out, once they were seen, unless nothing else can
    write what is wanted. So is every symbol on which neither a guard depends nor what is wanted.
    """
    looked_at = symbols_of(*(protocol.expand(p.body) for p in wanted))

    def needed(action: Action) -> bool:
        others = {e.symbol for a in protocol.actions if a.name not in SWEEPING for e in a.effects}
        return any(e.symbol in looked_at and e.symbol not in others for e in action.effects)

    actions = [a for a in protocol.actions if a.name not in SWEEPING or a not in taken or needed(a)]
    read = {e: symbols_of(e.value, e.where, *e.cell.args) for a in actions for e in a.effects}
    seen = looked_at | symbols_of(*(c.condition for a in actions for c in a.clauses))
    while more := {s for e, symbols in read.items() if e.symbol in seen for s in symbols} - seen:
        seen |= more
    return evolve(
        protocol,
        symbols=tuple(s for s in protocol.symbols if s in seen or not s.is_state),
        actions=tuple(evolve(a, effects=tuple(e for e in a.effects if e.symbol in seen)) for a in actions),
    )


def _cheap(scope: Scope) -> Scope:
    return evolve(scope, sizes={**scope.sizes, **FEW})


def _reached(
    protocol: Protocol,
    scope: Scope,
    wanted: tuple[Property, ...],
    unseen: Collection[str],
    lengths: tuple[int, ...],
    seed: int,
    timeout_ms: int,
) -> Watched:
    """Which of `wanted`, and which actions, traces of up to one of `lengths` reach, as the solver says."""
    watched = Watched.at(protocol, scope, wanted)
    traces = Unrolled(protocol, scope, seed, timeout_ms, idle=True)
    for length in lengths:
        while traces.length < length:
            traces.extend()
        asked = [
            *((p, traces.last(traces.translated(protocol.expand(p.formula)))) for p in wanted),
            *((a, traces.taken(a)) for a in protocol.actions if a.name in unseen),
        ]
        for what, formula in asked:
            if what in watched.wanted or (isinstance(what, Action) and what not in watched.taken):
                try:
                    path = traces.find(formula)
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
