from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shardproof import cli, model_replay, trace_file
from shardproof.adapter import REQUIRED
from shardproof.engines.explore import explore
from shardproof.observable import OBSERVABLE
from shardproof.readings.scopes import scope_of
from shardproof.schedule import Schedule
from shardproof.trace import Trace
from shardproof_models.language.protocol import Protocol
from shardproof_models.stacks import stack

TOP = Path(__file__).parents[2]

#: Enough to find what is wrong with a faulty shard, and the same work on every machine.
QUICK = ("--steps", "3000", "--seed", "1")

ADAPTERS = """
import itertools
import os
import sys

from shardproof.adapter import Adapter, Refused
from shardproof.adapters.faulty import FAULTS
from shardproof.adapters.reference import ReferenceAdapter
from shardproof.adapters.watermark import WatermarkAdapter


class Raises(ReferenceAdapter):
    def deliver(self, delivery):
        raise RuntimeError("connection lost")


class Nonsense(ReferenceAdapter):
    def deliver(self, delivery):
        return "ok"


class Forgets(Adapter):
    def open(self, topology):
        pass


class Prints(ReferenceAdapter):
    def deliver(self, delivery):
        print("DEBUG delivered")
        return super().deliver(delivery)


class PrintsWhenMade(ReferenceAdapter):
    def __init__(self):
        print("hello")


class RaisesWhenMade(ReferenceAdapter):
    def __init__(self):
        raise OSError("no licence")


class Changes(ReferenceAdapter):
    count = itertools.count()

    def deliver(self, delivery):
        return Refused("busy") if next(Changes.count) % 7 == 3 else super().deliver(delivery)


class AcceptsNoEmit(ReferenceAdapter):
    def emit(self, source, destination, payload):
        return Refused("closed")


class Interrupted(ReferenceAdapter):
    def deliver(self, delivery):
        raise KeyboardInterrupt


class TwiceAndThenBroken(FAULTS["no-deduplication"].factory):
    calls = itertools.count()

    def prove(self, receipt, header):
        if next(self.calls) > 700:
            raise RuntimeError("connection lost")
        return super().prove(receipt, header)


class TwiceAndElsewhere(FAULTS["no-deduplication"].factory):
    def open(self, topology):
        os.chdir("/")
        super().open(topology)


class NoRevert(ReferenceAdapter):
    learn, revert = Adapter.learn, Adapter.revert


class NeverReverts(WatermarkAdapter):
    revert = Adapter.revert


class NotAnAdapter:
    pass


something = 3
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of one's own, with a module of adapters, and no settings from outside."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "mine.py").write_text(ADAPTERS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    return tmp_path


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes at each look at the clock, so that seconds are the same work on every machine."""
    ticks, context = itertools.count(0, 0.01), cli._context
    monkeypatch.setattr(cli, "_context", lambda: evolve(context(), clock=lambda: next(ticks)))


def without(clause: str, name: str) -> Protocol:
    """The final stack, with one clause of one action forgotten."""
    sound = stack("final")
    actions = tuple(
        evolve(a, clauses=tuple(c for c in a.clauses if str(c.refusal) != clause)) if a.name == name else a
        for a in sound.actions
    )
    return evolve(sound, actions=actions)


LETS_ANYTHING_IN = without("consumed", "deliver")


def of_the_model(protocol: Protocol) -> Trace:
    """The shortest trace that shows what is wrong with `protocol`."""
    report = explore(protocol, scope_of(protocol), worlds_max=100_000, depth_max=None)
    return report.findings[0].trace


class Command:
    """Runs the command in this process, and keeps what it said."""

    def __init__(self, captured: pytest.CaptureFixture[str]) -> None:
        self._captured = captured
        self.out = self.err = ""

    def __call__(self, *arguments: str) -> int:
        self._captured.readouterr()
        code = cli.run(arguments)
        self.out, self.err = self._captured.readouterr()
        return code

    def json(self, *arguments: str) -> dict[str, Any]:
        """What a program reads: stdout is exactly one JSON object, and it has the exit code."""
        code = self(*arguments, "--json")
        found: dict[str, Any] = json.loads(self.out)
        assert found["exit_code"] == code
        return found


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(capsys)


@pytest.fixture(scope="module")
def found_once() -> dict[str, bytes]:
    """What the one search of this module found, by the name of its file; filled by whoever needs it first."""
    return {}


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, ...], str]:
    """What wrong commands were answered on stderr; filled by whoever asks first."""
    return {}


