"""The contract on another machine: the same verdicts, receipts, proofs and states, to the byte."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from sample_systems.at_hand import skipped_where_missing
from sample_systems.honest_relayer import emitted, produced, proved
from shardproof.adapter import (
    ACCEPTED,
    Adapter,
    AdapterFactory,
    Delivery,
    Execution,
    Refused,
    Topology,
    capabilities,
)
from shardproof.adapters.process import ProcessAdapter, adapter_of
from shardproof.adapters.tvm import sandbox
from shardproof.adapters.tvm.system import REASONS, TvmAdapter, variant
from shardproof.engines.differ import Plan as DifferPlan
from shardproof.engines.differ import differ
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.errors import AdapterError, MissingPartError, UsageError
from shardproof.loading import load
from shardproof.parts import PARTS, located
from shardproof.verdict import Report, Verdict

from .test_tvm import HAS_WHEEL

PROGRAM = Path(sandbox.__file__).with_suffix(".mjs")

#: Property -> the length of the shortest trace that shows it: sent, sealed, delivered, delivered.
EXPECTED: dict[str, dict[str, int]] = {"sandbox": {}, "sandbox-forgetful": {"executes-at-most-once": 4}}

#: Lets nobody ask for a clock or dice of this machine, and says at the end which files a program has loaded.
LOADED = """
const { _cache } = require("node:module");
const crypto = require("node:crypto");
const never = (home, ...names) => names.forEach((name) => {
  const value = () => { throw new Error(name); };
  Object.defineProperty(home, name, { value, writable: true, configurable: true });
});
[Date, performance].forEach((clock) => never(clock, "now"));
never(Math, "random");
never(crypto.webcrypto, "getRandomValues");
never(crypto, "randomFillSync", "randomBytes", "randomFill", "randomUUID");
process.on("exit", () => process.stdout.write(JSON.stringify(Object.keys(_cache))));
"""


@pytest.fixture(scope="module", autouse=True)
def packages() -> None:
    """The packages, and what runs them. Where nobody looks at what was skipped, missing one is a failure."""
    if shutil.which("node") is None and not os.environ.get("CI"):
        pytest.skip("Node.js is not on this machine")
    with skipped_where_missing():
        for part in sandbox.PACKAGES:
            located(part)


@pytest.fixture(scope="module")
def make(packages: None) -> AdapterFactory:
    """The adapter, which is asked only once what it can do."""
    return variant("sandbox")


@pytest.fixture(scope="module")
def process(make: AdapterFactory) -> Iterator[Adapter]:
    """One process for all tests."""
    adapter = make()
    yield adapter
    adapter.close()


@pytest.fixture
def system(process: Adapter) -> Adapter:
    """It begins anew."""
    process.open(Topology.of(3))
    return process


@pytest.fixture
def twin() -> Iterator[TvmAdapter]:
    """The machine that is compared with."""
    try:
        adapter = TvmAdapter()
    except MissingPartError as missing:
        if os.environ.get("CI") and HAS_WHEEL:
            raise
        pytest.skip(str(missing))
    adapter.open(Topology.of(3))
    yield adapter
    adapter.close()


def same(system: Adapter, twin: Adapter, verb: str, *arguments: object) -> Any:
    """What both answer to the same, if it is the same."""
    said, expected = (getattr(one, verb)(*arguments) for one in (system, twin))
    assert said == expected, verb
    return said


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]


class TestAgreement:
    def test_is_in_every_byte(self, system: Adapter, twin: TvmAdapter) -> None:
        """
        Receipts, headers, proofs, states and effects are those of the machine in process.
        """
        both = partial(same, system, twin)
        payloads = [b"", b"\0", b"\x00 not text \xff", b"x" * 127, *(b"%d" % i for i in range(4))]
        assert both("produce", "A") == Refused("nothing was ever sent")
        assert both("emit", "A", "B", b"x" * 128) == Refused("the payload does not fit into a cell")
        receipts = [both("emit", "A", "BC"[i % 2], payload) for i, payload in enumerate(payloads)]
        header = both("produce", "A")
        assert both("produce", "A") != header

        for i, receipt in enumerate(receipts):
            to = "BC"[i % 2]
            delivery = Delivery(to, receipt, header, both("prove", receipt, header))
            assert both("deliver", delivery) == ACCEPTED
            assert both("deliver", delivery) == Refused("executed before")
            both("restart", to)

        for i, shard in enumerate("ABC"):
            both("state_root", shard)
            for since in (0, 1, 9):
                effects = [Execution(payload, "A") for payload in payloads[i - 1 :: 2]] if i else []
                assert list(system.executed(shard, since)) == list(twin.executed(shard, since))
                assert list(system.executed(shard, since)) == effects[since:]

    def test_is_in_what_is_refused(self, system: Adapter, twin: TvmAdapter) -> None:
        """
        Whatever an adversary changes, both refuse it, and where the contract says why, they say the same.
        """
        both = partial(same, system, twin)
        receipt = both("emit", "A", "B", b"payload")
        both("emit", "A", "B", b"other")
        both("emit", "C", "B", b"foreign")
        late = both("forge", "A", "B", b"mint")
        header, foreign = both("produce", "A"), both("produce", "C")
        delivery = Delivery("B", receipt, header, both("prove", receipt, header))

        for changed in (
            evolve(delivery, destination="C"),
            evolve(delivery, receipt=late),
            evolve(delivery, receipt=b"\0\0\0\2" + receipt[4:]),
            evolve(delivery, receipt=receipt[:8]),
            evolve(delivery, receipt=receipt + b"x" * 128),
            evolve(delivery, header=foreign),
            evolve(delivery, header=b""),
            evolve(delivery, header=b"\0\0\0\x07" + header[4:]),
            evolve(delivery, header=foreign[:4] + header[4:]),
            evolve(delivery, evidence=twin._cell(receipt).to_boc()),
            evolve(delivery, evidence=b""),
            evolve(delivery, evidence=delivery.evidence[:-1]),
            # A proof of other cells than it says, which is no cell at all.
            evolve(delivery, evidence=delivery.evidence.replace(b"payload", b"PAYLOAD")),
            *(evolve(delivery, header=flipped(header, i)) for i in range(0, len(header), 7)),
            *(evolve(delivery, receipt=flipped(receipt, i)) for i in range(len(receipt))),
        ):
            said, expected = system.deliver(changed), twin.deliver(changed)
            assert isinstance(said, Refused)
            assert isinstance(expected, Refused)
            assert said == expected or expected.reason not in REASONS.values()

        none = Refused("this header does not commit to this receipt")
        for claimed, shown in ((late, header), (receipt, foreign), (receipt, b""), (b"", header)):
            assert both("prove", claimed, shown) == none
        assert both("deliver", delivery) == ACCEPTED


class TestSnapshots:
    def test_return_everything_at_any_time(self, system: Adapter) -> None:
        """
        Accounts, and what was signed, are those of the snapshot, in any order.
        """
        receipt = emitted(system, "A", "B", b"payload")
        before = system.snapshot()
        delivery = proved(system, "B", receipt, produced(system, "A"))
        assert system.deliver(delivery) == ACCEPTED
        after = system.snapshot()

        system.restore(before)
        assert list(system.executed("B", 0)) == []
        assert isinstance(system.prove(receipt, delivery.header), Refused)
        system.restore(after)
        assert system.deliver(delivery) == Refused("executed before")

    def test_of_other_shards_are_refused(self, system: Adapter) -> None:
        """
        A snapshot means nothing to shards that it was not taken of.
        """
        token = system.snapshot()
        system.open(Topology.of(2))

        with pytest.raises(AdapterError, match="unsupported"):
            system.restore(token)


class TestPackages:
    def test_are_all_that_is_loaded(self, tmp_path: Path) -> None:
        """
        What is loaded is from a checked archive, and none is there in vain; and no clock or dice are asked.
        """
        sandbox._furnish("it", True, tmp_path)
        (tmp_path / "loaded.cjs").write_text(LOADED)
        asked = (
            {"id": 1, "verb": "open", "topology": {"shards": ["A"], "reserve": 0}},
            {"id": 2, "verb": "emit", "source": "A", "destination": "A", "payload": "00"},
            {"id": 3, "verb": "close"},
        )
        node = shutil.which("node")
        assert node is not None

        done = subprocess.run(
            [node, "--require", "./loaded.cjs", PROGRAM],
            cwd=tmp_path,
            input="".join(f"{json.dumps(one)}\n" for one in asked),
            capture_output=True,
            text=True,
            check=True,
        )

        *said, loaded = done.stdout.splitlines()
        assert [json.loads(one) for one in said] == [
            {"id": 1, "ok": None},
            {"id": 2, "ok": f"{16 * '00'}00"},
            {"id": 3, "ok": None},
        ]
        home = tmp_path.resolve() / "node_modules"
        paths = [Path(path).relative_to(home) for path in json.loads(loaded) if "loaded.cjs" not in path]
        owners = {"/".join(path.parts[: 2 if path.parts[0].startswith("@") else 1]) for path in paths}
        assert owners == {part.package for part in sandbox.PACKAGES}

    def test_that_are_missing_are_named(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        Without a package, or without Node.js, there is something to do, and no process is started.
        """
        with monkeypatch.context() as bare:
            bare.setenv("PATH", str(tmp_path))
            with pytest.raises(MissingPartError, match=r"Node\.js is needed"):
                load("tvm:sandbox")
        monkeypatch.setenv("SHARDPROOF_CACHE", str(tmp_path))
        with pytest.raises(MissingPartError, match=r"@ton/sandbox 0\.41\.0 is not on this machine") as caught:
            load("tvm:sandbox-forgetful")

        assert dict(caught.value.facts)["help"] == "run: shardproof doctor --fetch"

    def test_are_unpacked_from_what_was_checked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: AdapterFactory
    ) -> None:
        """
        A process that starts after an archive was damaged does not start.
        """
        archive = located(PARTS["jssha"])
        (tmp_path / "parts").mkdir()
        for part in sandbox.PACKAGES:
            (tmp_path / "parts" / part.filename).symlink_to(located(part))
        damaged = tmp_path / "parts" / archive.name
        damaged.unlink()
        damaged.write_bytes(archive.read_bytes() + b"\0")
        monkeypatch.setenv("SHARDPROOF_CACHE", str(tmp_path))

        with pytest.raises(MissingPartError, match=r"jssha 3\.2\.0 is damaged"):
            make().open(Topology.of(2))


