from __future__ import annotations

import re
from pathlib import Path

import pytest

import answers
import told
from shardproof.errors import AdapterError
from shardproof.render.ci.github import BYTES_MAX, failed_summary, failure, harmless, notes, step_summary

HERE = Path("/somewhere")

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
            "consumed: B had executed r0 at step 1%0A"
            "replay with shardproof replay out/2-0.trace.json --adapter mine:Shard"
        )
        assert warning == "::warning title=inconclusive%3A explore::the limit of 1,000 worlds was reached"

    def test_what_is_known_is_a_notice_and_what_is_gone_an_error(self) -> None:
        """The file of known deviations is wrong, and the run fails for it."""
        notice, error = notes(answers.expected(), HERE)

        assert notice.startswith("::notice title=expected%3A executes-at-most-once,")
        assert error.startswith("::error title=shardproof::a known deviation no longer happens: P26")

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

    def test_a_run_without_a_verdict_has_one_too(self) -> None:
        """Whoever opens the summary learns why there is none."""
        said = failed_summary(AdapterError("the adapter raised", got="``` ::error:: ```")).decode()

        assert said.startswith("## ⚠️ shardproof: no verdict\n\n````text\nthe adapter raised\n")
