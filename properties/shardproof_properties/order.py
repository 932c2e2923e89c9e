"""Receipts of a channel are numbered by their source, executed in order, forgotten in order (L1, L7)."""

from __future__ import annotations

from shardproof_models.language.terms import Bool, all_of, exists, implies, next_
from shardproof_models.layers.deadlines import clock, deadline
from shardproof_models.layers.exactly_once import (
    Header,
    Key,
    Receipt,
    Shard,
    answers,
    commits,
    consumed,
    destination,
    emitted,
    executions,
    issued,
    key,
    recorded,
    source,
    trusted,
)
from shardproof_models.layers.pruning import key_channel, key_sequence, pruning, watermark
from shardproof_models.layers.reorganisation import reorganisation
from shardproof_models.layers.resharding import resharding
from shardproof_models.layers.sequencing import (
    Channel,
    channel,
    next_receive,
    next_send,
    ordering,
    sequence,
)
from shardproof_models.layers.skipping import skipped, skipping

from .losses import TAKEN_BACK
from .property import Catalogue
from .safety import ran

order = Catalogue()


@order.invariant(
    "P07",
    ordering,
    because="an account that sees receipt 2 before receipt 1 acts on a past that never was",
    outside=(skipping,),
)
def executes_a_prefix(d: Shard, m: Receipt, w: Receipt) -> Bool:
    """On an ordered channel, what was executed is a prefix of what was sent."""
    earlier = emitted(w) & (channel(m) == channel(w)) & (sequence(w) < sequence(m))
    return implies((executions(d, m) >= 1) & earlier, ran(w))


@order.invariant("P07", skipping, because="what was skipped before it expired is lost")
def executes_or_skips_a_prefix(d: Shard, m: Receipt, w: Receipt) -> Bool:
    """On an ordered channel that goes on, what is before was executed, or had expired."""
    earlier = emitted(w) & (channel(m) == channel(w)) & (sequence(w) < sequence(m))
    gone = exists(Shard, lambda e: skipped(e, w))
    return implies((executions(d, m) >= 1) & earlier, ran(w) | gone)


@order.invariant(
    "P15", because="two receipts at one position are one receipt to whoever keeps records by position"
)
def positions_are_unique(m: Receipt, w: Receipt) -> Bool:
    """One receipt a position, also after a restart: a channel does not begin again."""
    same = (channel(m) == channel(w)) & (sequence(m) == sequence(w))
    return implies(emitted(m) & emitted(w) & same, m == w)


@order.step("P15", because="a position that is passed over holds up all that come after it, for ever")
def sends_at_the_next_position(m: Receipt) -> Bool:
    """What is sent takes the first position of its channel that nothing was sent at."""
    sends = ~emitted(m) & next_(emitted(m))
    return implies(sends, sequence(m) == next_send(channel(m)))


@order.lemma(supports="P07")
def emitted_is_below_next_send(m: Receipt) -> Bool:
    """Positions are counted from 0 up to what was sent."""
    return implies(emitted(m), (sequence(m) >= 0) & (sequence(m) < next_send(channel(m))))


@order.lemma(supports="P07")
def sends_count_up(c: Channel) -> Bool:
    """Nobody sends less than nothing."""
    return next_send(c) >= 0


@order.lemma(ordering, supports="P07")
def receives_what_was_sent(c: Channel) -> Bool:
    """A destination counts no further than the source."""
    return next_receive(c) <= next_send(c)


@order.lemma(ordering, reorganisation, supports="P07")
def executed_is_below_next_receive(d: Shard, m: Receipt) -> Bool:
    """What was executed was counted."""
    return implies(executions(d, m) >= 1, sequence(m) < next_receive(channel(m)))


@order.lemma(ordering, supports="P07", outside=(skipping,))
def below_next_receive_is_executed(m: Receipt) -> Bool:
    """What a destination has counted past, it has executed."""
    return implies(emitted(m) & (sequence(m) < next_receive(channel(m))), ran(m))


@order.lemma(skipping, supports="P07")
def below_next_receive_is_executed_or_skipped(m: Receipt) -> Bool:
    """What a destination has counted past, it has executed, or found expired."""
    gone = exists(Shard, lambda e: skipped(e, m))
    return implies(emitted(m) & (sequence(m) < next_receive(channel(m))), ran(m) | gone)


@order.invariant("P07", because="what is skipped before it has expired is lost")
def skips_only_what_has_expired(d: Shard, m: Receipt) -> Bool:
    """What was skipped in its turn could not be delivered any more."""
    return implies(skipped(d, m), deadline(m) <= clock(d))


