from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import xmlschema

import answers
from shardproof import cli
from shardproof.commands.kept import GITLAB, JUNIT, NAMES, PAGE, SARIF, SUMMARY
from shardproof.errors import UsageError
from shardproof.files import write
from shardproof.render.summary import schema

#: Published without types.
jsonschema: Any = importlib.import_module("jsonschema")

ADAPTERS = """
from shardproof.adapters.faulty import variant
from shardproof.adapters.reference import ReferenceAdapter


class Twice(variant("no-deduplication")):
    pass


class Raises(ReferenceAdapter):
    def deliver(self, delivery):
        raise RuntimeError("no answer\\n::warning::connection lost")
"""

QUICK = ("--steps", "300", "--seed", "1")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of one's own, with a module of adapters, and no settings from outside."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "mine.py").write_text(ADAPTERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def summary(place: Path) -> Any:
    document = json.loads((place / SUMMARY).read_bytes())
    jsonschema.Draft202012Validator(schema()).validate(document)
    return document


def kinds(place: Path) -> set[str]:
    """The names in a folder, with one word for each trace and for each page of one."""
    return {
        "trace" if p.name.endswith(".trace.json") else p.name if p.name in NAMES else f"page{p.suffix}"
        for p in place.iterdir()
    }


class TestFull:
    def test_a_report_that_cannot_be_written_takes_no_verdict_away(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The story is told and the trace is kept; that the report is missing is said besides."""

        def full(path: Path, data: bytes) -> None:
            if path.name == PAGE and data:
                raise UsageError(f"{path} cannot be written", got="No space left on device")
            write(path, data)

        monkeypatch.setattr("shardproof.files.write", full)

        assert cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK, "--out", "kept"]) == 1

        out, err = capsys.readouterr()
        assert err.splitlines()[-2:] == [
            "error: kept/report.html cannot be written",
            "  got       No space left on device",
        ]
        assert out.splitlines()[-1].startswith("replay with  shardproof replay kept/")

    def test_and_what_holds_is_no_success(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was asked for is not there, so it is exit code 2."""

        def full(path: Path, data: bytes) -> None:
            if data:
                raise UsageError(f"{path} cannot be written")
            write(path, data)

        monkeypatch.setattr("shardproof.files.write", full)

        assert cli.run(["explore", "--stack", "final", "--out", "kept"]) == 2


class TestOut:
    def test_keeps_the_whole_run(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The page, the summary, what machines read, and beside each trace a page, which the first links."""
        assert cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK, "--out", "kept"]) == 1

        place = folder / "kept"
        assert kinds(place) == {PAGE, SUMMARY, JUNIT, GITLAB, SARIF, "trace", "page.html"}
        told = summary(place)
        (trace,) = place.glob("*.trace.json")
        assert (told["verdict"], told["findings"][0]["trace"]) == ("violated", f"kept/{trace.name}")
        assert told["repeat"] == "shardproof fuzz --adapter mine:Twice --steps 300 --seed 1 --out kept"
        beside = place / f"{trace.name.removesuffix('.trace.json')}.html"
        assert f'href="{beside.name}"' in (place / PAGE).read_text("utf-8")
        assert "<title>executes-at-most-once" in beside.read_text("utf-8")
        xmlschema.XMLSchema(Path(answers.__file__).with_name("junit.xsd")).validate(place / JUNIT)
        (entry,) = json.loads((place / GITLAB).read_bytes())
        line = ADAPTERS.splitlines().index('class Twice(variant("no-deduplication")):') + 1
        assert entry["location"] == {"path": "mine.py", "lines": {"begin": line}}
        assert "report    kept/report.html" in capsys.readouterr().out

    def test_keeps_a_run_in_which_everything_holds(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What was checked is worth as much as what was found; a seed that was drawn is in the command."""
        code = cli.run(["fuzz", "--adapter", "reference", "--steps", "300", "--out", "kept", "--json"])

        place = folder / "kept"
        told, printed = summary(place), json.loads(capsys.readouterr().out)
        assert code == printed["exit_code"]
        assert kinds(place) - {SARIF} == {PAGE, SUMMARY, JUNIT, GITLAB}
        assert told["repeat"].endswith(f"--json --seed {told['seed']}")
        assert printed.items() <= told.items()
        assert json.loads((place / GITLAB).read_bytes()) == []

    def test_without_it_there_are_traces_alone(self, folder: Path) -> None:
        """Nobody asked for a report."""
        assert cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK]) == 1

        assert kinds(folder / "shardproof-out") == {"trace"}

    def test_a_folder_from_the_project_is_asked_for_as_well(self, folder: Path) -> None:
        """And the page says where it comes from."""
        (folder / "pyproject.toml").write_text('[tool.shardproof]\nout = "kept"\n')

        cli.run(["fuzz", "--adapter", "reference", *QUICK])

        assert summary(folder / "kept")["set_elsewhere"] == ["out"]

    def test_a_run_that_broke_is_not_the_one_before(self, folder: Path) -> None:
        """The files say that there is no verdict, and none of an earlier run is left."""
        cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK, "--out", "kept"])

        assert cli.run(["fuzz", "--adapter", "mine:Raises", *QUICK, "--out", "kept"]) == 3

        place = folder / "kept"
        assert kinds(place) - {"trace", "page.html"} == {PAGE, SUMMARY, JUNIT}
        assert (summary(place)["verdict"], summary(place)["exit_code"]) == (None, 3)
        assert 'errors="1"' in (place / JUNIT).read_text("utf-8")
        assert "no verdict" in (place / PAGE).read_text("utf-8")

    def test_a_run_that_is_stopped_leaves_nothing_of_the_one_before(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Ctrl-C is no verdict either."""
        cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK, "--out", "kept"])
        monkeypatch.setattr(
            "shardproof.commands.fuzz.fuzzed", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )

        assert cli.run(["fuzz", "--adapter", "reference", *QUICK, "--out", "kept"]) == 4

        assert kinds(folder / "kept") == {"trace", "page.html"}

    def test_a_folder_that_cannot_be_written_is_told_at_once(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Before anything is searched, and nothing is taken away."""
        (folder / "kept").write_text("a file")
        monkeypatch.setattr("shardproof.commands.fuzz.fuzzed", lambda *_: pytest.fail("it was searched"))

        assert cli.run(["fuzz", "--adapter", "reference", *QUICK, "--out", "kept"]) == 2


class TestOnGithub:
    @pytest.fixture(autouse=True)
    def github(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))

    def test_annotates_and_adds_to_the_summary(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """On stderr, because stdout is one JSON object; the summary of other steps stays."""
        (folder / "summary.md").write_text("before\n")

        assert cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK, "--json"]) == 1

        out, err = capsys.readouterr()
        assert json.loads(out)["verdict"] == "violated"
        (line,) = [line for line in err.splitlines() if line.startswith("::")]
        assert line.startswith("::error title=violated%3A executes-at-most-once,file=mine.py,line=6::")
        written = (folder / "summary.md").read_text("utf-8")
        assert written.startswith("before\n## ❌ shardproof fuzz: violated, mine&#58;Twice\n")

    def test_names_files_as_the_repository_does(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A part of a repository is checked from its own folder, and annotated where it is."""
        monkeypatch.setenv("GITHUB_WORKSPACE", str(folder.parent))

        assert cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK, "--out", "kept"]) == 1

        place = f"{folder.name}/mine.py"
        assert f",file={place},line=6::" in capsys.readouterr().err
        (entry,) = json.loads((folder / "kept" / GITLAB).read_bytes())
        assert entry["location"]["path"] == place

    def test_a_run_that_broke_is_annotated(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What foreign code said is no command of its own."""
        assert cli.run(["fuzz", "--adapter", "mine:Raises", *QUICK]) == 3

        err = capsys.readouterr().err
        assert [
            line.partition("::")[2][:5] for line in err.splitlines() if line.lstrip().startswith("::")
        ] == ["error"]
        assert (folder / "summary.md").read_text("utf-8").startswith("## ⚠️ shardproof: no verdict")

    def test_a_summary_that_cannot_be_written_is_no_verdict(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The run says what it found all the same."""
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "missing" / "summary.md"))

        assert cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK]) == 1

        assert "note: no summary of this step" in capsys.readouterr().err

    def test_elsewhere_nothing_of_it(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A terminal shows no commands of a service that it is not."""
        monkeypatch.setenv("GITHUB_ACTIONS", "false")

        assert cli.run(["fuzz", "--adapter", "mine:Twice", *QUICK]) == 1

        assert "::error" not in capsys.readouterr().err
        assert not (folder / "summary.md").exists()
