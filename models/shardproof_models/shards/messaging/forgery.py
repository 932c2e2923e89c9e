"""
What an adversary can write without anybody's help: encodings and hashes are public.

A forged header is as good as an honest one but for the signatures. Those that an adversary
can make are of validators whom nobody has elected, and of validators of so long ago that
their keys have leaked.
"""

from __future__ import annotations

from enum import Enum

from ..encoding import HASH_BYTES
from ..header import GENESIS
from .attesting_header import AttestingHeader
from .environment import Environment
from .message import FullReceipt
from .sum_tree import SumProof, SumTree
from .validators import Certificate, ValidatorSet

#: The payload that asks a receiving application to change the light client (Poly Network, August 2021).
TAKEOVER = b"replace the validators"

#: How far ahead of what is honest a forgery is, so that it is never the same: no run gets there.
AHEAD = 1 << 32


class Signer(Enum):
    """Who signs a forged header."""

    NOBODY = 0
    MADE_UP = 1
    LEAKED = 2


def forged_receipt(source: str, destination: str, payload: bytes) -> bytes:
    """A receipt that `source` has not sent, and that carries value."""
    return FullReceipt(source, destination, 0, AHEAD, payload, amount=1).encode()


def forged_header(
    environment: Environment, shard: str, receipt: bytes, signer: Signer
) -> tuple[AttestingHeader, SumProof]:
    """A header in the name of `shard` that commits to `receipt` alone, and the evidence for it."""
    tree = SumTree()
    tree.append(receipt)
    epoch, leaked = environment.epochs[shard], environment.leaked(shard)
    elected, made_up = ValidatorSet.elected(shard, epoch), ValidatorSet.made_up(shard)
    validators = made_up if signer is Signer.MADE_UP else elected
    if signer is Signer.LEAKED and leaked:
        # The oldest, because every light client was set up with those.
        epoch, validators = leaked[0], ValidatorSet.elected(shard, leaked[0])
    header = AttestingHeader(
        shard=shard,
        height=AHEAD,
        view=0,
        parent=GENESIS,
        leaf_count=1,
        receipts_root=tree.root(1),
        time=0,
        facts_root=bytes(HASH_BYTES),
        epoch=epoch,
        next_validators=ValidatorSet.made_up(shard).digest,
    )
    signs = signer is Signer.MADE_UP or (signer is Signer.LEAKED and leaked)
    # Who has no keys names the validators in office all the same, and leaves out what they would have signed.
    certificate = validators.certificate(header.hash) if signs else Certificate(validators, ())
    return header.certified(certificate.encode()), SumProof(0, 1, ())
