"""
A header commits to the receipts of its own block, and not to those of the blocks before it (L0, variant).

Where the root of a header is over what one block has emitted, a receipt is proved under one header
of the chain: the one that sealed it first. A relayer who comes late has to show that header, however old.

Source: NEAR, Nomicon, outgoing receipts root; Ethereum, Yellow Paper, receipts root of a block.
"""

from __future__ import annotations

from ..language.protocol import Layer
from ..language.terms import Bool, all_of, exists
from .exactly_once import Header, Receipt, commits, emitted, exactly_once, issued, outgoing, produced, source

own_blocks = Layer(
    "own-blocks",
    needs=(exactly_once,),
    doc="a header commits to the receipts of its own block, and not to earlier ones",
)


@own_blocks.redefines(outgoing)
def is_new(m: Receipt) -> Bool:
    """What a block of the chain has committed to is not in the next one; if that is dropped, it is again."""
    sealed = exists(Header, lambda h: all_of(produced(h), issued(h, source(m)), commits(h, m)))
    return emitted(m) & ~sealed
