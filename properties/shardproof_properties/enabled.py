"""
What must be possible: in every reachable world in which the premise holds, the attempt is accepted.

Safety is cheap for a protocol that refuses everything. Each sentence here spells out, apart from
the action, when an honest attempt must go through: so a clause that refuses too much is seen.
A premise is a list of conditions, and those that speak of layers that a protocol lacks fall
away; nothing else may refuse. Progress over time is left to fair schedules: what is said here
is that no world is a dead end for what is due in it.

An action of the environment appears too, where something waits for it: a queue that cannot be
drained, or a clock that cannot advance, is as good as a refusal.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator

from shardproof_models.language.actions import Action
from shardproof_models.language.protocol import Layer, Protocol
from shardproof_models.language.terms import Bool, Variable, all_of, exists, forall, implies
from shardproof_models.layers.bouncing import answered, bouncing, owed, response
from shardproof_models.layers.closing import closed, closed_in, ended, time_out_on_close
from shardproof_models.layers.deadlines import clock, deadline, tick
from shardproof_models.layers.encodings import Encoding, canonical, domain, made_for, meaning
from shardproof_models.layers.escrow import homeward, minted
from shardproof_models.layers.exactly_once import (
    Header,
    Key,
    Receipt,
    Shard,
    answers,
    commits,
    consumed,
    deliver,
    destination,
    emit,
    emitted,
    issued,
    key,
    learn,
    origin,
    produce,
    produced,
    recorded,
    source,
    trusted,
)
from shardproof_models.layers.expiring import forget, key_deadline
from shardproof_models.layers.failures import failures, responds, succeeded
from shardproof_models.layers.finality import final
from shardproof_models.layers.forwarding import arrived, onward, travels
from shardproof_models.layers.optimistic import challenged, claimed, confirm_at
from shardproof_models.layers.outcomes import (
    acknowledge,
    acknowledged_in,
    acknowledgement,
    pending,
    received_in,
    time,
    time_out,
    write_acknowledgement,
)
from shardproof_models.layers.pruning import key_channel, key_sequence, prune, watermark
from shardproof_models.layers.queues import capacity, queued
from shardproof_models.layers.reorganisation import dropped
from shardproof_models.layers.resharding import live
from shardproof_models.layers.sequencing import channel, next_receive, next_send, sequence
from shardproof_models.layers.skipping import skip, skipped
from shardproof_models.layers.suspension import resume, suspended
from shardproof_models.layers.trust import (
    ValidatorSet,
    acts_for,
    current,
    knows,
    signatures,
    term,
    threshold,
    trusting_period,
)
from shardproof_models.layers.value import amount, balance, payer

from .property import Catalogue, Property, Role

enabled = Catalogue()

Premise = Callable[..., Iterable[Bool]]


def accepts(id: str, action: Action, *within: Layer, because: str) -> Callable[[Premise], Premise]:
    """
    `action` must be accepted wherever all conditions hold that the function lists.

    Its parameters are those of the action, by name, also of layers that may be absent.
    """

    def decorate(premise: Premise) -> Premise:
        @enabled.schema
        def sentence(protocol: Protocol) -> Iterator[Property]:
            taken = next((a for a in protocol.actions if a.name == action.name), None)
            if taken is None or not {*within} <= {*protocol.layers}:
                return
            known = {p.head.name: p for p in taken.parameters}
            wanted = inspect.signature(premise, eval_str=True).parameters.values()
            given = (known[p.name] if p.name in known else p.annotation(Variable(p.name)) for p in wanted)
            conditions = [protocol.expand(c) for c in premise(*given) if protocol.speaks(c)]
            yield Property(
                id,
                premise.__name__.replace("_", "-"),
                Role.ENABLED,
                tuple(taken.parameters),
                implies(all_of(*conditions), taken.guard),
                because,
                inspect.getdoc(premise) or "",
            )

        return premise

    return decorate


def shown(h: Header, by: Shard, to: Shard) -> Bool:
    """`to` trusts `h`, and it is by whoever answered for `by`."""
    return trusted(to, h) & issued(h, by)


def due(d: Shard, m: Receipt, h: Header, ok: Bool, x: Encoding) -> Iterator[Bool]:
    """To deliver `m` is honest, complete, and the first time."""
    yield from (shown(h, source(m), d), commits(h, m), answers(d, destination(m)), ~recorded(d, m))
    yield clock(d) < deadline(m)
    yield sequence(m) == next_receive(channel(m))
    yield ~closed(channel(m))
    yield (meaning(x) == m) & canonical(x)
    yield made_for(x) == domain(destination(m))
    yield acts_for(m) == source(m)
    yield implies(response(m), ok)


def unborn(h: Header) -> Iterator[Bool]:
    """`h` never was, and its shard takes part."""
    yield ~produced(h)
    yield live(origin(h))
    yield ~dropped(h)


def failed_at(d: Shard) -> Bool:
    """Something was executed at `d`, and failed."""
    return exists(Receipt, lambda w: consumed(d, key(w)) & ~succeeded(d, w))


@accepts("Q1", deliver, because="a receipt that is due and refused is lost, and what it carries with it")
def what_is_due_can_be_delivered(d: Shard, m: Receipt, h: Header, ok: Bool, x: Encoding) -> Iterator[Bool]:
    """An honest first delivery is accepted."""
    yield from due(d, m, h, ok, x)


@accepts("Q1", produce, because="a shard that seals no blocks can prove nothing that it has sent")
def a_new_block_can_be_sealed(h: Header) -> Iterator[Bool]:
    """Whatever its shard has executed, a block that never was is sealed, while its shard takes part."""
    yield from unborn(h)


@accepts("Q5", deliver, failures, because="one receipt that fails then holds up all that come after it")
def a_failure_holds_up_no_receipt(d: Shard, m: Receipt, h: Header, ok: Bool, x: Encoding) -> Iterator[Bool]:
    """What is due is delivered also after another receipt has failed there."""
    yield failed_at(d)
    yield from due(d, m, h, ok, x)


@accepts("Q5", produce, failures, because="one receipt that fails then stops a shard, and all that it sends")
def a_failure_holds_up_no_block(h: Header) -> Iterator[Bool]:
    """A block is sealed also after a receipt has failed at its shard."""
    yield failed_at(origin(h))
    yield from unborn(h)


@accepts("Q1", emit, because="a user who is refused without a reason has no system")
def what_can_be_paid_can_be_sent(m: Receipt) -> Iterator[Bool]:
    """A user who has the money, and room, sends."""
    yield ~emitted(m)
    yield sequence(m) == next_send(channel(m))
    yield ~ended(channel(m))
    yield responds(m) | (amount(m) <= balance(payer(m)))
    yield queued(source(m), destination(m)) < capacity(source(m), destination(m))
    yield responds(m) | ~suspended(source(m), destination(m))
    yield ~response(m)
    yield ~onward(m)
    yield ~homeward(m) | (amount(m) <= minted(source(m), destination(m)))


@accepts(
    "Q6",
    emit,
    bouncing,
    because="a failure that cannot be answered because a queue is full leaves its sender waiting",
)
def what_is_owed_can_be_answered(m: Receipt) -> Iterator[Bool]:
    """A response that is owed is emitted, however full the queues are."""
    yield ~emitted(m)
    yield sequence(m) == next_send(channel(m))
    yield response(m) & owed(answered(m))


@accepts("Q2", acknowledge, because="a sender that cannot be told waits for ever")
def an_outcome_can_be_shown(s: Shard, m: Receipt, h: Header) -> Iterator[Bool]:
    """The outcome that the receiver has written reaches a sender that waits."""
    yield from (shown(h, destination(m), s), acknowledged_in(h, m), answers(s, source(m)), pending(m))


@accepts("Q2", time_out, because="a receipt that expired and cannot be refunded is lost, and what it carries")
def an_expiry_can_be_shown(s: Shard, m: Receipt, h: Header) -> Iterator[Bool]:
    """Once the receiver's clock is past the deadline, a proof of absence refunds a sender that waits."""
    yield from (shown(h, destination(m), s), answers(s, source(m)), pending(m))
    # Not at the very moment: to wait one tick more costs nobody anything (cosmos/ibc issue 827).
    yield (deadline(m) < time(h)) & ~received_in(h, m)


