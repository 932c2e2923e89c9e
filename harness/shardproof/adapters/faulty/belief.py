"""Whom a shard believes: headers that nobody certified, that may yet be dropped, or that never were."""

from __future__ import annotations

from typing import ClassVar

from shardproof_models.shards.encoding import MalformedError
from shardproof_models.shards.header import GENESIS, Header
from shardproof_models.shards.light_client import LightClient
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.families import Bridge, OptimisticBridge
from shardproof_models.shards.messaging.forgery import TAKEOVER
from shardproof_models.shards.messaging.message import FullReceipt
from shardproof_models.shards.messaging.refusals import Refusal as BridgeRefusal
from shardproof_models.shards.messaging.tables import Table
from shardproof_models.shards.messaging.validators import ValidatorSet
from shardproof_models.shards.shard import Claim, Refusal, Shard

from ..messaging import BridgeAdapter, OptimisticBridgeAdapter
from .registry import fault


@fault(
    "unlearned-header",
    violates="executes-only-on-trusted-headers",
    clause="untrusted header",
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
    clause="not final",
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
    clause="untrusted header",
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


@fault(
    "caller-says-it-was-verified",
    violates="trusts-only-produced-headers",
    clause="too few signatures",
    shortest=1,
    source="Wormhole incident report, February 2022; wormhole commit e8b91810",
    corpus=("B19",),
    recorded=2,
    differs="shorter: to believe the header is the violation already",
    adapter=BridgeAdapter,
)
class _CallerSaysItWasVerified(Bridge):
    """That signatures were checked is a field of the request: a certificate that is there is a good one."""

    def doubts_header(self, header: AttestingHeader) -> BridgeRefusal | None:
        return None if header.certificate else BridgeRefusal.TOO_FEW_SIGNATURES


@fault(
    "threshold-of-nothing",
    violates="trusts-only-produced-headers",
    clause="too few signatures",
    shortest=2,
    source="Ronin Network, August 2024",
    corpus=("B20",),
    recorded=3,
    differs="shorter: to believe the header is the violation already",
    adapter=BridgeAdapter,
)
class _ThresholdOfNothing(Bridge):
    """One of two initialisers is not run, and the new version asks for no signatures at all."""

    def upgrade(self) -> None:
        self.registers["threshold"] = 0


@fault(
    "message-sets-the-keepers",
    violates="knows-only-elected-validators",
    clause="unknown validators",
    shortest=6,
    source="Poly Network, August 2021",
    corpus=("B21",),
    recorded=7,
    differs="shorter: to believe a header of the new keepers is the violation already",
    adapter=BridgeAdapter,
)
class _MessageSetsTheKeepers(Bridge):
    """What is delivered may call the owner of the keys, and so name further keepers."""

    def name_tables(self) -> None:
        super().name_tables()
        self._keepers: Table[bytes, bool] = self.tables.table("keepers")

    def execute(self, receipt: FullReceipt) -> bool:
        if receipt.payload == TAKEOVER:
            self._keepers[ValidatorSet.made_up(receipt.source).digest] = True
        return super().execute(receipt)

    def knows(self, header: AttestingHeader, validators: ValidatorSet) -> bool:
        return super().knows(header, validators) or validators.digest in self._keepers


@fault(
    "set-up-twice",
    violates="is-set-up-once",
    shortest=2,
    source="Arbitrum Nitro, delayed inbox, September 2022",
    corpus=("B22",),
    recorded=2,
    adapter=BridgeAdapter,
)
class _SetUpTwice(Bridge):
    """An upgrade clears the mark that a light client was set up, and anybody may set it up again."""

    def upgrade(self) -> None:
        super().upgrade()
        for shard in list(self.initialised):
            del self.initialised[shard]


@fault(
    "no-time-to-object",
    violates="trusts-only-produced-headers",
    clause="the window is open",
    shortest=1,
    source="Rainbow Bridge, May and August 2022: the attack that a watcher met",
    corpus=("B26",),
    recorded=3,
    differs="shorter: what is forged is claimed and learned in one step, and to believe it is the violation",
    adapter=OptimisticBridgeAdapter,
)
class _NoTimeToObject(OptimisticBridge):
    """A claim is believed at once, so that nobody can object in time."""

    window: ClassVar[int] = 0
