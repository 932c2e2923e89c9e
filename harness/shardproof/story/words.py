"""
What the model's facts are called in plain words, for somebody who has never seen its formulas.

Only of facts by which a relayer can be refused: the rest is told as it stands in the guard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from ..trace import Step


@frozen
class Words:
    """A relation that holds, and one that does not, of what is numbered: `{0}` is its first argument."""

    holds: str
    fails: str
    #: What has happened at a step with one of these actions, where the relation is otherwise since then.
    happened: Mapping[str, str] = {}


#: How names begin of a header that is no block, and of a receipt that was never sent.
UNPRODUCED, UNEMITTED = "a header that nobody produced", ("a receipt that nobody emitted", "forged:")

_EXECUTED = "{0} had executed {1}"
_FAILED = "{1} had run and failed at {0}"
_TOLD = "the outcome of {0} had been told to its sender"

RELATIONS: Mapping[str, Words] = {
    "consumed": Words(
        "{0} has consumed {1}",
        "{0} has not consumed {1}",
        {"deliver": _EXECUTED, "reenter": _EXECUTED, "nest": _EXECUTED, "deliver_failing": _FAILED},
    ),
    "learned": Words("{0} has learned {1}", "{0} has not learned {1}"),
    "produced": Words("{0} is on the chain of its shard", "{0} is not on the chain of its shard"),
    "finalised": Words("{0} is final", "consensus has not decided that {0} stays"),
    "commits": Words("{0} commits to {1}", "{0} does not commit to {1}"),
    "spoke_for": Words("the shard of {0} answered for {1}", "the shard of {0} did not answer for {1}"),
    "pending": Words(
        "the sender of {0} waits for its outcome",
        "the sender of {0} does not wait for its outcome",
        dict.fromkeys(("acknowledge", "time_out", "time_out_again", "time_out_on_close"), _TOLD),
    ),
    "acknowledged_in": Words("{0} shows how {1} ended", "{0} does not show how {1} ended"),
    "received_in": Words("{0} shows that {1} was received", "{0} shows that {1} was not received"),
    "closed_in": Words(
        "{0} shows that the channel {1} is closed", "{0} does not show that the channel {1} is closed"
    ),
    "closed": Words("the channel {0} is closed", "the channel {0} is open"),
    "running": Words("the callback of {0} is running", "the callback of {0} is not running"),
    "claimed": Words("{1} was claimed at {0}", "nobody has claimed {1} at {0}"),
    "challenged": Words("somebody has objected to {1} at {0}", "nobody has objected to {1} at {0}"),
    "knows": Words(
        "{0} takes the validators of set {2} for those of {1}",
        "{0} does not take the validators of set {2} for those of {1}",
    ),
}

#: What a function is worth: `{0}` is its first argument, and `{value}` the value.
VALUES: Mapping[str, str] = {
    "source": "{0} is from {value}",
    "destination": "{0} is for {value}",
    "origin": "{0} is of {value}",
    "owner": "{value} answers for {0}",
    "deadline": "{0} expires at {value}",
    "time": "the clock in {0} stands at {value}",
    "clock": "the clock of {0} stands at {value}",
    "confirm_at": "{0} believes {1} from {value} on",
    "sequence": "{0} is number {value} on its channel",
    "next_receive": "number {value} is due on the channel {0}",
    "watermark": "{0} has dealt with everything below number {value} on {1}",
    "acts_for": "{0} asks to act for {value}",
    "threshold": "{0} asks for so many signatures: {value}",
    "signatures": "{0} has so many of set {1}: {value}",
}


def fact(relation: str, names: Sequence[str], *, holds: bool) -> str:
    """That a relation holds of what is called `names`, or does not; empty where there are no words for it."""
    words = RELATIONS.get(relation)
    if words is None:
        return ""
    if holds:
        return words.holds.format(*names)
    # Then that is why, whatever else is not so of it.
    if any(name.startswith(UNPRODUCED) for name in names):
        return "no shard has produced the header that is shown"
    if any(name.startswith(UNEMITTED) for name in names):
        return "nobody has emitted the receipt that is shown"
    return words.fails.format(*names)


def event(relation: str, names: Sequence[str], step: Step) -> str:
    """What made a relation otherwise at `step`; empty where no more is known than that it did."""
    words = RELATIONS.get(relation)
    # A trace of the model alone has one action for both, and says how it ended.
    failed = step.action == "deliver" and step.args.get("ok") == "0"
    said = "" if words is None else words.happened.get("deliver_failing" if failed else step.action, "")
    return said.format(*names)


def value(function: str, names: Sequence[str], worth: str) -> str:
    """What a function of what is called `names` is worth; empty where there are no words for it."""
    words = VALUES.get(function)
    return "" if words is None else words.format(*names, value=worth)