@accepts(
    "Q2", time_out_on_close, because="what was under way when a channel closed is lost, and what it carries"
)
def a_closing_can_be_shown(s: Shard, m: Receipt, h: Header) -> Iterator[Bool]:
    """A proof that the channel is closed and the receipt absent refunds a sender that waits."""
    yield from (shown(h, destination(m), s), answers(s, source(m)), pending(m))
    yield closed_in(h, channel(m)) & ~received_in(h, m)


@accepts("Q2", write_acknowledgement, because="an outcome that is not written down cannot be shown")
def an_outcome_can_be_written(d: Shard, m: Receipt) -> Iterator[Bool]:
    """What was executed, and does not travel on, has an outcome at once."""
    yield from (answers(d, destination(m)), consumed(d, key(m)), ~acknowledgement(d, m))
    yield ~(travels(m) & succeeded(d, m)) | arrived(m)
    yield ~skipped(d, m)


@accepts("Q3", tick, because="a deadline that no clock reaches is none")
def time_can_pass(s: Shard) -> Iterator[Bool]:
    """The clock of a shard can advance, if no false claim stands in the way."""
    yield forall(Header, lambda h: ~claimed(s, h) | challenged(s, h) | final(h))


@accepts("Q5", skip, because="one receipt that has expired holds up all that come after it")
def what_expired_can_be_skipped(d: Shard, m: Receipt, h: Header) -> Iterator[Bool]:
    """On an ordered channel that goes on, what has expired in its turn is passed."""
    yield from (shown(h, source(m), d), commits(h, m), answers(d, destination(m)), ~recorded(d, m))
    yield (deadline(m) <= clock(d)) & (sequence(m) == next_receive(channel(m)))


