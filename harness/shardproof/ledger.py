"""
What the users of each address hold, by the history that was seen and not by what a shard says.

A checker that sums up a shard's own books repeats its mistakes, and one that counts what was only
skipped invents others (nearcore PR 12619). So here only three things move value: an emission
takes what its user pays, an effect gives it, a refund returns it.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field


@define(eq=False)
class Ledger:
    """For each address what it was found with, and what has moved since."""

    endowed: list[int] = field(factory=list)
    moved: list[int] = field(factory=list)
    #: What moved in this step, by kind, for the name of a difference.
    kinds: list[str] = field(factory=list)

    def found(self, balances: Iterable[int]) -> None:
        """Start again, from what each address holds."""
        self.endowed = list(balances)
        self.moved = [0] * len(self.endowed)
        self.kinds = []

    def move(self, address: int, amount: int, kind: str) -> None:
        """So much more is held at an address."""
        self.kinds.append(kind)
        if amount and address < len(self.moved):
            self.moved[address] += amount

    def holds(self, addresses: Iterable[int]) -> int:
        """What all of these addresses hold together."""
        return sum(self.endowed[a] + self.moved[a] for a in addresses)

    def page(self, addresses: Iterable[int]) -> dict[int, int]:
        """What has moved at some addresses, to go back to."""
        return {a: self.moved[a] for a in addresses if a < len(self.moved)}

    def blank(self, address: int) -> dict[int, int]:
        """Nothing has moved at an address."""
        return {address: 0} if address < len(self.moved) else {}

    def turn_back(self, page: dict[int, int]) -> None:
        """As it was at these addresses."""
        for address, moved in page.items():
            self.moved[address] = moved
