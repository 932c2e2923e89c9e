from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import frozen

import answers
from shardproof.observable import OBSERVABLE
from shardproof.pytest_plugin import Case
from shardproof.selection import Applicable
from shardproof.verdict import Verdict

#: Code that other tests cover too, so it is looked at without measuring.
pytestmark = pytest.mark.heavy

TOP = Path(__file__).parents[2]

ADAPTERS = """
import os

from shardproof.adapter import Adapter, Refused
from shardproof.adapters.reference import ReferenceAdapter


class NoRevert(ReferenceAdapter):
    revert = Adapter.revert


class AcceptsNoEmit(ReferenceAdapter):
    def emit(self, source, destination, payload):
        return Refused("closed")


class Raises(ReferenceAdapter):
    def deliver(self, delivery):
        raise RuntimeError("connection lost")


class Leaves(ReferenceAdapter):
    def deliver(self, delivery):
        os._exit(0)
"""


#: One that is still true of the first system, and one that no longer is of the second.
KNOWN = """
[[deviation]]
property = "P01"
adapter = "faulty:no-deduplication"
reason = "the table of receipts comes with the next release"

[[deviation]]
property = "delivers-what-is-due"
adapter = "reference"
reason = "it used to lose one in a thousand"
"""


@frozen
class Ran:
    """A run of pytest: its exit code, what it printed, and the test cases of its JUnit file."""

    code: int
    out: str
    cases: tuple[ET.Element, ...]

    def results(self, adapter: str = "") -> dict[str, str]:
        """Property -> passed, failed, skipped or expected; of one adapter where there are several."""
        return {_name(case): _result(case) for case in self.cases if f"[{adapter}" in case.attrib["name"]}

    def case(self, name: str) -> ET.Element:
        return next(case for case in self.cases if _name(case) == name)


def _name(case: ET.Element) -> str:
    """The property that a test is about: the id is ADAPTER-P01-NAME."""
    _, _, rest = case.attrib["name"].rstrip("]").partition("-P")
    if not rest:
        _, _, rest = case.attrib["name"].rstrip("]").partition("-Q")
    return rest.partition("-")[2] or "follows-the-model"


def _result(case: ET.Element) -> str:
    for child, result in (("failure", "failed"), ("error", "failed"), ("skipped", "skipped")):
        if (found := case.find(child)) is not None:
            return "expected" if found.attrib.get("type") == "pytest.xfail" else result
    return "passed"


def ran(folder: Path, *arguments: str) -> Ran:
    """Pytest in a process of its own, with no plugin but ours, whether or not that is installed."""
    path = os.pathsep.join(str(TOP / root) for root in ("harness", "models", "properties"))
    junit = folder / "junit.xml"
    done = subprocess.run(
        [
            sys.executable,
            # Not `-m pytest`, which would put the folder on the path.
            "-c",
            "import sys, pytest; sys.path.remove(''); sys.exit(pytest.main(sys.argv[1:]))",
            "-p",
            "shardproof.pytest_plugin",
            "-p",
            "no:cacheprovider",
            f"--junitxml={junit}",
            *arguments,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **os.environ,
            # Not the folder: that one's own adapter is found there is what the plugin sees to.
            "PYTHONPATH": path,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
    )
    cases = tuple(ET.parse(junit).iter("testcase")) if junit.exists() else ()
    return Ran(done.returncode, done.stdout + done.stderr, cases)


def conformance(folder: Path, *arguments: str) -> Ran:
    return ran(
        folder, "--pyargs", "shardproof.conformance", "--shard-steps", "4000", "--shard-seed", "1", *arguments
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "mine.py").write_text(ADAPTERS)
    (tmp_path / "known.toml").write_text(KNOWN)
    (tmp_path / "wrong.toml").write_text('[[deviation]]\nproperty = "executes-at-most-one"\nreason = "x"\n')
    return tmp_path


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    """One run on a shard that does not deduplicate."""
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "pyproject.toml").write_text("")
    return conformance(folder, "--shard-adapter", "faulty:no-deduplication", "--shard-out", "found"), folder


def main_road(run: Ran) -> dict[str, str]:
    """The results of what is said of every system, whatever its layers."""
    return {name: result for name, result in run.results().items() if name not in OBSERVABLE}


