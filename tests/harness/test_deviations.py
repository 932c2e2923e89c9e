from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from shardproof import cli, selection, trace_file
from shardproof.deviations import Deviation, judged, load, of_several, of_system
from shardproof.engines import tour as tours
from shardproof.errors import UsageError
from shardproof.files import TOML_BYTES_MAX
from shardproof.settings import resolve
from shardproof.trace import Search, Trace
from shardproof.verdict import Finding, Kind, Report, State, Verdict

TWICE = "executes-at-most-once"
FORGED = "executes-only-what-was-emitted"
DEVIATES = "faulty:no-deduplication"


def entry(property: str, **more: str) -> str:
    words = {"property": property, "reason": "it is mended in the next release", **more}
    return "[[deviation]]\n" + "".join(f"{word} = {json.dumps(text)}\n" for word, text in words.items())


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of one's own, with one known deviation in a file, and no settings from outside."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "known.toml").write_text(entry("P01"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fuzz(capsys: pytest.CaptureFixture[str], adapter: str, steps: int, *more: str) -> dict[str, Any]:
    """What a program reads of a search with the known deviations."""
    asked = ("fuzz", "--adapter", adapter, "--steps", str(steps), "--seed", "1", "--deviations", "known.toml")
    code = cli.run([*asked, *more, "--json"])
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert found["exit_code"] == code
    return found


def finding(name: str, *also: str) -> Finding:
    trace = Trace("a", (), ("A", "B"), name, "P", "it matters", (), None, Search("fuzz"))
    return Finding("P", name, "it matters", Kind.SAFETY, trace, also)


