"""
Steps of a trace as calls, for regression tests: what a search has found stays found.

    from shardproof.testing import run

    def test_executes_at_most_once() -> None:
        with run("my_shards:MyShards", shards=("A", "B")) as shards:
            shards.emit("r0", "A", to="B")
            shards.produce("h0", "A")
            shards.finalise("h0")
            shards.learn("h0", at="B")
            shards.deliver("r0", at="B", under="h0")
            shards.deliver("r0", at="B", under="h0")  # a second time, which must be refused

Each call asks the system and the model, and raises `ViolationError` where they part ways, so a test
fails at the line where it goes wrong, and says so as a story. What is refused as it should be is
no failure. `shardproof show TRACE --format pytest` writes such a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from attrs import define, field

from shardproof_models.stacks import composed, layers_for

from . import selection
from .adapter import AdapterFactory, Topology, capabilities
from .errors import UsageError
from .judge import Wrong
from .moves import move_of
from .oracle import Oracle
from .render import text
from .render.pytest_test import ROOM, honest
from .replay import verbs_of
from .runs import Bench, Recording, made
from .story.telling import in_words
from .trace import Search, Step, Trace, Violation

_WIDTH = 96


class ViolationError(AssertionError):
    """System and model part ways: the message is the story, and `trace` is the run that shows it."""

    def __init__(self, trace: Trace) -> None:
        super().__init__(text.told(trace, _WIDTH, ascii_only=False))
        self.trace = trace


class NotTakenError(AssertionError):
    """A step cannot be taken on this system, so nothing is known of what comes after it."""


def run(
    system: str | AdapterFactory | None,
    shards: Sequence[str] = ("A", "B"),
    *,
    reserve: int = 0,
    steps_max: int = ROOM,
) -> Run:
    """
    A new run of `system`: an adapter's class, or a name as for `--adapter`.

    `reserve` of the shards, the last ones, do not exist at the beginning. Raises `UsageError` if
    there is no such adapter.
    """
    if system is None:
        raise UsageError("on which system?", expected="pytest FILE --shard-adapter NAME")
    adapter = made(selection.system(system).make if isinstance(system, str) else system)
    protocol = composed(layers_for(capabilities(adapter), adapter.stack))
    oracle = Oracle.for_run(protocol, len(shards), 2 * steps_max, reserve=reserve)
    name = system if isinstance(system, str) else adapter.name or type(adapter).__name__
    return Run(name, Bench(adapter, oracle, Topology(tuple(shards), reserve)), steps_max)


@define(eq=False)
class Run:
    """
    A run of one system, step by step.

    Receipts are called `r0`, `r1`, and what a shard emits because of one `answer:r0`; blocks and
    their headers `h0`, `h1`; evidence `r0@h0`, or "none". `damage` is PART:KIND:NUMBER, as in traces.
    """

    name: str
    bench: Bench
    steps_max: int
    _recording: Recording = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._recording = Recording(self.bench)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        try:
            wrong = None if error is not None else self._recording.end()
            if wrong is not None:
                self._fail(wrong)
        finally:
            self.bench.close()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What was done so far, and what was answered."""
        return tuple(self._recording.steps)

    # ---- users, consensus, operators ----------------------------------------------------------------

    def emit(self, receipt: str, source: str, *, to: str, **terms: str | int) -> None:
        """A user of `source` sends a receipt; `terms` are a channel, an amount, a deadline and so on."""
        __tracebackhide__ = True
        self.step("emit", source, receipt=receipt, to=to, **terms)

    def produce(self, header: str, shard: str) -> None:
        """`shard` seals a block, which has `header`."""
        __tracebackhide__ = True
        self.step("produce", shard, header=header)

    def finalise(self, header: str) -> None:
        """Consensus can no longer drop the block."""
        __tracebackhide__ = True
        self.step("finalise", self.bench.topology.shards[0], header=header)

    def revert(self, header: str) -> None:
        """Consensus drops the block, and all after it."""
        __tracebackhide__ = True
        self.step("revert", self.bench.topology.shards[0], header=header)

    def restart(self, shard: str) -> None:
        """`shard` is stopped and started again."""
        __tracebackhide__ = True
        self.step("restart", shard)

    # ---- relayers -----------------------------------------------------------------------------------

    def learn(self, header: str, *, at: str, damage: str | None = None) -> None:
        """A relayer shows a header to the light client at a shard."""
        __tracebackhide__ = True
        self.step("learn", at, header=header, damage=damage)

    def deliver(
        self, receipt: str, *, at: str, under: str, evidence: str | None = None, damage: str | None = None
    ) -> None:
        """A relayer presents a receipt to a shard under a header; without `evidence`, with what proves it."""
        __tracebackhide__ = True
        self.present("deliver", receipt, at=at, under=under, evidence=evidence, damage=damage)

    def acknowledge(
        self, receipt: str, *, at: str, under: str, evidence: str | None = None, damage: str | None = None
    ) -> None:
        """A relayer tells the sender of a receipt that it was executed, or has failed."""
        __tracebackhide__ = True
        self.present("acknowledge", receipt, at=at, under=under, evidence=evidence, damage=damage)

    def time_out(
        self, receipt: str, *, at: str, under: str, evidence: str | None = None, damage: str | None = None
    ) -> None:
        """A relayer tells the sender of a receipt that it has expired."""
        __tracebackhide__ = True
        self.present("time_out", receipt, at=at, under=under, evidence=evidence, damage=damage)

    def present(
        self,
        action: str,
        receipt: str,
        *,
        at: str,
        under: str,
        evidence: str | None = None,
        damage: str | None = None,
        inner: str | None = None,
    ) -> None:
        """Any other action by which a relayer presents a receipt, e.g. "reenter", "nest", "skip"."""
        __tracebackhide__ = True
        shown = honest(receipt, under) if evidence is None else evidence
        self.step(action, at, receipt=receipt, header=under, evidence=shown, damage=damage, inner=inner)

    # ---- anything -----------------------------------------------------------------------------------

    def step(self, action: str, at: str, **args: str | int | None) -> None:
        """
        Any action of a trace, with its arguments; what is `None` is left out.

        Raises `ViolationError` where system and model part ways, `NotTakenError` where what the step
        speaks of is not there, `UsageError` where the system cannot do this or the step makes no sense.
        """
        __tracebackhide__ = True
        number = len(self._recording.steps) + 1
        if number > self.steps_max:
            more = f"run(..., steps_max={2 * self.steps_max})"
            raise UsageError("there is no room for more steps", help=more)
        given = {name: str(value) for name, value in args.items() if value is not None}
        move = move_of(Step(action, at, given), self.bench.topology.shards, f"step {number}: ")
        if missing := sorted(set(verbs_of(move)) - self.bench.lock.able):
            raise UsageError(
                f"the adapter {self.name} cannot take step {number}",
                expected="the capability to " + ", ".join(missing),
                help="a capability is a verb that the adapter overrides: harness/README.md",
            )
        if not self._recording.possible(move):
            raise NotTakenError(
                f"inconclusive: step {number} ({action}) cannot be taken: what it speaks of is not there"
            )
        if (wrong := self._recording.take(move)) is not None:
            self._fail(wrong)

    def _fail(self, wrong: Wrong) -> None:
        __tracebackhide__ = True
        steps, oracle = self.steps, self.bench.oracle
        found = self.bench.named(wrong, self._recording.moves)
        trace = Trace(
            self.name,
            tuple(layer.name for layer in oracle.protocol.layers),
            self.bench.topology.shards,
            found.property,
            found.id,
            found.because,
            steps,
            Violation(len(steps) - 1, found.expected, found.actual, found.clause, found.differs),
            Search("test"),
            reserve=self.bench.topology.reserve,
        )
        raise ViolationError(in_words(trace)) from None
