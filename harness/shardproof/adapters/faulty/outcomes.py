"""What a sender is told, and when: timeouts, acknowledgements, refunds and responses."""

from __future__ import annotations

from shardproof_models.shards.calling.call import Call
from shardproof_models.shards.calling.systems import NearShard
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.families import IbcUnordered
from shardproof_models.shards.messaging.message import FullReceipt
from shardproof_models.shards.messaging.outcomes import Ending

from ..messaging import IbcUnorderedAdapter
from ..promises import NearAdapter
from .registry import control, fault


@fault(
    "refund-marked-after-callback",
    violates="has-one-outcome",
    clause="not pending",
    shortest=5,
    source="cosmos/ibc-go GHSA-j496-crgh-34mx",
    corpus=("B27",),
    recorded=9,
    differs="shorter: both callbacks are one step, and a deadline may be over when it is set",
    adapter=IbcUnorderedAdapter,
)
class _RefundMarkedAfterCallback(IbcUnordered):
    """The sender's callback runs while the receipt still waits, and shows the same timeout again."""

    def close_and_tell(self, receipt: FullReceipt, ending: Ending) -> None:
        self.tell(receipt, ending)
        if receipt.key in self.pending:
            del self.pending[receipt.key]


@fault(
    "refunded-again",
    violates="has-one-outcome",
    clause="not pending",
    shortest=6,
    source="taikoxyz/taiko-mono PR 17446; interlay/interbtc-clients PR 196",
    corpus=("B41",),
    recorded=6,
    adapter=IbcUnorderedAdapter,
)
class _RefundedAgain(IbcUnordered):
    """A refund does not close what waits for it, so it can be had again."""

    def close_and_tell(self, receipt: FullReceipt, ending: Ending) -> None:
        self.tell(receipt, ending)


@fault(
    "timeout-on-the-wrong-clock",
    violates="never-both",
    clause="not elapsed",
    shortest=10,
    source="cosmos/cosmos-sdk issues 5466 and 5471",
    corpus=("B33",),
    recorded=7,
    differs="longer: two blocks have to be final before they are learned",
    adapter=IbcUnorderedAdapter,
)
class _TimeoutOnTheWrongClock(IbcUnordered):
    """A receipt expires by the clock of its sender, and may still be delivered by that of its receiver."""

    def has_elapsed(self, receipt: FullReceipt, header: AttestingHeader) -> bool:
        return receipt.deadline <= self.clock


@control(
    "timeout-one-tick-later",
    source="cosmos/ibc issue 827",
    corpus=("B34",),
    adapter=IbcUnorderedAdapter,
)
class _TimeoutOneTickLater(IbcUnordered):
    """At the moment of the deadline neither delivery nor timeout is possible; a tick later it is."""

    def has_elapsed(self, receipt: FullReceipt, header: AttestingHeader) -> bool:
        return receipt.deadline < header.time


@fault(
    "heights-of-two-chains-compared",
    violates="attains-its-deadline",
    shortest=8,
    source="cosmos/ibc PR 1304; taikoxyz/taiko-mono PR 22097",
    corpus=("B37",),
    recorded=1,
    differs="longer: on record the proof is there, and at the very deadline a refusal is let pass (B34)",
    adapter=IbcUnorderedAdapter,
)
class _HeightsOfTwoChainsCompared(IbcUnordered):
    """A timeout is let through only once the clock of the receiver is past that of the sender."""

    def has_elapsed(self, receipt: FullReceipt, header: AttestingHeader) -> bool:
        return super().has_elapsed(receipt, header) and self.clock <= header.time


@fault(
    "no-funds-no-bounce",
    violates="failures-are-answered",
    shortest=5,
    source="ton-blockchain, block.tlb, tr_phase_bounce_nofunds; tact-lang/tact PR 3411",
    corpus=("B40",),
    recorded=2,
    differs="longer: a block, that it is final and that it is learned are steps here",
    adapter=NearAdapter,
)
class _NoFundsNoBounce(NearShard):
    """A failure of what carries too little to pay for an answer is not answered."""

    def answer(self, call: Call, key: bytes) -> None:
        if call.amount:
            super().answer(call, key)