class TestConformance:
    def test_a_correct_shard_passes_one_test_for_each_property(self, folder: Path) -> None:
        """
        Every property that can be seen from outside is a test of its own, and each passes.
        """
        run = conformance(folder, "--shard-adapter", "reference")

        assert run.code == 0, run.out
        assert set(main_road(run).values()) == {"passed"}
        assert set(run.results().values()) == {"passed", "skipped"}
        assert {
            "executes-at-most-once",
            "executes-only-what-was-emitted",
            "reverts-atomically",
            "delivers-what-is-due",
        } <= run.results().keys()
        assert "shardproof: seed 1, 4,000 steps of fuzzing for each of reference" in run.out

    def test_a_violated_property_fails_with_its_counterexample(self, faulty: tuple[Ran, Path]) -> None:
        """
        The test of the violated property shows the story and the line that replays it, and no traceback.
        """
        run, folder = faulty

        assert run.code == 1
        assert run.results()["executes-at-most-once"] == "failed"
        assert run.results()["executes-at-its-destination"] == "passed"
        assert "counterexample" in run.out
        assert "system: accepted" in run.out
        (path,) = (folder / "found").iterdir()
        assert (
            f"replay with  shardproof replay found/{path.name} --adapter faulty:no-deduplication" in run.out
        )
        assert "pytest_plugin.py:" not in run.out

    def test_a_report_for_machines_has_what_repeats_the_run(self, faulty: tuple[Ran, Path]) -> None:
        """
        Each test case of the JUnit file has property, number, adapter, seed and steps.
        """
        run, _ = faulty

        properties = {
            p.attrib["name"]: p.attrib["value"] for p in run.case("executes-at-most-once").iter("property")
        }
        assert int(properties.pop("steps")) > 0
        assert properties == {
            "property": "executes-at-most-once",
            "property_id": "P01",
            "adapter": "faulty:no-deduplication",
            "seed": "1",
        }

    def test_what_does_not_apply_is_skipped_with_the_reason(self, folder: Path) -> None:
        """
        A property that needs a verb that the adapter lacks is skipped, and only that one.
        """
        run = conformance(folder, "--shard-adapter", "mine:NoRevert", "-rs")

        assert run.code == 0, run.out
        assert [name for name, result in main_road(run).items() if result == "skipped"] == [
            "reverts-atomically"
        ]
        assert "not applicable: the adapter has no revert" in run.out

    def test_what_was_not_checked_does_not_pass(self, folder: Path) -> None:
        """
        Where nothing could be emitted, no property passes.
        """
        run = conformance(folder, "--shard-adapter", "mine:AcceptsNoEmit")

        assert run.code == 1
        assert set(main_road(run).values()) == {"failed"}
        assert "inconclusive: no receipt could be emitted" in run.out

    def test_a_broken_adapter_fails_every_test(self, folder: Path) -> None:
        """
        Nothing that a broken adapter did counts, and each test says how it broke.
        """
        run = conformance(folder, "--shard-adapter", "mine:Raises")

        assert run.code == 1
        assert set(run.results().values()) == {"failed"}
        assert "RuntimeError: connection lost" in run.out

    @pytest.mark.heavy
    def test_an_adapter_that_leaves_takes_no_test_along(self, folder: Path) -> None:
        """
        A process that ends with 0 would be a suite that passes.
        """
        run = conformance(folder, "--shard-adapter", "mine:Leaves", "--shard-steps", "100")

        assert (run.code, set(run.results().values())) == (1, {"failed"})
        assert "tried to end the process" in run.out

    def test_known_deviations_must_fail_each_at_its_system(self, folder: Path) -> None:
        """
        Of two systems in one run, each with a set of tests of its own, the test of a deviation that is
        known fails as expected; one that no longer happens fails the run; and what else there is passes.
        """
        run = conformance(
            folder,
            *("--shard-adapter", "faulty:no-deduplication"),
            *("--shard-adapter", "reference"),
            *("--shard-deviations", "known.toml", "-rx"),
        )

        assert run.code == 1
        faulty, sound = run.results("faulty:no-deduplication"), run.results("reference")
        assert faulty.keys() == sound.keys() == run.results().keys()
        assert {name for name, result in faulty.items() if result == "expected"} == {"executes-at-most-once"}
        assert {name for name, result in sound.items() if result == "failed"} == {"delivers-what-is-due"}
        assert {"failed"} & {*faulty.values()} == set()
        assert {*sound.values()} == {"passed", "skipped", "failed"}
        assert "the table of receipts comes with the next release" in run.out
        assert "[XPASS(strict)] delivers-what-is-due is a known deviation, and no longer happens" in run.out

    @pytest.mark.parametrize(
        "arguments, said",
        [
            ((), "which system?"),
            (("--shard-adapter", "refrence"), "did you mean 'reference'?"),
            (("--shard-adapter", "mine:Raisess"), "did you mean 'Raises'?"),
            (
                ("--shard-adapter", "reference", "--shard-deviations", "wrong.toml"),
                "did you mean 'executes-at-most-once'?",
            ),
            (("--shard-adapter", "reference", "--shard-seconds", "0"), "0 seconds are no time"),
            (("--shard-adapter", "reference", "--shard-seed", "x"), "seed is not a whole number"),
        ],
    )
    def test_a_wrong_command_is_no_reason_to_skip(
        self, arguments: tuple[str, ...], said: str, folder: Path
    ) -> None:
        """
        Without a system, or with a wrong one, pytest ends with its exit code for a wrong command.
        """
        run = ran(folder, "--pyargs", "shardproof.conformance", *arguments)

        assert run.code == 4
        assert said in run.out


class TestInert:
    def test_does_nothing_for_other_tests(self, folder: Path) -> None:
        """
        Where shardproof is merely installed, other tests run as ever, and no engine is imported.
        """
        (folder / "test_other.py").write_text(
            "import sys\n"
            "def test_imports_nothing():\n"
            "    found = {'z3', 'hypothesis', 'shardproof_models', 'attr'} & set(sys.modules)\n"
            "    assert 'shardproof.pytest_plugin' in sys.modules and not found\n"
        )

        run = ran(folder, "test_other.py")

        assert run.code == 0, run.out
        assert "shardproof:" not in run.out


class TestCase:
    def test_an_instance_of_a_property_is_that_property(self) -> None:
        """
        What breaks `reverts-atomically[consumed]` breaks it, also where another property is named first.
        """
        found = answers.finding(also=("reverts-atomically[consumed]",))
        report = answers.fuzzed(verdict=Verdict.VIOLATED, findings=(found,))
        suite: Any = SimpleNamespace(
            report=lambda _: report, seed=1, files={(answers.SYSTEM, found.property): Path("x.trace.json")}
        )
        item: Any = SimpleNamespace(user_properties=[], add_report_section=lambda *_: None)
        case = Case(suite, answers.SYSTEM, Applicable("P26", "reverts-atomically", "it matters"))

        with pytest.raises(pytest.fail.Exception, match="violated: reverts-atomically, with executes-at"):
            case.judge(item)