@pytest.fixture
def finding(command: Command, folder: Path, found_once: dict[str, bytes]) -> Path:
    """The trace of a shard that does not deduplicate."""
    out = folder / "shardproof-out"
    if not found_once:
        assert command("fuzz", "--adapter", "faulty:no-deduplication", *QUICK) == 1
        (path,) = out.iterdir()
        found_once[path.name] = path.read_bytes()
    ((name, text),) = found_once.items()
    out.mkdir(exist_ok=True)
    (out / name).write_bytes(text)
    return (out / name).relative_to(folder)


# ---- verdicts ----------------------------------------------------------------------------------------


class TestVerdicts:
    def test_a_correct_shard_holds(self, command: Command) -> None:
        """
        Exit code 0, the seed before the search on stderr, and exactly what was checked on stdout.
        """
        assert command("fuzz", "--adapter", "reference", "--steps", "8000", "--seed", "1") == 0

        assert command.err.splitlines()[0] == "seed 1"
        assert command.out.startswith("fuzz      holds")
        assert "8,0" in command.out

    def test_a_faulty_shard_is_violated(self, command: Command, folder: Path) -> None:
        """
        Exit code 1, the story, the trace as a file, and last the line that runs it again, which does.
        """
        assert command("fuzz", "--adapter", "faulty:no-deduplication", *QUICK) == 1
        last = command.out.splitlines()[-1]
        arguments = shlex.split(last.removeprefix("replay with  shardproof "))

        assert command(*arguments) == 1
        assert "reproduced: executes-at-most-once" in command.out
        assert command.out.splitlines()[-1] == last

    @pytest.mark.heavy
    def test_the_same_seed_finds_the_same(self, command: Command, folder: Path) -> None:
        """
        A seed repeats a run: the same trace, to the byte.
        """
        for out in ("a", "b"):
            assert command("fuzz", "--adapter", "faulty:no-deduplication", *QUICK, "--out", out) == 1

        (a,), (b,) = (list((folder / out).glob("*.trace.json")) for out in "ab")
        assert (a.name, a.read_bytes()) == (b.name, b.read_bytes())

    def test_a_seed_is_drawn_where_none_is_given(self, command: Command) -> None:
        """
        A drawn seed is printed with the flag that repeats the run.
        """
        command("fuzz", "--adapter", "reference", "--steps", "10")
        first = command.err.splitlines()[0]
        command("fuzz", "--adapter", "reference", "--steps", "10")

        assert first.startswith("seed ")
        assert "(again with --seed " in first
        assert command.err.splitlines()[0] != first

    def test_the_core_is_proved(self, command: Command) -> None:
        """
        The theorem is one command.
        """
        assert command.json("prove")["verdict"] == "holds"

    def test_a_depth_makes_a_proof_bounded(self, command: Command) -> None:
        """
        With a depth, the answer names it.
        """
        found = command.json("prove", "--stack", "exactly-once", "--depth", "5")

        assert found["verdict"] == "holds"
        assert "up to 5 steps" in found["checked"]["prove"]

    def test_every_trace_of_a_scope_is_explored(self, command: Command) -> None:
        """
        Exploring says how many worlds there were.
        """
        found = command.json("explore", "--stack", "final", "--scope", "shards=2,receipts=2,headers=1")

        assert found["verdict"] == "holds"
        assert found["work"]["explore"]["worlds"] > 1_000

    def test_a_system_is_toured_besides(self, command: Command) -> None:
        """
        Of an adapter, `explore` says of the model what it says, and of the system what a tour of it shows.
        """
        found = command.json("explore", "--adapter", "reference", "--scope", "shards=2,receipts=1,headers=1")

        assert found["verdicts"]["tour"] == "holds"
        assert found["checked"]["explore"].startswith("the model with the layers that reference needs")
        assert found["checked"]["tour"].startswith("100 % of 1,595 transitions of the model exercised")
        assert found["work"]["tour"]["exercised"] == 1595

    def test_what_a_tour_finds_can_be_run_again(self, command: Command) -> None:
        """
        A finding of a tour is one of the adapter, and its last line says so.
        """
        scope = ("--scope", "shards=2,receipts=1,headers=1")

        assert command("explore", "--adapter", "faulty:no-deduplication", *scope) == 1

        last = command.out.rstrip().splitlines()[-1]
        assert last.startswith("replay with  shardproof replay ")
        assert last.endswith("--adapter faulty:no-deduplication")

    def test_a_search_that_is_cut_off_is_inconclusive(self, command: Command) -> None:
        """
        What was not looked at does not hold.
        """
        found = command.json("explore", "--stack", "final", "--depth", "3")

        assert found["verdict"] == "inconclusive"
        assert found["reasons"]

    @pytest.mark.usefixtures("steady")
    def test_time_that_runs_out_is_inconclusive(self, command: Command) -> None:
        """
        A proof or an exploration that is stopped by the clock decides nothing, and says so.
        """
        found = command.json("explore", "--stack", "core", "--seconds", "0.005")

        assert found["verdict"] == "inconclusive"
        assert "stopped after" in found["reasons"][0]

    @pytest.mark.usefixtures("steady")
    def test_check_is_all_engines_and_the_worst_of_them(self, command: Command) -> None:
        """
        The protocol is proved and explored, the adapter is fuzzed, and one violation decides.
        """
        asked = ("--adapter", "faulty:null-root", "--seconds", "30", "--seed", "1")
        found = command.json("check", *asked)

        assert found["verdict"] == "violated"
        assert found["verdicts"] == {"prove": "holds", "explore": "holds", "fuzz": "violated"}
        one = next(f for f in found["findings"] if f["property"] == "executes-only-what-was-emitted")
        assert {k: one[k] for k in ("property", "id", "kind", "engine", "steps")} == {
            "property": "executes-only-what-was-emitted",
            "id": "P02",
            "kind": "safety",
            "engine": "fuzz",
            "steps": 1,
        }
        assert trace_file.load(Path(one["trace"])).property == one["property"]

    def test_a_proof_of_the_model_is_not_called_one_of_the_adapter(self, command: Command) -> None:
        """
        With an adapter, a proof is about the layers that it needs, and says so.
        """
        found = command.json("prove", "--adapter", "faulty:no-deduplication", "--property", "P01")

        assert found["verdict"] == "holds"
        assert found["checked"]["prove"].startswith(
            "the model with the layers that faulty:no-deduplication needs"
        )

    def test_only_some_properties(self, command: Command) -> None:
        """
        Asked for one property by its number, a search reports no other.
        """
        found = command.json(
            "fuzz",
            "--adapter",
            "faulty:no-deduplication",
            "--property",
            "P03",
            "--steps",
            "5000",
            "--seed",
            "1",
        )

        assert found["properties"]["fuzz"] == ["executes-at-its-destination"]
        assert found["findings"] == []

    def test_a_clause_that_was_never_exercised_is_named(self, command: Command) -> None:
        """
        With one block a shard no block has a parent that is not final: the answer says so, and holds.
        """
        found = command.json("explore", "--stack", "final")

        assert (found["verdict"], found["exit_code"]) == ("holds", 0)
        assert found["never_exercised"] == {
            "explore": {"finalise: parent not final": "never the reason for a refusal"}
        }

    def test_coverage_that_is_required_and_missing_is_inconclusive(self, command: Command) -> None:
        """
        Asked for every clause, the same search ends with exit code 4, and names the clause.
        """
        found = command.json("explore", "--stack", "final", "--require-coverage")

        assert (found["verdict"], found["exit_code"]) == ("inconclusive", 4)
        (reason,) = found["reasons"]
        assert reason == (
            "explore: coverage is required, and was not reached: "
            "finalise: parent not final (never the reason for a refusal)"
        )

    def test_a_search_that_leaves_something_out_counts_no_clauses(
        self, command: Command, folder: Path
    ) -> None:
        """
        So coverage cannot be required of it, whoever requires it.
        """
        (folder / "pyproject.toml").write_text("[tool.shardproof]\nrequire_coverage = true\n")

        assert command("explore", "--stack", "final", "--reduce") == 2
        assert "does not count what each clause did" in command.err

    @pytest.mark.heavy
    def test_of_a_property_only_what_it_sees_is_searched(self, command: Command) -> None:
        """
        With the witnesses that see no more, for otherwise they would have to be searched for.
        """
        asked = ("--stack", "exactly-once-inbox", "--property", "announces-only-effects")

        found = command.json("explore", *asked, "--scope", "receipts=1", "--reduce")

        assert (found["verdict"], found["never_exercised"]) == ("holds", {"explore": {}})
        assert "up to what no property sees" in found["checked"]["explore"]
        assert found["properties"]["explore"] == [
            "announces-only-effects",
            "trusts-a-header-of-another-shard",
            "commits-to-something",
            "shards-know-different-things",
        ]

    def test_coverage_is_required_by_the_project_where_the_flag_is_left_out(
        self, command: Command, folder: Path
    ) -> None:
        """
        A flag that was not given is no answer to what the project asks for.
        """
        (folder / "pyproject.toml").write_text("[tool.shardproof]\nrequire_coverage = true\n")

        assert command("explore", "--stack", "final") == 4

    def test_coverage_is_required_of_the_system_too(
        self, command: Command, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A search without attacks shows again only what was executed; with them, every clause is exercised.
        """
        asked = ("fuzz", "--adapter", "reference", "--steps", "8000", "--seed", "1", "--require-coverage")
        assert command(*asked) == 0

        monkeypatch.setattr(Schedule, "attack", lambda self, dice: None)
        found = command.json(*asked)

        assert (found["verdict"], found["exit_code"]) == ("inconclusive", 4)
        assert "deliver: wrong destination (never the reason for a refusal)" in found["reasons"][-1]

    def test_a_violation_is_not_hidden_by_missing_coverage(self, command: Command) -> None:
        """
        What is violated is violated, however little else was tried.
        """
        asked = ("--adapter", "faulty:no-deduplication", "--steps", "300", "--seed", "1")

        found = command.json("fuzz", *asked, "--require-coverage")

        assert (found["verdict"], found["exit_code"]) == ("violated", 1)

    @pytest.mark.usefixtures("steady")
    @pytest.mark.heavy
    def test_a_check_does_not_require_refusals_of_consensus(self, command: Command) -> None:
        """
        A clause of `finalise` that the model never needed is named, and says nothing of the system.
        """
        asked = ("--adapter", "mine:NeverReverts", "--seconds", "8", "--seed", "1")

        found = command.json("check", *asked, "--require-coverage")

        assert (found["verdict"], found["reasons"]) == ("holds", [])
        assert "finalise: parent not final" in found["never_exercised"]["explore"]

    def test_an_adapter_that_accepts_no_emit_is_inconclusive(self, command: Command) -> None:
        """
        A system that refuses every emit has shown nothing.
        """
        found = command.json("fuzz", "--adapter", "mine:AcceptsNoEmit", *QUICK)

        assert (found["verdict"], found["exit_code"]) == ("inconclusive", 4)
        assert "refused every emit" in found["reasons"][0]

    def test_an_interrupted_run_is_inconclusive(self, command: Command) -> None:
        """
        Ctrl-C ends a run with exit code 4, what was checked until then, and no traceback.
        """
        assert command("fuzz", "--adapter", "mine:Interrupted", *QUICK) == 4

        assert "because  interrupted, before the search was over" in command.out
        assert [line for line in command.err.splitlines() if line] == ["seed 1"]

    def test_what_a_broken_adapter_violated_before_is_kept_and_said(
        self, command: Command, folder: Path
    ) -> None:
        """
        Exit code 3, and the trace of what was found by then, which can be run again.
        """
        assert command("fuzz", "--adapter", "mine:TwiceAndThenBroken", *QUICK) == 3

        (path,) = (folder / "shardproof-out").iterdir()
        assert f"found     executes-at-most-once, before this: shardproof-out/{path.name}" in command.err
        assert command("replay", str(path), "--adapter", "faulty:no-deduplication") == 1

    def test_what_cannot_be_written_where_it_should_be_is_elsewhere(
        self, command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        A finding is told, and its trace is kept, also where the folder for findings takes nothing.
        """
        (folder / "shardproof-out").write_text("in the way")
        monkeypatch.setattr("tempfile.tempdir", str(folder / "elsewhere"))

        assert command("fuzz", "--adapter", "faulty:no-deduplication", *QUICK) == 1

        (path,) = (folder / "elsewhere" / "shardproof-out").iterdir()
        assert f"; the trace is at {path}" in command.err
        assert str(path) in command.out.splitlines()[-1]

    def test_an_adapter_that_goes_elsewhere_takes_no_finding_along(
        self, command: Command, folder: Path
    ) -> None:
        """
        A trace is where the command was typed, whatever folder an adapter works in.
        """
        try:
            assert command("fuzz", "--adapter", "mine:TwiceAndElsewhere", *QUICK) == 1
        finally:
            os.chdir(folder)

        assert [path.suffix for path in (folder / "shardproof-out").iterdir()] == [".json"]


# ---- a broken adapter --------------------------------------------------------------------------------

BROKEN = (
    "Raises",
    "Nonsense",
    "Forgets",
    "Prints",
    "PrintsWhenMade",
    "RaisesWhenMade",
    "Changes",
    "NotAnAdapter",
)


class TestBrokenAdapters:
    @pytest.mark.heavy
    @pytest.mark.parametrize("name", BROKEN)
    def test_end_with_3_and_hold_for_nothing(self, name: str, command: Command) -> None:
        """
        An adapter that breaks the contract has its own message and exit code 3, also as JSON.
        """
        found = command.json("fuzz", "--adapter", f"mine:{name}", *QUICK)

        assert found["exit_code"] == 3
        assert found["verdict"] is None
        assert "findings" not in found

    def test_each_have_their_own_message(self, command: Command, golden: Any) -> None:
        """
        What was expected, what came, and what to do, for each way in which an adapter can break.
        """
        told = []
        for name in BROKEN:
            assert command("fuzz", "--adapter", f"mine:{name}", *QUICK) == 3
            told.append(
                f"# {name}\n"
                + "".join(x for x in command.err.splitlines(keepends=True) if not x.startswith("seed"))
            )

        golden("errors/adapters.txt", "\n".join(told))

    @pytest.mark.usefixtures("steady")
    @pytest.mark.heavy
    def test_are_noticed_by_check_too(self, command: Command) -> None:
        """
        A proof that holds does not make up for an adapter that broke.
        """
        assert command("check", "--adapter", "mine:Prints", "--scope", "receipts=1", "--seconds", "15") == 3


# ---- a wrong command ---------------------------------------------------------------------------------

USAGE: tuple[tuple[str, ...], ...] = (
    ("fzz",),
    ("fuzz",),
    ("fuzz", "--adaptr", "reference"),
    ("fuzz", "--adapter"),
    ("fuzz", "--adapter", "refrence"),
    ("fuzz", "--adapter", "faulty:no-dedup"),
    ("fuzz", "--adapter", "faulty"),
    ("fuzz", "--adapter", "reference:fast"),
    ("fuzz", "--adapter", "no_such_module:Adapter"),
    ("fuzz", "--adapter", "mine:Missing"),
    ("fuzz", "--adapter", "mine:something"),
    ("fuzz", "--adapter", "reference", "--seconds", "0"),
    ("fuzz", "--adapter", "reference", "--property", "executes-at-most-onec"),
    ("fuzz", "--adapter", "reference", "--property", "P27"),
    ("fuzz", "--adapter", "reference", "--property", "headers-never-change"),
    ("fuzz", "--adapter", "mine:NoRevert", "--property", "P26"),
    ("fuzz", "--adapter", "reference", "--scope", "receipts=2"),
    ("fuzz", "--adapter", "reference", "--stack", "final"),
    ("fuzz", "--adapter", "reference", "extra"),
    ("fuzz", "--adapter", "reference", "--scope", "shards=2", "--scope", "shards=3"),
    ("fuzz", "--adapter", "reference", "--certify=-1"),
    ("fuzz", "--adapter", "my folder:Adapter"),
    ("fuzz", "--adapter", "reference", "--deviations", "none.toml"),
    ("init", "--python", "--process"),
    ("explore", "--adapter", "refrence", "--stack", "core"),
    ("explore", "--adapter", "reference", "--stack", "core"),
    ("explore", "--protocol", "sys:exit"),
    ("mutants", "--adapter", "reference", "--stack", "core"),
    ("prove", "--certificate", ""),
    ("list", "stacks", "--stack", "core"),
    ("show", "none.trace.json", "--out", ""),
    ("prove", "--stack", "cor"),
    ("prove", "--layers", "exactly-once,finalty"),
    ("prove", "--property", "Q4"),
    ("prove", "--depth", "2", "--certificate", "c"),
    ("explore", "--scope", "shards=65"),
    ("check", "--adapter", "reference", "--profile", "fast"),
    ("list",),
    ("list", "adaptors"),
    ("show",),
    ("show", "none.trace.json"),
    ("replay", "none.trace.json", "--adapter", "reference"),
)


class TestList:
    def test_tells_all_of_a_property_that_is_asked_for(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        The formula, what it says, why it matters, and how it is used.
        """
        assert cli.run(["list", "properties", "--property", "executes-at-its-destination"]) == 0

        assert " ".join(capsys.readouterr().out.split()) == (
            "P03 executes-at-its-destination "
            "formula forall d: Shard, m: Receipt. executions(d, m) >= 1 implies destination(m) = d "
            "says A receipt runs nowhere but at its destination. "
            "because a receipt that runs elsewhere changes a shard that never agreed to it "
            "used as safety"
        )


class TestUsage:
    @pytest.mark.parametrize("arguments", USAGE, ids=" ".join)
    def test_ends_with_2(
        self, arguments: tuple[str, ...], command: Command, said: dict[tuple[str, ...], str]
    ) -> None:
        """
        A wrong command is exit code 2, on stderr; with --json, one object on stdout that says the same.
        """
        assert command(*arguments) == 2
        assert command.out == ""
        assert "Traceback" not in command.err
        said[arguments] = command.err

        found = command.json(*arguments)
        assert (found["exit_code"], found["verdict"]) == (2, None)
        assert found["error"]["summary"]

    def test_says_what_is_nearest(
        self, command: Command, golden: Any, said: dict[tuple[str, ...], str]
    ) -> None:
        """
        Each wrong command is answered with what would have been right.
        """
        told = []
        for arguments in USAGE:
            if arguments not in said:
                command(*arguments)
                said[arguments] = command.err
            lines = said[arguments].splitlines(keepends=True)
            answer = "".join(x for x in lines if not x.startswith("seed"))
            told.append(f"$ shardproof {' '.join(arguments)}\n{answer}")

        golden("errors/usage.txt", "\n".join(told))

    def test_a_bug_of_ours_is_not_blamed_on_the_system(
        self,
        command: Command,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        """
        What should never happen ends with 4 and no traceback; the message names a file with the details.
        """
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

        def fail(*_: object) -> None:
            raise ZeroDivisionError("division by zero")

        monkeypatch.setattr("shardproof.commands.catalogue.listed", fail)

        assert command("list", "adapters") == 4

        (details,) = tmp_path.glob("shardproof-*.txt")
        assert command.err == (
            "error: this is a bug in shardproof, and says nothing of the system that was checked\n"
            "  got       ZeroDivisionError: division by zero\n"
            f"  help      please report it with what is in {details}\n"
        )
        assert "in fail" in details.read_text()


# ---- traces ------------------------------------------------------------------------------------------


class TestTraces:
    def test_a_mended_system_does_not_reproduce(self, finding: Path, command: Command) -> None:
        """
        On a system without the mistake, the same steps go as the model says: exit code 0.
        """
        assert command("replay", str(finding), "--adapter", "reference") == 0
        assert "not reproduced" in command.out

    def test_the_file_never_chooses_what_runs(self, finding: Path, command: Command, folder: Path) -> None:
        """
        A module that a trace names as its adapter is not imported, by any command that reads the trace.
        """
        (folder / "evil.py").write_text("open('ran', 'w')")
        named = evolve(trace_file.load(finding), adapter="evil:Adapter")
        path = trace_file.save(named, folder)

        assert command("show", str(path)) == 0
        assert command("replay", str(path)) == 2
        assert "a file never chooses what is run" in command.err
        assert command("replay", str(path), "--adapter", "faulty:no-deduplication") == 1
        assert not (folder / "ran").exists()
        assert "evil" not in sys.modules

    def test_a_trace_of_the_model_needs_no_adapter(self, command: Command, folder: Path) -> None:
        """
        A trace in which no implementation took part runs on the model, as it says now.
        """
        path = trace_file.save(of_the_model(LETS_ANYTHING_IN), folder)

        assert command("replay", str(path)) == 0
        assert "not reproduced: step 6 is refused, consumed" in command.out
        assert command.out.splitlines()[-1] == f"replay with  shardproof replay {path}"

    def test_a_violation_of_the_model_is_reproduced_on_it(self) -> None:
        """
        On the protocol that has the mistake, the same trace violates the same property at the same step.
        """
        trace = of_the_model(LETS_ANYTHING_IN)

        replayed = model_replay.replay(trace, LETS_ANYTHING_IN)

        assert replayed.reproduced
        assert replayed.trace == trace

    def test_an_adapter_without_a_capability_is_told_which(self, finding: Path, command: Command) -> None:
        """
        A trace that needs a verb that the adapter lacks is a usage error that names the verb.
        """
        assert command("replay", str(finding), "--adapter", "mine:NoRevert") == 2
        assert "learn" in command.err

    def test_a_long_trace_becomes_shorter(self, finding: Path, command: Command, folder: Path) -> None:
        """
        Steps that the finding does not need are left out, into a new file, and the old one stays.
        """
        found = json.loads(finding.read_text())
        extra = [{"action": "emit", "at": "B", "args": {"receipt": f"r{9 + i}", "to": "A"}} for i in range(5)]
        found["steps"][:0] = extra
        found["violation"]["step"] += len(extra)
        # Why it went wrong was said of the steps as they were.
        del found["explanation"]
        long = folder / "long.trace.json"
        long.write_text(json.dumps(found))

        assert command("shrink", str(long), "--adapter", "faulty:no-deduplication", "--out", "short") == 1

        (short,) = (folder / "short").iterdir()
        assert len(trace_file.load(short).steps) == 6
        assert "shrunk from 11 steps to 6" in command.out
        assert str(short.relative_to(folder)) in command.out.splitlines()[-1]

    def test_show_renders_and_runs_nothing(self, finding: Path, command: Command) -> None:
        """
        A trace is shown as a story, as the same trace in its one form, or as a page that is kept beside it.
        """
        assert command("show", str(finding)) == 0
        assert "system: accepted" in command.out
        assert command("show", str(finding), "--format", "json") == 0
        assert command.out.encode() == finding.read_bytes()
        assert command("show", str(finding), "--format", "html") == 0
        assert Path(command.out.strip()).read_text("utf-8").startswith("<!doctype html>")
        assert command("show", str(finding), "--format", "htm") == 2
        assert "did you mean 'html'" in command.err


# ---- what there is -----------------------------------------------------------------------------------


class TestLists:
    @pytest.mark.parametrize("what", ["properties", "layers", "stacks", "actions", "adapters"])
    def test_are_there_for_people_and_programs(self, what: str, command: Command) -> None:
        """
        Each list is text, or one JSON object.
        """
        assert command("list", what) == 0
        assert command.out
        assert command("list", what, "--json") == 0
        assert json.loads(command.out)[what]

    def test_every_faulty_adapter_says_what_it_violates(self, command: Command) -> None:
        """
        A mistake is listed with the property that it violates and the shortest length that shows it.
        """
        from shardproof.adapters.faulty import FAULTS

        command("list", "adapters", "--json")
        rows = dict(json.loads(command.out)["adapters"]["faulty, for trying out a harness"])

        assert rows.keys() == {f"faulty:{name}" for name in FAULTS}
        assert all(
            f"violates {f.violates} in {f.shortest} step" in rows[f"faulty:{f.name}"] for f in FAULTS.values()
        )

    def test_actions_are_a_whiteboard(self, command: Command) -> None:
        """
        The composed protocol is printed as a person would write it.
        """
        assert command("list", "actions", "--layers", "exactly-once,finality") == 0
        assert "deliver(" in command.out
        assert "requires" in command.out


class TestDoctor:
    def test_says_what_works(self, command: Command) -> None:
        """
        Versions, engines, extras and third-party parts, each with a command where something is missing.
        """
        assert command("doctor") == 0
        for title in ("versions", "engines", "extras", "third-party parts"):
            assert title in command.out.splitlines()

    def test_of_an_adapter_leaves_out_what_others_need(self, command: Command) -> None:
        """
        Whoever asks about a system of one's own is not told first what eighteen others are made of.
        """
        assert command("doctor", "--adapter", "watermark") == 0
        titles = command.out.splitlines()

        assert not {"extras", "third-party parts"} & {*titles}
        assert "what would let the adversary try more" in titles

    @pytest.mark.parametrize(
        "compiler, said",
        [("cc", "ready: /"), ("false", "no: the C compiler"), ("no-such", "no: no C compiler")],
    )
    def test_says_whether_searches_are_compiled(
        self, command: Command, monkeypatch: pytest.MonkeyPatch, compiler: str, said: str
    ) -> None:
        """By compiling something; nothing is broken if not, because Python gives the same answer."""
        monkeypatch.setenv("CC", compiler)

        assert command("doctor") == 0
        (line,) = (line for line in command.out.splitlines() if "explore, compiled" in line)
        assert said in line

    def test_says_what_an_adapter_can_do(self, command: Command) -> None:
        """
        Capabilities, the layers that follow, what is checked and what not, and how long each verb takes.
        """
        assert command("doctor", "--adapter", "watermark", "--json") == 0
        found = json.loads(command.out)

        assert found["capabilities"] == ["finalise", "forge", "learn", "revert"]
        assert found["layers"] == ["exactly-once", "finality", "reorganisation"]
        assert found["verbs"].keys() == {*REQUIRED, "finalise", "forge", "learn", "revert"}
        assert all(found["verbs"].values())
        assert (found["exit_code"], found["contract"]["broken"], found["violated"]) == (0, {}, [])
        assert found["next"][0] == {
            "verbs": ["send", "deliver_failing", "balance"],
            "opens": [
                "fails-atomically",
                "books-balance",
                "emission-debits-what-is-carried",
                "execution-credits-what-is-carried",
                "failure-credits-nothing",
            ],
        }

    @pytest.mark.parametrize("name", BROKEN)
    def test_ends_with_3_where_the_contract_is_broken(self, name: str, command: Command) -> None:
        """
        Whatever an adapter breaks, also one that is only not repeatable, there is a sentence about it.
        """
        assert command("doctor", "--adapter", f"mine:{name}") == 3
        assert "BROKEN: " in command.out or command.err.splitlines()[-3:]
        assert "Traceback" not in command.err

    def test_says_which_property_needs_which_verb(self, command: Command) -> None:
        """
        A property that does not apply is listed with the verb that is missing.
        """
        assert command("doctor", "--adapter", "mine:NoRevert", "--json") == 0

        told = json.loads(command.out)["not_applicable"]
        assert told["never-both"] == "the adapter has no ended, time_out"
        assert {name: why for name, why in told.items() if name not in OBSERVABLE} == {
            "trusts-only-final-headers": "the adapter has no learn: headers certify themselves",
            "trusts-only-produced-headers": "the adapter has no learn: headers certify themselves",
            "reverts-atomically": "the adapter has no revert",
        }


# ---- the way in --------------------------------------------------------------------------------------


class TestHelp:
    def test_has_one_layout(self, command: Command, golden: Any) -> None:
        """
        A sentence, flags by what they are about, a working example, and the exit codes.
        """
        assert command("fuzz", "--help") == 0
        golden("help/fuzz.txt", command.out)
        assert command("--help") == 0
        golden("help/shardproof.txt", command.out)

    @pytest.mark.parametrize("name", list(cli.shardproof.commands))
    def test_of_every_command_has_an_example_and_the_exit_codes(self, name: str, command: Command) -> None:
        """
        No command is without an example that parses, and none hides what its exit codes mean.
        """
        assert command(name, "--help") == 0

        example = command.out.partition("Example:\n")[2].splitlines()[0].strip()
        assert example.startswith(f"shardproof {name}")
        assert all(f"  {code}  " in command.out for code in range(5))

    def test_a_bare_command_shows_the_help(self, command: Command) -> None:
        """
        Whoever types the name alone is shown what there is.
        """
        assert command() == 0
        assert command.out.startswith("Usage: shardproof")

    def test_has_a_version(self, command: Command) -> None:
        """
        One line, for whoever reports something.
        """
        assert command("--version") == 0
        assert command.out.startswith("shardproof ")


def started(*arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, as the console script starts it."""
    path = ":".join(str(TOP / root) for root in ("harness", "models", "properties"))
    return subprocess.run(
        [sys.executable, "-c", "from shardproof.cli import main; main()", *arguments],
        env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        check=False,
        timeout=60,
    )


class TestProcess:
    def test_imports_no_engine_for_the_help(self) -> None:
        """
        Help comes at once: no solver, no Hypothesis, no rich.
        """
        path = ":".join(str(TOP / root) for root in ("harness", "models", "properties"))
        code = (
            "import sys\nfrom shardproof.cli import run\nrun(['fuzz', '--help'])\n"
            "heavy = {'z3', 'hypothesis', 'rich', 'shardproof_models'}\n"
            "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )

        assert done.stderr == "[]\n"

    def test_finds_an_adapter_where_one_works(self, folder: Path) -> None:
        """
        A module in the current folder needs no installing and no path.
        """
        done = started("fuzz", "--adapter", "mine:AcceptsNoEmit", *QUICK, "--json")

        assert done.returncode == 4
        assert json.loads(done.stdout)["adapter"] == "mine:AcceptsNoEmit"

    def test_draws_in_ascii_where_nothing_else_can_be_shown(self, finding: Path) -> None:
        """
        A terminal without Unicode gets the same story in ASCII.
        """
        done = started("show", str(finding), PYTHONIOENCODING="ascii")

        assert done.returncode == 0
        assert done.stdout.isascii()
        assert b"<-- here" in done.stdout

    def test_a_reader_that_stops_reading_is_no_error(self) -> None:
        """
        `shardproof list adapters | head -1` prints no traceback.
        """
        path = ":".join(str(TOP / root) for root in ("harness", "models", "properties"))
        start = f"{shlex.quote(sys.executable)} -c 'from shardproof.cli import main; main()'"
        script = f"{start} list adapters | head -1"
        done = subprocess.run(
            ["bash", "-c", script],
            env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            check=True,
            timeout=60,
        )

        assert done.stderr == b""