class TestVariants:
    def test_have_names(self, make: AdapterFactory) -> None:
        """
        A slip is told, and both can what the machine in process can.
        """
        with pytest.raises(UsageError, match="no variant 'sandbocks'") as caught:
            variant("sandbocks")

        assert dict(caught.value.facts)["help"] == "did you mean 'sandbox'?"
        assert isinstance(make, type)
        assert issubclass(make, ProcessAdapter)
        assert make.name == "tvm:sandbox"
        assert capabilities(make()) == {"restart", "state_root", "forge", "snapshot", "restore"}


def searched(make: AdapterFactory, seed: int, steps: int) -> Report:
    """One search, as `shardproof fuzz` would do it."""
    return fuzz(make, "it", Plan(seed, steps=steps), clock=lambda: 0.0)


def found(report: Report) -> dict[str, int]:
    """Each property that is violated, and how long its trace is."""
    return {finding.property: len(finding.trace.steps) for finding in report.findings}


@pytest.mark.heavy
def test_a_forgetful_contract_is_caught() -> None:
    """
    Without its dictionary, a receipt is executed twice: a search finds it as it finds it in process.
    """
    report = searched(variant("sandbox-forgetful"), 1, 15)

    assert found(report) == EXPECTED["sandbox-forgetful"]
    assert report.verdict is Verdict.VIOLATED


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("name", EXPECTED)
def test_verdicts_do_not_depend_on_the_seed(name: str, seed: int) -> None:
    """
    Held by a contract that remembers, violated by one that does not: five seeds of five.
    """
    report = searched(variant(name), seed, 600)

    assert found(report) == EXPECTED[name]
    assert report.verdict is (Verdict.VIOLATED if EXPECTED[name] else Verdict.HOLDS)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(1, 6))
