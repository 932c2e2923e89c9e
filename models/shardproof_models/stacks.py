"""
Named compositions of layers: which real system each follows, and what it leaves out, and why.

A stack is the smallest protocol with the theorem that a system like that needs. Two layers
compose where that means something: a system refunds by proof of expiry or by a response, not
by both, and one that forgets what has expired cannot let absence prove anything. Shards that split
take what is durable with them in their first block, so resharding under crashes needs blocks that
are remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from attrs import frozen

from .language.protocol import Layer, Protocol, compose
from .layers.bouncing import bouncing
from .layers.callbacks import callbacks
from .layers.closing import closing, ending
from .layers.deadlines import deadlines
from .layers.durability import durability
from .layers.encodings import encodings
from .layers.escrow import escrow
from .layers.exactly_once import exactly_once
from .layers.expiring import expiring
from .layers.failures import failures
from .layers.finality import finality, instant_finality, self_certified
from .layers.forwarding import forwarding
from .layers.inbox import inbox
from .layers.optimistic import optimistic
from .layers.outcomes import outcomes
from .layers.own_blocks import own_blocks
from .layers.pruning import pruning
from .layers.queues import queues
from .layers.reorganisation import reorganisation
from .layers.resharding import resharding
from .layers.restarts import restarts
from .layers.sequencing import ordering, sequencing
from .layers.skipping import skipping
from .layers.suspension import suspension
from .layers.trust import trust
from .layers.value import value


@frozen
class Stack:
    """Layers that belong together, and the real system that they follow."""

    layers: tuple[Layer, ...]
    follows: str
    source: str


LAYERS: Mapping[str, Layer] = {
    layer.name: layer
    for layer in (
        exactly_once,
        own_blocks,
        inbox,
        finality,
        instant_finality,
        self_certified,
        failures,
        sequencing,
        ordering,
        deadlines,
        outcomes,
        skipping,
        closing,
        ending,
        bouncing,
        value,
        escrow,
        forwarding,
        optimistic,
        trust,
        pruning,
        expiring,
        queues,
        suspension,
        callbacks,
        encodings,
        resharding,
        reorganisation,
        restarts,
        durability,
    )
}

#: `core` is what every shard with light clients shares; `everything` is the largest that has a meaning.
STACKS: Mapping[str, Stack] = {
    "exactly-once": Stack(
        (exactly_once,),
        "the ideal: headers are believed because they exist",
        "cosmos/ibc, ICS-04, UNORDERED: commitments and receipts",
    ),
    "exactly-once-inbox": Stack(
        (exactly_once, inbox, failures, durability),
        "services of one operator with a transactional outbox and inbox: no proof, records and effects "
        "are durable together",
        "C. Richardson, Microservices Patterns, 2018, chapter 3",
    ),
    "final": Stack(
        (exactly_once, finality),
        "a light client of a chain that never forks",
        "cosmos/ibc, ICS-02 and ICS-07: light clients",
    ),
    "core": Stack(
        (exactly_once, finality, reorganisation),
        "any chain whose unfinished blocks may be dropped",
        "V. Buterin et al., Combining GHOST and Casper, 2020: blocks that are not final are dropped",
    ),
    "core-restarts": Stack(
        (exactly_once, finality, reorganisation, restarts),
        "the same, and its nodes are restarted",
        "cosmos/ibc-go issue 199: what an export and an import must not change",
    ),
    "core-durable": Stack(
        (exactly_once, finality, reorganisation, durability),
        "the same, and its nodes lose power",
        "ethereum/go-ethereum, core/blockchain.go: after a crash, back to a block whose state is on disk",
    ),
    "self-certified": Stack(
        (exactly_once, finality, instant_finality, self_certified),
        "Hyperlane: a signed checkpoint is its own certificate",
        "hyperlane-monorepo, Mailbox.sol and multisig ISMs",
    ),
    "own-blocks": Stack(
        (exactly_once, own_blocks, finality),
        "a chain that never forks, whose headers commit to the receipts of their own block alone",
        "nomicon, Receipts: the root of outgoing receipts in a chunk header",
    ),
    "bridge": Stack(
        (exactly_once, finality, failures, value, escrow, trust, encodings),
        "a lock-and-mint bridge with a validator set, like Wormhole or Ronin",
        "wormhole-foundation/wormhole, Messages.sol",
    ),
    "optimistic-bridge": Stack(
        (exactly_once, finality, failures, deadlines, value, escrow, optimistic),
        "a bridge whose roots are believed unless challenged, like Nomad, Rainbow or the Optimism portal",
        "nomad-xyz, Replica.sol; Optimism, OptimismPortal.sol",
    ),
    "ibc-unordered": Stack(
        (
            exactly_once,
            finality,
            failures,
            deadlines,
            sequencing,
            outcomes,
            closing,
            value,
            escrow,
            forwarding,
            trust,
            callbacks,
        ),
        "IBC on unordered channels, with ICS-20 transfers and packet forwarding",
        "cosmos/ibc, ICS-04, ICS-07, ICS-20; ibc-apps, packet-forward-middleware",
    ),
    "ibc-ordered": Stack(
        (
            exactly_once,
            finality,
            failures,
            deadlines,
            sequencing,
            ordering,
            outcomes,
            closing,
            ending,
            value,
            escrow,
            trust,
        ),
        "IBC on ordered channels: the first timeout ends the channel",
        "cosmos/ibc, ICS-04, ORDERED",
    ),
    "ibc-allow-timeout": Stack(
        (exactly_once, finality, failures, deadlines, sequencing, ordering, outcomes, skipping, value, trust),
        "IBC on ordered channels that go on past what has expired",
        "cosmos/ibc, ICS-04, ORDERED_ALLOW_TIMEOUT",
    ),
    "near": Stack(
        (exactly_once, finality, failures, bouncing, value, queues, callbacks, resharding),
        "NEAR: refund receipts, congestion control, promises, resharding",
        "nomicon, Receipts; NEP-539, NEP-568",
    ),
    "ton": Stack(
        (
            exactly_once,
            finality,
            failures,
            bouncing,
            value,
            sequencing,
            ordering,
            pruning,
            queues,
            resharding,
        ),
        "TON: bounces, order between two accounts, watermarks, dynamic split and merge",
        "ton-blockchain, block.tlb: ProcessedInfo, tr_phase_bounce",
    ),
    "actors": Stack(
        (exactly_once, finality, failures, deadlines, bouncing, expiring, queues, suspension, callbacks),
        "the Internet Computer: calls answered by responses, bounded queues, best-effort deadlines",
        "dfinity/ic, rs/messaging; Internet Computer interface specification",
    ),
    "everything": Stack(
        (
            exactly_once,
            finality,
            failures,
            deadlines,
            sequencing,
            ordering,
            outcomes,
            closing,
            ending,
            value,
            escrow,
            trust,
            pruning,
            queues,
            suspension,
            callbacks,
            encodings,
            resharding,
            reorganisation,
            durability,
        ),
        "no one system: every layer that means something together with the others. Not receipts that go on: "
        "if the second hop fails, the first is undone also where a shard that has retired since executed it, "
        "and a reorganisation of its heir does not return that",
        "models/README.md, every line of the table of layers that goes with the others",
    ),
}


@cache
def stack(name: str) -> Protocol:
    """The composition called `name`. Raises `KeyError`."""
    return compose(name, *STACKS[name].layers)


#: What a verb of an adapter says about its stack: any of the verbs, and the layers that it needs.
SPOKEN: tuple[tuple[frozenset[str], tuple[Layer, ...]], ...] = (
    (frozenset({"deliver_failing", "ended", "responses"}), (failures,)),
    (frozenset({"advance_clock"}), (deadlines,)),
    (frozenset({"acknowledge", "time_out"}), (outcomes,)),
    (frozenset({"skip"}), (sequencing, ordering, skipping)),
    (frozenset({"close_channel", "time_out_on_close"}), (sequencing, closing)),
    (frozenset({"balance"}), (value,)),
    (frozenset({"rotate", "learn_validators", "initialise", "upgrade", "forge_header"}), (trust,)),
    (frozenset({"claim", "challenge"}), (deadlines, optimistic)),
    (frozenset({"drain"}), (failures, queues)),
    (frozenset({"nest"}), (callbacks,)),
    (frozenset({"split", "merge"}), (resharding,)),
)

#: Layers whose state decides what an implementation may do in the open; see `visible`.
VISIBLE = frozenset(
    {
        *(
            exactly_once,
            own_blocks,
            inbox,
            finality,
            instant_finality,
            self_certified,
            reorganisation,
            restarts,
        ),
        *(failures, deadlines, ordering, outcomes, skipping, closing, ending, bouncing, value, forwarding),
        *(resharding,),
    }
)


def layers_for(capabilities: Collection[str], named: str = "") -> tuple[Layer, ...]:
    """
    The layers of a system with these capabilities, which says of itself that it follows the stack `named`.

    What it lacks is a fact of its stack: without finality it is instant, without a light client
    headers certify themselves. Raises `KeyError` where there is no such stack.
    """
    able = {*capabilities}
    chosen = list(STACKS[named].layers) if named else [exactly_once, finality]
    if finality in chosen and "finalise" not in able:
        chosen.append(instant_finality)
    if finality in chosen and "learn" not in able:
        chosen.append(self_certified)
    if not named:
        chosen += (layer for verbs, layers in SPOKEN if verbs & able for layer in layers)
        if "responses" in able:
            # Who is told by acknowledgements sends of its own accord only what goes on to a third shard.
            chosen += (value, forwarding) if outcomes in chosen else (bouncing,)
        if outcomes in chosen and failures not in chosen:
            chosen.append(failures)
    if "revert" in able:
        chosen.append(reorganisation)
    if "restart" in able and durability not in chosen:
        chosen.append(restarts)
    # A transformation of the whole comes after what it changes; the rest stays as it came, each once.
    return tuple(sorted(dict.fromkeys(chosen), key=lambda x: bool(x.transformations) + 2 * (x is restarts)))


def visible(layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """
    The projection of a stack on what can be told from outside: the judge of an implementation.

    Pruning, queues, frames, spellings, escrows and durable copies must not change what a shard does
    in the open, so the judge does not know of them, and the verbs that stir them are moves after
    which nothing is different. A crash that loses what came after the newest block is seen, so
    durability stays where blocks remember. Validators and windows are ways to know what is
    final; the judge knows it, and holds those who believe on less to that.
    """
    needed = {*VISIBLE}
    if reorganisation in layers:
        needed.add(durability)
    kept = [x for x in layers if x in needed]
    if any(sequencing in x.needs for x in kept):
        kept.insert(kept.index(exactly_once) + 1, sequencing)
    return tuple(kept) if len(kept) < len(layers) else layers


@cache
def composed(layers: tuple[Layer, ...]) -> Protocol:
    """The composition of `layers`, under the name of the stack that has exactly these, if there is one."""
    named = next((name for name, known in STACKS.items() if known.layers == layers), None)
    return stack(named) if named else compose("+".join(layer.name for layer in layers), *layers)
