"""What is debited, credited and given back."""

from __future__ import annotations

from collections.abc import Mapping

from .line import Line

_DEBITS = (
    Line(
        "Look at what moving an asset that is unknown returns: where it moves nothing it must fail, and "
        "the receipt must not carry it.",
        lambda f: any(m.terms is not None and m.terms.asset for m in f.sent),
    ),
    Line(
        "Look at every entrance by which a receipt is sent: one of them takes it that another has locked "
        "the value already.",
        lambda f: any(m.terms is not None and m.terms.entrance for m in f.sent),
    ),
    Line("Look where an emission takes what the receipt carries from its sender."),
)

_CREDITS = (
    Line(
        "Look at what an inner node of the tree covers: the sum of each child, and not only their total, "
        "or an amount can be shifted along the path of the proof.",
        lambda f: f.damages("path"),
    ),
    Line(
        "Look where an emission writes the amount into the receipt: it has to be what was taken from the "
        "sender, and not what he claims.",
        lambda f: any(m.terms is not None and m.terms.claimed is not None for m in f.sent),
    ),
    Line("Look where an execution credits its receiver: with what the proved receipt carries, and once."),
)

_BOOKS = (
    Line(
        "Look at what the shard in the middle does when the second hop fails: it has to give back what it "
        "was credited with, when the first sender is refunded.",
        lambda f: any(m.terms is not None and m.terms.onward is not None for m in f.sent),
    ),
    Line(
        "Look at every place that credits or debits a user: each receipt has to be taken once and given once."
    ),
)

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "books-balance": _BOOKS,
    "emission-debits-what-is-carried": _DEBITS,
    "execution-credits-what-is-carried": _CREDITS,
    "failure-credits-nothing": (
        Line(
            "Look at what is rolled back when a callback fails: what the receipt brought has to go with it."
        ),
    ),
    "refund-returns-what-was-carried": (
        Line(
            "Look at what a refund gives back: what was taken when the receipt was sent, to who sent it, "
            "once."
        ),
    ),
}
