"""
What to look for in the code, as a table: sentences that are broken, what was observed, and what to ask.

Read from the top: the first line that fits is said. What is asked is where people have made such a
mistake before, given what the system accepts and refuses; it is a place to begin, and not a proof that
the mistake is there. Lines that need more to have been observed come before lines that need less, and
every sentence and every refusal has one that needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from attrs import frozen

from ..verdict import Kind
from .facts import Facts
from .variations import AFTERWARDS, KNOWN_HEADER, NO_PROOF, PROOF_OF_ANOTHER

#: Damage that shows a leaf at another position of the tree, or says another shape of it.
_POSITIONS = ("moved", "next", "recounted", "shortened", "lengthened", "twisted")


@frozen
class Line:
    """One line of the table."""

    says: str
    #: What has to have been observed.
    where: Callable[[Facts], bool] = lambda _: True


def look_for(facts: Facts) -> str:
    """Where to begin, in a sentence."""
    return next(line.says for line in _lines(facts) if line.where(facts))


def _lines(facts: Facts) -> Iterator[Line]:
    yield from ALWAYS
    yield from SENTENCES.get(facts.wrong.property, ())
    if facts.wrong.kind is Kind.PROGRESS:
        yield from PROGRESS
    clause = facts.wrong.clause
    if clause in CLAUSES:
        yield Line(CLAUSES[clause])
    yield Line(f"Look where `{facts.verb}` is handled: the model and the system part ways at this step.")


#: What is said of whatever sentence is broken.
ALWAYS = (
    Line(
        "Look at what an upgrade does to the state that it finds: what was set up once (a threshold of "
        "signatures, a mark that says so) has to be there afterwards, and not be its default.",
        lambda f: f.since == "upgrade",
    ),
)

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
        "Look where `deliver` asks whether a receipt was consumed, and where it records that it is: the "
        "very same delivery is executed again, so one of the two is missing.",
    ),
)

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

_FORGED_HEADERS = (
    Line(
        "Look at the window in which a claim can be challenged: a claim must not be believed before it is "
        "over, nor after somebody has objected.",
        lambda f: "optimistic" in f.layers,
    ),
    Line(
        "Look where the signatures of a header are verified: whether they are checked by the light client "
        "itself, enough of them, and not because the caller or a field says so.",
        lambda f: f.verb == "forge_header" and getattr(f.last, "number", 0) == 0,
    ),
    Line(
        "Look at which validators the light client takes for elected, and by which way that set can be "
        "changed.",
        lambda f: f.verb == "forge_header",
    ),
    Line("Look where the light client decides that a header was produced by its shard and is final."),
)

_BEFORE_FINAL = (
    Line(
        "Look where `deliver` looks up the header that it is shown: to be known, or to be on the chain, is "
        "not to be final, and a block that is not final can still be dropped.",
        lambda f: f.verb != "learn" and f.damage is None and "self-certified" in f.layers,
    ),
    Line(
        "Look where the light client decides that a header is final: what carries no certificate must not "
        "pass for what needs none.",
    ),
)

_REPLICAS = (
    Line(
        "Look at what a node writes into its state of the circumstances in which it runs (the text of an "
        "error, a clock, an order of its own): a node that catches up writes something else.",
        lambda f: "deliver_failing" in f.before,
    ),
    Line(
        "Look at what a node does when shards split or merge, and what a node does that catches up: one of "
        "them filters what it inherits and the other does not.",
        lambda f: bool({"split", "merge"} & {*f.before}),
    ),
    Line(
        "Look at where a node that catches up takes its starting point from: the block in which a thing "
        "was counted, and the one that it is counted from, have to be the same.",
    ),
)

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

_ONE_OUTCOME = (
    Line(
        "Look at the order in which an outcome is told: the callback runs while the receipt is still "
        "pending, and can ask for the same again. Close it first.",
        lambda f: f.verb == "time_out_again" or f.fails(AFTERWARDS),
    ),
    Line(
        "Look where a receipt stops being pending once its sender was told how it ended: the same outcome "
        "can be had again.",
    ),
)

_NEVER_BOTH = (
    Line(
        "Look at which clock an expiry goes by: it has to be the time in the header of the destination, "
        "and not that of the sender, or a receipt expires that can still be delivered.",
        lambda f: f.wrong.clause == "not elapsed",
    ),
    Line(
        "Look at what an expiry is proved by: that the receipt was not received, in a header from after "
        "its deadline.",
    ),
)

_DEADLINES = (
    Line(
        "Look at which clock or height an expiry is compared with: only that of the destination counts, "
        "and where the sender stands must not matter.",
    ),
)

_CALLERS = (
    Line(
        "Look at how the caller is remembered while a callback runs: when an inner callback returns, the "
        "outer one's has to be given back.",
    ),
)

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

#: Sentence -> its lines; the last of each needs nothing, where what the clause says is not better.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
    "executes-at-most-once": _TWICE,
    "executes-only-what-was-emitted": _FORGERIES,
    "executes-only-on-trusted-headers": (
        Line(
            "Look where `deliver` decides that a header is trusted: it has to be among those that were "
            "learned, and to be certified is not the same.",
        ),
    ),
    "executes-only-on-final-headers": _BEFORE_FINAL,
    "trusts-only-final-headers": _BEFORE_FINAL,
    "trusts-only-produced-headers": _FORGED_HEADERS,
    "knows-only-elected-validators": (
        Line(
            "Look at whom a payload can call: the owner of the set of validators must not be reachable by "
            "what is delivered.",
            lambda f: any(m.terms is not None and m.terms.takeover for m in f.sent),
        ),
        *_FORGED_HEADERS,
    ),
    "is-set-up-once": (
        Line(
            "Look at the mark that says that a light client was set up: who may clear it, and whether it "
            "is asked."
        ),
    ),
    "executes-at-its-destination": (
        Line(
            "Look whether `deliver` compares the destination in the proved receipt with the shard that it "
            "is at."
        ),
    ),
    "executes-where-its-address-is": (
        Line(
            "Look at which shard answers for an address after a split or a merge, and whether `deliver` "
            "asks that."
        ),
    ),
    "reverts-atomically": (
        Line(
            "Look at what a revert takes back: everything since the parent of the block, effects as well "
            "as the records of them.",
        ),
    ),
    "never-both": _NEVER_BOTH,
    "has-one-outcome": _ONE_OUTCOME,
    "acknowledges-truthfully": (
        Line(
            "Look at what an acknowledgement is proved by: that the destination has executed this very "
            "receipt."
        ),
    ),
    "never-effect-and-response": (
        Line(
            "Look at what is taken back when a receipt is answered with a failure: its effect has to be gone."
        ),
    ),
    "is-answered-once": (
        Line("Look where an answer is emitted: once a receipt, also when it fails again or is shown again."),
    ),
    "failures-are-answered": (
        Line(
            "Look at who pays for the answer to a failure: one that carries too little, or nothing, has to "
            "be answered as well.",
        ),
    ),
    "announces-only-effects": (
        Line("Look at what is rolled back when a callback fails: its events have to go with its state."),
    ),
    "fails-atomically": (
        Line("Look at what is rolled back when a callback fails: everything that it wrote has to go."),
    ),
    "executes-a-prefix": (
        Line(
            "Look where `deliver` compares the number of a receipt with the one that is due on its channel."
        ),
    ),
    "executes-or-skips-a-prefix": (
        Line("Look where `deliver` and `skip` compare the number of a receipt with the one that is due."),
    ),
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
    "callbacks-know-who-called": _CALLERS,
    "delivers-what-is-due": _SILENT_DROP,
    "waits-for-no-other-shard": _WAITS,
    "is-not-jammed-by-another-receipt": _JAMMED,
    "attains-its-deadline": _DEADLINES,
    "reaches-an-outcome": (
        Line("Look at what the outcome of a receipt is proved by, and what besides that proof is asked for."),
    ),
    "gives-back-on-close": (
        Line(
            "Look at what a closed channel leaves to its senders: what was not received has to be given back."
        ),
    ),
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
    "learns-what-is-final": (
        Line("Look at what a light client needs to believe the first header of a new set of validators."),
    ),
    "survives-a-crash": (
        Line(
            "Look at what is durable when `deliver` is answered: a loss of power must take back all of it "
            "or nothing."
        ),
    ),
    "restarts-as-it-was": (
        Line(
            "Look at what is written down and what a restart reads back: counters too, or numbers are used "
            "again."
        ),
    ),
    "replicas-agree": _REPLICAS,
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

#: Refusal -> what is asked where no line of the sentence fits, or the sentence has none.
CLAUSES: Mapping[str, str] = {
    "untrusted header": "Look where `deliver` decides that a header is trusted: by what was learned, and "
    "nothing else.",
    "wrong source": "Look whether `deliver` compares the source of the receipt with the shard of the header.",
    "unproven": "Look where `deliver` checks that the root of the header covers the receipt that is shown.",
    "wrong destination": "Look whether `deliver` compares the destination of the receipt with the shard "
    "that it is at.",
    "consumed": "Look where `deliver` asks whether a receipt was consumed, and where it records that it is.",
    "not final": "Look where the light client decides that a header is final.",
    "unknown header": "Look what is made of a header that nobody knows: it must not read as a default.",
    "too few signatures": "Look where the signatures of a header are counted, and against which threshold.",
    "unknown validators": "Look which validators a light client takes for those of the epoch of a header.",
    "out of order": "Look where the number of a receipt is compared with the one that is due on its channel.",
    "expired": "Look whether `deliver` compares the deadline of a receipt with the clock of its own shard.",
    "not elapsed": "Look at which clock an expiry goes by: that of the destination, as its header says.",
    "received": "Look at what an expiry is proved by: that the destination had not received the receipt.",
    "not pending": "Look where a receipt stops being pending once its sender was told how it ended.",
    "no acknowledgement": "Look at what an acknowledgement is proved by: that the destination has written "
    "it down.",
    "closed": "Look whether `deliver` asks whether the channel of a receipt is closed.",
    "not closed": "Look at what it is proved by that a channel is closed.",
    "not expired": "Look whether a receipt is skipped that can still be delivered.",
    "malformed": "Look at what a decoder does with what is left over, missing or out of range.",
    "of another domain": "Look whether what is decoded says for which chain and purpose it was made.",
    "not canonical": "Look whether a decoder accepts more than one encoding of one thing.",
    "the window is open": "Look whether a claim is believed before the window is over in which it can be "
    "challenged.",
    "challenged": "Look whether a claim is believed that somebody has challenged.",
    "not claimed": "Look whether a header is believed that nobody has claimed.",
    "running": "Look at what a callback may call while it runs.",
    "trust expired": "Look how long a light client believes the validators that it knows of without having "
    "heard more.",
    "no authority": "Look whom a payload can call: what is owned by the shard itself must not be reachable "
    "by it.",
    "a response cannot fail": "Look at what becomes of a response whose callback fails: it is done with, "
    "all the same.",
}
