"""What was observed of a finding, as what can be asked of it to know where to look."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from ..adversary import Damage
from ..judge import Wrong
from ..moves import NULL, Act, Deliver, Emit, Forged, Learn, Move, Produce, verb_of
from .first_wrong import FirstWrong
from .refused_instead import Observed


@frozen
class Facts:
    """A finding, the step since which the system is wrong, and what it makes of changes of the last step."""

    wrong: Wrong
    moves: tuple[Move, ...]
    first: FirstWrong
    kinds: Mapping[str, Observed]
    #: The names of the layers that the system follows.
    layers: frozenset[str]
    #: What the system says of the last step, and of the one since which it is wrong.
    said: str
    said_first: str

    @property
    def last(self) -> Move:
        """The step at which it shows."""
        return self.moves[-1]

    @property
    def verb(self) -> str:
        """The verb of the last step."""
        return verb_of(self.last)

    @property
    def before(self) -> tuple[str, ...]:
        """The verbs of the steps before it."""
        return tuple(verb_of(move) for move in self.moves[:-1])

    @property
    def since(self) -> str:
        """The verb of the step since which the system is wrong; empty where it is the last one."""
        return verb_of(self.moves[self.first.place]) if self.first.place < len(self.moves) - 1 else ""

    @property
    def damage(self) -> Damage | None:
        """What was done to the bytes of the last step."""
        return self.last.damage if isinstance(self.last, Deliver | Learn | Act) else None

    def damages(self, part: str, *kinds: str) -> bool:
        """Whether a part of what is shown is changed, in one of some ways if any are named."""
        damage = self.damage
        return damage is not None and damage.part == part and (not kinds or damage.kind in kinds)

    @property
    def forged(self) -> bool:
        """Whether what is shown last was never emitted."""
        return isinstance(self.last, Deliver | Act) and isinstance(self.last.receipt, Forged)

    @property
    def headerless(self) -> bool:
        """Whether it is shown under no header."""
        return isinstance(self.last, Deliver | Act | Learn) and self.last.header == NULL

    @property
    def proven(self) -> bool:
        """Whether a proof is shown with it."""
        return isinstance(self.last, Deliver | Act) and self.last.evidence is not None

    @property
    def under_another_header(self) -> bool:
        """Whether the receipt was shown to the same shard under another header before."""
        last = self.last
        return isinstance(last, Deliver) and any(
            isinstance(m, Deliver)
            and (m.shard, m.receipt) == (last.shard, last.receipt)
            and m.header != last.header
            for m in self.moves[:-1]
        )

    @property
    def of_another_receipt(self) -> bool:
        """Whether what was done wrongly is done to another receipt than the one that was shown last."""
        last = self.last
        return isinstance(last, Deliver) and not any(
            isinstance(m, Deliver) and m.receipt == last.receipt for m in self.moves[:-1]
        )

    @property
    def several_sources(self) -> bool:
        """Whether receipts of several shards were executed or shown."""
        return len({m.source for m in self.moves if isinstance(m, Emit)}) > 1

    @property
    def several_blocks(self) -> bool:
        """Whether the source of the receipt that is shown last had sealed more than one block since."""
        last = self.last
        if not isinstance(last, Deliver):
            return False
        for at, move in enumerate(self.moves):
            if isinstance(move, Emit) and move.receipt == last.receipt:
                return sum(isinstance(m, Produce) and m.shard == move.source for m in self.moves[at:]) > 1
        return False

    @property
    def sent(self) -> tuple[Emit, ...]:
        """What was sent."""
        return tuple(m for m in self.moves if isinstance(m, Emit))

    def passes(self, kind: str) -> bool:
        """Whether a kind of change was let pass wherever it was tried."""
        return kind in self.kinds and not self.kinds[kind].refused

    def fails(self, kind: str) -> bool:
        """Whether it was refused wherever it was tried."""
        return kind in self.kinds and self.kinds[kind].all_refused
