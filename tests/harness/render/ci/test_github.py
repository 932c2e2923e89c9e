from __future__ import annotations

import re
from pathlib import Path

import pytest
from attrs import evolve

import answers
import told
from shardproof.errors import AdapterError
from shardproof.render.ci.github import (
    BYTES_MAX,
    STORIES_MAX,
    failed_summary,
    failure,
    harmless,
    notes,
    step_summary,
)
from shardproof.trace import Explanation
from shardproof.verdict import Kind, Verdict

HERE = Path.cwd()

#: What could be a command, or end one, or begin Markdown.
SIGNS = (
    *told.HOSTILE,
    "::error::x\n::stop-commands::y\r\n::add-mask::z",
    "a,line=1::%0A::error::b",
    "| cell | `code` ``` [a](javascript:1) **b** # h <b> @somebody #1 https://x.example",
)


class TestNotes:
    def test_a_violation_is_an_error_at_the_adapter(self) -> None:
        """The title says what, the message why, who refuses, and what to type."""
        error, warning = notes(answers.violated(), HERE)

        assert error == (
            "::error title=violated%3A executes-at-most-once,file=src/mine.py,line=12::"
            "a receipt executed twice mints its amount out of thin air%0A"
            "consumed: B had executed r0 at step 1 (`consumed(B, key(r0))`)%0A"
            "replay with shardproof replay out/2-0.trace.json --adapter mine:Shard"
        )
        assert warning == "::warning title=inconclusive%3A explore::the limit of 1,000 worlds was reached"

    def test_says_what_to_look_for_where_that_was_found_out(self) -> None:
        """Beside the line of code, where somebody wonders what is wrong with it."""
        found = answers.finding()
        explanation = Explanation((), 0, "", "Look where records are forgotten.")
        found = evolve(found, trace=evolve(found.trace, explanation=explanation))

        (error,) = notes(answers.answer(answers.fuzzed(findings=(found,))), HERE)

        assert "%0ALook where records are forgotten.%0Areplay with " in error

    def test_what_is_known_is_a_notice_and_what_is_gone_an_error(self) -> None:
        """The file of known deviations is wrong, and the run fails for it."""
        notice, error = notes(answers.expected(), HERE)

        assert notice.startswith("::notice title=expected%3A executes-at-most-once,")
        assert error.startswith("::error title=shardproof::a known deviation no longer happens: P26")

    def test_where_two_systems_differ_none_is_said_to_violate_anything(self) -> None:
        """Whether one of them is wrong is another question."""
        found = answers.finding("agree-on-deliver", Kind.DIFFERENCE)

        (error,) = notes(answers.answer(answers.fuzzed(findings=(found,))), HERE)

        assert error.startswith("::error title=different%3A agree-on-deliver,")

    def test_what_looks_like_a_code_is_read_as_it_was_written(self) -> None:
        """Whoever undoes the codes has the text again, with no line and no field more."""
        found = answers.finding(because="half, %0A::error::x")

        (error,) = notes(answers.answer(answers.fuzzed(findings=(found,))), HERE)

        message = error.split("::", 2)[2]
        assert message.startswith("half, %250A::error::x%0A")

    def test_nothing_to_say_is_nothing(self) -> None:
        """A run in which everything holds annotates no line."""
        assert [*notes(answers.holds(), HERE)] == []

    @pytest.mark.parametrize("text", SIGNS, ids=lambda t: repr(t[:12]))
    def test_foreign_text_is_no_command_and_no_field(self, text: str) -> None:
        """Each note is one line with the fields that we gave it, whatever is in them."""
        for line in (*notes(answers.hostile(text), HERE), failure(AdapterError(text, got=text))):
            assert re.fullmatch(
                r"::(error|notice|warning) title=[^,:\r\n]*(,file=[^,:\r\n]*,line=\d+)?::[^\r\n]*", line
            )
            assert len(line) < 10_000
            assert all(c.isprintable() for c in line)


class TestHarmless:
    @pytest.mark.parametrize(
        "line", ["::error::x", "  ::stop-commands::x", "a\n\t::add-mask::x", "##[error]x", "b ##[group]x"]
    )
    def test_no_line_of_a_log_is_a_command(self, line: str) -> None:
        """A runner looks at the beginning of a line, white space aside, and for the older form anywhere."""
        shown = harmless(line)

        assert not re.search(r"(?m)^\s*::|##\[", shown)

    def test_other_text_stays_as_it_is(self) -> None:
        """Names have colons in them."""
        assert harmless("a::b\nmine:Shard # [x]") == "a::b\nmine:Shard # [x]"


class TestStepSummary:
    def test_has_the_verdict_the_engines_and_the_story(self) -> None:
        """The first line is the answer; the last block does it again."""
        lines = step_summary(answers.violated()).decode().splitlines()

        assert lines[0] == "## ❌ shardproof check: violated, mine&#58;Shard"
        assert (
            "| explore | ⚠️ inconclusive | every trace of up to 9 steps&#59; "
            "the limit of 1,000 worlds was reached | 0.0 |"
        ) in lines
        assert "### violated: executes-at-most-once" in lines
        assert "shardproof check --adapter mine:Shard --out out --seed 7" in lines

    @pytest.mark.parametrize("text", SIGNS, ids=lambda t: repr(t[:12]))
    def test_foreign_text_is_no_markdown(self, text: str) -> None:
        """Outside of blocks no sign of it means anything, and a block ends where we end it."""
        data = step_summary(answers.hostile(text))

        assert len(data) <= BYTES_MAX
        fence = ""
        for line in data.decode("utf-8").splitlines():
            assert all(c.isprintable() for c in line)
            if fence:
                fence = "" if line == fence else fence
            elif line.startswith("```"):
                fence = line.removesuffix("text")
            else:
                # Ours: headings, and the bars of a table.
                assert line.count("|") in (0, 5)
                assert not re.search(r"[<>`\[\]*@\\]|://", line)
        assert not fence

    def test_of_many_findings_the_first_are_told(self) -> None:
        """The page of the run has the rest."""
        found = tuple(answers.finding(f"p{i:02}") for i in range(30))

        told = step_summary(answers.answer(answers.fuzzed(findings=found))).decode()

        assert re.findall(r"(?m)^### violated: (.*)$", told) == [f"p{i:02}" for i in range(STORIES_MAX)]
        assert f"{30 - STORIES_MAX} more findings" in told

    def test_what_is_known_and_gone_is_told(self) -> None:
        """A run may fail for nothing else."""
        assert "- known deviation, gone: P26&#58; this search would have" in (
            step_summary(answers.expected()).decode()
        )

    @pytest.mark.parametrize("most", [20_000, 100])
    def test_is_never_larger_than_is_taken(self, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """Of a summary that is too large nothing would be shown: there are fewer stories, or none."""
        monkeypatch.setattr("shardproof.render.ci.github.BYTES_MAX", most)
        found = tuple(answers.finding(f"p{i}", also=("x" * 400,) * 20) for i in range(9))

        told = step_summary(answers.answer(answers.fuzzed(verdict=Verdict.VIOLATED, findings=found)))

        assert len(told) <= most
        assert b"violated" in told

    def test_a_run_without_a_verdict_has_one_too(self) -> None:
        """Whoever opens the summary learns why there is none."""
        said = failed_summary(AdapterError("the adapter raised", got="``` ::error:: ```")).decode()

        assert said.startswith("## ⚠️ shardproof: no verdict\n\n````text\nthe adapter raised\n")
