"""
A receipt that goes on: its destination sends what it carried to a third shard: `layers/forwarding.py`.

The first hop has no outcome before the second has one. If the second fails or expires, the
shard in the middle is refunded, and gives back what the first hop had credited: otherwise it
would keep what the first sender is refunded as well (cosmos/ibc-apps, PRs 170 to 174).
"""

from __future__ import annotations

from .ledger import Escrow, Refunds
from .message import FullReceipt, Sending
from .outcomes import Ending, Fact
from .refusals import Refusal
from .tables import Table

#: What the payload of a second hop begins with; it ends with that of the first.
ONWARD = b"onward:"


class Forwarding(Refunds, Escrow):
    """A shard that may be in the middle."""

    def name_tables(self) -> None:
        super().name_tables()
        #: The key of a second hop that is on its way -> the first.
        self.first_hop: Table[bytes, bytes] = self.tables.table("first hops")
        #: Receipts that this shard has sent of its own accord: itself, destination, payload, what it
        #: sends on, amount.
        self.responses: Table[int, tuple[bytes, str, bytes, bytes, int]] = self.tables.table("responses")

    def execute(self, receipt: FullReceipt) -> bool:
        return super().execute(receipt) and (not receipt.onward or self.send_on(receipt))

    def send_on(self, receipt: FullReceipt) -> bool:
        """Send what `receipt` carried to where it asks; says whether that was possible."""
        if receipt.onward not in self.environment.shards or receipt.onward == self.name:
            return False
        second = self.second_hop(receipt)
        key = self.composed(second).key
        data = self.send(second)
        if isinstance(data, Refusal):
            return False
        self.first_hop[key] = receipt.encode()
        self.responses.append((data, second.destination, second.payload, receipt.payload, second.amount))
        return True

    def second_hop(self, receipt: FullReceipt) -> Sending:
        """The same value, on the channel of the same number; the deadline was for this shard's clock."""
        return Sending(
            receipt.onward,
            ONWARD + receipt.payload,
            receipt.channel,
            amount=receipt.amount,
            asset=receipt.asset,
        )

    def outcome(self, receipt: FullReceipt, *, succeeded: bool) -> Fact:
        # What travels has no outcome before its last hop has one.
        travels = succeeded and receipt.onward
        return Fact.RECEIVED if travels else super().outcome(receipt, succeeded=succeeded)

    def tell(self, receipt: FullReceipt, ending: Ending) -> None:
        super().tell(receipt, ending)
        data = self.first_hop.get(receipt.key)
        if data is not None:
            del self.first_hop[receipt.key]
            self.pass_back(FullReceipt.decode(data), ending)

    def pass_back(self, first: FullReceipt, ending: Ending) -> None:
        """The second hop has its outcome, and so has the first."""
        if ending is not Ending.SUCCEEDED:
            self.take_back(first)
        self.attest(first.key, (Fact.SUCCEEDED if ending is Ending.SUCCEEDED else Fact.FAILED).value)

    def burnable(self, home: str) -> int:
        # What is on its way to a third shard is still owed to the first, if it comes back.
        firsts = map(FullReceipt.decode, self.first_hop.values())
        return super().burnable(home) - sum(f.amount for f in firsts if f.source == home and not f.homeward)
