"""
A callback runs in a frame, and other calls may be delivered before it returns.

Code that asks who called it is answered by the innermost frame, and when that one returns, by
the one that it interrupted (ethereum-optimism/optimism PR 5444).
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from .call import Call
from .call_shard import CallShard, Objection
from .presentation import Presentation


class NestingShard(CallShard):
    """Keeps a stack of frames, and who is at the top of it."""

    frames: list[Call]
    #: Who called the code that runs right now.
    sender: str | None

    def objection(self, call: Call, key: bytes, *, fails: bool) -> Objection | None:
        below = super().objection(call, key, fails=fails)
        return Objection.RUNNING if below is None and call in self.frames else below

    def run(self, call: Call, key: bytes, *, fails: bool, inner: Presentation | None) -> None:
        self.begin(call)
        super().run(call, key, fails=fails, inner=inner)
        self.finish()

    def begin(self, call: Call) -> None:
        """The callback of a call begins, in a frame of its own."""
        self.frames.append(call)
        self.sender = call.source

    def finish(self) -> None:
        """The innermost callback returns to the one that it interrupted."""
        self.frames.pop()
        self.sender = self.interrupted()

    def interrupted(self) -> str | None:
        """Who called the code that goes on once a frame is closed."""
        return self.frames[-1].source if self.frames else None

    def seen(self, call: Call) -> Call:
        return call if self.sender == call.source else evolve(call, source=self.sender or "")

    def is_running(self) -> bool:
        return bool(self.frames)

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        # Frames do not outlive the process, and nothing is restarted within one.
        self.frames = []
        self.sender = None
