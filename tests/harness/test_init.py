from __future__ import annotations

import itertools
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shardproof import cli
from shardproof.adapter import REQUIRED, Adapter
from shardproof.commands.context import Context
from shardproof.progress import Progress
from shardproof.templates import TEMPLATES

TOP = Path(__file__).parents[2]
ROOTS = os.pathsep.join(str(TOP / root) for root in ("harness", "models", "properties"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of one's own, and no settings from outside."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_adapter", raising=False)
    (tmp_path / "pyproject.toml").write_text("")
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    """The commands that `init` says to type next."""
    assert cli.run(["init", *arguments]) == 0
    return [line.strip() for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]


class TestWriting:
    def test_says_what_it_wrote_and_what_to_type(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        The files with what each is for, and three commands, the first of which enters the folder.
        """
        assert cli.run(["init", "a b/c"]) == 0

        out = capsys.readouterr().out
        assert out.splitlines()[0].startswith("wrote  a b/c/my_adapter.py ")
        assert [line.strip() for line in out.splitlines() if line.startswith("  ")] == [
            "cd 'a b/c' && python -m pytest test_my_adapter.py",
            "shardproof doctor --adapter my_adapter:MyAdapter",
            "shardproof check --adapter my_adapter:MyAdapter --seconds 30",
        ]
        assert {path.name for path in Path("a b/c").iterdir()} == {"my_adapter.py", "test_my_adapter.py"}

    def test_is_one_object_for_programs(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        With --json, stdout has the same, and the exit code.
        """
        assert cli.run(["init", "--json"]) == 0

        found = json.loads(capsys.readouterr().out)
        assert found["wrote"] == ["my_adapter.py", "test_my_adapter.py"]
        assert found["next"][0] == "python -m pytest test_my_adapter.py"

    def test_overwrites_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        One file that is there is enough for nothing to be written; with --force, all are.
        """
        Path("test_my_adapter.py").write_text("mine")

        assert cli.run(["init"]) == 2
        assert "test_my_adapter.py would be overwritten" in capsys.readouterr().err
        assert not Path("my_adapter.py").exists()
        assert Path("test_my_adapter.py").read_text() == "mine"

        assert cli.run(["init", "--force"]) == 0
        assert Path("test_my_adapter.py").read_text() != "mine"

    @pytest.mark.parametrize(
        "where, said", [("file", "is not a folder"), ("file/below", "cannot be written")]
    )
    def test_a_place_that_is_none_is_a_wrong_command(
        self, where: str, said: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """
        What stands in the way is named, and there is no traceback.
        """
        Path("file").write_text("")

        assert cli.run(["init", where]) == 2
        assert said in capsys.readouterr().err


class TestWhatIsWritten:
    def test_has_a_step_for_each_required_verb(self) -> None:
        """
        Every verb that an adapter must have is there, with its number, in the order in which to fill it in.
        """
        text = TEMPLATES["python"].text("my_adapter.py")

        for number, verb in enumerate(REQUIRED, 1):
            assert f"    def {verb}(" in text
            assert f"        # {number}. " in text.partition(f"    def {verb}(")[2].partition("    def ")[0]

    def test_a_process_has_the_same_steps(self) -> None:
        """
        Its verbs are methods of the same names, with the same numbers, and its greeting has them all.
        """
        text = TEMPLATES["process"].text("my_shard.py")

        for number, verb in enumerate(REQUIRED, 1):
            assert f'        """{number}. ' in text.partition(f"    def {verb}(")[2].partition("    def ")[0]
            assert f'"{verb}"' in text.partition("VERBS = (")[2].partition(")")[0]

    def test_a_process_in_javascript_has_the_same_steps(self) -> None:
        """
        Its verbs are functions of the same names, each below a comment with its number.
        """
        text = TEMPLATES["javascript"].text("my_shard.mjs")

        for number, verb in enumerate(REQUIRED, 1):
            before, _, _ = text.partition(f"\n  {verb}({{" if verb != "close" else "\n  close() {")
            assert f"\n  // {number}. " in before[before.rindex("\n\n" if number > 1 else "verbs = {") :]

    def test_speaks_only_of_verbs_that_there_are(self) -> None:
        """
        The verbs that it recommends are verbs of the seam.
        """
        text = TEMPLATES["python"].text("my_adapter.py").partition("Good ones to begin with")[2]
        named = {
            line.strip("# ").partition("(")[0] for line in text.splitlines() if line.startswith("    #   ")
        }

        assert named == {"learn", "finalise", "revert", "restart", "forge", "snapshot"}
        assert all(hasattr(Adapter, verb) for verb in named)

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_keeps_the_rules_of_this_project(
        self, name: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """
        Lint and layout hold for the copies as for the files of the package, whose types are checked.
        """
        ruff = shutil.which("ruff") or shutil.which("ruff", path=str(Path(sys.executable).parent))
        if ruff is None:
            pytest.skip("ruff is not installed: pip install -e '.[dev]'")
        printed(capsys, f"--{name}")

        for command in (("check",), ("format", "--check")):
            done = subprocess.run(
                [
                    ruff,
                    *command,
                    "--config",
                    str(TOP / "pyproject.toml"),
                    "--config",
                    f'src=["{folder}"]',
                    ".",
                ],
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr


class TestWhatIsPrinted:
    @pytest.mark.heavy
    @pytest.mark.parametrize("name", TEMPLATES)
    def test_the_test_passes(self, name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """
        The first command, as it is printed, in a shell: every test passes at once, on the stub.
        """
        node = shutil.which("node")
        if name == "javascript" and node is None and not os.environ.get("CI"):
            pytest.skip("node is not installed: apt-get install nodejs")
        command, *_ = printed(capsys, "mine", f"--{name}")
        places = [str(Path(program).parent) for program in (sys.executable, node) if program]

        done = subprocess.run(
            ["bash", "-c", command],
            env={"PYTHONPATH": ROOTS, "PATH": os.pathsep.join([*places, "/usr/bin", "/bin"])},
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

        assert done.returncode == 0, done.stdout
        assert "4 passed" in done.stdout

    @pytest.mark.heavy
    def test_the_stub_holds(
        self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        The other two commands, as they are printed: nothing is missing, and a check holds.
        """
        _, *commands = printed(capsys)
        monkeypatch.syspath_prepend(str(folder))
        # Time passes at each look at the clock, so that the work is the same on every machine.
        ticks = itertools.count(0, 0.2)
        context = Context(lambda: next(ticks), Progress(sys.stderr, live=False), lambda: 1)
        monkeypatch.setattr("shardproof.cli._context", lambda: context)

        for command in commands:
            assert cli.run(shlex.split(command.removeprefix("shardproof "))) == 0, capsys.readouterr()

        assert "holds  my_adapter:MyAdapter (prove, explore, fuzz)" in capsys.readouterr().out
