"""
A callback runs in a frame, and others may run before it returns: `layers/callbacks.py`.

Which receipt the code that runs right now answers is not an argument but a matter of where
in the stack it is: a frame that ends gives back the context of the one around it, and does
not set it to nothing (ethereum-optimism/optimism PR 5444).
"""

from __future__ import annotations

from .message import FullReceipt
from .messenger import Kept, Messenger
from .refusals import Refusal

#: The sender that code outside any frame sees.
NOBODY = ""


class Callbacks(Messenger):
    """A shard that may be called again while it calls back."""

    def load(self, kept: Kept) -> None:
        super().load(kept)
        #: The frames around the present one, and the receipt that the code which runs now answers.
        #: They do not outlive the process.
        self.outer_frames: tuple[FullReceipt | None, ...] = ()
        self.context: FullReceipt | None = None

    def forbids_delivery(self, receipt: FullReceipt) -> Refusal | None:
        return super().forbids_delivery(receipt) or (Refusal.RUNNING if self.is_running(receipt) else None)

    def is_running(self, receipt: FullReceipt) -> bool:
        """Whether the callback of `receipt` has begun and not returned."""
        return receipt == self.context or receipt in self.outer_frames

    def call_back(self, receipt: FullReceipt) -> None:
        self.begin(receipt)
        try:
            super().call_back(receipt)
        finally:
            self.finish()

    def begin(self, receipt: FullReceipt) -> None:
        """A frame for the callback of `receipt`, within the present one."""
        self.outer_frames = (*self.outer_frames, self.context)
        self.context = receipt

    def finish(self) -> None:
        """Back to the frame around this one."""
        *outer, self.context = self.outer_frames
        self.outer_frames = tuple(outer)

    def sender(self, receipt: FullReceipt) -> str:
        return NOBODY if self.context is None else self.context.source
