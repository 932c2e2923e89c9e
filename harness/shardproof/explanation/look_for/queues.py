"""What is due and does not come, or not in its turn: what waits, for whom, and what stands in the way."""

from __future__ import annotations

from collections.abc import Mapping

from .line import Line

_SILENT_DROP = (
    Line(
        "Look at what the light client needs to believe a header: one that is final and honest is refused.",
        lambda f: f.verb == "learn",
    ),
    Line(
        "Look at how proofs are made: there is none of a receipt in a header that commits to it. That is, "
        "if later headers of this system commit to what earlier ones do. Where each commits to the receipts "
        'of its own block alone, nothing is wrong: say so, by `stack = "own-blocks"` in the adapter.',
        lambda f: f.wrong.differs.startswith("no evidence") and f.several_blocks,
    ),
    Line(
        "Look at how proofs are made: there is none of a receipt in a header that commits to it.",
        lambda f: f.wrong.differs.startswith("no evidence"),
    ),
    Line(
        "Look for one write that should have been made with another: power failed in between, the record "
        "of the receipt is durable, and its effect is not. They have to be one write.",
        lambda f: "crash" in f.before,
    ),
    Line(
        "Look at what a revert takes back: the effect of the receipt is gone, and the record that it was "
        "consumed has stayed.",
        lambda f: f.since == "revert" or ("revert" in f.before and "consumed" in f.said),
    ),
    Line(
        "Look at what is remembered of a callback that failed: one failure must not stop what comes after "
        "it from the same source.",
        lambda f: f.since == "deliver_failing" or "deliver_failing" in f.before,
    ),
    Line(
        "Look at how it is remembered what was executed: a mark (the highest number so far) takes what comes "
        "later, with a lower number, for done.",
        lambda f: f.since == "deliver" and f.of_another_receipt and f.said_first.startswith("accepted"),
    ),
    Line(
        "Look at what an attempt that was refused leaves behind: the receipt was dropped, or marked, when "
        "it came too early, and is refused now that everything is there.",
        lambda f: f.since in ("deliver", "reenter"),
    ),
    Line(
        "Look at the key under which `deliver` records a receipt: another one that was executed stands in "
        "the way, so two receipts share a key; whether the source, the channel and the number are all in "
        "it.",
        lambda f: (
            f.of_another_receipt and "deliver" in f.before and ("consumed" in f.said or f.several_sources)
        ),
    ),
    Line(
        "Look at the path from `deliver` to the effect: it is accepted, and recorded, and nothing is "
        "executed.",
        lambda f: f.said.startswith("accepted"),
    ),
)

_WAITS = (
    Line(
        "Look at what `deliver` waits for: headers or messages of other shards, which have nothing to do "
        "with this receipt, must not be needed.",
        lambda f: f.verb != "emit",
    ),
    Line("Look at which links share a queue or a limit: what waits on one must not fill another."),
)

_JAMMED = (
    Line(
        "Look at what an attempt that was refused leaves behind: a mark against its source, or a place in "
        "a queue, that makes what comes after it be refused too.",
    ),
)

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "executes-a-prefix": (
        Line(
            "Look where `deliver` compares the number of a receipt with the one that is due on its channel."
        ),
    ),
    "executes-or-skips-a-prefix": (
        Line("Look where `deliver` and `skip` compare the number of a receipt with the one that is due."),
    ),
    "delivers-what-is-due": _SILENT_DROP,
    "waits-for-no-other-shard": _WAITS,
    "is-not-jammed-by-another-receipt": _JAMMED,
    "goes-on-past-what-expired": (
        Line("Look at what an expired receipt does to the order of its channel: its turn has to pass."),
    ),
    "finds-room-again": (
        Line("Look at what empties a queue that is full: it must not need room in that queue itself."),
    ),
    "resumes-when-drained": (
        Line(
            "Look at how the signal to resume travels: it must not wait in the queue that is suspended, "
            "and has to be given once that queue is empty.",
        ),
    ),
}

#: What is said of any other refusal of something that is due.
PROGRESS = (
    Line(
        "Look at what an attempt that was refused leaves behind: what comes after it is refused too.",
        lambda f: f.since == "deliver",
    ),
    Line(
        "Look at every reason for which `deliver` refuses: one of them holds of a receipt that is due, "
        "proved, and under a header that was learned.",
    ),
)
