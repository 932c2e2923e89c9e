from __future__ import annotations

import itertools
import json
import shlex
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from attrs import evolve

from shardproof import cli
from shardproof.adapter import REQUIRED, Adapter, AdapterFactory, Delivery, Outcome, Refused, capabilities
from shardproof.adapters.faulty import variant as faulty
from shardproof.adapters.reference import ReferenceAdapter, variant
from shardproof.adapters.watermark import WatermarkAdapter
from shardproof.compared import DIFFERENCES, KINDS, REFUSALS
from shardproof.deviations import Deviation, judged
from shardproof.engines.differ import Plan, differ
from shardproof.errors import AdapterError, UsageError
from shardproof.narrowed import narrowed
from shardproof.replay import differences
from shardproof.together import Seen, agreements
from shardproof.verdict import Kind, Report, State, Verdict

LENIENT = """
from shardproof.adapter import Delivery, Refused
from shardproof.adapters.reference import ReferenceAdapter


class Lenient(ReferenceAdapter):
    def deliver(self, delivery):
        said = super().deliver(delivery)
        if isinstance(said, Refused) and delivery.evidence:
            shorter = Delivery(
                delivery.destination, delivery.receipt, delivery.header, delivery.evidence[:-1]
            )
            again = super().deliver(shorter)
            return said if isinstance(again, Refused) else again
        return said
"""


class Lenient(ReferenceAdapter):
    """Looks past one byte too many after the evidence, which the model allows."""

    version: ClassVar[str] = "of the bench"

    def deliver(self, delivery: Delivery) -> Outcome:
        said = super().deliver(delivery)
        if isinstance(said, Refused) and delivery.evidence:
            again = super().deliver(evolve(delivery, evidence=delivery.evidence[:-1]))
            return said if isinstance(again, Refused) else again
        return said


class CertifiesItself(WatermarkAdapter):
    """The same, for headers that nobody has to learn, so without one verb."""

    learn = Adapter.learn


class Wordy(ReferenceAdapter):
    """Refuses what the reference refuses, in other words."""

    def deliver(self, delivery: Delivery) -> Outcome:
        said = super().deliver(delivery)
        return Refused("we regret") if isinstance(said, Refused) else said


class Raises(ReferenceAdapter):
    """Raises where it should refuse."""

    def deliver(self, delivery: Delivery) -> Outcome:
        raise ValueError("connection lost")


class ShutsOut(ReferenceAdapter):
    """Lets nobody send anything."""

    def emit(self, source: str, destination: str, payload: bytes) -> Refused:
        return Refused("closed")


class FollowsCore(ReferenceAdapter):
    """Says which stack it follows."""

    stack: ClassVar[str] = "core"


REFERENCE = ("reference", ReferenceAdapter)
DAMAGED = "agree-on-deliver-of-damaged-bytes"


def compared(
    *systems: tuple[str, AdapterFactory], steps: int = 2_500, expected: frozenset[str] = frozenset()
) -> Report:
    ticks = itertools.count()
    return differ(systems, Plan(1, steps=steps, expected=expected), clock=lambda: float(next(ticks)))


@pytest.fixture(scope="module")
def different() -> Report:
    """The reference, and one that is a little more lenient."""
    return compared(REFERENCE, ("lenient", Lenient))


