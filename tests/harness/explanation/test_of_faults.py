"""
What is said of each faulty shard: the clause that it forgets, since when it is wrong, and where to look.

The explanations are those of the committed traces; `test_replay.py` checks that one gets them today.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from attrs import frozen

from shardproof import trace_file
from shardproof.adapters.faulty import FAULTS
from shardproof.explanation.look_for import SENTENCES
from shardproof.trace import NOT_NEEDED, Explanation, Trace

TRACES = Path(__file__).parents[2] / "traces"


@frozen
class Said:
    """What an explanation has to say."""

    #: Words that only its sentence has of what is to be looked for.
    look_for: str
    #: The step since which it is wrong, from 1, where that is not the last one.
    since: int | None = None
    #: Why the clause that is named is another than the one that is forgotten, or why none is.
    other_clause: str = ""
    #: What the change is called that is refused; empty where nothing can be changed, or is refused already.
    refused: str = "one bit of the proof"


NOBODY_PRODUCED = "what nobody produced is not final either, and that is asked first"
OF_THE_BYTES = "that is said of the bytes: to the model it is a header, or a receipt, that nobody made"
NO_ACTION = "what an adversary asks for is no action of the model, so no clause of it refuses"

SAID = {
    "amount-is-what-is-claimed": Said("not what he claims"),
    "batch-counted-again": Said("how often, or when, the header was shown", since=6),
    "caller-says-it-was-verified": Said(
        "because the caller or a field says so",
        other_clause=NOBODY_PRODUCED,
        refused="nothing that was tried is refused: 2",
    ),
    "context-not-given-back": Said("when an inner callback returns"),
    "counter-from-the-wrong-block": Said("counted", refused=""),
    "counters-not-imported": Said("restart reads back: counters", refused=""),
    "destination-not-bound": Said("compares the destination"),
    "dropped-when-early": Said("came too early", since=4, refused=""),
    "duplicated-last-leaf": Said("position in the tree", refused="without the damage"),
    "effect-before-record": Said("one write", since=4, refused="one bit of the header"),
    "effects-survive-revert": Said("effects as well as the records", refused=""),
    "events-of-a-failure": Said("its events"),
    "every-child-claims-it": Said("sent again by another shard", refused="under h0, as before"),
    "filter-missing-in-validation": Said("filters what it inherits", refused=""),
    "heights-of-two-chains-compared": Said("clock or height", refused=""),
    "jams-after-bad-evidence": Said("a mark against its source", since=5, refused=""),
    "key-is-header": Said("depends on the header, so", refused="under h0, as before"),
    "key-is-proof": Said("depends on the proof", refused="without the damage"),
    "key-is-signature": Said(
        "a certificate, a signature", other_clause=OF_THE_BYTES, refused="without the damage"
    ),
    "leaf-for-node": Said("inner node passes for a leaf"),
    "marked-after-callback": Said("Record first", refused="once the callback has returned"),
    "message-sets-the-keepers": Said("payload can call", other_clause=NO_ACTION, refused="signed by nobody"),
    "middle-keeps-it": Said("the shard in the middle"),
    "no-deduplication": Said("the very same delivery"),
    "no-funds-no-bounce": Said("pays for the answer"),
    "no-proof-check": Said("checks the proof at all", refused="without a header"),
    "no-time-to-object": Said(
        "can be challenged", other_clause=NOBODY_PRODUCED, refused="nothing that was tried is refused: 2"
    ),
    "non-final-header": Said("header is final", refused="without a header"),
    "nonce-without-source": Said("two receipts share a key", refused=""),
    "null-asset-is-free": Said("asset that is unknown", refused="more than its sender has"),
    "null-root": Said("must not read as null", refused="under a header that is known"),
    "pruned-without-a-bound": Said("forgotten", since=6),
    "reason-of-this-node": Said("circumstances", refused=""),
    "record-before-effect": Said("one write", since=4, refused=""),
    "record-lost-at-restart": Said("restart reads it back", since=6),
    "records-survive-revert": Said("record that it was consumed has stayed", since=8, refused=""),
    "refund-marked-after-callback": Said("still pending", refused="once the callback has returned"),
    "refunded-again": Said("stops being pending"),
    "resume-waits-behind-the-data": Said("signal to resume", refused=""),
    "rules-in-the-evidence": Said("proof that is empty", refused="the proof of a receipt that was emitted"),
    "second-way-in": Said("every entrance", refused="more than its sender has"),
    "set-up-twice": Said("upgrade", since=1, refused=""),
    "stored-payload-blocks": Said("callback that failed", since=6, refused=""),
    "swallows-receipts": Said("nothing is executed"),
    "threshold-of-nothing": Said(
        "upgrade", since=1, other_clause=NOBODY_PRODUCED, refused="validators that were made up"
    ),
    "timeout-on-the-wrong-clock": Said("that of the sender", since=6),
    # Sums of children that are looked at in total only are bits of the proof that nobody looks at.
    "totals-only": Said("the sum of each child", refused="one bit of the header"),
    "twice-under-reordering": Said("comes before its turn", since=6),
    "unhashed-child": Said("does not go into it"),
    "unlearned-header": Said("those that were learned"),
    "waits-for-every-shard": Said("headers or messages of other shards", refused=""),
    "wrong-source": Said("contain the source", other_clause=OF_THE_BYTES),
}


@cache
def known(name: str) -> Trace:
    """The committed trace of a fault."""
    return trace_file.load(TRACES / f"{name}{trace_file.SUFFIX}")


def explanation(name: str) -> Explanation:
    told = known(name).explanation
    assert told is not None, "every committed trace says why"
    return told


def test_something_is_expected_of_each_fault() -> None:
    """A fault that is new is one of which nobody has looked at what is said."""
    assert {*SAID} == {*FAULTS}


@pytest.mark.parametrize("name", FAULTS)
def test_the_clause_that_is_named_is_the_one_that_is_forgotten(name: str) -> None:
    """
    The refusal in the trace is the one that the fault forgets, or it is said here why it is another.
    """
    violation = known(name).violation
    assert violation is not None
    named, forgotten = violation.clause.partition(":")[0], FAULTS[name].clause

    assert (named != forgotten) is bool(SAID[name].other_clause), (named, forgotten)


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_to_be_looked_for_is_what_is_wrong(name: str) -> None:
    """
    The sentence speaks of the mistake that was made, and of no other fault.
    """
    wanted = SAID[name].look_for
    alike = {other for other in FAULTS if wanted in explanation(other).look_for}

    assert wanted in explanation(name).look_for
    assert all(SAID[other].look_for == wanted for other in alike), alike


@pytest.mark.parametrize("name", FAULTS)
def test_since_when_it_is_wrong(name: str) -> None:
    """
    Where a step before the last one is named, it says how that is known.
    """
    told, last = explanation(name), len(known(name).steps)

    assert told.first_wrong + 1 == (SAID[name].since or last)
    assert bool(told.known_by) is (told.first_wrong + 1 < last)


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_refused_instead(name: str) -> None:
    """
    The smallest change that is refused; nothing where nothing was shown, or where it is refused already.
    """
    said = explanation(name).refused_instead

    assert said if SAID[name].refused else not said
    assert SAID[name].refused in said


@pytest.mark.parametrize("name", FAULTS)
def test_every_step_is_needed(name: str) -> None:
    """
    A trace that is as short as can be loses its finding with each of its steps.
    """
    told = explanation(name)

    assert len(told.without) == len(known(name).steps)
    assert NOT_NEEDED not in told.without


def test_faults_of_one_sentence_are_told_apart() -> None:
    """
    Of the sentence that most of them break, more than ten different things are said.
    """
    of_one = [name for name, fault in FAULTS.items() if fault.violates == "executes-at-most-once"]

    assert len({explanation(name).look_for for name in of_one}) >= len(of_one) - 1 > 10


def test_no_sentence_of_a_fault_is_without_lines() -> None:
    """
    What a fault violates has lines of its own in the table.
    """
    assert {fault.violates for fault in FAULTS.values()} <= {*SENTENCES}
