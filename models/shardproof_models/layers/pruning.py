"""
Old records are replaced by a watermark on each channel (L7).

A shard may forget the record of a receipt once everything up to it is recorded: from then
on, a position below the watermark says what the record said. It forgets one record at a time
and only the next one, so a watermark never passes a receipt that is still under way. The
watermark is kept by channel, not by shard: when shards merge, one number for both would
either repeat what one of them executed or lose what the other did not.

Source: TON, `ProcessedInfo`; ibc-go PR 5651.
"""

from __future__ import annotations

from ..language.actions import Parts, Refusal, add, assign, at, each, remove, require
from ..language.protocol import Layer
from ..language.terms import Bool, ite, number
from .exactly_once import Key, Receipt, Shard, answers, consumed, key, recorded
from .resharding import merge, passes_on, split
from .sequencing import Channel, Sequence, channel, receiver, sequence, sequencing

pruning = Layer(
    "pruning",
    needs=(sequencing,),
    touches=(consumed,),
    doc="old records are replaced by a watermark on each channel",
)

NOT_RECORDED = Refusal("not recorded")
NOT_NEXT = Refusal("not next")


@pruning.rigid
def key_channel(k: Key) -> Channel:
    """The channel that a key names."""
    ...


@pruning.rigid
def key_sequence(k: Key) -> Sequence:
    """The position that a key names."""
    ...


@pruning.axiom
def a_key_names_its_position(m: Receipt) -> Bool:
    """Who has only the key knows where the receipt was."""
    return (key_channel(key(m)) == channel(m)) & (key_sequence(key(m)) == sequence(m))


@pruning.state(home=lambda d: d)
def watermark(d: Shard, c: Channel) -> Sequence:
    """At `d`, everything on the channel below here is dealt with."""
    return number(0, Sequence)


@pruning.widens(recorded)
def below_the_watermark(d: Shard, m: Receipt) -> Bool:
    """What is below the watermark was recorded."""
    return sequence(m) < watermark(d, channel(m))


@pruning.action
def prune(d: Shard, k: Key) -> Parts:
    """Shard `d` forgets one record, the next on its channel, and moves the watermark past it."""
    yield at(d)
    yield require(consumed(d, k), NOT_RECORDED)
    yield require(key_sequence(k) == watermark(d, key_channel(k)), NOT_NEXT)
    yield remove(consumed(d, k))
    yield add(watermark(d, key_channel(k)), 1)


@pruning.extends(split)
def watermarks_go_to_both(p: Shard, a: Shard, b: Shard) -> Parts:
    """Each child keeps every watermark; it uses those of the channels that end at its addresses."""
    yield each(Channel, lambda c: assign(watermark(a, c), watermark(p, c)))
    yield each(Channel, lambda c: assign(watermark(b, c), watermark(p, c)))


@pruning.extends(merge)
def watermarks_stay_apart(a: Shard, b: Shard, p: Shard) -> Parts:
    """Of each channel, that of the parent that answered for its end: not the lower, not the higher."""
    yield each(
        Channel,
        lambda c: assign(watermark(p, c), ite(answers(a, receiver(c)), watermark(a, c), watermark(b, c))),
    )


@pruning.redefines(passes_on)
def records_stay_apart(d: Shard, k: Key) -> Bool:
    """As the watermarks: another parent may have a copy of what this one has forgotten."""
    return consumed(d, k) & answers(d, receiver(key_channel(k)))
