"""The processes in `harness/examples`: each is right, and with one line less it is caught at once."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from shardproof.adapters.process.child import Child
from shardproof.engines.fuzz import Plan, fuzz
from shardproof.loading import load
from shardproof.verdict import Report, Verdict

EXAMPLES = Path(__file__).parents[4] / "harness" / "examples"

#: Makes a command of a source file, in a folder for what comes of it.
Command = Callable[[Path, Path], str]


def javascript(source: Path, folder: Path) -> str:
    """Run by Node.js."""
    return f"node {source}"


def c(source: Path, folder: Path) -> str:
    """Compiled by whatever `cc` is, without a warning."""
    program = folder / source.stem
    flags = ("-std=c11", "-O1", "-Wall", "-Wextra", "-Werror")
    subprocess.run(["cc", *flags, "-o", program, source], check=True)
    return str(program)


def rust(source: Path, folder: Path) -> str:
    """Compiled by `rustc`, without a warning."""
    program = folder / source.stem
    subprocess.run(["rustc", "--edition", "2021", "-D", "warnings", "-o", program, source], check=True)
    return str(program)


#: The source, what it needs, how a command is made of it, and the line without which it does not deduplicate.
LANGUAGES = [
    pytest.param(
        EXAMPLES / "javascript" / "shard.mjs",
        javascript,
        '    if (this.state.consumed.has(key)) return refused("consumed");\n',
        marks=pytest.mark.skipif(shutil.which("node") is None, reason="apt-get install nodejs"),
        id="javascript",
    ),
    pytest.param(
        EXAMPLES / "c" / "shard.c",
        c,
        '    if (shown->consumed) { refused("consumed"); return; }\n',
        marks=pytest.mark.skipif(shutil.which("cc") is None, reason="apt-get install gcc"),
        id="c",
    ),
    pytest.param(
        EXAMPLES / "rust" / "shard.rs",
        rust,
        '        if to.consumed.contains(receipt) { return Err("consumed"); }\n',
        marks=pytest.mark.skipif(shutil.which("rustc") is None, reason="apt-get install rustc"),
        id="rust",
    ),
]

#: As it says in its greeting, by how its source ends.
NAMES = {".mjs": "javascript", ".c": "c", ".rs": "rust"}


def search(command: str, steps: int) -> Report:
    """A short search."""
    ticks = itertools.count()
    return fuzz(load(f"cmd:{command}"), "example", Plan(1, steps=steps), clock=lambda: float(next(ticks)))


@pytest.mark.heavy
@pytest.mark.parametrize("source, command, line", LANGUAGES)
def test_an_example_holds(source: Path, command: Command, line: str, tmp_path: Path) -> None:
    """Whoever copies it begins with something right."""
    report = search(command(source, tmp_path), 1_500)

    assert report.verdict is Verdict.HOLDS, report.reasons


@pytest.mark.parametrize("source, command, line", LANGUAGES[1:2])
def test_what_is_looked_at_travels_with_what_was_asked(
    source: Path, command: Command, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third of all requests, and all that only look, need no journey of their own."""
    sent: list[bytes] = []
    exchange = Child.exchange

    def counted(child: Child, said: bytes, seconds: float) -> bytes:
        sent.append(said)
        return exchange(child, said, seconds)

    monkeypatch.setattr(Child, "exchange", counted)
    search(command(source, tmp_path), 300)

    requests = sum(said.count(b'"verb"') for said in sent)
    assert requests > 1.35 * len(sent)


@pytest.mark.heavy
@pytest.mark.parametrize("source, command, line", LANGUAGES)
def test_without_its_deduplication_it_executes_twice_in_six_steps(
    source: Path, command: Command, line: str, tmp_path: Path
) -> None:
    """Emit, produce, finalise, learn, deliver, deliver: through a process a trace is as short as without."""
    text = source.read_text("utf-8")
    assert text.count(line) == 1
    faulty = tmp_path / f"faulty{source.suffix}"
    # What it imports stays where it is.
    faulty.write_text(text.replace(line, "").replace("../../", f"{EXAMPLES.parent.as_posix()}/"), "utf-8")

    report = search(command(faulty, tmp_path), 400)

    found = {finding.id: finding for finding in report.findings}
    assert report.verdict is Verdict.VIOLATED
    assert found["P01"].trace.versions[NAMES[source.suffix]] == "1"
    assert [step.action for step in found["P01"].trace.steps] == [
        "emit",
        "produce",
        "finalise",
        "learn",
        "deliver",
        "deliver",
    ]
