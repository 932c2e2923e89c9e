"""Somebody whose signatures contracts check: a validator, an attester, a user."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any, Final

from attrs import field, frozen

from .extras import REMEMBERED, curve, keccak

#: What wallets put before a digest that they sign (EIP-191, version 0x45).
_PERSONAL: Final = b"\x19Ethereum Signed Message:\n32"


@frozen
class Signer:
    """A private key and its address."""

    key: Any = field(repr=False, eq=False)
    address: str

    @classmethod
    @cache
    def named(cls, seed: bytes) -> Signer:
        """Whose private key is the hash of `seed`, so that a run can be repeated."""
        key = curve().PrivateKey(keccak(seed))
        return cls(key, "0x" + keccak(key.public_key.format(compressed=False)[1:])[-20:].hex())

    def sign(self, digest: bytes) -> bytes:
        """r, s and 27 or 28, in 65 bytes. Deterministic."""
        return _signature(self, digest)

    def sign_personally(self, digest: bytes) -> bytes:
        """As `personal_sign` of a wallet, and `toEthSignedMessageHash` of a contract."""
        return self.sign(keccak(_PERSONAL + digest))


@lru_cache(maxsize=REMEMBERED)
def _signature(signer: Signer, digest: bytes) -> bytes:
    signature: bytes = signer.key.sign_recoverable(digest, hasher=None)
    return signature[:64] + bytes([27 + signature[64]])


@lru_cache(maxsize=REMEMBERED)
def recovered(digest: bytes, signature: bytes) -> str | None:
    """The address of whoever signed, from any bytes; nothing where they are no signature."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    try:
        signed = signature[:64] + bytes([signature[64] - 27])
        key = curve().PublicKey.from_signature_and_message(signed, digest, hasher=None)
    except Exception:
        # Whatever the library makes of numbers that no signature has.
        return None
    return "0x" + keccak(key.format(compressed=False)[1:])[-20:].hex()
