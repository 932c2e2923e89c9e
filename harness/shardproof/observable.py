"""
Which sentences an implementation can be seen to violate beside the main road, and what tries them.

A sentence that nothing could have violated was not checked. So each names the verbs without
which it says nothing of a system, and the events of which one at least must have happened:
`ACTION` where it was accepted, `ACTION: CLAUSE` where the model refused it by that clause.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen


@frozen
class Observable:
    """One sentence: the verbs that it needs, and the events that exercise it."""

    needs: tuple[str, ...]
    by: tuple[str, ...]


OBSERVABLE: Mapping[str, Observable] = {
    "executes-where-its-address-is": Observable(("split",), ("deliver: wrong destination",)),
    "never-both": Observable(
        ("ended", "time_out"), ("time_out: received", "time_out: not elapsed", "deliver: expired")
    ),
    "has-one-outcome": Observable(
        ("ended", "acknowledge"), ("acknowledge: not pending", "time_out: not pending")
    ),
    "acknowledges-truthfully": Observable(("ended", "acknowledge"), ("acknowledge: no acknowledgement",)),
    "never-effect-and-response": Observable(("responses",), ("deliver",)),
    "is-answered-once": Observable(("responses", "deliver_failing"), ("failure",)),
    "failures-are-answered": Observable(("responses", "deliver_failing"), ("failure",)),
    "announces-only-effects": Observable(("announced", "deliver_failing"), ("failure",)),
    "fails-atomically": Observable(("deliver_failing",), ("failure",)),
    "executes-a-prefix": Observable((), ("deliver: out of order",)),
    "executes-or-skips-a-prefix": Observable((), ("deliver: out of order",)),
    "books-balance": Observable(("balance",), ("deliver",)),
    "emission-debits-what-is-carried": Observable(("balance", "send"), ("send",)),
    "execution-credits-what-is-carried": Observable(("balance",), ("deliver",)),
    "failure-credits-nothing": Observable(("balance", "deliver_failing"), ("failure",)),
    "refund-returns-what-was-carried": Observable(("balance", "time_out"), ("time_out", "refund")),
    "callbacks-know-who-called": Observable(("nest",), ("nest",)),
    "is-set-up-once": Observable(("initialise",), ("initialise",)),
    "knows-only-elected-validators": Observable(("forge_header",), ("forge_header",)),
    "reaches-an-outcome": Observable(("acknowledge",), ("acknowledge",)),
    "gives-back-on-close": Observable(("time_out_on_close",), ("time_out_on_close",)),
    "goes-on-past-what-expired": Observable(("skip",), ("skip",)),
    "attains-its-deadline": Observable(("time_out",), ("time_out",)),
    "finds-room-again": Observable(("drain", "send"), ("drain",)),
    "resumes-when-drained": Observable(("drain", "send"), ("send on an emptied link",)),
    "learns-what-is-final": Observable(("rotate", "learn_validators", "learn"), ("learn of a new epoch",)),
    "survives-a-crash": Observable(("crash",), ("crash",)),
    "restarts-as-it-was": Observable(("restart", "state_root"), ("restart",)),
    "replicas-agree": Observable(("state_root", "replicate"), ("replicate",)),
}

#: Event -> the sentences that it exercises.
EXERCISED: Mapping[str, tuple[str, ...]] = {
    event: tuple(name for name, seen in OBSERVABLE.items() if event in seen.by)
    for event in dict.fromkeys(event for seen in OBSERVABLE.values() for event in seen.by)
}


def lacking(name: str, able: Collection[str]) -> tuple[str, ...]:
    """The verbs without which the sentence says nothing of a system."""
    return tuple(v for v in OBSERVABLE[name].needs if v not in able) if name in OBSERVABLE else ()
