"""
The model as an oracle: compiled for a number of shards and of slots for what is in flight.

A run of an implementation has no finite scope: it emits as long as it likes. So the oracle
has slots, which the lockstep gives to receipts and headers as they come and takes back when
they are done with; slot 0 stands for whatever nobody emitted.

What judges is not the whole stack but its projection on what can be seen (`visible`): queues,
frames and records that were pruned change nothing that an implementation may do in the open.
The names of properties come from the whole stack, because its sentences are what is broken.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from attrs import field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Symbol
from shardproof_models.layers.bouncing import response
from shardproof_models.layers.deadlines import Time, deadline
from shardproof_models.layers.exactly_once import (
    Count,
    Header,
    Key,
    Receipt,
    Shard,
    commits,
    destination,
    emitted,
    source,
)
from shardproof_models.layers.finality import Height
from shardproof_models.layers.sequencing import Channel, channel, sequencing
from shardproof_models.layers.sequencing import Sequence as Position
from shardproof_models.layers.value import Account, Amount, amount
from shardproof_models.stacks import composed, visible
from shardproof_properties.catalogue import properties_of
from shardproof_properties.property import Property, Role

from .readings.generated import Check, Generated
from .readings.rows import World
from .readings.scope import Scope

#: The slot for a receipt that nobody emitted: one attempt at a time needs one.
FORGED = 0

#: Slots beyond which a longer run does not get more: it forgets what is done with.
SLOTS_MAX = 256

#: Channels from one address to another.
CHANNELS = 2

#: The deadline of what never expires.
NEVER = (1 << 62) - 1

#: What an address has to spend, for the model: whether a user can pay is the implementation's business.
ENDOWMENT = 1 << 40


@frozen(eq=False)
class Oracle:
    """The model, compiled for a number of shards and slots; one serves many runs."""

    #: The projection that judges, of what is given.
    protocol: Protocol
    shards: int
    receipts: int = 65
    headers: int = 72
    #: How many of the shards, the last ones, do not exist at the beginning.
    reserve: int = 0
    #: The stack as it was given.
    whole: Protocol = field(init=False)
    generated: Generated = field(init=False)
    start: World = field(init=False)
    checks: tuple[tuple[Property, Check], ...] = field(init=False)
    #: Every property that applies, by its name without the symbol that a schema adds.
    catalogue: dict[str, Property] = field(init=False)
    #: The names of the layers that judge.
    layers: frozenset[str] = field(init=False)
    #: For each action what its clauses refuse by, in their order; nothing comes first, as in an answer.
    refusals: Mapping[str, tuple[str, ...]] = field(init=False)
    #: Where worlds keep what headers commit to, and what was emitted.
    commits: int = field(init=False)
    emitted: int = field(init=False)
    #: Whether receipts have more to them than two ends.
    rich: bool = field(init=False)
    #: What `deliver` takes besides shard, receipt and header, if the callback succeeds, and if it fails.
    returned: tuple[int, ...] = field(init=False)
    failed: tuple[int, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        whole, judge = self.protocol, visible(self.protocol.layers)
        object.__setattr__(self, "whole", whole)
        if judge != whole.layers:
            object.__setattr__(self, "protocol", composed(judge))
        object.__setattr__(self, "layers", frozenset(x.name for x in self.protocol.layers))
        generated = Generated(self.protocol, Scope(self._sizes(), self._rigid()), bounded=False)
        object.__setattr__(self, "generated", generated)
        refusals = {a.name: ("", *(str(c.refusal) for c in a.clauses)) for a in self.protocol.actions}
        object.__setattr__(self, "refusals", refusals)
        object.__setattr__(self, "commits", generated.index[commits])
        object.__setattr__(self, "emitted", generated.index[emitted])
        object.__setattr__(self, "start", _as_it_begins(generated))
        judges = properties_of(self.protocol, Role.SAFETY, Role.STEP)
        checks = tuple((p, generated.check(p.variables, p.body)) for p in judges)
        object.__setattr__(self, "checks", checks)
        entries = (*properties_of(whole), *properties_of(self.protocol))
        object.__setattr__(self, "catalogue", {p.name.partition("[")[0]: p for p in entries})
        callback = len(self.protocol.action("deliver").parameters) - 3
        object.__setattr__(self, "returned", (1,) * callback)
        object.__setattr__(self, "failed", (0,) * callback)
        terms = {deadline, channel, amount, response}
        object.__setattr__(self, "rich", bool(terms & generated.rigid_index.keys()))
        for row in generated.rigid:
            # Numbers of receipts are written as these are emitted, so their row is not a value but a table.
            if row and isinstance(row[0], tuple):
                row[0] = list(row[0])

    def _sizes(self) -> dict[Any, int | range]:
        # Key slots are receipt slots; the headers begin with a genesis a shard and the null header.
        numbers = range(1 << 62)
        return {
            Shard: self.shards,
            Receipt: self.receipts,
            Key: self.receipts,
            Header: self.headers,
            Count: range(1 << 30),
            Height: range(1 << 30),
            Time: numbers,
            Position: numbers,
            Amount: numbers,
            Account: self.shards,
            Channel: self.shards * self.shards * CHANNELS if sequencing in self.protocol.layers else 1,
        }

    def _rigid(self) -> dict[str, Callable[..., int]]:
        shards, live = self.shards, self.shards - self.reserve
        return {
            "source": lambda _: 0,
            "destination": lambda _: 0,
            "key": lambda m: m,
            "origin": lambda h: h if h < shards else 0,
            "genesis": lambda s: s,
            "deadline": lambda _: NEVER,
            "channel": lambda _: 0,
            "sequence": lambda _: 0,
            "sender": lambda c: c // CHANNELS // shards,
            "receiver": lambda c: c // CHANNELS % shards,
            "bank": lambda a: a,
            "payer": lambda _: 0,
            "payee": lambda _: 0,
            "amount": lambda _: 0,
            "endowment": lambda _: ENDOWMENT,
            "endowed": lambda _: ENDOWMENT,
            "response": lambda _: 0,
            "answered": lambda _: FORGED,
            "onward": lambda _: 0,
            "travels": lambda _: 0,
            "first_hop": lambda _: FORGED,
            "homeward": lambda _: 0,
            "reserve": lambda s: s >= live,
            # A split gives the addresses at even places to the first child.
            "left": lambda a: a % 2 == 0,
        }

    # ---- what is rigid in a proof, and grows in a run ---------------------------------------------

    def describe(self, slot: int, s: int, d: int) -> None:
        """Say between which addresses the receipt in `slot` goes."""
        self.generated.set_rigid(source, slot, s)
        self.generated.set_rigid(destination, slot, d)

    def let(self, symbol: Symbol[Any, Any], place: int, value: int) -> None:
        """Say what a rigid function of one thing is at `place`, where the protocol has such a function."""
        generated = self.generated
        if symbol not in generated.rigid_index:
            return
        if symbol in generated.inverses:
            generated.set_rigid(symbol, place, value)
            return
        rows = generated.rigid[generated.rigid_index[symbol]]
        if isinstance(rows[0], list):
            rows[0][place] = value
        else:
            rows[0] = rows[0] & ~(1 << place) | value << place

    def rigid(self, symbol: Symbol[Any, Any], place: int) -> int:
        """What a rigid function of one thing is at `place`; 0 where the protocol has no such function."""
        if symbol not in self.generated.rigid_index:
            return 0
        return int(self.generated.rigid[self.generated.rigid_index[symbol]][0][place])

    def channel_of(self, s: int, d: int, number: int) -> int:
        """The channel of this number from one address to another."""
        return (s * self.shards + d) * CHANNELS + number % CHANNELS

    # ---- a cell of a world ------------------------------------------------------------------------

    def read(self, world: World, symbol: Symbol[Any, Any], *args: int) -> int:
        """The value of one cell; 0 where the protocol has no such symbol."""
        if symbol not in self.generated.index:
            return 0
        return self.generated.cell(world, symbol, *args)

    def write(self, world: World, symbol: Symbol[Any, Any], place: int, value: int) -> None:
        """Force one cell of a symbol of one thing."""
        rows = world[self.generated.index[symbol]]
        if isinstance(rows[0], int):
            rows[0] = rows[0] & ~(1 << place) | value << place
        else:
            rows[0] = (*rows[0][:place], value, *rows[0][place + 1 :])

    @property
    def null(self) -> int:
        """The slot of the header that nobody produced."""
        return self.shards

    def broken(
        self, before: World, after: World, touched: dict[type, Sequence[int]], live: Sequence[int] = ()
    ) -> list[Property]:
        """
        The safety properties that the step broke, looking at what it touched.

        Where a property speaks of two receipts, one was touched, and the other is any that is `live`.
        """
        found = []
        receipts = touched.get(Receipt, ())
        touched = {Key: receipts, Channel: [self.rigid(channel, m) for m in receipts], **touched}
        for p, check in self.checks:
            sorts = [type(v) for v in p.variables]
            domains = [touched.get(sort) or self._domain(sort) for sort in sorts]
            places = [i for i, sort in enumerate(sorts) if sort is Receipt]
            worlds = [domains]
            if len(places) > 1 and live:
                anything = [live if i in places else domain for i, domain in enumerate(domains)]
                worlds = [[*anything[:i], receipts, *anything[i + 1 :]] for i in places]
            step = p.role is Role.STEP
            for values in itertools.chain(*(itertools.product(*chosen) for chosen in worlds)):
                if not (check(before, *values, after=after) if step else check(after, *values)):
                    found.append(p)
                    break
        return found

    def _domain(self, sort: type) -> Sequence[int]:
        """Every shard and account; of what there is more of, only what a step has touched is looked at."""
        return range(self.shards) if sort in (Shard, Account) else ()

    @classmethod
    def for_run(cls, protocol: Protocol, shards: int, moves: int, crowd: int = 0, reserve: int = 0) -> Oracle:
        """An oracle with room for a run of so many moves, or for what is in flight in a longer one."""
        receipts = min(moves + 4, max(SLOTS_MAX, 16 * shards, crowd + SLOTS_MAX))
        headers = min(moves + 4, max(SLOTS_MAX, 8 * shards))
        return cls(protocol, shards, receipts, shards + 1 + headers, reserve)


def _as_it_begins(generated: Generated) -> World:
    """
    The world before the first step, where also what no header has sealed is as shards begin.

    Slots are used again, so a cell returns to this, and in headers that were sealed before it has to be so.
    """
    world = generated.initial()
    for symbol, copy in generated.protocol.remembers.items():
        rows, place = world[generated.index[symbol]], generated.index[copy]
        world[place] = rows * (len(world[place]) // len(rows))
    return world