@order.invariant("P04", because="skipped, refunded and delivered: what the receipt carried exists twice")
def skips_nothing_that_it_executes(d: Shard, m: Receipt) -> Bool:
    """What was skipped is not executed."""
    return ~(skipped(d, m) & ran(m))


@order.step("P10", because="who skips without a proof loses what was never sent", outside=(resharding,))
def skips_only_on_evidence(d: Shard, m: Receipt) -> Bool:
    """What a shard skips, a header that it trusts proves to have been sent."""
    shown = exists(Header, lambda h: all_of(trusted(d, h), issued(h, source(m)), commits(h, m)))
    return implies(~skipped(d, m) & next_(skipped(d, m)), shown)


@order.step(
    "P07", because="what is skipped out of its turn leaves a place that nobody fills", outside=(resharding,)
)
def skips_in_its_turn(d: Shard, m: Receipt) -> Bool:
    """What a shard skips is what comes next on its channel."""
    turn = sequence(m) == next_receive(channel(m))
    return implies(~skipped(d, m) & next_(skipped(d, m)), turn)


@order.invariant("P04", because="what was passed as expired, and is not known to be, is offered for ever")
def skipped_is_recorded(d: Shard, e: Shard, m: Receipt) -> Bool:
    """Whoever answers for its destination has the record of what was skipped, wherever that was."""
    return implies(skipped(e, m) & answers(d, destination(m)), recorded(d, m))


@order.sometimes("P07", ordering)
def executes_two_of_a_channel(d: Shard, m: Receipt, w: Receipt) -> Bool:
    """Order means something."""
    both = (executions(d, m) >= 1) & (executions(d, w) >= 1)
    return both & (channel(m) == channel(w)) & (sequence(m) < sequence(w))


@order.sometimes("P07", skipping)
def skips_what_has_expired(d: Shard, m: Receipt) -> Bool:
    """Something expires in its turn."""
    return skipped(d, m)


# ---- pruning --------------------------------------------------------------------------------------


@order.step(
    "P20",
    because="a watermark that retreats makes executed receipts deliverable again",
    # A shard that loses state loses the executions as well, and they are due again.
    outside=TAKEN_BACK,
)
def watermarks_never_retreat(d: Shard, e: Shard, m: Receipt) -> Bool:
    """Whoever answers for the end of a channel is past all that whoever answered before was past."""
    heir = answers(d, destination(m)) & next_(answers(e, destination(m)))
    return implies(heir, watermark(d, channel(m)) <= next_(watermark(e, channel(m))))


@order.invariant("P20", pruning, because="a record that is forgotten too early lets a receipt run again")
def executed_is_recorded_or_below(d: Shard, m: Receipt) -> Bool:
    """Whoever answers for its destination has the record of an execution, or is past it."""
    known = consumed(d, key(m)) | (sequence(m) < watermark(d, channel(m)))
    return implies(ran(m) & answers(d, destination(m)), known)


@order.invariant("P21", pruning, because="pruned before it was executed: the receipt is lost without a trace")
def loses_nothing_by_pruning(d: Shard, m: Receipt) -> Bool:
    """What is below the watermark was executed."""
    below = sequence(m) < watermark(d, channel(m))
    return implies(emitted(m) & below & answers(d, destination(m)), ran(m))


@order.invariant("P20", pruning, because="records that nobody forgets fill every disk")
def passed_is_forgotten(d: Shard, k: Key) -> Bool:
    """Nothing is recorded twice: what is below the watermark has no record of its own any more."""
    return implies(consumed(d, k), watermark(d, key_channel(k)) <= key_sequence(k))


@order.lemma(pruning, supports="P21")
def watermarks_follow_what_was_sent(d: Shard, c: Channel) -> Bool:
    """Nothing that is yet to be sent is below a watermark."""
    return watermark(d, c) <= next_send(c)


@order.lemma(pruning, supports="P21")
def records_are_of_receipts(d: Shard, k: Key) -> Bool:
    """Each record is that of some receipt."""
    return implies(consumed(d, k), exists(Receipt, lambda m: key(m) == k))


@order.sometimes("P20")
def prunes(d: Shard, c: Channel) -> Bool:
    """Something is forgotten."""
    return watermark(d, c) >= 1


@order.sometimes("P15")
def sends_two_on_a_channel(m: Receipt, w: Receipt) -> Bool:
    """A channel has more than one position."""
    return emitted(m) & emitted(w) & (channel(m) == channel(w)) & (m != w)
