"""
Finite scopes: so many shards, receipts and blocks, in one plain topology.

Plain is not trivial. What a layer tells apart exists in both kinds as soon as there is room: a
receipt and its response, a first hop and a second, a queue for one and a queue for two, keys of
validators and keys that somebody made up. Searches that need every topology do not come here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from attrs import field, frozen

from shardproof_models.language.protocol import Protocol
from shardproof_models.language.terms import Term
from shardproof_models.layers.bouncing import response
from shardproof_models.layers.callbacks import Depth
from shardproof_models.layers.deadlines import Time
from shardproof_models.layers.encodings import Domain, Encoding, spelt_key
from shardproof_models.layers.exactly_once import Count, Header, Key, Receipt, Shard
from shardproof_models.layers.finality import Height
from shardproof_models.layers.forwarding import onward
from shardproof_models.layers.optimistic import window
from shardproof_models.layers.queues import Length, capacity
from shardproof_models.layers.resharding import reserve
from shardproof_models.layers.sequencing import Channel, Sequence, next_receive
from shardproof_models.layers.trust import Epoch, ValidatorSet
from shardproof_models.layers.value import Account, Amount

from ..errors import UsageError, nearest
from .scope import Scope

DEFAULTS: Mapping[str, int] = {"shards": 2, "receipts": 2, "headers": 1, "reserves": 2}

#: What an account begins with: enough for the first that it pays for, not for all.
ENDOWMENT = 3

#: The receipt, if there are so many, that asks to act in the name of where it goes.
PRETENDER = 3

#: Validators of the first term, of the second, and a set that somebody made up.
FIRST, SECOND, MADE_UP = range(3)


def scope_of(protocol: Protocol, **sizes: int) -> Scope:
    """
    A scope of so many `shards`, `receipts`, and `headers` (blocks a shard, besides its genesis).

    Where shards split and merge, `reserves` are the shards that do not exist yet. Receipt k goes
    from shard k to the next one, or several do before the next; its key is its own. Where a receipt
    may have a response, or a next hop, receipt 1 is that of receipt 0. Raises `UsageError`.
    """
    for name, size in sizes.items():
        if name not in DEFAULTS:
            raise UsageError(f"a scope has no {name!r}", help=nearest(name, DEFAULTS))
        least = 0 if name == "reserves" else 1
        if not least <= size <= 64:
            raise UsageError(f"a scope needs from {least} to 64 {name}", got=size)
    plain = _Plain(protocol, **{**DEFAULTS, **sizes})
    missing = [s.name for s in protocol.rigid if s.name not in plain.meaning]
    if missing:
        raise UsageError(f"no scope is known for a protocol with {', '.join(missing)}")
    return Scope(plain.sizes, {s.name: plain.meaning[s.name] for s in protocol.rigid}, plain.said)


@frozen(slots=False)
class _Plain:
    """The plain topology of a protocol at some size."""

    protocol: Protocol
    #: How many addresses there are; at first, a shard each.
    shards: int
    receipts: int
    headers: int
    reserves: int
    _names: frozenset[str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "_names", frozenset(s.name for s in self.protocol.symbols))

    @cached_property
    def all_shards(self) -> int:
        """Addresses, and those that do not exist yet."""
        return self.shards + (self.reserves if reserve.name in self._names else 0)

    @cached_property
    def answered(self) -> bool:
        """Whether a receipt may have a response."""
        return response.name in self._names

    @cached_property
    def paired(self) -> bool:
        """Whether receipts come in twos."""
        return self.answered or onward.name in self._names

    def is_second(self, m: int) -> bool:
        """Whether `m` is the second of two: where some belong together, the first two do."""
        return self.paired and m == 1

    def ends(self, m: int) -> tuple[int, int]:
        """The addresses from and to which `m` goes."""
        if self.is_second(m):
            first_source, here = self.ends(m - 1)
            return here, first_source if self.answered else (here + 1) % self.shards
        turn = (m - 1 if self.paired and m else m) // self.abreast
        return turn % self.shards, (turn + 1) % self.shards

    @cached_property
    def abreast(self) -> int:
        """How many go the same way before the next goes another: one alone is in order, and finds room."""
        queued, ordered = capacity.name in self._names, next_receive.name in self._names
        return 1 if not queued and not ordered else 3 if queued and self.paired else 2

    @cached_property
    def channels(self) -> tuple[tuple[int, int], ...]:
        """The pairs of addresses between which receipts go."""
        return tuple(dict.fromkeys(self.ends(m) for m in range(self.receipts)))

    def channel(self, m: int) -> int:
        """The channel of a receipt; a key of none is on the first."""
        return self.channels.index(self.ends(m)) if m < self.receipts else 0

    def sequence(self, m: int) -> int:
        """Its position there; that of a key of no receipt is behind all."""
        return sum(self.ends(w) == self.ends(m) for w in range(m)) if m < self.receipts else self.receipts

    def deadline(self, m: int) -> int:
        """Soon, and for some a little later; after the window where evidence needs one."""
        return 1 + m % 2 + (1 if window.name in self._names else 0)

    def epoch(self, h: int) -> int:
        """A genesis and the first block after it are of the first term, later ones of the second."""
        return int(h // self.all_shards > 1)

    @cached_property
    def keys(self) -> int:
        """One a receipt; and one that a careless spelling leads to."""
        return self.receipts + (1 if spelt_key.name in self._names else 0)

    @cached_property
    def sizes(self) -> Mapping[type[Term], int | range]:
        """Room for what must not happen, too: once more than once, less than nothing."""
        entities: dict[type[Term], int | range] = {
            Shard: self.all_shards,
            Receipt: self.receipts,
            Key: self.keys,
            Header: self.all_shards * (self.headers + 1),
            Channel: len(self.channels),
            Account: self.shards,
            ValidatorSet: 3,
            # One spelling a receipt, a careless one, and one more that is made for elsewhere.
            Encoding: 2 * self.receipts + 1,
            Domain: 2,
        }
        numbers: dict[type[Term], int | range] = {
            # Executed three times is one more than any mistake needs to show itself.
            Count: range(4),
            Height: range(self.headers + 2),
            Sequence: range(self.receipts + 2),
            Time: range(self.deadline(1) + 2),
            Epoch: range(4),
            Length: range(-1, self.receipts + 2),
            Depth: range(-1, self.receipts + 2),
            Amount: range(-2 * self.receipts, ENDOWMENT * self.shards + 4 * self.receipts),
        }
        return {**entities, **numbers}

    @cached_property
    def meaning(self) -> Mapping[str, Callable[..., int]]:
        """What the rigid symbols mean."""
        shards, receipts = self.shards, self.receipts
        return {
            "source": lambda m: self.ends(m)[0],
            "destination": lambda m: self.ends(m)[1],
            "key": lambda m: m,
            "origin": lambda h: h % self.all_shards,
            "genesis": lambda s: s,
            "channel": self.channel,
            "sequence": self.sequence,
            "sender": lambda c: self.channels[c][0],
            "receiver": lambda c: self.channels[c][1],
            "key_channel": self.channel,
            "key_sequence": self.sequence,
            "deadline": self.deadline,
            "key_deadline": self.deadline,
            "response": lambda m: self.answered and self.is_second(m),
            "answered": self._first,
            "onward": lambda m: not self.answered and self.is_second(m),
            "first_hop": self._first,
            "travels": lambda m: not self.answered and m == 0 and receipts > 1,
            "bank": lambda a: a,
            "payer": lambda m: self.ends(m)[0],
            "payee": lambda m: self.ends(m)[1],
            "amount": lambda m: 2 if m == 3 else 1,
            "endowment": lambda _: ENDOWMENT,
            "endowed": lambda s: ENDOWMENT if s < shards else 0,
            "homeward": lambda m: self.ends(m)[1] < self.ends(m)[0] and not self.is_second(m),
            "window": lambda: 1,
            "epoch": self.epoch,
            "announces": lambda _: SECOND,
            "term": lambda v: int(v == SECOND),
            "genuine": lambda _, v: v != MADE_UP,
            "trusting_period": lambda: 1,
            "quorum": lambda: 1,
            "capacity": lambda _, d: 1 + d % 2,
            "meaning": lambda x: x % receipts,
            "canonical": lambda x: x // receipts != 1,
            "spelt_key": lambda x: receipts if x // receipts == 1 else x % receipts,
            # Of several careless ones, the last is made for elsewhere besides.
            "made_for": lambda x: int(x >= 2 * receipts or (receipts > 1 and x == 2 * receipts - 1)),
            "domain": lambda _: 0,
            "acts_for": lambda m: self.ends(m)[0 if m != PRETENDER else 1],
            "reserve": lambda s: s >= shards,
            "left": lambda a: a % 2 == 0,
        }

    def _first(self, m: int) -> int:
        return m - 1 if self.is_second(m) else m

    @cached_property
    def said(self) -> str:
        """What a person would call it."""
        most = f"{_many(self.shards, 'shard')}, {_many(self.receipts, 'receipt')}"
        spare = f", {_many(self.reserves, 'shard')} in reserve" if self.all_shards > self.shards else ""
        return f"{most} and {_many(self.headers, 'block')} a shard{spare}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
