"""
The counts that every explorer must reproduce: a small protocol of receipts, at several sizes.

Of `sizes` shards, receipts and honest copies in flight at most. SPIN, TLC, rumur, Stateright and
plain Python agree on them to the last digit. The protocol is that of
`tests/samples/sample_protocols/benchmark.py`: receipts are emitted, sealed under headers, relayed,
copied, lost, forged and delivered.
"""

from __future__ import annotations

from attrs import frozen


@frozen
class Size:
    """So many shards, receipts and honest copies, and what there is to be found."""

    shards: int
    receipts: int
    copies: int
    worlds: int
    transitions: int

    def __str__(self) -> str:
        return f"{self.shards},{self.receipts},{self.copies}"

    @property
    def arguments(self) -> tuple[str, ...]:
        """As a command line has them."""
        return str(self.shards), str(self.receipts), str(self.copies)


TINY = Size(2, 3, 2, 18_568, 174_836)
A = Size(2, 4, 1, 173_056, 1_847_040)
WALKED = Size(2, 4, 2, 712_336, 8_946_400)
B = Size(3, 4, 1, 815_360, 10_254_272)
C = Size(3, 4, 2, 3_481_600, 50_677_760)
LARGEST = Size(2, 5, 2, 38_884_768, 608_725_456)

#: From the smallest to the largest that takes seconds and not minutes.
SIZES = (TINY, A, WALKED, B, C)
