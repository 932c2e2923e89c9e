"""What the sender learns is true, and it learns one thing, once (L2)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of, exists, implies, ite, next_, number
from shardproof_models.layers.bouncing import answered, bouncing, owed, response, returned_as
from shardproof_models.layers.closing import closed, closed_in, closing, ended
from shardproof_models.layers.deadlines import clock, deadline
from shardproof_models.layers.exactly_once import (
    Count,
    Header,
    Receipt,
    Shard,
    answers,
    consumed,
    destination,
    emitted,
    excused,
    executions,
    issued,
    key,
    produced,
    source,
    trusted,
)
from shardproof_models.layers.failures import announced, succeeded, took_effect
from shardproof_models.layers.forwarding import arrived, first_hop, forwarded, forwarding, onward, travels
from shardproof_models.layers.outcomes import (
    acknowledged,
    acknowledged_in,
    acknowledgement,
    pending,
    received_in,
    refunds,
    succeeded_in,
    time,
    timed_out,
    timed_out_by,
)
from shardproof_models.layers.outcomes import (
    outcomes as acknowledgements,
)
from shardproof_models.layers.resharding import resharding
from shardproof_models.layers.sequencing import Channel, channel, next_send, receiver

from .property import Catalogue
from .safety import ran

outcomes = Catalogue()


def one(b: Bool) -> Count:
    """1 if it is so, else 0."""
    return ite(b, number(1, Count), number(0, Count))


def failed(m: Receipt) -> Bool:
    """`m` was executed, and its callback failed or was taken back."""
    return exists(Shard, lambda e: (executions(e, m) >= 1) & ~succeeded(e, m))


def _proved(h: Header, m: Receipt) -> Bool:
    return all_of(produced(h), issued(h, destination(m)), acknowledged_in(h, m))


def _absent(h: Header, m: Receipt) -> Bool:
    return all_of(produced(h), issued(h, destination(m)), ~received_in(h, m))


@outcomes.invariant("P04", because="delivered and refunded: what the receipt carried exists twice")
def never_both(d: Shard, m: Receipt) -> Bool:
    """What took effect was not refunded."""
    return ~(took_effect(d, m) & (refunds(m) >= 1))


@outcomes.invariant("P04", because="delivered and sent back: what the receipt carried exists twice")
def never_effect_and_response(d: Shard, m: Receipt, b: Receipt) -> Bool:
    """What took effect was not answered as a failure."""
    return ~all_of(took_effect(d, m), emitted(b), response(b), answered(b) == m)


@outcomes.invariant(
    "P04", acknowledgements, because="who gives up without a proof gives back what may yet be delivered"
)
def a_timeout_was_proved(m: Receipt) -> Bool:
    """What expired for its sender was proved absent by a header of its destination."""
    return implies(timed_out(m), _absent(timed_out_by(m), m))


@outcomes.invariant("P05", because="a receipt without exactly one outcome is lost or paid twice")
def has_one_outcome(m: Receipt) -> Bool:
    """Of what was emitted, the sender waits, or was told of success, or was refunded: one of these, once."""
    parts = (refunds(m) >= 0) & (acknowledged(m) >= 0)
    return parts & (refunds(m) + acknowledged(m) + one(pending(m)) == one(emitted(m)))


@outcomes.invariant("P05", because="two responses give back twice")
def is_answered_once(b: Receipt, c: Receipt) -> Bool:
    """A failure has one response."""
    both = emitted(b) & emitted(c) & response(b) & response(c)
    return implies(both & (answered(b) == answered(c)), b == c)


@outcomes.invariant("P06", because="a sender that is told of success acts on it")
def acknowledges_truthfully(m: Receipt) -> Bool:
    """What the sender was told succeeded took effect."""
    return implies(acknowledged(m) >= 1, exists(Shard, lambda d: took_effect(d, m)))


@outcomes.invariant("P06", because="a sender that is told of failure sends again")
def refunds_truthfully(m: Receipt) -> Bool:
    """What was refunded and not for want of delivery was executed, and had no effect."""
    return implies((refunds(m) >= 1) & ~timed_out(m), failed(m))


@outcomes.invariant("P16", because="observers act on an event of what was rolled back")
def announces_only_effects(d: Shard, m: Receipt) -> Bool:
    """What the log of a shard says took effect succeeded."""
    return implies(announced(d, m), succeeded(d, m))


@outcomes.invariant("P16", because="observers never act on an effect that no event tells of")
def announces_every_effect(d: Shard, m: Receipt) -> Bool:
    """What succeeded at a shard is in its log."""
    return implies(succeeded(d, m), announced(d, m))


@outcomes.invariant(
    "P21", bouncing, because="a failure without a response leaves its sender waiting for ever"
)
def failures_are_answered(d: Shard, m: Receipt) -> Bool:
    """A failure is owed a response, or one was emitted."""
    b = returned_as(m)
    back = all_of(emitted(b), response(b), answered(b) == m)
    return implies((executions(d, m) >= 1) & ~succeeded(d, m), owed(m) | back)


@outcomes.step("P04", because="what runs after its deadline runs after its refund")
def executes_before_the_deadline(d: Shard, m: Receipt) -> Bool:
    """When a receipt is executed, its deadline is still to come."""
    return implies(executions(d, m) < next_(executions(d, m)), clock(d) < deadline(m))


@outcomes.invariant("P07", because="what is sent behind a receipt that never comes never comes either")
def a_timeout_ends_its_channel(m: Receipt) -> Bool:
    """An ordered channel of which a receipt has timed out is over."""
    return implies(timed_out(m), ended(channel(m)))


@outcomes.step("P07", because="what is sent behind a receipt that never comes never comes either")
def nothing_is_sent_on_what_has_ended(c: Channel) -> Bool:
    """A channel that is over takes nothing more."""
    return implies(ended(c), next_(next_send(c)) <= next_send(c))


@outcomes.step("P10", because="who gives up without a proof gives back what may yet be delivered")
def gives_up_only_on_evidence(s: Shard, m: Receipt) -> Bool:
    """What expires for its sender is shown to be absent by a header that the sender trusts."""
    now = answers(s, source(m)) & ~timed_out(m) & next_(timed_out(m))
    shown = exists(Header, lambda h: all_of(trusted(s, h), issued(h, destination(m)), ~received_in(h, m)))
    return implies(now, shown)


@outcomes.step(
    "P10", acknowledgements, because="a sender that is told by whom it does not trust is told anything"
)
def hears_only_on_evidence(s: Shard, m: Receipt) -> Bool:
    """What the sender is told came of a receipt is written down in a header that the sender trusts."""
    failure = (refunds(m) < next_(refunds(m))) & ~next_(timed_out(m))
    now = answers(s, source(m)) & ((acknowledged(m) < next_(acknowledged(m))) | failure)
    shown = exists(Header, lambda h: all_of(trusted(s, h), issued(h, destination(m)), acknowledged_in(h, m)))
    return implies(now, shown)


@outcomes.step("P12", because="a header that changes after it was proved proves two things")
def attestations_never_change(h: Header, m: Receipt) -> Bool:
    """What a produced header attests is fixed."""
    same = all_of(
        next_(received_in(h, m)) == received_in(h, m),
        next_(acknowledged_in(h, m)) == acknowledged_in(h, m),
        next_(succeeded_in(h, m)) == succeeded_in(h, m),
        next_(time(h)) == time(h),
    )
    return implies(produced(h), same)


@outcomes.step("P05", because="a channel that is opened again delivers what was refunded")
def closed_channels_stay_closed(c: Channel, h: Header) -> Bool:
    """Closing is for good, as far as anybody was shown a proof of it."""
    return implies(produced(h) & closed_in(h, c) & next_(produced(h)), next_(closed_in(h, c)))


@outcomes.invariant(
    "P22",
    resharding,
    acknowledgements,
    because="an heir that does not know of an outcome does not prove it to the sender that waits for it",
)
def heirs_know_what_was_written_down(d: Shard, e: Shard, m: Receipt) -> Bool:
    """Whoever answers for its destination now has the outcome of a receipt, whoever has written it down."""
    return implies(acknowledgement(e, m) & answers(d, destination(m)), acknowledgement(d, m))


@outcomes.invariant(
    "P21",
    acknowledgements,
    because="what is forgotten before its outcome is written down leaves its sender waiting for ever",
)
def outcomes_are_written_down_or_will_be(d: Shard, e: Shard, m: Receipt) -> Bool:
    """Of what was executed, whoever answers has the outcome written down, or still a record to do so by."""
    known = (consumed(d, key(m)) & ~excused(d, m)) | acknowledgement(d, m)
    return implies((executions(e, m) >= 1) & answers(d, destination(m)), known)


# ---- lemmas -----------------------------------------------------------------------------------------


@outcomes.lemma(acknowledgements, supports="P04")
def header_time_has_passed(h: Header, d: Shard, m: Receipt) -> Bool:
    """No header attests a moment that whoever answers now for what it spoke for has not seen."""
    spoke = produced(h) & issued(h, destination(m))
    return implies(spoke & answers(d, destination(m)), time(h) <= clock(d))


@outcomes.lemma(acknowledgements, supports="P04")
def a_late_header_reveals_execution(h: Header, d: Shard, m: Receipt) -> Bool:
    """A header from after the deadline shows whether the receipt was recorded."""
    late = all_of(produced(h), issued(h, destination(m)), deadline(m) <= time(h))
    return implies(late & (executions(d, m) >= 1), received_in(h, m))


@outcomes.lemma(supports="P16")
def success_is_of_an_execution(d: Shard, m: Receipt) -> Bool:
    """Nothing succeeds that was not executed."""
    return implies(succeeded(d, m), ran(m))


@outcomes.lemma(resharding, acknowledgements, supports="P06")
def heirs_know_of_success(d: Shard, e: Shard, m: Receipt) -> Bool:
    """Whoever answers for its destination now knows that a receipt has succeeded."""
    return implies(succeeded(e, m) & answers(d, destination(m)), succeeded(d, m))


@outcomes.lemma(resharding, acknowledgements, supports="P06")
def success_is_that_of_the_execution(d: Shard, e: Shard, m: Receipt) -> Bool:
    """What any heir takes for a success was one where it was executed."""
    return implies((executions(e, m) >= 1) & succeeded(d, m), succeeded(e, m))


@outcomes.lemma(acknowledgements, supports="P06")
def a_written_outcome_is_an_outcome(d: Shard, m: Receipt) -> Bool:
    """An outcome is written down of what was executed."""
    return implies(acknowledgement(d, m), ran(m))


@outcomes.lemma(acknowledgements, supports="P06")
def a_proved_outcome_is_an_outcome(h: Header, m: Receipt) -> Bool:
    """A header proves an outcome of nothing that was not executed."""
    return implies(_proved(h, m), ran(m))


@outcomes.lemma(acknowledgements, supports="P06")
def a_proved_success_is_one(h: Header, e: Shard, m: Receipt) -> Bool:
    """Where a header proves success, the execution did succeed, wherever it was."""
    return implies(_proved(h, m) & succeeded_in(h, m) & (executions(e, m) >= 1), succeeded(e, m))


@outcomes.lemma(acknowledgements, supports="P06")
def a_proved_failure_is_one(h: Header, d: Shard, m: Receipt) -> Bool:
    """Where a header proves failure, no shard says that it was success."""
    return implies(_proved(h, m) & ~succeeded_in(h, m), ~succeeded(d, m))


@outcomes.lemma(acknowledgements, supports="P04", outside=(closing,))
def a_timeout_was_late(m: Receipt) -> Bool:
    """And the header attests a moment from the deadline on."""
    return implies(timed_out(m), deadline(m) <= time(timed_out_by(m)))


@outcomes.lemma(closing, supports="P04")
def a_timeout_was_late_or_its_channel_closed(m: Receipt) -> Bool:
    """And the header attests a moment from the deadline on, or tells of the closing of its channel."""
    h = timed_out_by(m)
    return implies(timed_out(m), (deadline(m) <= time(h)) | closed_in(h, channel(m)))


@outcomes.lemma(closing, supports="P04")
def closing_is_for_good(h: Header, c: Channel) -> Bool:
    """What a header proves closed is closed."""
    return implies(all_of(produced(h), issued(h, receiver(c)), closed_in(h, c)), closed(c))


@outcomes.lemma(closing, supports="P04")
def a_header_of_a_closed_channel_reveals_execution(h: Header, d: Shard, m: Receipt) -> Bool:
    """A header from after the closing shows whether the receipt was received."""
    over = all_of(produced(h), issued(h, destination(m)), closed_in(h, channel(m)))
    return implies(over & (executions(d, m) >= 1), received_in(h, m))


# ---- several hops -----------------------------------------------------------------------------------


@outcomes.lemma(forwarding, supports="P06")
def sending_on_is_remembered(m: Receipt) -> Bool:
    """Of what was sent on, the middle knows that it was."""
    return implies(emitted(m) & onward(m), forwarded(first_hop(m)))


@outcomes.invariant("P01", forwarding, because="sent on twice, one receipt pays two")
def is_sent_on_once(m: Receipt, w: Receipt) -> Bool:
    """A receipt has one second hop."""
    both = all_of(emitted(m), emitted(w), onward(m), onward(w))
    return implies(both & (first_hop(m) == first_hop(w)), m == w)


@outcomes.lemma(forwarding, supports="P06")
def what_has_arrived_was_sent_on(w: Receipt) -> Bool:
    """Nothing arrives that was not sent on."""
    return implies(arrived(w), forwarded(w))


@outcomes.lemma(forwarding, supports="P06")
def what_is_on_its_way_has_not_arrived(m: Receipt) -> Bool:
    """While the middle waits for the outcome of the second hop, there is none."""
    return implies(pending(m) & onward(m), ~arrived(first_hop(m)))


@outcomes.lemma(forwarding, supports="P06")
def success_is_written_after_arrival(d: Shard, e: Shard, m: Receipt) -> Bool:
    """Of what travels, success is written down once the second hop has arrived."""
    return implies(acknowledgement(d, m) & travels(m) & succeeded(e, m), arrived(m))


@outcomes.lemma(forwarding, supports="P06")
def success_is_proved_after_arrival(h: Header, m: Receipt) -> Bool:
    """And proved no earlier."""
    return implies(_proved(h, m) & succeeded_in(h, m) & travels(m), arrived(m))


@outcomes.lemma(forwarding, supports="P06")
def success_is_told_after_arrival(m: Receipt) -> Bool:
    """And told no earlier."""
    return implies((acknowledged(m) >= 1) & travels(m), arrived(m))


@outcomes.lemma(bouncing, supports="P04")
def what_is_owed_failed(m: Receipt) -> Bool:
    """A response is owed for what was executed and failed, and for no response."""
    return implies(owed(m), failed(m) & ~response(m))


@outcomes.lemma(bouncing, supports="P04")
def a_response_answers_a_failure(b: Receipt) -> Bool:
    """What was answered had failed, and is owed nothing more."""
    m = answered(b)
    return implies(emitted(b) & response(b), failed(m) & ~owed(m) & (returned_as(m) == b))


# ---- witnesses --------------------------------------------------------------------------------------


@outcomes.sometimes("P04")
def times_out(m: Receipt) -> Bool:
    """Something expires."""
    return timed_out(m)


@outcomes.sometimes("P05", acknowledgements)
def refunds_a_failure(d: Shard, m: Receipt) -> Bool:
    """Something fails, and is refunded."""
    return (refunds(m) >= 1) & (executions(d, m) >= 1)


@outcomes.sometimes("P06")
def acknowledges_success(m: Receipt) -> Bool:
    """Something succeeds, and its sender is told."""
    return acknowledged(m) >= 1


@outcomes.sometimes("P21", bouncing)
def sends_back_a_failure(d: Shard, b: Receipt) -> Bool:
    """A response arrives."""
    return response(b) & (executions(d, b) >= 1)


@outcomes.sometimes("P16")
def fails_in_its_callback(d: Shard, m: Receipt) -> Bool:
    """A callback fails, and announces nothing."""
    return (executions(d, m) >= 1) & ~succeeded(d, m)
