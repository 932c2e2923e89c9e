"""
One blockchain that can return to any earlier moment.

A machine's checkpoints can be undone once and newest first. Searching needs more: any
snapshot, any number of times, in any order. So a chain has two memories. The fast one is
a stack of checkpoints, and what is on it costs microseconds. The other is history: each
moment knows the call that led to it, and a moment that is no longer on the stack is
reached by calling again from the nearest one that is. Both may fail to reach only a
moment whose history was too long to be kept; that is an error and never a wrong state.
"""

from __future__ import annotations

from typing import Final, Protocol

from attrs import field, frozen

from ...errors import AdapterError
from .engine import BLOCK_SECONDS, GENESIS_TIME, Engine, EngineFactory, Log, PyrevmEngine, RevertError

#: Who sends a transaction unless another is named. Nobody checks signatures of transactions here.
SENDER: Final = "0x" + "e0" * 20

#: Each checkpoint uses one of the 1,024 levels of calls within calls that the machine allows.
CHECKPOINTS_MAX: Final = 64

#: Calls kept as history since the last snapshot. A call is about a kilobyte.
HISTORY_MAX: Final = 10_000

#: An engine keeps all that it has ever loaded, so after this many calls a new one is cheaper.
ENGINE_CALLS_MAX: Final = 20_000

#: A history of at most this many calls is worth calling again for the sake of a new engine.
REPLAY_CALLS_MAX: Final = 200


class View(Protocol):
    """What somebody off the chain makes of its events, kept in step when the chain returns to a moment."""

    def __len__(self) -> int:
        """How many events it has taken in."""

    def append(self, log: Log) -> None:
        """Take in one more."""

    def truncate(self, length: int) -> None:
        """Forget all but the first `length`."""


@frozen(eq=False)
class _Call:
    sender: str
    to: str
    data: bytes
    block: int
    skipped: int


@frozen(eq=False)
class Moment:
    """
    A state of a chain, by how it came about: the call that led to it from its parent.

    `depth` counts the calls since deployment, where all of them are known.
    """

    block: int
    #: Seconds by which its clock is ahead of its blocks.
    skipped: int = 0
    parent: Moment | None = field(default=None, repr=False)
    call: _Call | None = field(default=None, repr=False)
    depth: int | None = None


@frozen(eq=False)
class _Mark:
    moment: Moment
    checkpoint: object
    #: The length of each view.
    lengths: tuple[int, ...]


@frozen
class _Creation:
    code: bytes
    address: str


