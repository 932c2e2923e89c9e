"""
A shard changes only what it keeps: of each action, in whose hands it is (P27).

What a guard may read is one half of isolation, what the effects write is the other. Made from the
protocol, one sentence for each action: wherever it is accepted, each cell that it changes is public,
or is kept by the shard at which it happens, or by one that has retired and has no say any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shardproof_models.language.actions import Action, Effect, Write
from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import (
    FALSE,
    Bool,
    Kind,
    Term,
    all_of,
    close,
    coerce,
    equal,
    implies,
)
from shardproof_models.layers.exactly_once import Shard
from shardproof_models.layers.reorganisation import home_of, kept
from shardproof_models.layers.resharding import live, merge, resharding, split

from .property import Catalogue, Property, Role

at_home = Catalogue()

#: Actions that several shards take together, and why.
TOGETHER: Mapping[str, str] = {
    split.name: "a shard hands over to its heirs, who have not begun",
    merge.name: "two shards hand over to one, which has not begun",
}


@at_home.schema
def changes_only_what_it_keeps(protocol: Protocol) -> Iterator[Property]:
    """P27, for each action that happens at a shard."""
    for action in protocol.actions:
        if action.actor is not None and action.name not in TOGETHER:
            kept_here = [p for e in action.effects for p in _at_home(protocol, action, e)]
            if kept_here:
                yield Property(
                    "P27",
                    f"changes-only-what-it-keeps[{action.name}]",
                    Role.ENABLED,
                    tuple(action.parameters),
                    implies(action.guard, all_of(*kept_here)),
                    "what one shard may change of another, anybody may",
                    "What a shard does changes only what it keeps, and what is public.",
                )


def _at_home(protocol: Protocol, action: Action, effect: Effect) -> Iterator[Bool]:
    # Ghosts are history, which no shard keeps from another.
    if isinstance(effect.symbol.home, Term) and effect.symbol.kind is Kind.STATE:
        here = kept(protocol, effect.symbol, effect.cell.args, coerce(action.actor, Shard))
        if effect.each:
            # Of many cells at once, those elsewhere are left as they are.
            here |= equal(effect.cell, effect.value) if effect.write is Write.ASSIGN else FALSE
            home = coerce(home_of(effect.symbol, effect.cell.args), Shard)
            here |= ~live(home) if resharding in protocol.layers else FALSE
        yield close(effect.each, implies(effect.where, here))
