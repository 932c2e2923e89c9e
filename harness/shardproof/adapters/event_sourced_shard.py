"""
A shard as a process manager of the library `eventsourcing`, on SQLite: it sends, and follows other shards.

What it sends is an event of its own log. What it receives it records as an event too, in one
transaction with the position that the incoming event has in the log of its source (the tracking
row of the library). That transaction is all there is to executing once.

Importing this needs the library; `eventsourcing.py` beside it says so to those who lack it.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.domain import Aggregate
from eventsourcing.persistence import IntegrityError, Notification
from eventsourcing.system import ProcessApplication
from eventsourcing.utils import Environment, get_topic

__all__ = ["EventSourcedShard", "IntegrityError", "read", "unrecorded", "written"]

#: Events carry a time; where a clock would be read, nothing could be repeated.
_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)

#: Notifications are read in sections of so many.
_SECTION = 100


class Outgoing(Aggregate):
    """A message that a shard has sent."""

    class Sent(Aggregate.Created):
        """To another shard; the payload is written in hexadecimal digits."""

        destination: str
        payload: str

    @classmethod
    def number(cls, number: int, destination: str, payload: bytes) -> Any:
        """The message of this number, not recorded yet."""
        identity = _identity("outgoing", number)
        return cls._create(
            cls.Sent, id=identity, timestamp=_MOMENT, destination=destination, payload=payload.hex()
        )


class Incoming(Aggregate):
    """A message that has taken effect at a shard."""

    class Received(Aggregate.Created):
        """From another shard; the payload is written in hexadecimal digits."""

        source: str
        payload: str

    @classmethod
    def number(cls, number: int, source: str, payload: str) -> Any:
        """The message of this number, not recorded yet."""
        identity = _identity("incoming", number)
        return cls._create(cls.Received, id=identity, timestamp=_MOMENT, source=source, payload=payload)


class EventSourcedShard(ProcessApplication):
    """One shard, in one database. Positions in its log count up from 1."""

    topics = (get_topic(Outgoing.Sent),)
    pull_section_size = log_section_size = _SECTION

    def __init__(self, shard: str, database: Path, *, rows: bool) -> None:
        self.shard = shard
        super().__init__(
            env={
                "PERSISTENCE_MODULE": "eventsourcing.sqlite",
                "SQLITE_DBNAME": str(database),
                # A row for each notification, or one for each log that is followed.
                "SINGLE_ROW_TRACKING": "n" if rows else "y",
            }
        )
        self._forget()

    def construct_env(self, name: str, env: Mapping[str, str] | None = None) -> Any:
        """The settings as given: the library would add those of the user's environment."""
        return Environment(name, dict(env or {}))

    def construct_recorder(self) -> Any:
        """The library's own, in a database that does not wait for the disk: no run cuts the power."""
        with self._connected() as connection:
            connection.execute("PRAGMA synchronous=OFF")
        return super().construct_recorder()

    # ---- as a source ----------------------------------------------------------------------

    def send(self, destination: str, payload: bytes) -> Notification:
        """Record a message; as a follower will read it in the log."""
        self._catch_up()
        message = Outgoing.number(len(self._sent), destination, payload)
        return self.save(message)[-1].notification

    def notification(self, position: int) -> Notification | None:
        """The message at a position of its log, if there is one."""
        found = self.recorder.select_notifications(position, 1, stop=position, topics=self.topics)
        return found[0] if found else None

    @property
    def last(self) -> Notification | None:
        """The newest message in its log."""
        self._catch_up()
        return self._sent[-1] if self._sent else None

    # ---- as a destination -----------------------------------------------------------------

    def policy(self, domain_event: Any, processing_event: Any) -> None:
        """What a message does: it is recorded as received, together with the position that it had."""
        if domain_event.destination != self.shard:
            return
        self._catch_up()
        source = processing_event.tracking.application_name
        effect = Incoming.number(len(self._effects), source, domain_event.payload)
        processing_event.collect_events(effect)

    def process(self, source: str, notification: Notification) -> None:
        """Take a notification for one of the log of `source`. Raises whatever is wrong with it."""
        heeded = self.filter_received_notifications([notification])
        for event, tracking in self.convert_notifications(source, heeded):
            self.process_event(event, tracking)

    def received(self, since: int) -> list[tuple[str, bytes]]:
        """Source and payload of what took effect after the first `since`."""
        self._catch_up()
        return self._effects[since:]

    # ---- what it keeps --------------------------------------------------------------------

    def digest(self) -> bytes:
        """A digest of its log, and of how far it has followed others."""
        state = sha256()
        for notification in self._log(0):
            state.update(repr(notification).encode())
        for source in sorted(self.readers):
            state.update(repr((source, self.recorder.max_tracking_id(source))).encode())
        return state.digest()

    def kept(self) -> bytes:
        """Its database."""
        with closing(sqlite3.connect(":memory:")) as copy:
            with self._connected() as connection:
                connection.backup(copy)
            database = bytearray(copy.serialize())
        # That it had a log beside it. In memory there is none (SQLite, Database File Format, 1.3.3).
        database[18:20] = b"\x01\x01"
        return bytes(database)

    def put_back(self, database: bytes) -> None:
        """Have the database that was `kept`."""
        with closing(sqlite3.connect(":memory:")) as copy:
            copy.deserialize(database)
            with self._connected() as connection:
                copy.backup(connection)
        self._forget()

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        with self.factory.datastore.get_connection(commit=True) as pooled:
            yield pooled.cursor().sqlite_cursor.connection

    # ---- its own log, read once -------------------------------------------------------------

    def _forget(self) -> None:
        """Know nothing but what is in the database."""
        self._read = 0
        self._sent: list[Notification] = []
        self._effects: list[tuple[str, bytes]] = []

    def _catch_up(self) -> None:
        for notification in self._log(self._read):
            self._read = notification.id
            if notification.topic in self.topics:
                self._sent.append(notification)
            else:
                event = self.mapper.to_domain_event(notification)
                self._effects.append((event.source, bytes.fromhex(event.payload)))

    def _log(self, after: int) -> Iterator[Notification]:
        """What is in its log after a position."""
        while section := self.recorder.select_notifications(after, _SECTION, inclusive_of_start=False):
            yield from section
            after = section[-1].id


