"""
The model as an oracle: compiled for a number of shards and of slots for what is in flight.

A run of an implementation has no finite scope: it emits as long as it likes. So the oracle
has slots, which the lockstep gives to receipts and headers as they come and takes back when
they are done with; slot 0 stands for whatever nobody emitted.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from attrs import field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.layers.exactly_once import Count, Header, Key, Receipt, Shard, commits, emitted
from shardproof_models.layers.finality import Height
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .readings.generated import Check, Generated
from .readings.rows import World
from .readings.scope import Scope

#: The slot for a receipt that nobody emitted: one attempt at a time needs one.
FORGED = 0

#: Slots beyond which a longer run does not get more: it forgets what is done with.
SLOTS_MAX = 256


@frozen(eq=False)
class Oracle:
    """The model, compiled for a number of shards and slots; one serves many runs."""

    protocol: Protocol
    shards: int
    receipts: int = 65
    headers: int = 72
    generated: Generated = field(init=False)
    start: World = field(init=False)
    checks: tuple[tuple[Property, Check], ...] = field(init=False)
    #: Every property that applies, by its name without the symbol that a schema adds.
    catalogue: dict[str, Property] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Key slots are receipt slots; the headers begin with a genesis a shard and the null header.
        sizes: dict[Any, int | range] = {
            Shard: self.shards,
            Receipt: self.receipts,
            Key: self.receipts,
            Header: self.headers,
            Count: range(1 << 30),
            Height: range(1 << 30),
        }
        shards = self.shards
        rigid: dict[str, Callable[..., int]] = {
            "source": lambda _: 0,
            "destination": lambda _: 0,
            "key": lambda m: m,
            "origin": lambda h: h if h < shards else 0,
            "genesis": lambda s: s,
        }
        generated = Generated(self.protocol, Scope(sizes, rigid), bounded=False)
        object.__setattr__(self, "generated", generated)
        object.__setattr__(self, "start", generated.initial())
        judges = properties_of(self.protocol, Role.SAFETY, Role.STEP)
        checks = tuple((p, generated.check(p.variables, p.body)) for p in judges)
        object.__setattr__(self, "checks", checks)
        catalogue = {p.name.partition("[")[0]: p for p in properties_of(self.protocol)}
        object.__setattr__(self, "catalogue", catalogue)

    @property
    def commits(self) -> int:
        """Where worlds keep what headers commit to."""
        return self.generated.index[commits]

    @property
    def emitted(self) -> int:
        """Where worlds keep what was emitted."""
        return self.generated.index[emitted]

    @property
    def null(self) -> int:
        """The slot of the header that nobody produced."""
        return self.shards

    @property
    def first_header(self) -> int:
        """The first slot for headers that are produced."""
        return self.shards + 1

    def broken(self, before: World, after: World, touched: dict[type, Sequence[int]]) -> list[Property]:
        """The safety properties that the step broke, looking at what it touched."""
        found = []
        for p, check in self.checks:
            domains = [touched.get(type(v)) or range(self.shards) for v in p.variables]
            for values in itertools.product(*domains):
                step = p.role is Role.STEP
                if not (check(before, *values, after=after) if step else check(after, *values)):
                    found.append(p)
                    break
        return found

    @classmethod
    def for_run(cls, protocol: Protocol, shards: int, moves: int, crowd: int = 0) -> Oracle:
        """An oracle with room for a run of so many moves, or for what is in flight in a longer one."""
        receipts = min(moves + 4, max(SLOTS_MAX, 16 * shards, crowd + SLOTS_MAX))
        headers = min(moves + 4, max(SLOTS_MAX, 8 * shards))
        return cls(protocol, shards, receipts, shards + 1 + headers)
