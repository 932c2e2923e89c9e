"""
What a relayer may do to bytes that it carries: damage, as data that can be applied again.

A relayer may change any byte of a receipt, a header or evidence; it cannot make a shard
commit to what it did not emit. `Damage` says which part is changed and how, with a number
that selects where; it is a function of the bytes alone, so a trace that contains it replays
anywhere. Where an adapter can take evidence apart (`dissect`, `assemble`, `leaf`), the
adversary also forges with understanding: another position, a shorter path, an inner node as a leaf.

Sources of the forgeries: the leaf-node weakness of Bitcoin's Merkle trees (2018), duplicated
leaves (CVE-2012-2459), null roots (Nomad, 2022), malleable signatures (BIP 62 and EIP-2),
proofs with unbound parts (BNB Chain, 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from attrs import evolve

from .adapter import Path
from .system import System

#: The order of secp256k1: (r, n - s) signs whatever (r, s) signs.
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CHUNK = 32


class Damage(NamedTuple):
    """`kind` of change to `part` (receipt, header, evidence, path or multiproof); `number` says where."""

    part: str
    kind: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.part}:{self.kind}:{self.number}"


def _flip(data: bytes, number: int) -> bytes:
    if not data:
        return data
    byte, bit = divmod(number % (8 * len(data)), 8)
    return data[:byte] + bytes([data[byte] ^ (1 << bit)]) + data[byte + 1 :]


def _cut(data: bytes, number: int) -> bytes:
    return data[: len(data) - 1 - number % len(data)] if data else data


def _behead(data: bytes, number: int) -> bytes:
    return data[1 + number % len(data) :] if data else data


def _extend(data: bytes, number: int) -> bytes:
    return data + bytes([number % 256])


def _zero(data: bytes, number: int) -> bytes:
    start = _chunk(data, number)
    return data[:start] + bytes(min(CHUNK, len(data) - start)) + data[start + CHUNK :]


def _swap(data: bytes, number: int) -> bytes:
    """Two neighbouring chunks change places; counted from the end, where hashes and signatures are."""
    chunks = max(1, len(data) // CHUNK - 1)
    start = len(data) - CHUNK * (2 + number % chunks)
    if start < 0:
        return data[::-1]
    middle, end = start + CHUNK, start + 2 * CHUNK
    return data[:start] + data[middle:end] + data[start:middle] + data[end:]


def _malleate(data: bytes, number: int) -> bytes:
    """Somewhere s becomes n - s and the recovery bit after it flips: another signature of the same text."""
    if len(data) < CHUNK + 1:
        return data
    start = number % (len(data) - CHUNK)
    s = int.from_bytes(data[start : start + CHUNK], "big")
    other = (SECP256K1_ORDER - s) % SECP256K1_ORDER
    signed = other.to_bytes(CHUNK, "big") + bytes([data[start + CHUNK] ^ 7])
    return data[:start] + signed + data[start + CHUNK + 1 :]


def _chunk(data: bytes, number: int) -> int:
    return CHUNK * (number % max(1, -(-len(data) // CHUNK)))


#: Changes to bytes that nobody needs to understand.
BLIND: Mapping[str, Callable[[bytes, int], bytes]] = {
    "flip": _flip,
    "cut": _cut,
    "behead": _behead,
    "extend": _extend,
    "zero": _zero,
    "swap": _swap,
    "malleate": _malleate,
    "empty": lambda _data, _number: b"",
    "null": lambda data, _number: bytes(len(data)),
}


def _moved(path: Path, number: int) -> Path:
    return evolve(path, index=path.index ^ (1 << number % 4))


def _next(path: Path, number: int) -> Path:
    return evolve(path, index=path.index + 1 + number % 2)


def _recounted(path: Path, number: int) -> Path:
    if path.count is None:
        return path
    return evolve(path, count=path.count + (1, -1, 2, -path.count)[number % 4])


def _shortened(path: Path, _number: int) -> Path:
    return evolve(path, index=path.index >> 1, siblings=path.siblings[1:])


def _lengthened(path: Path, _number: int) -> Path:
    below = path.siblings[0] if path.siblings else bytes(CHUNK)
    return evolve(path, index=path.index << 1, siblings=(below, *path.siblings))


def _twisted(path: Path, number: int) -> Path:
    if len(path.siblings) < 2:
        return _moved(path, number)
    at = number % (len(path.siblings) - 1)
    swapped = (path.siblings[at + 1], path.siblings[at])
    return evolve(path, siblings=(*path.siblings[:at], *swapped, *path.siblings[at + 2 :]))


def _reweighted(path: Path, number: int) -> Path:
    """A sibling that also says what is below it says another sum (IACR ePrint 2018/1139)."""
    heavy = [i for i, sibling in enumerate(path.siblings) if len(sibling) > CHUNK]
    if not heavy:
        return path
    at = heavy[number % len(heavy)]
    width = len(path.siblings[at]) - CHUNK
    total = int.from_bytes(path.siblings[at][:width], "big")
    other = max(0, total + (-1, 1, -2, 2)[number // len(heavy) % 4]) % (1 << 8 * width)
    changed = other.to_bytes(width, "big") + path.siblings[at][width:]
    return evolve(path, siblings=(*path.siblings[:at], changed, *path.siblings[at + 1 :]))


#: Changes to evidence that an adapter can take apart.
INFORMED: Mapping[str, Callable[[Path, int], Path]] = {
    "moved": _moved,
    "next": _next,
    "recounted": _recounted,
    "shortened": _shortened,
    "lengthened": _lengthened,
    "twisted": _twisted,
    "reweighted": _reweighted,
}

#: A receipt made of the two hashes under an inner node, with the path of that node.
INNER_NODE = "inner-node"

#: Something of another receipt, which is `number`: only a run knows its bytes.
SPLICE = "splice"


#: The part that is written anew by `multiproofs.py`: only a run knows which receipt it is of.
MULTIPROOF = "multiproof"


def transplanted(data: bytes, other: bytes) -> bytes:
    """`data` with the first field in which it differs from `other` taken from there."""
    length = min(len(data), len(other))
    start = next((i for i in range(length) if data[i] != other[i]), length)
    end = next((i for i in range(start, length) if data[i] == other[i]), length)
    return data[:start] + other[start:end] + data[end:]


class Presented(NamedTuple):
    """What is finally shown to the destination."""

    receipt: bytes
    header: bytes
    evidence: bytes


def damaged(system: System, honest: Presented, damage: Damage) -> Presented:
    """`honest`, changed. Where a change does not fit these bytes, they stay as they are."""
    if damage.part == "path":
        return _informed(system, honest, damage)
    changed = BLIND[damage.kind](getattr(honest, damage.part), damage.number)
    return honest._replace(**{damage.part: changed})


def _informed(system: System, honest: Presented, damage: Damage) -> Presented:
    if not honest.evidence:
        return honest
    path = system.path(honest.evidence)
    if damage.kind != INNER_NODE:
        forged = system.plain("assemble", INFORMED[damage.kind](path, damage.number))
        return honest._replace(evidence=forged)
    if not path.siblings:
        return honest
    leaf, sibling = system.plain("leaf", honest.receipt), path.siblings[0]
    node = sibling + leaf if path.index & 1 else leaf + sibling
    return honest._replace(receipt=node, evidence=system.plain("assemble", _shortened(path, 0)))
