"""
A receipt that fails goes back, as a receipt of its own (L2, the bounce).

There is no timeout here and no acknowledgement: the receiver of a failure owes its sender a
response, which takes back what the receipt carried and is emitted, proved, delivered and
deduplicated like any other. So "refunded" is "the response was executed". Only failures are
answered, each once, and a response is never itself answered, or value would bounce for ever.

Source: TON, "bounce" and `tr_phase_bounce_ok`; NEAR, refund receipts; Internet Computer, rejects.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, assign, insert, remove, require
from ..language.protocol import Layer
from ..language.terms import FALSE, Bool, implies
from .exactly_once import Receipt, deliver, destination, emit, exactly_once, source
from .failures import brings_back, failures, responds

bouncing = Layer(
    "bouncing",
    needs=(exactly_once, failures),
    doc="a receipt that fails goes back as a receipt of its own",
)

NOT_OWED = Refusal("not owed")
MUST_SUCCEED = Refusal("a response cannot fail")


@bouncing.rigid
def response(m: Receipt) -> Bool:
    """`m` is a response to a failure."""
    ...


@bouncing.rigid
def answered(m: Receipt) -> Receipt:
    """The receipt that a response answers."""
    ...


@bouncing.axiom
def a_response_goes_back(m: Receipt) -> Bool:
    """From where its receipt failed to where that came from; and it answers no response."""
    w = answered(m)
    back = (source(m) == destination(w)) & (destination(m) == source(w)) & ~response(w)
    return implies(response(m), back)


@bouncing.widens(responds)
def takes_back(m: Receipt) -> Bool:
    """What a response carries, the failed receipt carried."""
    return response(m)


@bouncing.widens(brings_back)
def is_the_response(b: Receipt, m: Receipt) -> Bool:
    """Each response gives back what one receipt took."""
    return response(b) & (answered(b) == m)


@bouncing.state(home=destination)
def owed(m: Receipt) -> Bool:
    """`m` has failed, and its sender has not been sent a response yet."""
    return FALSE


@bouncing.ghost(home=destination)
def returned_as(m: Receipt) -> Receipt:
    """The response that was emitted for `m`: a Skolem function for 'some response'."""
    ...


@bouncing.extends(deliver)
def owe_a_response(m: Receipt, ok: Bool) -> Parts:
    """A failure is owed a response. What a response brings back is credited without a callback."""
    yield require(implies(response(m), ok), MUST_SUCCEED)
    yield insert(owed(m), where=~ok)


@bouncing.extends(emit)
def respond(m: Receipt) -> Parts:
    """A response is emitted by the shard that owes it, and by nobody else."""
    yield require(implies(response(m), owed(answered(m))), NOT_OWED)
    yield remove(owed(answered(m)), where=response(m))
    yield assign(returned_as(answered(m)), m, where=response(m))
