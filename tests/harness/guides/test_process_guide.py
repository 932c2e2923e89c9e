"""The guide for programs in JavaScript: what it says is done, and what it shows is what one gets."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from shardproof import cli

TOP = Path(__file__).parents[3]
GUIDE = TOP / "harness" / "guides" / "process.md"
TEXT = GUIDE.read_text("utf-8")
SAMPLES = TOP / "tests" / "samples" / "javascript"
ROOTS = os.pathsep.join(str(TOP / root) for root in ("harness", "models", "properties"))

#: The blocks of the guide in order, with the language of each.
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
ADAPTER, FORGE = [block for language, block in BLOCKS if language == "js"]

#: What is the user's own in an adapter: more lines than this, and an hour is too short.
OWN_LINES_MAX = 60

#: The exit codes of what is typed, in order, besides what installs.
CODES = (
    ("shardproof init", 0),
    ("python -m pytest", 0),
    ("shardproof doctor", 0),
    ("shardproof fuzz", 0),
    ("shardproof fuzz", 1),
    ("shardproof replay", 1),
    ("shardproof shrink", 1),
    ("shardproof replay", 0),
    ("shardproof fuzz", 0),
    ("python -m pytest", 0),
    ("python -m pytest", 0),
    ("python -m pytest", 1),
)

needs_node = pytest.mark.skipif(
    shutil.which("node") is None and not os.environ.get("CI"),
    reason="node is not installed: apt-get install nodejs",
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the program, that is worked in."""
    for source in SAMPLES.glob("*.mjs"):
        shutil.copy(source, tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path


def steps() -> Iterator[tuple[str, str]]:
    """What the guide has one do and see, in order: `js` to save, `sh` to type, `text` that was printed."""
    for language, block in BLOCKS:
        if language != "sh":
            yield language, block
            continue
        for line in block.splitlines():
            if "pip install" not in line and "venv" not in line:
                yield language, line


def typed(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and output of a command."""
    program, *arguments = shlex.split(command)
    if program == "shardproof":
        code = cli.run(arguments)
        return code, capsys.readouterr().out
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": ROOTS, "PYTEST_PLUGINS": plugin()},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


def plugin() -> str:
    """The plugin for pytest, where no installed shardproof registers it."""
    known = {point.value for point in entry_points(group="pytest11")}
    return "" if "shardproof.pytest_plugin" in known else "shardproof.pytest_plugin"


def shows(printed: str, block: str) -> bool:
    """Whether a block of the guide stands in what was printed; dots stand for what it leaves out."""
    at = 0
    for part in re.split(r"\.\.\.\n", block):
        at = printed.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return True


def follow(capsys: pytest.CaptureFixture[str], *left_out: str) -> list[tuple[str, int, str]]:
    """Do what the guide says, but for the commands that begin so: each with its exit code and output."""
    done: list[tuple[str, int, str]] = []
    for language, block in steps():
        if language == "js":
            first, below = 'serve("branches", {\n', block
            Path("my_shard.mjs").write_text(
                below if block == ADAPTER else ADAPTER.replace(first, first + below), "utf-8"
            )
        elif language == "text":
            assert shows(done[-1][2], block), f"{done[-1][0]} printed\n{done[-1][2]}\nand not\n{block}"
        elif not block.startswith(left_out):
            done.append((block, *typed(block, capsys)))
    return done


@needs_node
@pytest.mark.heavy
def test_one_gets_the_verdicts_that_the_guide_shows(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The program holds, with a line less it is caught in four steps, and its trace is replayed on both."""
    done = follow(capsys, "python", "shardproof doctor")

    expected = [code for command, code in CODES if not command.startswith(("python", "shardproof doctor"))]
    assert [code for _, code, _ in done] == expected
    reproduced, last = done[3][2], done[-1][2]
    assert "reproduced: executes-at-most-once is violated at step 4" in reproduced
    assert re.search(r"^    forged-receipt +[1-9]", last.partition("what does not apply")[0], re.MULTILINE)


@needs_node
@pytest.mark.deep
def test_every_command_does_what_the_guide_says(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same with what takes longer: doctor, the test that `init` writes, and the suite for pytest."""
    done = follow(capsys)

    assert [code for _, code, _ in done] == [code for _, code in CODES]
    for (command, _, _), (begins, _) in zip(done, CODES, strict=True):
        assert command.startswith(begins)
    assert "4 passed" in done[-3][2]
    assert "violated: executes-at-most-once" in done[-1][2]


def test_an_adapter_is_as_short_as_the_guide_says() -> None:
    """What a user writes, without blank lines."""
    own = sum(1 for line in ADAPTER.splitlines() if line.strip())

    assert own < OWN_LINES_MAX
    assert f"with {own} lines\nof your own" in TEXT


def test_what_is_forgotten_is_one_line() -> None:
    """The program that is found out is the right one, but for what it remembers."""
    right, forgetful = ((SAMPLES / name).read_text("utf-8") for name in ("branches.mjs", "forgetful.mjs"))

    left = [line for line in right.splitlines(keepends=True) if "#seen.add(" not in line]
    assert len(left) == right.count("\n") - 1
    assert "".join(left) == forgetful


def test_the_program_knows_nothing_of_shardproof() -> None:
    """What a team has written does not speak of shards, receipts or verbs."""
    said = (SAMPLES / "branches.mjs").read_text("utf-8").lower()

    assert not [word for word in ("shard", "receipt", "header", "emit", "deliver") if word in said]


def test_what_the_guide_links_to_is_there() -> None:
    """Files, as seen from the guide."""
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", TEXT):
        assert (GUIDE.parent / target).exists(), target
