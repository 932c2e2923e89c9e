"""The guide for Solidity systems: what it says is done, with what Foundry and Hardhat leave."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sample_systems.at_hand import skipped_where_missing
from shardproof import cli
from shardproof.adapter import ACCEPTED, Delivery, Execution, Refused, Topology
from shardproof.adapters.evm.extras import abi, curve, revm
from shardproof.loading import load

TOP = Path(__file__).parents[3]
GUIDE = TOP / "harness" / "guides" / "solidity.md"
SAMPLES = TOP / "tests" / "samples" / "solidity"

#: What is the user's own in an adapter: more lines than this, and an afternoon is too short.
OWN_LINES_MAX = 60


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """The evm extra."""
    with skipped_where_missing():
        revm(), abi(), curve()


def blocks(language: str) -> list[str]:
    """The blocks of the guide in one language, in order."""
    return re.findall(
        rf"^```{language}\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def commands() -> list[list[str]]:
    """What the guide has typed, besides what installs."""
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    return [line[1:] for line in lines if line[0] == "shardproof"]


@pytest.fixture(params=["foundry/out", pytest.param("hardhat/artifacts", marks=pytest.mark.deep)])
def project(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A folder with a build and the adapter, as a user would have it, that is worked in."""
    build = SAMPLES / request.param
    shutil.copytree(build, tmp_path / build.name)
    (tmp_path / "outpost_adapter.py").write_text("\n\n".join(blocks("python")), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("outpost_adapter", None)
    yield tmp_path
    sys.modules.pop("outpost_adapter", None)


def said(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and output of a command."""
    with pytest.raises(SystemExit) as ended:
        cli.main([*arguments])
    return int(ended.value.code or 0), capsys.readouterr().out


@pytest.mark.heavy
def test_does_what_the_page_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each command in turn; the contract holds, and the one with a mistake is found out in four steps."""
    doctor, plain, known, forgetful = (said(command, capsys) for command in commands())

    assert doctor[0] == 0
    assert "executes-at-most-once" in doctor[1]
    assert (plain[0], known[0], forgetful[0]) == (0, 0, 1)
    assert re.search(r"^fuzz +holds$", plain[1], re.MULTILINE)
    assert "forged-receipt" in known[1]
    assert "violated  executes-at-most-once" in forgetful[1]
    assert re.search(r"shrunk +from \d+ steps to 4", forgetful[1])
    assert "replay with" in forgetful[1]


def test_either_build_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The adapter of the page finds the contract in what Hardhat leaves as in what Foundry leaves."""
    for build in (SAMPLES / "foundry" / "out", SAMPLES / "hardhat" / "artifacts"):
        folder = tmp_path / build.parent.name
        shutil.copytree(build, folder / build.name)
        (folder / "outpost_adapter.py").write_text("\n\n".join(blocks("python")), encoding="utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.delitem(sys.modules, "outpost_adapter", raising=False)
        adapter = load("outpost_adapter:KnownOutpostAdapter")()
        adapter.open(Topology.of(2))
        receipt, header = adapter.emit("A", "B", b"payload"), adapter.produce("A")
        assert isinstance(receipt, bytes)
        assert isinstance(header, bytes)
        evidence = adapter.prove(receipt, header)
        assert isinstance(evidence, bytes)
        delivery = Delivery("B", receipt, header, evidence)

        assert adapter.deliver(delivery) == ACCEPTED
        assert isinstance(adapter.deliver(delivery), Refused)
        assert adapter.executed("B", 0) == [Execution(b"payload", "A")]


def test_an_adapter_is_short() -> None:
    """What a user writes, without blank lines."""
    adapter, *_ = blocks("python")
    ast.parse(adapter)

    assert sum(1 for line in adapter.splitlines() if line.strip()) < OWN_LINES_MAX


def test_the_page_names_what_there_is() -> None:
    """Files that it links to, and functions of the last table."""
    text = GUIDE.read_text(encoding="utf-8")

    for target in re.findall(r"\]\(([^)]+)\)", text):
        assert (GUIDE.parent / target).exists(), target
