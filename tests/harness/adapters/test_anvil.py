"""Anvil behind the seam: it answers what the first engine answers, and leaves nothing behind."""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from shardproof.adapters.evm import chain as chain_module
from shardproof.adapters.evm.anvil import AnvilEngine
from shardproof.adapters.evm.chain import SENDER, Chain, Moment
from shardproof.adapters.evm.engine import PyrevmEngine, RevertError
from shardproof.adapters.evm.interface import Interface
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.errors import AdapterError
from shardproof.loading import load
from shardproof.verdict import Report

from .test_evm import CLOCK, COUNTER, FORGETFUL, creation

pytestmark = pytest.mark.needs("anvil")

T = TypeVar("T")

ENGINES = (PyrevmEngine, AnvilEngine)

#: Returns the time of its block.
TIME = bytes.fromhex("425f5260205ff3")


class Twins:
    """The same chain on both engines, asked the same."""

    def __init__(self) -> None:
        self.chains = [Chain(7, engine) for engine in ENGINES]
        self.counter = self.both(lambda chain: chain.create(creation(COUNTER)))
        self.clock = self.both(lambda chain: chain.create(creation(CLOCK)))
        self.time = self.both(lambda chain: chain.create(creation(TIME)))
        self.both(Chain.seal)

    def both(self, do: Callable[[Chain], T]) -> T:
        """What both answer; an error if they do not agree."""
        first, second = (do(chain) for chain in self.chains)
        assert first == second
        return first

    @property
    def state(self) -> tuple[bytes, ...]:
        """Value, block and time."""
        asked = (self.counter, self.clock, self.time)
        return self.both(lambda chain: tuple(chain.call(address, b"") for address in asked))

    def add(self, number: int) -> object:
        """What was logged, or why not."""

        def sent(chain: Chain) -> object:
            try:
                return chain.send(self.counter, number.to_bytes(32))
            except RevertError as reverted:
                return (reverted.output, reverted.halt)

        return self.both(sent)

    def close(self) -> None:
        for chain in self.chains:
            chain.close()


def test_answers_like_the_first_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whatever is sent, refused, waited for, snapshot and restored, both chains say the same.

    With room for three checkpoints, and an engine replaced after eighty calls.
    """
    monkeypatch.setattr(chain_module, "CHECKPOINTS_MAX", 3)
    monkeypatch.setattr(chain_module, "ENGINE_CALLS_MAX", 80)
    twins, choose = Twins(), random.Random(1)
    taken: list[tuple[list[Moment], tuple[bytes, ...]]] = []
    for _ in range(250):
        match choose.choice(("add", "add", "refuse", "wait", "snapshot", "restore")):
            case "add":
                twins.add(choose.randint(1, 9))
            case "refuse":
                assert twins.add(0) == (b"", "")
            case "wait":
                for chain in twins.chains:
                    chain.wait(86_400)
            case "snapshot":
                taken.append(([chain.snapshot() for chain in twins.chains], twins.state))
            case "restore" if taken:
                moments, state = choose.choice(taken)
                for chain, moment in zip(twins.chains, moments, strict=True):
                    chain.restore(moment)
                assert twins.state == state
    twins.close()

    assert len(taken) > 20


def test_clears_transient_storage_and_names_what_stopped_it() -> None:
    """What the first engine must be told, this one does by itself; and a stopped machine says why."""
    engine = AnvilEngine(1)
    forgetful = engine.deploy(SENDER, creation(FORGETFUL))
    broken = engine.deploy(SENDER, creation(b"\xfe"))

    answers = [engine.call(SENDER, forgetful, b"", static=False) for _ in range(2)]
    with pytest.raises(RevertError) as stopped:
        engine.call(SENDER, broken, b"", static=False)
    engine.close()

    assert answers == [bytes(32), bytes(32)]
    assert Interface.of([]).reason(stopped.value) == "InvalidFEOpcode"


def test_says_so_when_it_is_gone() -> None:
    """A chain whose process has ended is an error, and not a refusal of a contract."""
    engine = AnvilEngine(1)
    engine.close()
    engine.close()

    with pytest.raises(AdapterError, match="anvil does not answer"):
        engine.checkpoint()


def test_ends_with_the_process_that_started_it() -> None:
    """Also where that one is killed and can clean up nothing."""
    ask = (
        "import sys, time; from shardproof.adapters.evm.anvil import AnvilEngine; e = AnvilEngine(1);"
        "print(e._process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", ask],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    assert parent.stdout is not None
    group = int(parent.stdout.readline())
    alive = members(group)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()

    for _ in range(200):
        if not members(group):
            break
        time.sleep(0.05)

    assert len(alive) >= 2
    assert members(group) == []


def members(group: int) -> list[str]:
    """The processes of a group that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, _, of, *_ = rest.split()
        if int(of) == group and state != "Z":
            found.append(stat.parent.name)
    return found


@pytest.mark.heavy
def test_gives_the_verdict_of_the_first_engine() -> None:
    """The same search of Hyperlane's contracts, step for step."""

    def searched(name: str) -> Report:
        ticks = itertools.count()
        return fuzz(load(name), name, Plan(3, steps=400), clock=lambda: float(next(ticks)))

    first, second = searched("hyperlane"), searched("hyperlane:anvil")

    assert (first.verdict, first.work) == (second.verdict, second.work)
    assert first.tables == second.tables
