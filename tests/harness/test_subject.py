"""Protocols of somebody's own are explored like those of the package."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shardproof.cli import main
from shardproof.errors import UsageError
from shardproof.subject import load

OWN = """
from sample_protocols.benchmark import benchmark, benchmark_scope
from shardproof.subject import Subject

protocol, properties = benchmark()
HERE = Subject(protocol, benchmark_scope(2, 3, 2), properties)
NOTHING = 3

def broken():
    protocol, properties = benchmark(2)
    return Subject(protocol, benchmark_scope(2, 2, 2), properties)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module of somebody's own, where the command is run."""
    (tmp_path / "own_protocols.py").write_text(OWN)
    (tmp_path / "own_mistake.py").write_text("1 / 0")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


Explore = Callable[..., tuple[int, dict[str, object]]]


@pytest.fixture
def explore(own: Path, capsys: pytest.CaptureFixture[str]) -> Explore:
    """Runs the command; its exit code, and what it says."""

    def run(*flags: str) -> tuple[int, dict[str, object]]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(["explore", "--json", *flags])
        text = capsys.readouterr().out
        return int(ended.value.code or 0), json.loads(text)

    return run


def test_a_subject_is_explored(explore: Explore) -> None:
    """To the golden counts, with a limit of memory, by two threads."""
    code, said = explore("--protocol", "own_protocols:HERE", "--memory", "100M", "--threads", "2")

    assert (code, said["work"]) == (
        0,
        {"explore": {"worlds": 18_568, "transitions": 174_836, "depth": 23, "cut": 0}},
    )


def test_what_it_violates_is_found(explore: Explore) -> None:
    """A function makes it; two steps break it."""
    code, said = explore("--protocol", "own_protocols:broken")

    findings = said["findings"]
    assert isinstance(findings, list)
    assert code == 1
    assert [(f["property"], f["steps"]) for f in findings] == [("applies-only-what-was-emitted", 2)]


def test_a_stack_is_a_protocol(explore: Explore) -> None:
    """By its name."""
    named = explore("--protocol", "final", "--scope", "receipts=1", "--depth", "3")
    stacked = explore("--stack", "final", "--scope", "receipts=1", "--depth", "3")

    assert named[1]["work"] == stacked[1]["work"]


@pytest.mark.parametrize(
    "name, told",
    [
        ("no_such_module:HERE", "cannot be imported"),
        ("own_mistake:HERE", "ZeroDivisionError"),
        ("own_protocols:HER", "did you mean 'HERE'"),
        ("own_protocols:NOTHING", "is no subject of a search"),
    ],
)
def test_what_is_no_subject_is_an_error(own: Path, name: str, told: str) -> None:
    """And says what it is instead."""
    with pytest.raises(UsageError) as error:
        load(name)

    assert told in str(error.value)


@pytest.mark.parametrize(
    "flags",
    [
        ("--protocol", "final", "--stack", "final"),
        ("--protocol", "own_protocols:HERE", "--scope", "shards=2"),
        ("--protocol", "own_protocols:HERE", "--property", "P01"),
        ("--protocol", "finl"),
    ],
)
def test_what_contradicts_itself_is_a_usage_error(
    own: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...]
) -> None:
    """Exit code 2."""
    with pytest.raises(SystemExit) as ended:
        main(["explore", *flags])

    assert ended.value.code == 2


class TestTraces:
    @pytest.fixture
    def found(self, explore: Explore, own: Path) -> str:
        """The file of what a search of one's own protocol has found."""
        explore("--protocol", "own_protocols:broken", "--out", "found")
        (trace,) = (own / "found").glob("*.trace.json")
        return str(trace)

    def test_are_replayed_by_the_line_that_is_printed(
        self, own: Path, said: Callable[..., tuple[int, str]]
    ) -> None:
        """As it is to be pasted: a search says which protocol it was of."""
        _, told = said("explore", "--protocol", "own_protocols:broken")
        line = told.splitlines()[-1].removeprefix("replay with  shardproof ")

        assert said(*line.split())[0] == 1

    @pytest.fixture
    def said(self, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
        """Runs a command; its exit code, and what it says, wherever."""

        def run(*arguments: str) -> tuple[int, str]:
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main([*arguments])
            captured = capsys.readouterr()
            return int(ended.value.code or 0), captured.out + captured.err

        return run

    def test_are_replayed_where_their_protocol_is_named(
        self, found: str, said: Callable[..., tuple[int, str]]
    ) -> None:
        """Violated on the broken one, refused by the right one, and searched to the shortest."""
        broken = said("replay", found, "--protocol", "own_protocols:broken")
        right = said("replay", found, "--protocol", "own_protocols:HERE")
        shrunk = said("shrink", found, "--protocol", "own_protocols:broken", "--out", "short")

        assert (broken[0], right[0], shrunk[0]) == (1, 0, 1)
        assert "reproduced: applies-only-what-was-emitted is violated at step 2" in broken[1]
        assert broken[1].splitlines()[-1].endswith("trace.json --protocol own_protocols:broken")
        assert "not reproduced: all 2 steps keep it" in right[1]
        assert "no shorter trace shows it; searched: every trace" in shrunk[1]

    def test_are_told_by_it(self, found: str, said: Callable[..., tuple[int, str]]) -> None:
        """With its sentence; without it they are only shown."""
        told = said("show", found, "--protocol", "own_protocols:broken", "--format", "markdown")
        shown = said("show", found, "--format", "markdown")

        assert (told[0], shown[0]) == (0, 0)
        assert "- as a formula: `forall r: Receipt. applied(r) > 0 implies emitted(r)`" in told[1]
        assert "as a formula" not in shown[1]

    def test_need_to_be_told_which(self, found: str, said: Callable[..., tuple[int, str]]) -> None:
        """A file chooses nothing that is run; and systems are judged by their own layers."""
        nowhere = said("replay", found)
        of_a_system = said("replay", found, "--adapter", "reference", "--protocol", "own_protocols:HERE")

        assert (nowhere[0], of_a_system[0]) == (2, 2)
        assert "--protocol module:NAME" in nowhere[1]
        assert "leave --protocol out" in of_a_system[1]
