"""
What is sent waits on a bounded link between two addresses, until the link carries it away.

A request takes a place, and is refused when there is none. A response has a lane of its own, so
that two full links which wait for each other's responses do not wait for ever. In a lane the
oldest goes first. What waits is committed to all the same: a queue holds back, it does not hide.

Source: NEAR NEP-539; Internet Computer, guaranteed responses; Polkadot, HRMP channel capacity.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import ClassVar, NamedTuple, Self

from attrs import field, frozen

from ..encoding import Reader, blobs, text
from .call import Call
from .call_shard import CallShard, Estate, Objection
from .memory import listed, read_signed, signed, unlisted
from .node import replayed

_KIND = b"Q"


class Link(NamedTuple):
    """All channels from one address to another share it."""

    source: str
    destination: str


@frozen
class Queue:
    """What waits on one link, the oldest first."""

    requests: deque[bytes] = field(factory=deque)
    responses: deque[bytes] = field(factory=deque)

    def encode(self) -> bytes:
        """The one encoding of this queue."""
        return blobs(tuple(self.requests)) + blobs(tuple(self.responses))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """The queue that comes next; says nothing about what follows it."""
        return cls(deque(reader.blobs()), deque(reader.blobs()))


class QueueingShard(CallShard):
    """Keeps a queue for each link that begins at one of its addresses."""

    #: How many requests may wait on a link.
    capacity: ClassVar[int] = 2

    def unsendable(self, call: Call) -> Objection | None:
        below = super().unsendable(call)
        if below is None and self.needs_room(call) and self.is_full(link_of(call)):
            return Objection.FULL
        return below

    def needs_room(self, call: Call) -> bool:
        """Whether the call has to wait for a place: a response has had one since its request was let in."""
        return not call.is_response

    def is_full(self, link: Link) -> bool:
        """Whether there is no room for a request."""
        return self.backlog(link) >= self.capacity

    def backlog(self, link: Link) -> int:
        """How many requests wait on a link, as the counter says."""
        return self.counters.get(link, 0)

    def post(self, call: Call) -> bytes:
        data = super().post(call)
        self.enqueue(call, data)
        return data

    def enqueue(self, call: Call, data: bytes) -> None:
        """The call takes its place."""
        link = link_of(call)
        queue = self.queues.setdefault(link, Queue())
        lane = self.lane(queue, call)
        lane.append(data)
        if lane is queue.requests:
            self.count(link, 1)

    def lane(self, queue: Queue, call: Call) -> deque[bytes]:
        """Where in a queue a call waits."""
        return queue.responses if call.is_response else queue.requests

    @replayed
    def drain(self, link: Link) -> Objection | None:
        """The link carries away the request that waits longest, after all responses."""
        queue = self.queues.get(link)
        if queue is None or not queue.requests:
            return Objection.NOT_QUEUED
        queue.responses.clear()
        self.take(queue)
        self.count(link, -1)
        return None

    def take(self, queue: Queue) -> None:
        """The oldest request leaves its queue."""
        queue.requests.popleft()

    def count(self, link: Link, change: int) -> None:
        """The counter follows what it counts."""
        self.counters[link] = self.counters.get(link, 0) + change

    def parts(self) -> dict[str, bytes]:
        return super().parts() | {
            "queues": listed(_ends(link) + q.encode() for link, q in sorted(self.queues.items())),
            "counters": listed(_ends(link) + signed(n) for link, n in sorted(self.counters.items())),
        }

    def read(self, parts: Mapping[str, bytes]) -> None:
        super().read(parts)
        self.queues: dict[Link, Queue] = {}
        self.counters: dict[Link, int] = {}
        self._put(parts, None)

    def take_over(self, estates: Sequence[Estate]) -> None:
        super().take_over(estates)
        for estate in estates:
            self._put(estate.parts, estate.given)

    def _put(self, parts: Mapping[str, bytes], sources: Sequence[str] | None) -> None:
        """Put in place what was written of the links from `sources`, or of all."""
        for data in unlisted(parts.get("queues")):
            reader = Reader(data, _KIND)
            link = Link(reader.text(), reader.text())
            if sources is None or link.source in sources:
                self.queues[link] = Queue.read(reader)
        for data in unlisted(parts.get("counters")):
            reader = Reader(data, _KIND)
            link = Link(reader.text(), reader.text())
            if sources is None or link.source in sources:
                self.counters[link] = read_signed(reader)


def link_of(call: Call) -> Link:
    """The link on which a call goes."""
    return Link(call.source, call.destination)


def _ends(link: Link) -> bytes:
    return _KIND + text(link.source) + text(link.destination)
