from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema

import answers
import told
from shardproof.errors import AdapterError
from shardproof.render.ci.junit import broken, junit
from shardproof.render.report import Answer
from shardproof.verdict import Deviating, Report, State, Verdict

SCHEMA = xmlschema.XMLSchema(Path(answers.__file__).with_name("junit.xsd"))


def read(data: bytes) -> ET.Element:
    """The file, which must be one that its readers take."""
    SCHEMA.validate(data.decode("utf-8"))
    return ET.fromstring(data)


def cases(answer: Answer) -> dict[tuple[str, str], tuple[str, str]]:
    """Suite and case -> how it ended, and the message."""
    return {
        (suite.get("name", ""), case.get("name", "")): next(
            ((ending.tag, ending.get("message", "")) for ending in case), ("passed", "")
        )
        for suite in read(junit(answer))
        for case in suite.iter("testcase")
    }


class TestJunit:
    def test_has_a_case_for_each_property_of_each_engine(self) -> None:
        """What holds passes, what is violated fails, and what is neither is no pass."""
        assert cases(answers.violated()) == {
            ("prove", "executes-at-most-once"): ("passed", ""),
            ("explore", "executes-at-most-once"): (
                "error",
                "inconclusive: the limit of 1,000 worlds was reached",
            ),
            ("explore", "executes"): ("error", "inconclusive: the limit of 1,000 worlds was reached"),
            ("explore", "keeps order"): ("error", "inconclusive: unknown"),
            ("fuzz", "survives-a-crash"): ("skipped", "not applicable: the adapter has no crash"),
            ("fuzz", "executes-at-most-once"): (
                "failure",
                "a receipt executed twice mints its amount out of thin air",
            ),
            ("fuzz", "reverts-atomically"): ("failure", "by the same step as executes-at-most-once"),
        }

    def test_of_what_was_not_decided_nothing_is_said(self) -> None:
        """A search that ends at a violation has not found that the other properties hold."""
        report = answers.fuzzed(verdict=Verdict.VIOLATED, findings=(answers.finding(),))

        assert cases(answers.answer(report))["fuzz", "reverts-atomically"] == (
            "skipped",
            "not decided: the search ended with a violation of executes-at-most-once",
        )

    def test_what_was_expected_has_ended_no_search(self) -> None:
        """Only what nobody expected is said to have."""
        known = Deviating("P01", ("executes-at-most-once",), "the next release", State.SEEN)
        found = (answers.finding(), answers.finding("delivers-what-is-due"))
        report = answers.fuzzed(verdict=Verdict.VIOLATED, findings=found, deviations=(known,))

        assert cases(answers.answer(report))["fuzz", "reverts-atomically"] == (
            "skipped",
            "not decided: the search ended with a violation of delivers-what-is-due",
        )

    def test_an_instance_of_a_sentence_is_that_sentence(self) -> None:
        """`reverts-atomically` of one symbol is no property that was never heard of."""
        one, other = "executes-at-most-once", "reverts-atomically"
        for found in (
            answers.finding(one, also=(f"{other}[consumed]",)),
            answers.finding(f"{other}[consumed]", also=(one,)),
        ):
            report = answers.fuzzed(verdict=Verdict.VIOLATED, findings=(found,))

            told = cases(answers.answer(report))
            assert told.keys() == {("fuzz", "survives-a-crash"), ("fuzz", one), ("fuzz", other)}
            assert [told["fuzz", name][0] for name in (one, other)] == ["failure", "failure"]

    def test_known_deviations_are_no_failures_until_they_are_gone(self) -> None:
        """What is known is skipped, as an expected failure is; what is known and gone is an error."""
        found = cases(answers.expected())

        assert found["fuzz", "executes-at-most-once"] == ("skipped", "the next release has a table")
        assert found["fuzz", "reverts-atomically"] == ("error", "gone: this search would have")

    def test_an_engine_without_properties_is_one_case(self) -> None:
        """No suite is empty: a suite without cases is green everywhere."""
        empty = Report("differ", Verdict.INCONCLUSIVE, "nothing", reasons=("nothing was run",))

        assert cases(answers.answer(empty)) == {
            ("differ", "differ"): ("error", "inconclusive: nothing was run")
        }

    def test_a_violation_without_a_story_is_a_failure_all_the_same(self) -> None:
        """What an engine says counts, whatever it shows for it."""
        bare = Report("other", Verdict.VIOLATED, "something")

        assert cases(answers.answer(bare)) == {("other", "other"): ("failure", "something")}

    def test_a_failure_has_the_story_and_the_line_to_paste(self) -> None:
        """Who reads only this file can run the trace again."""
        (failure,) = [
            f
            for f in read(junit(answers.violated())).iter("failure")
            if "same step" not in f.get("message", "")
        ]

        assert (
            (failure.text or "")
            .rstrip()
            .endswith("replay with  shardproof replay out/2-0.trace.json --adapter mine:Shard")
        )

    def test_counts_what_there_is(self) -> None:
        """The totals are those of the cases."""
        root = read(junit(answers.violated()))

        for element in (root, *root):
            assert int(element.get("tests", "")) == len([*element.iter("testcase")])
            assert int(element.get("failures", "")) == len([*element.iter("failure")])
            assert int(element.get("errors", "")) == len([*element.iter("error")])
        assert [suite.get("skipped") for suite in root] == ["0", "0", "1"]

    def test_a_run_without_a_verdict_is_an_error(self) -> None:
        """An adapter that broke is not a suite without failures."""
        root = read(broken("fuzz", AdapterError("the adapter raised", got="OSError: \x00 ]]> <b>")))

        (error,) = root.iter("error")
        assert (root.get("errors"), error.get("message")) == ("1", "the adapter raised")
        assert "OSError: \\x00 ]]> <b>" in (error.text or "")

    @pytest.mark.parametrize(
        "text", [*told.HOSTILE, "]]>", "\ufffe\uffff\x0b\x85"], ids=lambda t: repr(t[:12])
    )
    def test_foreign_text_stays_text(self, text: str) -> None:
        """Markup, control characters, halves of characters and a megabyte of them are shown or cut."""
        data = junit(answers.hostile(text))

        root = read(data)
        assert {e.tag for e in root.iter()} <= {
            *("testsuites", "testsuite", "properties", "property", "testcase"),
            *("failure", "error", "skipped", "system-out"),
        }
        assert len(data) < 2_000_000
        assert not {*"\x00\x1b\x07\u202e\u2066\u2028\ufffe\x0b"} & {*data.decode("utf-8")}
