"""Whom a shard believes: headers that nobody certified, that may yet be dropped, or that never were."""

from __future__ import annotations

from typing import ClassVar

from shardproof_models.shards.encoding import MalformedError
from shardproof_models.shards.header import GENESIS, Header
from shardproof_models.shards.light_client import LightClient
from shardproof_models.shards.shard import Claim, Refusal, Shard

from .registry import fault


@fault(
    "unlearned-header",
    violates="executes-only-on-trusted-headers",
    shortest=4,
    source="Wormhole, February 2022",
)
class _UnlearnedHeader(Shard):
    """A certified header is believed when it comes with a receipt, although it was never learned."""

    def trusted(self, header: bytes) -> Header | None:
        try:
            claimed = Header.decode(header)
        except MalformedError:
            return None
        return claimed if self.light_client.accepts(claimed) else None


class _CredulousLightClient(LightClient):
    """Takes a header that carries no certificate for one that needs none."""

    def accepts(self, header: Header) -> bool:
        return not header.certificate or super().accepts(header)


@fault(
    "non-final-header",
    violates="trusts-only-final-headers",
    shortest=2,
    source="FuelLabs/fuel-core issue 1336, TOB-FUEL-43",
    corpus=("B24",),
    recorded=5,
    differs="shorter: to trust what may be dropped is the violation already",
)
class _NonFinalHeader(Shard):
    """The light client learns headers that are not final yet."""

    light_client_type: ClassVar[type[LightClient]] = _CredulousLightClient


#: What a table without an entry reads as.
_NULL_HEADER = Header("", 0, 0, GENESIS, 0, bytes(32))


@fault(
    "null-root",
    violates="executes-only-what-was-emitted",
    shortest=1,
    source="Nomad, August 2022",
    corpus=("B01",),
    recorded=1,
)
class _NullRoot(Shard):
    """The root of an unknown header reads as null, and null is among the roots that were confirmed."""

    def trusted(self, header: bytes) -> Header | None:
        return super().trusted(header) or _NULL_HEADER

    def doubt(self, claim: Claim) -> Refusal | None:
        return None if claim.header is _NULL_HEADER else super().doubt(claim)
