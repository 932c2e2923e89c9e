"""
The same search as a Hypothesis `RuleBasedStateMachine`, for people who want it in their own suite.

    TestMyShards = state_machine(MyAdapter).TestCase

Hypothesis runs, shrinks and stores it like any other test. It is several times slower than
the `fuzz` engine and its traces are longer, which is why that engine exists; what it finds
it reports the same way, one exception class a property.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from shardproof_models.stacks import composed, layers_for

from .adapter import AdapterFactory, Topology, capabilities
from .lockstep import Wrong
from .moves import Move
from .oracle import Oracle
from .runs import Bench, made
from .schedule import Schedule
from .traffic import Dice

NUMBERS = st.integers(0, 2**48 - 1)


class ViolationError(AssertionError):
    """A property is violated; `moves` is the run that shows it."""

    def __init__(self, wrong: Wrong, moves: tuple[Move, ...]) -> None:
        lines = (
            f"{wrong.property}: {wrong.because}",
            f"  {wrong.differs}",
            f"  expected {wrong.expected}, got {wrong.actual}",
        )
        super().__init__("\n".join(lines))
        self.wrong = wrong
        self.moves = moves


def violation(wrong: Wrong) -> type[ViolationError]:
    """One exception class a property: Hypothesis would merge two bugs that raise the same one."""
    known = _CLASSES.get(wrong.property)
    if known is None:
        known = _CLASSES[wrong.property] = type(wrong.property.replace("-", "_"), (ViolationError,), {})
    return known


_CLASSES: dict[str, type[ViolationError]] = {}


def state_machine(make: AdapterFactory, shards: int = 3, steps_max: int = 200) -> type[RuleBasedStateMachine]:
    """A state machine over new systems from `make`: use `.TestCase`, or `run_state_machine_as_test`."""
    adapter = made(make)
    layers = layers_for(capabilities(adapter), adapter.stack)
    oracle = Oracle.for_run(composed(layers), shards, steps_max)

    class Machine(RuleBasedStateMachine):
        """Honest traffic, the environment, and attacks."""

        def __init__(self) -> None:
            super().__init__()
            self.bench = Bench.of(make, oracle, Topology.of(shards))
            self.schedule = Schedule(self.bench.lock, {})
            self.moves: list[Move] = []

        def take(self, move: Move | None) -> None:
            """Take a move if it is possible, and judge what comes of it."""
            lock = self.bench.lock
            if move is None or not lock.possible(move):
                return
            self.moves.append(move)
            wrong = lock.run(move)
            if wrong is not None:
                wrong = self.bench.named(wrong, self.moves)
                raise violation(wrong)(wrong, tuple(self.moves))
            self.schedule.note(move)

        @rule(number=NUMBERS)
        def advance(self, number: int) -> None:
            """An honest relayer does the next thing for some receipt."""
            self.take(self.schedule.advance(Dice(number)))

        @rule(number=NUMBERS)
        def environment(self, number: int) -> None:
            """Users send, consensus moves, shards restart."""
            self.take(self.schedule.environment(Dice(number)))

        @precondition(lambda self: self.moves)
        @rule(number=NUMBERS)
        def attack(self, number: int) -> None:
            """An adversary tries something."""
            self.take(self.schedule.attack(Dice(number)))

        def teardown(self) -> None:
            """Look at every shard once more, and release the system."""
            wrong = self.bench.lock.sweep()
            self.bench.close()
            if wrong is not None:
                raise violation(wrong)(wrong, tuple(self.moves))

    return Machine