def _identity(kind: str, number: int) -> UUID:
    """A name for the event of this number, unique in its database."""
    return uuid5(NAMESPACE_URL, f"{kind} {number}")


# ---- notifications as bytes --------------------------------------------------------------------


def written(source: str, notification: Notification) -> bytes:
    """A notification of the log of `source`, in the fields in which the library serves one."""
    return json.dumps(
        {
            "log": source,
            "id": notification.id,
            "originator_id": notification.originator_id.hex,
            "originator_version": notification.originator_version,
            "topic": notification.topic,
            "state": b64encode(notification.state).decode(),
        }
    ).encode()


def read(text: bytes) -> tuple[str, Notification]:
    """The inverse of `written`, for bytes of anybody. Raises whatever is wrong with them."""
    fields = json.loads(text)
    return str(fields["log"]), Notification(
        id=int(fields["id"]),
        originator_id=UUID(fields["originator_id"]),
        originator_version=int(fields["originator_version"]),
        topic=str(fields["topic"]),
        state=b64decode(fields["state"], validate=True),
    )


def unrecorded(like: EventSourcedShard, position: int, destination: str, payload: bytes) -> Notification:
    """A notification as a log would have it, of an event that nobody recorded."""
    event = Outgoing.number(position, destination, payload).collect_events()[-1]
    stored = like.mapper.to_stored_event(event)
    return Notification(stored.originator_id, stored.originator_version, stored.topic, stored.state, position)
