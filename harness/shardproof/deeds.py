"""
What can be done to a system beyond the main road, as one table: a verb is a line of it.

A line says which verb of the adapter is asked, which action of the protocol it attempts, what it
is taken with, what honest evidence of it is, and who decides. Moves, traces, the judge and
shrinking read the table, so that a new verb needs a line here and somebody who tries it.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping

from attrs import frozen


class Decides(enum.Enum):
    """Whose business it is whether something may be done, and so what an answer means."""

    #: A relayer asks and the system decides: both ways it must decide as the model does.
    SYSTEM = "system"
    #: Users, consensus and operators: asked for only where the model allows it, and declined at will.
    ENVIRONMENT = "environment"
    #: Nothing that can be seen may change by it.
    NOBODY = "nobody"
    #: An adversary: the system must not take part.
    ADVERSARY = "adversary"


@frozen
class Deed:
    """One verb, as a move that can be taken."""

    verb: str
    decides: Decides
    #: The action of the protocol, and what it is taken with: shard, receipt, header, channel, other, another.
    action: str = ""
    takes: tuple[str, ...] = ()
    #: The arguments of the move besides its shard.
    arguments: tuple[str, ...] = ()
    #: The verb that gives honest evidence.
    evidence: str = ""
    #: The sentence that is broken where the model accepts and the system does not.
    owed: str = ""


_PRESENTED = ("receipt", "header", "evidence")
_ACTION = ("shard", "receipt", "header")
_OUTCOME = "reaches-an-outcome"

DEEDS: Mapping[str, Deed] = {
    deed.verb: deed
    for deed in (
        Deed("acknowledge", Decides.SYSTEM, "acknowledge", _ACTION, _PRESENTED, "prove_outcome", _OUTCOME),
        Deed("time_out", Decides.SYSTEM, "time_out", _ACTION, _PRESENTED, "prove_absence", _OUTCOME),
        Deed("time_out_again", Decides.SYSTEM, "time_out", _ACTION, _PRESENTED, "prove_absence", _OUTCOME),
        Deed(
            "time_out_on_close",
            Decides.SYSTEM,
            "time_out_on_close",
            _ACTION,
            _PRESENTED,
            "prove_absence",
            _OUTCOME,
        ),
        Deed("skip", Decides.SYSTEM, "skip", _ACTION, _PRESENTED, "prove", "goes-on-past-what-expired"),
        Deed("advance_clock", Decides.ENVIRONMENT, "tick", ("shard",)),
        Deed("close_channel", Decides.ENVIRONMENT, "close", ("shard", "channel"), ("other", "number")),
        Deed("split", Decides.ENVIRONMENT, "split", ("shard", "other", "another"), ("other", "another")),
        Deed("merge", Decides.ENVIRONMENT, "merge", ("shard", "other", "another"), ("other", "another")),
        Deed("crash", Decides.NOBODY, arguments=("number",)),
        Deed("prune", Decides.NOBODY),
        Deed("upgrade", Decides.NOBODY),
        Deed("rotate", Decides.NOBODY),
        Deed("learn_validators", Decides.NOBODY, arguments=("header",)),
        Deed("claim", Decides.NOBODY, arguments=("header",)),
        Deed("challenge", Decides.NOBODY, arguments=("header",)),
        Deed("drain", Decides.NOBODY, arguments=("other",)),
        Deed("replicate", Decides.NOBODY),
        Deed("initialise", Decides.ADVERSARY, arguments=("other",)),
        Deed("forge_header", Decides.ADVERSARY, arguments=("receipt", "number")),
    )
}
