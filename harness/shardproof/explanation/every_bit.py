"""
Whether a step is refused whichever bit of a part of it is another: all of them, one after the other.

A run for each would be hundreds. What is refused leaves no trace, so one run has room for all; in the
end it takes the step as it is, which must pass as in the finding, or a shard that has had enough of
refusing would be taken for one that looks at every bit. A bit that passes ends a run, and the next
bits have another one.
"""

from __future__ import annotations

from contextlib import suppress

from attrs import frozen

from ..adversary import Damage
from ..judge import Wrong
from ..lockstep import Lockstep
from ..moves import Act, Deliver, Learn, Move
from ..presented import presented
from ..verdict import Kind
from .trials import OutOfRunsError, Trials, in_vain

#: Longer parts are flipped at a few places only: so many moves are a few times those of all other variations.
BITS_MAX = 1_024

#: Runs for one part, of which each but the last ends with a bit that passed.
ATTEMPTS = 4

#: After so many moves it is asked whether there is still time.
_LOOK_EVERY = 64


@frozen
class EveryBit:
    """What became of the bits of a part, of all of them or up to one that passed."""

    bits: int
    #: Those that tell something, because the model does not let them pass; and how many of these are refused.
    tried: int
    refused: int


def every_bit(trials: Trials, place: int, part: str, plainly: str) -> EveryBit | None:
    """
    Of the step at `place`, to which the system answers `plainly` as it is.

    None where nothing can be said of every bit: there are too many, the model lets too many of them pass,
    there is no time, or the step no longer passes after them. Where many pass that must not, the rest is
    not tried.
    """
    *before, last = trials.moves[: place + 1]
    if not isinstance(last, Deliver | Learn | Act):
        return None
    plain = last._replace(damage=None)
    bits, tried, refused, start = 1, 0, 0, 0
    with suppress(OutOfRunsError):
        for _ in range(ATTEMPTS):
            with trials.fresh() as lock:
                for move in before:
                    lock.run(move)
                bits = 8 * len(_bytes(lock, plain, part))
                if not 0 < bits <= BITS_MAX:
                    return None
                for bit in range(start, bits):
                    if bit % _LOOK_EVERY == 0 and trials.late():
                        raise OutOfRunsError
                    start = bit + 1
                    flipped: Move = plain._replace(damage=Damage(part, "flip", bit))
                    wrong = lock.run(flipped)
                    gone = in_vain(lock, flipped)
                    refused += gone and wrong is None
                    tried += (gone and wrong is None) or _tells(wrong)
                    if wrong is not None or not gone:
                        break
                else:
                    lock.run(last)
                    if answered(lock) == plainly:
                        return EveryBit(bits, tried, refused)
                    break
    # Not all of them were tried; but that one passed is known.
    return EveryBit(bits, tried, refused) if refused < tried else None


def answered(lock: Lockstep) -> str:
    """What the system made of the last move, by its answer and by its effects."""
    return "; ".join((str(lock.claim), *map(str, lock.happened)))


def _tells(wrong: Wrong | None) -> bool:
    """Whether something passed that must not; that something due was refused is another matter."""
    return wrong is not None and wrong.kind is not Kind.PROGRESS


def _bytes(lock: Lockstep, plain: Deliver | Learn | Act, part: str) -> bytes:
    if isinstance(plain, Learn):
        block = lock.headers.get(plain.header)
        return block.data if block is not None else b""
    shown: bytes = getattr(presented(lock, plain), part)
    return shown
