"""
A link that is full is suspended, and resumed once it is empty.

Between the two thresholds nothing flaps. The signal to resume is not a call and waits in no
queue: behind the data that it is about, it would never arrive (polkadot-sdk issue 1777).
"""

from __future__ import annotations

from collections.abc import Mapping

from ..encoding import Reader, text
from .call import Call
from .call_shard import Objection
from .memory import listed, unlisted
from .queues import Link, QueueingShard, link_of

_KIND = b"S"


class SuspendingShard(QueueingShard):
    """Keeps a set of links that take responses only."""

    def unsendable(self, call: Call) -> Objection | None:
        below = super().unsendable(call)
        if below is None and self.needs_room(call) and link_of(call) in self.suspended:
            return Objection.SUSPENDED
        return below

    def enqueue(self, call: Call, data: bytes) -> None:
        super().enqueue(call, data)
        if self.is_full(link_of(call)):
            self.suspend(link_of(call))

    def drain(self, link: Link) -> Objection | None:
        answer = super().drain(link)
        if answer is None and self.backlog(link) == 0:
            self.resume(link)
        return answer

    def suspend(self, link: Link) -> None:
        """Users may send nothing on the link."""
        self.suspended.add(link)

    def resume(self, link: Link) -> None:
        """Users may send on the link again."""
        self.suspended.discard(link)

    def parts(self) -> dict[str, bytes]:
        ends = (_KIND + text(link.source) + text(link.destination) for link in sorted(self.suspended))
        return super().parts() | {"suspended": listed(ends)}

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        self.suspended: set[Link] = set()
        for data in unlisted(parts.get("suspended")):
            reader = Reader(data, _KIND)
            self.suspended.add(Link(reader.text(), reader.text()))
