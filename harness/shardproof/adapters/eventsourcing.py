"""
Adapter for `eventsourcing`: shards are process managers that follow each other's logs, on SQLite.

A receipt is a notification, which is an event with its position in the log of its source. A
header names the last notification that a log had when it was asked for, and evidence is empty:
nothing proves anything here. A follower believes the log that it reads; it executes once
because it records the position together with the effect, in one transaction.

By itself, `eventsourcing` is the library as it comes. A follower that is told of a notification
reads the log of its source up to there, from where it has come to, and remembers one position
for each log.

`eventsourcing:any-order` reads only the notification that it is told of, and remembers each.

`eventsourcing:overtaken` reads in that way, and remembers one position, as the library does
unless it is told otherwise. So what was overtaken can never be read again.

`eventsourcing:pushed` takes the notification from whoever brings it, as behind a queue or a web
hook. Nothing tells a true one from one that somebody has made up.

Source: PyPI `eventsourcing`, classes `ProcessApplication` and `SQLiteProcessRecorder`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from attrs import field, frozen

from ..adapter import ACCEPTED, Adapter, AdapterFactory, Delivery, Execution, Outcome, Refused, Topology
from ..errors import AdapterError, MissingPartError, UsageError, nearest

if TYPE_CHECKING:
    from .event_sourced_shard import EventSourcedShard

#: How far the position of a forged notification is ahead: no run sends as many.
_FORGED_AHEAD: Final = 1 << 32

_HEADER: Final = b"log up to "
_UNKNOWN: Final = Refused("no such notification in any log")
_TOO_EARLY: Final = Refused("this part of the log does not contain the notification")


@frozen(eq=False)
class _Snapshot:
    """Copies of all databases, and what the newest headers name."""

    folder: Path | None
    databases: Mapping[str, bytes] = field(repr=False)
    named: Mapping[str, int]


class EventSourcingAdapter(Adapter):
    """Followers that read on in a log, and remember how far they have come."""

    name: ClassVar[str] = "eventsourcing"
    #: Whether each notification is remembered, or the last of each log.
    rows: ClassVar[bool] = False

    def __init__(self) -> None:
        self._library = _library()
        self._shards: dict[str, EventSourcedShard] = {}
        self._folder: Path | None = None
        #: The position that the newest header of each shard names.
        self._named: dict[str, int] = {}
        #: All shards as they were when they were started.
        self._empty: _Snapshot | None = None

    # ---- required ---------------------------------------------------------------------------

    def open(self, topology: Topology) -> None:
        if [*self._shards] == [*topology.shards] and self._empty is not None:
            # To start a database takes longer than a run.
            self.restore(self._empty)
            return
        self.close()
        self._folder = Path(tempfile.mkdtemp(prefix="shardproof-"))
        self._named = dict.fromkeys(topology.shards, 0)
        self._shards = {name: self._started(name, i) for i, name in enumerate(topology.shards)}
        for name in topology.shards:
            self._introduce(name)
        self._empty = self.snapshot()

    def close(self) -> None:
        for shard in self._shards.values():
            shard.close()
        self._shards, self._empty = {}, None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def emit(self, source: str, destination: str, payload: bytes) -> bytes | Refused:
        return self._written(source, self._shards[source].send(destination, payload))

    def produce(self, shard: str) -> bytes | Refused:
        last = self._shards[shard].last
        if last is None or last.id == self._named[shard]:
            # The same header again would be the same bytes: no block, only its echo.
            return Refused("nothing new was sent")
        self._named[shard] = last.id
        return _HEADER + self._written(shard, last)

    def prove(self, receipt: bytes, header: bytes) -> bytes | Refused:
        found = self._found(receipt, header)
        return found if isinstance(found, Refused) else b""

    def deliver(self, delivery: Delivery) -> Outcome:
        found = self._found(delivery.receipt, delivery.header)
        if isinstance(found, Refused):
            return found
        source, position = found
        try:
            self._follow(self._shards[delivery.destination], source, position)
        except self._library.IntegrityError as error:
            return Refused(f"{type(error).__name__}: {error}")
        # The library answers nothing where there is nothing new; so this is no more than "understood".
        return ACCEPTED

    def executed(self, shard: str, since: int) -> Sequence[Execution]:
        return [Execution(payload, source) for source, payload in self._shards[shard].received(since)]

    # ---- capabilities -----------------------------------------------------------------------

    def restart(self, shard: str) -> None:
        self._shards[shard].close()
        self._shards[shard] = self._started(shard, [*self._shards].index(shard))
        self._introduce(shard)

    def state_root(self, shard: str) -> bytes:
        return self._shards[shard].digest()

    def forge(self, source: str, destination: str, payload: bytes) -> bytes:
        # As its own log would write it: in an event that nobody recorded.
        position = _FORGED_AHEAD + int.from_bytes(sha256(payload).digest()[:4])
        made_up = self._library.unrecorded(self._shards[source], position, destination, payload)
        return self._written(source, made_up)

    def snapshot(self) -> _Snapshot:
        databases = {name: shard.kept() for name, shard in self._shards.items()}
        return _Snapshot(self._folder, databases, dict(self._named))

    def restore(self, token: object) -> None:
        if not isinstance(token, _Snapshot) or token.folder != self._folder:
            raise AdapterError("this snapshot belongs to other shards", got=type(token).__name__)
        for name, database in token.databases.items():
            self._shards[name].put_back(database)
        self._named = dict(token.named)

    # ---- what a follower does with what it is told of -----------------------------------------

    def _follow(self, follower: EventSourcedShard, source: str, position: int) -> None:
        follower.pull_and_process(source, stop=position)

    def _found(self, receipt: bytes, header: bytes) -> tuple[str, int] | Refused:
        """Whose log contains a notification, and where, in the part that the header names."""
        found, last = self._place(receipt), self._place(header.removeprefix(_HEADER))
        if found is None or last is None or not header.startswith(_HEADER):
            return _UNKNOWN
        return found if found[0] == last[0] and found[1] <= last[1] else _TOO_EARLY

    def _place(self, text: bytes) -> tuple[str, int] | None:
        """Whose log contains the notification that is written like this, and where."""
        try:
            source, claimed = self._library.read(text)
            found = self._shards[source].notification(claimed.id)
        except Exception:
            # Whatever these bytes are, they are no notification.
            return None
        same = found is not None and self._written(source, found) == text
        return (source, claimed.id) if same else None

    def _written(self, source: str, notification: object) -> bytes:
        text: bytes = self._library.written(source, notification)
        return text

    # ---- starting -----------------------------------------------------------------------------

    def _started(self, name: str, place: int) -> EventSourcedShard:
        """A shard on its database, which is made if need be."""
        assert self._folder is not None, "shards are started by an open adapter"
        shard: EventSourcedShard = self._library.EventSourcedShard(
            name, self._folder / f"{place}.sqlite", rows=self.rows
        )
        return shard

    def _introduce(self, name: str) -> None:
        """Let a shard that was just started follow all others, and them follow it."""
        started = self._shards[name]
        for other, shard in self._shards.items():
            shard.follow(name, started.notification_log)
            started.follow(other, shard.notification_log)


class AnyOrderAdapter(EventSourcingAdapter):
    """Followers that read one notification at a time, in any order, and remember each."""

    name: ClassVar[str] = "eventsourcing:any-order"
    rows: ClassVar[bool] = True

    def _follow(self, follower: EventSourcedShard, source: str, position: int) -> None:
        follower.pull_and_process(source, start=position - 1, stop=position)


class OvertakenAdapter(AnyOrderAdapter):
    """Followers that read one notification at a time, in any order, and remember the last of each log."""

    name: ClassVar[str] = "eventsourcing:overtaken"
    rows: ClassVar[bool] = False


class PushedAdapter(EventSourcingAdapter):
    """Followers that believe whoever brings a notification, and remember each."""

    name: ClassVar[str] = "eventsourcing:pushed"
    rows: ClassVar[bool] = True

    def deliver(self, delivery: Delivery) -> Outcome:
        # A follower has nothing to compare a header with, so it looks at none.
        try:
            source, notification = self._library.read(delivery.receipt)
            self._shards[delivery.destination].process(source, notification)
        except Exception as error:
            return Refused(f"{type(error).__name__}: {error}")
        return ACCEPTED


VARIANTS: Final[Mapping[str, type[EventSourcingAdapter]]] = {
    "": EventSourcingAdapter,
    "any-order": AnyOrderAdapter,
    "overtaken": OvertakenAdapter,
    "pushed": PushedAdapter,
}


def variant(name: str) -> AdapterFactory:
    """The adapter for `eventsourcing:name`, or the plain one. Raises `UsageError`, or `MissingPartError`."""
    try:
        found = VARIANTS[name]
    except KeyError:
        known = [variant for variant in VARIANTS if variant]
        raise UsageError(
            f"adapter 'eventsourcing' has no variant {name!r}", help=nearest(name, known)
        ) from None
    # Whoever lacks it is told so before anything begins.
    _library()
    return found


def _library() -> Any:
    """The half of this adapter that cannot be imported without the library."""
    try:
        from . import event_sourced_shard
    except ImportError as error:
        raise MissingPartError(
            "shards of eventsourcing cannot run: the library is not installed",
            got=str(error),
            help="run: pip install 'shardproof[events]'",
        ) from error
    return event_sourced_shard
