"""What was executed must not be executed again: the record of it, its key, and what is lost of it."""

from __future__ import annotations

from collections.abc import Mapping

from ..variations import AFTERWARDS
from .line import Line

#: Damage that shows a leaf at another position of the tree, or says another shape of it.
_POSITIONS = ("moved", "next", "recounted", "shortened", "lengthened", "twisted")

_TWICE = (
    Line(
        "Look where the record of what was consumed is written down, and where a restart reads it back: "
        "the effect outlasts the restart, and its record does not.",
        lambda f: f.since == "restart",
    ),
    Line(
        "Look where records of what was consumed are forgotten: whether something else (a deadline, an "
        "order, a height) still refuses every receipt whose record is gone.",
        lambda f: f.since == "prune",
    ),
    Line(
        "Look at what is recorded with an execution: whether the key depends on how often, or when, the "
        "header was shown to `learn`, which a relayer can do again.",
        lambda f: f.since == "learn",
    ),
    Line(
        "Look where `deliver` makes the effect and the record durable: they have to be one write, because "
        "power can fail between two.",
        lambda f: "crash" in f.before,
    ),
    Line(
        "Look at what becomes of a receipt that comes before its turn: whether it is executed at once, and "
        "kept to be executed again when its turn comes.",
        lambda f: f.of_another_receipt and "deliver" in f.before,
    ),
    Line(
        "Look at the order in `deliver`: it calls back first and records only afterwards that the receipt "
        "was consumed, so the callback can present it again. Record first.",
        lambda f: f.verb in ("reenter", "nest") or f.fails(AFTERWARDS),
    ),
    Line(
        "Look at the key under which `deliver` records a receipt: whether it depends on bytes of the "
        "header (a certificate, a signature) that are no part of what was trusted, and can be written in "
        "another way.",
        lambda f: f.damages("header"),
    ),
    Line(
        "Look at the key under which `deliver` records a receipt: whether it depends on the position in "
        "the tree, and whether one leaf can be proved at two positions.",
        lambda f: f.damages("path", *_POSITIONS),
    ),
    Line(
        "Look at the key under which `deliver` records a receipt: whether it depends on the proof, which "
        "can be written in other bytes.",
        lambda f: f.damages("evidence") or f.damages("path") or f.damages("multiproof"),
    ),
    Line(
        "Look at the key under which `deliver` records a receipt: whether two encodings of one receipt are "
        "both accepted, and recorded apart.",
        lambda f: f.damages("receipt"),
    ),
    Line(
        "Look at what heirs take over when shards split or merge: whether a receipt that was sent before "
        "is sent again by another shard, and recorded under the shard that sealed it.",
        lambda f: bool({"split", "merge"} & {*f.before}),
    ),
    Line(
        "Look at what a revert takes back: whether the record of a receipt goes while its effect stays.",
        lambda f: "revert" in f.before,
    ),
    Line(
        "Look at the key under which `deliver` records a receipt: whether it depends on the header, so "
        "that each later header that covers the receipt makes it a new one.",
        lambda f: f.under_another_header,
    ),
    Line(
        "Look at what one delivery does: the receipt was shown only once, and its effect is there twice.",
        lambda f: f.verb == "deliver" and f.of_another_receipt,
    ),
    Line(
        "Look where `deliver` asks whether a receipt was consumed, and where it records that it is: the "
        "very same delivery is executed again, so one of the two is missing.",
    ),
)

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "executes-at-most-once": _TWICE,
}
