"""
Headers are believed on the certificate of validators, who change: `layers/trust.py`.

The light client keeps the digest of every set that it knows, by shard and epoch, and counts
signatures itself, of distinct members. Whether they were checked is never a matter of what
it was told (Wormhole, February 2022), nor is how many it asks for (Ronin, August 2024), nor
whom (Nitro, September 2022; Poly Network, August 2021).
"""

from __future__ import annotations

from ..encoding import MalformedError
from .attesting_header import AttestingHeader
from .environment import TRUSTING_PERIOD
from .messenger import Messenger
from .refusals import Refusal
from .tables import Table
from .validators import QUORUM, Certificate, ValidatorSet


class Trust(Messenger):
    """A shard with a light client of every other one, set up by its operator from the beginning."""

    def set_up(self) -> None:
        super().set_up()
        self.registers["threshold"] = QUORUM
        for shard in self.environment.shards:
            self.initialise(shard, 0, ValidatorSet.elected(shard, 0))

    def name_tables(self) -> None:
        super().name_tables()
        #: (shard, epoch) -> the digest of the validators that we know for it.
        self.known: Table[tuple[str, int], bytes] = self.tables.table("known validators")
        self.initialised: Table[str, bool] = self.tables.table("initialised")

    def initialise(self, shard: str, epoch: int, validators: ValidatorSet) -> Refusal | None:
        """Whoever comes first says who the validators of `shard` are."""
        if self.is_initialised(shard):
            return Refusal.ALREADY_INITIALISED
        self.initialised[shard] = True
        self.known[shard, epoch] = validators.digest
        return None

    def is_initialised(self, shard: str) -> bool:
        """Whether the light client of `shard` was set up before."""
        return shard in self.initialised

    def upgrade(self) -> None:
        """A new version of the light clients is installed: what they ask for is set again, and no more."""
        self.registers["threshold"] = QUORUM

    def announced_validators(self) -> bytes:
        return ValidatorSet.elected(self.name, self.environment.epochs[self.name] + 1).digest

    def certified(self, block: AttestingHeader) -> AttestingHeader:
        validators = ValidatorSet.elected(self.name, block.epoch)
        return block.certified(validators.certificate(block.hash).encode())

    def doubts_header(self, header: AttestingHeader) -> Refusal | None:
        try:
            certificate = self.read_certificate(header)
        except MalformedError:
            return Refusal.TOO_FEW_SIGNATURES
        if not self.knows(header, certificate.validators):
            return Refusal.UNKNOWN_VALIDATORS
        if self.is_stale(header):
            return Refusal.TRUST_EXPIRED
        return None if self.signatures(header, certificate) >= self.threshold else Refusal.TOO_FEW_SIGNATURES

    def read_certificate(self, header: AttestingHeader) -> Certificate:
        """What vouches for `header`. Raises `MalformedError`."""
        return Certificate.decode(header.certificate)

    def knows(self, header: AttestingHeader, validators: ValidatorSet) -> bool:
        """Whether these are the validators that we know for the epoch of `header`."""
        return self.known.get((header.shard, header.epoch)) == validators.digest

    def is_stale(self, header: AttestingHeader) -> bool:
        """Whether the keys of its epoch are so old that anybody may have them."""
        return header.epoch < self.environment.epochs[header.shard] - TRUSTING_PERIOD

    def signatures(self, header: AttestingHeader, certificate: Certificate) -> int:
        """How many distinct validators have signed `header`."""
        return certificate.signed_by(header.hash)

    @property
    def threshold(self) -> int:
        """How many signatures we ask for."""
        return self.registers.get("threshold", 0)

    def learn_validators(self, header: bytes) -> Refusal | None:
        """A trusted header announces the next validators of its shard."""
        trusted = self.trusted(header)
        if trusted is None:
            return Refusal.UNTRUSTED_HEADER
        self.known[trusted.shard, trusted.epoch + 1] = trusted.next_validators
        return None