@pytest.mark.heavy
class TestSearching:
    def test_what_is_expected_fails_nothing(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        The search goes on to its end, holds for all else, and has the expected violation with its trace.
        """
        monkeypatch.setattr("shardproof.engines.fuzz.search.RUNS_AFTER_FINDING", 10)

        found = fuzz(capsys, DEVIATES, 4_000)

        assert (found["verdict"], found["exit_code"], found["reasons"]) == ("holds", 0, [])
        assert found["work"]["fuzz"]["steps"] >= 4_000
        (one,) = found["findings"]
        assert (one["property"], one["expected"]) == (TWICE, "it is mended in the next release")
        assert Path(one["trace"]).exists()
        assert found["deviations"] == [
            {
                "property": "P01",
                "names": [TWICE],
                "reason": "it is mended in the next release",
                "state": "expected",
                "why": "",
                "engine": "fuzz",
            }
        ]

    def test_is_shown_to_people_as_expected(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        With the whole story, and the verdict of what else there was last.
        """
        asked = ("fuzz", "--adapter", DEVIATES, "--steps", "4000", "--seed", "1")
        assert cli.run([*asked, "--deviations", "known.toml"]) == 0

        out = capsys.readouterr().out
        assert f"expected  {TWICE}   (known: it is mended in the next release)" in out
        assert "violated" not in out
        assert "B executed r0 2 times" in out
        assert out.splitlines()[-1].startswith(f"holds  {DEVIATES} (fuzz)")

    def test_what_no_longer_happens_is_an_error(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        On a system that is mended the file is wrong, and says so with exit code 2.
        """
        found = fuzz(capsys, "reference", 4_000)

        assert (found["verdict"], found["exit_code"]) == ("holds", 2)
        assert found["error"]["summary"] == "a known deviation no longer happens: P01"
        assert [one["state"] for one in found["deviations"]] == ["gone"]

    def test_where_too_little_was_run_nothing_is_gone(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        A search that has not checked everything cannot say that something no longer happens.
        """
        found = fuzz(capsys, "reference", 60)

        assert (found["verdict"], found["exit_code"]) == ("inconclusive", 4)
        assert [one["state"] for one in found["deviations"]] == ["not seen"]
        assert "error" not in found

    def test_what_was_not_expected_is_violated(
        self, capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Another violation than the expected one fails the run as ever, and ends it.
        """
        monkeypatch.setattr("shardproof.engines.fuzz.search.RUNS_AFTER_FINDING", 10)
        (folder / "known.toml").write_text(entry(FORGED))

        found = fuzz(capsys, DEVIATES, 4_000)

        assert (found["verdict"], found["exit_code"]) == ("violated", 1)
        assert found["work"]["fuzz"]["steps"] < 4_000
        assert [(one["property"], one["expected"]) for one in found["findings"]] == [(TWICE, None)]
        assert [one["state"] for one in found["deviations"]] == ["not seen"]

    def test_a_trace_leaves_nothing_to_chance(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        """
        However little is searched, the trace shows that it still happens, or that it no longer does.
        """
        assert fuzz(capsys, DEVIATES, 4_000)["exit_code"] == 0
        (path,) = (folder / "shardproof-out").iterdir()
        (folder / "known.toml").write_text(entry("P01", trace=f"shardproof-out/{path.name}"))

        told = [fuzz(capsys, adapter, 1) for adapter in (DEVIATES, "reference")]

        assert [one["deviations"][0]["state"] for one in told] == ["expected", "gone"]
        assert [one["exit_code"] for one in told] == [4, 2]
        assert told[1]["deviations"][0]["why"].startswith(f"shardproof-out/{path.name} no longer shows it")

    def test_of_another_adapter_they_are_not(self, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
        """
        An entry that names an adapter excuses no other.
        """
        (folder / "known.toml").write_text(entry("P01", adapter="reference"))

        assert fuzz(capsys, DEVIATES, 3_000)["exit_code"] == 1

    def test_a_tour_knows_them_too(self) -> None:
        """
        A walk along every transition goes on past what is expected, and reaches its end.
        """
        system = selection.system(DEVIATES)
        known = load(Path("known.toml"))
        plan = tours.Plan({"shards": 2, "receipts": 1, "headers": 1}, alone=True, expected=frozenset({TWICE}))

        report = judged(tours.tour(system.make, system.name, plan, clock=lambda: 0.0), known)

        assert (report.verdict, report.reasons) == (Verdict.HOLDS, ())
        assert report.work["exercised"] == report.work["transitions"] == 1_595
        assert [(f.property, report.expected(f) != "") for f in report.findings] == [(TWICE, True)]

    def test_the_model_alone_deviates_from_nothing(self, capsys: pytest.CaptureFixture[str]) -> None:
        """
        Without an adapter there is nothing that could be known to deviate.
        """
        assert cli.run(["explore", "--stack", "core", "--deviations", "known.toml"]) == 2
        assert "known deviations are of an adapter" in capsys.readouterr().err


class TestJudging:
    def judged(self, *known: Deviation, **more: Any) -> Report:
        report = Report("fuzz", Verdict.VIOLATED, "so much", properties=(TWICE, FORGED))
        return judged(evolve(report, **more), known)

    def test_a_finding_that_breaks_more_is_not_expected(self) -> None:
        """
        A violation is excused only if everything that it violates is.
        """
        twice = Deviation("P01", (TWICE,), "known")
        both = (twice, Deviation(FORGED, (FORGED,), "known as well"))
        found = (finding(TWICE, f"{FORGED}[1]"),)

        assert self.judged(twice, findings=found).verdict is Verdict.VIOLATED
        assert self.judged(*both, findings=found).verdict is Verdict.HOLDS
        assert [x.state for x in self.judged(*both, findings=found).deviations] == [State.SEEN] * 2

    def test_a_number_is_seen_by_any_of_its_sentences(self) -> None:
        """
        Under one number there may be several sentences, and one of them is enough.
        """
        known = Deviation("P02", (FORGED, "executes-only-on-final-headers"), "known")

        assert [x.state for x in self.judged(known, findings=(finding(FORGED),)).deviations] == [State.SEEN]

    def test_what_does_not_apply_is_not_gone(self) -> None:
        """
        Where a property says nothing of a system, nobody can see it violated.
        """
        known = Deviation("P26", ("reverts-atomically",), "known")
        why = {"reverts-atomically": "the adapter has no revert"}

        (one,) = self.judged(known, not_applicable=why).deviations

        assert (one.state, one.why) == (State.NOT_APPLICABLE, "the adapter has no revert")


WRONG = {
    "not there": None,
    "not TOML": "[[deviation]\n",
    "another entry": "[[deviations]]\n",
    "too deep": f"x = {'[' * 5_000}",
    "too long": "#" * (TOML_BYTES_MAX + 1),
    "one bracket": '[deviation]\nproperty = "P01"\n',
    "unknown word": entry("P01", because="x"),
    "no reason": '[[deviation]]\nproperty = "P01"\n',
    "no property": '[[deviation]]\nreason = "x"\n',
    "empty reason": entry("P01", reason=" "),
    "empty trace": entry("P01", trace=""),
    "unknown name": entry("executes-at-most-one"),
    "unknown number": entry("P99"),
    "of the model only": entry("isolates-shards"),
    "difference of one": entry("agree-on-deliver", adapter="reference"),
    "unknown difference": entry("agree-on-delivery"),
    "twice": entry("P01") + entry(TWICE),
    "twice of one": entry("P01", adapter="reference") + entry("P01", adapter="reference"),
}


class TestFiles:
    def test_errors_say_where_and_what(self, folder: Path, golden: Any) -> None:
        """
        A wrong file is answered with the entry, what was expected, and the nearest right name.
        """
        told = []
        for name, text in WRONG.items():
            path = folder / "wrong.toml"
            if text is None:
                path.unlink(missing_ok=True)
            else:
                path.write_text(text)
            with pytest.raises(UsageError) as caught:
                load(path)
            told.append(f"# {name}\nerror: {caught.value}\n".replace(str(folder), "FOLDER"))

        golden("errors/deviations.txt", "\n".join(told))

    def test_what_can_never_be_seen_is_a_wrong_file(self, folder: Path) -> None:
        """
        An entry that names an adapter, and a property that says nothing of it, is a mistake.
        """
        (folder / "known.toml").write_text(entry("never-both", adapter="reference"))

        with pytest.raises(UsageError, match="the property says nothing of reference") as caught:
            of_system(load(Path("known.toml")), selection.system("reference"))

        assert "the adapter has no ended, time_out" in str(caught.value)

    def test_a_trace_says_only_what_it_shows(self, folder: Path) -> None:
        """
        One that shows another violation, or cannot be taken, says neither that it is seen nor gone.
        """
        kept = Path(__file__).parents[1] / "traces" / "no-deduplication.trace.json"
        twice = trace_file.load(kept)
        trace_file.write(
            evolve(twice, steps=twice.steps[1:], violation=None, explanation=None), folder / "void.trace.json"
        )
        deviates, sound = selection.system(DEVIATES), selection.system("reference")

        def replayed(name: str, trace: Path, system: selection.System) -> State | None:
            (folder / "known.toml").write_text(entry(name, trace=str(trace)))
            (one,) = of_system(load(folder / "known.toml"), system)
            return one.replayed

        assert replayed("P01", kept, deviates) is State.SEEN
        assert replayed("P01", kept, sound) is State.GONE
        assert replayed(FORGED, kept, deviates) is None
        assert replayed("P01", folder / "void.trace.json", sound) is None

    def test_what_systems_differ_in_is_of_no_one_of_them(self, folder: Path) -> None:
        """
        Each system by itself is judged by sentences; a difference is of all of them, in whatever order.
        """
        one, other, third = map(selection.system, ("reference", "watermark", "reference:near"))
        (folder / "known.toml").write_text(
            entry("agree-on-deliver", adapter="watermark and reference")
            + entry("agree-on-emit")
            + entry("P01")
        )
        known = load(Path("known.toml"))

        assert [x.property for x in of_system(known, one)] == ["P01"]
        assert [x.property for x in of_several(known, (one, other))] == ["agree-on-deliver", "agree-on-emit"]
        assert [x.property for x in of_several(known, (one, third))] == ["agree-on-emit"]

    def test_a_difference_that_can_never_be_seen_is_a_wrong_file(self, folder: Path) -> None:
        """
        Of what only one of them can do, nobody is asked.
        """
        (folder / "known.toml").write_text(entry("agree-on-restart", adapter="reference and watermark"))

        with pytest.raises(UsageError, match="not all of reference and watermark can be asked for that"):
            of_several(
                load(Path("known.toml")), (selection.system("reference"), selection.system("watermark"))
            )

    def test_of_a_project_is_found_from_its_folders(self, folder: Path) -> None:
        """
        In pyproject.toml the file is named as seen from there; on the command line, from where one stands.
        """
        (folder / "pyproject.toml").write_text('[tool.shardproof]\ndeviations = "known.toml"\n')
        below = folder / "below"
        below.mkdir()

        assert resolve({}, {}, below).deviations == folder / "known.toml"
        assert resolve({"deviations": "x.toml"}, {}, below).deviations == Path("x.toml")
