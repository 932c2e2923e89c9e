"""
Receipts carry value, debited once and credited once: `layers/value.py` and `layers/escrow.py`.

The books follow what the ledger moves. What a user says that he pays, by which entrance he
comes and which name he gives to the asset changes nothing about it: a deposit that moved
nothing and was believed has been the end of several bridges (Qubit and Meter, 2022;
THORChain, 2021).
"""

from __future__ import annotations

from .message import FullReceipt, Sending
from .messenger import Messenger
from .outcomes import Ending, Outcomes
from .refusals import Refusal
from .tables import Table

#: What the users at each address hold at the beginning.
ENDOWMENT = 1000

#: The assets that there are.
ASSETS = (0,)


class Value(Messenger):
    """A shard with a ledger: value is burnt here and credited there."""

    def set_up(self) -> None:
        super().set_up()
        self.balances[self.name] = ENDOWMENT

    def name_tables(self) -> None:
        super().name_tables()
        #: Address -> what its users hold together.
        self.balances: Table[str, int] = self.tables.table("balances")

    def forbids_sending(self, sending: Sending) -> Refusal | None:
        refusal = super().forbids_sending(sending)
        if refusal is not None:
            return refusal
        if not self.is_known(sending.asset):
            return Refusal.UNKNOWN_ASSET
        return Refusal.INSUFFICIENT if self.balances[self.name] < sending.amount else None

    def is_known(self, asset: int) -> bool:
        """Whether there is such an asset: to move one that does not exist succeeds, and moves nothing."""
        return asset in ASSETS

    def post(self, receipt: FullReceipt, sending: Sending) -> bytes:
        self.debit(receipt, sending)
        return super().post(receipt, sending)

    def debit(self, receipt: FullReceipt, sending: Sending) -> None:
        """The sender pays, by whichever entrance he came."""
        self.balances[self.name] -= receipt.amount

    def execute(self, receipt: FullReceipt) -> bool:
        return super().execute(receipt) and self.credit(receipt)

    def credit(self, receipt: FullReceipt) -> bool:
        """The users here are credited what the sender was debited; says whether that was possible."""
        self.balances[self.name] += receipt.amount
        return True

    def take_back(self, receipt: FullReceipt) -> None:
        """Undo a credit."""
        self.balances[self.name] -= receipt.amount

    def refund(self, receipt: FullReceipt) -> None:
        """Undo a debit."""
        self.balances[self.name] += receipt.amount


class Escrow(Value):
    """What leaves its home is locked there and minted abroad; what comes back is burnt, and unlocked."""

    def name_tables(self) -> None:
        super().name_tables()
        #: Shard -> what is locked here for what stands for it there.
        self.locked: Table[str, int] = self.tables.table("locked")
        #: Shard -> what was minted here for what is locked there.
        self.minted: Table[str, int] = self.tables.table("minted")

    def is_homeward(self, sending: Sending) -> bool:
        return 0 < sending.amount <= self.burnable(sending.destination)

    def burnable(self, home: str) -> int:
        """How much of what is from `home` the users here hold."""
        return self.minted.get(home, 0)

    def debit(self, receipt: FullReceipt, sending: Sending) -> None:
        super().debit(receipt, sending)
        if receipt.homeward:
            self.add(self.minted, receipt.destination, -receipt.amount)
        else:
            self.add(self.locked, receipt.destination, receipt.amount)

    def credit(self, receipt: FullReceipt) -> bool:
        if not receipt.homeward:
            self.add(self.minted, receipt.source, receipt.amount)
        # A shard that mints too much takes no more from us than we have locked for it.
        elif receipt.amount <= self.locked.get(receipt.source, 0):
            self.add(self.locked, receipt.source, -receipt.amount)
        else:
            return False
        return super().credit(receipt)

    def take_back(self, receipt: FullReceipt) -> None:
        super().take_back(receipt)
        if receipt.homeward:
            self.add(self.locked, receipt.source, receipt.amount)
        else:
            self.add(self.minted, receipt.source, -receipt.amount)

    def refund(self, receipt: FullReceipt) -> None:
        super().refund(receipt)
        if receipt.homeward:
            self.add(self.minted, receipt.destination, receipt.amount)
        else:
            self.add(self.locked, receipt.destination, -receipt.amount)

    def add(self, book: Table[str, int], shard: str, amount: int) -> None:
        """One entry in a book."""
        book[shard] = book.get(shard, 0) + amount


class Refunds(Value, Outcomes):
    """A shard that gives back what was paid for a receipt that did not succeed."""

    def tell(self, receipt: FullReceipt, ending: Ending) -> None:
        if ending is not Ending.SUCCEEDED:
            self.refund(receipt)
        super().tell(receipt, ending)