class TestDiffering:
    def test_two_designs_that_do_the_same_agree(self) -> None:
        """
        A table and a mark are different inside; asked the same, with what both have, they answer the same.
        """
        report = compared(REFERENCE, ("watermark", WatermarkAdapter), ("wordy", Wordy))

        assert (report.verdict, report.findings, report.reasons) == (Verdict.HOLDS, (), ())
        assert report.work["executed"] > 100
        (table,) = report.tables.values()
        assert ("restart", "only reference, wordy") in table
        assert not {"learn", "finalise", "revert"} & {verb for verb, _ in table}

    def test_what_the_model_allows_either_way_is_found(self, different: Report) -> None:
        """
        Whoever swaps one implementation for the other should know, though neither is wrong.
        """
        (found,) = different.findings

        assert different.verdict is Verdict.VIOLATED
        assert found.trace.versions["lenient"] == "of the bench"
        assert (found.kind, found.property) == (Kind.DIFFERENCE, DAMAGED)
        assert found.trace.adapter == "reference and lenient"
        assert len(found.trace.steps) == 5
        assert (found.trace.shards, found.trace.reserve) == (("A", "B", "C"), 0)
        violation = found.trace.violation
        assert violation is not None
        assert violation.expected.startswith("reference: refused")
        assert violation.actual == "lenient: accepted, B executed r0"
        assert violation.differs == "reference and lenient; the model allows both"

    def test_what_only_one_of_them_did_is_no_step_of_both(self) -> None:
        """
        Whoever is named first, the last step has the answers of both, and changed nothing that both show.
        """
        (found,) = compared(("lenient", Lenient), REFERENCE).findings

        assert found.trace.steps[-1].changed == ()
        assert found.trace.violation is not None
        assert found.trace.violation.expected == "lenient: accepted, B executed r0"
        assert found.trace.violation.actual.startswith("reference: refused")

    def test_how_agreement_went_on_is_a_line(self, different: Report) -> None:
        """
        By steps: differences, of which there are as many as steps that did not agree, and common refusals.
        """
        ends = {name: points[-1] for name, points in different.series.items()}
        steps, agreed = different.work["steps"], different.work["agreed"]

        assert 0 < steps - agreed < steps
        assert ends[DIFFERENCES] == (steps, steps - agreed)
        assert ends[REFUSALS][0] == ends[KINDS][0] == steps
        assert 0 < ends[REFUSALS][1] < agreed
        (rows,) = different.details.values()
        counted = [
            int(part.split(" ")[1].replace(",", "")) for _, value in rows for part in value.split(", ")
        ]
        assert sum(counted) == steps
        assert [name for name, value in rows if "different" in value] == ["deliver of damaged bytes"]

    def test_where_all_agree_that_line_is_flat(self) -> None:
        """
        No difference, from the first step to the last.
        """
        report = compared(REFERENCE, ("watermark", WatermarkAdapter), steps=300)

        assert {number for _, number in report.series[DIFFERENCES]} == {0}
        assert report.work["agreed"] == report.work["steps"] >= 300

    def test_a_seed_repeats_it(self, different: Report) -> None:
        """
        The same seed and the same steps: the same findings, to the letter.
        """
        again = compared(REFERENCE, ("lenient", Lenient))

        assert again.findings == different.findings
        assert again.series == different.series

    def test_what_the_model_does_not_allow_is_said_to_be_so(self) -> None:
        """
        Where one of two is wrong, they differ as well, and the trace says that the model does not allow both.
        """
        report = compared(REFERENCE, ("twice", faulty("no-deduplication")))

        told = {f.trace.violation.differs for f in report.findings if f.trace.violation}
        assert told == {"reference and twice; the model does not allow both"}

    def test_where_all_are_wrong_none_differs(self) -> None:
        """
        Two with one mistake do the same; the run ends there, because no model says what comes next.
        """
        wrong = faulty("no-deduplication")

        report = compared(("one", wrong), ("other", wrong), steps=1_000)

        assert report.verdict is Verdict.HOLDS
        assert report.work["ended_early"] > 0
        assert f"{report.work['ended_early']:,} ended where all were wrong" in report.checked

    def test_only_what_all_have_is_asked(self) -> None:
        """
        A verb that one of them lacks is asked of none, and its layers are not among those of the run.
        """
        report = compared(REFERENCE, ("other", CertifiesItself), steps=300)

        assert ("learn", "only reference") in next(iter(report.tables.values()))

    def test_nothing_to_differ_in_is_inconclusive(self) -> None:
        """
        Two that do nothing agree about nothing.
        """
        report = compared(("one", ShutsOut), ("other", ShutsOut), steps=60)

        assert (report.verdict, len(report.reasons)) == (Verdict.INCONCLUSIVE, 1)

    def test_who_breaks_the_contract_is_named(self) -> None:
        """
        Of several adapters, the error is of the one that raised.
        """
        with pytest.raises(AdapterError, match=r"broken: the adapter raised in 'deliver'"):
            compared(REFERENCE, ("broken", Raises), steps=300)

    def test_different_stacks_cannot_be_compared(self) -> None:
        """
        What one must do the other must not.
        """
        with pytest.raises(UsageError, match="follow different stacks"):
            compared(REFERENCE, ("core", FollowsCore))


