"""The finite scopes of the core protocol: so many shards, receipts and blocks, with one plain topology."""

from __future__ import annotations

from collections.abc import Mapping

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term
from shardproof_models.layers.exactly_once import Count, Header, Key, Receipt, Shard
from shardproof_models.layers.finality import Height

from ..errors import UsageError, nearest
from .scope import Scope

DEFAULTS: Mapping[str, int] = {"shards": 2, "receipts": 2, "headers": 1}


def scope_of(protocol: Protocol, **sizes: int) -> Scope:
    """
    A scope of so many `shards`, `receipts`, and `headers` (blocks a shard, besides its genesis).

    Receipt k goes from shard k to the next one; its key is its own. Raises `UsageError`.
    """
    for name, size in sizes.items():
        if name not in DEFAULTS:
            raise UsageError(f"a scope has no {name!r}", help=nearest(name, DEFAULTS))
        if not 1 <= size <= 64:
            raise UsageError(f"a scope needs from 1 to 64 {name}", got=size)
    shards, receipts, headers = ({**DEFAULTS, **sizes}[name] for name in ("shards", "receipts", "headers"))
    entities: dict[type[Term], int | range] = {
        Shard: shards,
        Receipt: receipts,
        Key: receipts,
        Header: shards * (headers + 1),
        # Executed three times is one more than any mistake needs to show itself.
        Count: range(4),
        Height: range(headers + 2),
    }
    meaning = {
        "source": lambda m: m % shards,
        "destination": lambda m: (m + 1) % shards,
        "key": lambda m: m,
        "origin": lambda h: h % shards,
        "genesis": lambda s: s,
    }
    said = f"{_many(shards, 'shard')}, {_many(receipts, 'receipt')} and {_many(headers, 'block')} a shard"
    missing = [s.name for s in protocol.rigid if s.name not in meaning]
    if missing:
        raise UsageError(f"no scope is known for a protocol with {', '.join(missing)}")
    return Scope(entities, {s.name: meaning[s.name] for s in protocol.rigid}, said)


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
