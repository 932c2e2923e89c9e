"""What a receipt carries: value that nobody paid, or that is not given back."""

from __future__ import annotations

from hashlib import sha256
from typing import ClassVar

from attrs import evolve

from shardproof_models.shards.encoding import NUMBER_BYTES, NUMBER_LIMIT, MalformedError
from shardproof_models.shards.messaging.attesting_header import AttestingHeader
from shardproof_models.shards.messaging.families import Bridge, IbcUnordered
from shardproof_models.shards.messaging.message import FullReceipt, Sending
from shardproof_models.shards.messaging.messenger import Claim
from shardproof_models.shards.messaging.outcomes import Ending, Fact
from shardproof_models.shards.messaging.sum_tree import SumTree, total

from ..messaging import BridgeAdapter, IbcUnorderedAdapter
from .registry import fault


@fault(
    "null-asset-is-free",
    violates="emission-debits-what-is-carried",
    shortest=1,
    source="Qubit, QBridge, January 2022; axelar-cgp-solidity PR 138",
    corpus=("B55",),
    recorded=5,
    differs="shorter: what is not debited is the violation already",
    adapter=BridgeAdapter,
)
class _NullAssetIsFree(Bridge):
    """To move an asset that does not exist succeeds and moves nothing; the receipt carries it even so."""

    def is_known(self, asset: int) -> bool:
        return True

    def debit(self, receipt: FullReceipt, sending: Sending) -> None:
        if super().is_known(receipt.asset):
            super().debit(receipt, sending)


@fault(
    "second-way-in",
    violates="emission-debits-what-is-carried",
    shortest=1,
    source="Meter Passport, February 2022",
    corpus=("B56",),
    recorded=5,
    differs="shorter: what is not debited is the violation already",
    adapter=BridgeAdapter,
)
class _SecondWayIn(Bridge):
    """Another entrance takes it that the first one has locked the value already."""

    def debit(self, receipt: FullReceipt, sending: Sending) -> None:
        if not sending.entrance:
            super().debit(receipt, sending)


@fault(
    "amount-is-what-is-claimed",
    violates="execution-credits-what-is-carried",
    shortest=5,
    source="THORChain, ETH router exploit 1, July 2021",
    corpus=("B57",),
    recorded=2,
    differs="longer: that a receipt says more than was paid shows when it is executed",
    adapter=BridgeAdapter,
)
class _AmountIsWhatIsClaimed(Bridge):
    """The receipt says what its sender claims to pay; what he pays is another amount."""

    def amount_of(self, sending: Sending) -> int:
        return sending.amount if sending.claimed is None else sending.claimed

    def debit(self, receipt: FullReceipt, sending: Sending) -> None:
        super().debit(evolve(receipt, amount=sending.amount), sending)


@fault(
    "middle-keeps-it",
    violates="books-balance",
    shortest=10,
    source="cosmos/ibc-apps PRs 170 to 174",
    corpus=("B38",),
    recorded=5,
    differs="longer: blocks, their proofs and the clock are steps here",
    adapter=IbcUnorderedAdapter,
)
class _MiddleKeepsIt(IbcUnordered):
    """When the second hop fails the first sender is refunded, and the middle keeps what it got."""

    def pass_back(self, first: FullReceipt, ending: Ending) -> None:
        self.attest(first.key, (Fact.SUCCEEDED if ending is Ending.SUCCEEDED else Fact.FAILED).value)


class _TotalsOnlyTree(SumTree):
    """A node covers the hashes of its children and their total, and not which of them has how much."""

    __slots__ = ()

    @staticmethod
    def leaf(data: bytes) -> bytes:
        carried = data[1 : 1 + NUMBER_BYTES].rjust(NUMBER_BYTES, b"\x00")
        return carried + sha256(b"\x00" + data[1 + NUMBER_BYTES :]).digest()

    @staticmethod
    def node(left: bytes, right: bytes) -> bytes:
        both = total(left, right)
        return both + sha256(b"\x01" + left[NUMBER_BYTES:] + right[NUMBER_BYTES:] + both).digest()


@fault(
    "totals-only",
    violates="execution-credits-what-is-carried",
    shortest=6,
    source="IACR ePrint 2018/1139, on the sum trees of the Maxwell protocol",
    corpus=("B08",),
    recorded=2,
    differs="longer: who claims another sum than before is seen by what is credited, which is P09",
    adapter=BridgeAdapter,
)
class _TotalsOnly(Bridge):
    """A receipt carries what the sums beside its path leave of the total, and these can be shifted."""

    tree_type: ClassVar[type[SumTree]] = _TotalsOnlyTree

    def claim(self, receipt: bytes, header: AttestingHeader, evidence: bytes) -> Claim | None:
        claim = super().claim(receipt, header, evidence)
        try:
            siblings = self.read_proof(evidence).siblings
        except MalformedError:
            return claim
        left = _sum(header.receipts_root) - sum(map(_sum, siblings))
        if claim is None or not 0 <= left < NUMBER_LIMIT:
            return None
        carried = evolve(claim.receipt, amount=left)
        return evolve(claim, receipt=carried, leaf=carried.encode())


def _sum(node: bytes) -> int:
    return int.from_bytes(node[:NUMBER_BYTES], "big")