class TestKnownDifferences:
    def test_the_search_goes_on_past_them(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """
        What is known ends no search; the runs that end there are counted, since their rest is not compared.
        """
        monkeypatch.setattr("shardproof.engines.differ.RUNS_AFTER_FINDING", 0)
        both = (REFERENCE, ("lenient", Lenient))
        unknown = compared(*both)
        report = compared(*both, expected=frozenset({DAMAGED}))
        told = judged(report, [Deviation(DAMAGED, (DAMAGED,), "it reads over what follows")])

        assert unknown.work["steps"] < 2_500 <= report.work["steps"]
        assert report.work["ended_apart"] > 0
        assert f"{report.work['ended_apart']:,} ended where they differ" in report.checked
        assert (told.verdict, [one.state for one in told.deviations]) == (Verdict.HOLDS, [State.SEEN])

    def test_what_is_not_known_is_a_difference(self, different: Report) -> None:
        """
        An entry excuses the difference that it names, and no other.
        """
        told = judged(different, [Deviation("agree-on-emit", ("agree-on-emit",), "known")])

        assert (told.verdict, [one.state for one in told.deviations]) == (Verdict.VIOLATED, [State.NOT_SEEN])

    def test_what_no_longer_happens_is_gone(self) -> None:
        """
        Where all that was compared is the same, the line must go.
        """
        report = compared(REFERENCE, ("wordy", Wordy), expected=frozenset({DAMAGED}))

        (one,) = judged(report, [Deviation(DAMAGED, (DAMAGED,), "known")]).deviations
        assert one.state is State.GONE

    def test_what_was_never_asked_is_not_gone(self) -> None:
        """
        A search that has not come to it says so, and is inconclusive.
        """
        report = compared(REFERENCE, ("wordy", Wordy), steps=40, expected=frozenset({"agree-on-restart"}))

        told = judged(report, [Deviation("agree-on-restart", ("agree-on-restart",), "known")])

        assert report.work["executed"] > 0
        assert report.reasons == ("agree-on-restart was never asked: give it more time",)
        assert (told.verdict, told.deviations[0].state) == (Verdict.INCONCLUSIVE, State.NOT_SEEN)

    def test_only_what_was_asked_is_said_to_agree(self) -> None:
        """
        The names under which a search reports are those of what it has asked, in one order.
        """
        report = compared(REFERENCE, ("watermark", WatermarkAdapter))

        assert report.properties == (
            "agree-on-deliver",
            DAMAGED,
            "agree-on-emit",
            "agree-on-finalise",
            "agree-on-learn",
            "agree-on-learn-of-damaged-bytes",
            "agree-on-produce",
            "agree-on-revert",
        )

    def test_each_verb_has_a_name(self) -> None:
        """
        Whatever a search can ask has one among the names that a file may use.
        """
        assert set(compared(REFERENCE, ("wordy", Wordy)).properties) <= set(agreements())
        assert set(agreements(frozenset({"learn"}))) == {
            "agree-on-emit",
            "agree-on-produce",
            "agree-on-deliver",
            "agree-on-learn",
            DAMAGED,
            "agree-on-learn-of-damaged-bytes",
        }
        assert "agree-on-time-out-again-of-damaged-bytes" in agreements()


class TestSeen:
    @pytest.mark.parametrize(
        "first, second, differ",
        [
            (Seen(False, False, "accepted", ()), Seen(True, False, "refused, x", ()), True),
            (Seen(True, False, "refused, x", ()), Seen(True, False, "refused, y", ()), False),
            (Seen(False, False, "accepted", ("B executed r0",)), Seen(False, False, "accepted", ()), True),
            (Seen(False, True, "pending", ()), Seen(True, False, "refused, x", ()), False),
            (Seen(False, True, "pending", ("B executed r0",)), Seen(True, False, "refused, x", ()), True),
        ],
    )
    def test_differs_in_effects_or_in_answers(self, first: Seen, second: Seen, differ: bool) -> None:
        """
        An answer is compared where there is one, its words are not, and effects always are.
        """
        assert first.differs(second) is second.differs(first) is differ


class TestReplaying:
    def test_a_difference_replays_on_both(self, different: Report) -> None:
        """
        The same steps show it again, and no longer once both are the same.
        """
        trace = different.findings[0].trace

        again = differences([REFERENCE, ("lenient", Lenient)], trace)
        mended = differences([REFERENCE, ("mended", Wordy)], trace)

        assert (again.verdict, again.reproduced, again.trace.steps) == (Verdict.VIOLATED, True, trace.steps)
        assert (mended.verdict, mended.summary) == (
            Verdict.HOLDS,
            "not reproduced: all 5 steps went the same everywhere",
        )


class TestNarrowed:
    def test_has_what_it_is_left_with(self) -> None:
        """
        A verb that is put away is no capability, and the stack is still said.
        """
        adapter = narrowed(variant("near"), {"learn"})()

        assert capabilities(adapter) == {"learn"}
        assert adapter.stack == "near"
        assert all(getattr(type(adapter), verb) is not getattr(Adapter, verb) for verb in REQUIRED)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, with a lenient adapter."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "lenient.py").write_text(LENIENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "lenient", raising=False)
    return tmp_path


BOTH = ("--adapter", "reference", "--adapter", "lenient:Lenient")


class TestCommand:
    @pytest.mark.heavy
    def test_judges_each_and_compares_them(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """
        Neither violates anything, they differ: exit code 1, and a last line that shows it again.
        """
        asked = ("fuzz", *BOTH, "--steps", "1000", "--seed", "1")
        assert cli.run([*asked, "--json"]) == 1
        found = json.loads(capsys.readouterr().out)

        assert list(found["verdicts"]) == ["fuzz reference", "fuzz lenient:Lenient", "differ"]
        assert found["verdicts"]["differ"] == "violated"
        assert found["systems"]["differ"] == ["reference", "lenient:Lenient"]
        assert [(one["kind"], one["engine"]) for one in found["findings"]] == [("difference", "differ")]

        (path,) = (folder / "shardproof-out").iterdir()
        assert cli.run(["replay", str(path), *BOTH]) == 1
        out = capsys.readouterr().out
        assert "different  agree-on-deliver-of-damaged-bytes" in out
        assert "reproduced: they differ at step 5" in out
        again = shlex.split(out.splitlines()[-1].removeprefix("replay with  shardproof "))
        assert again == ["replay", str(path), *BOTH]

        assert cli.run(["replay", str(path), "--adapter", "reference"]) == 2
        assert "this trace is about where systems differ" in capsys.readouterr().err

        entry = f'[[deviation]]\nproperty = "{DAMAGED}"\nreason = "known"\n'
        entry += f'adapter = "lenient:Lenient and reference"\ntrace = "{path.relative_to(folder)}"\n'
        (folder / "known.toml").write_text(entry)
        # So few steps decide nothing about each by itself.
        assert cli.run([*asked, "--deviations", "known.toml"]) == 4
        out = capsys.readouterr().out
        assert f"expected  {DAMAGED}   (known: known)" in out
        assert "differ    holds" in out

        (folder / "lenient.py").write_text(
            "from shardproof.adapters.reference import ReferenceAdapter as Lenient"
        )
        sys.modules.pop("lenient")
        assert cli.run([*asked, "--deviations", "known.toml"]) == 2
        assert f"a known deviation no longer happens: {DAMAGED}" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "arguments, said",
        [
            (("fuzz", "--adapter", "reference", "--adapter", "reference"), "is not compared with itself"),
            (("fuzz", "--adapter", "reference", "--adapter", "refrence"), "did you mean 'reference'?"),
            (("check", "--adapter", "reference", "--adapter", "watermark"), "more than one adapter"),
            (("doctor", "--adapter", "reference", "--adapter", "watermark"), "more than one adapter"),
        ],
    )
    def test_what_cannot_be_compared_is_a_wrong_command(
        self, arguments: tuple[str, ...], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """
        A second adapter is never silently left out.
        """
        assert cli.run(arguments) == 2
        assert said in capsys.readouterr().err