def test_both_machines_do_the_same(seed: int, twin: TvmAdapter, make: AdapterFactory) -> None:
    """
    Asked the same, they part only where damaged bytes still say the same: each library reads over others.
    """
    report = differ(
        (("tvm", TvmAdapter), ("sandbox", make)), DifferPlan(seed, steps=1_000), clock=lambda: 0.0
    )

    assert set(found(report)) <= {"agree-on-deliver-of-damaged-bytes"}


@pytest.mark.deep
@pytest.mark.parametrize(
    "line, broken, violated",
    [
        # Whoever sent it, the effect is in the name of the first shard.
        ("nameOf(value.loadUint(32))", "nameOf(0 * value.loadUint(32))", "executes-only-what-was-emitted"),
        # Each receipt says that it is the first of its shard: no other can be proved.
        (
            "ok(receiptOf(shards.get(source).number, to, sent,",
            "ok(receiptOf(shards.get(source).number, to, 0n,",
            "delivers-what-is-due",
        ),
    ],
)
def test_a_mistake_in_the_program_is_noticed(line: str, broken: str, violated: str, tmp_path: Path) -> None:
    """
    The translation is checked like the rest: a program that says something else is caught.
    """
    text = PROGRAM.read_text()
    assert text.count(line) == 1
    program = tmp_path / PROGRAM.name
    program.write_text(text.replace(line, broken))
    node = shutil.which("node")
    assert node is not None

    report = searched(adapter_of((node, str(program)), furnish=partial(sandbox._furnish, "it", True)), 1, 300)

    assert violated in found(report)
