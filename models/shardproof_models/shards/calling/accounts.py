"""
Calls carry value: debited once where they are sent, credited once where they succeed.

Each address holds what its users hold together. What is debited is what the user pays; nothing
else in a request can say how much a call carries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..encoding import Reader, number, text
from .call import Call
from .call_shard import CallShard, Estate, Objection
from .memory import read_signed, signed
from .node import replayed

_KIND = b"A"

#: What each address holds at the beginning.
ENDOWMENT = 1000


class PayingShard(CallShard):
    """Keeps the balances of its addresses."""

    @replayed
    def found(self, addresses: tuple[str, ...]) -> None:
        super().found(addresses)
        self.balances = dict.fromkeys(addresses, ENDOWMENT)

    def unsendable(self, call: Call) -> Objection | None:
        below = super().unsendable(call)
        if below is None and not call.is_response and not self.can_pay(call):
            return Objection.INSUFFICIENT
        return below

    def can_pay(self, call: Call) -> bool:
        """Whether the sender has what the call carries."""
        return call.amount <= self.balances.get(call.source, 0)

    def post(self, call: Call) -> bytes:
        # Nobody pays for a response: the call that it answers was paid for.
        if not call.is_response:
            self.debit(call)
        return super().post(call)

    def succeed(self, call: Call) -> None:
        super().succeed(call)
        self.credit(call)

    def debit(self, call: Call) -> None:
        """The sender has that much less."""
        self.move(call.source, -call.amount)

    def credit(self, call: Call) -> None:
        """The receiver has that much more."""
        self.move(call.destination, call.amount)

    def move(self, address: str, amount: int) -> None:
        """An address holds so much more."""
        self.balances[address] = self.balances.get(address, 0) + amount

    def total(self) -> int:
        """What the users of this shard hold together."""
        return sum(self.balances.get(address, 0) for address in self.addresses)

    def parts(self) -> dict[str, bytes]:
        written = (text(address) + signed(held) for address, held in sorted(self.balances.items()))
        return super().parts() | {"balances": b"".join((_KIND, number(len(self.balances)), *written))}

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        self.balances = _balances(parts.get("balances"))

    def take_over(self, estates: Sequence[Estate]) -> None:
        super().take_over(estates)
        self.balances = {
            address: held
            for estate in estates
            for address, held in _balances(estate.parts.get("balances")).items()
            if address in estate.given
        }


def _balances(data: bytes | None) -> dict[str, int]:
    found: dict[str, int] = {}
    if data is not None:
        reader = Reader(data, _KIND)
        for _ in range(reader.number()):
            address = reader.text()
            found[address] = read_signed(reader)
        reader.end()
    return found
