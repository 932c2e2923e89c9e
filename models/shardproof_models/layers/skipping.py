"""
An ordered channel that goes on past what has expired (L1, ORDERED_ALLOW_TIMEOUT).

On a strictly ordered channel one expired receipt holds up all that come after it, for ever.
Here its destination records it as expired, without executing it, and takes the next.

Source: ICS-04, "ORDERED_ALLOW_TIMEOUT".
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, at, insert, require
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool
from .deadlines import clock, deadline, deadlines
from .exactly_once import (
    CONSUMED,
    UNPROVEN,
    UNTRUSTED_HEADER,
    WRONG_DESTINATION,
    WRONG_SOURCE,
    Header,
    Receipt,
    Shard,
    answers,
    commits,
    consumed,
    destination,
    excused,
    issued,
    key,
    recorded,
    source,
    trusted,
)
from .resharding import carried_over
from .sequencing import OUT_OF_ORDER, channel, next_receive, ordering, sequence

skipping = Layer(
    "skipping",
    needs=(ordering, deadlines),
    touches=(consumed, next_receive),
    doc="an ordered channel goes on past what has expired",
)

NOT_EXPIRED = Refusal("not expired")


@skipping.state(home=lambda d: d)
def skipped(d: Shard, m: Receipt) -> Bool:
    """Shard `d` has recorded `m` as expired."""
    return FALSE


@skipping.widens(excused)
def expired_in_its_turn(d: Shard, m: Receipt) -> Bool:
    """What expired is recorded, and was not executed."""
    return skipped(d, m)


@skipping.action
def skip(d: Shard, m: Receipt, h: Header) -> Parts:
    """A relayer shows a receipt whose deadline is over, in its turn."""
    yield at(d)
    yield require(trusted(d, h), UNTRUSTED_HEADER)
    yield require(issued(h, source(m)), WRONG_SOURCE)
    yield require(commits(h, m), UNPROVEN)
    yield require(answers(d, destination(m)), WRONG_DESTINATION)
    yield require(~recorded(d, m), CONSUMED)
    yield require(deadline(m) <= clock(d), NOT_EXPIRED)
    yield require(sequence(m) == next_receive(channel(m)), OUT_OF_ORDER)
    yield insert(consumed(d, key(m)))
    yield insert(skipped(d, m))
    yield add(next_receive(channel(m)), 1)


carried_over(skipping, skipped)
