"""
The pytest door: `pytest --pyargs shardproof.conformance --shard-adapter NAME`.

Regression tests, which `show --format pytest` writes, get the system that is named through `shard_adapter`.

Pytest loads this module wherever shardproof is installed, so it does nothing, and imports
next to nothing, until the conformance suite is collected. Then each adapter is fuzzed once,
and each property is a test that reads the report of that run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from .deviations import Deviation
    from .selection import Applicable
    from .verdict import Finding, Report

#: What disagrees with the model and breaks none of the sentences.
DIVERGENCE = "follows-the-model"

#: Of fuzzing, for each adapter, where nobody says how long.
SECONDS = "10"

_WIDTH = 100


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags of the suite."""
    group = parser.getgroup("shardproof", "shardproof: conformance of cross-shard messaging")
    group.addoption(
        "--shard-adapter",
        action="append",
        default=[],
        metavar="NAME",
        help="system to check, as in `shardproof list adapters`, or module:Class; may be given again",
    )
    group.addoption(
        "--shard-seconds",
        default=SECONDS,
        metavar="S",
        help=f"seconds to fuzz each system (default: {SECONDS})",
    )
    group.addoption(
        "--shard-steps",
        default=None,
        metavar="N",
        help="steps to fuzz each system, in place of seconds: the same work on every machine",
    )
    group.addoption(
        "--shard-seed", default=None, metavar="N", help="repeats a run; drawn and printed if it is left out"
    )
    group.addoption(
        "--shard-deviations",
        default=None,
        metavar="FILE",
        help="what the systems are known to violate, as TOML: these tests must fail, and show as xfailed",
    )
    group.addoption(
        "--shard-out",
        default="shardproof-out",
        metavar="FOLDER",
        help="where findings go (default: shardproof-out)",
    )


class Conformance:
    """What the flags say, and the one run of each adapter."""

    def __init__(self, config: pytest.Config) -> None:
        from . import deviations, selection, settings
        from .errors import AdapterError, UsageError

        self.adapters: list[str] = list(dict.fromkeys(config.getoption("--shard-adapter")))
        if not self.adapters:
            raise UsageError(
                "which system?", expected="--shard-adapter NAME", help="try --shard-adapter reference"
            )
        _find_ones_own(config)
        flags = ("seconds", "steps", "seed", "deviations", "out")
        given = {name: config.getoption(f"--shard-{name}") for name in flags}
        self.settings = settings.resolve(given, {}, Path(config.invocation_params.dir))
        file = self.settings.deviations
        known = () if file is None else deviations.load(file)
        self.known: dict[str, tuple[Deviation, ...]] = {}
        for name in self.adapters:
            try:
                self.known[name] = deviations.of_system(
                    known, selection.system(name, self.settings.call_seconds)
                )
            except AdapterError:
                # A fact about the system: every test of it says so.
                continue
        seed = self.settings.seed
        self.seed = int.from_bytes(os.urandom(4), "big") if seed is None else seed
        self.sentences: tuple[Applicable, ...] = selection.sentences()
        self._reports: dict[str, Report | str] = {}
        self.files: dict[tuple[str, str], Path] = {}

    def report(self, adapter: str) -> Report:
        """What fuzzing `adapter` says; run when first asked, and then remembered, also if it broke."""
        from .errors import ShardproofError

        if adapter not in self._reports:
            try:
                self._reports[adapter] = self._run(adapter)
            except ShardproofError as error:
                self._reports[adapter] = f"error: {error}"
            except Exception:
                self._reports[adapter] = "error: the search broke, see the first test of this system"
                raise
        found = self._reports[adapter]
        if isinstance(found, str):
            _fail(found)
        return found

    def _run(self, adapter: str) -> Report:
        from . import deviations, selection, trace_file
        from .commands.answer import in_words_of_all
        from .commands.patience import patient
        from .commands.presence import present
        from .engines.fuzz import Plan, fuzz
        from .errors import UsageError

        system = selection.system(adapter, self.settings.call_seconds)
        known = self.known.get(adapter, ())
        plan = Plan(
            seed=self.seed,
            seconds=None if self.settings.steps is not None else self.settings.seconds,
            steps=self.settings.steps,
            shards=self.settings.shards,
            depth=self.settings.depth_of_profile,
            expected=deviations.excused(known),
        )
        with present(adapter), patient(adapter, self.settings.call_seconds):
            report = deviations.judged(fuzz(system.make, system.name, plan, clock=time.monotonic), known)
        report = in_words_of_all(report)
        for found in report.findings:
            try:
                path = trace_file.save(found.trace, self.settings.out)
            except UsageError:
                # The line that runs it again says where it is.
                path = trace_file.save(found.trace, Path(tempfile.gettempdir()) / self.settings.out.name)
            self.files[adapter, found.property] = path
        return report


_CONFORMANCE = pytest.StashKey[Conformance]()
_WRONG = pytest.StashKey[str]()


