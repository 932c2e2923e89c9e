"""
Shards split and merge while calls are under way.

A shard answers for addresses; a split gives them to two new ones, alternately in the order of all
addresses, a merge gives those of two to a new one. The old ones retire: their headers stay good
proof of what they said in their time, because each header says itself for whom it speaks. Every
heir gets all records, since a call that was executed before must not run again after; what
belongs to an address goes where the address goes, and nowhere else.

Source: NEAR NEP-568; TON, `ProcessedInfo`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import ClassVar, Self

from attrs import evolve, frozen

from ..durable import DurableState, Extent
from ..encoding import HASH_BYTES, MalformedError, Reader, number, text
from ..header import GENESIS, Header
from ..light_client import LightClient
from .call_shard import CallShard, Estate, Objection
from .node import replayed

_KIND = b"H"


@frozen
class AddressedHeader(Header):
    """A block that says for which addresses its shard answered when it was sealed."""

    addresses: tuple[str, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> Self:
        reader = Reader(data, _KIND)
        shard, height, view, parent = (
            reader.text(),
            reader.number(),
            reader.number(),
            reader.fixed(HASH_BYTES),
        )
        leaf_count, root = reader.number(), reader.fixed(HASH_BYTES)
        addresses = tuple(reader.text() for _ in range(reader.number()))
        certificate = reader.blob()
        reader.end()
        if height == 0:
            raise MalformedError("the block of height 0 has no header")
        if len(certificate) not in (0, HASH_BYTES):
            raise MalformedError("no certificate has this length")
        return cls(shard, height, view, parent, leaf_count, root, certificate, addresses)

    def _core(self) -> bytes:
        return super()._core() + number(len(self.addresses)) + b"".join(map(text, self.addresses))


class AddressedLightClient(LightClient):
    """Learns headers that say for whom they speak."""

    def learn(self, header: bytes) -> bool:
        try:
            claimed = AddressedHeader.decode(header)
        except MalformedError:
            return False
        if not self.accepts(claimed):
            return False
        self.remember(claimed)
        return True


class Standing(Enum):
    """Whether a shard takes part."""

    FRESH = "fresh"
    LIVE = "live"
    RETIRED = "retired"


class ReshardingShard(CallShard):
    """Answers for addresses from its foundation until it retires."""

    light_client_type: ClassVar[type[LightClient]] = AddressedLightClient

    def __init__(self, name: str, keys: Mapping[str, bytes]) -> None:
        #: What this shard has left, by heir.
        self.estates: dict[str, Estate] = {}
        super().__init__(name, keys)

    @replayed
    def found(self, addresses: tuple[str, ...]) -> None:
        super().found(addresses)
        self.standing = Standing.LIVE

    # ---- headers that say for whom they speak ---------------------------------------------

    @replayed
    def produce(self) -> bytes:
        header = AddressedHeader(
            self.name,
            len(self._branch) + 1,
            self._view,
            self._branch[-1] if self._branch else GENESIS,
            len(self.outgoing),
            self.outgoing.root(),
            addresses=self.spoken_for(),
        )
        self._branch.append(header.hash())
        self._extents.append(
            Extent(len(self.outgoing), len(self.light_client), len(self.consumed), len(self.executed))
        )
        return header.encode()

    def spoken_for(self) -> tuple[str, ...]:
        """The addresses for which a new header speaks."""
        return self.addresses

    def trusted(self, header: bytes) -> Header | None:
        try:
            claimed = AddressedHeader.decode(header)
        except MalformedError:
            return None
        return claimed if self.light_client.trusts(claimed) else None

    def is_issued(self, header: Header, address: str) -> bool:
        # By the layout of its time, not of ours: the headers of the retired prove what they proved.
        return isinstance(header, AddressedHeader) and address in header.addresses

    def _on_branch(self, header: bytes) -> Header | None:
        try:
            claimed = AddressedHeader.decode(header)
        except MalformedError:
            return None
        if claimed.height > len(self._branch) or claimed.hash() != self._branch[claimed.height - 1]:
            return None
        return claimed

    def load(self, state: DurableState) -> None:
        super().load(evolve(state, learned=()))
        for data in state.learned:
            self.light_client.remember(AddressedHeader.decode(data))

    # ---- succession -----------------------------------------------------------------------

    def shares(self, heirs: tuple[str, str]) -> dict[str, tuple[str, ...]]:
        """Who of two children gets which address: alternately, in the order of all addresses."""
        names = tuple(self._keys)
        return {
            heir: tuple(a for a in self.addresses if names.index(a) % 2 == side)
            for side, heir in enumerate(heirs)
        }

    @replayed
    def bequeath(self, shares: Mapping[str, tuple[str, ...]]) -> None:
        """Retire, and leave to each heir a copy of everything, and its share of the addresses."""
        parts = self.parts()
        self.estates = {heir: Estate(self.addresses, given, parts) for heir, given in shares.items()}
        self.addresses = ()
        self.standing = Standing.RETIRED

    @replayed
    def succeed_to(self, *parents: ReshardingShard) -> None:
        """Begin with what the parents have left."""
        self.take_over([parent.estates[self.name] for parent in parents])
        self.standing = Standing.LIVE

    def parts(self) -> dict[str, bytes]:
        return super().parts() | {"standing": self.standing.value.encode()}

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        self.standing = Standing(parts.get("standing", Standing.FRESH.value.encode()).decode())


def split(parent: ReshardingShard, heirs: tuple[ReshardingShard, ReshardingShard]) -> Objection | None:
    """The addresses of a shard go to two new ones."""
    if (objection := _objection((parent,), heirs)) is not None:
        return objection
    parent.bequeath(parent.shares((heirs[0].name, heirs[1].name)))
    for heir in heirs:
        heir.succeed_to(parent)
    return None


def merge(parents: tuple[ReshardingShard, ReshardingShard], heir: ReshardingShard) -> Objection | None:
    """The addresses of two shards go to a new one."""
    if (objection := _objection(parents, (heir,))) is not None:
        return objection
    for parent in parents:
        parent.bequeath({heir.name: parent.addresses})
    heir.succeed_to(*parents)
    return None


def _objection(parents: tuple[ReshardingShard, ...], heirs: tuple[ReshardingShard, ...]) -> Objection | None:
    if any(parent.standing is not Standing.LIVE for parent in parents):
        return Objection.NOT_LIVE
    if any(heir.standing is not Standing.FRESH for heir in heirs):
        return Objection.NOT_FRESH
    if len({*parents}) < len(parents) or len({*heirs}) < len(heirs):
        return Objection.SAME_SHARD
    # A callback does not outlive the shard that runs it.
    return Objection.FRAMES_OPEN if any(parent.is_running() for parent in parents) else None