@accepts("Q7", resume, because="a link that is suspended and never resumed is a link that is cut")
def an_empty_link_can_be_resumed(w: Shard, s: Shard, d: Shard) -> Iterator[Bool]:
    """What was suspended and has drained is resumed."""
    yield answers(w, s) & suspended(s, d) & (queued(s, d) <= 0)


@accepts("Q9", learn, because="a light client that cannot follow is one that nobody can prove anything to")
def what_is_final_can_be_learned(d: Shard, h: Header, v: ValidatorSet) -> Iterator[Bool]:
    """A final header, with what the light client asks for, is accepted."""
    yield produced(h)
    yield final(h)
    yield knows(d, origin(h), v) & (current(origin(h)) - trusting_period() <= term(v))
    yield threshold(d) <= signatures(h, v)
    yield claimed(d, h) & ~challenged(d, h) & (confirm_at(d, h) <= clock(d))


@accepts("Q8", prune, because="records that can never be forgotten fill every disk")
def the_next_record_can_be_pruned(d: Shard, k: Key) -> Iterator[Bool]:
    """The record of what comes next on its channel can be replaced by the watermark."""
    yield consumed(d, k) & (key_sequence(k) == watermark(d, key_channel(k)))
    yield forall(Receipt, lambda m: implies(key(m) == k, acknowledgement(d, m)))


@accepts("Q8", forget, because="records that can never be forgotten fill every disk")
def an_expired_record_can_be_forgotten(d: Shard, k: Key) -> Iterator[Bool]:
    """The record of what has expired can go."""
    yield consumed(d, k) & (key_deadline(k) <= clock(d))
