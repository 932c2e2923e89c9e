"""
Who signs for a shard, and how a signature is told from bytes.

A signature is a hash under the name of its signer. That is a stand-in for a real one: whoever
could check it could also make one, so it means something only because nobody makes any but
the validators in office, and an adversary with keys that have leaked or that are his own.
"""

from __future__ import annotations

from functools import cache, cached_property
from hashlib import sha256
from typing import Self

from attrs import frozen

from ..encoding import HASH_BYTES, Reader, number, text

_KIND = b"C"

#: Validators in a set, and how many distinct ones make a certificate: more than two thirds.
SET_SIZE, QUORUM = 4, 3


def signature(signer: bytes, message: bytes) -> bytes:
    """The signature of `signer` on `message`."""
    return sha256(b"signature" + signer + message).digest()


@frozen(slots=False)
class ValidatorSet:
    """Keys that sign together."""

    signers: tuple[bytes, ...]

    @cached_property
    def digest(self) -> bytes:
        """What a header announces this set by."""
        return sha256(b"validators" + b"".join(self.signers)).digest()

    @staticmethod
    @cache
    def elected(shard: str, epoch: int) -> ValidatorSet:
        """The validators that `shard` has elected for `epoch`; derived, so that runs can be repeated."""
        return ValidatorSet(tuple(_key(b"elected", shard, epoch, seat) for seat in range(SET_SIZE)))

    @staticmethod
    @cache
    def made_up(shard: str) -> ValidatorSet:
        """Validators that an adversary makes up to speak for `shard`."""
        return ValidatorSet(tuple(_key(b"made up", shard, 0, seat) for seat in range(SET_SIZE)))

    def certificate(self, message: bytes) -> Certificate:
        """A certificate that a quorum of this set has signed."""
        signers = self.signers[:QUORUM]
        return Certificate(self, tuple((seat, signature(s, message)) for seat, s in enumerate(signers)))


@frozen
class Certificate:
    """A validator set, and signatures with the seats of those who made them."""

    validators: ValidatorSet
    signatures: tuple[tuple[int, bytes], ...]

    def signed_by(self, message: bytes) -> int:
        """How many distinct members of the set have signed `message`."""
        signers = self.validators.signers
        return len(
            {
                seat
                for seat, signed in self.signatures
                if seat < len(signers) and signed == signature(signers[seat], message)
            }
        )

    def encode(self) -> bytes:
        """The one encoding of this certificate."""
        signers = self.validators.signers
        seats = (part for seat, signed in self.signatures for part in (number(seat), signed))
        return b"".join((_KIND, number(len(signers)), *signers, number(len(self.signatures)), *seats))

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The certificate that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        signers = reader.fixed(reader.number() * HASH_BYTES)
        certificate = cls(
            ValidatorSet(tuple(signers[i : i + HASH_BYTES] for i in range(0, len(signers), HASH_BYTES))),
            tuple((reader.number(), reader.fixed(HASH_BYTES)) for _ in range(reader.number())),
        )
        reader.end()
        return certificate


def _key(kind: bytes, shard: str, epoch: int, seat: int) -> bytes:
    return sha256(kind + text(shard) + number(epoch) + number(seat)).digest()