class Case:
    """One property of one system: a test of the suite."""

    def __init__(self, suite: Conformance, adapter: str, sentence: Applicable) -> None:
        self.suite, self.adapter, self.sentence = suite, adapter, sentence

    def judge(self, item: pytest.Item) -> None:
        """
        Pass only if the property was checked and holds; otherwise fail, or skip, with the reason.

        A known deviation must fail: that is shown as xfailed, and anything else is a failure.
        """
        from .observable import OBSERVABLE
        from .verdict import State, broken

        report = self.suite.report(self.adapter)
        item.user_properties += self._properties(report)
        name = self.sentence.name
        known = next((one for one in report.deviations if name in one.names), None)
        for found in report.findings:
            if name in broken(found):
                self._violated(item, found, known.reason if known else "")
        if known is not None and known.state is State.SEEN and known.names == (name,):
            # Not by this search, but by the trace that is kept of it.
            pytest.xfail(f"{known.reason} ({known.why})")
        if name in report.not_applicable:
            pytest.skip(f"not applicable: {report.not_applicable[name]}")
        if reasons := [reason for reason in report.reasons if self._concerned(reason)]:
            _fail(f"inconclusive: {'; '.join(reasons)} ({report.checked})")
        if name in OBSERVABLE and name not in report.properties:
            pytest.skip("not applicable: the layers of this system say nothing of it")
        if name != DIVERGENCE and name not in report.properties:
            _fail(f"inconclusive: {name} was not checked ({report.checked})")
        if known is not None and known.state is State.GONE:
            _fail(f"[XPASS(strict)] {name} is a known deviation, and no longer happens: {known.reason}")
        if known is not None and known.state is State.NOT_SEEN:
            _fail(f"inconclusive: {name} is a known deviation, and was not seen: {known.why}")

    def _concerned(self, reason: str) -> bool:
        """A reason that begins with the name of a property is about that one; any other is about all."""
        about = reason.partition(" ")[0]
        return about == self.sentence.name or about not in {s.name for s in self.suite.sentences}

    def _properties(self, report: Report) -> list[tuple[str, object]]:
        return [
            ("property", self.sentence.name),
            ("property_id", self.sentence.id),
            ("adapter", self.adapter),
            ("seed", self.suite.seed),
            ("steps", _steps(report.work)),
        ]

    def _violated(self, item: pytest.Item, found: Finding, known: str) -> NoReturn:
        from .render import text

        path = self.suite.files[self.adapter, found.property]
        replay = text.replay_line(path, self.adapter)
        item.add_report_section(
            "call",
            "counterexample",
            text.finding(found, _WIDTH, ascii_only=False, replay=replay, known=known),
        )
        if known:
            pytest.xfail(known)
        also = "" if found.property == self.sentence.name else f", with {found.property}"
        _fail(f"violated: {self.sentence.name}{also} ({found.because})")


def _steps(work: Mapping[str, int]) -> int:
    return work.get("steps", 0)


def _fail(reason: str) -> NoReturn:
    """A traceback would lead into shardproof, where nothing is wrong."""
    pytest.fail(reason, pytrace=False)


def _find_ones_own(config: pytest.Config) -> None:
    """As for the command, a class of one's own is where one works; last, so that it hides nothing."""
    if (folder := str(config.invocation_params.dir)) not in sys.path:
        sys.path.append(folder)


@pytest.fixture
def shard_adapter() -> str | None:
    """The system that `--shard-adapter` names, for tests with `shardproof.testing`; `None` without."""
    return None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """
    A test for each property of each system, only for a test that asks for `shard_case`.

    A test that asks for `shard_adapter` runs once for each that is named, and once if none is.
    """
    if "shard_adapter" in metafunc.fixturenames:
        _find_ones_own(metafunc.config)
        if given := list(dict.fromkeys(metafunc.config.getoption("--shard-adapter"))):
            metafunc.parametrize("shard_adapter", given)
    if "shard_case" not in metafunc.fixturenames:
        return
    from .errors import UsageError

    stash = metafunc.config.stash
    try:
        if _CONFORMANCE not in stash:
            stash[_CONFORMANCE] = Conformance(metafunc.config)
    except UsageError as error:
        # Raised from here, it would be one broken file among others.
        stash[_WRONG] = str(error)
        metafunc.parametrize("shard_case", [])
        return
    suite = stash[_CONFORMANCE]
    cases = [Case(suite, adapter, sentence) for adapter in suite.adapters for sentence in suite.sentences]
    ids = [f"{case.adapter}-{case.sentence.id}-{case.sentence.name}" for case in cases]
    metafunc.parametrize("shard_case", cases, ids=ids)


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """A wrong command is no reason to skip: pytest ends with its own exit code for that, 4."""
    if _WRONG in config.stash:
        raise pytest.UsageError(f"shardproof.conformance: {config.stash[_WRONG]}")


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """The seed, before anything is searched."""
    if _CONFORMANCE not in config.stash:
        return []
    suite = config.stash[_CONFORMANCE]
    systems, steps = ", ".join(suite.adapters), suite.settings.steps
    much = f"{suite.settings.seconds:g} s" if steps is None else f"{steps:,} steps"
    return [f"shardproof: seed {suite.seed}, {much} of fuzzing for each of {systems}"]
