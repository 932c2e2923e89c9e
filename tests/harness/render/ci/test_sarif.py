from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

import answers
import told
from sample_systems.at_hand import must_be_at_hand
from shardproof.parts import PARTS, read
from shardproof.render.ci.sarif import sarif
from shardproof.render.report import Answer

#: Published without types.
jsonschema: Any = importlib.import_module("jsonschema")

HERE = Path.cwd()


@pytest.fixture(scope="module")
def schema() -> Any:
    """The schema of SARIF 2.1.0, out of a package that carries it."""
    must_be_at_hand("sarif-schema")
    (text,) = read(PARTS["sarif-schema"], ["lib/schemas/sarif-2.1.0-rtm.5.json"]).values()
    return json.loads(text)


def run(answer: Answer) -> Any:
    data = sarif(answer, HERE)
    assert data is not None
    (only,) = json.loads(data)["runs"]
    return only


class TestSarif:
    @pytest.mark.parametrize("answer", [answers.holds(), answers.violated(), answers.expected()])
    def test_is_what_its_readers_take(self, schema: Any, answer: Answer) -> None:
        """Every answer of a system with a file is a log of SARIF 2.1.0."""
        jsonschema.Draft4Validator(schema).validate(json.loads(sarif(answer, HERE) or b""))

    def test_shows_a_finding_where_the_adapter_is_written(self) -> None:
        """The file as the repository knows it, the line of the class, and how grave it is."""
        (result,) = run(answers.violated())["results"]

        assert result["locations"] == [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "src/mine.py", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 12},
                }
            }
        ]
        assert (result["ruleId"], result["level"]) == ("executes-at-most-once", "error")

    def test_each_result_is_of_its_own_rule(self) -> None:
        """By the place of the rule among all of them, in whatever order they were found."""
        names = ("executes-at-most-once", "reverts-atomically", "delivers-what-is-due")
        found = run(answers.answer(answers.fuzzed(findings=tuple(map(answers.finding, names)))))
        rules = found["tool"]["driver"]["rules"]

        assert [rules[result["ruleIndex"]]["id"] for result in found["results"]] == [*names]

    def test_a_wrong_file_of_known_deviations_is_no_success(self) -> None:
        """What is gone makes the run fail, and why stands with it."""
        (invocation,) = run(answers.expected())["invocations"]

        assert invocation["executionSuccessful"] is False
        assert "no longer happens" in invocation["toolExecutionNotifications"][-1]["message"]["text"]
        assert run(answers.holds())["invocations"][0]["executionSuccessful"] is True

    def test_a_known_deviation_is_suppressed_and_no_error(self) -> None:
        """It is shown, with the reason why nobody has to act."""
        (result,) = run(answers.expected())["results"]

        assert result["level"] == "note"
        assert result["suppressions"] == [
            {"kind": "external", "justification": "the next release has a table"}
        ]

    def test_without_findings_there_is_a_log_without_results(self) -> None:
        """An empty log takes away the alerts of an earlier one; none at all would leave them."""
        found = run(answers.holds())

        assert found["results"] == []
        assert found["invocations"][0]["executionSuccessful"] is True

    def test_what_came_to_no_end_is_said(self) -> None:
        """A log without results of a search that decided nothing is no clean bill."""
        answer = answers.answer(answers.fuzzed(), answers.EXPLORED)

        (invocation,) = run(answer)["invocations"]
        assert invocation["executionSuccessful"] is False
        assert [n["message"]["text"] for n in invocation["toolExecutionNotifications"]] == [
            "explore: the limit of 1,000 worlds was reached"
        ]

    def test_there_is_none_of_what_has_no_file(self) -> None:
        """A process, the model, and an adapter that is installed elsewhere have no line to point at."""
        violated = answers.violated()

        assert sarif(evolve(violated, sources={}), HERE) is None
        assert sarif(violated, HERE / "src") is not None
        assert sarif(violated, HERE / "elsewhere") is None
        elsewhere = {answers.SYSTEM: evolve(violated.sources[answers.SYSTEM], file=Path("/usr/lib/mine.py"))}
        assert sarif(evolve(violated, sources=elsewhere), HERE) is None

    @pytest.mark.parametrize("text", told.HOSTILE, ids=lambda t: repr(t[:12]))
    def test_foreign_text_stays_text(self, schema: Any, text: str) -> None:
        """What comes from outside is shown, cut, and changes no field beside it."""
        data = sarif(answers.hostile(text), HERE) or b""

        jsonschema.Draft4Validator(schema).validate(json.loads(data))
        assert len(data) < 100_000
        assert b"\\ud800" not in data.replace(b"\\\\ud800", b"")
