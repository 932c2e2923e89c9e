"""A process and all that it has started end with the harness, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shardproof.adapter import Topology
from shardproof.adapters.process import child as child_module
from shardproof.adapters.process.child import Child, Silence, SilencedError
from shardproof.adapters.process.command import words
from shardproof.errors import AdapterError, MissingPartError, UsageError
from shardproof.loading import load

HOSTILE = Path(__file__).parents[3] / "samples" / "sample_systems" / "hostile_process.py"

PYTHON = (sys.executable, "-I", "-S", "-c")

#: Says how it is called, starts a process that holds its pipes, and then says back what it hears.
PARENT = """
import os, subprocess, sys
kept = subprocess.Popen([sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"])
print(os.getcwd(), kept.pid, flush=True)
for line in sys.stdin:
    print(line, end="", flush=True)
"""


def lives(process: int) -> bool:
    """Whether there is such a process that is more than a zombie; soon, because signals take their time."""
    for _ in range(200):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state == "Z":
            return False
        time.sleep(0.01)
    return True


def test_it_ends_with_its_children_and_its_folder() -> None:
    """A child that holds the pipes keeps nobody waiting."""
    child = Child((*PYTHON, PARENT))
    folder, kept = child.exchange(b"", 10).decode().rsplit(" ", 1)
    assert Path(folder).is_dir()

    child.end(kindly=True)

    assert not Path(folder).exists()
    assert not lives(int(kept))
    assert not lives(child.process_id)


def test_it_finds_what_it_was_given() -> None:
    """Its folder is filled before it starts, and goes with all that is in it, also where that fails."""
    folders = []

    def furnish(folder: Path) -> None:
        folders.append(folder)
        (folder / "given").mkdir()
        (folder / "given" / "it").write_text("here")

    def fail(folder: Path) -> None:
        furnish(folder)
        raise MissingPartError("no such part")

    child = Child((*PYTHON, "print(open('given/it').read(), flush=True); input()"), furnish)
    assert child.exchange(b"", 10) == b"here"
    child.end(kindly=True)
    with pytest.raises(MissingPartError, match="no such part"):
        Child((*PYTHON, "input()"), fail)

    assert len(folders) == 2
    assert not any(folder.exists() for folder in folders)


def test_a_forgotten_process_ends_too() -> None:
    """Nobody has to remember to close an adapter."""
    child = Child((*PYTHON, PARENT))
    kept = int(child.exchange(b"", 10).decode().rsplit(" ", 1)[1])
    number = child.process_id

    del child

    assert not lives(number)
    assert not lives(kept)


@pytest.mark.parametrize("size", [1, 4095, 4096, 4097, 70_000, 1 << 20])
def test_lines_of_any_length_come_back_whole(size: int) -> None:
    """Longer than a pipe holds, in both directions, with one who writes while we write."""
    child = Child((*PYTHON, PARENT))
    child.exchange(b"", 10)
    line = b"x" * size

    assert child.exchange(line + b"\n", 20) == line
    assert child.exchange(b"next\n", 20) == b"next"

    child.end(kindly=True)


def test_two_lines_at_once_are_two() -> None:
    """The second one waits, and is the answer to what comes next: which is how it is noticed."""
    child = Child((*PYTHON, PARENT))
    child.exchange(b"", 10)

    assert child.exchange(b"one\ntwo\n", 10) == b"one"
    assert child.exchange(b"three\n", 10) == b"two"

    child.end(kindly=False)


def test_one_that_never_reads_is_told_from_one_that_never_answers() -> None:
    """A request that does not even leave has another cause."""
    child = Child((*PYTHON, "import time; time.sleep(600)"))

    with pytest.raises(SilencedError) as deaf:
        child.exchange(b"x" * (1 << 20) + b"\n", 0.2)

    assert deaf.value.why is Silence.DEAF
    child.end(kindly=False)


#: Answers 1, after more noise than a pipe holds.
NOISY = """
import sys
for line in sys.stdin:
    sys.stderr.write("n" * 300_000 + "the end")
    print(1, flush=True)
"""


def test_what_it_says_on_stderr_is_bounded() -> None:
    """Only the end is kept, and it never stops a process from answering."""
    child = Child((*PYTHON, NOISY))

    for _ in range(3):
        assert child.exchange(b"x\n", 10) == b"1"

    said = child.stderr()
    assert said.endswith("the end")
    assert len(said) <= child_module.STDERR_BYTES
    child.end(kindly=True)


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    """A script without its first line, for example."""
    script = tmp_path / "script"
    script.write_text("print()")
    script.chmod(0o755)

    with pytest.raises(AdapterError, match="the process cannot be started"):
        load(f"cmd:{script}")


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc to look at")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_harness_that_is_ended_leaves_nothing(how: signal.Signals, tmp_path: Path) -> None:
    """A job that runs out of time is ended by SIGTERM, one that runs out of memory by SIGKILL."""
    name = f"cmd:{sys.executable} -I -S {HOSTILE} hang:deliver"
    command = [sys.executable, "-c", "from shardproof.cli import main; main()"]
    harness = subprocess.Popen(
        [*command, "fuzz", "--adapter", name, "--steps", "300", "--call-seconds", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(tmp_path)},
    )
    # The first is only asked what it can do; the one that stays is in the middle of an answer.
    found, same = children(harness.pid), 0
    for _ in range(2000):
        before, found = found, children(harness.pid)
        same = same + 1 if found and found == before else 0
        if same > 20:
            break
        time.sleep(0.02)
    assert found

    harness.send_signal(how)
    harness.communicate(timeout=30)

    assert harness.returncode == (4 if how is signal.SIGTERM else -how)
    assert not any(lives(process) for process in found)
    assert not any(tmp_path.iterdir())


def children(process: int) -> list[int]:
    """The children of a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == process:
            found.append(int(folder.name))
    return found


# ---- the command -------------------------------------------------------------------------------------


def test_words_that_name_files_are_made_absolute(tmp_path: Path) -> None:
    """A process works elsewhere, and still finds what its caller named."""
    (tmp_path / "shard").write_text("#!/bin/sh\n")
    (tmp_path / "shard").chmod(0o755)
    (tmp_path / "my data").mkdir()

    found = words("./shard 'my data' --data='my data' --no=such -v . other", tmp_path)

    assert found == (
        f"{tmp_path}/shard",
        f"{tmp_path}/my data",
        f"--data={tmp_path}/my data",
        "--no=such",
        "-v",
        ".",
        "other",
    )


@pytest.mark.parametrize(
    "command, said",
    [
        ("", "cannot be read"),
        ("   ", "cannot be read"),
        ("'half", "cannot be read"),
        ("./nowhere", "no such program"),
        ("surely-not-a-program", "no such program"),
        ("here", "write cmd:./here"),
        ("./here", "may not be executed"),
    ],
)
def test_a_command_that_is_none_is_a_mistake_in_the_command(command: str, said: str, tmp_path: Path) -> None:
    """Exit code 2, not 3: nothing was run."""
    (tmp_path / "here").write_text("data")

    with pytest.raises(UsageError) as error:
        words(command, tmp_path)

    assert said in str(error.value)
    assert not isinstance(error.value, AdapterError)


def test_a_verb_before_open_is_refused_without_a_process() -> None:
    """A process is started by open."""
    adapter = load(f"cmd:{sys.executable} -I -S {HOSTILE}")()

    with pytest.raises(UsageError, match="before open"):
        adapter.produce("A")
    adapter.close()
    adapter.open(Topology.of(2))
    adapter.close()
    adapter.close()
