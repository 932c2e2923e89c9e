"""What a sender is told, and when: timeouts, acknowledgements and responses."""

from __future__ import annotations

from collections.abc import Mapping

from ..variations import AFTERWARDS
from .line import Line

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

#: Sentence -> its lines; the last of each needs nothing.
SENTENCES: Mapping[str, tuple[Line, ...]] = {
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
    "attains-its-deadline": _DEADLINES,
    "reaches-an-outcome": (
        Line("Look at what the outcome of a receipt is proved by, and what besides that proof is asked for."),
    ),
    "gives-back-on-close": (
        Line(
            "Look at what a closed channel leaves to its senders: what was not received has to be given back."
        ),
    ),
}