class Chain:
    """One chain: deploy contracts, `seal`, then send, snapshot and restore. One block per transaction."""

    def __init__(self, chain_id: int, engine: EngineFactory = PyrevmEngine) -> None:
        self.chain_id = chain_id
        self._new_engine = engine
        self._engine: Engine = engine(chain_id)
        self._deployment: list[_Creation | _Call] = []
        self._views: list[View] = []
        self._watching: dict[tuple[str, bytes], list[View]] = {}
        self._base: Moment | None = None
        #: None where history was too long to be kept.
        self._now: Moment | None = None
        self._block = 1
        self._skipped = 0
        self._marks: list[_Mark] = []
        self._places: dict[Moment, int] = {}
        self._since_snapshot = 0
        self._engine_calls = 0

    # ---- before sealing -------------------------------------------------------------------

    def create(self, code: bytes) -> str:
        """Deploy a contract by its creation code; its address."""
        if self._base is not None:
            raise AdapterError("a contract was to be deployed after its chain was sealed")
        try:
            address = self._engine.deploy(SENDER, code)
        except RevertError as reverted:
            raise AdapterError("a contract refused to be deployed", got=str(reverted)) from reverted
        self._deployment.append(_Creation(code, address))
        return address

    def watch(self, address: str, topic: bytes, view: View) -> None:
        """Show `view` each event of that contract and kind, besides those that see it already."""
        self._views.append(view)
        self._watching.setdefault((address, topic), []).append(view)

    def seal(self) -> None:
        """Deployment is over: here is where `reset` returns to."""
        self._base = Moment(self._block, self._skipped, depth=0)
        self._at_base(self._base)

    # ---- after ------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """What the newest block says is the time, in seconds since 1970."""
        return _time(self._block, self._skipped)

    def wait(self, seconds: int) -> None:
        """So much time passes without a block."""
        self._skipped += seconds

    def call(self, to: str, data: bytes, sender: str = SENDER) -> bytes:
        """Ask a contract something, which changes nothing. Raises `RevertError`."""
        self._engine.begin(self._block, self.now)
        return self._engine.call(sender, to, data, static=True)

    def send(self, to: str, data: bytes, sender: str = SENDER) -> list[Log]:
        """A transaction in a block of its own; what it logged. Raises `RevertError`."""
        call = _Call(sender, to, data, self._block + 1, self._skipped)
        # Its block has come whether or not it succeeds.
        self._block += 1
        logs = self._run(call)
        if self._base is None:
            self._deployment.append(call)
        elif self._now is None or self._since_snapshot >= HISTORY_MAX:
            self._now = None
        else:
            self._since_snapshot += 1
            depth = None if self._now.depth is None else self._now.depth + 1
            self._now = Moment(self._block, self._skipped, self._now, call, depth)
        return logs

    def reset(self) -> None:
        """The chain as it was when it was sealed."""
        self.restore(self._sealed())

    def snapshot(self) -> Moment:
        """The present moment, for `restore`."""
        self._sealed()
        if self._now is None:
            self._now = Moment(self._block, self._skipped)
        elif (self._now.block, self._now.skipped) != (self._block, self._skipped):
            # Since then only refused transactions and time came, which moved nothing but block and clock.
            self._now = Moment(self._block, self._skipped, self._now, None, self._now.depth)
        self._mark(self._now)
        return self._now

    def restore(self, moment: Moment) -> None:
        """Return to a moment of this chain, which may lie behind, ahead, or on another branch."""
        worth_it = moment.depth is not None and moment.depth <= REPLAY_CALLS_MAX
        if worth_it and self._engine_calls > ENGINE_CALLS_MAX:
            self._rebuild()
        ahead: list[Moment] = []
        known = moment
        while known not in self._places:
            if known.parent is None:
                raise AdapterError(
                    f"chain {self.chain_id} cannot return to this snapshot",
                    expected=f"a snapshot at most {HISTORY_MAX:,} calls after another one",
                    got="one with a longer history, that a restore to an older snapshot has passed",
                    help="take snapshots more often, or restore the newest first",
                )
            ahead.append(known)
            known = known.parent
        self._rewind(self._places[known])
        for step in reversed(ahead):
            if step.call is not None:
                self._again(step.call)
        self._now, self._block, self._skipped = moment, moment.block, moment.skipped
        self._since_snapshot = 0
        if ahead:
            self._mark(moment)

    def close(self) -> None:
        """Let go of the machine. Nothing can be asked afterwards; may be called twice."""
        self._engine.close()

    # ---- inside -----------------------------------------------------------------------------

    def _sealed(self) -> Moment:
        if self._base is None:
            raise AdapterError("a chain was to be reset or restored before it was sealed")
        return self._base

    def _run(self, call: _Call) -> list[Log]:
        self._engine_calls += 1
        self._engine.begin(call.block, _time(call.block, call.skipped))
        self._engine.call(call.sender, call.to, call.data, static=False)
        logs = self._engine.logs()
        for log in logs:
            for view in self._watching.get((log.address, log.topics[0]), ()) if log.topics else ():
                view.append(log)
        return logs

    def _again(self, call: _Call) -> None:
        try:
            self._run(call)
        except RevertError as reverted:
            raise AdapterError(
                f"chain {self.chain_id} is not deterministic",
                expected="a transaction to succeed as it did before",
                got=str(reverted),
            ) from reverted

    def _mark(self, moment: Moment) -> None:
        self._since_snapshot = 0
        if moment in self._places:
            return
        if len(self._marks) >= CHECKPOINTS_MAX:
            # The newest gives way to one that is newer still: its own moment has a history.
            self._engine.release()
            del self._places[self._marks.pop().moment]
        lengths = tuple(len(view) for view in self._views)
        self._places[moment] = len(self._marks)
        self._marks.append(_Mark(moment, self._engine.checkpoint(), lengths))

    def _rewind(self, place: int) -> None:
        mark = self._marks[place]
        while len(self._marks) > place:
            newest = self._marks.pop()
            del self._places[newest.moment]
            self._engine.undo(newest.checkpoint)
        for view, length in zip(self._views, mark.lengths, strict=True):
            view.truncate(length)
        self._mark(mark.moment)

    def _rebuild(self) -> None:
        self._engine.close()
        self._engine = self._new_engine(self.chain_id)
        self._engine_calls = 0
        for view in self._views:
            view.truncate(0)
        for step in self._deployment:
            if isinstance(step, _Call):
                self._again(step)
            elif self._engine.deploy(SENDER, step.code) != step.address:
                raise AdapterError(f"chain {self.chain_id} is not deterministic", expected=step.address)
        self._at_base(self._sealed())

    def _at_base(self, base: Moment) -> None:
        self._marks.clear()
        self._places.clear()
        self._now, self._block, self._skipped = base, base.block, base.skipped
        self._mark(base)


def _time(block: int, skipped: int) -> int:
    return GENESIS_TIME + BLOCK_SECONDS * block + skipped
