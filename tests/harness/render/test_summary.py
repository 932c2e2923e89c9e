from __future__ import annotations

import importlib
import json
from typing import Any

import pytest

import answers
import told
from shardproof.errors import AdapterError, UsageError
from shardproof.render.report import Answer, as_json
from shardproof.render.summary import broken, dumps, schema, summary

#: Published without types.
jsonschema: Any = importlib.import_module("jsonschema")


def valid(document: object) -> None:
    """Raises where the document is not what the schema says."""
    jsonschema.Draft202012Validator.check_schema(schema())
    # A round through text: tuples of Python are no lists of JSON.
    jsonschema.Draft202012Validator(schema()).validate(json.loads(json.dumps(document)))


class TestSummary:
    @pytest.mark.parametrize("answer", [answers.holds(), answers.violated(), answers.expected()])
    def test_is_what_its_schema_says(self, answer: Answer) -> None:
        """Every kind of answer."""
        valid(summary(answer))

    def test_has_all_that_json_has(self) -> None:
        """Who has read the one can read the other."""
        answer = answers.violated()
        printed, kept = as_json(answer), summary(answer)

        for row, more in zip(printed["findings"], kept["findings"], strict=True):
            assert row.items() <= more.items()
        assert {k: v for k, v in printed.items() if k != "findings"}.items() <= kept.items()

    @pytest.mark.parametrize("error", [AdapterError("it raised", got="x", said="y"), UsageError("wrong")])
    def test_a_run_without_a_verdict_has_one_too(self, error: AdapterError | UsageError) -> None:
        """With the exit code, and what was wrong."""
        document = broken("fuzz", "shardproof fuzz", error)

        valid(document)
        assert (document["verdict"], document["exit_code"]) == (None, error.exit_code)

    @pytest.mark.parametrize(
        "wrong",
        [{"more": 1}, {"verdict": "passed"}, {"series": {"fuzz": {"x": [[1]]}}}, {"format": "other/1"}],
    )
    def test_the_schema_takes_nothing_else(self, wrong: dict[str, object]) -> None:
        """Another field, another word, half a point, another format."""
        with pytest.raises(jsonschema.ValidationError):
            valid(summary(answers.violated()) | wrong)

    def test_the_schema_knows_every_field(self) -> None:
        """No field of it is missing in an answer, but for the error that few have."""
        known = schema()["$defs"]["answer"]["properties"]

        assert known.keys() == summary(answers.expected()).keys()

    @pytest.mark.parametrize("text", told.HOSTILE, ids=lambda t: repr(t[:12]))
    def test_foreign_text_stays_text(self, text: str) -> None:
        """A file of ASCII, that every reader of JSON takes, with the text in it."""
        data = dumps(summary(answers.hostile(text)))

        document = json.loads(data.decode("ascii"))
        valid(document)
        assert document["findings"][0]["because"] == text.replace("\ud800", "\\ud800")
        document_text = json.dumps(document, ensure_ascii=False)
        document_text.encode("utf-8")
