from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

import answers
import told
from shardproof.render.ci.gitlab import code_quality
from shardproof.verdict import Kind

HERE = Path.cwd()


class TestCodeQuality:
    def test_has_the_fields_that_gitlab_asks_for(self) -> None:
        """Description, name, fingerprint, severity, and a place within the repository."""
        (entry,) = json.loads(code_quality(answers.violated(), HERE))

        assert entry == {
            "description": "executes-at-most-once: a receipt executed twice mints its amount out of thin air "
            "(fuzz)",
            "check_name": "shardproof/executes-at-most-once",
            "fingerprint": entry["fingerprint"],
            "severity": "critical",
            "location": {"path": "src/mine.py", "lines": {"begin": 12}},
        }

    def test_a_fingerprint_is_that_of_the_finding_and_not_of_the_trace(self) -> None:
        """Another seed finds the same by other steps, and it is not news; of another property it is."""
        found = answers.finding()
        longer = evolve(found, trace=evolve(found.trace, steps=found.trace.steps * 3))
        other = answers.finding("reverts-atomically")

        (a,), (b,), (c,) = (
            json.loads(code_quality(answers.answer(answers.fuzzed(findings=(one,))), HERE))
            for one in (found, longer, other)
        )

        assert a["fingerprint"] == b["fingerprint"] != c["fingerprint"]

    def test_what_two_engines_find_is_two_findings(self) -> None:
        """Of one property, each with its own trace: one of them may be gone when the other is not."""
        found = (answers.finding(),)
        toured = evolve(answers.EXPLORED, systems=(answers.SYSTEM,), findings=found)
        reports = (answers.fuzzed(findings=found), toured)

        entries = json.loads(code_quality(answers.answer(*reports), HERE))

        assert len({entry["fingerprint"] for entry in entries}) == len(entries) == 2

    @pytest.mark.parametrize(
        "kind, severity",
        [
            (Kind.SAFETY, "critical"),
            (Kind.PROGRESS, "major"),
            (Kind.DIVERGENCE, "major"),
            (Kind.DIFFERENCE, "major"),
        ],
    )
    def test_something_bad_weighs_more_than_something_good_that_did_not_happen(
        self, kind: Kind, severity: str
    ) -> None:
        """Or than a disagreement of which nobody knows who is wrong."""
        found = answers.finding("x", kind)

        (entry,) = json.loads(code_quality(answers.answer(answers.fuzzed(findings=(found,))), HERE))

        assert entry["severity"] == severity

    def test_without_a_file_of_the_adapter_it_is_the_trace(self) -> None:
        """A process is written in a file that we do not know; its trace is one that we do."""
        (entry,) = json.loads(code_quality(evolve(answers.violated(), sources={}), HERE))

        assert entry["location"] == {"path": "out/2-0.trace.json", "lines": {"begin": 1}}

    def test_what_is_known_is_for_information(self) -> None:
        """A known deviation is shown and is no reason to stop."""
        (entry,) = json.loads(code_quality(answers.expected(), HERE))

        assert entry["severity"] == "info"

    @pytest.mark.parametrize("text", told.HOSTILE, ids=lambda t: repr(t[:12]))
    def test_foreign_text_stays_text(self, text: str) -> None:
        """One line, of a bounded length, without what is no character."""
        data = code_quality(answers.hostile(text), HERE)

        (entry,) = json.loads(data)
        assert len(data) < 10_000
        assert all(c.isprintable() for value in (entry["description"], entry["check_name"]) for c in value)
