"""What a proof proves: of a receipt that nobody emitted, and that was executed."""

from __future__ import annotations

from collections.abc import Mapping

from ..variations import KNOWN_HEADER, NO_PROOF, PROOF_OF_ANOTHER
from .line import Line

_FORGERIES = (
    Line(
        "Look whether `deliver` verifies anything at all: under no header, and under one that is known, it "
        "executes what nobody emitted, without a proof.",
        lambda f: f.headerless and not f.proven and f.passes(KNOWN_HEADER),
    ),
    Line(
        "Look at what the proof is checked against: it has to be the root in the very header that is shown, "
        "and to one that is shown under no header it must not bring its own.",
        lambda f: f.headerless and f.proven and not f.forged,
    ),
    Line(
        "Look where `deliver` looks up the header, or its root: one that is unknown must not read as null, "
        "zero or a default that passes for known.",
        lambda f: f.headerless,
    ),
    Line(
        "Look at what the proof is checked for: the leaf has to contain the source that the effect is in "
        "the name of, and not the source that the header names.",
        lambda f: "in the name of" in f.wrong.differs,
    ),
    Line(
        "Look at how the tree hashes: an inner node passes for a leaf, unless the two are told apart by a "
        "tag or by the depth of the proof.",
        lambda f: f.damages("path", "inner-node"),
    ),
    Line(
        "Look at how the proof is walked: its position, length and number of leaves have to be those of "
        "the tree that the header commits to.",
        lambda f: f.damages("path"),
    ),
    Line(
        "Look at how a proof of several leaves is checked: every leaf that is taken from it has to go into "
        "the root.",
        lambda f: f.damages("multiproof"),
    ),
    Line(
        "Look at what of the receipt goes into the leaf: a field that does not can be another one.",
        lambda f: f.damages("receipt"),
    ),
    Line(
        "Look at how the root is computed from a proof: the proof of another receipt passes, so the leaf "
        "of the one that is shown does not go into it.",
        lambda f: f.forged and f.proven,
    ),
    Line(
        "Look whether `deliver` checks the proof at all: with none, and with that of another receipt, it "
        "executes what nobody emitted.",
        lambda f: f.forged and not f.proven and f.passes(PROOF_OF_ANOTHER),
    ),
    Line(
        "Look at what `deliver` makes of a proof that is empty (a default of the decoder, an operation "
        "that is no hash, a loop that is never entered): a proof that is there is checked.",
        lambda f: not f.proven and (f.fails(PROOF_OF_ANOTHER) or f.passes(NO_PROOF)),
    ),
    Line("Look where `deliver` checks that the root of the header covers the receipt that is shown."),
)

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "executes-only-what-was-emitted": _FORGERIES,
}
