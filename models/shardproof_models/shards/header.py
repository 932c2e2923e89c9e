"""
What a block shows to other shards: a commitment to its receipts, and who vouches for it.

The certificate is not part of the hash: it is added when the block becomes final, and the
header has to remain the same header. Here it is an HMAC under a key of the shard's
consensus. That is a stand-in for the signatures of a quorum: whoever could check it could
also make one, so it means something only because nobody in this package but
`Shard.finalise` makes any.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Self

from attrs import evolve, frozen

from .encoding import HASH_BYTES, MalformedError, Reader, blob, number, text

_KIND = b"H"

#: The parent of a first header. The block of height 0 is implied, and never shown.
GENESIS = bytes(HASH_BYTES)


@frozen
class Header:
    """A block of `shard`: `receipts_root` commits to the first `leaf_count` receipts of its branch."""

    shard: str
    height: int
    #: How many times the shard had reverted before. Without it, a block that replaces a
    #: reverted one could have the same bytes, although other receipts had been executed.
    view: int
    parent: bytes
    leaf_count: int
    receipts_root: bytes
    #: Empty while the block is not final.
    certificate: bytes = b""

    def hash(self) -> bytes:
        """The identity of this header, certified or not."""
        return sha256(self._core()).digest()

    def certify(self, key: bytes) -> Self:
        """The same header, with the certificate of the consensus that holds `key`."""
        return evolve(self, certificate=self._certificate(key))

    def is_certified(self, key: bytes) -> bool:
        """Whether this header carries the certificate of the consensus that holds `key`."""
        return hmac.compare_digest(self.certificate, self._certificate(key))

    def encode(self) -> bytes:
        """The one encoding of this header."""
        return self._core() + blob(self.certificate)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """The header that `data` encodes. Raises `MalformedError`."""
        reader = Reader(data, _KIND)
        header = cls(
            reader.text(),
            reader.number(),
            reader.number(),
            reader.fixed(HASH_BYTES),
            reader.number(),
            reader.fixed(HASH_BYTES),
            reader.blob(),
        )
        reader.end()
        if header.height == 0:
            raise MalformedError("the block of height 0 has no header")
        if len(header.certificate) not in (0, HASH_BYTES):
            raise MalformedError("no certificate has this length")
        return header

    def _core(self) -> bytes:
        return b"".join(
            (
                _KIND,
                text(self.shard),
                number(self.height),
                number(self.view),
                self.parent,
                number(self.leaf_count),
                self.receipts_root,
            )
        )

    def _certificate(self, key: bytes) -> bytes:
        return hmac.digest(key, self.hash(), "sha256")


def consensus_key(shard: str) -> bytes:
    """The key of the consensus of `shard`. Derived from the name, so that runs can be repeated."""
    return sha256(b"consensus of " + shard.encode()).digest()
